//! Whether everybody is handed out about as often as the others.
//!
//! Where `k` of `n` peers are handed out and each is as likely as another, everyone's chance is `k / n`. Each peer's chances are summed up
//! over the answers in which it could have been: what is expected of it, and the variance. Only answers count between whose
//! request and arrival nothing changed in the torrent, and of those handed out only peers who certainly were there: a choice among all is
//! also one among them.
//!
//! Two tests are made of it. One is for each peer: by Freedman's inequality the probability to be handed out as often (or
//! as seldom) is at most `exp(-V h(d / V))`, where `h(u) = (1 + u) ln(1 + u) - u`; it is compared with [`FALSE_ALARM`] by the number of
//! peers. The other is for all together: the sum of the squared differences is compared with that of the variances, as in a chi-square
//! test (Satterthwaite's degrees of freedom, Wilson and Hilferty's normal approximation).

use crate::truth::{Group, Groups};

/// How probable it is that an honest tracker is accused, by each of the two tests.
pub(crate) const FALSE_ALARM: f64 = 1e-6;
/// The same as a quantile of the normal distribution.
const QUANTILE: f64 = 4.7534;
/// The sum of all variances below which nothing can be said.
const ENOUGH: f64 = 50.0;

/// Sums of chances, and of their variances.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sum {
    expected: f64,
    variance: f64,
}

/// What everybody of a group in a torrent had as chances since the beginning: of all peers or of downloaders, by family.
#[derive(Clone, Debug, Default)]
pub(crate) struct Odds {
    sums: [[Sum; 2]; 2],
}

/// What a peer had as chances, and how often it was handed out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Luck {
    /// The torrent's sums when the peer got into the group, as far as it is in it.
    from: [Sum; 2],
    sum: Sum,
    handed_out: u32,
}

impl Odds {
    /// So many of `others` were handed out. Returns the chance of each.
    pub(crate) fn note(&mut self, downloaders: bool, is_v6: bool, handed_out: u32, others: u32) -> f64 {
        let chance = f64::from(handed_out) / f64::from(others.max(1));
        let sum = &mut self.sums[usize::from(downloaders)][usize::from(is_v6)];
        sum.expected += chance;
        sum.variance += chance * (1.0 - chance);
        chance
    }
}

impl Luck {
    /// What is certain of the peer changes.
    pub(crate) fn turn(&mut self, odds: &Odds, is_v6: bool, before: Groups, next: Groups) {
        for downloaders in [false, true] {
            let bit = Group::of_family(downloaders, is_v6).bit();
            let now = odds.sums[usize::from(downloaders)][usize::from(is_v6)];
            let from = &mut self.from[usize::from(downloaders)];
            match (before & bit != 0, next & bit != 0) {
                (false, true) => *from = now,
                (true, false) => {
                    self.sum.expected += now.expected - from.expected;
                    self.sum.variance += now.variance - from.variance;
                }
                _ => {}
            }
        }
    }

    /// The peer was handed out.
    pub(crate) fn take(&mut self) {
        self.handed_out += 1;
    }

    /// The peer was the asker, and so had not that chance.
    pub(crate) fn pass(&mut self, chance: f64) {
        self.sum.expected -= chance;
        self.sum.variance -= chance * (1.0 - chance);
    }
}

/// What has come out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    /// Peers that were among those to choose from; 0 if there was too little choice to say anything.
    pub(crate) peers: u64,
    /// How often they were handed out.
    pub(crate) handed_out: u64,
    /// How much more they differ than by chance: 1 is as much.
    pub(crate) spread: f64,
    /// Whether that is too much.
    pub(crate) is_uneven: bool,
    /// The peer that stands out most, how often it was handed out and how often that was expected, if that can't be chance.
    pub(crate) favourite: Option<(u32, u32, f64)>,
}

/// Judges all peers; what is certain of them must be nothing any more.
///
/// Nobody is left out for having had few chances: how long a peer is in the choice depends on how often it was handed out,
/// and only over all of them are the expected squares the variances, to the last peer.
pub(crate) fn judge<'a>(everybody: impl Iterator<Item = &'a Luck>) -> Outcome {
    let mut outcome = Outcome::default();
    let (mut squares, mut variances, mut spreads) = (0.0, 0.0, 0.0);
    let mut most = (0.0, None);
    for (peer, luck) in everybody.enumerate() {
        let Sum { expected, variance } = luck.sum;
        if variance < 1e-9 {
            continue; // there was no choice
        }
        let difference = f64::from(luck.handed_out) - expected;
        outcome.peers += 1;
        outcome.handed_out += u64::from(luck.handed_out);
        squares += difference * difference;
        variances += variance;
        // the variance of the square, as for a Poisson variable
        spreads += variance + 2.0 * variance * variance;
        let surprise = surprise(difference.abs(), variance);
        if surprise > most.0 {
            most = (surprise, Some((peer as u32, luck.handed_out, expected)));
        }
    }
    if variances < ENOUGH {
        return Outcome::default();
    }
    outcome.spread = squares / variances;
    let freedom = 2.0 * variances * variances / spreads;
    let scale = 2.0 / (9.0 * freedom);
    outcome.is_uneven = (outcome.spread.cbrt() - (1.0 - scale)) / scale.sqrt() > QUANTILE;
    if most.0 > (2.0 * outcome.peers as f64 / FALSE_ALARM).ln() {
        outcome.favourite = most.1;
    }
    outcome
}

/// The negative logarithm of the most that the probability of such a difference, in one direction, can be.
fn surprise(difference: f64, variance: f64) -> f64 {
    let u = difference / variance;
    variance * ((1.0 + u) * (1.0 + u).ln() - u)
}

#[cfg(test)]
mod tests;
