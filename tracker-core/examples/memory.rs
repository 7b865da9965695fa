//! How much memory peers and torrents take: `cargo run --release -p tracker-core --example memory`.
//!
//! Each figure is the growth of the process's resident memory, measured in a process of its own.

#![allow(clippy::disallowed_macros, clippy::disallowed_methods)] // measures, and is no part of the core

use std::process::Command;

use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use tracker_core::{Announce, AnnounceReply, Config, Event, InfoHash, PeerAddr, PeerId, Seconds, Tracker};

/// The allocator that the program ships.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MILLION: u32 = 1_000_000;

fn main() {
    let mut args = std::env::args().skip(1);
    match (args.next(), args.next()) {
        (Some(torrents), Some(ids)) => {
            measure(torrents.parse().expect("a number of torrents"), ids == "kept");
        }
        _ => {
            for (torrents, ids) in [("50000", "dropped"), ("50000", "kept"), ("1000000", "dropped")] {
                let me = std::env::current_exe().expect("the program that runs");
                let status = Command::new(me).args([torrents, ids]).status();
                assert!(status.is_ok_and(|status| status.success()));
            }
        }
    }
}

/// A million peers, dealt out to the torrents in turn.
fn measure(torrents: u32, keep_peer_ids: bool) {
    let tracker = Tracker::new(Config { keep_peer_ids, ..Config::default() });
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut reply = AnnounceReply::new();
    let before = resident();
    for n in 0..MILLION {
        let mut info_hash = InfoHash::default();
        info_hash.0[..4].copy_from_slice(&(n % torrents).to_be_bytes());
        let announce = Announce {
            info_hash,
            peer_id: PeerId([b'x'; 20]),
            addr: PeerAddr::new([10, (n >> 16) as u8, (n >> 8) as u8, n as u8].into(), 6881),
            left: u64::from(n / torrents % 2),
            event: Event::Started,
            numwant: 0,
            want_ids: false,
            is_exempt: false,
        };
        tracker.announce(&announce, Seconds::new(0), &mut rng, &mut reply).expect("there is room");
    }
    let grown = (resident() - before) as f64;
    println!(
        "{torrents} torrents, {MILLION} IPv4 peers, ids {}: {:.1} MB, {:.1} bytes a peer, {:.1} bytes a torrent",
        if keep_peer_ids { "kept" } else { "dropped" },
        grown / 1e6,
        grown / f64::from(MILLION),
        grown / f64::from(torrents),
    );
}

/// Bytes of resident memory, as Linux tells.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc, so Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("VmRSS");
    let kilobytes: String = line.chars().filter(char::is_ascii_digit).collect();
    kilobytes.parse::<u64>().expect("a number") * 1024
}
