//! Who is handed out, counted over many seeded draws and held against chance by chi-square.

#![allow(clippy::unwrap_used, clippy::disallowed_macros)]

#[path = "common/peers.rs"]
mod peers;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use peers::{leecher, number, rng, tell, torrent, v4, v6};
use rand_core::Rng;
use tracker_core::{
    Announce, AnnounceReply, Config, Event, PeerAddr, PeerState, Seconds, Selection, Tracker,
};

/// What the counts' scatter is, in standard deviations from what chance would make it. Seeds are fixed, so a test
/// that passes once passes always; beyond 4 is once in 15,000 seeds.
fn scatter(observed: &[u64], draws: u64, per_draw: f64) -> f64 {
    let cells = observed.len() as f64;
    let freedom = cells - 1.0;
    let mean = observed.iter().sum::<u64>() as f64 / cells;
    // each cell comes at most once a draw, so its variance is smaller than its mean
    let variance = draws as f64 * per_draw / cells * (1.0 - per_draw / cells);
    let squares: f64 = observed.iter().map(|&count| (count as f64 - mean).powi(2)).sum();
    let chi_square = squares / variance * freedom / cells;
    (chi_square - freedom) / (2.0 * freedom).sqrt()
}

#[track_caller]
fn assert_even(what: &str, observed: &[u64], draws: u64, per_draw: f64) {
    let scatter = scatter(observed, draws, per_draw);
    println!("{what}: {} cells, {draws} draws of {per_draw}, scatter {scatter:.2}", observed.len());
    assert!(scatter < 4.0, "{what}: not even, {scatter:.1} standard deviations too much scatter");
    // too even is no chance either
    assert!(scatter > -4.0, "{what}: not independent, {scatter:.1} standard deviations too little scatter");
}

/// Whoever `asker` may be given, by what an export shows.
fn fit(tracker: &Tracker, asker: &Announce, now: u32) -> Vec<PeerAddr> {
    let mut fit = Vec::new();
    for shard in 0..tracker.shards() {
        tracker.export(shard, Seconds::new(now), |part| {
            let own = |addr: &PeerAddr| addr.ip().is_ipv4() == asker.addr.ip().is_ipv4();
            let peers = part.peers.iter().filter(|peer| own(&peer.addr) && peer.addr != asker.addr);
            let wanted = |state| asker.left != 0 || state == PeerState::Leecher;
            fit.extend(peers.filter(|peer| wanted(peer.state)).map(|peer| peer.addr));
        });
    }
    fit
}

/// Draws until everybody should have come some twenty times, and looks whether all have come as often.
#[track_caller]
fn assert_uniform(what: &str, tracker: &Tracker, asker: &Announce, now: u32, seed: u64) {
    let fit = fit(tracker, asker, now);
    let mut counts: BTreeMap<PeerAddr, u64> = fit.iter().map(|&addr| (addr, 0)).collect();
    let want = asker.numwant.min(fit.len() as u32);
    let draws = (20 * fit.len() as u64 / u64::from(want)).max(300);
    let (mut rng, mut reply) = (rng(seed), AnnounceReply::new());
    for _ in 0..draws {
        tracker.announce(asker, Seconds::new(now), &mut rng, &mut reply).unwrap();
        assert_eq!(reply.len() as u32, want);
        for addr in reply.peers() {
            *counts.get_mut(&addr).expect("only who is fit is handed out") += 1;
        }
    }
    let counts: Vec<u64> = counts.into_values().collect();
    if want as usize == fit.len() {
        assert!(counts.iter().all(|&count| count == draws), "{what}: all fit in");
    } else {
        assert_even(what, &counts, draws, f64::from(want));
    }
}

/// Port 0: it asks and is not stored.
fn stranger(like: PeerAddr, left: u64, numwant: u32) -> Announce {
    Announce { left, numwant, ..leecher(torrent(1), PeerAddr::new(like.ip(), 0)) }
}

fn a_swarm(size: u32, family: fn(u32) -> PeerAddr, keep_peer_ids: bool) -> Tracker {
    let tracker = Tracker::new(Config { shards: 1, keep_peer_ids, peer_timeout: 1000, ..Config::default() });
    for n in 0..size {
        tell(&tracker, &Announce { left: u64::from(n % 3), ..leecher(torrent(1), family(n)) }, 0);
    }
    tracker
}

/// Peers stop, finish, pause, come back and go stale; most of the first ones are gone in the end.
fn churn(tracker: &Tracker, size: u32, family: fn(u32) -> PeerAddr, seed: u64) -> u32 {
    let mut rng = rng(seed);
    let mut now = 0;
    for round in 0..6 {
        now += 300;
        for _ in 0..size / 2 {
            let draw = rng.next_u32();
            let announce = Announce {
                left: u64::from(draw >> 8 & 1),
                event: [Event::Regular, Event::Stopped, Event::Paused, Event::Completed][draw as usize & 3],
                ..leecher(torrent(1), family(rng.next_u32() % (size * 3 / 2)))
            };
            tell(tracker, &announce, now);
        }
        if round % 2 == 1 {
            tracker.expire(Seconds::new(now));
        }
    }
    now
}

#[test]
fn everybody_is_equally_likely_in_a_fresh_swarm() {
    // all fit in; drawn from all; drawn one by one; more peers than marks, by little and by much
    for (seed, (size, numwant)) in
        (100..).zip([(40, 50), (70, 50), (99, 50), (150, 50), (1000, 50), (5000, 200), (20_000, 200)])
    {
        let tracker = a_swarm(size, v4, true);
        for left in [0, 1] {
            let what = format!("{size} IPv4 peers, left {left}");
            assert_uniform(&what, &tracker, &stranger(v4(0), left, numwant), 0, seed);
        }
    }
    for (seed, size) in (200..).zip([70, 150, 5000]) {
        let tracker = a_swarm(size, v6, false);
        assert_uniform("IPv6", &tracker, &stranger(v6(0), 1, 50), 0, seed);
    }
}

#[test]
fn everybody_is_equally_likely_after_churn() {
    for (seed, (size, numwant)) in (300..).zip([(60, 20), (300, 50), (4000, 50), (15_000, 200)]) {
        for family in [v4, v6] {
            let tracker = a_swarm(size, family, seed % 2 == 0);
            let now = churn(&tracker, size, family, seed);
            for left in [0, 1] {
                let what = format!("{size} peers after churn, left {left}");
                assert_uniform(&what, &tracker, &stranger(family(0), left, numwant), now, seed);
            }
        }
    }
}

#[test]
fn stale_peers_that_no_sweep_has_removed_change_nothing() {
    // few of the drawn ones are fit, so that drawing is given up at some point
    for (seed, (size, fresh, numwant)) in (400..).zip([(100, 30, 20), (1000, 100, 40), (6000, 100, 40)]) {
        let tracker = a_swarm(size, v4, false);
        for n in 0..fresh {
            tell(&tracker, &leecher(torrent(1), v4(n * 7 % size)), 900);
        }
        assert_uniform("among stale ones", &tracker, &stranger(v4(0), 1, numwant), 1500, seed);
    }
}

#[test]
fn the_asker_is_skipped_without_favour_to_its_neighbours() {
    for (seed, size) in (500..).zip([60, 120, 5000]) {
        let tracker = a_swarm(size, v4, false);
        let asker = Announce { numwant: 50, ..leecher(torrent(1), v4(size / 2)) };
        assert_uniform("asker in the swarm", &tracker, &asker, 0, seed);
    }
}

/// Every set of `want` peers of twelve is a cell of its own.
#[test]
fn every_set_is_equally_likely() {
    for (seed, want) in (600..).zip([2, 3, 5, 6, 8, 10]) {
        let tracker = a_swarm(16, v4, true);
        // four of sixteen are gone, and the places of the others have changed
        for n in [0, 5, 7, 9] {
            tell(&tracker, &Announce { event: Event::Stopped, ..leecher(torrent(1), v4(n)) }, 0);
        }
        let cells = (0..want).fold(1_u64, |cells, k| cells * (12 - k) / (k + 1));
        let draws = cells * 30;
        let (mut rng, mut reply) = (rng(seed), AnnounceReply::new());
        let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
        let asker = stranger(v4(0), 1, want as u32);
        for _ in 0..draws {
            tracker.announce(&asker, Seconds::new(0), &mut rng, &mut reply).unwrap();
            let set = reply.peers().fold(0, |set, addr| set | 1 << number(addr));
            *counts.entry(set).or_default() += 1;
        }
        assert_eq!(counts.len() as u64, cells, "every set comes");
        let counts: Vec<u64> = counts.into_values().collect();
        assert_even(&format!("sets of {want} of 12"), &counts, draws, 1.0);
    }
}

/// Which group of a near-first swarm: 0 the asker's network, 1 its region, 2 far away.
fn group(addr: PeerAddr) -> usize {
    match addr {
        PeerAddr::V4(ip, _) => match ip.octets() {
            [10, 0, 0, _] => 0,
            [10, 0, ..] => 1,
            _ => 2,
        },
        PeerAddr::V6(ip, _) => match ip.segments() {
            [0x2001, 0xdb8, 0, ..] => 0,
            [0x2001, 0xdb8, ..] => 1,
            _ => 2,
        },
    }
}

fn near_v4(group: usize, n: u32) -> PeerAddr {
    let base = [0x0a00_0001, 0x0a00_0100, 0x0b00_0000][group];
    PeerAddr::V4(Ipv4Addr::from_bits(base + n), 1)
}

fn near_v6(group: usize, n: u32) -> PeerAddr {
    let top: u128 = [0x2001_0db8_0000, 0x2001_0db8_0001, 0x2001_0db9_0000][group];
    PeerAddr::V6(Ipv6Addr::from_bits(top << 80 | u128::from(n)), 1)
}

/// A swarm of so many near, so many a bit near and so many far peers, in mixed order, and draws of 50 from it.
fn near_first(
    family: fn(usize, u32) -> PeerAddr,
    sizes: [u32; 3],
    draws: u64,
    seed: u64,
) -> BTreeMap<PeerAddr, u64> {
    let config =
        Config { shards: 1, selection: Selection::NearFirst, keep_peer_ids: false, ..Config::default() };
    let tracker = Tracker::new(config);
    let mut counts = BTreeMap::new();
    for n in 0..sizes.into_iter().max().unwrap() {
        for group in (0..3).filter(|&group| n < sizes[group]) {
            let addr = family(group, n);
            tell(&tracker, &Announce { peer_id: Default::default(), addr, ..leecher(torrent(1), v4(0)) }, 0);
            counts.insert(addr, 0);
        }
    }
    let addr = PeerAddr::new(family(0, 100).ip(), 0);
    let asker = Announce { addr, numwant: 50, ..leecher(torrent(1), v4(0)) };
    let (mut rng, mut reply) = (rng(seed), AnnounceReply::new());
    for _ in 0..draws {
        tracker.announce(&asker, Seconds::new(0), &mut rng, &mut reply).unwrap();
        assert_eq!(reply.len(), 50);
        let mut groups = [0; 3];
        for addr in reply.peers() {
            groups[group(addr)] += 1;
            *counts.get_mut(&addr).unwrap() += 1;
        }
        if sizes.iter().sum::<u32>() > 8192 {
            continue; // not all are looked at
        }
        let network = 25.min(sizes[0]);
        let region = (25 - network).min(sizes[1]);
        assert!(groups[0] >= network, "those of the network come first");
        assert!(groups[0] + groups[1] >= network + region, "then those of the region");
    }
    counts
}

#[test]
fn near_ones_first_and_a_random_rest() {
    for (seed, family) in (700..).zip([near_v4 as fn(usize, u32) -> PeerAddr, near_v6]) {
        let draws = 2000;
        for sizes in [[80, 200, 300], [10, 200, 300], [0, 5, 500], [3, 0, 400]] {
            let counts = near_first(family, sizes, draws, seed);
            // 25 near ones if there are so many, and the rest from all others alike
            let network = 25.min(sizes[0]);
            let region = (25 - network).min(sizes[1]);
            let others = sizes.iter().sum::<u32>() - network - region;
            let rest = f64::from(50 - network - region) / f64::from(others);
            for which in 0..3 {
                let cells: Vec<u64> = counts
                    .iter()
                    .filter(|(addr, _)| group(**addr) == which)
                    .map(|(_, &count)| count)
                    .collect();
                let near = [network, region, 0][which];
                let per_draw = f64::from(near) + f64::from(sizes[which] - near) * rest;
                let mean = cells.iter().sum::<u64>() as f64 / draws as f64;
                assert!(
                    (mean - per_draw).abs() <= 0.02 * per_draw,
                    "{sizes:?}: {mean} a draw, not {per_draw}"
                );
                if cells.len() > 50 {
                    assert_even(&format!("near first, {sizes:?}, group {which}"), &cells, draws, per_draw);
                }
            }
        }
    }
}

#[test]
fn near_ones_are_found_in_a_large_swarm() {
    let counts = near_first(near_v4, [0, 150, 12_000], 300, 800);
    let near: Vec<u64> =
        counts.iter().filter(|(addr, _)| group(**addr) == 1).map(|(_, &count)| count).collect();
    assert!(near.iter().all(|&count| count > 0));
    // by chance it would be less than one of 50
    assert!(near.iter().sum::<u64>() > 300 * 10);
}
