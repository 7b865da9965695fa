// What is drawn into the charts: lines, steps and bars, the area's fill, gaps, words.

const line = uPlot.paths.linear();

// Level over each bucket, to its end; uPlot's own steps leave out the last one and those before gaps.
const steps = (u, index, from, to) => {
  const stroke = new Path2D();
  const [time, column] = [u.data[0], u.data[index]];
  const { step } = view.stats.history;
  for (let i = from; i <= to; i++) {
    if (column[i] == null) continue;
    const y = u.valToPos(column[i], u.series[index].scale, true);
    if (i === from || column[i - 1] == null) stroke.moveTo(u.valToPos(time[i], 'x', true), y);
    else stroke.lineTo(u.valToPos(time[i], 'x', true), y);
    stroke.lineTo(u.valToPos(time[i] + step, 'x', true), y);
  }
  return { stroke, fill: null, clip: null, band: null, gaps: null, flags: 0 };
};

// A bar over each bucket. All of them are one outline along the base, since a thousand single ones take long to draw;
// where they would touch, those that share a pixel are one, as high as the highest.
const bars = (share) => (u, index, from, to) => {
  const fill = new Path2D();
  const [time, column] = [u.data[0], u.data[index]];
  const left = (i) => Math.round(u.valToPos(time[0] + i * view.stats.history.step, 'x', true));
  const top = (n) => u.valToPos(n, u.series[index].scale, true);
  const base = top(0);
  const slot = (left(to + 1) - left(from)) / (to + 1 - from);
  const thin = slot < 3 * uPlot.pxRatio;
  fill.moveTo(left(from), base);
  for (let i = from; i <= to; i++) {
    if (column[i] == null) continue;
    let most = column[i];
    let x = left(i);
    while (thin && i < to && column[i + 1] != null && left(i + 1) === x) most = Math.max(most, column[++i]);
    if (!thin) x += Math.round((slot * (BAR_SHARE - share)) / 2);
    const end = thin ? Math.max(left(i + 1), x + 1) : x + Math.max(1, Math.round(slot * share));
    const y = top(most);
    fill.lineTo(x, base);
    fill.lineTo(x, y);
    fill.lineTo(end, y);
    fill.lineTo(end, base);
  }
  return { stroke: null, fill, clip: null, band: null, gaps: null, flags: 0 };
};
const BAR_SHARE = 0.84;
const wideBars = bars(BAR_SHARE);
const narrowBars = bars(BAR_SHARE / 2);

// A rim around a line that runs over bars, so that it is seen on all of them.
const paintRim = (u, index) => {
  const next = index + 1;
  if (!view.bars || u.series[next]?.scale !== 'right' || !u.series[next].show || !u.series[next]._paths) return;
  u.ctx.save();
  u.ctx.strokeStyle = palette.panel;
  u.ctx.lineWidth = 6 * uPlot.pxRatio;
  u.ctx.stroke(u.series[next]._paths.stroke);
  u.ctx.restore();
};

// Bars for what stands on the left axis: seeders are a part of the peers, so theirs stand in front of them.
const pathsOf = (spec) => (u, index, from, to) => {
  const draw = !view.bars ? line : spec.scale === 'right' ? steps : spec.narrow ? narrowBars : wideBars;
  return draw(u, index, from, to);
};

const fillOf = (spec) => (u) => {
  const colour = palette[spec.key];
  if (view.bars) return spec.scale === 'right' ? null : colour;
  if (!spec.area) return null;
  const { top, height } = u.bbox;
  const fill = u.ctx.createLinearGradient(0, top, 0, top + height);
  fill.addColorStop(0, `${colour}40`);
  fill.addColorStop(1, `${colour}08`);
  return fill;
};

const font = () => `12px ${getComputedStyle(document.body).fontFamily}`;

// A word in a stretch of the chart, if there is room for it: level, or else upright.
const writeInto = (u, text, left, right, ground) => {
  const { ctx } = u;
  const { top, height } = u.bbox;
  const ratio = uPlot.pxRatio;
  ctx.font = font().replace('12px', `${12 * ratio}px`);
  ctx.fillStyle = palette.grey;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  const length = ctx.measureText(text).width + 16 * ratio;
  const middle = (left + right) / 2;
  if (right - left >= length) {
    // Over the grid's lines, not between them.
    ctx.fillStyle = ground;
    ctx.fillRect(middle - length / 2, top + 6 * ratio, length, 20 * ratio);
    ctx.fillStyle = palette.grey;
    ctx.fillText(text, middle, top + 16 * ratio);
  } else if (right - left >= 16 * ratio && height >= length) {
    ctx.translate(middle, top + length / 2 + 4 * ratio);
    ctx.rotate(-Math.PI / 2);
    ctx.fillText(text, 0, 0);
    ctx.setTransform(1, 0, 0, 1, 0, 0);
  }
};

// Shaded bands where the tracker was off, and a word where nothing was recorded yet; under the series.
const paintGaps = (u) => {
  if (!view.stats || u.scales.x.min == null) return;
  const [time, column] = u.data;
  const { ctx } = u;
  const { left, top, width, height } = u.bbox;
  const place = (at) => Math.max(left, Math.min(left + width, u.valToPos(at, 'x', true)));
  ctx.save();
  for (const [before, after] of view.gaps) {
    const from = place(time[view.bars ? before + 1 : before]);
    const to = place(time[after]);
    if (to <= from) continue;
    for (const ground of [palette.panel, `${palette.line}99`]) {
      ctx.fillStyle = ground;
      ctx.fillRect(from, top, to - from, height);
    }
    writeInto(u, 'tracker off', from, to, 'transparent');
  }
  const first = firstKnown(column);
  if (first > 0) {
    const from = place(time[0]);
    const to = place(time[first]);
    if (to > from) writeInto(u, `nothing recorded before ${moment(time[first])}`, from, to, palette.panel);
  }
  ctx.restore();
};
