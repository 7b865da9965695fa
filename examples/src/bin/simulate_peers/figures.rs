//! What there is to count.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::peer::{Peer, Stage};

/// Latencies are kept up to that, in microseconds.
const LONGEST: u64 = 120_000_000;

#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) arrived: u64,
    /// Downloads that have been completed.
    pub(crate) completed: u64,
    /// Announces and scrapes that were answered.
    pub(crate) announces: u64,
    pub(crate) scrapes: u64,
    /// Requests without an answer that is one.
    pub(crate) errors: u64,
    /// Peers in the answers.
    pub(crate) handed_out: u64,
    /// In microseconds, from the beginning of the request to the end of its answer.
    latency: Histogram<u64>,
    /// How late announces were sent at the most, since the last look.
    lag: Duration,
    pub(crate) longest_lag: Duration,
}

/// Where the peers are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Census {
    pub(crate) downloading: u64,
    pub(crate) partial_seeds: u64,
    pub(crate) seeding: u64,
    pub(crate) left: u64,
    pub(crate) vanished: u64,
}

impl Figures {
    pub(crate) fn new() -> Figures {
        Figures {
            arrived: 0,
            completed: 0,
            announces: 0,
            scrapes: 0,
            errors: 0,
            handed_out: 0,
            latency: Histogram::new_with_bounds(1, LONGEST, 3).expect("bounds and precision are constants"),
            lag: Duration::ZERO,
            longest_lag: Duration::ZERO,
        }
    }

    pub(crate) fn answered(&mut self, latency: Duration) {
        self.latency.saturating_record((latency.as_micros() as u64).max(1));
    }

    /// The latency that so much of a hundred stays below, in milliseconds.
    pub(crate) fn percentile(&self, percent: f64) -> f64 {
        if self.latency.is_empty() { 0.0 } else { self.latency.value_at_percentile(percent) as f64 / 1000.0 }
    }

    pub(crate) fn late(&mut self, lag: Duration) {
        self.lag = self.lag.max(lag);
        self.longest_lag = self.longest_lag.max(lag);
    }

    /// How late announces were sent since the last look.
    pub(crate) fn take_lag(&mut self) -> Duration {
        std::mem::take(&mut self.lag)
    }
}

impl Census {
    pub(crate) fn of(peers: &[Peer]) -> Census {
        let mut census = Census::default();
        for peer in peers {
            match peer.stage {
                Stage::Absent => {}
                Stage::Downloading => census.downloading += 1,
                Stage::PartialSeed => census.partial_seeds += 1,
                Stage::Seeding => census.seeding += 1,
                Stage::Leaving | Stage::Left => census.left += 1,
                Stage::Vanished => census.vanished += 1,
            }
        }
        census
    }
}
