//! After warm-up an announce allocates nothing.

#![allow(clippy::unwrap_used, clippy::disallowed_macros)]

#[path = "common/peers.rs"]
mod peers;

use allocation_counter::measure;
use peers::{leecher, rng, tell, torrent, v4, v6};
use rand_core::Rng;
use tracker_core::{Announce, AnnounceReply, Config, Event, PeerAddr, Seconds, Selection, Tracker};

const TORRENTS: [u32; 6] = [1, 2, 30, 300, 5000, 20_000];

fn peer(n: u32) -> PeerAddr {
    if n.is_multiple_of(4) { v6(n) } else { v4(n) }
}

/// Swarms of many sizes, of both families.
fn swarms(selection: Selection, keep_peer_ids: bool) -> Tracker {
    let tracker = Tracker::new(Config { selection, keep_peer_ids, ..Config::default() });
    for size in TORRENTS {
        for n in 0..size {
            tell(&tracker, &Announce { left: u64::from(n % 3), ..leecher(torrent(size), peer(n)) }, 0);
        }
    }
    tracker
}

/// Announces by peers that are in: refreshes, with some that finish, pause and begin again.
fn announce_many(tracker: &Tracker, rng: &mut impl Rng, rounds: u32, reply: &mut AnnounceReply) -> u64 {
    let mut peers = 0;
    for n in 0..rounds {
        let draw = rng.next_u32();
        let size = TORRENTS[n as usize % TORRENTS.len()];
        let announce = Announce {
            left: u64::from(draw & 1),
            event: [Event::Regular, Event::Regular, Event::Paused, Event::Completed]
                [(draw >> 1) as usize & 3],
            numwant: [0, 50, 200][(draw >> 3) as usize % 3],
            want_ids: draw >> 8 & 1 == 0,
            is_exempt: false,
            ..leecher(torrent(size), peer((draw >> 9) % size))
        };
        tracker.announce(&announce, Seconds::new(1 + n / 1000), rng, reply).unwrap();
        peers += reply.len() as u64;
    }
    peers
}

#[test]
fn no_announce_of_a_known_peer_allocates() {
    for selection in [Selection::Uniform, Selection::NearFirst] {
        for keep_peer_ids in [false, true] {
            let tracker = swarms(selection, keep_peer_ids);
            let mut reply = AnnounceReply::new();
            let mut rng = rng(1);
            announce_many(&tracker, &mut rng, 3000, &mut reply);
            let mut peers = 0;
            let heap = measure(|| peers = announce_many(&tracker, &mut rng, 20_000, &mut reply));
            assert!(peers > 500_000, "{peers} peers were handed out");
            assert_eq!(heap.count_total, 0, "{selection:?}, ids kept: {keep_peer_ids}");
        }
    }
}

#[test]
fn a_scrape_allocates_nothing() {
    let tracker = swarms(Selection::Uniform, false);
    let heap = measure(|| {
        for size in TORRENTS {
            assert!(tracker.scrape(&torrent(size)).is_some());
            assert!(tracker.scrape(&torrent(size + 7)).is_none());
        }
        assert!(tracker.totals().torrents == TORRENTS.len() as u64);
    });
    assert_eq!(heap.count_total, 0);
}

#[test]
fn peers_that_come_and_go_make_arrays_grow_seldom() {
    let tracker = swarms(Selection::Uniform, true);
    let mut reply = AnnounceReply::new();
    let mut rng = rng(3);
    let mut come_and_go = |rounds: u32| {
        for n in 0..rounds {
            // a thousand of them at the most are in at a time
            for (who, event) in [(n, Event::Started), (n.wrapping_sub(1000), Event::Stopped)] {
                let addr = PeerAddr::new([11, (who >> 16) as u8, (who >> 8) as u8, who as u8].into(), 6881);
                let announce = Announce { addr, event, numwant: 50, ..leecher(torrent(5000), v4(0)) };
                tracker.announce(&announce, Seconds::new(1), &mut rng, &mut reply).unwrap();
            }
        }
    };
    come_and_go(2000);
    let heap = measure(|| come_and_go(20_000));
    assert!(heap.count_total < 100, "{} allocations in 40,000 announces", heap.count_total);
}
