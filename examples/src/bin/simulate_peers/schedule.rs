//! What is to happen when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// Something that is due at a time; peers are meant by their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// The peer arrives.
    Arrive(u32),
    /// The peer announces, unless it has done so since: the number is that of its last announce.
    Announce(u32, u32),
    /// The peer has reached what it waits for, unless its pace has changed since.
    Progress(u32, u32),
    /// The peer leaves.
    Leave(u32),
    /// The tracker may think, or has to think by now, that the peer is dead.
    Expire(u32),
    /// The next torrents are scraped.
    Scrape,
}

/// A queue of what is due, the soonest first; what is due at the same time comes in the order in which it was put in.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    queue: BinaryHeap<Reverse<(Duration, u64, Due)>>,
    count: u64,
}

impl Schedule {
    pub(crate) fn put(&mut self, at: Duration, due: Due) {
        self.count += 1;
        self.queue.push(Reverse((at, self.count, due)));
    }

    /// When something is due next.
    pub(crate) fn next_at(&self) -> Option<Duration> {
        self.queue.peek().map(|Reverse((at, ..))| *at)
    }

    /// What is due at `now`, with the time for which it was meant.
    pub(crate) fn take(&mut self, now: Duration) -> Option<(Duration, Due)> {
        if self.next_at()? > now {
            return None;
        }
        self.queue.pop().map(|Reverse((at, _, due))| (at, due))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_order_of_time_and_then_of_putting_in() {
        let mut schedule = Schedule::default();
        let at = Duration::from_millis;
        schedule.put(at(2), Due::Leave(1));
        schedule.put(at(1), Due::Arrive(9));
        schedule.put(at(1), Due::Arrive(3));
        assert_eq!(schedule.take(at(0)), None);
        assert_eq!(schedule.take(at(1)), Some((at(1), Due::Arrive(9))));
        assert_eq!(schedule.take(at(5)), Some((at(1), Due::Arrive(3))));
        assert_eq!(schedule.take(at(5)), Some((at(2), Due::Leave(1))));
        assert_eq!((schedule.take(at(5)), schedule.next_at()), (None, None));
    }
}
