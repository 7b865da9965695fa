//! The regression guard: how many instructions an operation takes, beside how many it took when that was recorded.
//!
//!     cargo run --release --package instructions
//!
//! Callgrind (valgrind) counts what the program executes between two points, so the result depends neither on how fast
//! the machine is nor on who else uses it. The program runs itself under it, to carry out the rows.
#![forbid(unsafe_code)]

mod callgrind;
mod record;
mod rows;
mod surroundings;

use std::env;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::callgrind::Counted;
use crate::record::{Comparison, Record, RecordError};
use crate::surroundings::Surroundings;

/// What test programs end with that could not run.
const SKIPPED: u8 = 77;

/// Counts the instructions of what a request needs (parse, decode, announce, select, encode), and compares them with those that
/// are recorded. Fails where an operation takes over 5 % more; ends with 77 where the counts can't be compared.
#[derive(Debug, Parser)]
#[command(name = "instructions")]
struct Options {
    /// Writes the counts into the record instead of comparing them with it
    #[arg(long)]
    record: bool,
    /// The record
    #[arg(long, value_name = "PATH", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/recorded.txt"))]
    file: PathBuf,
    /// Keeps what callgrind wrote in this new folder, a file for each row, for callgrind_annotate
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Callgrind(#[from] callgrind::CallgrindError),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("cannot write the table: {0}")]
    Output(#[from] io::Error),
    #[error(
        "a debug build tells nothing of a release: run it with `cargo run --release --package instructions`"
    )]
    Debug,
}

fn main() -> ExitCode {
    // before anything is on the heap whose size depends on where this program lies
    if env::args_os().nth(1).is_some_and(|first| first == callgrind::ROWS) {
        rows::announce_themselves();
        return ExitCode::SUCCESS;
    }
    match run(&Options::parse()) {
        Ok(code) => ExitCode::from(code),
        Err(Failure::Callgrind(callgrind::CallgrindError::Missing)) => {
            println!("skipped: valgrind is not installed");
            ExitCode::from(SKIPPED)
        }
        Err(error) => {
            eprintln!("instructions: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<u8, Failure> {
    if cfg!(debug_assertions) {
        return Err(Failure::Debug);
    }
    let version = callgrind::version()?;
    let recorded = if options.record { None } else { Some(Record::read(&options.file)?) };
    let Counted { rows, processor } = callgrind::count(options.keep.as_deref())?;
    let now = Record { surroundings: Surroundings::here(version, processor), rows };
    let mut out = io::stdout().lock();
    let Some(recorded) = recorded else {
        now.write(&options.file)?;
        writeln!(out, "{} rows are recorded in {}", now.rows.len(), options.file.display())?;
        return Ok(0);
    };
    let comparison = Comparison::new(&recorded, &now);
    write!(out, "{comparison}")?;
    let differences = recorded.surroundings.differences(&now.surroundings);
    if !differences.is_empty() {
        writeln!(out, "skipped: the record was made with {differences}")?;
        return Ok(SKIPPED);
    }
    write!(out, "{}", comparison.verdict())?;
    Ok(u8::from(comparison.has_failed()))
}
