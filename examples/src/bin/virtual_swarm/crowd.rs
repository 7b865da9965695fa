//! The crowd: when peers arrive, and who they are. It depends on the seed alone, so every policy meets the same one.

use crate::model::{Arrivals, Model};
use crate::network::{Home, Networks};
use crate::queue::Millis;
use crate::random::{Random, Zipf};

/// A peer as it comes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Newcomer {
    pub(crate) torrent: u32,
    pub(crate) home: Home,
    pub(crate) class: usize,
    /// Nobody can connect to it.
    pub(crate) is_closed: bool,
    /// It will go without a word.
    pub(crate) vanishes: bool,
    /// How long it waits for its completion, if not for ever.
    pub(crate) patience: Option<Millis>,
    /// How long it stays afterwards.
    pub(crate) seeding: Millis,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Crowd {
    pub(crate) networks: Networks,
    torrents: Zipf,
    random: Random,
    /// Arrivals in their order, the next one last.
    times: Vec<Millis>,
}

impl Crowd {
    pub(crate) fn new(model: &Model, seed: u64) -> Self {
        let mut random = Random::new(seed, 1);
        let mut times: Vec<Millis> =
            (0..model.peers).map(|_| (arrival(model, &mut random) * 1000.0) as Millis).collect();
        times.sort_unstable_by(|a, b| b.cmp(a));
        Crowd {
            networks: Networks::new(model.networks as usize, model.network_sizes, model.subnets as usize),
            torrents: Zipf::new(model.torrents as usize, model.popularity),
            random,
            times,
        }
    }

    /// When the next peer arrives.
    pub(crate) fn next_at(&self) -> Option<Millis> {
        self.times.last().copied()
    }

    /// How many are still to come.
    pub(crate) fn left(&self) -> usize {
        self.times.len()
    }

    /// The next peer.
    pub(crate) fn next(&mut self, model: &Model) -> Newcomer {
        self.times.pop();
        let random = &mut self.random;
        let class = random.unit();
        let is_impatient = random.chance(model.impatient);
        let patience = (random.exponential(model.patience) * 1000.0) as Millis;
        Newcomer {
            torrent: self.torrents.draw(random) as u32,
            home: self.networks.draw(random),
            class: match class {
                x if x < model.classes[0].share => 0,
                x if x < model.classes[0].share + model.classes[1].share => 1,
                _ => 2,
            },
            is_closed: random.chance(model.nat),
            vanishes: random.chance(model.vanish),
            patience: is_impatient.then_some(patience),
            seeding: (random.exponential(model.seeding) * 1000.0) as Millis,
        }
    }

    /// The home of a publisher.
    pub(crate) fn home(&mut self) -> Home {
        self.networks.draw(&mut self.random)
    }
}

/// One moment in seconds, with the density of arrivals: a Poisson process that is known to have had so many of them.
fn arrival(model: &Model, random: &mut Random) -> f64 {
    let end = model.hours * 3600.0;
    match model.arrivals {
        Arrivals::Steady => random.unit() * end,
        Arrivals::Flash => loop {
            let at = random.exponential(model.flash_decay);
            if at < end {
                break at;
            }
        },
        // from midnight, with least at 6 and most at 18 o'clock
        Arrivals::Daily => loop {
            let at = random.unit() * end;
            let rate = 1.0 - model.daily_swing * (at / 86_400.0 * std::f64::consts::TAU).sin();
            if random.unit() * (1.0 + model.daily_swing) < rate {
                break at;
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(arrivals: Arrivals) -> Vec<f64> {
        let model = Model { arrivals, peers: 20_000, torrents: 10, ..Model::default() };
        let mut crowd = Crowd::new(&model, 5);
        std::iter::from_fn(|| {
            let at = crowd.next_at()?;
            crowd.next(&model);
            Some(f64::from(at) / 3_600_000.0)
        })
        .collect()
    }

    #[test]
    fn arrivals_follow_their_rhythm() {
        let share = |times: &[f64], from: f64, to: f64| {
            times.iter().filter(|&&at| (from..to).contains(&at)).count() as f64 / times.len() as f64
        };
        let steady = times(Arrivals::Steady);
        assert!(steady.is_sorted() && (share(&steady, 0.0, 6.0) - 0.25).abs() < 0.02);
        let daily = times(Arrivals::Daily);
        let half = 0.5 - 0.5 * 2.0 / std::f64::consts::TAU;
        assert!((share(&daily, 0.0, 12.0) - half).abs() < 0.02);
        let flash = times(Arrivals::Flash);
        assert!((share(&flash, 0.0, 1.0 / 3.0) - (1.0 - (-1.0_f64).exp())).abs() < 0.02);
    }
}
