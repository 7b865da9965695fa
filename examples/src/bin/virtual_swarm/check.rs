//! What must hold in every simulation, whoever chooses the peers, and what must hold of a uniform choice.

use examples::terminal::grouped;

use crate::model::Policy;
use crate::study::{Outcome, Study};

/// Something that must hold, and whether it did.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    pub(crate) sentence: &'static str,
    /// What was seen.
    pub(crate) seen: String,
    pub(crate) holds: bool,
}

/// The overlay hangs together if so many can reach each other; a few have come in this moment.
const CONNECTED: f64 = 0.99;
/// Overlays of fewer peers tell nothing: one who has just come is a percent of them.
const LARGE_ENOUGH: usize = 200;
/// How far the publisher's share may be from what it should be, in standard deviations.
const SIGMAS: f64 = 5.0;
/// How far distances in a uniform overlay may be from those of a random graph.
const DISTANCE: f64 = 0.1;

/// All checks of a study, over all of its runs.
pub(crate) fn checks(study: &Study) -> Vec<Check> {
    let mut checks = Vec::new();
    let answers = grouped(study.sum(|tally| tally.announces));
    let addresses = grouped(study.sum(|tally| tally.addresses));
    let mut never = |sentence, wrong: u64, of: String| {
        checks.push(Check { sentence, seen: format!("{} of {of}", grouped(wrong)), holds: wrong == 0 });
    };
    let of_answers = || format!("{answers} answers");
    let of_addresses = || format!("{addresses} addresses");
    never("nobody is handed itself", study.sum(|tally| tally.wrong.itself), of_answers());
    never(
        "nobody is handed out twice, or beyond numwant",
        study.sum(|tally| tally.wrong.twice),
        of_addresses(),
    );
    never(
        "only peers of the torrent, to seeders only leechers",
        study.sum(|tally| tally.wrong.strangers),
        of_addresses(),
    );
    never("nobody who has been silent for the timeout", study.sum(|tally| tally.wrong.stale), of_addresses());
    let compared = format!("{} counts", grouped(study.sum(|tally| tally.wrong.compared)));
    never("the tracker's counts are the simulation's", study.sum(|tally| tally.wrong.counts), compared);
    let arrived = format!("{} peers", grouped(study.sum(|tally| tally.arrived)));
    never("everybody who stays completes", study.sum(|tally| tally.unfinished), arrived);
    worst(
        study,
        |_, outcome| is_large(outcome),
        |outcome| 1.0 - outcome.shapes.overlay.largest,
        |lost| {
            let (sentence, holds) = ("the largest torrent's overlay hangs together", lost <= 1.0 - CONNECTED);
            checks.push(Check {
                sentence,
                seen: format!("{:.2} % of its peers", (1.0 - lost) * 100.0),
                holds,
            });
        },
    );
    let is_uniform = |policy, _: &Outcome| policy == Policy::Uniform;
    let is_large_and_uniform = |policy, outcome: &Outcome| is_uniform(policy, outcome) && is_large(outcome);
    let off =
        |outcome: &Outcome| (outcome.shapes.overlay.distance / outcome.shapes.random.distance - 1.0).abs();
    worst(study, is_large_and_uniform, off, |off| {
        let (sentence, holds) = ("distances in it are those of a random graph", off <= DISTANCE);
        checks.push(Check { sentence, seen: format!("off by {:.1} %", off * 100.0), holds });
    });
    let sigmas = |outcome: &Outcome| {
        let (found, expected, variance) = outcome.tally.publisher;
        (found - expected).abs() / variance.sqrt().max(1.0)
    };
    worst(study, is_uniform, sigmas, |sigmas| {
        let (sentence, holds) = ("the first seeder is handed out as often as any other", sigmas <= SIGMAS);
        checks.push(Check { sentence, seen: format!("off by {sigmas:.1} standard deviations"), holds });
    });
    checks
}

fn is_large(outcome: &Outcome) -> bool {
    outcome.shapes.overlay.degrees.len() >= LARGE_ENOUGH
}

/// The largest value of all runs of some policies, if there are any.
fn worst(
    study: &Study,
    which: impl Fn(Policy, &Outcome) -> bool,
    of: impl Fn(&Outcome) -> f64,
    found: impl FnOnce(f64),
) {
    let runs = study
        .policies
        .iter()
        .zip(&study.runs)
        .flat_map(|(&policy, runs)| runs.iter().map(move |run| (policy, run)));
    let values = runs.filter(|&(policy, run)| which(policy, run)).map(|(_, run)| of(run));
    if let Some(worst) = values.max_by(f64::total_cmp) {
        found(worst);
    }
}
