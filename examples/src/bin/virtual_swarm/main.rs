//! A day of a million peers in virtual time, against the tracker's core itself: which policy of choosing peers is good for whom?
//!
//!     cargo run --release -p examples --bin virtual_swarm -- --help
//!
//! One thread, one seed, no clock: the same options give the same bytes. From the ground up: [`random`], [`queue`] (what
//! happens when), [`network`] (where peers live), [`model`] (what is assumed) and
//! [`parameters`] (why); [`crowd`] makes the
//! people. [`peers`] and [`torrents`] are the state, [`asking`] is an announce and what comes of it, [`flow`] moves the data, and
//! [`world`] runs it all. [`tally`] and [`truth`] write down what is seen; [`graph`] measures overlays. [`figures`] are
//! the results of a run, [`meanings`] what they mean, [`study`] is many runs, and [`compare`], [`check`], [`report`] and
//! [`plots`] (on a [`canvas`]) say what they come to.
#![forbid(unsafe_code)]

mod asking;
mod canvas;
mod check;
mod compare;
mod crowd;
mod figures;
mod flow;
mod graph;
mod meanings;
mod model;
mod network;
mod options;
mod parameters;
mod peers;
mod plots;
mod queue;
mod random;
mod report;
mod study;
mod tally;
mod torrents;
mod truth;
mod world;

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::process::ExitCode;

use clap::Parser;
use examples::terminal::{end, print};
use indicatif::{ProgressBar, ProgressStyle};

use crate::options::Options;
use crate::study::Study;

/// Steps of the progress bar in a run.
const STEPS: f64 = 1000.0;

fn main() -> ExitCode {
    end("virtual_swarm", run(&Options::parse()))
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let models = options.models()?;
    if let Some(dir) = &options.out {
        fs::create_dir_all(dir).map_err(|error| format!("{} cannot be made: {error}", dir.display()))?;
    }
    let seeds = options.seeds();
    let runs = seeds.len() * options.policies.len();
    let grid_size = if options.grid { study::grid_size() } else { 0 };
    let bar = ProgressBar::new(((runs * models.len() + grid_size) as f64 * STEPS) as u64);
    bar.set_style(ProgressStyle::with_template(
        "{msg} {wide_bar} {percent:>3} %  {elapsed} of about {duration}",
    )?);

    let mut studies = Vec::new();
    let mut before = 0.0;
    for model in &models {
        bar.set_message(format!("{} arrivals", model.arrivals.name()));
        let progress = |done: f64| bar.set_position(((before + done) * STEPS) as u64);
        studies.push(Study::new(model, &options.policies, &seeds, progress));
        before += runs as f64;
    }
    let mut grid = Vec::new();
    if options.grid {
        bar.set_message("dead addresses");
        grid =
            study::grid(&models[0], options.seed, |done| bar.set_position(((before + done) * STEPS) as u64));
    }
    bar.finish_and_clear();

    let mut text = String::new();
    let mut wrong = 0;
    for study in &studies {
        text += &report::terminal(study);
        if options.check {
            let checks = check::checks(study);
            wrong += checks.iter().filter(|check| !check.holds).count();
            text += &report::checked(&checks);
        }
    }
    if let Some(dir) = &options.out {
        let name = "selection-tables.md";
        fs::write(dir.join(name), report::markdown(&studies, &grid))
            .map_err(|error| format!("{name} cannot be written: {error}"))?;
        let plots = plots::draw(dir, &studies, &grid)
            .map_err(|error| format!("the plots cannot be written: {error}"))?;
        let _ = writeln!(text, "\nwritten into {}: {name} {}", dir.display(), plots.join(" "));
    }
    print(&text)?;
    match wrong {
        0 => Ok(()),
        1 => Err("a check has failed".into()),
        _ => Err(format!("{wrong} checks have failed").into()),
    }
}
