//! Who is handed out: `numwant` of a swarm's peers, in time that depends on `numwant` and not on the swarm.

use rand_core::Rng;

use crate::PeerId;
use crate::clock::Moment;
use crate::family::Candidates;
use crate::key::{Key, Nearness};

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
/// Bits that remember what has been drawn; a swarm up to that size needs no second look.
const MARKS: usize = 4096;

/// Working memory of a selection, to be used again.
#[derive(Clone, Debug)]
pub(crate) struct Scratch {
    /// Positions drawn and not yet looked at, or all there is to draw from.
    drawn: Vec<u32>,
    /// Positions taken, in the order in which they are handed out.
    taken: Vec<u32>,
    /// Near peers found: of the same network, of the same region.
    near: [Vec<u32>; 2],
    marks: Box<[u64; MARKS / 64]>,
}

impl Default for Scratch {
    fn default() -> Self {
        Scratch {
            drawn: Vec::new(),
            taken: Vec::new(),
            near: [Vec::new(), Vec::new()],
            marks: Box::new([0; MARKS / 64]),
        }
    }
}

/// A place among `n`, each as likely as another to within `n` in 2^32.
#[inline]
fn place(random: u32, n: usize) -> u32 {
    ((u64::from(random) * n as u64) >> 32) as u32
}

/// Appends up to `want` of the candidates to `out`, in compact form, and their ids to `ids` if there are any and they
/// are wanted; returns how many. `asker` is the asker's own key where nearness is to count.
#[allow(clippy::too_many_arguments)]
pub(crate) fn select<K: Key, R: Rng>(
    candidates: &Candidates<'_, K>,
    asker: Option<&K>,
    want: usize,
    now: &Moment,
    rng: &mut R,
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
    ids: Option<&mut Vec<PeerId>>,
) -> usize {
    let keys = candidates.keys;
    if want == 0 || keys.is_empty() {
        return 0;
    }
    if ids.is_none() && keys.len() <= want + usize::from(candidates.asker.is_some()) {
        return hand_out_all(candidates, now, out);
    }
    let mut draw = Draw { keys, asker: candidates.asker, now, scratch };
    draw.begin();
    if let Some(asker) = asker {
        draw.take_near(asker, want / 2, rng);
    }
    draw.take_uniform(want, rng);
    let taken = &draw.scratch.taken;
    out.reserve(taken.len() * K::COMPACT);
    for &at in taken {
        keys[at as usize].push_compact(out);
    }
    if let Some(ids) = ids {
        ids.extend(taken.iter().filter_map(|&at| candidates.ids.get(at as usize)));
    }
    taken.len()
}

/// The answer where everybody fits in.
fn hand_out_all<K: Key>(candidates: &Candidates<'_, K>, now: &Moment, out: &mut Vec<u8>) -> usize {
    let before = out.len();
    out.reserve(candidates.keys.len() * K::COMPACT);
    for (at, key) in candidates.keys.iter().enumerate() {
        if Some(at) != candidates.asker && !now.is_stale(key.stamp()) {
            key.push_compact(out);
        }
    }
    (out.len() - before) / K::COMPACT
}

/// One selection under way. Positions are those in `keys`; the marks hold for every position in `taken`.
struct Draw<'a, K> {
    keys: &'a [K],
    asker: Option<usize>,
    now: &'a Moment,
    scratch: &'a mut Scratch,
}

impl<K: Key> Draw<'_, K> {
    fn begin(&mut self) {
        self.scratch.taken.clear();
        let words = self.keys.len().div_ceil(64).min(MARKS / 64);
        self.scratch.marks[..words].fill(0);
    }

    /// Whether the peer at `at` may be handed out at all.
    #[inline]
    fn is_fit(&self, at: usize) -> bool {
        Some(at) != self.asker && !self.now.is_stale(self.keys[at].stamp())
    }

    /// Marks a position; false if it had been taken or drawn before.
    #[inline]
    fn mark(&mut self, at: u32) -> bool {
        let bit = at as usize % MARKS;
        let word = &mut self.scratch.marks[bit / 64];
        let is_new = *word & 1 << (bit % 64) == 0;
        *word |= 1 << (bit % 64);
        // beyond the marks' size two positions share a bit
        is_new
            || self.keys.len() > MARKS
                && !self.scratch.taken.contains(&at)
                && !self.scratch.drawn.contains(&at)
    }

    /// Takes up to `want` peers near the asker.
    fn take_near<R: Rng>(&mut self, asker: &K, want: usize, rng: &mut R) {
        let len = self.keys.len();
        self.scratch.near.iter_mut().for_each(Vec::clear);
        self.scratch.drawn.clear();
        let start = if len > WINDOW { place(rng.next_u32(), len) as usize } else { 0 };
        for at in (start..len).chain(0..start).take(WINDOW) {
            let near = match self.keys[at].nearness(asker) {
                Nearness::Far => continue,
                Nearness::Network => 0,
                Nearness::Region => 1,
            };
            if self.is_fit(at) {
                self.scratch.near[near].push(at as u32);
            }
        }
        for near in 0..2 {
            let mut found = std::mem::take(&mut self.scratch.near[near]);
            let missing = want - self.scratch.taken.len();
            let chosen = shuffle_out(&mut found, missing, rng);
            for &mut at in chosen {
                self.mark(at);
                self.scratch.taken.push(at);
            }
            self.scratch.near[near] = found;
        }
    }

    /// Takes peers at random until there are `want`, or no more to be had.
    fn take_uniform<R: Rng>(&mut self, want: usize, rng: &mut R) {
        let len = self.keys.len();
        // Where at least half of them are to be had, drawing them one by one and drawing again what had been drawn
        // takes less than two draws a peer. The bound is met only if many are stale, since no sweep has come by.
        let mut draws = 4 * want + 64;
        if len >= 2 * want {
            while self.scratch.taken.len() < want && draws >= want {
                let missing = want - self.scratch.taken.len();
                self.scratch.drawn.clear();
                while self.scratch.drawn.len() < missing && draws > 0 {
                    draws -= 1;
                    let at = place(rng.next_u32(), len);
                    if self.mark(at) {
                        self.scratch.drawn.push(at);
                    }
                }
                for i in 0..self.scratch.drawn.len() {
                    let at = self.scratch.drawn[i];
                    if self.is_fit(at as usize) {
                        self.scratch.taken.push(at);
                    }
                }
            }
        }
        if self.scratch.taken.len() < want {
            self.take_from_all(want, rng);
        }
    }

    /// The slow and sure way: looks at everybody, and chooses among those who are fit and not yet taken.
    fn take_from_all<R: Rng>(&mut self, want: usize, rng: &mut R) {
        self.scratch.marks.fill(0);
        self.scratch.drawn.clear();
        for i in 0..self.scratch.taken.len() {
            self.mark(self.scratch.taken[i]);
        }
        let mut all = std::mem::take(&mut self.scratch.drawn);
        for at in 0..self.keys.len() {
            let bit = at % MARKS;
            let may_be_taken = self.scratch.marks[bit / 64] & 1 << (bit % 64) != 0;
            if self.is_fit(at) && !(may_be_taken && self.scratch.taken.contains(&(at as u32))) {
                all.push(at as u32);
            }
        }
        let missing = want - self.scratch.taken.len();
        let chosen = shuffle_out(&mut all, missing, rng);
        self.scratch.taken.extend_from_slice(chosen);
        self.scratch.drawn = all;
    }
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
