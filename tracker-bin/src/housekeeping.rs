//! What is to be done now and then: sweeps, samples, and the marks that rates are taken from.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender};
use tracker_core::Tracker;
use tracker_http::{Access, Clock};

use crate::keeper::Taken;
use crate::statistics::{Statistics, wall_clock};
use crate::supervisor::Reports;

/// Figures are looked at so often, for the rates.
const MARK: Duration = Duration::from_secs(1);
/// Samples that may wait for a disk that does not answer: more than half a day of them by the second.
const WAITING: usize = 50_000;

/// Keeps house.
#[derive(Debug)]
pub struct Housekeeping<'a> {
    /// What is swept.
    pub tracker: &'a Tracker,
    /// The list in force, which is applied again when it has changed.
    pub access: &'a Access,
    /// What samples are taken of.
    pub statistics: &'a Statistics<'a>,
    /// The tracker's time.
    pub clock: Clock,
    /// Between two sweeps.
    pub sweep_every: Duration,
    /// Between two samples. They are taken at multiples of it, by the wall clock, so that a minute's sample is the minute's.
    pub sample_every: Duration,
}

impl Housekeeping<'_> {
    /// Goes on until the other end of `stopped` is dropped. Samples go to `samples`, and the service manager hears
    /// `reports`.
    pub fn run(&self, stopped: &Receiver<()>, samples: &Sender<Taken>, mut reports: Reports<'_>) {
        let mut seen = self.access.current();
        let mut sweep_at = Instant::now() + self.sweep_every;
        let mut sample_at = self.next_sample();
        loop {
            let next = sweep_at.min(sample_at).min(Instant::now() + MARK);
            let wake_at = reports.due().into_iter().fold(next, Instant::min);
            if stopped.recv_deadline(wake_at) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            self.statistics.figures();
            reports.tell();
            let now = Instant::now();
            if sweep_at <= now {
                self.sweep();
                let current = self.access.current();
                if !Arc::ptr_eq(&seen, &current) {
                    // a request that was being answered while the list was replaced may have brought a torrent back
                    self.drop_forbidden();
                    seen = current;
                }
                sweep_at = Instant::now() + self.sweep_every;
            }
            if sample_at <= now {
                let taken = self.statistics.take_sample();
                if samples.len() < WAITING {
                    // fails only if the keeper has panicked, which ends the program
                    let _ = samples.send(taken);
                } else {
                    tracing::error!(
                        "a sample is lost, since the data directory does not answer: see store.dir"
                    );
                }
                sample_at = self.next_sample();
            }
        }
    }

    fn sweep(&self) {
        let expired = self.tracker.expire(self.clock.now());
        tracing::debug!("swept: {} peers and {} torrents have gone", expired.peers, expired.torrents);
    }

    /// Drops the torrents that are not allowed; returns how many.
    pub fn drop_forbidden(&self) -> u64 {
        let list = self.access.current();
        self.tracker.retain(self.clock.now(), |info_hash| list.permits(info_hash))
    }

    fn next_sample(&self) -> Instant {
        Instant::now() + until_multiple(wall_clock(), self.sample_every)
    }
}

/// How long it takes from `now` to the next multiple of `every`: never nothing.
fn until_multiple(now: Duration, every: Duration) -> Duration {
    let every = every.as_nanos().max(1);
    let rest = every - now.as_nanos() % every;
    // no longer than `every`, which is a Duration
    Duration::from_nanos(u64::try_from(rest).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_taken_when_a_minute_ends() {
        let minute = Duration::from_secs(60);
        let until = |millis| until_multiple(Duration::from_millis(millis), minute).as_millis();
        assert_eq!((until(0), until(1), until(59_999), until(60_000)), (60_000, 59_999, 1, 60_000));
        assert_eq!(until_multiple(Duration::from_secs(100), Duration::from_secs(7)), Duration::from_secs(5));
    }
}
