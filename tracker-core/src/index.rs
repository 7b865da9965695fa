//! Where in a dense array something stands: a peer of a large swarm, a torrent of a shard.
//!
//! A hash table that grows by rehashing everything at once would make one announce in a swarm of a million wait for
//! milliseconds. This one is split into parts of some hundred entries, and grows and shrinks a part at a time
//! (linear hashing), so that no single operation costs more than a part.

use hashbrown::HashTable;

/// Entries that a part holds on average before another part is made: nearly as many as tables of 512 places take. To look
/// every one of them up takes some hundred
/// microseconds where nothing is in the caches.
const FULL: usize = 400;
/// Entries a part below which two of them are merged.
const SPARSE: usize = FULL / 3;

/// Places up to which a part is not worth shrinking.
const SMALL: usize = 128;

/// A set of positions, found by the hash of what stands there.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Part 0: all there is in a small index, and not a pointer further away than it has to be.
    first: HashTable<u32>,
    /// The other parts. Invariant: an entry of hash `h` is in part number `self.part(h)`.
    rest: Vec<HashTable<u32>>,
    len: usize,
}

impl Index {
    /// An index of the positions `0..len`.
    pub(crate) fn of(len: u32, hash: impl Fn(u32) -> u64) -> Self {
        let mut index = Index { first: HashTable::with_capacity(len as usize + 1), ..Index::default() };
        for at in 0..len {
            index.insert(hash(at), at, &hash);
        }
        index
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The position with this hash that `is_it`.
    #[inline]
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        let part = match self.part(hash) {
            0 => &self.first,
            part => &self.rest[part - 1],
        };
        part.find(hash, |&at| is_it(at as usize)).map(|&at| at as usize)
    }

    /// Adds position `at`; `hash_of` tells the hash of any position that is in.
    pub(crate) fn insert(&mut self, hash: u64, at: u32, hash_of: impl Fn(u32) -> u64) {
        if self.len >= self.parts() * FULL {
            self.split(&hash_of);
        }
        self.part_mut(hash).insert_unique(hash, at, |&other| hash_of(other));
        self.len += 1;
    }

    /// Takes position `at` out; `hash_of` tells the hash of any other that is in.
    pub(crate) fn remove(&mut self, hash: u64, at: u32, hash_of: impl Fn(u32) -> u64) {
        let part = self.part_mut(hash);
        match part.find_entry(hash, |&other| other == at) {
            Ok(entry) => drop(entry.remove()),
            Err(_) => {
                debug_assert!(false, "position {at} is not in the index");
                return;
            }
        }
        self.len -= 1;
        if self.len < self.rest.len() * SPARSE {
            self.merge(&hash_of);
        }
        // not where there are more: they would all come to it at about the same time
        if self.rest.is_empty() && self.len * 4 < self.first.capacity() && self.first.capacity() > SMALL {
            self.first.shrink_to(self.len * 2, |&other| hash_of(other));
        }
    }

    /// What stood at `from` stands at `to` now.
    pub(crate) fn relocate(&mut self, hash: u64, from: u32, to: u32) {
        match self.part_mut(hash).find_mut(hash, |&other| other == from) {
            Some(at) => *at = to,
            None => debug_assert!(false, "position {from} is not in the index"),
        }
    }

    /// What stood at `a` and what stood at `b` have changed places.
    pub(crate) fn swap(&mut self, hash_a: u64, a: u32, hash_b: u64, b: u32) {
        // through a position that nobody has, since the two hashes may be the same
        self.relocate(hash_a, a, u32::MAX);
        self.relocate(hash_b, b, a);
        self.relocate(hash_a, u32::MAX, b);
    }

    fn parts(&self) -> usize {
        1 + self.rest.len()
    }

    /// The number of a hash's part. The bits are neither those that pick a shard nor those that a `HashTable` uses.
    #[inline]
    fn part(&self, hash: u64) -> usize {
        let parts = self.parts();
        let round = parts.next_power_of_two();
        let part = (hash >> 20) as usize & (round - 1);
        if part < parts { part } else { part - round / 2 }
    }

    #[inline]
    fn part_mut(&mut self, hash: u64) -> &mut HashTable<u32> {
        match self.part(hash) {
            0 => &mut self.first,
            part => &mut self.rest[part - 1],
        }
    }

    fn split(&mut self, hash_of: impl Fn(u32) -> u64) {
        let parts = self.parts();
        let from = match parts - (parts + 1).next_power_of_two() / 2 {
            0 => &mut self.first,
            from => &mut self.rest[from - 1],
        };
        let entries = std::mem::replace(from, HashTable::with_capacity(from.len() / 2));
        self.rest.push(HashTable::with_capacity(entries.len() / 2));
        self.spread(entries, hash_of);
    }

    fn merge(&mut self, hash_of: impl Fn(u32) -> u64) {
        if let Some(entries) = self.rest.pop() {
            self.spread(entries, hash_of);
        }
    }

    fn spread(&mut self, entries: HashTable<u32>, hash_of: impl Fn(u32) -> u64) {
        for at in entries {
            let hash = hash_of(at);
            self.part_mut(hash).insert_unique(hash, at, |&other| hash_of(other));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(at: u32) -> u64 {
        u64::from(at).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    }

    #[test]
    fn finds_everything_while_it_grows_and_shrinks() {
        let mut index = Index::of(65, hash);
        for at in 65..20_000 {
            index.insert(hash(at), at, hash);
        }
        assert!(index.parts() > 16);
        assert!(index.rest.iter().all(|part| part.len() < 4 * FULL));
        for at in 0..20_000 {
            assert_eq!(index.find(hash(at), |found| found == at as usize), Some(at as usize));
        }
        for at in (100..20_000).rev() {
            index.remove(hash(at), at, hash);
            assert_eq!(index.find(hash(at), |found| found == at as usize), None);
        }
        assert_eq!((index.parts(), index.len()), (1, 100));
        assert!(index.first.capacity() < FULL, "memory is given back");
        assert!((0..100).all(|at| index.find(hash(at), |found| found == at as usize).is_some()));
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
