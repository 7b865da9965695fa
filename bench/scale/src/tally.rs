//! How long announces took, and for what those waited that took long.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Announces that took longer by the clock are looked at closely.
pub(crate) const SLOW: Duration = Duration::from_micros(100);
/// No announce is to take longer but by the scheduler's doing.
pub(crate) const LIMIT: Duration = Duration::from_millis(1);
/// So many of the slow ones are remembered.
const SLOWEST: usize = 10;

/// An announce that took long.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Slow {
    /// From its beginning to its end.
    pub(crate) clock: Duration,
    /// While its thread had a core.
    pub(crate) cpu: Duration,
    /// While its thread was ready to run and had none.
    pub(crate) without_core: Duration,
    /// How long other threads, one of which may have held the lock, were ready to run and had no core meanwhile.
    pub(crate) others_without_core: Duration,
    pub(crate) faults: u64,
    /// Whether its thread went to sleep.
    pub(crate) has_slept: bool,
}

impl Slow {
    /// While its thread slept: it waited for a lock.
    pub(crate) fn asleep(&self) -> Duration {
        if self.has_slept { self.idle() } else { Duration::ZERO }
    }

    /// Time that the kernel knows nothing of, since the host of a virtual machine had taken the core away.
    pub(crate) fn stolen(&self) -> Duration {
        if self.has_slept { Duration::ZERO } else { self.idle() }
    }

    fn idle(&self) -> Duration {
        self.clock.saturating_sub(self.cpu).saturating_sub(self.without_core)
    }

    /// What is left when the scheduler's doing is taken off.
    pub(crate) fn ours(&self) -> Duration {
        self.cpu + self.asleep().saturating_sub(self.others_without_core)
    }
}

/// What a thread has measured, or several together.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    /// Nanoseconds from the beginning to the end.
    pub(crate) clock: Histogram<u64>,
    /// Nanoseconds of the thread's own.
    pub(crate) cpu: Histogram<u64>,
    /// Nanoseconds without what the scheduler took; of those that were not slow, all.
    pub(crate) ours: Histogram<u64>,
    /// The slowest, by the clock.
    pub(crate) slowest: Vec<Slow>,
    pub(crate) over: Over,
}

/// How many took longer than [`LIMIT`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Over {
    pub(crate) clock: u64,
    /// Of those, by what took most: their own work,
    pub(crate) working: u64,
    /// waiting for a core,
    pub(crate) without_core: u64,
    /// or waiting for a lock.
    pub(crate) asleep: u64,
    /// Those that took longer even without the scheduler's doing;
    pub(crate) ours: u64,
    /// and those of them that met memory which nobody had touched yet.
    pub(crate) faulted: u64,
}

impl Tally {
    pub(crate) fn new() -> Self {
        let histogram =
            || Histogram::new_with_bounds(1, 100_000_000_000, 3).expect("bounds that are in order");
        Tally {
            clock: histogram(),
            cpu: histogram(),
            ours: histogram(),
            slowest: Vec::new(),
            over: Over::default(),
        }
    }

    /// Counts one that was not slow.
    #[inline]
    pub(crate) fn add(&mut self, clock: Duration, cpu: Duration) {
        let clock = clock.as_nanos() as u64;
        self.clock.saturating_record(clock);
        self.cpu.saturating_record(cpu.as_nanos() as u64);
        self.ours.saturating_record(clock);
    }

    #[cold]
    pub(crate) fn add_slow(&mut self, slow: Slow) {
        let Slow { clock, cpu, without_core, .. } = slow;
        self.clock.saturating_record(clock.as_nanos() as u64);
        self.cpu.saturating_record(cpu.as_nanos() as u64);
        self.ours.saturating_record(slow.ours().as_nanos() as u64);
        if clock > LIMIT {
            self.over.clock += 1;
            let asleep = slow.asleep();
            let without_core = without_core + slow.stolen();
            if cpu >= without_core && cpu >= asleep {
                self.over.working += 1;
            } else if without_core >= asleep {
                self.over.without_core += 1;
            } else {
                self.over.asleep += 1;
            }
        }
        if slow.ours() > LIMIT {
            self.over.ours += 1;
            self.over.faulted += u64::from(slow.faults > 0);
        }
        self.slowest.push(slow);
        if self.slowest.len() > 4 * SLOWEST {
            self.keep_slowest();
        }
    }

    fn keep_slowest(&mut self) {
        // those first that are most to blame
        self.slowest.sort_by_key(|slow| std::cmp::Reverse((slow.ours(), slow.clock)));
        self.slowest.truncate(SLOWEST);
    }

    /// Adds what another thread has measured.
    pub(crate) fn merge(&mut self, other: &Tally) {
        for (all, others) in
            [(&mut self.clock, &other.clock), (&mut self.cpu, &other.cpu), (&mut self.ours, &other.ours)]
        {
            all.add(others).expect("histograms with the same bounds");
        }
        self.slowest.extend_from_slice(&other.slowest);
        self.keep_slowest();
        self.over.clock += other.over.clock;
        self.over.working += other.over.working;
        self.over.without_core += other.over.without_core;
        self.over.asleep += other.over.asleep;
        self.over.ours += other.over.ours;
        self.over.faulted += other.over.faulted;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_scheduler_took_is_not_ours() {
        let millis = Duration::from_millis;
        let lost_core = Slow {
            clock: millis(5),
            cpu: millis(1) / 2,
            without_core: millis(4),
            has_slept: true,
            ..Slow::default()
        };
        assert_eq!((lost_core.asleep(), lost_core.ours()), (millis(1) / 2, millis(1)));
        let holder_lost_core =
            Slow { clock: millis(5), others_without_core: millis(9), has_slept: true, ..Slow::default() };
        assert_eq!((holder_lost_core.asleep(), holder_lost_core.ours()), (millis(5), millis(0)));
        let held_long = Slow { clock: millis(5), faults: 1, has_slept: true, ..Slow::default() };
        let stolen = Slow { clock: millis(5), ..Slow::default() };
        assert_eq!((stolen.asleep(), stolen.stolen(), stolen.ours()), (millis(0), millis(5), millis(0)));
        assert_eq!(held_long.ours(), millis(5));

        let mut one = Tally::new();
        one.add(Duration::from_nanos(700), Duration::from_nanos(600));
        one.add_slow(lost_core);
        let mut all = Tally::new();
        all.add_slow(holder_lost_core);
        all.add_slow(held_long);
        all.merge(&one);
        let Over { clock, working, without_core, asleep, ours, faulted } = all.over;
        assert_eq!((clock, working, without_core, asleep, ours, faulted), (3, 0, 1, 2, 1, 1));
        assert_eq!((all.clock.len(), all.slowest.len()), (4, 3));
        assert_eq!(all.slowest[0].ours(), millis(5));
    }
}
