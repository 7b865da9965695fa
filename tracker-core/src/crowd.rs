//! How many peers an address has, in all torrents and in one, in a fixed number of bytes; and whether any peer is to be
//! kept from anybody.
//!
//! A table of all addresses would cost more than the peers themselves, and one that forgets could be made to forget. So
//! peers are counted in cells that addresses share (a count-min sketch): each in two rows of cells, in places that a
//! keyed hash picks, and the smaller cell counts, less what strangers have in a cell on average. Who comes is added
//! and who goes is taken off again, so that nothing has to be aged and nothing adds up.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::hasher::Hasher;
use crate::key::Key;
use crate::swarm::{PeerKey, Torrent};
use crate::{Config, Reach};

/// Cells of a row: for addresses, and for addresses in a torrent.
const ADDRESSES: usize = 1 << 14;
const ENTRANTS: usize = 1 << 15;
/// Cells that tell what is in one on average.
const SAMPLE: usize = 1024;
/// In swarms up to that size peers are counted one by one where the cells say that there are too many.
const COUNTED: usize = 1 << 16;

/// What is known of all peers together, whatever their torrents.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Crowd {
    /// Peers that only their neighbours can connect to.
    locals: AtomicU64,
    by_address: Option<Sketch>,
    by_torrent: Option<Sketch>,
}

/// What matters of a peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    origin: u64,
    is_local: bool,
}

impl Member {
    pub(crate) fn of<K: Key>(key: &K) -> Self {
        Member { origin: key.origin(), is_local: key.reach() == Reach::Local }
    }
}

impl From<&PeerKey> for Member {
    fn from(peer: &PeerKey) -> Self {
        match peer {
            PeerKey::V4(key) => Member::of(key),
            PeerKey::V6(key) => Member::of(key),
        }
    }
}

impl Crowd {
    pub(crate) fn new(config: &Config) -> Self {
        Crowd {
            locals: AtomicU64::new(0),
            by_address: (config.max_peers_per_address > 0).then(|| Sketch::new(ADDRESSES)),
            by_torrent: (config.max_peers_per_address_and_torrent > 0).then(|| Sketch::new(ENTRANTS)),
        }
    }

    /// Whether there are peers that not everybody may be given.
    #[inline]
    pub(crate) fn has_locals(&self) -> bool {
        self.locals.load(Relaxed) > 0
    }

    /// Counts a peer that has been put into the torrent of this hash.
    pub(crate) fn came(&self, member: Member, torrent: u64, hasher: &Hasher) {
        self.count(member, || torrent, hasher, 1);
    }

    /// Takes a peer off that has gone from the torrent whose hash `torrent` tells, if it is asked.
    #[inline]
    pub(crate) fn left(&self, member: Member, torrent: impl FnOnce() -> u64, hasher: &Hasher) {
        self.count(member, torrent, hasher, -1);
    }

    #[inline]
    fn count(&self, member: Member, torrent: impl FnOnce() -> u64, hasher: &Hasher, change: i32) {
        if member.is_local {
            self.locals.fetch_add(i64::from(change) as u64, Relaxed);
        }
        if self.by_address.is_none() && self.by_torrent.is_none() {
            return;
        }
        let address = hash(member, hasher);
        if let Some(sketch) = &self.by_address {
            sketch.add(address, change);
        }
        if let Some(sketch) = &self.by_torrent {
            sketch.add(entrant(address, torrent()), change);
        }
    }

    /// Whether a peer that is not in the torrent yet has an address with as many peers as it may have. Two threads
    /// that ask at the same time may both hear that there is room for one.
    pub(crate) fn is_full_for(
        &self,
        peer: &PeerKey,
        hash_of_torrent: u64,
        torrent: Option<&Torrent>,
        hasher: &Hasher,
        config: &Config,
    ) -> bool {
        if self.by_address.is_none() && self.by_torrent.is_none() {
            return false;
        }
        let address = hash(peer.into(), hasher);
        let limit = config.max_peers_per_address;
        if self.by_address.as_ref().is_some_and(|sketch| sketch.reaches(address, limit)) {
            return true;
        }
        let limit = config.max_peers_per_address_and_torrent;
        let Some(torrent) = torrent.filter(|torrent| torrent.len() >= limit) else { return false };
        let is_full = |sketch: &Sketch| sketch.reaches(entrant(address, hash_of_torrent), limit);
        self.by_torrent.as_ref().is_some_and(is_full)
            && (torrent.len() > COUNTED || torrent.count_of(peer) >= limit)
    }
}

fn hash(member: Member, hasher: &Hasher) -> u64 {
    hasher.hash(&member.origin.to_ne_bytes())
}

/// Both hashes are keyed, so that nobody can choose what they mix to.
fn entrant(address: u64, torrent: u64) -> u64 {
    (address ^ torrent.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Two rows of cells.
#[derive(Debug)]
struct Sketch {
    rows: [Box<[AtomicU32]>; 2],
}

impl Sketch {
    fn new(cells: usize) -> Self {
        let row = || (0..cells).map(|_| AtomicU32::new(0)).collect();
        Sketch { rows: [row(), row()] }
    }

    /// The cells of a hash: from its upper bits, which its last multiplication has mixed best.
    fn places(&self, hash: u64) -> [usize; 2] {
        let mask = self.rows[0].len() - 1;
        [(hash >> 44) as usize & mask, (hash >> 24) as usize & mask]
    }

    fn add(&self, hash: u64, change: i32) {
        for (row, at) in self.rows.iter().zip(self.places(hash)) {
            // wraps round both ways, so that what was added can be taken off whatever happens
            row[at].fetch_add(change as u32, Relaxed);
        }
    }

    fn reaches(&self, hash: u64, limit: usize) -> bool {
        let places = self.places(hash);
        let cell = |row: usize| self.rows[row][places[row]].load(Relaxed) as usize;
        let count = cell(0).min(cell(1));
        count >= limit && count - self.noise(places[0]).min(count) >= limit
    }

    /// What strangers have in a cell on average, by the cells behind that one.
    #[cold]
    fn noise(&self, at: usize) -> usize {
        let row = &self.rows[0];
        let neighbours = row.iter().cycle().skip(at + 1).take(SAMPLE);
        neighbours.map(|cell| cell.load(Relaxed) as usize).sum::<usize>() / SAMPLE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_heavy_addresses_among_ten_million_peers() {
        let hasher = Hasher::new(&[3; 16]);
        let sketch = Sketch::new(ADDRESSES);
        let hash = |n: u64| hasher.hash(&n.to_ne_bytes());
        for n in 0..10_000_000 {
            sketch.add(hash(n), 1);
        }
        for _ in 0..1000 {
            sketch.add(hash(7), 1);
        }
        assert!(sketch.reaches(hash(7), 900) && !sketch.reaches(hash(7), 1200));
        // of those with one peer nobody is taken for one with two hundred
        assert_eq!((0..100_000).filter(|&n| n != 7 && sketch.reaches(hash(n), 200)).count(), 0);
        for n in 0..10_000_000 {
            sketch.add(hash(n), -1);
        }
        assert!(sketch.reaches(hash(7), 1000) && !sketch.reaches(hash(7), 1001), "all are taken off");
    }
}
