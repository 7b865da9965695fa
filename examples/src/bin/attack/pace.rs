//! How fast an attacker goes, and when it stops.

use std::thread;
use std::time::{Duration, Instant};

use crate::options::Plan;

/// Without a bound of its own a mode still lets others have a turn now and then.
const FULL_SPEED: u64 = 1_000_000_000;

/// Lets one thing happen after the other, at a rate, until time or count are over.
#[derive(Debug)]
pub(crate) struct Pace {
    end: Instant,
    next: Instant,
    step: Duration,
    left: u64,
}

impl Pace {
    pub(crate) fn new(plan: &Plan) -> Pace {
        let now = Instant::now();
        let rate = if plan.rate == 0 { FULL_SPEED } else { plan.rate.into() };
        Pace {
            end: now + plan.length,
            next: now,
            step: Duration::from_nanos(1_000_000_000 / rate),
            left: plan.requests,
        }
    }

    /// Waits until `count` more things may happen; false if it is over.
    pub(crate) fn goes_on(&mut self, count: u64) -> bool {
        let now = Instant::now();
        // who could not keep up does not catch up
        self.next = self.next.max(now.checked_sub(Duration::from_millis(100)).unwrap_or(now));
        if self.left == 0 || self.next.max(now) >= self.end {
            return false;
        }
        thread::sleep(self.next.saturating_duration_since(now));
        self.next += self.step * u32::try_from(count).unwrap_or(u32::MAX);
        self.left = self.left.saturating_sub(count);
        true
    }

    /// Waits for `time`; false if it is over.
    pub(crate) fn rest(&self, time: Duration) -> bool {
        let left = self.end.saturating_duration_since(Instant::now());
        thread::sleep(time.min(left));
        !left.is_zero()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::options::Options;

    fn pace(args: &[&str]) -> Pace {
        Pace::new(&Options::parse_from(["attack"].iter().chain(args)).plan().unwrap())
    }

    #[test]
    fn it_is_over_after_the_count() {
        let mut pace = pace(&["--requests", "10", "--rate", "0"]);
        assert_eq!((0..100).filter(|_| pace.goes_on(3)).count(), 4);
    }

    #[test]
    fn it_keeps_to_the_rate_and_ends_in_time() {
        let begin = Instant::now();
        let mut pace = pace(&["--seconds", "1", "--rate", "50"]);
        let times = (0..1000).filter(|_| pace.goes_on(1)).count();
        // fewer on a machine that is busy
        assert!((1..=56).contains(&times), "{times}");
        // the next one would be too late, though it is not the end yet
        pace.rest(Duration::from_secs(5));
        assert!(!pace.rest(Duration::from_secs(5)) && begin.elapsed() < Duration::from_secs(5));
    }
}
