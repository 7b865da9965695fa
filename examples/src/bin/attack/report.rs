//! What came of it.

use examples::terminal::grouped;
use serde_json::{Map, Value, json};

use crate::mode::Mode;
use crate::options::Plan;
use crate::tally::Tally;

/// What all modes have counted.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) tallies: Vec<(Mode, Tally)>,
    pub(crate) is_alive: bool,
}

impl Report {
    /// What the tracker has said and should not have.
    pub(crate) fn fault(&self) -> Option<String> {
        let (mode, tally) = self.tallies.iter().find(|(_, tally)| tally.is_faulty())?;
        let what = if tally.odd > 0 { "is no HTTP" } else { "has an attacker's string in it" };
        let example = tally.example.as_deref().unwrap_or_default();
        Some(format!("in mode {} the tracker said what {what}: {example}", mode.name()))
    }

    pub(crate) fn text(&self, plan: &Plan) -> String {
        let mut text = format!(
            "{:<12} {:<12} {:>11} {:>9} {:>11} {:>11} {:>9} {:>8} {:>8} {:>6}  {}\n",
            "mode",
            "from",
            "connections",
            "refused",
            "requests",
            "answers",
            "failures",
            "warned",
            "closed",
            "late",
            "by status"
        );
        for (mode, tally) in &self.tallies {
            let statuses: Vec<String> = tally
                .answers
                .iter()
                .map(|(status, count)| format!("{status}: {}", grouped(*count)))
                .collect();
            text += &format!(
                "{:<12} {:<12} {:>11} {:>9} {:>11} {:>11} {:>9} {:>8} {:>8} {:>6}  {}\n",
                mode.name(),
                source(*mode, plan),
                grouped(tally.connections),
                grouped(tally.refused),
                grouped(tally.requests),
                grouped(tally.all_answers()),
                grouped(tally.failures),
                grouped(tally.warnings),
                grouped(tally.closed),
                grouped(tally.late),
                statuses.join(", ")
            );
        }
        for (mode, tally) in &self.tallies {
            for (count, what) in [
                (tally.odd, "answers that are no HTTP"),
                (tally.echoed, "answers with an attacker's string in them"),
                (tally.believed, "lies about addresses that were believed"),
            ] {
                if count > 0 {
                    let example = tally.example.as_deref().unwrap_or_default();
                    text += &format!("{}: {} {what}, such as: {example}\n", mode.name(), grouped(count));
                }
            }
        }
        let sum = |of: fn(&Tally) -> u64| grouped(self.tallies.iter().map(|(_, tally)| of(tally)).sum());
        text += &format!(
            "{} requests on {} connections, {} answers, {} bytes sent, {} bytes read\n",
            sum(|tally| tally.requests),
            sum(|tally| tally.connections),
            sum(Tally::all_answers),
            sum(|tally| tally.bytes_out),
            sum(|tally| tally.bytes_in),
        );
        text + if self.is_alive { "the tracker goes on\n" } else { "the tracker does not answer any more\n" }
    }

    pub(crate) fn json(&self, plan: &Plan) -> String {
        let modes: Map<String, Value> = self
            .tallies
            .iter()
            .map(|(mode, tally)| {
                let answers: Map<String, Value> = tally
                    .answers
                    .iter()
                    .map(|(status, count)| (status.to_string(), (*count).into()))
                    .collect();
                let all = json!({
                    "from": source(*mode, plan),
                    "connections": tally.connections,
                    "refused": tally.refused,
                    "requests": tally.requests,
                    "bytes_out": tally.bytes_out,
                    "bytes_in": tally.bytes_in,
                    "answers": answers,
                    "failures": tally.failures,
                    "warnings": tally.warnings,
                    "closed": tally.closed,
                    "late": tally.late,
                    "odd": tally.odd,
                    "believed": tally.believed,
                    "echoed": tally.echoed,
                    "example": tally.example,
                });
                (mode.name(), all)
            })
            .collect();
        let all = json!({
            "address": plan.addr.to_string(),
            "seconds": plan.length.as_secs(),
            "seed": plan.seed,
            "alive": self.is_alive,
            "modes": modes,
        });
        format!("{all:#}\n")
    }
}

/// Over IPv6 there is one loopback address.
fn source(mode: Mode, plan: &Plan) -> String {
    match (plan.addr.is_ipv4(), mode) {
        (false, _) => plan.addr.ip().to_string(),
        (true, Mode::Many) => "127.1.x.x".to_owned(),
        (true, _) => mode.source().to_string(),
    }
}
