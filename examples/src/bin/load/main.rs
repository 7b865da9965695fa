//! Puts load on a tracker, and says how much it takes:
//!
//!     cargo run --release -p examples --bin load -- http://127.0.0.1:6969/announce --pid $(pidof tracker)
//!
//! One thread, made with the same care as the server: the requests are built before the clock starts, a request costs
//! two system calls, nothing is allocated or formatted for it, and of an answer only as much is read as is needed.
#![forbid(unsafe_code)]

mod connection;
mod crowd;
mod engine;
mod loss;
mod options;
mod pace;
mod process;
mod report;
mod requests;
mod ring;
mod tally;

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use examples::terminal::{self, print};
use indicatif::{ProgressBar, ProgressStyle};

use crate::crowd::Crowd;
use crate::engine::{Ended, Engine, Until};
use crate::options::{Fill, Options};
use crate::process::Usage;
use crate::report::Report;
use crate::requests::{MEASURED, Writer};

/// Peers that announce between two looks at the progress bar.
const FILLED_AT_ONCE: u64 = 1 << 16;
/// Idle connections that are made at a time, so that no server's queue is too short for them.
const OPENED_AT_ONCE: u64 = 128;
/// How long they are left alone.
const REST: Duration = Duration::from_secs(1);
/// Not measured: the server's buffers and caches get warm.
const WARM_UP: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let options = Options::parse();
    terminal::end("load", run(&options))
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let crowd = options.crowd()?;
    if let Some(path) = &options.hashes {
        write_hashes(path, &crowd).map_err(|error| format!("{path} cannot be written: {error}"))?;
    }
    let Some(target) = options.target()? else { return Ok(()) };
    if let Some(pid) = options.pid {
        Usage::of(pid).map_err(|error| format!("there is nothing to be learnt of process {pid}: {error}"))?;
    }
    // without more of them there are fewer connections: those that fail are counted
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    target.probe()?;
    let writer = Writer::new(options, &target)?;
    let mut engine = Engine::new(options, &target, &crowd)?;
    let filled = match options.fill {
        Fill::No => None,
        Fill::Yes | Fill::Only => Some(fill(&mut engine, &writer, &crowd, options)?),
    };
    let report = match (options.fill, filled) {
        (Fill::Only, Some(filled)) => filled,
        (_, Some(filled)) if filled.answers() == 0 => filled,
        _ if options.idle => hold(&mut engine, &writer, &crowd, options)?,
        _ => measure(&mut engine, &writer, &crowd, options)?,
    };
    let text = if options.json {
        report.json(options, &target, &crowd)
    } else {
        report.text(options, &target, &crowd)
    };
    print(&text)?;
    if report.answers() == 0 {
        return Err(format!("nothing was answered: {}", report.losses()).into());
    }
    Ok(())
}

/// Every peer announces once.
fn fill(
    engine: &mut Engine,
    writer: &Writer,
    crowd: &Crowd,
    options: &Options,
) -> Result<Report, Box<dyn Error>> {
    let bar =
        if std::io::stderr().is_terminal() { ProgressBar::new(crowd.peers) } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{msg}  {wide_bar}  {human_pos} of {human_len} peers")?;
    bar.set_style(style);
    bar.set_message("filling");
    let mut report = Report::default();
    for first in (0..crowd.peers).step_by(FILLED_AT_ONCE as usize) {
        let count = FILLED_AT_ONCE.min(crowd.peers - first);
        engine.load(writer.starts(crowd, first..first + count), false);
        let ended = engine.run(Until { requests: count, time: options.longest() })?;
        report.add(engine.tally(), ended);
        bar.inc(count);
        if ended.gave_up {
            break;
        }
    }
    bar.finish_and_clear();
    Ok(report)
}

fn measure(
    engine: &mut Engine,
    writer: &Writer,
    crowd: &Crowd,
    options: &Options,
) -> Result<Report, Box<dyn Error>> {
    let bar =
        if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    // it stands still: whatever moves would be measured too
    bar.set_message("measuring");
    bar.tick();
    engine.load(writer.mixture(crowd, MEASURED), true);
    let until = match options.requests {
        Some(requests) => Until { requests, time: options.longest() },
        None => {
            engine.run(Until { requests: u64::MAX, time: WARM_UP })?;
            Until { requests: u64::MAX, time: options.seconds() }
        }
    };
    engine.reset();
    let before = options.pid.map(Usage::of).transpose()?;
    let ended = engine.run(until)?;
    let after = options.pid.map(Usage::of).transpose().map_err(|_| "the server ended under the load")?;
    let mut report = Report::default();
    report.add(engine.tally(), ended);
    report.server = before.zip(after);
    bar.finish_and_clear();
    Ok(report)
}

/// Asks once on each connection, and leaves them all alone.
fn hold(
    engine: &mut Engine,
    writer: &Writer,
    crowd: &Crowd,
    options: &Options,
) -> Result<Report, Box<dyn Error>> {
    let usage = || options.pid.map(Usage::of).transpose().map_err(|_| "the server ended under the load");
    engine.load(writer.mixture(crowd, MEASURED), true);
    let mut report = Report::default();
    let before = usage()?;
    let mut rest = options.connections() as u64;
    while rest > 0 && !report.gave_up {
        let requests = rest.min(OPENED_AT_ONCE);
        report.took(engine.run(Until { requests, time: options.longest() })?);
        rest -= requests;
    }
    report.took(engine.run(Until { requests: 0, time: REST })?);
    report.add(engine.tally(), Ended::default());
    report.open = Some(engine.open() as u64);
    report.server = before.zip(usage()?);
    Ok(report)
}

fn write_hashes(path: &str, crowd: &Crowd) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for torrent in 0..crowd.torrents {
        writeln!(file, "{}", crowd.info_hash(torrent))?;
    }
    file.flush()
}
