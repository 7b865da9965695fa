// The page as a whole: choices, what is written around the charts, and the start.

const byId = (id) => document.getElementById(id);
const choices = { period: '1d', group: 'minute', style: 'line' };
let announced = '';

const query = () => `period=${choices.period}&group=${choices.group}`;
const jsonUrl = () => `/stats.json?${query()}`;

const optionsOf = (name) => [...document.querySelectorAll(`select[name=${name}] option, input[name=${name}]`)].map((o) => o.value);

// From the address, as far as it names known values.
const readChoices = () => {
  const asked = new URLSearchParams(location.search);
  for (const name of Object.keys(choices)) {
    const value = asked.get(name);
    if (value !== null && optionsOf(name).includes(value)) choices[name] = value;
  }
  const { elements } = byId('controls');
  for (const name of Object.keys(choices)) elements[name].value = choices[name];
  view.bars = choices.style === 'bar';
  byId('json').href = jsonUrl();
};

const writeChoices = () => {
  history.replaceState(null, '', `${location.pathname}?${query()}&style=${choices.style}${location.hash}`);
  byId('json').href = jsonUrl();
};

const periodWords = () => {
  const select = byId('controls').elements.period;
  const words = select.options[select.selectedIndex].text.toLowerCase();
  return words === 'all' ? 'all that is recorded' : words;
};

// What the charts show, in words, and why not what was asked for.
const showRange = () => {
  const { history } = view.stats;
  const [min, max] = shownRange();
  const end = view.zoom ? max : view.stats.time;
  const bold = document.createElement('b');
  bold.textContent = `${date(min)}, ${clock(min)} ${DASH} ${sameDay(min, end) ? '' : `${date(end)}, `}${clock(end)}`;
  // Not what was asked for, and not because the answer is still to come.
  const overridden = history.period === choices.period && history.group === 'hour' && choices.group === 'minute';
  const why = overridden ? `: minutes are kept for ${span(view.stats.kept.minute)} only` : '';
  const more = document.createElement('span');
  more.textContent = `${view.zoom ? 'zoomed in · ' : ''}by ${history.group}${why}`;
  byId('range').replaceChildren(bold, more);
  byId('range').dataset.overridden = overridden;
};

const zoomChanged = () => {
  byId('reset-zoom').hidden = view.zoom === null;
  showRange();
  for (const key of Object.keys(CHARTS)) showLegend(key);
};

const showHeader = (stats) => {
  byId('name').textContent = stats.name;
  byId('version').textContent = stats.version;
  byId('uptime').textContent = `up ${uptime(stats.uptime)}`;
  byId('uptime').title = `since ${fullMoment(stats.time - stats.uptime)}`;
  document.title = `${short(stats.peers, whole)} ${stats.peers === 1 ? 'peer' : 'peers'} · ${stats.name} ${location.host}`;
};

const showFoot = (stats) => {
  byId('foot').textContent = `Figures of ${clockSeconds(stats.time)}, ${plural(stats.connections, 'connection')} open. `
    + `Sampled every ${span(stats.sample_every).replace(/^1 /, '')}; kept by minute for ${span(stats.kept.minute)}, by hour for ${span(stats.kept.hour)}. `
    + `Times are in ${ZONE}.`;
};

// Nothing sampled before the running bucket, and nobody was ever here.
const isEmpty = ({ peers, torrents, completed, history }) => {
  const earlier = history.peers.slice(0, -1).some((n) => n !== null);
  const ever = peers + torrents + completed + history.announces[history.announces.length - 1] > 0;
  return !earlier && !ever;
};

// Said once for each choice, not at every refresh.
const announce = (stats) => {
  const choice = query();
  if (announced === choice) return;
  announced = choice;
  byId('summary').textContent = `${periodWords()} by ${stats.history.group}: ${plural(stats.peers, 'peer')} connected, `
    + `${plural(stats.seeders, 'seeder')}, ${plural(stats.torrents, 'torrent')}, ${rate(stats.announces_per_second)} announces per second.`;
};

const show = (stats) => {
  const changed = !view.stats || view.stats.history.period !== stats.history.period || view.stats.history.step !== stats.history.step;
  view.stats = stats;
  document.body.classList.remove('loading');
  if (changed) view.zoom = null;
  showHeader(stats);
  byId('empty').hidden = !isEmpty(stats);
  showFigures(stats);
  drawCharts(true);
  reserveWidths();
  zoomChanged();
  for (const key of Object.keys(CHARTS)) byId(`chart-${key}`).setAttribute('aria-label', sentenceOf(key, periodWords()));
  showTable(stats, jsonUrl());
  showFoot(stats);
  announce(stats);
};

const again = () => refresh(jsonUrl(), show, again);

const startControls = () => {
  const form = byId('controls');
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('change', ({ target }) => {
    if (!(target.name in choices)) return;
    choices[target.name] = target.value;
    writeChoices();
    view.bars = choices.style === 'bar';
    if (target.name !== 'style') view.zoom = null;
    if (view.stats) {
      drawCharts(false);
      zoomChanged();
    }
    if (window.tracker && target.name !== 'style') again();
  });
  byId('reset-zoom').addEventListener('click', () => resetZoom(zoomChanged));
};

// The clipboard is for safe origins only; the old way works everywhere.
const startCopy = () => {
  const url = byId('announce-url');
  const button = byId('copy');
  url.value = `${location.origin}/announce`;
  url.addEventListener('focus', () => url.select());
  button.addEventListener('click', async () => {
    let done = false;
    try {
      await navigator.clipboard.writeText(url.value);
      done = true;
    } catch {
      url.select();
      done = document.execCommand('copy');
    }
    button.textContent = done ? 'Copied' : 'Press Ctrl+C';
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  });
};

const startCharts = () => {
  const hooks = {
    cursor: showLegend,
    zoom: (from, to) => zoomTo(from, to, zoomChanged),
    reset: () => resetZoom(zoomChanged),
  };
  for (const key of Object.keys(CHARTS)) view.charts[key] = makeChart(key, hooks);
  window.tracker = { charts: view.charts };
  for (const key of Object.keys(CHARTS)) {
    startKeys(key, zoomChanged);
    startTouch(view.charts[key], zoomChanged);
  }
  startLegends();
  again();
};

const start = () => {
  readChoices();
  byId('address').textContent = location.host;
  startThemes(byId('theme'), recolour);
  startControls();
  startCopy();
  byId('table').addEventListener('toggle', () => view.stats && showTable(view.stats, jsonUrl()));
  byId('retry').addEventListener('click', again);
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) clearTimeout(load.timer);
    else if (window.tracker) again();
  });
  setInterval(showState, 1000);
  // The frame is painted first, if anybody sees it.
  if (document.hidden) startCharts();
  else requestAnimationFrame(() => setTimeout(startCharts));
};

document.addEventListener('DOMContentLoaded', start);
