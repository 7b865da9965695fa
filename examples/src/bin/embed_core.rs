//! A swarm inside another program: no HTTP, no clock, no thread.
//!
//!     cargo run --release -p examples --bin embed_core
#![forbid(unsafe_code)]

use std::net::SocketAddr;

use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use tracker_core::{Announce, AnnounceReply, Config, Event, InfoHash, PeerId, Seconds, Tracker};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tracker = Tracker::new(Config::default());
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut reply = AnnounceReply::new();
    let info_hash: InfoHash = "0123456789abcdef0123456789abcdef01234567".parse()?;
    for n in 1..=5_u8 {
        let addr = SocketAddr::from(([192, 0, 2, n], 6881)).into();
        let left = if n == 1 { 0 } else { 1 << 20 }; // the first one has it all
        let peer_id = PeerId(*b"-XX0001-abcdefghijkl");
        let announce =
            Announce { info_hash, peer_id, addr, left, event: Event::Started, numwant: 50, want_ids: false };
        tracker.announce(&announce, Seconds::new(n.into()), &mut rng, &mut reply)?;
        let peers: Vec<_> = reply.peers().map(|peer| peer.to_string()).collect();
        println!("{} joins and is told of {} peers: {}", announce.addr, peers.len(), peers.join(" "));
    }
    println!("{} seeder, {} leechers", reply.counts.complete, reply.counts.incomplete);
    Ok(())
}
