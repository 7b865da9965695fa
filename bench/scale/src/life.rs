//! What peers say, in order: they come, announce every half hour, are complete some day, and go with a word or without.

use tracker_core::{Announce, Event};

use crate::population::{Population, mix};

/// Announces of a turn: two peers come, two go, and one of them says so.
const TURN: u64 = 20;
/// What most clients ask for.
const NUMWANT: u32 = 50;
/// Announces of a peer that is there are so many seconds apart, for the tracker's clock.
const INTERVAL: f64 = 1800.0;

/// The peers of one announcing thread: those whose number leaves the remainder `lane` when divided by `lanes`. The
/// oldest are at `base`, and who comes next is at `base + there`.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    population: Population,
    lane: u64,
    lanes: u64,
    /// How many are there.
    there: u64,
    /// Peers that are there already while the first ones come.
    came: u64,
    base: u64,
    /// Who announces next of those who are there.
    turn_of: u64,
    said: u64,
}

impl Life {
    pub(crate) fn new(population: Population, lane: u64, lanes: u64) -> Self {
        let there = (population.peers - lane).div_ceil(lanes);
        Life { population, lane, lanes, there, came: 0, base: 0, turn_of: 0, said: 0 }
    }

    /// The next of those who are there at the beginning; nothing when all are.
    pub(crate) fn fill(&mut self) -> Option<Announce> {
        (self.came < self.there).then(|| {
            self.came += 1;
            self.announce(self.came - 1, Event::Started)
        })
    }

    /// What is said next when all are there.
    pub(crate) fn next(&mut self) -> Announce {
        let step = self.said % TURN;
        self.said += 1;
        match step {
            // one goes without a word, one with; two come
            0 => {
                self.base += 2;
                self.announce(self.base - 1, Event::Stopped)
            }
            5 => self.announce(self.base + self.there - 2, Event::Started),
            10 => self.announce(self.base + self.there - 1, Event::Started),
            15 => {
                let half_way = self.base + self.there / 2 - 1;
                let at = if self.completes(half_way) { half_way } else { half_way - 1 };
                let event = if self.completes(at) { Event::Completed } else { Event::Regular };
                self.announce(at, event)
            }
            _ => {
                // not the two who have yet to come
                let until = self.base + self.there - if (1..10).contains(&step) { 2 } else { 0 };
                if !(self.base..until).contains(&self.turn_of) {
                    self.turn_of = self.base;
                }
                self.turn_of += 1;
                self.announce(self.turn_of - 1, Event::Regular)
            }
        }
    }

    fn announce(&self, at: u64, event: Event) -> Announce {
        let peer = at * self.lanes + self.lane;
        // one in five has come to seed, and half of all are complete when half of their time is over
        let is_complete = at < self.base + self.there / 2 && self.completes(at);
        let is_seeder = mix(peer).is_multiple_of(5) || is_complete;
        self.population.announce(peer, event, is_seeder, NUMWANT)
    }

    fn completes(&self, at: u64) -> bool {
        mix(at ^ 0x5eed).is_multiple_of(2)
    }
}

/// Seconds of the tracker's clock that pass with each announce, so that those who are there announce in time.
pub(crate) fn pace(population: &Population) -> f64 {
    let regular = 16.0 / TURN as f64;
    INTERVAL * regular / population.peers as f64
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::population::Shape;

    #[test]
    fn who_is_there_announces_every_half_hour_and_some_go() {
        let population = Population { seed: 1, peers: 2_001, torrents: 200, shape: Shape::Zipf };
        let mut lives = [Life::new(population, 0, 2), Life::new(population, 1, 2)];
        let mut last = HashMap::new();
        for life in &mut lives {
            while let Some(announce) = life.fill() {
                assert!(last.insert(announce.addr, 0.0).is_none());
            }
        }
        assert_eq!(last.len(), 2_001);
        let mut of_each = HashMap::new();
        let (mut now, mut longest) = (0.0_f64, 0.0_f64);
        for _ in 0..20_000 {
            for life in &mut lives {
                let announce = life.next();
                now += pace(&population);
                *of_each.entry(format!("{:?}", announce.event)).or_insert(0) += 1;
                let before = match announce.event {
                    Event::Stopped => last.remove(&announce.addr),
                    _ => last.insert(announce.addr, now),
                };
                assert_eq!(before.is_none(), announce.event == Event::Started, "{announce:?}");
                longest = longest.max(before.map_or(0.0, |before| now - before));
            }
        }
        assert!((1700.0..2690.0).contains(&longest), "{longest}: under the timeout of 2,700 s");
        let count = |event: &str| of_each.get(event).copied().unwrap_or(0);
        assert_eq!((count("Started"), count("Stopped")), (4_000, 2_000));
        assert!((1_000..2_000).contains(&count("Completed")), "{of_each:?}");
        // those who went without a word are still in
        assert_eq!(last.len(), 2_001 + 2_000);
    }
}
