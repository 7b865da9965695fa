//! Torrents without peers: remembered for their completions, the longest unused forgotten first.

use crate::InfoHash;
use crate::hasher::Hasher;
use crate::table::{Named, Table};

const NONE: u32 = u32::MAX;

/// One remembered torrent, in 40 bytes.
#[derive(Debug)]
pub(crate) struct Remembered {
    info_hash: InfoHash,
    pub(crate) downloaded: u32,
    /// Neighbours in the order of being remembered.
    older: u32,
    newer: u32,
    /// When it was remembered, in the order of the whole tracker.
    turn: u64,
}

impl Named for Remembered {
    fn name(&self) -> &InfoHash {
        &self.info_hash
    }
}

/// The remembered torrents of one shard.
#[derive(Debug)]
pub(crate) struct Memory {
    table: Table<Remembered>,
    oldest: u32,
    newest: u32,
}

impl Default for Memory {
    fn default() -> Self {
        Memory { table: Table::default(), oldest: NONE, newest: NONE }
    }
}

impl Memory {
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// The completions of a torrent that is remembered.
    pub(crate) fn downloaded(&self, hash: u64, info_hash: &InfoHash) -> Option<u32> {
        self.table.find(hash, info_hash).map(|at| self.table.get(at).downloaded)
    }

    /// Name and completions of the one at `at`, in no order.
    pub(crate) fn get(&self, at: usize) -> (InfoHash, u32) {
        let entry = self.table.get(at);
        (entry.info_hash, entry.downloaded)
    }

    /// When the one that goes first was remembered; `u64::MAX` where there is none.
    pub(crate) fn oldest_turn(&self) -> u64 {
        if self.oldest == NONE { u64::MAX } else { self.table.get(self.oldest as usize).turn }
    }

    /// Remembers a torrent that is not remembered yet.
    pub(crate) fn remember(
        &mut self,
        hash: u64,
        info_hash: InfoHash,
        downloaded: u32,
        turn: u64,
        hasher: &Hasher,
    ) {
        let entry = Remembered { info_hash, downloaded, older: self.newest, newer: NONE, turn };
        let at = self.table.insert(hash, entry, hasher) as u32;
        self.link(self.newest, at);
        self.newest = at;
    }

    /// Takes a torrent out, and returns its completions.
    pub(crate) fn recall(&mut self, hash: u64, info_hash: &InfoHash, hasher: &Hasher) -> Option<u32> {
        let at = self.table.find(hash, info_hash)?;
        Some(self.remove(at, hasher).downloaded)
    }

    /// Forgets the one remembered longest ago.
    pub(crate) fn forget_oldest(&mut self, hasher: &Hasher) -> Option<InfoHash> {
        (self.oldest != NONE).then(|| self.remove(self.oldest as usize, hasher).info_hash)
    }

    /// Takes out the one at `at`; the last one comes to stand there.
    pub(crate) fn remove(&mut self, at: usize, hasher: &Hasher) -> Remembered {
        let (older, newer) = (self.table.get(at).older, self.table.get(at).newer);
        self.link(older, newer);
        if newer == NONE {
            self.newest = older;
        }
        let removed = self.table.remove(at, hasher);
        if at < self.table.len() {
            // the last one stands here now: its neighbours have to know
            let (older, newer) = (self.table.get(at).older, self.table.get(at).newer);
            self.link(older, at as u32);
            self.link(at as u32, newer);
            if newer == NONE {
                self.newest = at as u32;
            }
        }
        removed
    }

    /// Makes `newer` follow `older`; either may be none.
    fn link(&mut self, older: u32, newer: u32) {
        match older {
            NONE => self.oldest = newer,
            at => self.table.get_mut(at as usize).newer = newer,
        }
        if newer != NONE {
            self.table.get_mut(newer as usize).older = older;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_in_the_order_of_remembering() {
        let hasher = Hasher::new(&[2; 16]);
        let name = |n: u8| InfoHash([n; 20]);
        let hash = |n: u8| hasher.hash(&name(n).0);
        let mut memory = Memory::default();
        for n in 0..200 {
            memory.remember(hash(n), name(n), u32::from(n), u64::from(n), &hasher);
        }
        for n in (0..200).filter(|n| n % 3 == 1).rev() {
            assert_eq!(memory.recall(hash(n), &name(n), &hasher), Some(u32::from(n)));
            assert_eq!(memory.recall(hash(n), &name(n), &hasher), None);
        }
        memory.remember(hash(1), name(1), 9, 1000, &hasher);
        for n in (0..200).filter(|n| n % 3 != 1).chain([1]) {
            assert_eq!(memory.oldest_turn(), if n == 1 { 1000 } else { u64::from(n) });
            assert_eq!(memory.forget_oldest(&hasher), Some(name(n)));
        }
        assert_eq!((memory.forget_oldest(&hasher), memory.oldest_turn(), memory.len()), (None, u64::MAX, 0));
    }
}
