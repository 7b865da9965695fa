//! The peers and their torrents: fixed functions of a number and the seed, so that every run has the same.

use std::net::Ipv4Addr;

use tracker_core::{InfoHash, PeerId};

/// Ports that a source address has for peers.
pub(crate) const PORTS: u64 = 64_000;
const FIRST_PORT: u64 = 1024;
/// One peer in so many is a seeder.
const SEEDERS: u64 = 4;

/// Peers in torrents.
#[derive(Clone, Debug)]
pub(crate) struct Crowd {
    seed: u64,
    pub(crate) torrents: u64,
    pub(crate) peers: u64,
    /// Addresses that they announce from.
    pub(crate) sources: usize,
    /// With Zipf's law: the share of the torrents up to this one.
    shares: Vec<f64>,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) torrent: u64,
    pub(crate) id: PeerId,
    pub(crate) port: u16,
    pub(crate) key: u32,
    /// What it still misses: 0 for a seeder.
    pub(crate) left: u64,
}

impl Crowd {
    pub(crate) fn new(seed: u64, torrents: u64, peers: u64, sources: usize, zipf: bool) -> Self {
        let mut shares = Vec::new();
        if zipf {
            let mut sum = 0.0;
            shares.extend((1..=torrents).map(|rank| {
                sum += 1.0 / rank as f64;
                sum
            }));
        }
        Crowd { seed, torrents, peers, sources, shares }
    }

    /// Whether torrents are of very different size.
    pub(crate) fn is_zipf(&self) -> bool {
        !self.shares.is_empty()
    }

    pub(crate) fn info_hash(&self, torrent: u64) -> InfoHash {
        let mut hash = [0; 20];
        for (at, part) in hash.chunks_mut(8).enumerate() {
            let bits = mix(self.seed ^ mix(torrent * 3 + at as u64)).to_be_bytes();
            part.copy_from_slice(&bits[..part.len()]);
        }
        InfoHash(hash)
    }

    pub(crate) fn peer(&self, number: u64) -> Peer {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let bits = mix(self.seed ^ mix(!number));
        let mut id = *b"-qB4650-............";
        for (at, letter) in id[8..].iter_mut().enumerate() {
            *letter = LETTERS[(mix(bits ^ at as u64) & 63) as usize];
        }
        let torrent = match self.shares.last() {
            Some(all) => {
                let draw = (mix(bits) >> 11) as f64 / (1_u64 << 53) as f64 * all;
                self.shares.partition_point(|share| *share <= draw) as u64
            }
            None => number % self.torrents,
        };
        Peer {
            torrent: torrent.min(self.torrents - 1),
            id: PeerId(id),
            port: (FIRST_PORT + number / self.sources as u64 % PORTS) as u16,
            key: bits as u32,
            left: if (bits >> 32).is_multiple_of(SEEDERS) {
                0
            } else {
                (1 << 20) * (1 + (bits >> 40 & 4095))
            },
        }
    }

    /// Which source address it announces from.
    pub(crate) fn source(&self, number: u64) -> usize {
        (number % self.sources as u64) as usize
    }

    /// The address of a source; `None` for whichever the system takes, if there is only one.
    pub(crate) fn source_addr(&self, source: usize) -> Option<Ipv4Addr> {
        let [_, b, c, d] = (257 + source as u32 + source as u32 / 254 * 2).to_be_bytes();
        (self.sources > 1).then_some(Ipv4Addr::new(127, b, c, d))
    }
}

/// The output function of SplitMix64: every bit of the number counts in every bit of the result.
pub(crate) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_peers_of_a_torrent_are_the_same() {
        for (torrents, peers, sources, zipf) in
            [(7, 10_000, 1, false), (1, 100_000, 2, false), (50, 130_000, 3, true)]
        {
            let crowd = Crowd::new(1, torrents, peers, sources, zipf);
            let all: HashSet<_> = (0..peers)
                .map(|n| (crowd.peer(n).torrent, crowd.source_addr(crowd.source(n)), crowd.peer(n).port))
                .collect();
            assert_eq!(all.len() as u64, peers);
            let seeders = (0..peers).filter(|&n| crowd.peer(n).left == 0).count() as f64 / peers as f64;
            assert!((0.23..0.27).contains(&seeders), "{seeders}");
        }
    }

    #[test]
    fn torrents_of_zipf_are_of_very_different_size() {
        let crowd = Crowd::new(1, 100, 50_000, 1, true);
        let mut sizes = vec![0.0; 100];
        for n in 0..crowd.peers {
            sizes[crowd.peer(n).torrent as usize] += 1.0;
        }
        let harmonic: f64 = (1..=100).map(|rank| 1.0 / f64::from(rank)).sum();
        for rank in [1, 2, 10] {
            let expected = crowd.peers as f64 / harmonic / rank as f64;
            assert!(
                (sizes[rank - 1] / expected - 1.0).abs() < 0.15,
                "rank {rank}: {} of {expected}",
                sizes[rank - 1]
            );
        }
    }

    #[test]
    fn hashes_and_addresses_are_those_of_the_seed() {
        let crowd = |seed| Crowd::new(seed, 1000, 1000, 300, false);
        let hashes: HashSet<_> = (0..1000).map(|torrent| crowd(1).info_hash(torrent)).collect();
        assert_eq!(hashes.len(), 1000);
        assert!(hashes.contains(&crowd(1).info_hash(5)) && !hashes.contains(&crowd(2).info_hash(5)));
        let addrs: HashSet<_> = (0..300).filter_map(|source| crowd(1).source_addr(source)).collect();
        assert_eq!(addrs.len(), 300);
        assert!(addrs.iter().all(|addr| addr.is_loopback() && !matches!(addr.octets()[3], 0 | 255)));
    }
}
