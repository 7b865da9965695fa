//! Coarse time, passed in by the caller.

use std::ops::{Add, Sub};

/// Seconds since a moment of the caller's choice, such as the start of the program.
///
/// The core reads no clock: every operation that depends on time takes one of these. They should not
/// go back; where they do, the latest one seen counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Seconds(pub u32);

impl Add<u32> for Seconds {
    type Output = Seconds;

    fn add(self, seconds: u32) -> Seconds {
        Seconds(self.0.saturating_add(seconds))
    }
}

impl Sub for Seconds {
    type Output = u32;

    /// The seconds from `earlier` to `self`, 0 where `earlier` is the later one.
    fn sub(self, earlier: Seconds) -> u32 {
        self.0.saturating_sub(earlier.0)
    }
}
