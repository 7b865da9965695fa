//! What is measured: a sample now and then, and what remains of an hour of them.

use serde::{Deserialize, Serialize};

use crate::line::Record;

/// A look at the tracker, and what happened since the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sample {
    /// When it was taken, in Unix seconds.
    pub time: u64,
    /// The seconds that it covers, which end at `time`: since the sample before it, or since the tracker's start.
    pub over: u32,
    /// Torrents with at least one peer.
    pub torrents: u64,
    /// Peers.
    pub peers: u64,
    /// Of these, those with the complete download.
    pub seeders: u64,
    /// The others.
    pub leechers: u64,
    /// Downloads completed, a running total.
    pub completed: u64,
    /// Announces answered in these seconds.
    pub announces: u64,
    /// Scrapes answered in these seconds.
    pub scrapes: u64,
    /// Requests that were refused or failed in these seconds.
    pub errors: u64,
}

impl Record for Sample {
    const NAME: &'static str = "Sample";
}

/// What remains of the samples of an hour.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Hour {
    /// When it began, in Unix seconds.
    pub time: u64,
    /// Seconds of it that samples cover.
    pub covered: u32,
    /// Torrents with at least one peer.
    pub torrents: Spread,
    /// Peers.
    pub peers: Spread,
    /// Of these, those with the complete download.
    pub seeders: Spread,
    /// The others.
    pub leechers: Spread,
    /// Downloads completed, the running total at the end of the hour.
    pub completed: u64,
    /// Announces answered in this hour.
    pub announces: u64,
    /// Scrapes answered in this hour.
    pub scrapes: u64,
    /// Requests that were refused or failed in this hour.
    pub errors: u64,
}

impl Record for Hour {
    const NAME: &'static str = "Hour";
}

/// How a number was distributed over an hour.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Spread {
    /// Its mean over the time that samples cover.
    pub mean: f64,
    /// The least that was seen.
    pub min: u64,
    /// The most that was seen.
    pub max: u64,
}

impl Spread {
    fn of(value: u64) -> Spread {
        Spread { mean: value as f64, min: value, max: value }
    }

    /// Takes `later` in, which has this share of the time.
    fn join(&mut self, later: &Spread, share: f64) {
        self.mean += (later.mean - self.mean) * share;
        self.min = self.min.min(later.min);
        self.max = self.max.max(later.max);
    }

    /// To the hundredth: more digits would say nothing.
    fn round(&mut self) {
        self.mean = (self.mean * 100.0).round() / 100.0;
    }
}

impl Sample {
    /// The part of it that lies in `from..to`, in seconds since its begin: gauges as they are, counters in proportion, so
    /// that the parts of a sample add up to it.
    pub(crate) fn part(&self, from: u64, to: u64) -> Sample {
        let over = u128::from(self.over.max(1));
        let until = |total: u64, end: u64| {
            if self.over == 0 {
                return total;
            }
            // no more than the total, which is a u64
            (u128::from(total) * u128::from(end) / over) as u64
        };
        let share = |total: u64| if self.over == 0 { total } else { until(total, to) - until(total, from) };
        Sample {
            announces: share(self.announces),
            scrapes: share(self.scrapes),
            errors: share(self.errors),
            over: (to - from) as u32,
            ..*self
        }
    }
}

impl Hour {
    /// An hour of which nothing is known but what `sample`, which lies in it, tells.
    pub(crate) fn of(time: u64, sample: &Sample) -> Hour {
        Hour {
            time,
            covered: sample.over,
            torrents: Spread::of(sample.torrents),
            peers: Spread::of(sample.peers),
            seeders: Spread::of(sample.seeders),
            leechers: Spread::of(sample.leechers),
            completed: sample.completed,
            announces: sample.announces,
            scrapes: sample.scrapes,
            errors: sample.errors,
        }
    }

    /// Takes in what was measured later in the same hour.
    pub(crate) fn join(&mut self, later: &Hour) {
        let all = self.covered.saturating_add(later.covered);
        let share = if all == 0 { 1.0 } else { f64::from(later.covered) / f64::from(all) };
        self.covered = all;
        self.torrents.join(&later.torrents, share);
        self.peers.join(&later.peers, share);
        self.seeders.join(&later.seeders, share);
        self.leechers.join(&later.leechers, share);
        self.completed = later.completed;
        self.announces = self.announces.saturating_add(later.announces);
        self.scrapes = self.scrapes.saturating_add(later.scrapes);
        self.errors = self.errors.saturating_add(later.errors);
    }

    /// As it is written down.
    pub(crate) fn rounded(mut self) -> Hour {
        for spread in [&mut self.torrents, &mut self.peers, &mut self.seeders, &mut self.leechers] {
            spread.round();
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_sample_add_up_to_it() {
        let sample = Sample { over: 7, announces: 100, scrapes: 3, errors: u64::MAX, ..Sample::default() };
        let parts: Vec<_> = (0..7).map(|second| sample.part(second, second + 1)).collect();
        assert_eq!(parts.iter().map(|part| part.announces).sum::<u64>(), 100);
        assert_eq!(parts.iter().map(|part| part.scrapes).sum::<u64>(), 3);
        assert_eq!(parts.iter().map(|part| u128::from(part.errors)).sum::<u128>(), u128::from(u64::MAX));
        assert!(parts.iter().all(|part| (14..=15).contains(&part.announces)));
        assert_eq!(Sample { over: 0, ..sample }.part(0, 0).announces, 100);
    }

    #[test]
    fn means_are_weighted_by_the_time_that_they_cover() {
        let hour = |peers, over| Hour::of(0, &Sample { peers, over, announces: 5, ..Sample::default() });
        let mut all = hour(10, 60);
        all.join(&hour(100, 120));
        assert_eq!(
            (all.peers, all.covered, all.announces),
            (Spread { mean: 70.0, min: 10, max: 100 }, 180, 10)
        );
        let mut instants = hour(1, 0);
        instants.join(&hour(5, 0));
        assert_eq!(instants.peers, Spread { mean: 5.0, min: 1, max: 5 });
        all.join(&hour(71, 1));
        assert_eq!(all.rounded().peers.mean, 70.01);
    }
}
