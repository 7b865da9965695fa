//! Attacks a tracker of one's own, on this machine's loopback and for a bounded time, in all the ways that a public tracker is
//! attacked in:
//!
//!     cargo run --release -p examples --bin attack -- http://127.0.0.1:6969/announce
//!
//! Every [`mode`](mode::Mode) is a thread with a source address, a pace and a random source of its own. [`floods`] ask too much, [`slow`]
//! ones hold what they have, [`broken`] ones are no HTTP, and [`liars`] say what is not so. All of them talk by a [`line`](line::Line) and
//! keep a [`tally`]; at the end the tracker must still answer.
#![forbid(unsafe_code)]

mod broken;
mod crowd;
mod floods;
mod hello;
mod liars;
mod line;
mod mode;
mod options;
mod pace;
mod report;
mod requests;
mod slow;
mod tally;

use std::error::Error;
use std::process::ExitCode;
use std::thread;

use clap::Parser;
use examples::terminal::{self, print, tell};

use crate::line::Line;
use crate::mode::{Attacker, Mode};
use crate::options::{Options, Plan};
use crate::report::Report;
use crate::tally::Tally;

fn main() -> ExitCode {
    terminal::end("attack", run(&Options::parse()))
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let plan = options.plan()?;
    // without more of them there are fewer connections: those that fail are counted
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    if !is_alive(&plan) {
        return Err(format!("{} does not answer GET /health with 200: is a tracker there?", plan.addr).into());
    }
    tell(&format!(
        "attacking {} for {} with {} modes at once, seed {}\n",
        plan.addr,
        terminal::seconds(plan.length.as_secs()),
        plan.modes.len(),
        plan.seed
    ));
    let tallies: Vec<(Mode, Tally)> = thread::scope(|scope| {
        let start = |&mode| {
            let plan = &plan;
            (mode, scope.spawn(move || Attacker::new(mode, plan).run()))
        };
        let attackers: Vec<_> = plan.modes.iter().map(start).collect();
        let join = |(mode, attacker): (Mode, thread::ScopedJoinHandle<'_, Tally>)| {
            (mode, attacker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        };
        attackers.into_iter().map(join).collect()
    });
    let report = Report { tallies, is_alive: is_alive(&plan) };
    print(&if options.json { report.json(&plan) } else { report.text(&plan) })?;
    if !report.is_alive {
        return Err(format!("{} does not answer GET /health any more", plan.addr).into());
    }
    match report.fault() {
        Some(fault) => Err(fault.into()),
        None => Ok(()),
    }
}

/// Whether the tracker answers a good client, within some seconds.
fn is_alive(plan: &Plan) -> bool {
    let mut tally = Tally::default();
    (0..5).any(|_| {
        let answer = Line::open(plan.addr, None, &mut tally).and_then(|mut line| {
            line.send(&requests::get("/health"), &mut tally);
            line.answer(&mut tally)
        });
        answer.is_some_and(|answer| answer.status == 200)
    })
}
