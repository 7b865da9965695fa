//! What has come out, as a table or as JSON.

use std::io::IsTerminal;

use examples::terminal::grouped;
use serde_json::{Value, json};

use crate::checks::{Check, Result};
use crate::closing::too_short;
use crate::figures::Census;
use crate::simulation::Simulation;
use crate::view::{millis, seconds};

/// Everything, to be printed.
#[derive(Debug)]
pub(crate) struct Verdict<'s, 'a> {
    simulation: &'s Simulation<'a>,
}

impl<'s, 'a> Verdict<'s, 'a> {
    pub(crate) fn new(simulation: &'s Simulation<'a>) -> Self {
        Verdict { simulation }
    }

    /// Whether nothing was found wrong.
    pub(crate) fn is_good(&self) -> bool {
        self.simulation.checks.failed().is_empty() && self.simulation.figures.announces > 0
    }

    pub(crate) fn print(&self) -> String {
        if self.simulation.plan.json { self.json() + "\n" } else { self.table() }
    }

    fn table(&self) -> String {
        let simulation = self.simulation;
        let figures = &simulation.figures;
        let paint =
            Paint { is_on: std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() };
        let mut text = String::from("\n");
        for &check in Check::all() {
            let tally = simulation.checks.get(check);
            let (word, colour) = match tally.result() {
                Result::Ok => ("ok", "32"),
                Result::Failed => ("FAILED", "31;1"),
                Result::NotChecked => ("not checked", "33"),
            };
            let word = paint.paint(colour, &format!("{word:<12}"));
            let cases = match tally.result() {
                Result::NotChecked => String::new(),
                _ => grouped(tally.cases),
            };
            text += &format!("  {:<12}{word}{cases:>11}  {}\n", check.name(), check.meaning());
            let beside = match tally.result() {
                Result::Ok => tally.note.clone(),
                Result::NotChecked => tally.why_not.clone(),
                Result::Failed => {
                    let first = tally.first.as_deref().unwrap_or_default();
                    Some(format!("{} times, first: {first}", grouped(tally.failures)))
                }
            };
            if let Some(beside) = beside {
                text += &format!("{:14}{}\n", "", paint.paint("2", &beside));
            }
        }
        let census = Census::of(&simulation.peers);
        text += &format!(
            "\n  peers       {} of {} came, {} completed, {} left, {} vanished\n",
            grouped(figures.arrived),
            grouped(u64::from(simulation.plan.peers)),
            grouped(figures.completed),
            grouped(census.left),
            grouped(census.vanished),
        );
        text += &format!(
            "  requests    {} announces, {} scrapes, {} errors, {} peers given\n",
            grouped(figures.announces),
            grouped(figures.scrapes),
            grouped(figures.errors),
            grouped(figures.handed_out),
        );
        text += &format!(
            "  latency     median {} ms, p90 {} ms, p99 {} ms, longest {} ms\n",
            millis(figures.percentile(50.0)),
            millis(figures.percentile(90.0)),
            millis(figures.percentile(99.0)),
            millis(figures.percentile(100.0)),
        );
        let lag = figures.longest_lag;
        if lag.as_millis() > 500 {
            text += &format!(
                "  late        announces were sent up to {} late: too much for it or for this machine\n",
                seconds(lag)
            );
        }
        if let Some(sentence) = too_short(simulation.intervals.interval, simulation.plan.length) {
            text += &format!("  note        {sentence}\n");
        }
        let seed = simulation.plan.seed;
        let failed = simulation.checks.failed();
        text += &if self.is_good() {
            format!(
                "\n{}: nothing is wrong with what this tracker says (seed {seed})\n",
                paint.paint("32;1", "ok")
            )
        } else if failed.is_empty() {
            format!("\n{}: no announce was answered (seed {seed})\n", paint.paint("31;1", "FAILED"))
        } else {
            format!("\n{}: {} (seed {seed})\n", paint.paint("31;1", "FAILED"), failed.join(", "))
        };
        text
    }

    fn json(&self) -> String {
        let simulation = self.simulation;
        let figures = &simulation.figures;
        let census = Census::of(&simulation.peers);
        let checks: Vec<Value> = Check::all()
            .iter()
            .map(|&check| {
                let tally = simulation.checks.get(check);
                let result = match tally.result() {
                    Result::Ok => "ok",
                    Result::Failed => "failed",
                    Result::NotChecked => "not checked",
                };
                json!({
                    "name": check.name(),
                    "result": result,
                    "cases": tally.cases,
                    "failures": tally.failures,
                    "first": tally.first,
                    "why": tally.why_not.as_ref().filter(|_| tally.result() == Result::NotChecked),
                    "note": tally.note,
                })
            })
            .collect();
        let verdict = json!({
            "verdict": if self.is_good() { "ok" } else { "failed" },
            "seed": simulation.plan.seed,
            "checks": checks,
            "peers": {
                "planned": simulation.plan.peers,
                "arrived": figures.arrived,
                "completed": figures.completed,
                "left": census.left,
                "vanished": census.vanished,
            },
            "announces": figures.announces,
            "scrapes": figures.scrapes,
            "errors": figures.errors,
            "handed_out": figures.handed_out,
            "latency_ms": {
                "p50": figures.percentile(50.0),
                "p90": figures.percentile(90.0),
                "p99": figures.percentile(99.0),
                "max": figures.percentile(100.0),
            },
            "longest_lag_ms": figures.longest_lag.as_millis() as u64,
            "interval_s": simulation.intervals.interval,
        });
        format!("{verdict:#}")
    }
}

/// Colours, where there is somebody to see them.
struct Paint {
    is_on: bool,
}

impl Paint {
    fn paint(&self, colour: &str, text: &str) -> String {
        if self.is_on { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
