//! Samples over time, to be asked for by period and grouping.

use std::collections::BTreeMap;

use crate::period::{Grouping, HOUR, HOURS_KEPT, MINUTE, MINUTES_KEPT, Period};
use crate::sample::{Hour, Sample};

/// What a bucket holds: gauges at its end (by the minute) or their mean (by the hour), counters summed over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Point {
    /// Torrents with at least one peer.
    pub torrents: u64,
    /// Peers.
    pub peers: u64,
    /// Of these, those with the complete download.
    pub seeders: u64,
    /// The others.
    pub leechers: u64,
    /// Downloads completed, the running total at the end of the bucket.
    pub completed: u64,
    /// Announces in the bucket.
    pub announces: u64,
    /// Scrapes in the bucket.
    pub scrapes: u64,
    /// Requests in the bucket that were refused or failed.
    pub errors: u64,
    /// Seconds of the bucket that samples cover: what its counters are to be divided by for a rate.
    pub covered: u64,
}

/// Equidistant buckets, from the first to the one that `now` lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// How they are grouped.
    pub grouping: Grouping,
    /// The begin of the first bucket, in Unix seconds.
    pub first: u64,
    /// The begin of the last one.
    pub last: u64,
}

impl Range {
    /// The begins of its buckets.
    pub fn times(&self) -> impl ExactSizeIterator<Item = u64> + use<> {
        let Range { grouping, first, last } = *self;
        // no more than the minutes of a week, or the hours of two years
        let count = ((last - first) / grouping.step() + 1) as usize;
        (0..count).map(move |n| first + n as u64 * grouping.step())
    }
}

/// What [`Series::query`] answers: columns of equal length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// The grouping that was used.
    pub grouping: Grouping,
    /// The begin of each bucket, in Unix seconds.
    pub times: Vec<u64>,
    /// What it holds; `None` where there was no tracker.
    pub points: Vec<Option<Point>>,
}

/// Samples over time: by the minute for a week, by the hour for two years.
///
/// A sample that covers several buckets is in all of them, its counters in proportion. Buckets that no sample covers are
/// gaps.
#[derive(Clone, Debug, Default)]
pub struct Series {
    minutes: BTreeMap<u64, Point>,
    hours: BTreeMap<u64, Hour>,
    /// What of `hours` is not written down yet.
    open: BTreeMap<u64, Hour>,
}

impl Series {
    /// A series without samples.
    pub fn new() -> Self {
        Series::default()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.minutes.is_empty() && self.hours.is_empty()
    }

    /// Takes in a sample that was taken after all others.
    pub fn push(&mut self, sample: &Sample) {
        self.push_minutes(sample);
        for (time, part) in parts(sample, Grouping::Hour) {
            self.add(&Hour::of(time, &part));
        }
    }

    /// Takes in an hour that is written down already.
    pub fn push_hour(&mut self, hour: &Hour) {
        let hour = Hour { time: Grouping::Hour.start(hour.time), ..*hour };
        add(&mut self.hours, &hour);
    }

    /// Takes in a sample that may be in the hours that were taken in already: those stay as they are.
    pub(crate) fn push_again(&mut self, sample: &Sample) {
        self.push_minutes(sample);
        for (time, part) in parts(sample, Grouping::Hour) {
            if self.open.contains_key(&time) || !self.hours.contains_key(&time) {
                self.add(&Hour::of(time, &part));
            }
        }
    }

    /// The hours that are over at `now` and were not returned before, to be written down.
    pub fn close_hours(&mut self, now: u64) -> Vec<Hour> {
        let mut rest = self.open.split_off(&Grouping::Hour.start(now));
        std::mem::swap(&mut rest, &mut self.open);
        rest.into_values().map(Hour::rounded).collect()
    }

    /// The buckets of a period that ends at `now`. [`Period::All`] begins with the first sample.
    pub fn range(&self, period: Period, grouping: Grouping, now: u64) -> Range {
        let grouping = grouping.within(period);
        let mut first = now.saturating_sub(period.seconds());
        if period == Period::All {
            let known = self.hours.range(grouping.start(first)..).next().map_or(now, |(&time, _)| time);
            first = known.min(now);
        }
        Range { grouping, first: grouping.start(first), last: grouping.start(now) }
    }

    /// The buckets of a range, each with what it holds.
    pub fn points(&self, range: Range) -> impl Iterator<Item = (u64, Option<Point>)> {
        let mut minutes = self.minutes.range(range.first..).peekable();
        let mut hours = self.hours.range(range.first..).peekable();
        range.times().map(move |time| {
            let point = match range.grouping {
                Grouping::Minute => minutes.next_if(|(at, _)| **at == time).map(|(_, point)| *point),
                Grouping::Hour => hours.next_if(|(at, _)| **at == time).map(|(_, hour)| mean(hour)),
            };
            (time, point)
        })
    }

    /// The samples of a period, grouped.
    pub fn query(&self, period: Period, grouping: Grouping, now: u64) -> Columns {
        let range = self.range(period, grouping, now);
        let (times, points) = self.points(range).unzip();
        Columns { grouping: range.grouping, times, points }
    }

    /// The buckets that `sample` lies in, as they would be with it: for a sample that is not over yet.
    pub fn with(&self, sample: &Sample) -> Series {
        let mut tail = Series::default();
        for (time, _) in parts(sample, Grouping::Minute) {
            tail.minutes.extend(self.minutes.get(&time).map(|point| (time, *point)));
        }
        for (time, _) in parts(sample, Grouping::Hour) {
            tail.hours.extend(self.hours.get(&time).map(|hour| (time, *hour)));
        }
        tail.push(sample);
        tail
    }

    /// The minutes as samples, and the hours that are written down: what a file that was lost is made again from.
    pub(crate) fn records(&self) -> (impl Iterator<Item = Sample>, impl Iterator<Item = Hour>) {
        let samples = self.minutes.iter().map(|(&time, point)| Sample {
            time: time.saturating_add(point.covered.min(MINUTE)),
            over: point.covered.min(MINUTE) as u32,
            torrents: point.torrents,
            peers: point.peers,
            seeders: point.seeders,
            leechers: point.leechers,
            completed: point.completed,
            announces: point.announces,
            scrapes: point.scrapes,
            errors: point.errors,
        });
        let written = self.hours.iter().filter(|(time, _)| !self.open.contains_key(time));
        (samples, written.map(|(_, hour)| hour.rounded()))
    }

    fn push_minutes(&mut self, sample: &Sample) {
        for (time, part) in parts(sample, Grouping::Minute) {
            let minute = self.minutes.entry(time).or_default();
            *minute = Point {
                torrents: part.torrents,
                peers: part.peers,
                seeders: part.seeders,
                leechers: part.leechers,
                completed: part.completed,
                announces: minute.announces.saturating_add(part.announces),
                scrapes: minute.scrapes.saturating_add(part.scrapes),
                errors: minute.errors.saturating_add(part.errors),
                covered: minute.covered.saturating_add(u64::from(part.over)),
            };
            trim(&mut self.minutes, MINUTES, time);
        }
    }

    /// Takes in a part of an hour that is not written down.
    fn add(&mut self, hour: &Hour) {
        add(&mut self.hours, hour);
        add(&mut self.open, hour);
    }
}

/// So many minutes are kept, and so many hours.
const MINUTES: usize = (MINUTES_KEPT / MINUTE + 1) as usize;
const HOURS: usize = (HOURS_KEPT / HOUR + 1) as usize;

fn add(hours: &mut BTreeMap<u64, Hour>, hour: &Hour) {
    hours.entry(hour.time).and_modify(|known| known.join(hour)).or_insert(*hour);
    trim(hours, HOURS, hour.time);
}

/// Forgets what is farthest from `near`, down to so many. By number, not by age: a clock that was wrong for a while costs
/// nothing.
fn trim<T>(buckets: &mut BTreeMap<u64, T>, kept: usize, near: u64) {
    while buckets.len() > kept {
        let first = buckets.first_key_value().map_or(near, |(&time, _)| time);
        let last = buckets.last_key_value().map_or(near, |(&time, _)| time);
        if near.abs_diff(first) >= near.abs_diff(last) {
            buckets.pop_first()
        } else {
            buckets.pop_last()
        };
    }
}

fn mean(hour: &Hour) -> Point {
    let Hour { covered, torrents, peers, seeders, leechers, completed, announces, scrapes, errors, .. } =
        hour;
    Point {
        covered: u64::from(*covered),
        torrents: torrents.mean.round() as u64,
        peers: peers.mean.round() as u64,
        seeders: seeders.mean.round() as u64,
        leechers: leechers.mean.round() as u64,
        completed: *completed,
        announces: *announces,
        scrapes: *scrapes,
        errors: *errors,
    }
}

/// The buckets that a sample covers, with the part of it in each: no more of them than are kept.
fn parts(sample: &Sample, grouping: Grouping) -> impl Iterator<Item = (u64, Sample)> {
    let step = grouping.step();
    let begin = sample.time.saturating_sub(u64::from(sample.over));
    let sample = Sample { over: (sample.time - begin) as u32, ..*sample };
    let last = if sample.over == 0 { sample.time } else { sample.time - 1 } / step;
    let kept = if grouping == Grouping::Minute { MINUTES } else { HOURS } as u64;
    let first = (begin / step).max(last.saturating_sub(kept - 1));
    (first..=last).map(move |bucket| {
        let from = (bucket * step).max(begin);
        let to = (bucket * step).saturating_add(step).min(sample.time);
        (bucket * step, sample.part(from - begin, to - begin))
    })
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
