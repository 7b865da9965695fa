//! Until when something is waited for.

use std::time::{Duration, Instant};

/// An instant, and how long it was away when the waiting began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    end: Instant,
    timeout: Duration,
}

impl Deadline {
    /// So long from now.
    pub fn within(timeout: Duration) -> Deadline {
        Deadline { end: Instant::now() + timeout, timeout }
    }

    /// What is left; `None` when it is over.
    pub fn room(&self) -> Option<Duration> {
        let room = self.end.saturating_duration_since(Instant::now());
        (!room.is_zero()).then_some(room)
    }

    /// What there was at the begin, in seconds.
    pub fn seconds(&self) -> f64 {
        self.timeout.as_secs_f64()
    }
}
