//! The same seed and the same announces give the same bytes.

#![allow(clippy::unwrap_used, clippy::disallowed_macros)]

#[path = "common/peers.rs"]
mod peers;

use peers::{id, rng, torrent, v4, v6};
use rand_core::Rng;
use tracker_core::{Announce, AnnounceReply, Config, Event, Seconds, Selection, Tracker};

/// All answers of a history, one behind the other.
fn bytes(seed: u64, hash_key: [u8; 16], shards: usize, selection: Selection) -> Vec<u8> {
    let tracker =
        Tracker::new(Config { hash_key, shards, selection, peer_timeout: 300, ..Config::default() });
    let (mut choose, mut rng) = (rng(seed), rng(seed + 1));
    let mut reply = AnnounceReply::new();
    let mut bytes = Vec::new();
    for n in 0..20_000 {
        let draw = choose.next_u32();
        let who = draw % 3000;
        let announce = Announce {
            info_hash: torrent(draw >> 16 & 3),
            peer_id: id(draw),
            addr: if draw.is_multiple_of(4) { v6(who) } else { v4(who) },
            left: u64::from(draw >> 18 & 1),
            event: if draw >> 20 & 7 == 0 { Event::Stopped } else { Event::Completed },
            numwant: 30,
            want_ids: draw >> 24 & 1 == 0,
            is_exempt: false,
        };
        tracker.announce(&announce, Seconds::new(n / 20), &mut rng, &mut reply).unwrap();
        bytes.extend_from_slice(reply.compact4());
        bytes.extend_from_slice(reply.compact6());
        bytes.extend(reply.ids4().iter().chain(reply.ids6()).flat_map(|id| id.0));
        let counts = reply.counts;
        for count in [counts.complete, counts.incomplete, counts.downloaded, counts.partial] {
            bytes.extend_from_slice(&count.to_be_bytes());
        }
        if n % 400 == 0 {
            let expired = tracker.expire(Seconds::new(n / 20));
            bytes.extend_from_slice(&expired.peers.to_be_bytes());
        }
    }
    bytes
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for selection in [Selection::Uniform, Selection::NearFirst] {
        let one = bytes(1, [1; 16], 16, selection);
        assert!(one == bytes(1, [1; 16], 16, selection));
        assert!(one != bytes(2, [1; 16], 16, selection));
    }
}

/// The key and the number of shards decide where a map keeps what, and so in which order it would be walked.
#[test]
fn no_answer_depends_on_the_order_of_a_map() {
    for selection in [Selection::Uniform, Selection::NearFirst] {
        let one = bytes(3, [1; 16], 1, selection);
        assert!(one == bytes(3, *b"quite another k.", 1, selection));
        assert!(one == bytes(3, [0x5a; 16], 256, selection));
    }
}
