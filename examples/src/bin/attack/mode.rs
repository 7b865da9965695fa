//! The ways of attacking, and who attacks.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use clap::ValueEnum;
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::options::Plan;
use crate::pace::Pace;
use crate::tally::Tally;
use crate::{broken, floods, liars, slow};

/// A way of attacking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// Announces of one peer from one address, eight on their way at once
    Flood,
    /// Announces from one address, each on a connection of its own
    OneShot,
    /// Announces of random torrents: to fill the memory
    Hashes,
    /// Announces of random ports in one torrent: to fill it with peers that are none
    Peers,
    /// Announces from hundreds of addresses: to fill the tables that hold addresses
    Many,
    /// Scrapes of as many random torrents as a target holds
    Scrapes,
    /// Heads that come byte by byte, and never to an end
    DripHeads,
    /// Bodies that do
    DripBodies,
    /// Connections on which nothing is said
    Hold,
    /// The largest answers, asked for again and again and never read
    Unread,
    /// Random bytes, and requests with some bytes changed
    Garbage,
    /// Targets, lines, heads and bodies that are too long
    Oversize,
    /// Chunked bodies that break the grammar
    Chunks,
    /// TLS spoken to the plain port; with --tls, handshakes begun and left there, and HTTP without TLS
    Tls,
    /// Connections reset at random points
    Resets,
    /// Addresses that are not the attacker's, in the query and in forwarding headers
    Lies,
    /// Scripts, line ends, escapes and quotes in every string that a tracker reads
    Strings,
}

impl Mode {
    /// How many there are.
    #[cfg(test)]
    pub(crate) const COUNT: usize = Mode::Strings as usize + 1;

    /// As it is typed.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Where it comes from: an address of its own, from 127.0.0.2 up.
    pub(crate) fn source(self) -> Ipv4Addr {
        Ipv4Addr::new(127, 0, 0, 2 + self as u8)
    }
}

/// One mode at work.
pub(crate) struct Attacker<'a> {
    pub(crate) mode: Mode,
    pub(crate) plan: &'a Plan,
    pub(crate) rng: Xoshiro256PlusPlus,
    pub(crate) pace: Pace,
    pub(crate) tally: Tally,
}

impl<'a> Attacker<'a> {
    pub(crate) fn new(mode: Mode, plan: &'a Plan) -> Self {
        // what a mode does by chance does not depend on which others there are
        let rng = Xoshiro256PlusPlus::seed_from_u64(plan.seed ^ (mode as u64 + 1) << 48);
        Attacker { mode, plan, rng, pace: Pace::new(plan), tally: Tally::default() }
    }

    /// Where it goes to and comes from.
    pub(crate) fn way(&self) -> (SocketAddr, Option<IpAddr>) {
        (self.plan.addr, Some(IpAddr::V4(self.mode.source())))
    }

    /// Attacks until time or count are over.
    pub(crate) fn run(mut self) -> Tally {
        match self.mode {
            Mode::Flood => floods::flood(&mut self),
            Mode::OneShot => floods::one_shot(&mut self),
            Mode::Hashes => floods::hashes(&mut self),
            Mode::Peers => floods::peers(&mut self),
            Mode::Many => floods::many(&mut self),
            Mode::Scrapes => floods::scrapes(&mut self),
            Mode::DripHeads => slow::drip_heads(&mut self),
            Mode::DripBodies => slow::drip_bodies(&mut self),
            Mode::Hold => slow::hold(&mut self),
            Mode::Unread => slow::unread(&mut self),
            Mode::Garbage => broken::garbage(&mut self),
            Mode::Oversize => broken::oversize(&mut self),
            Mode::Chunks => broken::chunks(&mut self),
            Mode::Tls => broken::tls(&mut self),
            Mode::Resets => broken::resets(&mut self),
            Mode::Lies => liars::lies(&mut self),
            Mode::Strings => liars::strings(&mut self),
        }
        self.tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_name_and_an_address() {
        let modes = Mode::value_variants();
        assert_eq!(modes.len(), Mode::COUNT);
        let mut sources: Vec<_> = modes.iter().map(|mode| mode.source()).collect();
        assert!(sources.iter().all(|ip| ip.is_loopback() && *ip != Ipv4Addr::LOCALHOST));
        sources.dedup();
        assert_eq!(sources.len(), modes.len());
        assert_eq!(Mode::DripHeads.name(), "drip-heads");
    }
}
