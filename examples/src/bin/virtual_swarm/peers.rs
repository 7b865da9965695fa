//! Peers in arrays, one slot each. A slot is used again when no tracker can know its last peer any more.

use std::collections::VecDeque;

use crate::network::Home;
use crate::queue::Millis;

/// Not in a torrent's list of those that take part.
pub(crate) const IDLE: u32 = u32::MAX;

pub(crate) mod flag {
    /// It is there.
    pub(crate) const ALIVE: u8 = 1;
    /// It has everything.
    pub(crate) const SEEDER: u8 = 2;
    /// It has everything in a moment: nobody sends it any more.
    pub(crate) const FINISHING: u8 = 4;
    /// Nobody can connect to it.
    pub(crate) const CLOSED: u8 = 8;
    /// It goes without a word.
    pub(crate) const VANISHES: u8 = 16;
    /// It was given the address of a live seeder.
    pub(crate) const MET_SEEDER: u8 = 32;
    /// It has had a connection.
    pub(crate) const CONNECTED: u8 = 64;
    /// It stays to the end.
    pub(crate) const PUBLISHER: u8 = 128;
}

/// One end of a connection.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Link {
    pub(crate) peer: u32,
    /// Where the other end stands among the other's links.
    pub(crate) back: u32,
    /// Data in the last round: what a leecher got, what a seeder gave.
    pub(crate) merit: f32,
}

/// The first links of a peer: most seeders need no more, and so take one cache line.
const NEAR: usize = 5;

#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Near([Link; NEAR]);

/// What every round looks at, in one place: half a cache line.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
pub(crate) struct Hot {
    pub(crate) flags: u8,
    pub(crate) home: Home,
    pub(crate) degree: u32,
    /// What it has of the content, from 0 to 1.
    pub(crate) have: f32,
    /// Capacities, in contents a second.
    pub(crate) up: f32,
    pub(crate) down: f32,
    /// What comes in, as a rate, while a round is calculated.
    pub(crate) inflow: f32,
}

/// All peers, by slot.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    pub(crate) hot: Vec<Hot>,
    pub(crate) generation: Vec<u32>,
    pub(crate) torrent: Vec<u32>,
    pub(crate) arrived: Vec<Millis>,
    /// When it last announced, when it is to announce again, when it means to go.
    pub(crate) heard: Vec<Millis>,
    pub(crate) due: Vec<Millis>,
    pub(crate) leaves: Vec<Millis>,
    pub(crate) seeding: Vec<Millis>,
    pub(crate) announces: Vec<u32>,
    /// Where it stands in its torrent's list, or [`IDLE`].
    pub(crate) place: Vec<u32>,
    near: Vec<Near>,
    /// The other links, up to `limit` with the near ones, for each slot.
    far: Vec<Link>,
    beyond: usize,
    /// Slots of peers that have gone, with the time.
    gone: VecDeque<(Millis, u32)>,
}

impl Peers {
    /// No peers, who will hold up to `limit` connections each.
    pub(crate) fn new(limit: u32) -> Self {
        Peers { beyond: (limit as usize).saturating_sub(NEAR), ..Peers::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.hot.len()
    }

    #[inline]
    pub(crate) fn of(&self, peer: u32) -> &Hot {
        &self.hot[peer as usize]
    }

    #[inline]
    pub(crate) fn of_mut(&mut self, peer: u32) -> &mut Hot {
        &mut self.hot[peer as usize]
    }

    #[inline]
    pub(crate) fn is(&self, peer: u32, flags: u8) -> bool {
        self.of(peer).flags & flags != 0
    }

    pub(crate) fn set(&mut self, peer: u32, flags: u8) {
        self.of_mut(peer).flags |= flags;
    }

    /// A slot for a new peer: one whose last peer went before `before`, or a fresh one.
    pub(crate) fn enter(&mut self, before: Option<Millis>) -> u32 {
        if let (Some(before), Some(&(at, slot))) = (before, self.gone.front())
            && at < before
        {
            self.gone.pop_front();
            self.generation[slot as usize] += 1;
            *self.of_mut(slot) = Hot::default();
            self.announces[slot as usize] = 0;
            return slot;
        }
        self.hot.push(Hot::default());
        self.generation.push(0);
        self.torrent.push(0);
        self.arrived.push(0);
        self.heard.push(0);
        self.due.push(0);
        self.leaves.push(Millis::MAX);
        self.seeding.push(0);
        self.announces.push(0);
        self.place.push(IDLE);
        self.near.push(Near::default());
        self.far.resize(self.far.len() + self.beyond, Link::default());
        (self.hot.len() - 1) as u32
    }

    /// The peer is gone. Its slot keeps what it was, for those that still hold its address.
    pub(crate) fn leave(&mut self, peer: u32, now: Millis) {
        debug_assert_eq!(self.of(peer).degree, 0);
        self.of_mut(peer).flags &= !flag::ALIVE;
        self.gone.push_back((now, peer));
    }

    /// Those that have gone, the last one first.
    pub(crate) fn gone(&self) -> impl Iterator<Item = (Millis, u32)> + '_ {
        self.gone.iter().rev().copied()
    }

    pub(crate) fn links(&self, peer: u32) -> impl Iterator<Item = &Link> + '_ {
        let (degree, start) = (self.of(peer).degree as usize, peer as usize * self.beyond);
        let (near, far) = (degree.min(NEAR), degree.saturating_sub(NEAR));
        self.near[peer as usize].0[..near].iter().chain(&self.far[start..start + far])
    }

    #[inline]
    pub(crate) fn link(&self, peer: u32, at: u32) -> Link {
        match self.near[peer as usize].0.get(at as usize) {
            Some(&link) => link,
            None => self.far[peer as usize * self.beyond + at as usize - NEAR],
        }
    }

    #[inline]
    pub(crate) fn link_mut(&mut self, peer: u32, at: u32) -> &mut Link {
        match self.near[peer as usize].0.get_mut(at as usize) {
            Some(link) => link,
            None => &mut self.far[peer as usize * self.beyond + at as usize - NEAR],
        }
    }

    /// Connects two peers, each with room for it.
    pub(crate) fn tie(&mut self, a: u32, b: u32) {
        let (at_a, at_b) = (self.of(a).degree, self.of(b).degree);
        *self.link_mut(a, at_a) = Link { peer: b, back: at_b, merit: 0.0 };
        *self.link_mut(b, at_b) = Link { peer: a, back: at_a, merit: 0.0 };
        self.of_mut(a).degree += 1;
        self.of_mut(b).degree += 1;
    }

    /// Cuts a connection, and returns with whom it was.
    pub(crate) fn untie(&mut self, peer: u32, at: u32) -> u32 {
        let Link { peer: other, back, .. } = self.link(peer, at);
        self.drop_end(peer, at);
        self.drop_end(other, back);
        other
    }

    /// Takes one end out; the last one fills the gap.
    fn drop_end(&mut self, peer: u32, at: u32) {
        self.of_mut(peer).degree -= 1;
        let last = self.of(peer).degree;
        if at != last {
            let moved = self.link(peer, last);
            *self.link_mut(peer, at) = moved;
            self.link_mut(moved.peer, moved.back).back = at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn both_ends_of_a_connection_always_know_each_other() {
        let mut peers = Peers::new(20);
        for _ in 0..20 {
            peers.enter(None);
        }
        let mut random = Random::new(4, 0);
        for _ in 0..20_000 {
            let (a, b) = (random.below(20) as u32, random.below(20) as u32);
            let found = peers.links(a).position(|link| link.peer == b);
            match found {
                Some(at) => {
                    peers.untie(a, at as u32);
                }
                None if a != b => peers.tie(a, b),
                None => {}
            }
            for peer in 0..20 {
                for (at, link) in peers.links(peer).enumerate() {
                    let other = peers.link(link.peer, link.back);
                    assert_eq!((other.peer, other.back), (peer, at as u32));
                }
            }
        }
    }

    #[test]
    fn a_slot_rests_before_it_is_used_again() {
        let mut peers = Peers::new(1);
        let first = peers.enter(Some(0));
        peers.leave(first, 1_000);
        assert_ne!(peers.enter(Some(1_000)), first);
        assert_eq!(peers.enter(Some(1_001)), first);
        assert_eq!(peers.generation[first as usize], 1);
    }
}
