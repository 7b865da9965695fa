//! Coarse ages in 16 bits, and what keeps them from wrapping round.
//!
//! A peer carries the low 16 bits of the time at which it was last heard of. That is unambiguous while no peer is
//! older than 65,535 units, so every family of a swarm remembers when it was last swept, and one that was not swept
//! for [`RESWEEP`] units has the stamps of its stale peers renewed (they stay stale) before anything else is done with it.
//! Nor may a peer be younger than now: a moment is made with the shard's lock held, when whatever was done in that
//! shard before is in [`Tracker::latest`](crate::Tracker).

use crate::Seconds;

/// The longest timeout in units; leaves three quarters of the range for late sweeps.
const LONGEST: u32 = 1 << 14;

/// Units without a sweep after which stamps are looked through.
const RESWEEP: u32 = 32_000;

// When stamps are looked through, a peer can be that old: either it was stale by a hair at the last sweep and nothing
// has been done since for RESWEEP and another timeout, or nobody has been heard of for a timeout and all are stale.
const _: () = assert!(RESWEEP + 2 * LONGEST <= u16::MAX as u32, "a stamp can't wrap round unnoticed");

/// Timeouts of at most so many units are measured in smaller ones, as far as [`Seconds`] has them.
const FINE: u32 = LONGEST / 4;

/// Turns seconds into stamps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// A unit is `1 << shift` of the parts that [`Seconds`] has: a second for timeouts of 2,049 s to 16,384 s, less for
    /// shorter ones, more for longer ones.
    shift: u32,
    timeout: u16,
}

/// A point in time, and the timeout that ages are compared with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Wraps round after two years at the least: that matters only to a swarm that nothing is done with for one of them.
    units: u32,
    timeout: u16,
    shift: u32,
}

impl Clock {
    pub(crate) fn new(peer_timeout: u32) -> Self {
        let timeout = Seconds::new(peer_timeout.max(1)).parts();
        let fits = |shift: u32| {
            // never in parts of a second where that would cost range
            let most = if shift < Seconds::FRACTION { FINE } else { LONGEST };
            timeout >> shift <= u64::from(most)
        };
        let shift = (0..64).find(|&shift| fits(shift)).unwrap_or(63);
        Clock { shift, timeout: (timeout >> shift) as u16 }
    }

    pub(crate) fn at(&self, now: Seconds) -> Moment {
        Moment { units: (now.parts() >> self.shift) as u32, timeout: self.timeout, shift: self.shift }
    }
}

impl Moment {
    /// The stamp of a peer heard of now.
    pub(crate) fn stamp(&self) -> u16 {
        self.units as u16
    }

    /// When a sweep that begins now was made, for [`Moment::must_renew`].
    pub(crate) fn swept(&self) -> u32 {
        self.units
    }

    #[inline]
    pub(crate) fn is_stale(&self, stamp: u16) -> bool {
        self.stamp().wrapping_sub(stamp) >= self.timeout
    }

    /// The stamp that a stale peer gets where it is kept for the next sweep.
    pub(crate) fn just_stale(&self) -> u16 {
        self.stamp().wrapping_sub(self.timeout)
    }

    #[inline]
    pub(crate) fn must_renew(&self, swept: u32) -> bool {
        self.since(swept) > RESWEEP
    }

    /// Units since a sweep, which cannot have been later.
    fn since(&self, swept: u32) -> u32 {
        let units = self.units.wrapping_sub(swept);
        if units > u32::MAX / 2 { 0 } else { units }
    }

    /// Whether everybody is stale where nothing was renewed since `swept`: the youngest was heard of before that was due.
    pub(crate) fn outlives_all(&self, swept: u32) -> bool {
        self.since(swept) > RESWEEP + u32::from(self.timeout)
    }

    /// Seconds since a peer with this stamp was heard of, to the unit.
    pub(crate) fn age(&self, stamp: u16) -> u32 {
        Seconds::from_parts(u64::from(self.stamp().wrapping_sub(stamp)) << self.shift).whole()
    }

    /// The stamp of a peer heard of `age` seconds ago; `None` if that is too long ago.
    pub(crate) fn stamp_of_age(&self, age: u32) -> Option<u16> {
        let units = Seconds::new(age).parts() >> self.shift;
        (units < u64::from(self.timeout)).then(|| self.stamp().wrapping_sub(units as u16))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn to_the_second_up_to_four_hours_and_a_half() {
        let clock = Clock::new(16_384);
        let stamp = clock.at(Seconds::new(100_000)).stamp();
        assert!(!clock.at(Seconds::new(116_383)).is_stale(stamp));
        assert!(clock.at(Seconds::new(116_384)).is_stale(stamp));
    }

    #[test]
    fn to_parts_of_a_second_where_timeouts_are_short() {
        for timeout in [1, 2, 60] {
            let clock = Clock::new(timeout);
            let at = |millis| clock.at(Seconds::from(std::time::Duration::from_millis(millis)));
            let stamp = at(100_900).stamp();
            assert!(!at(100_850 + u64::from(timeout) * 1000).is_stale(stamp), "{timeout}");
            assert!(at(100_900 + u64::from(timeout) * 1000).is_stale(stamp), "{timeout}");
        }
    }

    #[test]
    fn never_late_above_that() {
        for timeout in [16_385, 86_400, 10_000_000, u32::MAX] {
            let clock = Clock::new(timeout);
            let start = 12_345;
            let stamp = clock.at(Seconds::new(start)).stamp();
            let early = timeout / 1000;
            assert!(!clock.at(Seconds::new(start) + (timeout / 2 - early)).is_stale(stamp), "{timeout}");
            if timeout < u32::MAX - start {
                assert!(clock.at(Seconds::new(start) + timeout).is_stale(stamp), "{timeout}");
            }
        }
    }

    #[test]
    fn ages_there_and_back() {
        let now = Clock::new(600).at(Seconds::new(70_000));
        assert_eq!(now.stamp_of_age(17).map(|stamp| now.age(stamp)), Some(17));
        assert_eq!(now.stamp_of_age(600), None);
        assert!(now.is_stale(now.just_stale()));
    }
}
