//! Torrents and peers by number.

#![allow(dead_code)]

use std::net::{Ipv4Addr, Ipv6Addr};

use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use tracker_core::{Announce, AnnounceReply, Event, InfoHash, PeerAddr, PeerId, Seconds, Tracker};

pub(crate) fn rng(seed: u64) -> Xoshiro256PlusPlus {
    println!("seed {seed}");
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

pub(crate) fn torrent(n: u32) -> InfoHash {
    let mut hash = InfoHash::default();
    hash.0[..4].copy_from_slice(&n.to_be_bytes());
    hash
}

/// From 10.0.0.0 on.
pub(crate) fn v4(n: u32) -> PeerAddr {
    PeerAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + n), 6881)
}

pub(crate) fn v6(n: u32) -> PeerAddr {
    PeerAddr::V6(Ipv6Addr::from_bits(0x2001_0db8 << 96 | u128::from(n)), 6881)
}

/// The number of a peer made by [`v4`] or [`v6`].
pub(crate) fn number(addr: PeerAddr) -> u32 {
    match addr {
        PeerAddr::V4(ip, _) => ip.to_bits() - 0x0a00_0000,
        PeerAddr::V6(ip, _) => ip.to_bits() as u32,
    }
}

pub(crate) fn id(n: u32) -> PeerId {
    let mut id = PeerId(*b"-XX0001-............");
    id.0[16..].copy_from_slice(&n.to_be_bytes());
    id
}

/// A leecher's announce that asks for nobody.
pub(crate) fn leecher(info_hash: InfoHash, addr: PeerAddr) -> Announce {
    Announce {
        info_hash,
        peer_id: id(number(addr)),
        addr,
        left: 1,
        event: Event::Regular,
        numwant: 0,
        want_ids: false,
        is_exempt: false,
    }
}

/// Announces where the answer does not matter.
pub(crate) fn tell(tracker: &Tracker, announce: &Announce, now: u32) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
    tracker.announce(announce, Seconds::new(now), &mut rng, &mut AnnounceReply::new()).unwrap();
}
