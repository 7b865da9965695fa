//! Swarms go out and come in again, and none is lost while others come and go.

#![allow(clippy::unwrap_used, clippy::disallowed_macros)]

#[path = "common/peers.rs"]
mod peers;

use std::collections::{BTreeMap, BTreeSet};

use peers::{id, leecher, number, rng, tell, torrent, v4, v6};
use proptest::prelude::*;
use rand_core::Rng;
use tracker_core::{
    Announce, Config, Event, Imported, PeerAddr, PeerData, PeerState, Seconds, SwarmData, Tracker,
};

fn export_all(tracker: &Tracker, now: u32) -> BTreeMap<tracker_core::InfoHash, SwarmData> {
    let mut all = BTreeMap::new();
    for shard in 0..tracker.shards() {
        tracker.export(shard, Seconds::new(now), |part| {
            let swarm = all.entry(part.info_hash).or_insert_with(|| SwarmData {
                info_hash: part.info_hash,
                downloaded: part.downloaded,
                peers: Vec::new(),
            });
            swarm.peers.extend_from_slice(&part.peers);
        });
    }
    all.values_mut().for_each(|swarm| swarm.peers.sort_by_key(|peer| peer.addr));
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn what_goes_out_comes_in(
        announces in proptest::collection::vec((0..6_u32, 0..90_u32, 0..2_u64, 0..5_u8, 0..20_u32), 1..400),
        ids in any::<[bool; 2]>(),
        shards in prop_oneof![Just(1_usize), Just(8)],
        (later, start) in (0..3000_u32, 0..100_000_u32),
    ) {
        let config = |keep_peer_ids, shards| Config { keep_peer_ids, shards, ..Config::default() };
        let timeout = config(true, 1).peer_timeout;
        let old = Tracker::new(config(ids[0], 4));
        let mut now = 0;
        for &(n, peer, left, event, wait) in &announces {
            now += wait;
            let event =
                [Event::Regular, Event::Completed, Event::Stopped, Event::Paused, Event::Started][event as usize];
            let addr = if peer % 3 == 0 { v6(peer) } else { v4(peer) };
            tell(&old, &Announce { left, event, ..leecher(torrent(n), addr) }, now);
        }
        let out = export_all(&old, now);

        // the new tracker's clock began anew, and some time has passed: peers have aged by it
        let new = Tracker::new(config(ids[1], shards));
        for swarm in out.values() {
            let mut aged = swarm.clone();
            aged.peers.iter_mut().for_each(|peer| peer.age += later);
            let imported = new.import(&aged, Seconds::new(start));
            let fresh = aged.peers.iter().filter(|peer| peer.age < timeout).count() as u64;
            let skipped = aged.peers.len() as u64 - fresh;
            prop_assert_eq!(imported, Imported { peers: fresh, skipped, refused_torrents: 0 });
            // a second time changes nothing
            prop_assert_eq!(new.import(&aged, Seconds::new(start)).peers, 0);
        }
        let back = export_all(&new, start);
        for (hash, swarm) in &out {
            let expected: Vec<PeerData> = swarm.peers.iter()
                .filter(|peer| peer.age + later < timeout)
                .map(|peer| PeerData {
                    age: peer.age + later,
                    peer_id: ids[1].then(|| peer.peer_id.unwrap_or_default()),
                    ..*peer
                })
                .collect();
            match back.get(hash) {
                Some(found) => {
                    prop_assert_eq!(found.downloaded, swarm.downloaded);
                    prop_assert_eq!(&found.peers, &expected);
                }
                None => prop_assert!(expected.is_empty() && swarm.downloaded == 0),
            }
            let counts = new.scrape(hash).unwrap_or_default();
            prop_assert_eq!(counts.downloaded, swarm.downloaded);
            prop_assert_eq!((counts.complete + counts.incomplete) as usize, expected.len());
        }
        prop_assert!(back.keys().all(|hash| out.contains_key(hash)));
        let peers: usize = back.values().map(|swarm| swarm.peers.len()).sum();
        prop_assert_eq!(new.totals().peers(), peers as u64);
        prop_assert_eq!(new.totals().completed, 0, "counted by the old one");
    }
}

#[test]
fn import_respects_limits_and_what_is_known() {
    let tracker = Tracker::new(Config {
        max_torrents: 1,
        max_peers_per_torrent: 2,
        peer_timeout: 100,
        ..Config::default()
    });
    let peer = |addr, age| PeerData { addr, peer_id: Some(id(1)), state: PeerState::Seeder, age };
    tell(&tracker, &leecher(torrent(1), v4(1)), 50);
    let peers = vec![peer(v4(1), 3), peer(v4(2), 100), peer(v4(3), 99), peer(v4(4), 0)];
    let imported =
        tracker.import(&SwarmData { info_hash: torrent(1), downloaded: 7, peers }, Seconds::new(50));
    assert_eq!(imported, Imported { peers: 1, skipped: 3, refused_torrents: 0 });
    let counts = tracker.scrape(&torrent(1)).unwrap();
    assert_eq!(
        (counts.complete, counts.incomplete, counts.downloaded),
        (1, 1, 7),
        "who is known stays a leecher"
    );
    let other = SwarmData { info_hash: torrent(2), downloaded: 0, peers: vec![peer(v4(1), 0)] };
    assert_eq!(tracker.import(&other, Seconds::new(50)).refused_torrents, 1);
    assert_eq!(tracker.totals().torrents, 1);
}

#[test]
fn a_peer_without_a_port_is_not_imported() {
    let tracker = Tracker::new(Config::default());
    let addr = PeerAddr::new([10, 0, 0, 1].into(), 0);
    let peers = vec![PeerData { addr, peer_id: None, state: PeerState::Leecher, age: 0 }];
    let imported =
        tracker.import(&SwarmData { info_hash: torrent(1), downloaded: 0, peers }, Seconds::new(0));
    assert_eq!((imported.peers, imported.skipped), (0, 1));
    assert_eq!(tracker.totals().torrents, 0);
}

/// A swarm that takes several pieces is changed in every way between them.
fn churn_between_pieces(family: fn(u32) -> PeerAddr, seed: u64) {
    const PEERS: u32 = 80_000;
    let tracker = Tracker::new(Config { shards: 1, ..Config::default() });
    let mut rng = rng(seed);
    let one = torrent(1);
    for n in 0..PEERS {
        let left = u64::from(rng.next_u32() % 3);
        let event = if left == 2 { Event::Paused } else { Event::Regular };
        tell(&tracker, &Announce { left, event, ..leecher(one, family(n)) }, 0);
    }
    let mut stayed: BTreeSet<u32> = (0..PEERS).collect();
    let (mut seen, mut pieces, mut now) = (BTreeSet::new(), 0, 0);
    tracker.export(0, Seconds::new(0), |part| {
        pieces += 1;
        for peer in &part.peers {
            assert_eq!(peer.peer_id, Some(id(number(peer.addr))), "ids belong to their peers");
            seen.insert(number(peer.addr));
        }
        // the clock goes on too, so that peers are younger than the export
        now += 1;
        for _ in 0..4000 {
            let n = rng.next_u32() % (PEERS + 1000);
            let announce = leecher(one, family(n));
            match rng.next_u32() % 5 {
                0 => {
                    stayed.remove(&n);
                    tell(&tracker, &Announce { event: Event::Stopped, ..announce }, now);
                }
                1 => tell(&tracker, &Announce { left: 0, event: Event::Completed, ..announce }, now),
                2 => tell(&tracker, &Announce { event: Event::Paused, ..announce }, now),
                _ => tell(&tracker, &announce, now),
            }
        }
    });
    assert!(pieces >= 3, "{pieces} pieces");
    let lost: Vec<_> = stayed.difference(&seen).collect();
    assert!(lost.is_empty(), "{} of {} are missing, such as {:?}", lost.len(), stayed.len(), lost[0]);
}

#[test]
fn nobody_is_lost_from_a_large_swarm_that_changes_meanwhile() {
    churn_between_pieces(v4, 11);
    churn_between_pieces(v6, 12);
}

#[test]
fn no_torrent_is_lost_from_a_shard_that_changes_meanwhile() {
    const TORRENTS: u32 = 12_000;
    let tracker = Tracker::new(Config { shards: 1, ..Config::default() });
    let mut rng = rng(13);
    for n in 0..TORRENTS {
        tell(&tracker, &leecher(torrent(n), v4(n)), 0);
    }
    let mut stayed: BTreeSet<u32> = (0..TORRENTS).collect();
    let mut seen = BTreeSet::new();
    tracker.export(0, Seconds::new(0), |part| {
        seen.extend(part.peers.iter().map(|peer| number(peer.addr)));
        let n = rng.next_u32() % TORRENTS;
        let event = if rng.next_u32().is_multiple_of(2) { Event::Stopped } else { Event::Regular };
        if event == Event::Stopped {
            stayed.remove(&n);
        }
        tell(&tracker, &Announce { event, ..leecher(torrent(n), v4(n)) }, 0);
    });
    assert!(stayed.len() > 5000 && stayed.is_subset(&seen));
}
