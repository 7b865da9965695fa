//! A hash table whose entries lie densely: an index of positions, and blocks of entries.
//!
//! The index costs 6 bytes an entry where a table of whole entries would cost an entry a place, at half the load on
//! average, and grows in small parts. Full blocks never move, so growth copies next to nothing; a removal fills the gap
//! with the last entry, so that a walk from the end down to the beginning sees every entry that stays, whatever is
//! inserted or removed meanwhile.

use crate::InfoHash;
use crate::hasher::Hasher;
use crate::index::Index;

/// Entries of the first block at the most, which grows to that as it needs.
const FIRST: usize = 256;
/// Entries of every other block.
const BLOCK: usize = 64;

/// What has a name to be found by.
pub(crate) trait Named {
    fn name(&self) -> &InfoHash;
}

#[derive(Debug)]
pub(crate) struct Table<E> {
    index: Index,
    entries: Blocks<E>,
}

impl<E> Default for Table<E> {
    fn default() -> Self {
        Table { index: Index::default(), entries: Blocks { first: Vec::new(), rest: Vec::new() } }
    }
}

/// Entries by position, in blocks.
#[derive(Debug)]
struct Blocks<E> {
    /// All there are in a small table, and not a pointer further away than they have to be.
    first: Vec<E>,
    /// Invariant: empty unless `first` is full; all but the last are full, and the last is not empty.
    rest: Vec<Vec<E>>,
}

impl<E> Blocks<E> {
    #[inline(always)]
    fn get(&self, at: usize) -> &E {
        match at.checked_sub(FIRST) {
            None => &self.first[at],
            Some(at) => &self.rest[at / BLOCK][at % BLOCK],
        }
    }

    #[inline(always)]
    fn get_mut(&mut self, at: usize) -> &mut E {
        match at.checked_sub(FIRST) {
            None => &mut self.first[at],
            Some(at) => &mut self.rest[at / BLOCK][at % BLOCK],
        }
    }

    fn push(&mut self, entry: E) {
        if self.first.len() < FIRST {
            return self.first.push(entry);
        }
        match self.rest.last_mut() {
            Some(block) if block.len() < BLOCK => block.push(entry),
            _ => {
                let mut block = Vec::with_capacity(BLOCK);
                block.push(entry);
                self.rest.push(block);
            }
        }
    }

    fn pop(&mut self) -> Option<E> {
        let Some(block) = self.rest.last_mut() else { return self.first.pop() };
        let entry = block.pop();
        if block.is_empty() {
            self.rest.pop();
        }
        entry
    }
}

impl<E: Named> Table<E> {
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    #[inline]
    pub(crate) fn find(&self, hash: u64, name: &InfoHash) -> Option<usize> {
        self.index.find(hash, |at| self.get(at).name() == name)
    }

    #[inline]
    pub(crate) fn get(&self, at: usize) -> &E {
        self.entries.get(at)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, at: usize) -> &mut E {
        self.entries.get_mut(at)
    }

    /// Where the entry of this name stands: at `at` in all likelihood.
    pub(crate) fn find_near(&self, at: usize, name: &InfoHash, hasher: &Hasher) -> Option<usize> {
        if at < self.len() && self.get(at).name() == name {
            return Some(at);
        }
        self.find(hasher.hash(&name.0), name)
    }

    /// Adds an entry whose name is not in; returns where it stands.
    pub(crate) fn insert(&mut self, hash: u64, entry: E, hasher: &Hasher) -> usize {
        let at = self.len();
        self.index.insert(hash, at as u32, hash_of(&self.entries, hasher));
        self.entries.push(entry);
        at
    }

    /// Takes out the entry at `at`, where the last one comes to stand.
    pub(crate) fn remove(&mut self, at: usize, hasher: &Hasher) -> E {
        let last = self.len() - 1;
        {
            let hash_of = hash_of(&self.entries, hasher);
            self.index.remove(hash_of(at as u32), at as u32, &hash_of);
            if at != last {
                self.index.relocate(hash_of(last as u32), last as u32, at as u32);
            }
        }
        let mut entry = self.entries.pop().expect("there is an entry, the one at `at`");
        if at != last {
            std::mem::swap(self.get_mut(at), &mut entry);
        }
        entry
    }
}

fn hash_of<E: Named>(entries: &Blocks<E>, hasher: &Hasher) -> impl Fn(u32) -> u64 {
    |at| hasher.hash(&entries.get(at as usize).name().0)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Entry(InfoHash);

    impl Named for Entry {
        fn name(&self) -> &InfoHash {
            &self.0
        }
    }

    fn name(n: u32) -> InfoHash {
        let mut hash = InfoHash::default();
        hash.0[..4].copy_from_slice(&n.to_be_bytes());
        hash
    }

    #[test]
    fn finds_what_is_in_and_nothing_else() {
        let hasher = Hasher::new(&[1; 16]);
        let hash = |n| hasher.hash(&name(n).0);
        let mut table = Table::default();
        for n in 0..3000 {
            assert_eq!(table.insert(hash(n), Entry(name(n)), &hasher), n as usize);
        }
        for n in (0..3000).step_by(3) {
            let at = table.find(hash(n), &name(n)).unwrap();
            assert_eq!(table.remove(at, &hasher).0, name(n));
        }
        for n in 0..3000 {
            let found = table.find(hash(n), &name(n)).map(|at| table.get(at).0);
            assert_eq!(found, (n % 3 != 0).then(|| name(n)));
        }
        while table.len() > 0 {
            table.remove(table.len() / 2, &hasher);
        }
        assert!(table.entries.pop().is_none());
    }
}
