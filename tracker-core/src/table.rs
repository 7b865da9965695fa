//! A hash table whose entries lie densely: an index of positions, and blocks of entries.
//!
//! The index costs 5 bytes a place where a table of whole entries would cost an entry a place, at half the load on
//! average, and grows in small parts. Blocks never move, so growth copies nothing; a removal fills the gap with the last entry, so that a walk
//! from the end down to the beginning sees every entry that stays, whatever is inserted or removed meanwhile.

use crate::InfoHash;
use crate::hasher::Hasher;
use crate::index::Index;

const BLOCK: usize = 64;

/// What has a name to be found by.
pub(crate) trait Named {
    fn name(&self) -> &InfoHash;
}

#[derive(Debug)]
pub(crate) struct Table<E> {
    index: Index,
    /// Invariant: all blocks but the last are full, and the last is not empty.
    blocks: Vec<Vec<E>>,
}

impl<E> Default for Table<E> {
    fn default() -> Self {
        Table { index: Index::default(), blocks: Vec::new() }
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
        &self.blocks[at / BLOCK][at % BLOCK]
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, at: usize) -> &mut E {
        &mut self.blocks[at / BLOCK][at % BLOCK]
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
        self.index.insert(hash, at as u32, hash_of(&self.blocks, hasher));
        match self.blocks.last_mut() {
            Some(block) if block.len() < BLOCK => block.push(entry),
            _ => {
                // the first few entries of a small table must not cost a whole block
                let mut block = if at == 0 { Vec::new() } else { Vec::with_capacity(BLOCK) };
                block.push(entry);
                self.blocks.push(block);
            }
        }
        at
    }

    /// Takes out the entry at `at`, where the last one comes to stand.
    pub(crate) fn remove(&mut self, at: usize, hasher: &Hasher) -> E {
        let last = self.len() - 1;
        {
            let hash_of = hash_of(&self.blocks, hasher);
            self.index.remove(hash_of(at as u32), at as u32, &hash_of);
            if at != last {
                self.index.relocate(hash_of(last as u32), last as u32, at as u32);
            }
        }
        let block = self.blocks.last_mut().expect("there is an entry, so there is a block");
        let mut entry = block.pop().expect("no block is empty");
        if block.is_empty() {
            self.blocks.pop();
        }
        if at != last {
            std::mem::swap(self.get_mut(at), &mut entry);
        }
        entry
    }
}

fn hash_of<E: Named>(blocks: &[Vec<E>], hasher: &Hasher) -> impl Fn(u32) -> u64 {
    |at| hasher.hash(&blocks[at as usize / BLOCK][at as usize % BLOCK].name().0)
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
        for n in 0..1000 {
            assert_eq!(table.insert(hash(n), Entry(name(n)), &hasher), n as usize);
        }
        for n in (0..1000).step_by(3) {
            let at = table.find(hash(n), &name(n)).unwrap();
            assert_eq!(table.remove(at, &hasher).0, name(n));
        }
        for n in 0..1000 {
            let found = table.find(hash(n), &name(n)).map(|at| table.get(at).0);
            assert_eq!(found, (n % 3 != 0).then(|| name(n)));
        }
        while table.len() > 0 {
            table.remove(table.len() / 2, &hasher);
        }
        assert!(table.blocks.is_empty());
    }
}
