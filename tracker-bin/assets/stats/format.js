'use strict';
// Numbers and times as text: English words, 24 hours, the reader's zone.

const WHOLE = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });
const ONE_DIGIT = new Intl.NumberFormat('en-GB', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const TWO_DIGITS = new Intl.NumberFormat('en-GB', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const CLOCK_SECONDS = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const DAY = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });
const DATE = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const FULL_DATE = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });
const ZONE = new Intl.DateTimeFormat().resolvedOptions().timeZone || 'local time';

const NARROW = '\u202f';
const DASH = '–';
const HUGE = 1e7;
const UNITS = [[1e12, 'T'], [1e9, 'B'], [1e6, 'M'], [1e3, 'k']];

const MINUTE = 60;
const HOUR = 3600;
const DAY_SECONDS = 86400;

const plainDate = (seconds) => new Date(seconds * 1000);
const clock = (seconds) => CLOCK.format(plainDate(seconds));
const clockSeconds = (seconds) => CLOCK_SECONDS.format(plainDate(seconds));
const day = (seconds) => DAY.format(plainDate(seconds)).replace(',', '');
const date = (seconds) => DATE.format(plainDate(seconds));
const moment = (seconds) => `${day(seconds)}, ${clock(seconds)}`;
const fullMoment = (seconds) => `${FULL_DATE.format(plainDate(seconds)).replace(',', '')}, ${clock(seconds)}`;
const sameDay = (a, b) => plainDate(a).toDateString() === plainDate(b).toDateString();
const sameYear = (a, b) => plainDate(a).getFullYear() === plainDate(b).getFullYear();

const whole = (n) => WHOLE.format(n).replace('-', '−');

// Two digits behind the point while they say something.
const rate = (n) => {
  const format = Math.abs(n) < 100 ? TWO_DIGITS : Math.abs(n) < 1000 ? ONE_DIGIT : WHOLE;
  return format.format(n).replace('-', '−');
};

// 12.3 M
const compact = (n) => {
  const [size, unit] = UNITS.find(([size]) => Math.abs(n) >= size) || [1, ''];
  return `${ONE_DIGIT.format(n / size)}${NARROW}${unit}`.replace('-', '−');
};

// What fits into a figure; the exact number goes into its title.
const short = (n, exact) => (Math.abs(n) >= HUGE ? compact(n) : exact(n));

// Labels of an axis: 0, 500, 20k, 1.5M.
const tick = (n) => {
  if (n < 10000) return n >= 1000 ? WHOLE.format(n) : String(+n.toPrecision(6));
  const [size, unit] = UNITS.find(([size]) => n >= size);
  return `${+(n / size).toPrecision(4)}${NARROW}${unit}`;
};

const plural = (n, word) => `${whole(n)} ${word}${n === 1 ? '' : 's'}`;

// 3 d 4 h, 4 h 12 min, 12 min, 45 s
const uptime = (seconds) => {
  const s = Math.floor(seconds);
  if (s < MINUTE) return `${s} s`;
  if (s < HOUR) return `${Math.floor(s / MINUTE)} min`;
  if (s < DAY_SECONDS) return `${Math.floor(s / HOUR)} h ${Math.floor((s % HOUR) / MINUTE)} min`;
  return `${whole(Math.floor(s / DAY_SECONDS))} d ${Math.floor((s % DAY_SECONDS) / HOUR)} h`;
};

// 7 days, 2 years, 1 minute, 90 seconds
const span = (seconds) => {
  const units = [[365 * DAY_SECONDS, 'year'], [DAY_SECONDS, 'day'], [HOUR, 'hour'], [MINUTE, 'minute'], [1, 'second']];
  const [size, word] = units.find(([size]) => seconds >= size && seconds % size === 0) || [1, 'second'];
  return plural(seconds / size, word);
};
