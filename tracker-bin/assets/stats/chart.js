// The two charts. uPlot gets the served columns as they are; what is special is painted around them.

const SYNC = 'tracker';
const ROOMY = 640;

// What both charts look at.
const view = {
  stats: null,      // the last answer
  bars: false,
  zoom: null,       // [from, to] in Unix seconds, or null for all of it
  gaps: [],
  charts: {},
};

const CHARTS = {
  swarm: {
    series: [
      { key: 'peers', name: 'Peers', scale: 'y', area: true, width: 1.5, write: whole },
      { key: 'seeders', name: 'Seeders', scale: 'y', width: 1.5, write: whole },
      { key: 'torrents', name: 'Torrents', scale: 'right', width: 1.75, dash: [2, 4], write: whole },
    ],
    wholeNumbers: true,
    columns: ({ history }) => [history.time, history.peers, history.seeders, history.torrents],
  },
  requests: {
    series: [
      { key: 'announces', name: 'Announces', scale: 'y', area: true, width: 1.5, write: rate },
      { key: 'scrapes', name: 'Scrapes', scale: 'y', width: 1.5, write: rate, narrow: true },
    ],
    wholeNumbers: false,
    columns: ({ history, time }) => [
      history.time, perSecond(history.announces, history), perSecond(history.scrapes, history),
    ],
  },
};

const seriesOf = (spec) => ({
  label: spec.name,
  scale: spec.scale,
  width: spec.width,
  dash: spec.dash,
  stroke: () => palette[spec.key],
  fill: fillOf(spec),
  paths: pathsOf(spec),
  points: {
    size: 8,
    width: 0,
    fill: () => palette[spec.key],
    show: false,
    // Only those that no line shows.
    filter: (u, index) => {
      if (view.bars) return null;
      const [from, to] = u.series[0].idxs;
      return isolated(u.data[index], from, to);
    },
  },
});

// From 0 to a little above the largest.
const fromZero = (u, low, high) => (high > 0 ? [0, uPlot.rangeNum(0, high, 0.1, true)[1]] : [0, 1]);

const gutter = (width) => (width < ROOMY ? 44 : 56);

// 14:00, with the date under the first one and where the day changes.
const timeLabels = (u, splits, axis, space, step) => splits.map((at, i) => {
  const before = splits[i - 1];
  if (step >= DAY_SECONDS) {
    const year = i > 0 && !sameYear(before, at) ? `\n${plainDate(at).getFullYear()}` : '';
    return (step === DAY_SECONDS ? day(at) : date(at)) + year;
  }
  const turns = i > 0 && !sameDay(before, at);
  // No date under the first where the second has one: they would touch.
  const opens = i === 0 && (splits.length === 1 || sameDay(at, splits[1]));
  return clock(at) + (turns || opens ? `\n${day(at)}` : '');
});

const axesOf = (chart, width) => {
  const base = { font: font(), stroke: () => palette.grey, ticks: { show: false } };
  const grid = { stroke: () => palette.line, width: 1 };
  const values = (u, splits) => splits.map((n) => (n === null ? null : tick(n)));
  const steps = chart.wholeNumbers ? { incrs: WHOLE_STEPS } : {};
  const beside = { ...base, ...steps, size: gutter(width), space: 40, gap: 8, values };
  const axes = [
    { ...base, grid: { show: false }, size: 44, space: width < ROOMY ? 56 : 80, gap: 8, values: timeLabels, incrs: TIME_STEPS },
    { ...beside, scale: 'y', grid },
  ];
  if (chart.series.some((s) => s.scale === 'right')) {
    axes.push({ ...beside, scale: 'right', side: 1, grid: { show: false }, stroke: () => palette.torrents });
  }
  return axes;
};

const WHOLE_STEPS = [];
for (let power = 1; power <= 1e15; power *= 10) WHOLE_STEPS.push(power, 2 * power, 5 * power);
const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720].map((n) => n * MINUTE)
  .concat([1, 2, 3, 5, 7, 14, 28, 56, 91, 182, 364].map((n) => n * DAY_SECONDS));

const makeChart = (key, hooks) => {
  const chart = CHARTS[key];
  const holder = document.getElementById(`chart-${key}`);
  const { clientWidth: width, clientHeight: height } = holder;
  const lacksRight = !chart.series.some((s) => s.scale === 'right');
  const scales = { x: { time: true }, y: { range: fromZero } };
  if (!lacksRight) scales.right = { range: fromZero };
  const u = new uPlot({
    width,
    height,
    // As wide as the other chart's right axis, so that a time stands at one place in both.
    padding: [8, lacksRight ? gutter(width) : 0, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      sync: { key: SYNC, setSeries: false },
      drag: { x: true, y: false, setScale: false, dist: 4 },
      // Elements, not painted: they may name the style's own colours.
      points: { size: 9, width: 2, stroke: 'var(--panel)', fill: (_, i) => `var(--${chart.series[i - 1].key})` },
      dataIdx: (self, series, nearest, at) => (view.bars ? bucketOf(self.data[0], at) : nearest),
      bind: { dblclick: () => () => { hooks.reset(); return null; } },
    },
    scales,
    axes: axesOf(chart, width),
    series: [{}, ...chart.series.map(seriesOf)],
    hooks: {
      drawAxes: [paintGaps],
      drawSeries: [paintRim],
      setCursor: [() => hooks.cursor(key)],
      setSelect: [(self) => {
        const { left, width } = self.select;
        // The other chart shows the same selection; it must not zoom a second time. And it is still being dragged over:
        // the scales may change only when it has heard of the end, too.
        for (const chart of Object.values(view.charts)) chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        if (width <= 0) return;
        const [from, to] = [self.posToVal(left, 'x'), self.posToVal(left + width, 'x')];
        queueMicrotask(() => hooks.zoom(from, to));
      }],
    },
  }, [[], ...chart.series.map(() => [])], holder);

  new ResizeObserver(() => {
    if (holder.clientWidth === u.width && holder.clientHeight === u.height) return;
    const side = gutter(holder.clientWidth);
    u.axes.slice(1).forEach((axis) => { axis.size = () => side; });
    if (lacksRight) u.padding[1] = () => side;
    u.setSize({ width: holder.clientWidth, height: holder.clientHeight });
  }).observe(holder);
  return u;
};

// All of the period; bars need room for the last one, and a lone point needs some on both sides.
const wholeRange = ({ history: { time, step } }) => {
  const last = time[time.length - 1];
  if (view.bars) return [time[0], last + step];
  return time.length > 1 ? [time[0], last] : [last - step, last + step];
};

const shownRange = () => view.zoom || wholeRange(view.stats);

// Both charts, from the last answer and the zoom.
const drawCharts = (withData) => {
  if (!view.stats) return;
  const [min, max] = shownRange();
  document.body.classList.toggle('bars', view.bars);
  if (withData) view.gaps = gapsIn(view.stats.history.peers);
  for (const [key, u] of Object.entries(view.charts)) {
    u.series.forEach((s, i) => { if (i > 0) s.dash = view.bars ? null : CHARTS[key].series[i - 1].dash; });
    u.batch(() => {
      if (withData) u.setData(CHARTS[key].columns(view.stats), false);
      u.setScale('x', { min, max });
    });
  }
};

// New colours only.
const recolour = () => {
  for (const u of Object.values(view.charts)) u.redraw(true, true);
};
