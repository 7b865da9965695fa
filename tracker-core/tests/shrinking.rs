//! A swarm that was large and is not any more: its arrays are replaced by smaller ones, and everything is still in its place.

use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use tracker_core::{
    Announce, AnnounceReply, Config, Event, InfoHash, PeerAddr, PeerId, PeerState, Seconds, Tracker,
};

const LARGE: u32 = 100_000;
/// Those that are still heard of.
const STAY: u32 = 9_000;

fn announce(n: u32) -> Announce {
    let mut peer_id = PeerId([b'-'; 20]);
    peer_id.0[16..].copy_from_slice(&n.to_be_bytes());
    Announce {
        info_hash: InfoHash([7; 20]),
        peer_id,
        addr: PeerAddr::new([10, (n >> 16) as u8, (n >> 8) as u8, n as u8].into(), 6881),
        left: u64::from(n % 3),
        event: if n % 7 == 1 { Event::Paused } else { Event::Regular },
        numwant: 0,
        want_ids: false,
        is_exempt: false,
    }
}

#[test]
fn who_stays_in_a_swarm_that_shrinks_keeps_id_and_state() {
    let tracker = Tracker::new(Config { shards: 1, ..Config::default() });
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut reply = AnnounceReply::new();
    for n in 0..LARGE {
        tracker.announce(&announce(n), Seconds::new(0), &mut rng, &mut reply).unwrap();
    }
    // spread over the whole swarm, not its first or last
    let stays = |n: &u32| n % (LARGE / STAY) == 5;
    let staying: Vec<u32> = (0..LARGE).filter(stays).collect();
    for &n in &staying {
        tracker.announce(&announce(n), Seconds::new(2000), &mut rng, &mut reply).unwrap();
    }
    let gone = tracker.expire(Seconds::new(2700)).peers;
    assert_eq!(gone, u64::from(LARGE) - staying.len() as u64);

    let mut seen = Vec::new();
    tracker.export(0, Seconds::new(2700), |swarm| {
        for peer in &swarm.peers {
            let id = peer.peer_id.unwrap();
            let n = u32::from_be_bytes(id.0[16..].try_into().unwrap());
            let expected = announce(n);
            assert_eq!((peer.addr, id, peer.state), (expected.addr, expected.peer_id, expected.state()));
            assert_eq!(peer.age, 700);
            seen.push(n);
        }
    });
    seen.sort_unstable();
    assert_eq!(seen, staying);
    let seeders = staying.iter().filter(|&&n| announce(n).state() == PeerState::Seeder).count() as u32;
    assert_eq!(tracker.scrape(&InfoHash([7; 20])).unwrap().complete, seeders);

    // everybody is still found
    for &n in &staying {
        let leaves = Announce { event: Event::Stopped, ..announce(n) };
        tracker.announce(&leaves, Seconds::new(2700), &mut rng, &mut reply).unwrap();
    }
    assert_eq!((tracker.totals().peers(), tracker.totals().torrents), (0, 0));
}
