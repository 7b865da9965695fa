//! Coarse time, passed in by the caller.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// Seconds since a moment of the caller's choice, such as the start of the program; kept in 64ths of a second.
///
/// The core reads no clock: every operation that depends on time takes one of these. They should not
/// go back; where they do, the latest one seen counts. They may go on by as much as a year from one operation to the next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Seconds(u64);

impl Seconds {
    /// Parts of a second, as a power of two.
    pub(crate) const FRACTION: u32 = 6;

    /// So many whole seconds.
    pub const fn new(seconds: u32) -> Self {
        Seconds((seconds as u64) << Self::FRACTION)
    }

    /// Whole seconds, rounded down.
    pub const fn whole(self) -> u32 {
        let whole = self.0 >> Self::FRACTION;
        if whole > u32::MAX as u64 { u32::MAX } else { whole as u32 }
    }

    pub(crate) const fn parts(self) -> u64 {
        self.0
    }

    pub(crate) const fn from_parts(parts: u64) -> Self {
        Seconds(parts)
    }
}

impl From<Duration> for Seconds {
    fn from(duration: Duration) -> Self {
        let fraction = (u64::from(duration.subsec_nanos()) << Self::FRACTION) / 1_000_000_000;
        Seconds(duration.as_secs() << Self::FRACTION | fraction)
    }
}

impl Add<u32> for Seconds {
    type Output = Seconds;

    fn add(self, seconds: u32) -> Seconds {
        Seconds(self.0.saturating_add(Seconds::new(seconds).0))
    }
}

impl Sub for Seconds {
    type Output = u32;

    /// The whole seconds from `earlier` to `self`, 0 where `earlier` is the later one.
    fn sub(self, earlier: Seconds) -> u32 {
        Seconds(self.0.saturating_sub(earlier.0)).whole()
    }
}

impl fmt::Debug for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} s", self.0 as f64 / f64::from(1 << Self::FRACTION))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_seconds_and_parts_of_them() {
        let time = Seconds::from(Duration::from_millis(2_500));
        assert_eq!(format!("{time:?}"), "2.50 s");
        assert_eq!((time.whole(), time - Seconds::new(1), Seconds::new(1) - time), (2, 1, 0));
        assert_eq!(Seconds::from(Duration::from_secs(7)), Seconds::new(7));
        assert_eq!((Seconds::new(u32::MAX) + u32::MAX).whole(), u32::MAX);
    }
}
