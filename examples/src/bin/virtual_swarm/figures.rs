//! The figures of a run, in the order of the report.

use crate::flow::Volume;
use crate::graph::Shape;
use crate::meanings::{self, Meaning};
use crate::model::{Arrivals, Model};
use crate::random::Random;
use crate::tally::{Tally, gini, quantile, quantile_of_counts};

/// The middle of a distribution, and its bad end.
const QUANTILES: [(&str, f64); 3] = [("median", 0.5), ("p95", 0.95), ("p99", 0.99)];

/// A figure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figure {
    pub(crate) meaning: Meaning,
    /// Which of several values of one distribution; empty where there is one value.
    pub(crate) of: &'static str,
    pub(crate) value: f64,
    /// What a random graph, or a calculation, gives in its place.
    pub(crate) reference: Option<f64>,
}

#[derive(Default)]
struct List(Vec<Figure>);

impl List {
    fn one(&mut self, meaning: Meaning, value: f64) {
        self.0.push(Figure { meaning, of: "", value, reference: None });
    }

    fn beside(&mut self, meaning: Meaning, value: f64, reference: f64) {
        self.0.push(Figure { meaning, of: "", value, reference: Some(reference) });
    }

    fn spread(&mut self, meaning: Meaning, at: impl Fn(f64) -> f64) {
        self.0.extend(QUANTILES.map(|(of, share)| Figure { meaning, of, value: at(share), reference: None }));
    }
}

/// All figures of a run; `sharing` is how likely two peers share a /24, and a network.
pub(crate) fn figures(
    model: &Model,
    tally: &mut Tally,
    volume: &Volume,
    shapes: &Shapes,
    sharing: (f64, f64),
) -> Vec<Figure> {
    for values in [&mut tally.completion, &mut tally.ideal_share, &mut tally.completed_at] {
        values.sort_unstable_by(f32::total_cmp);
    }
    let newcomers = tally.arrived.max(1) as f64;
    let not_at_once = |counts: &[u64]| 1.0 - counts.get(1).map_or(0.0, |&count| count as f64) / newcomers;
    let mut list = List::default();
    list.spread(meanings::UNTIL_SEEDER, |q| quantile_of_counts(&tally.until_seeder, q));
    list.one(meanings::LATE_SEEDER, not_at_once(&tally.until_seeder));
    list.one(meanings::NO_SEEDER, tally.never_seeder as f64 / newcomers);
    list.spread(meanings::UNTIL_CONNECTED, |q| quantile_of_counts(&tally.until_connected, q));
    list.one(meanings::LATE_CONNECTED, not_at_once(&tally.until_connected));
    list.spread(meanings::COMPLETION, |q| quantile(&tally.completion, q));
    list.spread(meanings::IDEAL, |q| quantile_from_above(&tally.ideal_share, q));
    if model.arrivals == Arrivals::Flash {
        list.spread(meanings::CROWD, |q| quantile(&tally.completed_at, q));
    }
    list.spread(meanings::SEEDER_LINKS, |q| quantile_of_counts(&tally.seeder_links, q));
    list.one(meanings::SEEDER_GINI, gini(&tally.seeder_links));
    list.spread(meanings::LEECHER_LINKS, |q| quantile_of_counts(&tally.leecher_links, q));
    list.one(meanings::LEECHER_GINI, gini(&tally.leecher_links));
    let Shapes { overlay, random } = shapes;
    let mut degrees: Vec<f32> = overlay.degrees.iter().map(|&degree| degree as f32).collect();
    degrees.sort_unstable_by(f32::total_cmp);
    list.one(meanings::PEERS, degrees.len() as f64);
    list.spread(meanings::DEGREES, |q| quantile(&degrees, q));
    list.beside(meanings::LARGEST, overlay.largest, random.largest);
    list.beside(meanings::DIAMETER, overlay.diameter.into(), random.diameter.into());
    list.beside(meanings::DISTANCE, overlay.distance, random.distance);
    list.beside(meanings::CLUSTERING, overlay.clustering, random.clustering);
    let bytes = volume.all.max(f64::MIN_POSITIVE);
    list.beside(meanings::SUBNET_BYTES, volume.same_subnet / bytes, sharing.0);
    list.beside(meanings::NETWORK_BYTES, volume.same_network / bytes, sharing.1);
    list.one(meanings::DEAD, tally.dead as f64 / tally.addresses.max(1) as f64);
    list.0
}

/// The largest value that at least `share` of all reach.
fn quantile_from_above(values: &[f32], share: f64) -> f64 {
    let rank = (values.len() as f64 * (1.0 - share)).floor() as usize;
    values.get(rank.min(values.len().saturating_sub(1))).map_or(0.0, |&value| f64::from(value))
}

/// The overlay's shape, and that of a random graph in its place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shapes {
    pub(crate) overlay: Shape,
    pub(crate) random: Shape,
}

impl Shapes {
    pub(crate) fn of(tally: &Tally, seed: u64) -> Self {
        let mut random = Random::new(seed, 5);
        let overlay = tally.overlay.shape(&mut random);
        let shuffled = tally.overlay.shuffled(&tally.overlay_seeders, &mut random);
        Shapes { overlay, random: shuffled.shape(&mut random) }
    }
}
