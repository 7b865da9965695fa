//! Who is handed out: `numwant` of a swarm's peers, in time that depends on `numwant` and not on the swarm.

use std::ops::Range;

use rand_core::Rng;

use crate::clock::Moment;
use crate::dense::Dense;
use crate::family::Candidates;
use crate::key::{Key, Nearness};
use crate::{PeerId, Reach};

/// The policy by which peers are chosen for an asker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Selection {
    /// Every other peer is equally likely, and every set of them.
    #[default]
    Uniform,
    /// Up to half of the answer are peers near the asker, as far as there are any: first those of the same /24 (IPv4) or
    /// /48 (IPv6), then those of the same /16 or /32. The rest is chosen at random among all others, so that a swarm does
    /// not fall into islands. Near peers are looked for among 8,192 neighbours in the swarm's arrays, from a random
    /// place on: among all of them in a smaller swarm.
    NearFirst,
}

/// How many peers `NearFirst` looks at.
const WINDOW: usize = 8192;
/// How many peers are looked at where draws find nobody: more would take longer than anybody should wait.
const SEARCHED: usize = 1 << 16;
/// Bytes that remember what has been drawn; a swarm up to that size needs no second look.
const MARKS: usize = 4096;

/// Working memory of a selection, to be used again.
#[derive(Clone, Debug)]
pub(crate) struct Scratch {
    /// Positions handed out, in their order.
    taken: Vec<u32>,
    /// All positions that there are to choose from, where they are looked through.
    all: Vec<u32>,
    /// Near peers found: of the same network, of the same region.
    near: [Vec<u32>; 2],
    /// A position is marked whose byte is this selection's number.
    marks: Box<[u8; MARKS]>,
    number: u8,
}

impl Default for Scratch {
    fn default() -> Self {
        Scratch {
            taken: Vec::new(),
            all: Vec::new(),
            near: [Vec::new(), Vec::new()],
            marks: Box::new([0; MARKS]),
            number: 0,
        }
    }
}

/// A place among `n`, each as likely as another to within `n` in 2^32.
#[inline]
fn place(random: u32, n: usize) -> u32 {
    ((u64::from(random) * n as u64) >> 32) as u32
}

/// What a peer must be to be handed out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fit {
    pub(crate) now: Moment,
    /// The asker is elsewhere: peers that it could not connect to are not for it.
    pub(crate) only_global: bool,
}

impl Fit {
    #[inline(always)]
    fn is_met_by<K: Key>(&self, key: &K) -> bool {
        if self.only_global { self.is_met_globally_by(key) } else { self.is_met_anywhere_by(key) }
    }

    #[inline(always)]
    fn is_met_globally_by<K: Key>(&self, key: &K) -> bool {
        self.is_met_anywhere_by(key) & (key.reach() == Reach::Global)
    }

    #[inline(always)]
    fn is_met_anywhere_by<K: Key>(&self, key: &K) -> bool {
        !self.now.is_stale(key.stamp())
    }
}

/// Appends up to `want` of the candidates to `out`, in compact form, and their ids to `ids` if there are any and they
/// are wanted; returns how many. `asker` is the asker's own key where nearness is to count.
#[allow(clippy::too_many_arguments)]
pub(crate) fn select<K: Key, R: Rng>(
    candidates: &Candidates<'_, K>,
    asker: Option<&K>,
    want: usize,
    fit: &Fit,
    rng: &mut R,
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
    ids: Option<&mut Vec<PeerId>>,
) -> usize {
    let Candidates { keys, from, .. } = *candidates;
    match keys.as_slice() {
        Some(keys) => among(&keys[from..], candidates, asker, want, fit, rng, scratch, out, ids),
        None => among(Behind { keys, from }, candidates, asker, want, fit, rng, scratch, out, ids),
    }
}

#[allow(clippy::too_many_arguments)]
#[inline(never)]
fn among<K: Key, P: Places<Key = K>, R: Rng>(
    keys: P,
    candidates: &Candidates<'_, K>,
    asker: Option<&K>,
    want: usize,
    fit: &Fit,
    rng: &mut R,
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
    ids: Option<&mut Vec<PeerId>>,
) -> usize {
    let others = keys.count() - usize::from(candidates.asker.is_some());
    let want = want.min(others);
    if want == 0 {
        return 0;
    }
    let start = out.len();
    out.resize(start + (want + 1) * K::COMPACT + K::SLACK, 0);
    let sheet = Sheet { bytes: &mut out[start..], end: 0 };
    let written = if ids.is_none() && others == want {
        hand_out_all(keys, candidates.asker, fit, sheet)
    } else {
        let ids = ids.filter(|_| candidates.ids.len() > 0);
        let mut draw =
            Draw { keys, asker: candidates.asker, fit, scratch, sheet, keeps_places: ids.is_some() };
        draw.scratch.taken.clear();
        draw.draw(asker, want, rng);
        if let Some(ids) = ids {
            let id = |&at: &u32| *candidates.ids.get(candidates.from + at as usize);
            ids.extend(draw.scratch.taken.iter().map(id));
        }
        draw.sheet.end
    };
    out.truncate(start + written);
    written / K::COMPACT
}

/// Peers by position. Most swarms lie in one slice, and are not to pay for those that don't.
trait Places: Copy {
    type Key: Key;

    fn count(&self) -> usize;
    fn at(&self, at: usize) -> &Self::Key;
    fn for_each(&self, range: Range<usize>, visit: impl FnMut(&Self::Key));
    /// Whether all pass a test. Looks at every one, which is faster than to stop.
    fn all(&self, test: impl Fn(&Self::Key) -> bool) -> bool;
}

impl<K: Key> Places for &[K] {
    type Key = K;

    #[inline(always)]
    fn count(&self) -> usize {
        self.len()
    }

    #[inline(always)]
    fn at(&self, at: usize) -> &K {
        &self[at]
    }

    #[inline(always)]
    fn for_each(&self, range: Range<usize>, visit: impl FnMut(&K)) {
        self[range].iter().for_each(visit);
    }

    #[inline(always)]
    fn all(&self, test: impl Fn(&K) -> bool) -> bool {
        self.iter().fold(true, |all, key| all & test(key))
    }
}

/// The peers of a large swarm from a position on.
#[derive(Debug)]
struct Behind<'a, K> {
    keys: Dense<'a, K>,
    from: usize,
}

impl<K> Clone for Behind<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Behind<'_, K> {}

impl<K: Key> Places for Behind<'_, K> {
    type Key = K;

    fn count(&self) -> usize {
        self.keys.len() - self.from
    }

    #[inline(always)]
    fn at(&self, at: usize) -> &K {
        self.keys.get(self.from + at)
    }

    fn for_each(&self, range: Range<usize>, visit: impl FnMut(&K)) {
        self.keys.slices(self.from + range.start..self.from + range.end).flatten().for_each(visit);
    }

    fn all(&self, test: impl Fn(&K) -> bool) -> bool {
        self.keys.slices(self.from..self.keys.len()).flatten().all(test)
    }
}

/// Where an answer is written: room for all that are wanted, for one that does not count behind them, and for what that
/// writes too much.
struct Sheet<'a> {
    bytes: &'a mut [u8],
    end: usize,
}

impl Sheet<'_> {
    /// Writes a peer, to be written over by the next unless it `counts`.
    #[inline(always)]
    fn put<K: Key>(&mut self, key: &K, counts: bool) {
        // one check of bounds, in the place of one here and one there
        key.write_compact(&mut self.bytes[self.end..self.end + K::COMPACT + K::SLACK]);
        self.end += K::COMPACT * usize::from(counts);
    }
}

/// The answer where everybody fits in; returns its length.
fn hand_out_all<P: Places>(keys: P, asker: Option<usize>, fit: &Fit, sheet: Sheet<'_>) -> usize {
    let fit = *fit;
    if fit.only_global {
        hand_out_those(keys, asker, sheet, |key| fit.is_met_globally_by(key))
    } else {
        hand_out_those(keys, asker, sheet, |key| fit.is_met_anywhere_by(key))
    }
}

#[inline(always)]
fn hand_out_those<P: Places>(
    keys: P,
    asker: Option<usize>,
    mut sheet: Sheet<'_>,
    test: impl Fn(&P::Key) -> bool,
) -> usize {
    let count = keys.count();
    let asker = asker.unwrap_or(count);
    let mut put = |key: &P::Key| sheet.put(key, test(key));
    keys.for_each(0..asker, &mut put);
    keys.for_each(count.min(asker + 1)..count, &mut put);
    sheet.end
}

/// One selection under way. Positions are those in `keys`.
struct Draw<'a, P> {
    keys: P,
    asker: Option<usize>,
    fit: &'a Fit,
    scratch: &'a mut Scratch,
    sheet: Sheet<'a>,
    /// Whether it matters afterwards who stands where in the answer.
    keeps_places: bool,
}

impl<P: Places> Draw<'_, P> {
    /// Hands out `want` peers, or as many as there are.
    fn draw<R: Rng>(&mut self, asker: Option<&P::Key>, want: usize, rng: &mut R) {
        let len = self.keys.count();
        if asker.is_none() && len < 2 * want && len <= MARKS && self.all_are_fit() {
            return self.leave_out(want, rng);
        }
        self.clear_marks();
        if let Some(asker) = asker {
            self.take_near(asker, want / 2, rng);
        }
        if len >= 2 * want {
            self.take_some(want, rng);
        }
        if self.scratch.taken.len() < want {
            self.take_from_all(want, rng);
        }
    }

    fn clear_marks(&mut self) {
        self.scratch.number = self.scratch.number.wrapping_add(1);
        if self.scratch.number == 0 {
            self.scratch.marks.fill(0);
            self.scratch.number = 1;
        }
    }

    /// Whether the peer at `at` may be handed out at all.
    #[inline(always)]
    fn is_fit(&self, at: usize) -> bool {
        Some(at) != self.asker && self.fit.is_met_by(self.keys.at(at))
    }

    fn all_are_fit(&self) -> bool {
        let fit = *self.fit;
        if fit.only_global {
            self.keys.all(|key| fit.is_met_globally_by(key))
        } else {
            self.keys.all(|key| fit.is_met_anywhere_by(key))
        }
    }

    #[inline(always)]
    fn take(&mut self, at: u32) {
        self.sheet.put(self.keys.at(at as usize), true);
        self.scratch.taken.push(at);
    }

    /// Marks a position; false if it had been marked before. Above [`MARKS`] two positions share a mark, so that one which
    /// seems to be marked is looked for among those `taken`.
    #[inline(always)]
    fn mark(&mut self, at: u32, taken: &[u32]) -> bool {
        let mark = &mut self.scratch.marks[at as usize % MARKS];
        let is_new = *mark != self.scratch.number;
        *mark = self.scratch.number;
        is_new || self.keys.count() > MARKS && !taken.contains(&at)
    }

    /// Takes up to `want` peers near the asker.
    fn take_near<R: Rng>(&mut self, asker: &P::Key, want: usize, rng: &mut R) {
        let len = self.keys.count();
        self.scratch.near.iter_mut().for_each(Vec::clear);
        let start = if len > WINDOW { place(rng.next_u32(), len) as usize } else { 0 };
        for range in around(start, len, WINDOW) {
            let mut at = range.start;
            self.keys.for_each(range, |key| {
                let near = match key.nearness(asker) {
                    Nearness::Far => None,
                    Nearness::Network => Some(0),
                    Nearness::Region => Some(1),
                };
                if let Some(near) = near
                    && Some(at) != self.asker
                    && self.fit.is_met_by(key)
                {
                    self.scratch.near[near].push(at as u32);
                }
                at += 1;
            });
        }
        for near in 0..2 {
            let mut found = std::mem::take(&mut self.scratch.near[near]);
            let missing = want - self.scratch.taken.len();
            for &mut at in shuffle_out(&mut found, missing, rng) {
                self.mark(at, &[]);
                self.take(at);
            }
            self.scratch.near[near] = found;
        }
    }

    /// Draws peers at random, and draws again where one has been drawn before: less than two draws a peer where at least
    /// twice as many are there. Gives up where so many are stale, since no sweep has come by, that it takes far more.
    fn take_some<R: Rng>(&mut self, want: usize, rng: &mut R) {
        let len = self.keys.count();
        let mut words = 2 * want + 32;
        let mut taken = std::mem::take(&mut self.scratch.taken);
        let mut count = taken.len();
        // every draw is put down, and written over by the next unless it counts
        taken.resize(want + 2, 0);
        while count < want && words > 0 {
            let before = count;
            while count < want && words > 0 {
                words -= 1;
                let random = rng.next_u64();
                for at in [place(random as u32, len), place((random >> 32) as u32, len)] {
                    taken[count] = at;
                    count += usize::from(self.mark(at, &taken[..count]));
                }
            }
            // the last draw may have been one too many
            count = count.min(want);
            count = before + self.write_fit(&mut taken[before..count]);
        }
        taken.truncate(count);
        self.scratch.taken = taken;
    }

    /// Writes those that are fit among the peers at `places`, which they are moved to the front of; returns how many
    /// they are. Nothing here depends on what was read before, so that the waits for memory overlap.
    fn write_fit(&mut self, places: &mut [u32]) -> usize {
        let fit = *self.fit;
        if fit.only_global {
            self.write_if(places, |key| fit.is_met_globally_by(key))
        } else {
            self.write_if(places, |key| fit.is_met_anywhere_by(key))
        }
    }

    #[inline(always)]
    fn write_if(&mut self, places: &mut [u32], test: impl Fn(&P::Key) -> bool) -> usize {
        let asker = self.asker.map_or(u32::MAX, |at| at as u32);
        let mut kept = 0;
        for i in 0..places.len() {
            let at = places[i];
            let key = self.keys.at(at as usize);
            let is_fit = (at != asker) & test(key);
            self.sheet.put(key, is_fit);
            places[kept] = at;
            kept += usize::from(is_fit);
        }
        kept
    }

    /// Where nearly everybody fits in, it takes fewer draws to choose those who don't. For swarms of which all are fit.
    fn leave_out<R: Rng>(&mut self, want: usize, rng: &mut R) {
        self.clear_marks();
        let len = self.keys.count();
        let mut surplus = len - want; // the asker among them
        if let Some(asker) = self.asker {
            self.mark(asker as u32, &[]);
            surplus -= 1;
        }
        while surplus > 0 {
            surplus -= usize::from(self.mark(place(rng.next_u32(), len), &[]));
        }
        let Scratch { taken, marks, number, .. } = &mut *self.scratch;
        let sheet = &mut self.sheet;
        let all_marks = &*marks;
        let mut marks = all_marks.iter();
        self.keys.for_each(0..len, |key| sheet.put(key, marks.next().is_some_and(|mark| mark != number)));
        if self.keeps_places {
            taken.extend((0..len as u32).filter(|&at| all_marks[at as usize % MARKS] != *number));
        }
    }

    /// The slow and sure way: looks at everybody, and chooses among those who are fit and not yet taken. In a huge swarm,
    /// of which nearly nobody is fit then, it looks at [`SEARCHED`] neighbours from a random place on.
    fn take_from_all<R: Rng>(&mut self, want: usize, rng: &mut R) {
        let len = self.keys.count();
        let start = if len > SEARCHED { place(rng.next_u32(), len) as usize } else { 0 };
        self.clear_marks();
        for i in 0..self.scratch.taken.len() {
            self.mark(self.scratch.taken[i], &[]);
        }
        let mut all = std::mem::take(&mut self.scratch.all);
        all.clear();
        for at in around(start, len, SEARCHED).into_iter().flatten() {
            let may_be_taken = self.scratch.marks[at % MARKS] == self.scratch.number;
            if self.is_fit(at) && !(may_be_taken && self.scratch.taken.contains(&(at as u32))) {
                all.push(at as u32);
            }
        }
        let missing = want - self.scratch.taken.len();
        for &mut at in shuffle_out(&mut all, missing, rng) {
            self.take(at);
        }
        self.scratch.all = all;
    }
}

/// Up to `window` places of `len` from `start` on, and from the beginning on behind the last.
fn around(start: usize, len: usize, window: usize) -> [Range<usize>; 2] {
    let end = len.min(start + window);
    [start..end, 0..start.min(window - (end - start))]
}

/// Brings `want` elements chosen at random to the front, or all where there are fewer, and returns them.
fn shuffle_out<'a, R: Rng>(from: &'a mut [u32], want: usize, rng: &mut R) -> &'a mut [u32] {
    let want = want.min(from.len());
    for i in 0..want {
        let other = i + place(rng.next_u32(), from.len() - i) as usize;
        from.swap(i, other);
    }
    &mut from[..want]
}
