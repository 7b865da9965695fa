//! The whole public interface against a naive model, over random histories.

#![allow(clippy::unwrap_used, clippy::disallowed_macros)]

#[path = "model/naive.rs"]
mod naive;

use std::net::{Ipv4Addr, Ipv6Addr};

use naive::Naive;
use proptest::prelude::*;
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use tracker_core::{
    Announce, AnnounceReply, Config, Event, InfoHash, PeerAddr, PeerId, Seconds, Selection, Tracker,
};

#[derive(Clone, Debug)]
enum Step {
    Announce {
        torrent: u8,
        addr: u8,
        left: u64,
        event: Event,
        numwant: u32,
        want_ids: bool,
        is_exempt: bool,
        id: u8,
    },
    /// Time goes on.
    Wait(u32),
    /// The next announce comes with a clock that is that much behind.
    Back(u32),
    /// The clock is set to that, forth or back, and goes on from there.
    Set(u32),
    /// The clock is set back by that, and goes on from there.
    SetBack(u32),
    Expire,
    Retain(u8),
}

fn name(torrent: u8) -> InfoHash {
    InfoHash([torrent; 20])
}

/// Few addresses, near and far, of both families and any reach, two ports of each; every twelfth has none.
fn addr(n: u8) -> PeerAddr {
    let port = if n % 12 == 11 { 0 } else { 6881 + u16::from(n % 2) };
    let host = n / 2;
    match host % 6 {
        // two hosts of one network of 64 bits
        0 => PeerAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 7, 0, 0, 0, u16::from(host)), port),
        1 => PeerAddr::V6(Ipv6Addr::new(0xfd00, 0xdb8, u16::from(host), 7, 0, 0, 0, 1), port),
        2 => PeerAddr::V4(Ipv4Addr::new(203, 0, 113, host), port),
        3 => PeerAddr::V4(Ipv4Addr::new(198, 51, host, 1), port),
        4 if host == 10 => PeerAddr::V4(Ipv4Addr::new(169, 254, 0, 1), port),
        _ => PeerAddr::V4(Ipv4Addr::new(10, 1, host % 4, host), port),
    }
}

fn announce() -> impl Strategy<Value = Step> {
    let event = prop_oneof![
        4 => Just(Event::Regular),
        2 => Just(Event::Started),
        3 => Just(Event::Completed),
        2 => Just(Event::Stopped),
        2 => Just(Event::Paused),
    ];
    let left = prop_oneof![2 => Just(0), 2 => Just(17), 1 => Just(u64::MAX)];
    let numwant = prop_oneof![0..6_u32, Just(50), Just(1_000_000)];
    (0..5_u8, 0..28_u8, left, event, numwant, any::<bool>(), any::<bool>(), 0..3_u8).prop_map(
        |(torrent, addr, left, event, numwant, want_ids, is_exempt, id)| Step::Announce {
            torrent,
            addr,
            left,
            event,
            numwant,
            want_ids,
            is_exempt,
            id,
        },
    )
}

fn steps(timeout: u32) -> impl Strategy<Value = Vec<Step>> {
    let wait = prop_oneof![
        4 => 0..=timeout / 3 + 1,
        2 => timeout.saturating_sub(2)..timeout.saturating_add(3),
        1 => 65_530_u32..65_540,
        1 => 30_000_u32..70_000,
        1 => Just(10 * 86_400),
    ];
    let back = prop_oneof![1..5_u32, Just(timeout), Just(1_000_000)];
    let step = prop_oneof![
        12 => announce(),
        3 => wait.prop_map(Step::Wait),
        1 => back.prop_map(Step::Back),
        2 => Just(Step::Expire),
        1 => any::<u8>().prop_map(Step::Retain),
    ];
    proptest::collection::vec(step, 1..120)
}

fn config() -> impl Strategy<Value = Config> {
    let timeout = prop_oneof![
        3 => Just(2700),
        1 => Just(1),
        1 => 2..20_u32,
        2 => prop_oneof![Just(16_383), Just(16_384), Just(16_385), Just(20_000), Just(65_536)],
        1 => 86_400..50_000_000_u32,
    ];
    let limit = prop_oneof![2 => Just(0), 1 => 1..5_usize];
    let remember = prop_oneof![2 => Just(1_000_000), 2 => 0..3_usize];
    let selection = prop_oneof![Just(Selection::Uniform), Just(Selection::NearFirst)];
    (
        timeout,
        prop_oneof![Just(1), Just(4), Just(64)],
        any::<bool>(),
        selection,
        limit.clone(),
        limit.clone(),
        limit.clone(),
        limit,
        remember,
    )
        .prop_map(
            |(
                peer_timeout,
                shards,
                keep_peer_ids,
                selection,
                torrents,
                peers,
                of_address,
                in_torrent,
                remember,
            )| {
                Config {
                    hash_key: [7; 16],
                    peer_timeout,
                    shards,
                    keep_peer_ids,
                    selection,
                    max_torrents: torrents,
                    max_peers_per_torrent: peers,
                    max_peers_per_address: of_address * 2,
                    max_peers_per_address_and_torrent: in_torrent,
                    remember_torrents: remember,
                }
            },
        )
}

/// Everybody in a torrent as leechers that nobody can connect to are told, from near and far: they leave no trace.
fn ask_for_all(tracker: &Tracker, naive: &mut Naive, torrent: InfoHash, rng: &mut Xoshiro256PlusPlus) {
    for asker in [Ipv4Addr::new(10, 200, 0, 1), Ipv4Addr::new(192, 0, 2, 1)] {
        ask_from(PeerAddr::V4(asker, 0), tracker, naive, torrent, rng);
    }
}

fn ask_from(
    addr: PeerAddr,
    tracker: &Tracker,
    naive: &mut Naive,
    torrent: InfoHash,
    rng: &mut Xoshiro256PlusPlus,
) {
    let announce = Announce {
        info_hash: torrent,
        peer_id: PeerId::default(),
        addr,
        left: 1,
        event: Event::Regular,
        numwant: u32::MAX,
        want_ids: true,
        is_exempt: false,
    };
    let mut reply = AnnounceReply::new();
    let result = tracker.announce(&announce, Seconds::new(naive.now), rng, &mut reply);
    naive.announce(tracker, &announce, result, &reply, true);
}

fn run(config: Config, start: u32, steps: &[Step]) {
    let tracker = Tracker::new(config.clone());
    let mut naive = Naive::new(config);
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut reply = AnnounceReply::new();
    let mut clock = start;
    let mut back = 0;
    let hashes: Vec<InfoHash> = (0..5).map(name).collect();
    for step in steps {
        let now = Seconds::new(clock.saturating_sub(std::mem::take(&mut back)));
        match *step {
            Step::Announce { torrent, addr: n, left, event, numwant, want_ids, is_exempt, id } => {
                naive.see(now);
                let info_hash = name(torrent);
                let (peer_id, addr) = (PeerId([id; 20]), addr(n));
                let announce =
                    Announce { info_hash, peer_id, addr, left, event, numwant, want_ids, is_exempt };
                let result = tracker.announce(&announce, now, &mut rng, &mut reply);
                naive.announce(&tracker, &announce, result, &reply, true);
            }
            Step::Wait(seconds) => clock = clock.saturating_add(seconds),
            Step::Back(seconds) => back = seconds,
            Step::Set(to) => clock = to,
            Step::SetBack(seconds) => clock = clock.saturating_sub(seconds),
            Step::Expire => {
                naive.see(now);
                let expired = tracker.expire(now);
                assert_eq!((expired.peers, expired.torrents), naive.expire(&tracker));
            }
            Step::Retain(mask) => {
                naive.see(now);
                let kept = |hash: &InfoHash| mask & 1 << hash.0[0] != 0;
                assert_eq!(tracker.retain(now, kept), naive.retain(kept));
            }
        }
        naive.compare(&tracker, &hashes);
        for &hash in &hashes {
            ask_for_all(&tracker, &mut naive, hash, &mut rng);
        }
    }
}

/// In seconds. Beyond, times may wrap round where timeouts are short.
const A_YEAR: u32 = 365 * 86_400;

/// As [`steps`], with a clock that jumps both ways: by moments and timeouts, by what ages wrap round at, and to anywhere.
fn steps_of_a_wild_clock(timeout: u32) -> impl Strategy<Value = Vec<Step>> {
    let jump = prop_oneof![
        4 => (0..=2 * timeout.min(1 << 30)).prop_map(Step::SetBack),
        2 => (0..=timeout.min(1 << 30)).prop_map(Step::Wait),
        2 => (0..200_000_u32).prop_map(Step::SetBack),
        2 => (65_000..66_000_u32).prop_map(Step::Wait),
        1 => Just(Step::Set(0)),
        1 => (0..A_YEAR).prop_map(Step::Set),
    ];
    let step = prop_oneof![8 => announce(), 5 => jump, 2 => Just(Step::Expire)];
    proptest::collection::vec(step, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_clock_that_jumps_both_ways_changes_nothing_but_the_time_that_has_been_seen(
        (config, start, steps) in (config(), prop_oneof![Just(0), 0..200_000_u32])
            .prop_flat_map(|(config, start)| {
                let steps = steps_of_a_wild_clock(config.peer_timeout);
                (Just(config), Just(start), steps)
            })
    ) {
        run(config, start, &steps);
    }

    #[test]
    fn small_swarms_do_as_the_model_does(
        (config, start, steps) in (config(), prop_oneof![Just(0), 0..200_000_u32])
            .prop_flat_map(|(config, start)| {
                let steps = steps(config.peer_timeout);
                (Just(config), Just(start), steps)
            })
    ) {
        run(config, start, &steps);
    }
}

/// What an hour in a large swarm looks like.
struct Weather {
    announces: u32,
    /// In 16 announces.
    stops: u32,
    /// Out of how many addresses, four families' worth.
    addresses: u32,
    /// Seconds that pass in 256 announces.
    pace: u32,
    sweeps: bool,
}

fn random_weather(rng: &mut Xoshiro256PlusPlus) -> Weather {
    Weather {
        announces: 2000 + rng.next_u32() % 6000,
        stops: [1, 2, 14][rng.next_u32() as usize % 3],
        addresses: 1 + rng.next_u32() % 7000,
        pace: [1, 40, 300][rng.next_u32() as usize % 3],
        sweeps: !rng.next_u32().is_multiple_of(4),
    }
}

/// Histories that cross the index with its parts, the shrinking of arrays, and sweeps in several steps.
fn run_large(seed: u64, config: Config) {
    let tracker = Tracker::new(config.clone());
    let mut naive = Naive::new(config);
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut reply = AnnounceReply::new();
    let mut clock = 0;
    let hashes = [name(0), name(1)];
    for _ in 0..5 {
        let weather = random_weather(&mut rng);
        for n in 0..weather.announces {
            let draw = rng.next_u32();
            let who = rng.next_u32() % weather.addresses;
            let addr = match who % 5 {
                0 => PeerAddr::V6(Ipv6Addr::from_bits(0x2001_0db8 << 96 | u128::from(who)), 1),
                _ => PeerAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + who), 1),
            };
            let event = match draw % 16 {
                few if few < weather.stops => Event::Stopped,
                14 => Event::Completed,
                15 => Event::Paused,
                _ => Event::Regular,
            };
            let mut id = PeerId::default();
            id.0[..4].copy_from_slice(&draw.to_be_bytes());
            let announce = Announce {
                info_hash: hashes[usize::from(draw >> 8 & 15 == 0)],
                peer_id: id,
                addr,
                left: u64::from(draw >> 12 & 3),
                event,
                numwant: [0, 5, 50, 200, 700][(draw >> 16) as usize % 5],
                want_ids: draw >> 20 & 1 == 0,
                is_exempt: false,
            };
            let is_looked_at = n % 64 == 0;
            naive.see(Seconds::new(clock));
            let result = tracker.announce(&announce, Seconds::new(clock), &mut rng, &mut reply);
            if is_looked_at {
                naive.announce(&tracker, &announce, result, &reply, true);
            } else {
                naive.announce_unseen(&announce);
            }
            if n % 256 == 255 {
                clock += weather.pace;
                if weather.sweeps && draw >> 24 & 7 == 0 {
                    naive.see(Seconds::new(clock));
                    let expired = tracker.expire(Seconds::new(clock));
                    assert_eq!((expired.peers, expired.torrents), naive.expire(&tracker));
                }
            }
        }
        naive.compare(&tracker, &hashes);
        for hash in hashes {
            ask_for_all(&tracker, &mut naive, hash, &mut rng);
        }
        clock += [0, 100, 10_000, 70_000][rng.next_u32() as usize % 4];
        naive.see(Seconds::new(clock));
        let expired = tracker.expire(Seconds::new(clock));
        assert_eq!((expired.peers, expired.torrents), naive.expire(&tracker));
        naive.compare(&tracker, &hashes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn large_swarms_do_as_the_model_does(seed: u64, keep_peer_ids: bool, is_near_first: bool) {
        let selection = if is_near_first { Selection::NearFirst } else { Selection::Uniform };
        run_large(seed, Config { shards: 1, keep_peer_ids, selection, ..Config::default() });
    }
}
