//! Going through all peers of a family in steps, from the end down, while others come and go: sweeps and copies.

use smallvec::Array;

use super::Family;
use crate::PeerState;
use crate::clock::Moment;
use crate::extra::Copied;
use crate::hasher::Hasher;
use crate::key::Key;

/// What the removal of a peer costs in a sweep, where a look at one costs 1.
const REMOVAL: usize = 8;

impl<A: Array<Item: Key> + 'static, X: Default> Family<A, X> {
    /// The peer at `at` has come there from below.
    pub(super) fn note_moved(&mut self, at: usize, state: PeerState) {
        if self.rare().is_none_or(|rare| rare.moved.is_none()) {
            return;
        }
        let key = *self.keys().get(at);
        let id = (self.ids().len() > 0).then(|| *self.ids().get(at));
        if let Some(moved) = &mut self.make_rare().moved {
            moved.keys.push(key);
            moved.states.push(state);
            moved.ids.extend(id);
        }
    }

    /// Copies peers from below `from` down, `budget` of them at the most. Returns where to go on, `None` when all are done.
    pub(crate) fn copy(
        &mut self,
        from: usize,
        budget: &mut usize,
        out: &mut Copied<A::Item>,
    ) -> Option<usize> {
        let from = from.min(self.len());
        let end = from.saturating_sub(*budget);
        *budget -= from - end;
        self.keys().slices(end..from).for_each(|keys| out.keys.extend_from_slice(keys));
        let runs = self.runs();
        let within = |from_run: usize, to_run: usize| to_run.clamp(end, from) - from_run.clamp(end, from);
        for (state, count) in [
            (PeerState::Seeder, within(0, runs.seeders)),
            (PeerState::PartialSeed, within(runs.seeders, runs.leechers_from())),
            (PeerState::Leecher, within(runs.leechers_from(), from)),
        ] {
            out.states.extend(std::iter::repeat_n(state, count));
        }
        if self.ids().len() > 0 {
            self.ids().slices(end..from).for_each(|ids| out.ids.extend_from_slice(ids));
        }
        if end == 0 {
            let rare = self.extra.as_mut().and_then(|extra| extra.rare.as_mut());
            if let Some(mut moved) = rare.and_then(|rare| rare.moved.take()) {
                out.append(&mut moved);
            }
            return None;
        }
        self.make_rare().moved.get_or_insert_default();
        Some(end)
    }

    /// Sweeps peers from below `from` down until the budget is spent, a peer costing 1 and its removal [`REMOVAL`].
    /// Returns how many were removed, and where to go on; `None` when all are done: this family's last sweep is the
    /// one that `began` then. Those that go are shown to `gone`.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn sweep(
        &mut self,
        from: usize,
        budget: &mut usize,
        began: u32,
        now: &Moment,
        hasher: &Hasher,
        mut gone: impl FnMut(&A::Item),
    ) -> (usize, Option<usize>) {
        let mut at = from.min(self.len());
        let mut removed = 0;
        while at > 0 && *budget > 0 {
            let end = at.saturating_sub(*budget);
            let stale = |key: &A::Item| now.is_stale(key.stamp());
            let fresh = self.keys().slices(end..at).rev().flat_map(|keys| keys.iter().rev());
            let passed = fresh.take_while(|key| !stale(key)).count();
            at -= passed;
            *budget -= passed;
            if at == end {
                break;
            }
            at -= 1;
            *budget -= 1;
            gone(self.keys().get(at));
            // what comes into the gap was above and has been looked at
            self.remove(at, hasher);
            removed += 1;
            *budget = budget.saturating_sub(REMOVAL);
        }
        if at > 0 {
            return (removed, Some(at));
        }
        // the stamps may have been renewed meanwhile
        if began.wrapping_sub(self.swept) < u32::MAX / 2 {
            self.swept = began;
        }
        (removed, None)
    }
}
