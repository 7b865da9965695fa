//! Shows the history of a tracker, from its data directory, as a table and as a plot:
//!
//!     cargo run --release -p examples --bin read_history -- DIR --period 1d --svg history.svg
#![forbid(unsafe_code)]

mod history;
mod plot;
mod table;

use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Parser;
use examples::terminal::{self, print};
use tracker_store::{Damage, DamageKind, Grouping, Period};

/// Prints the history that a tracker has kept in its data directory.
///
/// The directory is only read, so the tracker can be at work in it. Times are in
/// UTC. Torrents, peers, seeders and leechers are those at the end of a minute, or
/// the mean of an hour; completed is the running total; announces, scrapes and
/// errors are those of that minute or hour.
#[derive(Debug, Parser)]
#[command(version, verbatim_doc_comment)]
struct Options {
    /// The data directory
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// How far back: 1h, 5h, 1d, 3d, 7d, 30d or all; it ends now, or with the history
    #[arg(long, default_value = "1d")]
    period: Period,
    /// By the minute or by the hour; more than 7 days are always by the hour
    #[arg(long, value_name = "minute|hour", default_value = "hour")]
    group: Grouping,
    /// Print so many rows, the latest; 0 for all
    #[arg(long, value_name = "N", default_value_t = 30)]
    rows: usize,
    /// Write a plot to this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

fn main() -> ExitCode {
    terminal::end("read_history", run(&Options::parse()))
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let (series, damage) = history::read(&options.dir, now)?;
    for Damage { file, kind } in damage {
        // a torn end is one that the tracker is writing
        if let DamageKind::Corrupt { lost, .. } = kind {
            // nobody is left to be told that this fails
            let _ = writeln!(io::stderr(), "read_history: {file} is damaged, lines lost: {lost}");
        }
    }
    let Some(end) = history::end(&series, now) else {
        return Err(
            format!("{} has no history yet: a sample is taken every minute", options.dir.display()).into()
        );
    };
    let columns = series.query(options.period, options.group, end);
    if let Some(path) = &options.svg {
        plot::write(path, &columns)
            .map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
    }
    Ok(print(&table::text(&columns, options.rows))?)
}
