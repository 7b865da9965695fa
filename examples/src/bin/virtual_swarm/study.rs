//! Runs put together: every policy with every seed, and the grid of dead addresses.

use crate::compare::{Row, rows};
use crate::figures::{Figure, Shapes, figures};
use crate::model::{Arrivals, Model, Policy};
use crate::network::Networks;
use crate::tally::{Tally, quantile};
use crate::world::World;

/// What is kept of a run.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) seed: u64,
    pub(crate) figures: Vec<Figure>,
    pub(crate) shapes: Shapes,
    pub(crate) tally: Tally,
    /// When each percent of the crowd was done, from 0 to 100 of them, in seconds.
    pub(crate) done: Vec<f64>,
}

/// All runs of one model.
#[derive(Debug)]
pub(crate) struct Study {
    pub(crate) model: Model,
    pub(crate) policies: Vec<Policy>,
    /// By policy, then by seed.
    pub(crate) runs: Vec<Vec<Outcome>>,
}

impl Study {
    /// Runs them all; `progress` is told how many runs have been, in parts as well.
    pub(crate) fn new(
        model: &Model,
        policies: &[Policy],
        seeds: &[u64],
        mut progress: impl FnMut(f64),
    ) -> Study {
        let mut done = 0.0;
        let mut of = |policy: Policy, seed: u64| {
            let outcome = run(model, policy, seed, |part| progress(done + part));
            done += 1.0;
            outcome
        };
        let runs =
            policies.iter().map(|&policy| seeds.iter().map(|&seed| of(policy, seed)).collect()).collect();
        Study { model: model.clone(), policies: policies.to_vec(), runs }
    }

    pub(crate) fn rows(&self) -> Vec<Row> {
        let figures: Vec<Vec<_>> = self
            .runs
            .iter()
            .map(|seeds| seeds.iter().map(|outcome| outcome.figures.clone()).collect())
            .collect();
        rows(&figures)
    }

    /// What all runs together count.
    pub(crate) fn sum(&self, of: impl Fn(&Tally) -> u64) -> u64 {
        self.runs.iter().flatten().map(|outcome| of(&outcome.tally)).sum()
    }
}

fn run(model: &Model, policy: Policy, seed: u64, progress: impl FnMut(f64)) -> Outcome {
    let (mut tally, rounds) = World::new(model, policy, seed).run(progress);
    let shapes = Shapes::of(&tally, seed);
    let networks = Networks::new(model.networks as usize, model.network_sizes, model.subnets as usize);
    let figures = figures(model, &mut tally, &rounds.volume, &shapes, networks.chance_of_sharing());
    let done = (0..=100).map(|percent| quantile(&tally.completed_at, f64::from(percent) / 100.0)).collect();
    // these are large, and nothing needs them any more
    tally.completion = Vec::new();
    tally.ideal_share = Vec::new();
    tally.completed_at = Vec::new();
    Outcome { seed, figures, shapes, tally, done }
}

/// One point of the grid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dead {
    pub(crate) peer_timeout: u32,
    pub(crate) vanish: f64,
    pub(crate) measured: f64,
    pub(crate) calculated: f64,
}

/// Timeouts in seconds, each one and a half times its interval, and shares of peers that vanish.
pub(crate) const TIMEOUTS: [u32; 3] = [45 * 30, 45 * 60, 45 * 120];
pub(crate) const VANISH: [f64; 5] = [0.0, 0.125, 0.25, 0.5, 1.0];
/// The grid's peers; more show nothing else.
const GRID_PEERS: u32 = 20_000;

/// Dead addresses over timeouts and shares of peers that vanish, under the uniform policy.
pub(crate) fn grid(model: &Model, seed: u64, mut progress: impl FnMut(f64)) -> Vec<Dead> {
    let mut points = Vec::new();
    for peer_timeout in TIMEOUTS {
        for vanish in VANISH {
            let model = at(model, peer_timeout, vanish);
            let (tally, _) = World::new(&model, Policy::Uniform, seed).run(|_| ());
            let measured = tally.dead as f64 / tally.addresses.max(1) as f64;
            points.push(Dead { peer_timeout, vanish, measured, calculated: calculated_dead(&model) });
            progress(points.len() as f64);
        }
    }
    points
}

/// Runs of a grid.
pub(crate) fn grid_size() -> usize {
    TIMEOUTS.len() * VANISH.len()
}

/// The share of dead addresses among all that the tracker knows, where peers come and go steadily. Who vanishes is known for
/// the timeout from its last announce on; who stays for as long as it does, and publishers always.
pub(crate) fn calculated_dead(model: &Model) -> f64 {
    let stay = (1.0 - model.impatient) * model.seeding;
    let publishers = f64::from(model.torrents) * model.hours * 3600.0 / f64::from(model.peers);
    // how long ago the last of regular announces was, on the average, when an exponential stay ends
    let interval = f64::from(model.interval);
    let since_announce = model.seeding - interval / ((interval / model.seeding).exp() - 1.0);
    let vanish = model.vanish * (1.0 - model.impatient);
    let ghosts = vanish * (f64::from(model.peer_timeout) - since_announce);
    ghosts / (ghosts + stay + publishers)
}

/// The model of a point of the grid.
pub(crate) fn at(model: &Model, peer_timeout: u32, vanish: f64) -> Model {
    let peers = model.peers.min(GRID_PEERS);
    Model {
        peers,
        torrents: (peers / 100).max(1),
        arrivals: Arrivals::Steady,
        interval: peer_timeout / 3 * 2,
        peer_timeout,
        vanish,
        ..model.clone()
    }
}
