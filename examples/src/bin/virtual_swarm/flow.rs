//! The fluid model: what flows between connected peers in a round.
//!
//! A peer has a fraction of the content. It sends to some of its neighbours that lack something it has, in equal shares;
//! what a receiver cannot take is offered to the others. A leecher's fraction is taken for an independent random part of
//! what the seeders have given out so far, which grows by all that seeders send, since they send what is rarest.

use crate::model::Model;
use crate::peers::{Hot, Link, Peers, flag};
use crate::queue::Millis;
use crate::random::Random;
use crate::torrents::Torrents;

/// With so many pieces to be expected, there is one.
const SURELY: f32 = 20.0;

/// Bytes that have flowed, in contents.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Volume {
    pub(crate) all: f64,
    pub(crate) same_subnet: f64,
    pub(crate) same_network: f64,
    pub(crate) by_seeders: f64,
}

#[derive(Clone, Copy, Debug)]
struct Flow {
    from: u32,
    to: u32,
    /// Where the connection stands among the sender's.
    link: u32,
    rate: f32,
    /// All that there is to send, as a rate.
    most: f32,
}

/// The rounds, and memory for them that is used again.
#[derive(Debug)]
pub(crate) struct Rounds {
    random: Random,
    pub(crate) volume: Volume,
    /// Links that were looked at: what the rounds cost.
    pub(crate) work: u64,
    takers: Vec<(f32, u32, f32)>,
    flows: Vec<Flow>,
    /// Who completes, and after how long.
    pub(crate) completions: Vec<(u32, Millis)>,
}

impl Rounds {
    pub(crate) fn new(seed: u64) -> Self {
        Rounds {
            random: Random::new(seed, 2),
            volume: Volume::default(),
            work: 0,
            takers: Vec::new(),
            flows: Vec::new(),
            completions: Vec::new(),
        }
    }

    /// One round of a torrent that has leechers; leaves in `completions` who completes in it.
    pub(crate) fn run(&mut self, peers: &mut Peers, torrents: &mut Torrents, torrent: usize, model: &Model) {
        self.completions.clear();
        self.flows.clear();
        let given_out = torrents.given_out[torrent];
        for &peer in &torrents.taking_part[torrent] {
            self.offer(peers, peer, given_out, model);
        }
        self.fit(peers);
        self.receive(peers, &torrents.taking_part[torrent], model);
        torrents.given_out[torrent] = self.book(peers, given_out, model);
    }

    /// Chooses whom a peer sends to, and offers each the same.
    fn offer(&mut self, peers: &mut Peers, from: u32, given_out: f32, model: &Model) {
        let Hot { flags, degree, have, up, .. } = *peers.of(from);
        let is_seeder = flags & flag::SEEDER != 0;
        let can_send = is_seeder || have * model.pieces as f32 >= 1.0;
        // who is as good as another must not be preferred for its place
        let start = if degree > model.slots { self.random.below(degree as usize) as u32 } else { 0 };
        self.work += u64::from(degree);
        self.takers.clear();
        for i in 0..degree {
            let at = if start + i < degree { start + i } else { start + i - degree };
            let Link { peer: to, merit, .. } = peers.link(from, at);
            if merit != 0.0 {
                peers.link_mut(from, at).merit = 0.0;
            }
            let receiver = peers.of(to);
            if !can_send || receiver.flags & (flag::SEEDER | flag::FINISHING) != 0 {
                continue;
            }
            if is_seeder {
                self.takers.push((merit, at, f32::INFINITY));
                continue;
            }
            let lacking = have * (1.0 - receiver.have / given_out).max(0.0);
            let pieces = lacking * model.pieces as f32;
            if pieces > SURELY || self.random.chance(1.0 - f64::from(-pieces).exp()) {
                self.takers.push((merit, at, lacking / model.round as f32));
            }
        }
        let slots = model.slots as usize;
        if self.takers.len() > slots {
            for slot in 0..slots - 1 {
                let better =
                    |best: usize, i: usize| if self.takers[i].0 > self.takers[best].0 { i } else { best };
                let best = (slot + 1..self.takers.len()).fold(slot, better);
                self.takers.swap(slot, best);
            }
            let lucky = slots - 1 + self.random.below(self.takers.len() - slots + 1);
            self.takers.swap(slots - 1, lucky);
            self.takers.truncate(slots);
        }
        let share = up / self.takers.len() as f32;
        for &(_, link, most) in &self.takers {
            let to = peers.link(from, link).peer;
            let rate = share.min(most);
            peers.of_mut(to).inflow += rate;
            self.flows.push(Flow { from, to, link, rate, most });
        }
    }

    /// Cuts the flows down to what receivers can take, and offers to others what is left over then.
    fn fit(&mut self, peers: &mut Peers) {
        for flow in &mut self.flows {
            let &Hot { inflow, down, .. } = peers.of(flow.to);
            if inflow > down {
                flow.rate *= down / inflow;
            }
        }
        for flow in &self.flows {
            let receiver = peers.of_mut(flow.to);
            receiver.inflow = receiver.inflow.min(receiver.down);
        }
        for of_one in self.flows.chunk_by_mut(|a, b| a.from == b.from) {
            let sent: f32 = of_one.iter().map(|flow| flow.rate).sum();
            let mut spare = peers.of(of_one[0].from).up - sent;
            for flow in of_one {
                let receiver = peers.of_mut(flow.to);
                let more = spare.min(receiver.down - receiver.inflow).min(flow.most - flow.rate);
                if more > 0.0 {
                    flow.rate += more;
                    spare -= more;
                    receiver.inflow += more;
                }
            }
        }
    }

    /// What everybody has after the round.
    fn receive(&mut self, peers: &mut Peers, taking_part: &[u32], model: &Model) {
        let round = model.round as f32;
        for &peer in taking_part {
            let receiver = peers.of_mut(peer);
            if receiver.inflow == 0.0 {
                continue;
            }
            let gain = receiver.inflow * round;
            receiver.inflow = 1.0;
            if receiver.have + gain >= 1.0 - 1e-6 {
                let needed = ((1.0 - receiver.have) / gain).clamp(0.0, 1.0);
                let after = (needed * round * 1000.0) as Millis;
                receiver.inflow = needed;
                receiver.have = 1.0;
                receiver.flags |= flag::FINISHING;
                self.completions.push((peer, after.min(model.round * 1000 - 1)));
            } else {
                receiver.have += gain;
            }
        }
    }

    /// Writes down what flowed; returns how much of the content seeders have given out then.
    fn book(&mut self, peers: &mut Peers, mut given_out: f32, model: &Model) -> f32 {
        let round = model.round as f32;
        for &Flow { from, to, link, rate, .. } in &self.flows {
            let (sender, receiver) = (*peers.of(from), *peers.of(to));
            let amount = rate * round * receiver.inflow;
            let by_seeder = sender.flags & flag::SEEDER != 0;
            if by_seeder {
                given_out += amount;
                if sender.degree > model.slots {
                    peers.link_mut(from, link).merit = amount;
                }
            } else {
                let back = peers.link(from, link).back;
                peers.link_mut(to, back).merit = amount;
            }
            let (amount, a, b) = (f64::from(amount), sender.home, receiver.home);
            self.volume.all += amount;
            self.volume.same_subnet += if a.subnet == b.subnet { amount } else { 0.0 };
            self.volume.same_network += if a.network == b.network { amount } else { 0.0 };
            self.volume.by_seeders += if by_seeder { amount } else { 0.0 };
        }
        for flow in &self.flows {
            peers.of_mut(flow.to).inflow = 0.0;
        }
        given_out.min(1.0)
    }
}

#[cfg(test)]
mod tests;
