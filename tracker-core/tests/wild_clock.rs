//! Times that no clock should give: whatever `now` is, nothing panics, and what there is adds up. What is handed out under a clock that
//! jumps is looked at in `model.rs`.

#![allow(clippy::unwrap_used)]

use std::net::Ipv4Addr;
use std::time::Duration;

use proptest::prelude::*;
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use tracker_core::{
    Announce, AnnounceReply, Config, Event, InfoHash, PeerAddr, PeerId, Seconds, SwarmData, Tracker,
};

const TORRENTS: u8 = 4;

#[derive(Clone, Debug)]
enum Step {
    Announce {
        torrent: u8,
        host: u8,
        left: u64,
        is_stopped: bool,
    },
    Expire,
    Retain(u8),
    /// Out of a torrent and into another.
    Carry(u8),
}

fn time() -> impl Strategy<Value = Seconds> {
    let edges = prop_oneof![
        Just(Duration::ZERO),
        Just(Duration::from_nanos(1)),
        Just(Duration::from_secs(1 << 16)),
        Just(Duration::from_secs(u64::from(u32::MAX))),
        Just(Duration::from_secs(u64::from(u32::MAX) + 1)),
        Just(Duration::from_secs(1 << 57)),
        Just(Duration::from_secs(1 << 58)),
        Just(Duration::MAX),
    ];
    let any_time =
        (any::<u64>(), 0..1_000_000_000_u32).prop_map(|(seconds, nanos)| Duration::new(seconds, nanos));
    let usual = (0..200_000_u64).prop_map(Duration::from_millis);
    prop_oneof![6 => usual, 1 => edges, 1 => any_time].prop_map(Seconds::from)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..TORRENTS, 1..20_u8, 0..2_u64, any::<bool>()).prop_map(|(torrent, host, left, stops)| Step::Announce {
            torrent,
            host,
            left,
            is_stopped: stops && host % 4 == 0,
        }),
        2 => Just(Step::Expire),
        1 => any::<u8>().prop_map(Step::Retain),
        1 => (0..TORRENTS).prop_map(Step::Carry),
    ]
}

fn name(torrent: u8) -> InfoHash {
    InfoHash([torrent; 20])
}

/// The torrents of all shards, and a look at every age.
fn export(tracker: &Tracker, now: Seconds) -> Vec<SwarmData> {
    let mut all: Vec<SwarmData> = Vec::new();
    for shard in 0..tracker.shards() {
        tracker.export(shard, now, |swarm| all.push(swarm.clone()));
    }
    all
}

/// The counts of the torrents add up to the totals, and the export has all peers that are not stale.
fn adds_up(tracker: &Tracker, now: Seconds) {
    let totals = tracker.totals();
    let scraped: Vec<_> = (0..=TORRENTS).filter_map(|torrent| tracker.scrape(&name(torrent))).collect();
    let peers: u32 = scraped.iter().map(|counts| counts.complete + counts.incomplete).sum();
    assert_eq!(u64::from(peers), totals.peers());
    let with_peers = scraped.iter().filter(|counts| counts.complete + counts.incomplete > 0).count();
    assert_eq!(with_peers as u64, totals.torrents);
    assert_eq!(scraped.len() as u64, totals.torrents + totals.remembered);
    let exported: usize = export(tracker, now).iter().map(|swarm| swarm.peers.len()).sum();
    assert!(exported as u64 <= totals.peers());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_time_it_is_what_there_is_adds_up(
        timeout in prop_oneof![Just(1_u32), Just(2700), Just(16_385), Just(u32::MAX)],
        steps in proptest::collection::vec((time(), step()), 1..80),
    ) {
        let config = Config { peer_timeout: timeout, shards: 4, hash_key: [3; 16], ..Config::default() };
        let tracker = Tracker::new(config);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut reply = AnnounceReply::new();
        for (now, step) in steps {
            match step {
                Step::Announce { torrent, host, left, is_stopped } => {
                    let announce = Announce {
                        info_hash: name(torrent),
                        peer_id: PeerId([host; 20]),
                        addr: PeerAddr::V4(Ipv4Addr::new(192, 0, 2, host), 1),
                        left,
                        event: if is_stopped { Event::Stopped } else { Event::Regular },
                        numwant: 50,
                        want_ids: true,
                        is_exempt: host == 1,
                    };
                    tracker.announce(&announce, now, &mut rng, &mut reply).unwrap();
                    let told = reply.compact4().len() / 6;
                    let counts = reply.counts;
                    prop_assert!(told <= (counts.complete + counts.incomplete) as usize);
                }
                Step::Expire => drop(tracker.expire(now)),
                Step::Retain(mask) => drop(tracker.retain(now, |hash| mask & 1 << hash.0[0] != 0)),
                Step::Carry(torrent) => {
                    let found = export(&tracker, now).into_iter().find(|swarm| swarm.info_hash == name(torrent));
                    if let Some(swarm) = found {
                        let imported = tracker.import(&SwarmData { info_hash: name(TORRENTS), ..swarm.clone() }, now);
                        prop_assert_eq!(imported.peers + imported.skipped, swarm.peers.len() as u64);
                    }
                }
            }
            adds_up(&tracker, now);
        }
    }
}
