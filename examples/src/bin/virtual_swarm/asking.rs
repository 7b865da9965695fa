//! An announce: what the tracker is told, what it answers, whether that is right, and whom the peer connects to then.

use tracker_core::{Announce, Event, PeerId};

use crate::model::Policy;
use crate::network;
use crate::peers::flag;
use crate::queue::{Kind, Millis};
use crate::tally::count;
use crate::world::{World, seconds};

/// In an answer: somebody whose slot has been given to another since.
pub(crate) const GONE: u32 = u32::MAX;

impl World<'_> {
    /// A peer announces, learns of others, connects to some, and plans its next announce.
    pub(crate) fn announce(&mut self, peer: u32, event: Event, now: Millis) {
        let slot = peer as usize;
        self.tell(peer, event, now);
        self.peers.heard[slot] = now;
        if event == Event::Stopped {
            return;
        }
        if event == Event::Started {
            self.note_first(peer);
        }
        self.read_answer(peer);
        let met_seeder = self.check_answer(peer, now);
        self.peers.announces[slot] += 1;
        let is_newcomer = !self.peers.is(peer, flag::SEEDER);
        if is_newcomer && met_seeder && !self.peers.is(peer, flag::MET_SEEDER) {
            self.peers.set(peer, flag::MET_SEEDER);
            count(&mut self.tally.until_seeder, self.peers.announces[slot] as usize);
        }
        self.connect(peer);
        let wait = if is_newcomer && self.peers.of(peer).degree < self.model.few() {
            self.model.min_interval()
        } else {
            self.model.interval
        };
        let late = self.random.below(self.model.jitter as usize * 1000 + 1) as Millis;
        self.peers.due[slot] = now + wait * 1000 + late;
        self.queue.push(self.peers.due[slot], peer, self.peers.generation[slot], Kind::Announce);
    }

    fn tell(&mut self, peer: u32, event: Event, now: Millis) {
        let slot = peer as usize;
        let mut peer_id = PeerId(*b"-VS0001-............");
        peer_id.0[12..16].copy_from_slice(&peer.to_be_bytes());
        peer_id.0[16..].copy_from_slice(&self.peers.generation[slot].to_be_bytes());
        let left = f64::from(1.0 - self.peers.of(peer).have) * self.model.size * 1024.0 * 1024.0;
        let announce = Announce {
            info_hash: self.torrents.hash[self.peers.torrent[slot] as usize],
            peer_id,
            addr: network::address(peer, self.peers.of(peer).home),
            // who has nearly everything still lacks a byte until it says that it has completed
            left: if self.peers.is(peer, flag::SEEDER) { 0 } else { (left as u64).max(1) },
            event,
            numwant: self.model.numwant,
            want_ids: false,
            is_exempt: false,
        };
        let outcome = self.tracker.announce(&announce, seconds(now), &mut self.rng, &mut self.reply);
        debug_assert_eq!(outcome, Ok(tracker_core::Outcome::Done));
        self.tally.announces += 1;
    }

    fn note_first(&mut self, peer: u32) {
        let first = &mut self.first[self.peers.torrent[peer as usize] as usize];
        if self.policy == Policy::Broken && first.len() < self.model.numwant as usize {
            first.push((peer, self.peers.generation[peer as usize]));
        }
    }

    /// Takes the answer apart: into slots.
    fn read_answer(&mut self, peer: u32) {
        self.answer.clear();
        if self.policy == Policy::Broken {
            let first = &self.first[self.peers.torrent[peer as usize] as usize];
            let generation = &self.peers.generation;
            self.answer.extend(
                first
                    .iter()
                    .filter(|&&(other, _)| other != peer)
                    .map(|&(other, then)| if generation[other as usize] == then { other } else { GONE }),
            );
            return;
        }
        for &compact in self.reply.compact4().as_chunks::<6>().0 {
            let (other, subnet) = network::whose(compact);
            let is_known = self.peers.hot.get(other as usize).is_some_and(|it| it.home.subnet == subnet);
            self.answer.push(if is_known { other } else { GONE });
        }
    }

    /// Holds the answer against what must be true of it; whether there is a live seeder in it.
    fn check_answer(&mut self, peer: u32, now: Millis) -> bool {
        let (peers, tally) = (&self.peers, &mut self.tally);
        let torrent = peers.torrent[peer as usize];
        let asks_as_seeder = peers.is(peer, flag::SEEDER);
        let timeout = (self.model.peer_timeout + 1) * 1000;
        let mut met_seeder = false;
        self.seen.resize(peers.len(), 0);
        for &other in &self.answer {
            if other == GONE {
                tally.dead += 1;
                tally.wrong.stale += 1;
                continue;
            }
            let slot = other as usize;
            let is_seeder = peers.is(other, flag::SEEDER);
            let is_alive = peers.is(other, flag::ALIVE);
            tally.wrong.itself += u64::from(other == peer);
            tally.wrong.twice +=
                u64::from(std::mem::replace(&mut self.seen[slot], tally.announces) == tally.announces);
            let has_said_goodbye = !is_alive && !peers.is(other, flag::VANISHES);
            tally.wrong.strangers +=
                u64::from(peers.torrent[slot] != torrent || asks_as_seeder && is_seeder || has_said_goodbye);
            tally.wrong.stale += u64::from(now - peers.heard[slot] > timeout);
            tally.dead += u64::from(!is_alive);
            met_seeder |= is_alive && is_seeder;
        }
        tally.wrong.twice += u64::from(self.answer.len() > self.model.numwant as usize);
        tally.addresses += self.answer.len() as u64;
        if torrent == 0 && !asks_as_seeder {
            // the publisher of torrent 0 came first, so it has the first slot
            let others = self.reply.counts.complete + self.reply.counts.incomplete - 1;
            let chance = (self.answer.len() as f64 / f64::from(others.max(1))).min(1.0);
            let (found, expected, variance) = &mut tally.publisher;
            *found += f64::from(u8::from(self.answer.contains(&0)));
            *expected += chance;
            *variance += chance * (1.0 - chance);
        }
        met_seeder
    }

    /// Connects to the peers of the answer, in an order of chance, until there are enough.
    fn connect(&mut self, peer: u32) {
        let enough = self.model.opens_to();
        if self.peers.of(peer).degree >= enough {
            return;
        }
        for i in 0..self.answer.len() {
            let other = i + self.random.below(self.answer.len() - i);
            self.answer.swap(i, other);
            let other = self.answer[i];
            if other == GONE || !self.peers.is(other, flag::ALIVE) {
                continue;
            }
            if self.torrents.connect(&mut self.peers, peer, other, self.model.connections) {
                self.note_connected(peer);
                self.note_connected(other);
            }
            if self.peers.of(peer).degree >= enough {
                break;
            }
        }
    }

    /// A newcomer has its first connection, whoever opened it.
    fn note_connected(&mut self, peer: u32) {
        if !self.peers.is(peer, flag::CONNECTED | flag::SEEDER) {
            self.peers.set(peer, flag::CONNECTED);
            count(&mut self.tally.until_connected, self.peers.announces[peer as usize] as usize);
        }
    }
}
