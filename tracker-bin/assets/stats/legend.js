// The legends above the charts: what is under the cursor, else the latest. A press hides a series.

const entryOf = (key) => document.querySelector(`.legend [data-series=${key}]`);

// Room for the widest value, so that nothing jumps while the cursor moves.
const reserveWidths = () => {
  for (const [key, u] of Object.entries(view.charts)) {
    CHARTS[key].series.forEach((spec, i) => {
      const width = spec.write(largest(u.data[i + 1])).length;
      entryOf(spec.key).querySelector('.value').style.minWidth = `${Math.max(width, 2)}ch`;
    });
  }
};

const offAt = (index) => view.gaps.some(([before, after]) => index > before && index < after);

const timeOf = (index) => {
  const { history } = view.stats;
  const start = history.time[index];
  if (index === history.time.length - 1) return `${moment(start)} – now`;
  return history.step === HOUR ? `${moment(start)} – ${clock(start + HOUR)}` : moment(start);
};

const showLegend = (key) => {
  if (!view.stats) return;
  const u = view.charts[key];
  const last = u.data[0].length - 1;
  const hovered = u.cursor.idx != null && u.cursor.left >= 0;
  const index = hovered ? Math.min(u.cursor.idxs[0] ?? u.cursor.idx, last) : last;
  CHARTS[key].series.forEach((spec, i) => {
    const value = u.data[i + 1][index];
    const holder = entryOf(spec.key).querySelector('.value');
    holder.textContent = value == null ? DASH : spec.write(value);
    holder.dataset.value = value == null ? '' : value;
  });
  const at = document.querySelector(`[data-at=${key}]`);
  const state = offAt(index) ? ' · tracker off' : u.data[1][index] == null ? ' · nothing recorded' : '';
  const latest = view.stats.history.step === HOUR ? 'so far' : 'latest';
  at.textContent = hovered ? timeOf(index) + state : `${latest}, ${clockSeconds(view.stats.time)}`;
  at.classList.toggle('hovered', hovered);
  at.dataset.time = u.data[0][index];
};

const startLegends = () => {
  for (const [key, { series }] of Object.entries(CHARTS)) {
    series.forEach((spec, i) => {
      const entry = entryOf(spec.key);
      entry.addEventListener('click', () => {
        const show = entry.getAttribute('aria-pressed') !== 'true';
        entry.setAttribute('aria-pressed', String(show));
        view.charts[key].setSeries(i + 1, { show });
      });
    });
  }
};

// A sentence of the current values for each chart.
const sentenceOf = (key, over) => {
  const u = view.charts[key];
  const { stats } = view;
  const most = (i, write) => write(largest(u.data[i]));
  if (key === 'swarm') {
    return `Swarm, ${over}: now ${plural(stats.peers, 'peer')}, ${plural(stats.seeders, 'seeder')} among them, in `
      + `${plural(stats.torrents, 'torrent')}; at most ${most(1, whole)} peers, ${most(2, whole)} seeders and ${most(3, whole)} torrents.`;
  }
  return `Requests, ${over}: now ${rate(stats.announces_per_second)} announces and ${rate(stats.scrapes_per_second)} scrapes per second; `
    + `at most ${most(1, rate)} and ${most(2, rate)}.`;
};
