//! Connections in the order in which their time runs out.
//!
//! Each kind of wait has one duration, so a list in order of arrival is in order of deadlines too: entering, leaving
//! and looking at the first take constant time, and there is neither a heap nor a timer wheel. The head of the idle
//! list is also the connection that makes room when there are too many.

use slab::Slab;

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// The first byte of another request.
    Idle,
    /// The rest of a request, or the first one after accept.
    Request,
    /// The peer to take its answers.
    Output,
    /// The peer to close after the last answer.
    Linger,
}

pub(crate) const WAITS: [Wait; 4] = [Wait::Idle, Wait::Request, Wait::Output, Wait::Linger];

const NONE: u32 = u32::MAX;

/// A connection's place in one of the lists.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Links {
    previous: u32,
    next: u32,
    wait: Option<Wait>,
    /// Microseconds since the server's start.
    since: u64,
}

impl Default for Links {
    fn default() -> Self {
        Links { previous: NONE, next: NONE, wait: None, since: 0 }
    }
}

impl Links {
    pub(crate) fn wait(&self) -> Option<Wait> {
        self.wait
    }
}

pub(crate) trait Linked {
    fn links(&self) -> &Links;
    fn links_mut(&mut self) -> &mut Links;
}

#[derive(Clone, Copy, Debug)]
struct Ends {
    first: u32,
    last: u32,
}

/// All lists of one worker.
#[derive(Debug)]
pub(crate) struct Waiting {
    ends: [Ends; WAITS.len()],
    counts: [usize; WAITS.len()],
}

impl Default for Waiting {
    fn default() -> Self {
        Waiting { ends: [Ends { first: NONE, last: NONE }; WAITS.len()], counts: [0; WAITS.len()] }
    }
}

impl Waiting {
    /// Lets connection `id` wait for `wait` from `now` on, whatever it waited for before.
    pub(crate) fn enter<C: Linked>(&mut self, slab: &mut Slab<C>, id: usize, wait: Wait, now: u64) {
        self.leave(slab, id);
        self.counts[wait as usize] += 1;
        let ends = &mut self.ends[wait as usize];
        let last = ends.last;
        *slab[id].links_mut() = Links { previous: last, next: NONE, wait: Some(wait), since: now };
        ends.last = id as u32;
        match last {
            NONE => ends.first = id as u32,
            last => slab[last as usize].links_mut().next = id as u32,
        }
    }

    /// Takes connection `id` out of its list, if it is in one.
    pub(crate) fn leave<C: Linked>(&mut self, slab: &mut Slab<C>, id: usize) {
        let Links { previous, next, wait: Some(wait), .. } = *slab[id].links() else { return };
        self.counts[wait as usize] -= 1;
        let ends = &mut self.ends[wait as usize];
        match previous {
            NONE => ends.first = next,
            previous => slab[previous as usize].links_mut().next = next,
        }
        match next {
            NONE => ends.last = previous,
            next => slab[next as usize].links_mut().previous = previous,
        }
        slab[id].links_mut().wait = None;
    }

    /// How many wait for `wait`.
    pub(crate) fn count(&self, wait: Wait) -> usize {
        self.counts[wait as usize]
    }

    /// Who has waited longest for `wait`, and since when.
    pub(crate) fn first<C: Linked>(&self, slab: &Slab<C>, wait: Wait) -> Option<(usize, u64)> {
        let first = self.ends[wait as usize].first;
        (first != NONE).then(|| (first as usize, slab[first as usize].links().since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Entry(Links);

    impl Linked for Entry {
        fn links(&self) -> &Links {
            &self.0
        }
        fn links_mut(&mut self) -> &mut Links {
            &mut self.0
        }
    }

    #[test]
    fn first_in_first_out_whatever_leaves_between() {
        let mut slab = Slab::new();
        let mut waiting = Waiting::default();
        for now in 0..10 {
            let id = slab.insert(Entry(Links::default()));
            waiting.enter(&mut slab, id, Wait::Idle, now);
        }
        waiting.leave(&mut slab, 0);
        waiting.leave(&mut slab, 9);
        waiting.leave(&mut slab, 5);
        waiting.leave(&mut slab, 5);
        waiting.enter(&mut slab, 1, Wait::Idle, 20);
        waiting.enter(&mut slab, 7, Wait::Request, 21);
        assert_eq!(WAITS.map(|wait| waiting.count(wait)), [6, 1, 0, 0]);
        let mut order = Vec::new();
        while let Some((id, since)) = waiting.first(&slab, Wait::Idle) {
            order.push((id, since));
            waiting.leave(&mut slab, id);
        }
        assert_eq!(order, [(2, 2), (3, 3), (4, 4), (6, 6), (8, 8), (1, 20)]);
        assert_eq!(waiting.first(&slab, Wait::Request), Some((7, 21)));
        assert_eq!(waiting.first(&slab, Wait::Output), None);
    }
}
