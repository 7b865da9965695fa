//! `tracker`: a BitTorrent tracker.
#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::process::ExitCode;

/// Half the bookkeeping of the system's, and empty pages find other uses: see docs/performance.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tracker_bin::huge_pages::turn_off();
    match tracker_bin::run::main(std::env::args_os()) {
        Ok(code) => code,
        Err(error) => {
            // not eprintln!, which panics when nobody reads
            let _ = writeln!(io::stderr(), "tracker: {error}");
            error.exit_code()
        }
    }
}
