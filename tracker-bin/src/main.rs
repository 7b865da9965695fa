//! `tracker`: a BitTorrent tracker.
#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    match tracker_bin::run::main(std::env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // not eprintln!, which panics when nobody reads
            let _ = writeln!(io::stderr(), "tracker: {error}");
            ExitCode::FAILURE
        }
    }
}
