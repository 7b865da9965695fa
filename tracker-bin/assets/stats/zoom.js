// Zooming and moving through the charts: by dragging, by keys, by touch. Always both charts.

const LEAST_BUCKETS = 3;

const zoomTo = (from, to, changed) => {
  const [start, end] = wholeRange(view.stats);
  const least = Math.min(LEAST_BUCKETS * view.stats.history.step, end - start);
  const length = Math.max(to - from, least);
  const middle = (from + to) / 2;
  const min = Math.max(start, Math.min(middle - length / 2, end - length));
  const max = Math.min(end, min + length);
  view.zoom = max - min >= end - start ? null : [min, max];
  drawCharts(false);
  changed();
};

const zoomBy = (factor, changed) => {
  const [min, max] = shownRange();
  const u = view.charts.swarm;
  const centre = u.cursor.idx != null && u.cursor.left >= 0 ? u.data[0][u.cursor.idx] : (min + max) / 2;
  zoomTo(centre - (centre - min) * factor, centre + (max - centre) * factor, changed);
};

const resetZoom = (changed) => {
  if (!view.stats || !view.zoom) return;
  view.zoom = null;
  drawCharts(false);
  changed();
};

// A place in the plot that stands for a bucket: its point, or the middle of its bar.
const pointAt = (u, index) => {
  const at = u.data[0][index] + (view.bars ? view.stats.history.step / 2 : 0);
  const width = u.over.clientWidth;
  return Math.max(0, Math.min(width, u.valToPos(at, 'x')));
};

const moveTo = (u, index) => {
  u.setCursor({ left: pointAt(u, index), top: u.over.clientHeight / 2 }, true, true);
};

const hideCursor = (u) => u.setCursor({ left: -10, top: -10 }, true, true);

// The buckets in sight.
const inSight = (u) => {
  const [min, max] = shownRange();
  const time = u.data[0];
  const { step } = view.stats.history;
  const first = Math.max(0, Math.ceil((min - time[0]) / step));
  const last = Math.min(time.length - 1, Math.floor((max - time[0]) / step));
  return [first, Math.max(first, last)];
};

const reading = (key, index) => {
  const u = view.charts[key];
  const parts = CHARTS[key].series.map(({ name, write }, i) => {
    const value = u.data[i + 1][index];
    return `${name} ${value == null ? 'unknown' : write(value)}`;
  });
  return `${timeOf(index)}: ${offAt(index) ? 'tracker off' : parts.join(', ')}`;
};

const KEYS = {
  ArrowLeft: (u, at, [first], far) => Math.max(first, at - (far ? 10 : 1)),
  ArrowRight: (u, at, [, last], far) => Math.min(last, at + (far ? 10 : 1)),
  Home: (u, at, [first]) => first,
  End: (u, at, [, last]) => last,
};

const startKeys = (key, changed) => {
  const u = view.charts[key];
  const holder = document.getElementById(`chart-${key}`);
  holder.addEventListener('keydown', (event) => {
    if (!view.stats || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key in KEYS) {
      const seen = inSight(u);
      const at = u.cursor.idx != null && u.cursor.left >= 0 ? u.cursor.idxs[0] ?? u.cursor.idx : null;
      const to = at === null ? seen[1] : KEYS[event.key](u, at, seen, event.shiftKey);
      moveTo(u, to);
      document.getElementById('reading').textContent = reading(key, to);
    } else if (event.key === '+' || event.key === '=') zoomBy(0.5, changed);
    else if (event.key === '-' || event.key === '_') zoomBy(2, changed);
    else if (event.key === 'Escape') {
      if (view.zoom) resetZoom(changed);
      else hideCursor(u);
    } else return;
    event.preventDefault();
  });
  holder.addEventListener('blur', () => hideCursor(u));
};

// Fingers: one moves the cursor, two zoom. The page still scrolls up and down.
const startTouch = (u, changed) => {
  const down = new Map();
  let held = null;
  const x = (event) => event.clientX - u.over.getBoundingClientRect().left;
  const lift = (event) => {
    down.delete(event.pointerId);
    held = null;
  };
  u.over.addEventListener('pointerdown', (event) => {
    if (event.pointerType !== 'touch' || !view.stats) return;
    down.set(event.pointerId, x(event));
    if (down.size === 2) held = [...down.values()].map((left) => u.posToVal(left, 'x'));
  });
  u.over.addEventListener('pointermove', (event) => {
    if (!down.has(event.pointerId) || !view.stats) return;
    down.set(event.pointerId, x(event));
    if (down.size === 1) {
      u.setCursor({ left: Math.max(0, Math.min(u.over.clientWidth, x(event))), top: 1 }, true, true);
    } else if (held && down.size === 2) {
      // The times under the two fingers stay under them.
      const [a, b] = [...down.values()];
      if (Math.abs(a - b) < 16) return;
      const perPixel = (held[1] - held[0]) / (b - a);
      if (perPixel <= 0) return;
      const min = held[0] - a * perPixel;
      zoomTo(min, min + u.over.clientWidth * perPixel, changed);
    }
  });
  u.over.addEventListener('pointerup', lift);
  u.over.addEventListener('pointercancel', lift);
};
