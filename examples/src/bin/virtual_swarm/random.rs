//! Random draws: one seeded source, and the few distributions that the model needs.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// A source of its own for each purpose, so that two policies meet the very same crowd.
#[derive(Debug)]
pub(crate) struct Random(pub(crate) Xoshiro256PlusPlus);

impl Random {
    /// The source number `stream` of a seed.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        Random(Xoshiro256PlusPlus::seed_from_u64(seed ^ stream.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// From 0 to 1, without 1.
    #[inline]
    pub(crate) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A whole number below `n`.
    #[inline]
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.0.next_u64()) * n as u128) >> 64) as usize
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Exponentially distributed around a mean.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    pub(crate) fn shuffle<T>(&mut self, values: &mut [T]) {
        for i in (1..values.len()).rev() {
            values.swap(i, self.below(i + 1));
        }
    }
}

/// Ranks from 0 on, drawn with weights that fall as a power of the rank.
#[derive(Debug)]
pub(crate) struct Zipf {
    cumulated: Vec<f64>,
}

impl Zipf {
    pub(crate) fn new(ranks: usize, exponent: f64) -> Self {
        let mut sum = 0.0;
        let mut cumulated: Vec<f64> = (1..=ranks)
            .map(|rank| {
                sum += (rank as f64).powf(-exponent);
                sum
            })
            .collect();
        cumulated.iter_mut().for_each(|value| *value /= sum);
        Zipf { cumulated }
    }

    pub(crate) fn draw(&self, random: &mut Random) -> usize {
        let at = random.unit();
        self.cumulated.partition_point(|&end| end <= at).min(self.cumulated.len() - 1)
    }

    /// How likely a rank is.
    pub(crate) fn share(&self, rank: usize) -> f64 {
        self.cumulated[rank] - if rank == 0 { 0.0 } else { self.cumulated[rank - 1] }
    }

    pub(crate) fn shares(&self) -> impl Iterator<Item = f64> + '_ {
        (0..self.cumulated.len()).map(|rank| self.share(rank))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_the_mean() {
        let mut random = Random::new(1, 0);
        let sum: f64 = (0..100_000).map(|_| random.exponential(7.0)).sum();
        assert!((sum / 100_000.0 - 7.0).abs() < 0.1);
    }

    #[test]
    fn ranks_are_drawn_as_their_shares_say() {
        let (zipf, mut random) = (Zipf::new(50, 1.0), Random::new(2, 0));
        let mut counts = [0; 50];
        for _ in 0..200_000 {
            counts[zipf.draw(&mut random)] += 1;
        }
        for rank in [0, 1, 10, 49] {
            let expected = zipf.share(rank) * 200_000.0;
            assert!((f64::from(counts[rank]) - expected).abs() < 5.0 * expected.sqrt(), "rank {rank}");
        }
        assert!((zipf.shares().sum::<f64>() - 1.0).abs() < 1e-9);
    }
}
