//! A run: the crowd, the torrents and the tracker in virtual time, from the first arrival to the last completion.

use std::time::Duration;

use rand_xoshiro::Xoshiro256PlusPlus;
use tracker_core::{AnnounceReply, Config, Event, Seconds, Selection, Tracker};

use crate::crowd::{Crowd, Newcomer};
use crate::flow::Rounds;
use crate::graph::Graph;
use crate::model::{Model, Policy};
use crate::peers::{Peers, flag};
use crate::queue::{Event as Due, Kind, Millis, Queue};
use crate::random::Random;
use crate::tally::{Moment, Tally, count};
use crate::torrents::Torrents;
use crate::truth;

/// A run goes on after the last arrival until everybody is done, up to so many times as long.
const AT_MOST: f64 = 2.0;

/// One run of one policy.
pub(crate) struct World<'a> {
    pub(crate) model: &'a Model,
    pub(crate) policy: Policy,
    pub(crate) tracker: Tracker,
    pub(crate) rng: Xoshiro256PlusPlus,
    pub(crate) reply: AnnounceReply,
    pub(crate) random: Random,
    pub(crate) queue: Queue,
    pub(crate) crowd: Crowd,
    pub(crate) peers: Peers,
    pub(crate) torrents: Torrents,
    pub(crate) rounds: Rounds,
    pub(crate) tally: Tally,
    /// The answer that is being looked at, as slots; [`GONE`](crate::asking::GONE) for whose slot is another's now.
    pub(crate) answer: Vec<u32>,
    /// By slot: the last announce whose answer it was in.
    pub(crate) seen: Vec<u64>,
    /// The first peers of each torrent, with their generations, for the broken policy.
    pub(crate) first: Vec<Vec<(u32, u32)>>,
    leechers: u32,
    seeders: u32,
    announces_then: u64,
}

impl<'a> World<'a> {
    pub(crate) fn new(model: &'a Model, policy: Policy, seed: u64) -> Self {
        let selection = match policy {
            Policy::Uniform | Policy::Broken => Selection::Uniform,
            Policy::NearFirst => Selection::NearFirst,
        };
        let config = Config {
            hash_key: *b"virtual_swarm 01",
            peer_timeout: model.peer_timeout,
            selection,
            ..Config::default()
        };
        World {
            model,
            policy,
            tracker: Tracker::new(config),
            rng: Random::new(seed, 3).0,
            reply: AnnounceReply::new(),
            random: Random::new(seed, 4),
            queue: Queue::new(),
            crowd: Crowd::new(model, seed),
            peers: Peers::new(model.connections),
            torrents: Torrents::new(model.torrents),
            rounds: Rounds::new(seed),
            tally: Tally::default(),
            answer: Vec::new(),
            seen: Vec::new(),
            first: vec![Vec::new(); model.torrents as usize],
            leechers: 0,
            seeders: 0,
            announces_then: 0,
        }
    }

    /// Runs until all that came are done; `progress` is told, now and then, how much of it has been, from 0 to 1.
    pub(crate) fn run(mut self, mut progress: impl FnMut(f64)) -> (Tally, Rounds) {
        (0..self.model.torrents).for_each(|torrent| self.publish(torrent));
        let round = self.model.round * 1000;
        let (look, overlay_at) = (self.model.look(), self.model.overlay_at());
        let end = (self.model.hours * 3_600_000.0 * AT_MOST) as Millis;
        let (mut next_look, mut next_sweep, mut now) = (look, self.model.sweep * 1000, 0);
        while now < end && (self.crowd.next_at().is_some() || self.leechers > 0) {
            self.round(now);
            now += round;
            self.go_on_until(now);
            if now >= next_sweep {
                self.tracker.expire(seconds(now));
                next_sweep = now + self.model.sweep * 1000;
            }
            if (now - round..now).contains(&overlay_at) {
                self.keep_overlay();
            }
            if now >= next_look {
                self.look(now);
                next_look += look;
                progress(1.0 - self.crowd.left() as f64 / f64::from(self.model.peers.max(1)));
            }
        }
        self.look(now);
        self.tally.unfinished = u64::from(self.leechers);
        (self.tally, self.rounds)
    }

    /// All that happens before `end`.
    fn go_on_until(&mut self, end: Millis) {
        loop {
            let arrival = self.crowd.next_at().unwrap_or(Millis::MAX).min(end);
            while let Some(due) = self.queue.pop_before(arrival) {
                self.happen(due);
            }
            if arrival == end {
                return;
            }
            let newcomer = self.crowd.next(self.model);
            self.arrive(&newcomer, arrival);
        }
    }

    fn happen(&mut self, due: Due) {
        let Due { at: now, peer, generation, kind, .. } = due;
        let slot = peer as usize;
        if self.peers.generation[slot] != generation || !self.peers.is(peer, flag::ALIVE) {
            return;
        }
        match kind {
            Kind::Announce if self.peers.due[slot] == now => self.announce(peer, Event::Regular, now),
            Kind::Leave if self.peers.leaves[slot] == now => self.leave(peer, now),
            Kind::Complete => self.complete(peer, now),
            Kind::Announce | Kind::Leave => {}
        }
    }

    /// A torrent's publisher is there from the beginning, and announces at a time of its own.
    fn publish(&mut self, torrent: u32) {
        let home = self.crowd.home();
        let peer = self.peers.enter(None);
        let slot = peer as usize;
        self.peers.of_mut(peer).flags = flag::ALIVE | flag::SEEDER | flag::PUBLISHER;
        self.peers.torrent[slot] = torrent;
        self.peers.of_mut(peer).home = home;
        self.peers.of_mut(peer).up = self.model.rate(self.model.publisher_up);
        self.peers.of_mut(peer).have = 1.0;
        self.seeders += 1;
        self.announce(peer, Event::Started, 0);
        let first = self.random.below(self.model.interval as usize * 1000) as Millis;
        self.peers.due[slot] = first;
        self.queue.push(first, peer, self.peers.generation[slot], Kind::Announce);
    }

    fn arrive(&mut self, newcomer: &Newcomer, now: Millis) {
        // nobody gets the slot, and with it perhaps the address, of a peer that the tracker can still know
        let rest = (self.model.peer_timeout + 2 * self.model.sweep + 2) * 1000;
        let peer = self.peers.enter(now.checked_sub(rest));
        let slot = peer as usize;
        let class = self.model.classes[newcomer.class];
        let optional = |is: bool, flag: u8| if is { flag } else { 0 };
        self.peers.of_mut(peer).flags = flag::ALIVE
            | optional(newcomer.is_closed, flag::CLOSED)
            | optional(newcomer.vanishes, flag::VANISHES);
        self.peers.torrent[slot] = newcomer.torrent;
        self.peers.of_mut(peer).home = newcomer.home;
        self.peers.of_mut(peer).up = self.model.rate(class.up);
        self.peers.of_mut(peer).down = self.model.rate(class.down);
        self.peers.arrived[slot] = now;
        self.peers.seeding[slot] = newcomer.seeding;
        self.peers.leaves[slot] = Millis::MAX;
        self.torrents.leechers[newcomer.torrent as usize] += 1;
        self.leechers += 1;
        self.tally.arrived += 1;
        if let Some(patience) = newcomer.patience {
            self.stay_until(peer, now.saturating_add(patience));
        }
        self.torrents.take_part(&mut self.peers, peer);
        self.announce(peer, Event::Started, now);
    }

    fn stay_until(&mut self, peer: u32, at: Millis) {
        self.peers.leaves[peer as usize] = at;
        self.queue.push(at, peer, self.peers.generation[peer as usize], Kind::Leave);
    }

    fn complete(&mut self, peer: u32, now: Millis) {
        let slot = peer as usize;
        let torrent = self.peers.torrent[slot] as usize;
        self.peers.of_mut(peer).flags = (self.peers.of(peer).flags | flag::SEEDER) & !flag::FINISHING;
        self.torrents.leechers[torrent] -= 1;
        self.torrents.completed[torrent] += 1;
        self.leechers -= 1;
        self.seeders += 1;
        let took = f64::from(now - self.peers.arrived[slot]) / 1000.0;
        self.tally.completion.push(took as f32);
        self.tally
            .ideal_share
            .push((1.0 / f64::from(self.peers.of(peer).down) / took.max(1e-3)).min(1.0) as f32);
        self.tally.completed_at.push(now as f32 / 1000.0);
        self.note_never(peer);
        self.torrents.disconnect(&mut self.peers, peer, true);
        self.announce(peer, Event::Completed, now);
        self.stay_until(peer, now.saturating_add(self.peers.seeding[slot].max(1)));
    }

    fn leave(&mut self, peer: u32, now: Millis) {
        let torrent = self.peers.torrent[peer as usize] as usize;
        if self.peers.is(peer, flag::SEEDER) {
            self.seeders -= 1;
        } else {
            self.torrents.leechers[torrent] -= 1;
            self.leechers -= 1;
            self.tally.gave_up += 1;
            self.note_never(peer);
        }
        if !self.peers.is(peer, flag::VANISHES) {
            self.announce(peer, Event::Stopped, now);
        }
        self.torrents.disconnect(&mut self.peers, peer, false);
        self.torrents.retire(&mut self.peers, peer);
        self.peers.leave(peer, now);
    }

    /// The peer's time as a newcomer is over.
    fn note_never(&mut self, peer: u32) {
        self.tally.never_seeder += u64::from(!self.peers.is(peer, flag::MET_SEEDER));
        self.tally.never_connected += u64::from(!self.peers.is(peer, flag::CONNECTED));
    }

    /// Data flows in every torrent that has leechers.
    fn round(&mut self, now: Millis) {
        for torrent in 0..self.torrents.len() {
            if self.torrents.leechers[torrent] == 0 {
                continue;
            }
            self.rounds.run(&mut self.peers, &mut self.torrents, torrent, self.model);
            for &(peer, after) in &self.rounds.completions {
                let generation = self.peers.generation[peer as usize];
                self.queue.push(now + after, peer, generation, Kind::Complete);
            }
        }
    }

    /// Looks at the whole.
    fn look(&mut self, now: Millis) {
        truth::compare(self, now);
        let totals = self.tracker.totals();
        let live = self.seeders + self.leechers;
        self.tally.series.push(Moment {
            at: now,
            seeders: self.seeders,
            leechers: self.leechers,
            ghosts: (totals.peers() as u32).saturating_sub(live),
            announces: self.tally.announces - self.announces_then,
        });
        self.announces_then = self.tally.announces;
        for peer in 0..self.peers.len() as u32 {
            // seeders that nobody needs have no load to spread
            let torrent = self.peers.torrent[peer as usize] as usize;
            if self.peers.is(peer, flag::ALIVE) && self.torrents.leechers[torrent] > 0 {
                let links = self.peers.of(peer).degree as usize;
                let is_seeder = self.peers.is(peer, flag::SEEDER);
                let tally = &mut self.tally;
                count(if is_seeder { &mut tally.seeder_links } else { &mut tally.leecher_links }, links);
            }
        }
    }

    /// Keeps the largest torrent's overlay as it is now.
    fn keep_overlay(&mut self) {
        self.tally.overlay = self.overlay();
        let nodes = &self.torrents.taking_part[0];
        self.tally.overlay_seeders = nodes.iter().map(|&peer| self.peers.is(peer, flag::SEEDER)).collect();
    }

    /// The graph of the largest swarm's connections.
    fn overlay(&self) -> Graph {
        let nodes = &self.torrents.taking_part[0];
        let place = |peer: u32| self.peers.place[peer as usize];
        let edges: Vec<_> = nodes
            .iter()
            .flat_map(|&peer| self.peers.links(peer).map(move |link| (place(peer), place(link.peer))))
            .filter(|(a, b)| a < b)
            .collect();
        Graph::new(nodes.len(), &edges)
    }
}

/// Virtual time as the tracker takes it.
pub(crate) fn seconds(now: Millis) -> Seconds {
    Seconds::from(Duration::from_millis(now.into()))
}

#[cfg(test)]
mod tests;
