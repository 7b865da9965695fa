//! Peers over real HTTP against a running tracker, and whether it tells them the truth.
//!
//!     cargo run --release -p examples --bin simulate_peers -- --help
//!
//! The parts, from the ground up: [`dice`], [`clients`] and [`crowd`] make the people, which the seed decides; [`peer`] is how one
//! of them lives; [`connection`] and [`engine`] carry what they say. [`truth`] is what the tracker must know, [`fairness`] is about its choices;
//! [`judge`] holds answers to what was [`said`] against both, and [`checks`] keeps what came of it. [`simulation`] has it all happen, by its
//! [`schedule`]; [`view`] and [`verdict`] show it.
#![forbid(unsafe_code)]

mod checks;
mod clients;
mod closing;
mod connection;
mod crowd;
mod dice;
mod engine;
mod fairness;
mod figures;
mod judge;
mod opening;
mod options;
mod peer;
mod said;
mod schedule;
mod simulation;
mod talk;
mod truth;
mod verdict;
mod view;

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use examples::terminal::{self, grouped, tell};
use tracker_core::InfoHash;

use crate::crowd::Crowd;
use crate::engine::{Clock, Engine};
use crate::opening::{Opening, OpeningError};
use crate::options::{Options, Plan, PlanError};
use crate::simulation::{Phase, Simulation};
use crate::verdict::Verdict;
use crate::view::{View, seconds};

/// The longest wait for an answer, so that the view goes on.
const TURN: Duration = Duration::from_millis(50);

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Opening(#[from] OpeningError),
    #[error("the system's event queue fails: {0}")]
    Poll(io::Error),
    #[error("the verdict cannot be written: {0}")]
    Output(io::Error),
}

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            tell(&format!("simulate_peers: {error}\n"));
            ExitCode::FAILURE
        }
    }
}

/// Runs it all; whether nothing was found wrong.
fn run(options: Options) -> Result<bool, Error> {
    let plan = options.plan()?;
    let crowd = Crowd::new(&plan);
    if plan.info_hashes {
        let lines = crowd.torrents.iter().map(|torrent| InfoHash(torrent.info_hash).to_string() + "\n");
        terminal::print(&lines.collect::<String>()).map_err(Error::Output)?;
        return Ok(true);
    }
    let clock = Clock::start();
    let lines = crowd.lines.iter().map(|&ip| {
        let fits = plan.targets.iter().find(|target| target.addr.is_ipv4() == ip.is_ipv4());
        (ip, fits.expect("a line has the family of a target").addr)
    });
    let mut engine = Engine::new(lines, plan.patience, clock).map_err(Error::Poll)?;
    let opening = Opening::run(&plan, &crowd, &mut engine)?;
    let mut simulation = Simulation::new(&plan, &crowd, &opening, clock);
    tell(&introduction(&plan, &simulation, opening.interval));
    let mut view = View::new(&simulation);
    while simulation.phase != Phase::Over {
        simulation.advance(engine.is_quiet());
        for (line, ask) in simulation.outbox.drain(..) {
            engine.submit(line, ask);
        }
        view.refresh(&mut simulation, engine.in_flight());
        let due = simulation.schedule.next_at().map_or(TURN, |at| at.saturating_sub(clock.now()));
        engine.turn(due.min(TURN), &mut simulation).map_err(Error::Poll)?;
    }
    view.close();
    simulation.close();
    let verdict = Verdict::new(&simulation);
    terminal::print(&verdict.print()).map_err(Error::Output)?;
    Ok(verdict.is_good())
}

fn introduction(plan: &Plan, simulation: &Simulation<'_>, interval: Option<u64>) -> String {
    let hosts: Vec<&str> = plan.targets.iter().map(|target| target.host.as_str()).collect();
    let interval = interval.map_or("none".into(), |interval| seconds(Duration::from_secs(interval)));
    format!(
        "{} peers of {} torrents announce to {} for {}, seed {}\ninterval {interval}, timeout {}, a download takes {} at full speed\n",
        grouped(u64::from(plan.peers)),
        grouped(u64::from(plan.torrents)),
        hosts.join(" and "),
        seconds(plan.length),
        plan.seed,
        seconds(simulation.truth.limits.timeout),
        seconds(simulation.times.pace),
    )
}
