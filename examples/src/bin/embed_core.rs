//! A swarm inside another program: no HTTP, no clock, no thread, no global. Time and chance are arguments.
//!
//!     cargo run --release -p examples --bin embed_core
#![forbid(unsafe_code)]

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use examples::terminal;
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use tracker_core::{Announce, AnnounceReply, Config, Event, InfoHash, PeerId, Seconds, Tracker};

/// Embeds the tracker's core: some peers join a swarm a minute apart, and are told of one another.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// How many peers join
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=50))]
    peers: u8,
    /// Where chance begins
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    terminal::end("embed_core", embed(&Options::parse()))
}

fn embed(options: &Options) -> Result<(), Box<dyn Error>> {
    let tracker = Tracker::new(Config { peer_timeout: 45 * 60, ..Config::default() });
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(options.seed);
    let mut reply = AnnounceReply::new(); // used again and again, so that nothing is allocated
    let info_hash: InfoHash = "0123456789abcdef0123456789abcdef01234567".parse()?;
    let mut text = format!("torrent {info_hash}, seed {}\n\n", options.seed);
    for n in 1..=options.peers {
        let addr = SocketAddr::from(([192, 0, 2, n], 6881)).into();
        let left = if n == 1 { 0 } else { 1 << 20 }; // the first one has it all
        let peer_id = PeerId(*b"-XX0001-abcdefghijkl");
        let announce = Announce {
            info_hash,
            peer_id,
            addr,
            left,
            event: Event::Started,
            numwant: 3,
            want_ids: false,
            is_exempt: false,
        };
        tracker.announce(&announce, Seconds::new(60 * u32::from(n)), &mut rng, &mut reply)?;
        let peers: Vec<String> = reply.peers().map(|peer| peer.to_string()).collect();
        let told = if peers.is_empty() { "nobody yet".to_owned() } else { peers.join("  ") };
        text += &format!("{n:>2} min  {:<17} joins, and is told of  {told}\n", announce.addr.to_string());
    }
    let counts = tracker.scrape(&info_hash).unwrap_or_default();
    text += &format!("\n{} seeder, {} leechers\n", counts.complete, counts.incomplete);
    let gone = tracker.expire(Seconds::new(60 * (60 + 45)));
    text += &format!("an hour later, without a word of them: {} are forgotten\n", gone.peers);
    Ok(terminal::print(&text)?)
}
