//! What two threads do against one on the same tracker: `cargo run --release -p tracker-core --example threads`.
//!
//! A million peers in 50,000 torrents announce again in random order and are given 50 peers each. One thread and two
//! take turns, so that both meet the same machine; the ratio of the medians is shown.

#![allow(clippy::disallowed_macros, clippy::disallowed_methods)] // measures, and is no part of the core

use std::time::{Duration, Instant};

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use tracker_core::{Announce, AnnounceReply, Config, Event, InfoHash, PeerAddr, PeerId, Seconds, Tracker};

const PEERS: u32 = 1_000_000;
const TORRENTS: u32 = 50_000;
const ANNOUNCES: u32 = 500_000;
const ROUNDS: usize = 9;

fn main() {
    let tracker = Tracker::new(Config { keep_peer_ids: false, ..Config::default() });
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut reply = AnnounceReply::new();
    for peer in 0..PEERS {
        let _ = tracker.announce(&announce(peer, 0), Seconds::new(0), &mut rng, &mut reply);
    }
    let mut medians = [1, 2].map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for (threads, rates) in (1..).zip(&mut medians) {
            rates.push(rate(&tracker, threads));
        }
    }
    let [one, two] = medians.map(|mut rates| {
        rates.sort_by(f64::total_cmp);
        rates[ROUNDS / 2]
    });
    println!("one thread:  {:.2} million announces a second", one / 1e6);
    println!("two threads: {:.2} million, {:.2} times as many", two / 1e6, two / one);
}

fn announce(peer: u32, numwant: u32) -> Announce {
    let mut info_hash = InfoHash::default();
    info_hash.0[..4].copy_from_slice(&(peer % TORRENTS).to_be_bytes());
    Announce {
        info_hash,
        peer_id: PeerId([b'x'; 20]),
        addr: PeerAddr::new([10, (peer >> 16) as u8, (peer >> 8) as u8, peer as u8].into(), 6881),
        left: 1,
        event: Event::Regular,
        numwant,
        want_ids: false,
        is_exempt: false,
    }
}

/// Announces a second of so many threads together.
fn rate(tracker: &Tracker, threads: u64) -> f64 {
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                let mut rng = Xoshiro256PlusPlus::seed_from_u64(thread);
                let mut reply = AnnounceReply::new();
                for _ in 0..ANNOUNCES {
                    let peer = rng.next_u32() % PEERS;
                    let _ = tracker.announce(&announce(peer, 50), Seconds::new(1), &mut rng, &mut reply);
                }
            });
        }
    });
    let took: Duration = begin.elapsed();
    (threads * u64::from(ANNOUNCES)) as f64 / took.as_secs_f64()
}
