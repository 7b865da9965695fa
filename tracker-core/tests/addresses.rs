//! Bounds on the peers of an address, and addresses that not everybody can connect to.

#![allow(clippy::unwrap_used, clippy::disallowed_macros)]

#[path = "common/peers.rs"]
mod peers;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use peers::{leecher, rng, torrent};
use rand_core::Rng;
use tracker_core::{
    Announce, AnnounceReply, Config, Event, Outcome, PeerAddr, PeerData, PeerState, Seconds, SwarmData,
    Tracker,
};

fn at(ip: [u8; 4], port: u16) -> PeerAddr {
    PeerAddr::V4(Ipv4Addr::from(ip), port)
}

fn limited() -> Tracker {
    Tracker::new(Config {
        max_peers_per_address: 30,
        max_peers_per_address_and_torrent: 10,
        ..Config::default()
    })
}

/// An announce of a peer whose number [`leecher`] cannot tell.
fn announce(n: u32, addr: PeerAddr) -> Announce {
    Announce { addr, numwant: 50, ..leecher(torrent(n), at([10, 0, 0, 0], 1)) }
}

fn tell(tracker: &Tracker, announce: &Announce, now: u32) -> Outcome {
    let mut reply = AnnounceReply::new();
    tracker.announce(announce, Seconds::new(now), &mut rng(1), &mut reply).unwrap()
}

#[test]
fn an_address_gets_room_again_when_its_peers_go() {
    let tracker = limited();
    let ip = [203, 0, 113, 9];
    let mut now = 0;
    for round in 0..4 {
        for n in 0..4 {
            for port in 1..=15 {
                let outcome = tell(&tracker, &announce(n, at(ip, port)), now);
                let fits = port <= 10 && n < 3;
                assert_eq!(
                    outcome,
                    if fits { Outcome::Done } else { Outcome::AddressFull },
                    "{round} {n} {port}"
                );
            }
        }
        // who is in may come back as often as it likes, and others are not concerned
        assert_eq!(tell(&tracker, &announce(0, at(ip, 3)), now), Outcome::Done);
        assert_eq!(tell(&tracker, &announce(0, at([203, 0, 113, 10], 3)), now), Outcome::Done);
        assert_eq!(
            tell(&tracker, &Announce { is_exempt: true, ..announce(0, at(ip, 99)) }, now),
            Outcome::Done
        );
        match round {
            0 => {
                for (n, port) in (0..3).flat_map(|n| (1..=10).map(move |port| (n, port))) {
                    tell(&tracker, &Announce { event: Event::Stopped, ..announce(n, at(ip, port)) }, now);
                }
                tell(&tracker, &Announce { event: Event::Stopped, ..announce(0, at(ip, 99)) }, now);
            }
            1 => {
                now += 10_000;
                tracker.expire(Seconds::new(now));
            }
            _ => assert!(tracker.retain(Seconds::new(now), |_| false) > 0),
        }
    }
    assert_eq!(tracker.totals().refused_by_address, 4 * 30);
}

#[test]
fn what_is_imported_counts() {
    let peers = (1..=10).map(|port| PeerData {
        addr: at([198, 51, 100, 7], port),
        peer_id: None,
        state: PeerState::Leecher,
        age: 0,
    });
    let swarm = SwarmData { info_hash: torrent(1), downloaded: 0, peers: peers.collect() };
    let tracker = limited();
    assert_eq!(tracker.import(&swarm, Seconds::new(0)).peers, 10);
    assert_eq!(tracker.import(&swarm, Seconds::new(0)).peers, 0, "they are there already");
    assert_eq!(tell(&tracker, &announce(1, at([198, 51, 100, 7], 99)), 0), Outcome::AddressFull);
    assert_eq!(tell(&tracker, &announce(2, at([198, 51, 100, 7], 99)), 0), Outcome::Done);
    let link_local = PeerData { addr: at([169, 254, 1, 1], 7), ..swarm.peers[0] };
    let nobody = SwarmData { peers: vec![link_local], ..swarm };
    assert_eq!(tracker.import(&nobody, Seconds::new(0)).skipped, 1);
}

#[test]
fn a_network_of_ipv6_is_one_address() {
    let tracker = limited();
    let peer = |network: u16, host: u16| {
        PeerAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, network, host, host, host, host), 6881)
    };
    for host in 0..10 {
        assert_eq!(tell(&tracker, &announce(1, peer(1, host)), 0), Outcome::Done);
    }
    assert_eq!(tell(&tracker, &announce(1, peer(1, 10)), 0), Outcome::AddressFull);
    assert_eq!(tell(&tracker, &announce(1, peer(2, 10)), 0), Outcome::Done);
}

/// Above 65,536 peers they are not counted one by one any more.
#[test]
fn in_a_large_swarm_the_bound_holds_too() {
    let tracker = Tracker::new(Config {
        keep_peer_ids: false,
        max_peers_per_address_and_torrent: 100,
        ..Config::default()
    });
    for n in 0..200_000_u32 {
        let [_, a, b, c] = n.to_be_bytes();
        assert_eq!(tell_quietly(&tracker, at([8 + a, b, c, 1], 6881)), Outcome::Done);
    }
    let full =
        (1..=300).find(|&port| tell_quietly(&tracker, at([203, 0, 113, 9], port)) == Outcome::AddressFull);
    let full = full.expect("there is a bound");
    assert!((80..=120).contains(&full), "{full}");
}

fn tell_quietly(tracker: &Tracker, addr: PeerAddr) -> Outcome {
    use rand_core::SeedableRng;
    let mut rng = rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(1);
    let announce = Announce { numwant: 0, ..announce(1, addr) };
    tracker.announce(&announce, Seconds::new(0), &mut rng, &mut AnnounceReply::new()).unwrap()
}

/// Half of a swarm is local: to an asker from elsewhere the others are handed out, each as likely as another.
#[test]
fn an_asker_from_elsewhere_gets_those_that_it_can_connect_to() {
    for size in [20, 60, 140, 1000] {
        let tracker = Tracker::new(Config::default());
        let mut rng = rng(u64::from(size));
        let mut reply = AnnounceReply::new();
        for n in 0..size as u16 {
            let [a, b] = n.to_be_bytes();
            let addr = if n % 2 == 0 { at([10, 1, a, b], 1) } else { at([198, 51, a, b], 1) };
            tracker.announce(&announce(1, addr), Seconds::new(0), &mut rng, &mut reply).unwrap();
        }
        let mut times = BTreeMap::new();
        let (rounds, want) = (4000, (size / 2).min(50));
        for _ in 0..rounds {
            // from another address each time, and with no port: leaves no trace
            let [a, b, ..] = rng.next_u32().to_be_bytes();
            let asker = announce(1, at([203, 0, a, b], 0));
            tracker.announce(&asker, Seconds::new(1), &mut rng, &mut reply).unwrap();
            assert_eq!(reply.len() as u32, want, "as many as there are");
            for peer in reply.peers() {
                *times.entry(peer).or_insert(0_u32) += 1;
            }
        }
        assert_eq!(times.len() as u32, size / 2);
        let expected = f64::from(rounds * want) / f64::from(size / 2);
        let far =
            times.values().map(|&n| (f64::from(n) - expected).abs() / expected.sqrt()).fold(0.0, f64::max);
        assert!(far < 5.0, "{size}: {far} standard deviations");
        let near = announce(1, at([192, 168, 0, 1], 0));
        tracker.announce(&near, Seconds::new(1), &mut rng, &mut reply).unwrap();
        assert_eq!(reply.len() as u32, size.min(50), "a neighbour gets everybody");
    }
}

#[test]
fn nobody_is_told_of_an_address_that_leads_nowhere() {
    let tracker = Tracker::new(Config::default());
    let nowhere = ["0.0.0.0", "169.254.3.4", "224.0.0.251", "255.255.255.255", "::", "fe80::1", "ff02::1"];
    for ip in nowhere {
        let addr = PeerAddr::new(ip.parse().unwrap(), 6881);
        assert_eq!(tell(&tracker, &announce(1, addr), 0), Outcome::Unreachable, "{ip}");
    }
    assert_eq!(tracker.totals().peers(), 0);
    // it is answered all the same
    tell(&tracker, &announce(1, at([10, 0, 0, 1], 1)), 0);
    let mut reply = AnnounceReply::new();
    let asker = announce(1, at([169, 254, 3, 4], 1));
    tracker.announce(&asker, Seconds::new(0), &mut rng(1), &mut reply).unwrap();
    assert_eq!(reply.len(), 1);
}
