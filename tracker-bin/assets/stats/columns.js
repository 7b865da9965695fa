// What is asked of the served columns. They are never changed; a null is a bucket without a sample.

// Counts to rates: over the seconds of the bucket in which they were counted.
const perSecond = (column, history) =>
  column.map((n, i) => (n === null ? null : n / Math.max(1, history.covered[i])));

const firstKnown = (column) => column.findIndex((n) => n !== null);

// Runs of nulls between samples, as [index of the last before, index of the first after].
const gapsIn = (column) => {
  const gaps = [];
  let before = -1;
  for (let i = 0; i < column.length; i++) {
    if (column[i] === null) continue;
    if (before >= 0 && i - before > 1) gaps.push([before, i]);
    before = i;
  }
  return gaps;
};

// Samples that no line can reach: both neighbours are missing.
const isolated = (column, from, to) => {
  const found = [];
  for (let i = from; i <= to; i++) {
    const alone = column[i] != null && column[i - 1] == null && column[i + 1] == null;
    if (alone) found.push(i);
  }
  return found;
};

// At most `count` values, each the mean of its share of the column.
const thinned = (column, count) => {
  if (column.length <= count) return column;
  const out = [];
  for (let k = 0; k < count; k++) {
    const end = Math.floor(((k + 1) * column.length) / count);
    let sum = 0;
    let known = 0;
    for (let i = Math.floor((k * column.length) / count); i < end; i++) {
      if (column[i] === null) continue;
      sum += column[i];
      known += 1;
    }
    out.push(known > 0 ? sum / known : null);
  }
  return out;
};

const largest = (column) => column.reduce((most, n) => (n !== null && n > most ? n : most), 0);

// The bucket that a time falls into.
const bucketOf = (time, at) => {
  const step = time.length > 1 ? time[1] - time[0] : 1;
  return Math.max(0, Math.min(time.length - 1, Math.floor((at - time[0]) / step + 1e-6)));
};
