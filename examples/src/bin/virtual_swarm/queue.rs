//! The event queue: a calendar of seconds whose pages are lists in one pool, so that no event allocates.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Pages of the calendar, a second each. What is due later waits on its page for another lap.
const PAGES: usize = 1 << 13;
const NONE: u32 = u32::MAX;

/// Virtual time in milliseconds: enough for 49 days.
pub(crate) type Millis = u32;

/// What is to happen at a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// It announces, if that is still due then.
    Announce,
    /// It has the last piece.
    Complete,
    /// It goes, if it has not changed its mind.
    Leave,
}

/// An event, ordered by time, and among those of one time by when it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Event {
    pub(crate) at: Millis,
    number: u32,
    pub(crate) peer: u32,
    /// The peer's generation: events of a peer that has gone mean nothing.
    pub(crate) generation: u32,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    event: Event,
    next: u32,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Queue {
    /// The first node of each page.
    pages: Box<[u32]>,
    nodes: Vec<Node>,
    /// The first of the nodes that are free.
    free: u32,
    /// The second whose events are in `open`; all before are done.
    second: u32,
    open: BinaryHeap<Reverse<Event>>,
    made: u32,
    len: usize,
}

impl Queue {
    pub(crate) fn new() -> Self {
        Queue {
            pages: vec![NONE; PAGES].into(),
            nodes: Vec::new(),
            free: NONE,
            second: 0,
            open: BinaryHeap::new(),
            made: 0,
            len: 0,
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds an event. What is to be before the time that has been reached happens at once.
    pub(crate) fn push(&mut self, at: Millis, peer: u32, generation: u32, kind: Kind) {
        let event = Event { at, number: self.made, peer, generation, kind };
        self.made += 1;
        self.len += 1;
        if at / 1000 <= self.second {
            self.open.push(Reverse(event));
            return;
        }
        let page = (at / 1000) as usize % PAGES;
        let node = Node { event, next: self.pages[page] };
        self.pages[page] = if self.free == NONE {
            self.nodes.push(node);
            (self.nodes.len() - 1) as u32
        } else {
            let at = self.free;
            self.free = std::mem::replace(&mut self.nodes[at as usize], node).next;
            at
        };
    }

    /// The next event before `end`, if there is one.
    pub(crate) fn pop_before(&mut self, end: Millis) -> Option<Event> {
        loop {
            if let Some(&Reverse(event)) = self.open.peek() {
                if event.at >= end {
                    return None;
                }
                self.len -= 1;
                return self.open.pop().map(|Reverse(event)| event);
            }
            if self.len == 0 || end <= (self.second + 1) * 1000 {
                return None;
            }
            self.turn();
        }
    }

    /// Opens the next second.
    fn turn(&mut self) {
        self.second += 1;
        let page = self.second as usize % PAGES;
        let mut at = std::mem::replace(&mut self.pages[page], NONE);
        while at != NONE {
            let Node { event, next } = self.nodes[at as usize];
            if event.at / 1000 == self.second {
                self.open.push(Reverse(event));
                self.nodes[at as usize].next = self.free;
                self.free = at;
            } else {
                self.nodes[at as usize].next = self.pages[page];
                self.pages[page] = at;
            }
            at = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::random::Random;

    #[test]
    fn the_same_order_as_a_sorted_set() {
        for seed in 0..20 {
            println!("seed {seed}");
            let mut random = Random::new(seed, 0);
            let (mut queue, mut naive, mut now, mut made) = (Queue::new(), BTreeSet::new(), 0, 0);
            for _ in 0..3_000 {
                for _ in 0..random.below(5) {
                    // from at once to several laps ahead
                    let reach = [1, 900, 20_000, 3_000_000, 40_000_000][random.below(5)];
                    let at = now + random.below(reach) as u32;
                    queue.push(at, made, 0, Kind::Announce);
                    naive.insert((at, made));
                    made += 1;
                }
                let end = now + random.below(30_000) as u32;
                while let Some(event) = queue.pop_before(end) {
                    assert_eq!(naive.pop_first(), Some((event.at, event.peer)));
                    now = event.at;
                }
                assert!(naive.first().is_none_or(|&(at, _)| at >= end), "one was overlooked");
                now = end.max(now);
                assert_eq!(queue.len(), naive.len());
            }
        }
    }

    #[test]
    fn nodes_are_used_again() {
        let mut queue = Queue::new();
        for second in 0..50_000 {
            queue.push(second * 1000 + 1_800_000, 0, 0, Kind::Leave);
            while queue.pop_before(second * 1000).is_some() {}
        }
        assert!(queue.nodes.len() < 2_000, "{} nodes", queue.nodes.len());
    }
}
