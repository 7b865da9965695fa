//! The core: announces of known and new peers, departures, who is handed out, counts.

use std::hint::black_box;
use std::net::{Ipv4Addr, Ipv6Addr};

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use tracker_core::{
    Announce, AnnounceReply, Config, Event, InfoHash, Outcome, PeerAddr, PeerId, Seconds, Selection, Tracker,
};

use super::{OPERATIONS, Rows};

/// Torrents by their number of peers. Some thousand smaller ones are beside them.
const SIZES: [u32; 5] = [1, 20, 60, 1000, 100_000];
/// The number of this torrent, and that of the first of the small ones.
const IPV6: u32 = 1_000_000;
const SMALL: u32 = 2_000_000;
/// Peers of each small torrent.
const FEW: u32 = 20;

pub(super) fn rows(rows: &mut impl Rows) {
    let tracker = Tracker::new(Config::default());
    SIZES.iter().for_each(|&peers| fill(&tracker, peers, peers, v4));
    fill(&tracker, IPV6, 1000, v6);
    (0..OPERATIONS as u32).for_each(|n| fill(&tracker, SMALL + n, FEW, v4));

    for peers in SIZES {
        let askers = askers(peers, peers, v4, |_| true);
        announce(rows, &format!("announce, known in a swarm of {peers}, wants nobody"), &tracker, &askers, 0);
    }
    let askers6 = askers(IPV6, 1000, v6, |_| true);
    announce(rows, "announce, known in an IPv6 swarm of 1000, wants nobody", &tracker, &askers6, 0);

    selection(rows, &tracker);
    changes(rows, &tracker);

    let known = InfoHash::from_number(SMALL);
    let unknown = InfoHash::from_number(SMALL - 1);
    rows.row("counts of a torrent", |_| {
        assert!(black_box(tracker.scrape(black_box(&known))).is_some());
    });
    rows.row("counts of an unknown torrent", |_| {
        assert!(black_box(tracker.scrape(black_box(&unknown))).is_none());
    });
}

/// Who is handed out: known peers announce, most of them leechers, as most who ask are.
fn selection(rows: &mut impl Rows, tracker: &Tracker) {
    for (numwant, peers) in [(50, 60), (50, 1000), (50, 100_000), (200, 1000), (200, 100_000)] {
        let mut askers = askers(peers, peers, v4, is_leecher);
        want(&mut askers, numwant);
        announce(rows, &format!("announce, {numwant} of {peers}"), tracker, &askers, numwant);
    }
    let mut seeders = askers(1000, 1000, v4, |n| !is_leecher(n));
    want(&mut seeders, 50);
    announce(rows, "announce of a seeder, 50 of 1000", tracker, &seeders, 50);
    let mut leechers = askers(1000, 1000, v4, is_leecher);
    want(&mut leechers, 50);
    leechers.iter_mut().for_each(|announce| announce.want_ids = true);
    announce(rows, "announce, 50 of 1000 with their ids", tracker, &leechers, 50);
    let mut leechers = askers(IPV6, 1000, v6, is_leecher);
    want(&mut leechers, 50);
    announce(rows, "announce, 50 of 1000, IPv6", tracker, &leechers, 50);

    let near = Tracker::new(Config { selection: Selection::NearFirst, ..Config::default() });
    for peers in [60, 1000, 100_000] {
        fill(&near, peers, peers, v4_region);
        let mut askers = askers(peers, peers, v4_region, is_leecher);
        want(&mut askers, 50);
        announce(rows, &format!("announce, 50 of {peers}, near ones first"), &near, &askers, 50);
    }
}

/// Peers come and go: into small torrents, each another, and into one large one. What has come goes again.
fn changes(rows: &mut impl Rows, tracker: &Tracker) {
    let count = OPERATIONS as u32;
    let of_small = |n| announce_of(SMALL + n, FEW, v4);
    let of_large = |n| announce_of(100_000, 100_000 + n, v4);
    let of_new = |n| announce_of(3 * SMALL + n, 0, v4);
    let mut small: Vec<_> = (0..count).map(of_small).collect();
    let mut large: Vec<_> = (0..count).map(of_large).collect();
    let mut new: Vec<_> = (0..count).map(of_new).collect();
    for announce in small.iter_mut().chain(&mut large).chain(&mut new) {
        announce.event = Event::Started;
    }
    once(rows, "announce, new in a swarm of 20", tracker, &small);
    once(rows, "announce, new in a swarm of 100000", tracker, &large);
    once(rows, "announce, new torrent", tracker, &new);
    for announce in small.iter_mut().chain(&mut large).chain(&mut new) {
        announce.event = Event::Stopped;
    }
    once(rows, "announce, leaves a swarm of 21", tracker, &small);
    once(rows, "announce, leaves a swarm of 101000", tracker, &large);
    once(rows, "announce, the last one leaves", tracker, &new);
}

/// A row of announces; each brings so many peers.
fn announce(rows: &mut impl Rows, name: &str, tracker: &Tracker, announces: &[Announce], peers: u32) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
    let mut reply = AnnounceReply::new();
    rows.row(name, |n| {
        let outcome = tracker.announce(black_box(&announces[n]), Seconds::new(1), &mut rng, &mut reply);
        assert!(outcome == Ok(Outcome::Done) && black_box(&reply).len() == peers as usize);
    });
}

/// A row of announces that change something, and ask for nobody.
fn once(rows: &mut impl Rows, name: &str, tracker: &Tracker, announces: &[Announce]) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
    let mut reply = AnnounceReply::new();
    rows.once(name, |n| {
        let outcome = tracker.announce(black_box(&announces[n]), Seconds::new(1), &mut rng, &mut reply);
        assert!(outcome == Ok(Outcome::Done) && black_box(&reply).is_empty());
    });
}

fn fill(tracker: &Tracker, torrent: u32, peers: u32, addr: fn(u32) -> PeerAddr) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut reply = AnnounceReply::new();
    for n in 0..peers {
        let outcome = tracker.announce(&announce_of(torrent, n, addr), Seconds::new(0), &mut rng, &mut reply);
        assert_eq!(outcome, Ok(Outcome::Done));
    }
}

/// As many of the `peers` of a torrent as there are operations, drawn among those that are `wanted`.
fn askers(torrent: u32, peers: u32, addr: fn(u32) -> PeerAddr, wanted: fn(u32) -> bool) -> Vec<Announce> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    let drawn = std::iter::repeat_with(|| rng.next_u32() % peers).filter(|n| wanted(*n));
    drawn.take(OPERATIONS).map(|n| announce_of(torrent, n, addr)).collect()
}

fn want(askers: &mut [Announce], numwant: u32) {
    askers.iter_mut().for_each(|announce| announce.numwant = numwant);
}

/// Two of three.
fn is_leecher(n: u32) -> bool {
    !n.is_multiple_of(3)
}

fn announce_of(torrent: u32, n: u32, addr: fn(u32) -> PeerAddr) -> Announce {
    let mut peer_id = PeerId(*b"-XX0001-............");
    peer_id.0[16..].copy_from_slice(&n.to_be_bytes());
    Announce {
        info_hash: InfoHash::from_number(torrent),
        peer_id,
        addr: addr(n),
        left: u64::from(is_leecher(n)),
        event: Event::Regular,
        numwant: 0,
        want_ids: false,
        is_exempt: false,
    }
}

/// All over the world, from 20.0.0.0 on.
fn v4(n: u32) -> PeerAddr {
    PeerAddr::V4(Ipv4Addr::from_bits(0x1400_0000 + n * 13_003), 6881)
}

/// Seven to a network of 256 addresses.
fn v4_region(n: u32) -> PeerAddr {
    PeerAddr::V4(Ipv4Addr::from_bits(0x1400_0000 + n * 37), 6881)
}

/// Each in a network of its own.
fn v6(n: u32) -> PeerAddr {
    PeerAddr::V6(Ipv6Addr::from_bits(0x2a00_1450 << 96 | u128::from(n) << 72 | 1), 6881)
}

trait Numbered {
    fn from_number(n: u32) -> Self;
}

impl Numbered for InfoHash {
    fn from_number(n: u32) -> Self {
        let mut hash = InfoHash::default();
        hash.0[..4].copy_from_slice(&n.to_be_bytes());
        hash
    }
}
