//! The peers of one torrent in one address family: dense arrays, in three runs one behind the other.
//!
//! ```text
//! keys:  seeders | partial seeds | leechers      ids: the same order, if ids are kept
//! ```
//!
//! So "leechers only" is a range, the counts are lengths, and every operation moves at most three peers. An insertion
//! moves peers from the front of a run to its end, a removal from the end of a run to where the gap is.

use smallvec::{Array, SmallVec};

use crate::clock::Moment;
use crate::dense::{BLOCK, Dense, room_for};
use crate::extra::{Extra, Rare};
use crate::hasher::Hasher;
use crate::index::Index;
use crate::key::Key;
use crate::{PeerId, PeerState};

mod walk;

/// From so many peers on there is an index: below, a linear search is as fast and costs no memory.
const INDEXED_FROM: usize = 192;
/// Below so many the index goes away again.
const PLAIN_BELOW: usize = 96;

/// See the module's documentation.
pub(crate) struct Family<A: Array, X = ()> {
    /// The first [`BLOCK`] of them.
    keys: SmallVec<A>,
    /// Ids if they are kept, and what few swarms need.
    extra: Option<Box<Extra<A::Item, X>>>,
    seeders: u32,
    /// When the last sweep began, in the units of [`Moment::swept`]: every peer was fresh then, or is just stale.
    swept: u32,
}

impl<A: Array, X> std::fmt::Debug for Family<A, X> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Family({} seeders of {} peers)", self.seeders, self.keys.len())
    }
}

/// Lengths of the first two runs.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Runs {
    seeders: usize,
    partial: usize,
}

impl Runs {
    fn leechers_from(self) -> usize {
        self.seeders + self.partial
    }
}

/// The peers among whom an asker's are chosen.
#[derive(Debug)]
pub(crate) struct Candidates<'a, K> {
    /// All peers of the family; those who may be chosen stand from `from` on.
    pub(crate) keys: Dense<'a, K>,
    pub(crate) from: usize,
    /// Those of all peers; empty where no ids are kept, or wanted.
    pub(crate) ids: Dense<'a, PeerId>,
    /// Where the asker itself stands, counted from `from`.
    pub(crate) asker: Option<usize>,
}

impl<A: Array<Item: Key> + 'static, X: Default> Family<A, X> {
    pub(crate) fn new(now: &Moment) -> Self {
        Family { keys: SmallVec::new(), extra: None, seeders: 0, swept: now.swept() }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        match self.keys.len() {
            BLOCK => BLOCK + self.rare().map_or(0, |rare| rare.keys.len()),
            len => len,
        }
    }

    pub(crate) fn seeders(&self) -> u32 {
        self.seeders
    }

    pub(crate) fn partial(&self) -> u32 {
        self.rare().map_or(0, |rare| rare.partial)
    }

    /// What stands beside this family, if anything has been put there.
    pub(crate) fn beside(&self) -> Option<&X> {
        self.extra.as_ref().map(|extra| &extra.beside)
    }

    pub(crate) fn beside_mut(&mut self) -> Option<&mut X> {
        self.extra.as_mut().map(|extra| &mut extra.beside)
    }

    pub(crate) fn make_beside(&mut self) -> &mut X {
        &mut self.extra.get_or_insert_default().beside
    }

    #[inline]
    pub(crate) fn keys(&self) -> Dense<'_, A::Item> {
        let behind = if self.keys.len() == BLOCK { self.rare() } else { None };
        Dense::new(&self.keys, behind.map(|rare| &rare.keys))
    }

    #[inline]
    pub(crate) fn key(&self, at: usize) -> &A::Item {
        if at < BLOCK { &self.keys[at] } else { self.keys().get(at) }
    }

    /// The ids in the order of the keys; empty where none are kept.
    pub(crate) fn ids(&self) -> Dense<'_, PeerId> {
        let first = self.extra.as_ref().map_or(&[][..], |extra| &extra.ids);
        Dense::new(first, self.rare().map(|rare| &rare.ids))
    }

    #[inline]
    fn key_mut(&mut self, at: usize) -> &mut A::Item {
        if at < BLOCK { &mut self.keys[at] } else { self.make_rare().keys.get_mut(at) }
    }

    /// The id at `at`, if any are kept.
    fn id_mut(&mut self, at: usize) -> Option<&mut PeerId> {
        let extra = self.extra.as_mut()?;
        if extra.ids.is_empty() {
            return None;
        }
        if at < BLOCK { extra.ids.get_mut(at) } else { Some(extra.rare.as_mut()?.ids.get_mut(at)) }
    }

    fn index(&self) -> Option<&Index> {
        self.rare()?.index.as_ref()
    }

    fn rare(&self) -> Option<&Rare<A::Item>> {
        self.extra.as_ref()?.rare.as_deref()
    }

    fn make_rare(&mut self) -> &mut Rare<A::Item> {
        self.extra.get_or_insert_default().rare.get_or_insert_default()
    }

    fn runs(&self) -> Runs {
        Runs { seeders: self.seeders as usize, partial: self.partial() as usize }
    }

    fn set_runs(&mut self, runs: Runs) {
        self.seeders = runs.seeders as u32;
        if runs.partial as u32 != self.partial() {
            self.make_rare().partial = runs.partial as u32;
        }
    }

    #[inline]
    pub(crate) fn state(&self, at: usize) -> PeerState {
        let runs = self.runs();
        if at < runs.seeders {
            PeerState::Seeder
        } else if at < runs.leechers_from() {
            PeerState::PartialSeed
        } else {
            PeerState::Leecher
        }
    }

    /// Where a peer stands.
    #[inline]
    pub(crate) fn find(&self, peer: &A::Item, hasher: &Hasher) -> Option<usize> {
        match self.index() {
            None => position(&self.keys, peer),
            Some(index) => {
                let keys = self.keys();
                index.find(peer.hash(hasher), |at| keys.get(at).is_peer(peer))
            }
        }
    }

    /// To be called before anything else is done at `now`: keeps stamps from wrapping round where sweeps are very late.
    #[inline]
    pub(crate) fn refresh(&mut self, now: &Moment) {
        if now.must_renew(self.swept) {
            self.renew(now);
        }
    }

    #[cold]
    fn renew(&mut self, now: &Moment) {
        let all_stale = now.outlives_all(self.swept);
        for at in 0..self.len() {
            let key = self.key_mut(at);
            if all_stale {
                // their stamps may have wrapped round
                *key = key.stamped(now.just_stale());
            } else {
                settle(key, now);
            }
        }
        self.swept = now.swept();
    }

    /// Whom an asker of this `state`, standing at `asker`, may be given: a leecher everybody, the others leechers only.
    /// Their ids are in it if they are wanted.
    #[inline]
    pub(crate) fn candidates(
        &self,
        state: PeerState,
        asker: Option<usize>,
        want_ids: bool,
    ) -> Candidates<'_, A::Item> {
        let from = match state {
            PeerState::Leecher => 0,
            PeerState::Seeder | PeerState::PartialSeed => self.runs().leechers_from(),
        };
        let asker = asker.and_then(|at| at.checked_sub(from));
        let ids = if want_ids { self.ids() } else { Dense::new(&[], None) };
        Candidates { keys: self.keys(), from, ids, asker }
    }

    /// Puts a peer in, or refreshes it at `at`, where [`Family::find`] has found it. Returns where it stands then.
    #[inline]
    pub(crate) fn put(
        &mut self,
        at: Option<usize>,
        peer: A::Item,
        id: Option<&PeerId>,
        state: PeerState,
        now: &Moment,
        hasher: &Hasher,
    ) -> usize {
        // nearly every announce is of somebody who is in, and stays what it is
        if let Some(at) = at
            && at < BLOCK
            && self.state(at) == state
        {
            self.keys[at] = peer;
            if let (Some(id), Some(extra)) = (id, &mut self.extra)
                && let Some(kept) = extra.ids.get_mut(at)
            {
                *kept = *id;
            }
            return at;
        }
        self.put_anew(at, peer, id, state, now, hasher)
    }

    #[inline(never)]
    fn put_anew(
        &mut self,
        at: Option<usize>,
        peer: A::Item,
        id: Option<&PeerId>,
        state: PeerState,
        now: &Moment,
        hasher: &Hasher,
    ) -> usize {
        let at = match at {
            Some(at) => {
                *self.key_mut(at) = peer;
                if let Some(id) = id
                    && let Some(kept) = self.id_mut(at)
                {
                    *kept = *id;
                }
                if self.state(at) == state {
                    return at;
                }
                let at = self.make_leecher(at, now, hasher);
                self.note_moved(at, PeerState::Leecher);
                at
            }
            None => self.push(peer, id, hasher),
        };
        self.promote(at, state, now, hasher)
    }

    /// Takes the peer at `at` out. The last of its run fills the gap, and so on up to the last of all.
    pub(crate) fn remove(&mut self, at: usize, hasher: &Hasher) {
        let (keys, index) = self.indexed();
        if let Some(index) = index {
            let hash_of = |at: u32| keys.get(at as usize).hash(hasher);
            index.remove(hash_of(at as u32), at as u32, hash_of);
        }
        let mut gap = at;
        let mut runs = self.runs();
        if gap < runs.leechers_from() {
            if gap < runs.seeders {
                runs.seeders -= 1;
                self.fill(gap, runs.seeders, hasher);
                gap = runs.seeders;
            } else {
                runs.partial -= 1;
            }
            self.fill(gap, runs.leechers_from(), hasher);
            gap = runs.leechers_from();
            self.set_runs(runs);
        }
        let last = self.len() - 1;
        self.note_place(last, gap, hasher);
        self.swap_remove(gap, last);
        self.shrink();
    }

    /// The peer at `from` takes the place of one that is not in the index.
    fn fill(&mut self, gap: usize, from: usize, hasher: &Hasher) {
        if gap == from {
            return;
        }
        self.note_place(from, gap, hasher);
        *self.key_mut(gap) = *self.key(from);
        if let Some(&mut id) = self.id_mut(from)
            && let Some(kept) = self.id_mut(gap)
        {
            *kept = id;
        }
    }

    /// Has the index find the peer at `from` where it goes to.
    fn note_place(&mut self, from: usize, to: usize, hasher: &Hasher) {
        if from == to {
            return;
        }
        let (keys, index) = self.indexed();
        if let Some(index) = index {
            index.relocate(keys.get(from).hash(hasher), from as u32, to as u32);
        }
    }

    /// All keys, and the index if there is one.
    fn indexed(&mut self) -> (Dense<'_, A::Item>, Option<&mut Index>) {
        let first = Dense::new(&self.keys, None);
        match self.extra.as_mut().and_then(|extra| extra.rare.as_deref_mut()) {
            Some(Rare { index, keys, .. }) => (first.with(keys), index.as_mut()),
            None => (first, None),
        }
    }

    /// The last one takes the place of the one at `at`.
    fn swap_remove(&mut self, at: usize, last: usize) {
        if last < BLOCK {
            self.keys.swap_remove(at);
            if let Some(extra) = self.extra.as_mut().filter(|extra| !extra.ids.is_empty()) {
                extra.ids.swap_remove(at);
            }
            return;
        }
        let rare = self.make_rare();
        let (key, id) = (rare.keys.pop(), rare.ids.pop());
        if at != last {
            if let Some(key) = key {
                *self.key_mut(at) = key;
            }
            if let (Some(id), Some(kept)) = (id, self.id_mut(at)) {
                *kept = id;
            }
        }
    }

    fn push(&mut self, peer: A::Item, id: Option<&PeerId>, hasher: &Hasher) -> usize {
        let at = self.len();
        if at < BLOCK {
            if at == self.keys.capacity() {
                let room = room_for(at + 1, size_of::<A::Item>()).min(BLOCK);
                self.keys.reserve_exact(room - at);
            }
            self.keys.push(peer);
        } else {
            self.make_rare().keys.push(peer);
        }
        if let Some(id) = id {
            let extra = self.extra.get_or_insert_default();
            if at < BLOCK {
                if at == extra.ids.capacity() {
                    let room = room_for(at + 1, size_of::<PeerId>()).min(BLOCK);
                    extra.ids.reserve_exact(room - at);
                }
                extra.ids.push(*id);
            } else {
                self.make_rare().ids.push(*id);
            }
        }
        if at < INDEXED_FROM && self.index().is_none() {
            return at;
        }
        let first = Dense::new(&self.keys, None);
        let rare = self.extra.get_or_insert_default().rare.get_or_insert_default();
        let keys = first.with(&rare.keys);
        let hash_of = |at: u32| keys.get(at as usize).hash(hasher);
        match &mut rare.index {
            Some(index) => index.insert(peer.hash(hasher), at as u32, hash_of),
            index => *index = Some(Index::of(at as u32 + 1, hash_of)),
        }
        at
    }

    /// Moves a leecher at `at` into the run of `state`; returns where it stands then.
    fn promote(&mut self, mut at: usize, state: PeerState, now: &Moment, hasher: &Hasher) -> usize {
        if state == PeerState::Leecher {
            return at;
        }
        let mut runs = self.runs();
        let from = at;
        at = self.swap_up(runs.leechers_from(), at, now, hasher);
        self.note_moved(from, PeerState::Leecher);
        runs.partial += 1;
        if state == PeerState::Seeder {
            let from = at;
            at = self.swap_up(runs.seeders, at, now, hasher);
            self.note_moved(from, PeerState::PartialSeed);
            runs.partial -= 1;
            runs.seeders += 1;
        }
        self.set_runs(runs);
        at
    }

    /// Moves any peer into the run of leechers; returns where it stands then.
    fn make_leecher(&mut self, mut at: usize, now: &Moment, hasher: &Hasher) -> usize {
        let mut runs = self.runs();
        if at >= runs.leechers_from() {
            return at;
        }
        if at < runs.seeders {
            runs.seeders -= 1;
            runs.partial += 1;
            self.swap_up(at, runs.seeders, now, hasher);
            at = runs.seeders;
        }
        runs.partial -= 1;
        self.swap_up(at, runs.leechers_from(), now, hasher);
        self.set_runs(runs);
        runs.leechers_from()
    }

    /// Swaps `low` and `high`, and returns `low`. A sweep that runs from high to low in several steps does not see a
    /// peer that moves up past it, so one that is stale gets a stamp that is safe until the next.
    fn swap_up(&mut self, low: usize, high: usize, now: &Moment, hasher: &Hasher) -> usize {
        self.swap(low, high, hasher);
        settle(self.key_mut(high), now);
        low
    }

    fn swap(&mut self, a: usize, b: usize, hasher: &Hasher) {
        if a == b {
            return;
        }
        let (key_a, key_b) = (*self.keys().get(a), *self.keys().get(b));
        if let Some(index) = self.extra.as_mut().and_then(|extra| extra.index_mut()) {
            index.swap(key_a.hash(hasher), a as u32, key_b.hash(hasher), b as u32);
        }
        *self.key_mut(a) = key_b;
        *self.key_mut(b) = key_a;
        if let Some(&mut id_a) = self.id_mut(a)
            && let Some(id_b) = self.id_mut(b).map(|id| std::mem::replace(id, id_a))
            && let Some(id) = self.id_mut(a)
        {
            *id = id_b;
        }
    }

    /// Gives memory back, seldom, so that few removals copy. Blocks go when they are empty.
    fn shrink(&mut self) {
        let len = self.keys.len();
        if self.keys.spilled() && len * 2 < self.keys.capacity() {
            // in spite of its name it shrinks too, in place where the allocator can
            self.keys.grow(len + len / 8);
            if let Some(extra) = &mut self.extra {
                extra.ids.shrink_to(len + len / 8);
            }
        }
        if len < PLAIN_BELOW
            && let Some(rare) = self.extra.as_mut().and_then(|extra| extra.rare.as_mut())
        {
            rare.index = None;
        }
    }
}

/// Where among `keys` a peer stands: eight are compared at once, without a branch.
#[inline]
fn position<K: Key>(keys: &[K], peer: &K) -> Option<usize> {
    let (blocks, rest) = keys.as_chunks::<8>();
    for (at, block) in blocks.iter().enumerate() {
        if block.iter().fold(false, |found, key| found | key.is_peer(peer)) {
            return block.iter().position(|key| key.is_peer(peer)).map(|within| at * 8 + within);
        }
    }
    rest.iter().position(|key| key.is_peer(peer)).map(|within| blocks.len() * 8 + within)
}

/// A stale peer that is kept until a sweep finds it gets the youngest stale stamp there is.
fn settle<K: Key>(key: &mut K, now: &Moment) {
    if now.is_stale(key.stamp()) {
        *key = key.stamped(now.just_stale());
    }
}
