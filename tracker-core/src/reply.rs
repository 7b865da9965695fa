//! The answer to an announce: a buffer of the caller's, used again for every announce.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::selection::Scratch;
use crate::{Counts, PeerAddr, PeerId};

/// What a peer is told. Make one per thread and pass it to every [`announce`](crate::Tracker::announce): after some
/// announces it has all the memory it will ever need.
#[derive(Clone, Debug, Default)]
pub struct AnnounceReply {
    /// The torrent's counts, the asker included.
    pub counts: Counts,
    pub(crate) peers4: Vec<u8>,
    pub(crate) peers6: Vec<u8>,
    pub(crate) ids4: Vec<PeerId>,
    pub(crate) ids6: Vec<PeerId>,
    pub(crate) scratch: Scratch,
}

impl AnnounceReply {
    /// An empty reply.
    pub fn new() -> Self {
        Self::default()
    }

    /// The IPv4 peers, 6 bytes each: address and port, as `peers` of
    /// [BEP 23](https://www.bittorrent.org/beps/bep_0023.html) has them.
    pub fn compact4(&self) -> &[u8] {
        &self.peers4
    }

    /// The IPv6 peers, 18 bytes each: address and port, as `peers6` of
    /// [BEP 7](https://www.bittorrent.org/beps/bep_0007.html) has them.
    pub fn compact6(&self) -> &[u8] {
        &self.peers6
    }

    /// The ids of the IPv4 peers, in their order; empty unless they were wanted and are kept.
    pub fn ids4(&self) -> &[PeerId] {
        &self.ids4
    }

    /// The ids of the IPv6 peers, in their order; empty unless they were wanted and are kept.
    pub fn ids6(&self) -> &[PeerId] {
        &self.ids6
    }

    /// How many peers there are.
    pub fn len(&self) -> usize {
        self.peers4.len() / 6 + self.peers6.len() / 18
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All peers, IPv4 first.
    pub fn peers(&self) -> impl Iterator<Item = PeerAddr> + '_ {
        let v4 =
            self.peers4.as_chunks::<6>().0.iter().map(|&[a, b, c, d, p, q]| {
                PeerAddr::V4(Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([p, q]))
            });
        let v6 = self.peers6.as_chunks::<18>().0.iter().map(|peer| {
            let mut octets = [0; 16];
            octets.copy_from_slice(&peer[..16]);
            PeerAddr::V6(Ipv6Addr::from(octets), u16::from_be_bytes([peer[16], peer[17]]))
        });
        v4.chain(v6)
    }

    pub(crate) fn clear(&mut self) {
        self.counts = Counts::default();
        self.peers4.clear();
        self.peers6.clear();
        self.ids4.clear();
        self.ids6.clear();
    }
}
