//! The tracker's core at a scale that few trackers have.
//!
//!     cargo run --release --package scale -- crowd
//!     cargo run --release --package scale -- sizes
//!
//! `crowd` has ten million peers in two million torrents announce at full speed on all cores, and shows how long each
//! announce took, and for what the slow ones waited. `sizes` shows what an announce costs in trackers of a thousand to ten
//! million peers.
#![forbid(unsafe_code)]

mod clocks;
mod crowd;
mod life;
mod plot;
mod population;
mod promise;
mod report;
mod sizes;
mod stage;
mod tally;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The allocator that the program ships.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the tracker's core with up to ten million peers.
#[derive(Debug, Parser)]
#[command(name = "scale")]
struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// How long announces take while millions of peers come and go, are swept and written down
    Crowd(crowd::Options),
    /// What an announce costs in trackers of a thousand to ten million peers
    Sizes(sizes::Options),
}

fn main() -> ExitCode {
    // as the program does
    #[cfg(target_os = "linux")]
    if std::env::var_os("MIMALLOC_ALLOW_THP").is_none() {
        let _ = rustix::thread::disable_transparent_huge_pages(true);
    }
    let result = match Options::parse().what {
        What::Crowd(options) => crowd::run(&options),
        What::Sizes(options) => sizes::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "scale: {error}");
            ExitCode::FAILURE
        }
    }
}
