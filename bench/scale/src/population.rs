//! The peers and their torrents: fixed functions of a number and the seed, so that every run has the same.

use std::net::Ipv4Addr;

use tracker_core::{Announce, Event, InfoHash, PeerAddr, PeerId};

/// Addresses are drawn from so many, all of them global: 16.0.0.0/6.
const ADDRESSES: u64 = 1 << 26;
const FIRST_ADDRESS: u64 = 16 << 24;
/// Mixes slots; a prime, so that it has no divisor in common with their number.
const SPREAD: u64 = 2_654_435_761;
/// A slot's next peer is in the torrent so many further on, so that torrents end and begin again.
const DRIFT: u64 = 7919;

/// How peers are spread over torrents.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    /// As many in each.
    Even,
    /// By Zipf's law, but no torrent is without a peer.
    Zipf,
}

/// Peers in torrents. A peer has a slot, its number modulo `peers`: who comes later takes the slot of one who has gone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Population {
    pub(crate) seed: u64,
    pub(crate) peers: u64,
    pub(crate) torrents: u64,
    pub(crate) shape: Shape,
}

impl Population {
    pub(crate) fn torrent(&self, peer: u64) -> u64 {
        let slot = (peer % self.peers) * SPREAD % self.peers;
        let shifted = (slot + peer / self.peers * DRIFT) % self.torrents;
        if self.shape == Shape::Even || slot < self.torrents {
            return shifted;
        }
        // the integral of 1/x in place of the sum: within a few hundredths of Zipf's law, and needs no table
        let draw = (mix(self.seed ^ mix(peer)) >> 11) as f64 / (1_u64 << 53) as f64;
        let rank = (draw * ((self.torrents + 1) as f64).ln()).exp() as u64;
        rank.clamp(1, self.torrents) - 1
    }

    pub(crate) fn info_hash(&self, torrent: u64) -> InfoHash {
        let mut hash = [0; 20];
        for (at, part) in hash.chunks_mut(8).enumerate() {
            let bits = mix(self.seed ^ mix(torrent * 3 + at as u64)).to_be_bytes();
            part.copy_from_slice(&bits[..part.len()]);
        }
        InfoHash(hash)
    }

    /// What this peer says.
    pub(crate) fn announce(&self, peer: u64, event: Event, is_seeder: bool, numwant: u32) -> Announce {
        // an odd factor and a power of two: no two of them have the same address
        let address = FIRST_ADDRESS + peer.wrapping_mul(SPREAD) % ADDRESSES;
        let mut id = *b"-qB5000-............";
        id[8..16].copy_from_slice(&mix(!peer).to_be_bytes());
        Announce {
            info_hash: self.info_hash(self.torrent(peer)),
            peer_id: PeerId(id),
            addr: PeerAddr::V4(Ipv4Addr::from_bits(address as u32), 6881 + (peer / ADDRESSES) as u16),
            left: u64::from(!is_seeder) << 20,
            event,
            numwant,
            want_ids: false,
            is_exempt: false,
        }
    }

    /// How many peers each torrent has while all the first ones are there.
    pub(crate) fn sizes(&self) -> Vec<u32> {
        let mut sizes = vec![0; self.torrents as usize];
        for peer in 0..self.peers {
            sizes[self.torrent(peer) as usize] += 1;
        }
        sizes
    }
}

/// The finalizer of SplitMix64.
pub(crate) fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use tracker_core::Reach;

    use super::*;

    const POPULATION: Population =
        Population { seed: 7, peers: 50_000, torrents: 10_000, shape: Shape::Zipf };

    #[test]
    fn no_torrent_is_empty_and_few_are_large() {
        let mut sizes = POPULATION.sizes();
        assert_eq!(sizes.iter().map(|&size| u64::from(size)).sum::<u64>(), POPULATION.peers);
        assert!(sizes.iter().all(|&size| size >= 1));
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        // 40,000 by Zipf's law over 10,000: the first has a ninth or so, and the median is one or two
        assert!((2_500..6_000).contains(&sizes[0]), "{}", sizes[0]);
        assert!((1..4).contains(&sizes[5_000]), "{}", sizes[5_000]);
    }

    #[test]
    fn every_peer_has_an_address_of_its_own_that_all_can_reach() {
        let mut seen = HashSet::new();
        for peer in 0..3 * POPULATION.peers {
            let addr = POPULATION.announce(peer, Event::Regular, false, 0).addr;
            assert!(seen.insert(addr));
            assert_eq!(addr.reach(), Reach::Global);
        }
    }
}
