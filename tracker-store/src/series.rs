//! Samples over time, to be asked for by period and grouping.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::sample::{Hour, Sample};

/// For how many seconds samples are kept by the minute: 7 days.
pub const MINUTES_KEPT: u64 = 7 * DAY;
/// For how many seconds hours are kept: 2 years.
pub const HOURS_KEPT: u64 = 2 * 365 * DAY;

const MINUTE: u64 = 60;
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
/// A period longer than this is always shown by the hour.
const LONGEST_BY_MINUTE: u64 = 7 * DAY;

/// How far back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    /// `1h`
    Hour,
    /// `5h`
    FiveHours,
    /// `1d`
    Day,
    /// `3d`
    ThreeDays,
    /// `7d`
    Week,
    /// `30d`
    Month,
    /// `all`: as long as anything is known.
    All,
}

impl Period {
    /// All of them, the shortest first.
    pub const ALL: [Period; 7] = [
        Period::Hour,
        Period::FiveHours,
        Period::Day,
        Period::ThreeDays,
        Period::Week,
        Period::Month,
        Period::All,
    ];

    /// As it is written in a query, such as `1d`.
    pub const fn name(self) -> &'static str {
        match self {
            Period::Hour => "1h",
            Period::FiveHours => "5h",
            Period::Day => "1d",
            Period::ThreeDays => "3d",
            Period::Week => "7d",
            Period::Month => "30d",
            Period::All => "all",
        }
    }

    /// In seconds; of [`Period::All`] the longest that it can be.
    pub const fn seconds(self) -> u64 {
        match self {
            Period::Hour => HOUR,
            Period::FiveHours => 5 * HOUR,
            Period::Day => DAY,
            Period::ThreeDays => 3 * DAY,
            Period::Week => 7 * DAY,
            Period::Month => 30 * DAY,
            Period::All => HOURS_KEPT,
        }
    }
}

/// How samples are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grouping {
    /// `minute`
    Minute,
    /// `hour`
    Hour,
}

impl Grouping {
    /// Both.
    pub const ALL: [Grouping; 2] = [Grouping::Minute, Grouping::Hour];

    /// As it is written in a query.
    pub const fn name(self) -> &'static str {
        match self {
            Grouping::Minute => "minute",
            Grouping::Hour => "hour",
        }
    }

    /// The seconds of a bucket. Buckets begin at multiples of it, in Unix time.
    pub const fn step(self) -> u64 {
        match self {
            Grouping::Minute => MINUTE,
            Grouping::Hour => HOUR,
        }
    }

    /// The grouping that `period` is shown by where this one is asked for: more than 7 days, and all, by the hour.
    pub const fn within(self, period: Period) -> Grouping {
        if period.seconds() > LONGEST_BY_MINUTE { Grouping::Hour } else { self }
    }

    const fn start(self, time: u64) -> u64 {
        time - time % self.step()
    }
}

/// A name that is none of a period or a grouping. `Display` lists those that there are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" is not known, known are {}", name.escape_debug(), known.join(", "))]
pub struct UnknownName {
    /// What was asked for.
    pub name: String,
    /// What there is.
    pub known: Vec<&'static str>,
}

impl FromStr for Period {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let known = || Period::ALL.map(Period::name).to_vec();
        let found = Period::ALL.into_iter().find(|period| period.name() == name);
        found.ok_or_else(|| UnknownName { name: name.to_owned(), known: known() })
    }
}

impl FromStr for Grouping {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let known = || Grouping::ALL.map(Grouping::name).to_vec();
        let found = Grouping::ALL.into_iter().find(|grouping| grouping.name() == name);
        found.ok_or_else(|| UnknownName { name: name.to_owned(), known: known() })
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Grouping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

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
            let hour = Hour::of(time, &part);
            add(&mut self.hours, &hour);
            add(&mut self.open, &hour);
        }
        self.trim();
    }

    /// Takes in an hour that is written down already.
    pub fn push_hour(&mut self, hour: &Hour) {
        add(&mut self.hours, hour);
        self.trim();
    }

    /// Takes in a sample that may be in the hours that were taken in already: those stay as they are.
    pub(crate) fn push_again(&mut self, sample: &Sample) {
        self.push_minutes(sample);
        for (time, part) in parts(sample, Grouping::Hour) {
            if self.open.contains_key(&time) || !self.hours.contains_key(&time) {
                let hour = Hour::of(time, &part);
                add(&mut self.hours, &hour);
                add(&mut self.open, &hour);
            }
        }
        self.trim();
    }

    /// The hours that are over at `now` and were not returned before, to be written down.
    pub fn close_hours(&mut self, now: u64) -> Vec<Hour> {
        let mut rest = self.open.split_off(&(now.saturating_sub(HOUR) + 1));
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
            time: time + MINUTE,
            over: MINUTE as u32,
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
            };
        }
    }

    /// Forgets what is kept no longer. By number, not by time: a clock that was wrong for a while costs nothing.
    fn trim(&mut self) {
        while self.minutes.len() as u64 > MINUTES_KEPT / MINUTE + 1 {
            self.minutes.pop_first();
        }
        while self.hours.len() as u64 > HOURS_KEPT / HOUR + 1 {
            self.hours.pop_first();
        }
    }
}

fn add(hours: &mut BTreeMap<u64, Hour>, hour: &Hour) {
    hours.entry(hour.time).and_modify(|known| known.join(hour)).or_insert(*hour);
}

fn mean(hour: &Hour) -> Point {
    let Hour { torrents, peers, seeders, leechers, completed, announces, scrapes, errors, .. } = hour;
    Point {
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

/// The buckets that a sample covers, with the part of it in each.
fn parts(sample: &Sample, grouping: Grouping) -> impl Iterator<Item = (u64, Sample)> {
    let step = grouping.step();
    let begin = sample.time.saturating_sub(u64::from(sample.over));
    let sample = Sample { over: (sample.time - begin) as u32, ..*sample };
    let last = if sample.over == 0 { sample.time } else { sample.time - 1 };
    (begin / step..=last / step).map(move |bucket| {
        let from = (bucket * step).max(begin);
        let to = ((bucket + 1) * step).min(sample.time);
        (bucket * step, sample.part(from - begin, to - begin))
    })
}

#[cfg(test)]
mod tests;
