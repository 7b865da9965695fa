// The large and small figures: number, change over the period, sparkline.

const SPARK_POINTS = 72;
const SPARK_WIDTH = 100;
const SPARK_HEIGHT = 40;
const PERIOD_WORDS = {
  '1h': '1 hour', '5h': '5 hours', '1d': '1 day', '3d': '3 days', '7d': '7 days', '30d': '30 days',
};

// key in the answer, column of the history, how it is written
const FIGURES = [
  { key: 'peers', column: 'peers', write: whole },
  { key: 'seeders', column: 'seeders', write: whole },
  { key: 'torrents', column: 'torrents', write: whole },
  { key: 'announces_per_second', column: 'announces', write: rate, rated: true },
  { key: 'leechers', column: 'leechers', write: whole },
  { key: 'completed', column: 'completed', write: whole, total: true },
  { key: 'scrapes_per_second', column: 'scrapes', write: rate, rated: true },
];

// A path through the values; a lone one is a stroke of no length, which round ends make a dot.
const sparkPath = (values, x, y) => {
  let path = '';
  let pen = false;
  values.forEach((n, i) => {
    if (n === null) {
      pen = false;
      return;
    }
    path += `${pen ? 'L' : 'M'}${x(i)} ${y(n)}`;
    if (!pen && values[i + 1] == null) path += 'h0.01';
    pen = true;
  });
  return path;
};

const makeSpark = (svg) => {
  svg.setAttribute('viewBox', `0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  for (const name of ['line', 'end']) {
    const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    path.setAttribute('class', name);
    svg.append(path);
  }
};

const drawSpark = (svg, column, total) => {
  if (!svg.firstChild) makeSpark(svg);
  const values = thinned(column, SPARK_POINTS);
  const known = values.filter((n) => n !== null);
  const low = Math.min(...known);
  const high = Math.max(...known);
  // A change of less than a fifth is not blown up to the full height; but a total is about its growth.
  const range = Math.max(high - low, total ? 0 : high * 0.2, 1e-9);
  const floor = Math.max(0, (low + high - range) / 2);
  const x = (i) => +((i / Math.max(1, values.length - 1)) * SPARK_WIDTH).toFixed(2);
  const y = (n) => +(SPARK_HEIGHT - 3 - ((n - floor) / range) * (SPARK_HEIGHT - 6)).toFixed(2);
  const last = values.length - 1;
  const ended = known.length > 0 && values[last] !== null;
  svg.querySelector('.line').setAttribute('d', sparkPath(values, x, y));
  svg.querySelector('.end').setAttribute('d', ended ? `M${x(last)} ${y(values[last])}h0.01` : '');
};

// "▲ +12 in 1 day", with words for those who hear it.
const writeChange = (holder, from, to, write, over) => {
  holder.replaceChildren();
  const gone = write(Math.abs(to - from));
  const by = document.createElement('span');
  by.className = 'by';
  const way = gone === write(0) ? 'none' : to > from ? 'up' : 'down';
  const signs = { up: '▲ +', down: '▼ −', none: '' };
  holder.dataset.way = way;
  by.textContent = way === 'none' ? 'no change' : signs[way] + short(Math.abs(to - from), write);
  by.title = way === 'none' ? '' : signs[way].slice(2) + gone;
  holder.append(by, ` ${over}`);
};

// Over how long a change is: the period, or less where there are no samples of all of it.
const changeSpan = (history, first) => {
  if (first <= 0 && PERIOD_WORDS[history.period]) return `in ${PERIOD_WORDS[history.period]}`;
  const start = history.time[Math.max(first, 0)];
  const end = history.time[history.time.length - 1];
  return sameDay(start, end) ? `since ${clock(start)}` : `since ${day(start)}`;
};

const showFigures = (stats) => {
  const { history } = stats;
  for (const { key, column, write, rated, total } of FIGURES) {
    const number = document.querySelector(`[data-figure=${key}]`);
    const [change, spark] = ['.change', '.spark'].map((part) => number.parentElement.querySelector(part));
    const value = stats[key];
    const series = rated ? perSecond(history[column], history) : history[column];
    number.textContent = short(value, write);
    number.dataset.value = value;
    number.title = Math.abs(value) >= HUGE ? write(value) : '';
    const first = firstKnown(series);
    const from = first < 0 ? value : series[first];
    writeChange(change, from, value, write, changeSpan(history, first));
    drawSpark(spark, series, total);
  }
};
