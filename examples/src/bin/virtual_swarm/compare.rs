//! Policies beside each other: what the seeds have in common, how they differ, and whether that is a difference.

use crate::figures::Figure;
use crate::meanings::{Better, Meaning};

/// One value over all seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Range {
    pub(crate) mean: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Range {
    pub(crate) fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let count = values.clone().count().max(1) as f64;
        Range {
            mean: values.clone().sum::<f64>() / count,
            least: values.clone().fold(f64::INFINITY, f64::min),
            most: values.fold(f64::NEG_INFINITY, f64::max),
        }
    }

    pub(crate) fn spread(&self) -> f64 {
        self.most - self.least
    }
}

/// What a difference comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Smaller than the spread of either.
    None,
    Better,
    Worse,
    /// It is neither good nor bad.
    More,
    Less,
}

impl Verdict {
    /// Whether `other` is different from `base`: the means must be farther apart than the seeds of one policy are.
    pub(crate) fn of(better: Better, base: Range, other: Range) -> Verdict {
        let difference = other.mean - base.mean;
        if difference.abs() <= base.spread().max(other.spread()) {
            return Verdict::None;
        }
        match (better, difference > 0.0) {
            (Better::More, true) | (Better::Less, false) => Verdict::Better,
            (Better::More, false) | (Better::Less, true) => Verdict::Worse,
            (Better::Neither, true) => Verdict::More,
            (Better::Neither, false) => Verdict::Less,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Verdict::None => "none",
            Verdict::Better => "**better**",
            Verdict::Worse => "**worse**",
            Verdict::More => "more",
            Verdict::Less => "less",
        }
    }
}

/// A row of the table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) meaning: Meaning,
    pub(crate) of: &'static str,
    /// For each policy.
    pub(crate) values: Vec<Range>,
    pub(crate) reference: Option<Range>,
}

impl Row {
    /// What the policy number `at` is against the first one.
    pub(crate) fn verdict(&self, at: usize) -> Verdict {
        Verdict::of(self.meaning.better, self.values[0], self.values[at])
    }
}

/// The rows of the figures of several runs: by policy, then by seed.
pub(crate) fn rows(runs: &[Vec<Vec<Figure>>]) -> Vec<Row> {
    let first = &runs[0][0];
    (0..first.len())
        .map(|row| Row {
            meaning: first[row].meaning,
            of: first[row].of,
            values: runs.iter().map(|seeds| Range::of(seeds.iter().map(|run| run[row].value))).collect(),
            reference: first[row]
                .reference
                .map(|_| Range::of(runs[0].iter().filter_map(|run| run[row].reference))),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_smaller_than_the_spread_is_none() {
        let range = |values: &[f64]| Range::of(values.iter().copied());
        let (base, near, far) = (range(&[9.0, 10.0, 11.0]), range(&[10.0, 11.0, 12.0]), range(&[13.0, 13.5]));
        assert_eq!(Verdict::of(Better::Less, base, near), Verdict::None);
        assert_eq!(Verdict::of(Better::Less, base, far), Verdict::Worse);
        assert_eq!(Verdict::of(Better::More, base, far), Verdict::Better);
        assert_eq!(Verdict::of(Better::More, far, base), Verdict::Worse);
        assert_eq!(Verdict::of(Better::Neither, far, base), Verdict::Less);
        assert_eq!(Verdict::of(Better::Less, base, base), Verdict::None);
    }
}
