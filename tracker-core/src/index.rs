//! Where in a dense array something stands: a peer of a large swarm, a torrent of a shard.
//!
//! A hash table that grows by rehashing everything at once would make one announce in a swarm of a million wait for
//! milliseconds, and it is half empty after that. This one is split into parts of some dozen entries, and grows and
//! shrinks a part at a time (linear hashing), so that no single operation costs more than a part.

use crate::part::Part;

/// Entries that a part holds on average before another part is made.
const FULL: usize = 32;
/// Entries a part below which two of them are merged.
const SPARSE: usize = FULL / 3;

/// Parts of a block: so many pointers are copied at the most where there comes to be another part.
const BLOCK: usize = 256;

/// A set of positions, found by the hash of what stands there.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Part 0: all there is in a small index, and not a pointer further away than it has to be.
    first: Part,
    /// The other parts, in blocks: all but the last are full, and the last is not empty. Invariant: an entry of hash `h`
    /// is in part number `self.part(h)`.
    rest: Vec<Vec<Part>>,
    /// How many these are: also the number of the last part.
    more: u32,
    /// The bits that this number and those below it have.
    mask: u32,
    len: u32,
}

impl Index {
    /// An index of the positions `0..len`.
    pub(crate) fn of(len: u32, hash: impl Fn(u32) -> u64) -> Self {
        let mut index = Index::default();
        (1..(len as usize).div_ceil(FULL)).for_each(|_| index.add_part());
        for at in 0..len {
            index.insert(hash(at), at, &hash);
        }
        index
    }

    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    /// The position with this hash that `is_it`.
    #[inline]
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        let part = match self.part(hash).checked_sub(1) {
            None => &self.first,
            Some(at) => &self.rest[at / BLOCK][at % BLOCK],
        };
        part.find(hash, |at| is_it(at as usize)).map(|at| at as usize)
    }

    /// Adds position `at`; `hash_of` tells the hash of any position that is in.
    pub(crate) fn insert(&mut self, hash: u64, at: u32, hash_of: impl Fn(u32) -> u64) {
        if self.len() >= (self.more as usize + 1) * FULL {
            self.split(&hash_of);
        }
        self.part_mut(hash).push(hash, at);
        self.len += 1;
    }

    /// Takes position `at` out; `hash_of` tells the hash of any other that is in.
    pub(crate) fn remove(&mut self, hash: u64, at: u32, hash_of: impl Fn(u32) -> u64) {
        if !self.part_mut(hash).remove(hash, at) {
            debug_assert!(false, "position {at} is not in the index");
            return;
        }
        self.len -= 1;
        if self.len() < self.more as usize * SPARSE {
            self.merge(&hash_of);
        }
    }

    /// What stood at `from` stands at `to` now.
    pub(crate) fn relocate(&mut self, hash: u64, from: u32, to: u32) {
        let part = self.part_mut(hash);
        match part.place(hash, from) {
            Some(place) => part.set(place, to),
            None => debug_assert!(false, "position {from} is not in the index"),
        }
    }

    /// What stood at `a` and what stood at `b` have changed places.
    pub(crate) fn swap(&mut self, hash_a: u64, a: u32, hash_b: u64, b: u32) {
        // both are found before either is changed, since the two hashes may be the same
        let (part_a, part_b) = (self.part(hash_a), self.part(hash_b));
        let places = (self.get_mut(part_a).place(hash_a, a), self.get_mut(part_b).place(hash_b, b));
        let (Some(place_a), Some(place_b)) = places else {
            debug_assert!(false, "position {a} or {b} is not in the index");
            return;
        };
        self.get_mut(part_a).set(place_a, b);
        self.get_mut(part_b).set(place_b, a);
    }

    /// The number of a hash's part, from the bits below those that pick a shard.
    #[inline]
    fn part(&self, hash: u64) -> usize {
        let part = hash as u32 & self.mask;
        (if part <= self.more { part } else { part & (self.mask >> 1) }) as usize
    }

    #[inline]
    fn part_mut(&mut self, hash: u64) -> &mut Part {
        self.get_mut(self.part(hash))
    }

    #[inline]
    fn get_mut(&mut self, part: usize) -> &mut Part {
        match part.checked_sub(1) {
            None => &mut self.first,
            Some(at) => &mut self.rest[at / BLOCK][at % BLOCK],
        }
    }

    fn set_more(&mut self, more: u32) {
        self.more = more;
        self.mask = (more + 1).next_power_of_two() - 1;
    }

    fn add_part(&mut self) {
        match self.rest.last_mut() {
            Some(block) if block.len() < BLOCK => block.push(Part::default()),
            _ => self.rest.push(vec![Part::default()]),
        }
        self.set_more(self.more + 1);
    }

    fn split(&mut self, hash_of: impl Fn(u32) -> u64) {
        self.add_part();
        let (from, to) = ((self.more & (self.mask >> 1)) as usize, self.more as usize);
        let entries = std::mem::take(self.get_mut(from));
        *self.get_mut(from) = Part::with_capacity(entries.len() * 3 / 4);
        *self.get_mut(to) = Part::with_capacity(entries.len() * 3 / 4);
        self.spread(&entries, hash_of);
    }

    fn merge(&mut self, hash_of: impl Fn(u32) -> u64) {
        let Some(block) = self.rest.last_mut() else { return };
        let entries = block.pop().unwrap_or_default();
        if block.is_empty() {
            self.rest.pop();
        }
        self.set_more(self.more - 1);
        self.spread(&entries, hash_of);
    }

    fn spread(&mut self, entries: &Part, hash_of: impl Fn(u32) -> u64) {
        for at in entries.positions() {
            let hash = hash_of(at);
            self.part_mut(hash).push(hash, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(at: u32) -> u64 {
        u64::from(at).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    }

    /// The entries that there is memory for, beside how many there are.
    fn room(index: &Index) -> f64 {
        let parts = index.rest.iter().flatten().chain([&index.first]);
        parts.map(Part::room).sum::<usize>() as f64 / index.len() as f64
    }

    #[test]
    fn finds_everything_while_it_grows_and_shrinks() {
        let mut index = Index::of(65, hash);
        for at in 65..20_000 {
            index.insert(hash(at), at, hash);
        }
        assert!(index.more > 256);
        assert!(index.rest.iter().flatten().all(|part| part.len() < 4 * FULL));
        assert!(room(&index) < 1.3, "{}", room(&index));
        for at in 0..20_000 {
            assert_eq!(index.find(hash(at), |found| found == at as usize), Some(at as usize));
        }
        for at in (30..20_000).rev() {
            index.remove(hash(at), at, hash);
            assert_eq!(index.find(hash(at), |found| found == at as usize), None);
            assert!(room(&index) < 4.0, "memory is given back: {} at {at}", room(&index));
        }
        assert!(index.more <= 3 && index.len() == 30);
        assert!((0..30).all(|at| index.find(hash(at), |found| found == at as usize).is_some()));
    }

    #[test]
    fn two_of_the_same_hash_change_places() {
        let mut index = Index::of(0, |_| 7);
        index.insert(7, 1, |_| 7);
        index.insert(7, 2, |_| 7);
        index.swap(7, 1, 7, 2);
        assert!(index.find(7, |at| at == 1).is_some() && index.find(7, |at| at == 2).is_some());
    }
}
