// The table of the same data: built when it is opened, newest first.

const MOST_ROWS = 1500;
const TABLE_COLUMNS = ['torrents', 'peers', 'seeders', 'leechers', 'completed', 'announces', 'scrapes'];
let builtFor = '';

const rowOf = (history, index) => {
  const row = document.createElement('tr');
  const head = document.createElement('th');
  head.scope = 'row';
  head.textContent = fullMoment(history.time[index]) + (index === history.time.length - 1 ? ', so far' : '');
  row.append(head);
  if (history.peers[index] === null) {
    const cell = document.createElement('td');
    cell.colSpan = TABLE_COLUMNS.length;
    cell.textContent = 'tracker off';
    row.className = 'off';
    row.append(cell);
    return row;
  }
  for (const name of TABLE_COLUMNS) {
    const cell = document.createElement('td');
    cell.textContent = whole(history[name][index]);
    row.append(cell);
  }
  return row;
};

const writeNote = (history, first, from, jsonUrl) => {
  const rows = history.time.length;
  const note = document.getElementById('table-note');
  note.textContent = `Newest first; announces and scrapes are those of the whole ${history.group}. `;
  if (from > first) {
    const link = document.createElement('a');
    link.href = jsonUrl;
    link.textContent = 'JSON';
    note.append(`Only the latest ${whole(rows - from)} of ${whole(rows - first)} rows are here; all are in the `, link, '.');
  } else if (first > 0) note.append(`Nothing was recorded before ${moment(history.time[first])}.`);
};

// Somebody is copying: hands off.
const selectedInside = (element) => {
  const selection = getSelection();
  return selection !== null && !selection.isCollapsed && element.contains(selection.anchorNode);
};

const showTable = (stats, jsonUrl) => {
  const details = document.getElementById('table');
  const body = details.querySelector('tbody');
  if (!details.open || selectedInside(body)) return;
  const { history } = stats;
  const last = history.time.length - 1;
  const first = Math.max(0, firstKnown(history.peers));
  const from = Math.max(first, last - MOST_ROWS + 1);
  const build = `${history.period} ${history.step} ${history.time[from]} ${history.time[last]}`;
  // Within a bucket only its own row changes.
  if (build === builtFor && body.rows.length > 0) {
    body.rows[0].replaceWith(rowOf(history, last));
    return;
  }
  builtFor = build;
  writeNote(history, first, from, jsonUrl);
  const rows = document.createDocumentFragment();
  for (let i = last; i >= from; i--) rows.append(rowOf(history, i));
  body.replaceChildren(rows);
};
