//! What each figure is called, whether more of it is better, and what it means, in a sentence.

use Better::{Less, More, Neither};
use Unit::{Percent, Plain, Seconds};

/// Whether more of it is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    More,
    Less,
    /// Neither: it only tells what the swarm is like.
    Neither,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Plain,
    Percent,
    Seconds,
}

/// A figure's meaning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meaning {
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    pub(crate) better: Better,
    pub(crate) definition: &'static str,
}

macro_rules! meanings {
    ($($constant:ident: $name:literal, $unit:expr, $better:expr, $definition:literal;)*) => {
        $(pub(crate) const $constant: Meaning =
            Meaning { name: $name, unit: $unit, better: $better, definition: $definition };)*
    };
}

meanings! {
    UNTIL_SEEDER: "announces until a live seeder", Plain, Less,
        "How many times a newcomer had announced when an answer first held the address of a seeder that was there; of those \
         that got one.";
    LATE_SEEDER: "no live seeder in the first answer", Percent, Less,
        "Newcomers whose first answer held no address of a live seeder.";
    NO_SEEDER: "never told of a live seeder", Percent, Less,
        "Newcomers that completed, or gave up, before an answer held one: they had it all from leechers, or from seeders that \
         found them.";
    UNTIL_CONNECTED: "announces until a connection", Plain, Less,
        "How many times a newcomer had announced when its first connection was made, whoever opened it; of those that got one.";
    LATE_CONNECTED: "no connection after the first answer", Percent, Less,
        "Newcomers that had none before they announced again, or went.";
    COMPLETION: "time to completion", Seconds, Less,
        "From a peer's arrival to its last piece, of those that completed.";
    IDEAL: "share of the ideal rate", Percent, More,
        "A completed download's mean rate as a share of what the peer's own line could take; p95 is what 95 % of them reach or \
         exceed.";
    CROWD: "the crowd is done", Seconds, Less,
        "From the first arrival until half (p95: 95 %, p99: 99 %) of all that ever complete have completed.";
    SEEDER_LINKS: "connections per seeder", Plain, Neither,
        "Of seeders in torrents that have a leecher, looked at 144 times while peers arrive (flash: every minute).";
    SEEDER_GINI: "connections per seeder: Gini", Plain, Less,
        "The Gini coefficient of these: 0 where all have as many, 1 where one has them all.";
    LEECHER_LINKS: "connections per leecher", Plain, Neither, "The same of leechers.";
    LEECHER_GINI: "connections per leecher: Gini", Plain, Less, "The same of leechers.";
    PEERS: "overlay: peers", Plain, Neither,
        "The overlay is the graph of the connections in the largest torrent after three quarters of the time (a day: at 18 \
         o'clock; flash: after a quarter of the decay, 5 minutes); its peers are the leechers and the seeders connected to \
         them. Other torrents' overlays are not measured.";
    DEGREES: "overlay: connections", Plain, Neither, "Of each of its peers.";
    LARGEST: "overlay: in the largest component", Percent, More,
        "The share of its peers that can reach each other over connections.";
    DIAMETER: "overlay: diameter", Plain, Less,
        "The longest of all shortest paths in that component; of those from 256 sampled peers, a lower bound, where it has more \
         than 10,000.";
    DISTANCE: "overlay: mean distance", Plain, Less, "The mean of the same paths.";
    CLUSTERING: "overlay: clustering", Plain, Less,
        "Of all pairs of neighbours of a peer, the share that is connected as well.";
    SUBNET_BYTES: "bytes within a /24", Percent, More,
        "Of all bytes, those whose sender and receiver are in the same /24.";
    NETWORK_BYTES: "bytes within a network", Percent, More, "The same for an autonomous system.";
    DEAD: "dead addresses", Percent, Less,
        "Of all addresses in answers, those of peers that had gone.";
}

/// A value with its unit.
pub(crate) fn write(value: f64, unit: Unit) -> String {
    match unit {
        Percent if value == 0.0 => "0 %".into(),
        Percent if value < 0.001 => format!("{:.4} %", value * 100.0),
        Percent if value < 0.1 => format!("{:.2} %", value * 100.0),
        Percent => format!("{:.1} %", value * 100.0),
        Seconds if value < 600.0 => format!("{value:.0} s"),
        Seconds if value < 36_000.0 => format!("{:.1} min", value / 60.0),
        Seconds => format!("{:.1} h", value / 3600.0),
        Plain if value == value.round() => format!("{value:.0}"),
        Plain if value < 1.0 => format!("{value:.4}"),
        Plain => format!("{value:.2}"),
    }
}
