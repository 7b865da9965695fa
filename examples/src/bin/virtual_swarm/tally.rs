//! What is written down while a run goes on, and what is found wrong.

use crate::graph::Graph;
use crate::queue::Millis;

/// Everything that one run has shown.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) announces: u64,
    pub(crate) arrived: u64,
    pub(crate) gave_up: u64,
    /// Still without the whole content when the run was broken off.
    pub(crate) unfinished: u64,
    /// Addresses in answers, and how many of them were those of peers that had gone.
    pub(crate) addresses: u64,
    pub(crate) dead: u64,
    /// Announces until a live seeder's address was held; until there was a connection: how often each number.
    pub(crate) until_seeder: Vec<u64>,
    pub(crate) until_connected: Vec<u64>,
    /// Newcomers that went without.
    pub(crate) never_seeder: u64,
    pub(crate) never_connected: u64,
    /// Seconds that a download took; its rate as a share of what the peer's line allows.
    pub(crate) completion: Vec<f32>,
    pub(crate) ideal_share: Vec<f32>,
    /// When each completed, in seconds since the first arrival.
    pub(crate) completed_at: Vec<f32>,
    /// How often a seeder, a leecher had each number of connections.
    pub(crate) seeder_links: Vec<u64>,
    pub(crate) leecher_links: Vec<u64>,
    pub(crate) series: Vec<Moment>,
    /// The largest torrent's overlay at [`Model::overlay_at`](crate::model::Model::overlay_at).
    pub(crate) overlay: Graph,
    /// Which of its nodes are seeders.
    pub(crate) overlay_seeders: Vec<bool>,
    /// How often the largest torrent's publisher was handed out to leechers, and how often it should have been, with the
    /// variance of that.
    pub(crate) publisher: (f64, f64, f64),
    pub(crate) wrong: Wrong,
}

/// The whole simulation at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) at: Millis,
    pub(crate) seeders: u32,
    pub(crate) leechers: u32,
    /// Peers that the tracker still counts and that are gone.
    pub(crate) ghosts: u32,
    /// Announces since the last moment.
    pub(crate) announces: u64,
}

/// What the tracker did that it must not do: how often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// The asker was in its own answer.
    pub(crate) itself: u64,
    /// Somebody was in an answer twice, or there were more than were asked for.
    pub(crate) twice: u64,
    /// Somebody was handed out that is not in the torrent, or a seeder to a seeder.
    pub(crate) strangers: u64,
    /// Somebody was handed out that had not announced for the timeout.
    pub(crate) stale: u64,
    /// A torrent's counts were not those of the simulation.
    pub(crate) counts: u64,
    /// Counts that were compared.
    pub(crate) compared: u64,
}

/// Adds one to the count of `value`.
pub(crate) fn count(counts: &mut Vec<u64>, value: usize) {
    if counts.len() <= value {
        counts.resize(value + 1, 0);
    }
    counts[value] += 1;
}

/// The smallest value that at least `share` of all do not exceed. `values` must be sorted.
pub(crate) fn quantile(values: &[f32], share: f64) -> f64 {
    let rank = ((values.len() as f64 * share).ceil() as usize).clamp(1, values.len().max(1));
    values.get(rank - 1).map_or(0.0, |&value| f64::from(value))
}

/// The same of values that are counted: `counts[value]`.
pub(crate) fn quantile_of_counts(counts: &[u64], share: f64) -> f64 {
    let all: u64 = counts.iter().sum();
    let rank = ((all as f64 * share).ceil() as u64).max(1);
    let mut seen = 0;
    let at = counts.iter().position(|&count| {
        seen += count;
        seen >= rank
    });
    at.unwrap_or(0) as f64
}

/// The Gini coefficient of counted values: 0 where all are equal, towards 1 where one has everything.
pub(crate) fn gini(counts: &[u64]) -> f64 {
    let people: u64 = counts.iter().sum();
    let total: f64 = counts.iter().enumerate().map(|(value, &count)| value as f64 * count as f64).sum();
    if people == 0 || total == 0.0 {
        return 0.0;
    }
    // twice the area between the diagonal and Lorenz's curve
    let (mut below, mut under) = (0.0, 0.0);
    for (value, &count) in counts.iter().enumerate() {
        let share = value as f64 * count as f64 / total;
        under += count as f64 / people as f64 * (2.0 * below + share);
        below += share;
    }
    1.0 - under
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(values: &[usize]) -> Vec<u64> {
        let mut counts = Vec::new();
        values.iter().for_each(|&value| count(&mut counts, value));
        counts
    }

    #[test]
    fn gini_of_known_distributions() {
        assert!(gini(&counted(&[7; 50])).abs() < 1e-12);
        // one of n has everything: 1 - 1/n
        let mut one = vec![0; 99];
        one.push(5);
        assert!((gini(&counted(&one)) - 0.99).abs() < 1e-12);
        // 1, 2, …, n: (n - 1) / 3n
        let all: Vec<usize> = (1..=100).collect();
        assert!((gini(&counted(&all)) - 99.0 / 300.0).abs() < 1e-12);
        // by its definition, half the mean absolute difference over the mean
        let values = [0_usize, 1, 1, 3, 8, 20];
        let differences: f64 =
            values.iter().flat_map(|&a| values.iter().map(move |&b| a.abs_diff(b) as f64)).sum();
        let by_definition = differences / 36.0 / 2.0 / (33.0 / 6.0);
        assert!((gini(&counted(&values)) - by_definition).abs() < 1e-12);
        assert_eq!((gini(&[]), gini(&[9])), (0.0, 0.0));
    }

    #[test]
    fn quantiles_are_values_that_occur() {
        let values: Vec<f32> = (1..=200_u16).map(f32::from).collect();
        assert_eq!([0.5, 0.95, 0.99, 1.0].map(|q| quantile(&values, q)), [100.0, 190.0, 198.0, 200.0]);
        let counts = counted(&(1..=200).collect::<Vec<_>>());
        assert_eq!([0.0, 0.5, 0.95, 1.0].map(|q| quantile_of_counts(&counts, q)), [1.0, 100.0, 190.0, 200.0]);
        assert_eq!((quantile(&[], 0.5), quantile_of_counts(&[], 0.5)), (0.0, 0.0));
    }
}
