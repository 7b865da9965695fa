// Getting the data: every ten seconds while somebody looks, and saying so when it fails.

const REFRESH = 10000;
const PATIENCE = 15000;
const STALE_AFTER = 2 * REFRESH + 4000;

const load = {
  timer: 0,
  request: null,    // the AbortController of the running one
  last: 0,          // when the last answer came, by the reader's clock, in ms
  next: 0,          // when the next is asked for
  failure: null,    // { state, what }
};

const setText = (id, text) => {
  const element = document.getElementById(id);
  if (element.textContent !== text) element.textContent = text;
};

const setStatus = (state, text) => {
  document.getElementById('status').dataset.state = state;
  document.body.dataset.state = state;
  setText('status-text', text);
  setText('status-since', state !== 'live' && load.last ? ` since ${clockSeconds(load.last / 1000)}` : '');
};

// Live, stale or unreachable, and the countdown.
const showState = () => {
  const old = load.last > 0 && Date.now() - load.last > STALE_AFTER;
  const state = load.failure ? load.failure.state : old ? 'stale' : 'live';
  if (load.last || state === 'unreachable') setStatus(state, state);
  else setStatus('stale', load.failure ? 'no data' : 'loading');

  const box = document.getElementById('error');
  box.hidden = !load.failure;
  document.body.classList.toggle('failed', load.failure !== null);
  if (!load.failure) return;
  setText('error-what', load.failure.what);
  const left = Math.max(0, Math.ceil((load.next - Date.now()) / 1000));
  const shown = load.last ? ` What you see is of ${clockSeconds(load.last / 1000)}.` : '';
  const when = load.request ? 'Trying again now.' : `Trying again in ${left} s.`;
  setText('error-when', when + shown);
};

// A failure is told in a sentence; an answer that is none is one too.
const fetchStats = async (url, signal) => {
  let answer;
  try {
    answer = await fetch(url, { signal, cache: 'no-store', headers: { Accept: 'application/json' } });
  } catch {
    throw { state: 'unreachable', what: `The tracker at ${location.host} does not answer.` };
  }
  if (!answer.ok) {
    const said = (await answer.text().catch(() => '')).trim().replace(/\.$/, '').slice(0, 200);
    const isText = (answer.headers.get('Content-Type') || '').startsWith('text/plain');
    const why = isText && said ? `, ${said}` : '';
    throw { state: 'stale', what: `The statistics could not be loaded: the tracker answered ${answer.status}${why}.` };
  }
  try {
    const stats = await answer.json();
    if (stats.history.time.length === 0) throw new RangeError();
    return stats;
  } catch {
    throw { state: 'stale', what: 'The statistics could not be loaded: the answer makes no sense.' };
  }
};

const plan = (again) => {
  clearTimeout(load.timer);
  load.next = Date.now() + REFRESH;
  // Nobody looks: wait for that.
  if (!document.hidden) load.timer = setTimeout(again, REFRESH);
};

// One request at a time; a new one takes the place of the old.
const refresh = async (url, show, again) => {
  clearTimeout(load.timer);
  if (load.request) load.request.abort();
  const request = new AbortController();
  load.request = request;
  const patience = setTimeout(() => request.abort(), PATIENCE);
  showState();
  try {
    const stats = await fetchStats(url, request.signal);
    if (load.request !== request) return;
    load.failure = null;
    load.last = Date.now();
    show(stats);
  } catch (failure) {
    if (load.request !== request) return;
    if (!failure.state) throw failure;
    load.failure = failure;
  } finally {
    clearTimeout(patience);
    if (load.request === request) {
      load.request = null;
      plan(again);
      showState();
    }
  }
};
