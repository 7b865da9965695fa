//! What was typed, and the models that it means.

use std::path::PathBuf;

use clap::{ArgAction, Parser};

use crate::model::{Arrivals, Model, Policy};
use crate::network::MOST_PEERS;

/// Simulates peers in virtual time against the tracker's core, and compares the policies by which it chooses peers.
///
/// Without options: a day of 1,000,000 peers in 10,000 torrents. The same seed gives the same figures, to the last digit.
#[derive(Clone, Debug, Parser)]
#[command(name = "virtual_swarm", version, max_term_width = 100)]
pub(crate) struct Options {
    /// So many peers arrive [default: 1000000]
    #[arg(long, value_name = "N")]
    pub(crate) peers: Option<u32>,
    /// ... within so many hours [default: 24]
    #[arg(long, value_name = "H")]
    pub(crate) hours: Option<f64>,
    /// ... in so many torrents [default: one for a hundred peers; a flash crowd has one]
    #[arg(long, value_name = "N")]
    pub(crate) torrents: Option<u32>,
    /// How they arrive; several, with commas between them, are simulated one after the other
    #[arg(long, value_name = "RHYTHM", value_enum, value_delimiter = ',', default_value = "daily")]
    pub(crate) arrivals: Vec<Arrivals>,
    /// Policies to compare, the others with the first
    #[arg(long, value_name = "POLICY", value_enum, value_delimiter = ',', default_value = "uniform")]
    pub(crate) policies: Vec<Policy>,
    /// The first seed
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// So many seeds, one after the other [default: 1]
    #[arg(long, value_name = "N")]
    pub(crate) seeds: Option<u32>,
    /// Seconds between a peer's announces
    #[arg(long, value_name = "S", default_value_t = 1800)]
    pub(crate) interval: u32,
    /// Seconds after which the tracker forgets a silent peer [default: one and a half intervals]
    #[arg(long, value_name = "S")]
    pub(crate) peer_timeout: Option<u32>,
    /// Peers asked for in an announce
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) numwant: u32,
    /// Connections of a peer at the most; it opens half of them itself
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) connections: u32,
    /// Share of the peers that go without a word, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.25)]
    pub(crate) vanish: f64,
    /// Share of the peers that nobody can connect to, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.4)]
    pub(crate) nat: f64,
    /// Networks (autonomous systems) that they live in; few for a torrent of one country
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) networks: u32,
    /// Measure as well how many addresses are dead, over several timeouts and shares of peers that vanish
    #[arg(long)]
    pub(crate) grid: bool,
    /// Write the tables (Markdown) and plots (SVG) into this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// See whether the tracker does what it must, and fail if it does not
    #[arg(long, action = ArgAction::SetTrue)]
    pub(crate) check: bool,
    /// A small simulation of some seconds: 20,000 peers in 6 hours, where nothing else is said
    #[arg(long)]
    pub(crate) quick: bool,
}

const _: () = assert!(MOST_PEERS >= 10_000_000 + 1_000_000, "all peers and publishers have addresses");

/// Why these options make no simulation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Nonsense(String);

impl Options {
    pub(crate) fn seeds(&self) -> Vec<u64> {
        (0..self.seeds.unwrap_or(1).into()).map(|nth: u64| self.seed.wrapping_add(nth)).collect()
    }

    /// The model of each rhythm.
    pub(crate) fn models(&self) -> Result<Vec<Model>, Nonsense> {
        let peers = self.peers.unwrap_or(if self.quick { 20_000 } else { 1_000_000 });
        let hours = self.hours.unwrap_or(if self.quick { 6.0 } else { 24.0 });
        let peer_timeout = self.peer_timeout.unwrap_or(self.interval.saturating_add(self.interval / 2));
        let model = Model {
            peers,
            hours,
            interval: self.interval,
            peer_timeout,
            numwant: self.numwant,
            connections: self.connections,
            networks: self.networks,
            vanish: self.vanish,
            nat: self.nat,
            ..Model::default()
        };
        let is_share = |value: f64| (0.0..=1.0).contains(&value);
        for (is_fine, sentence) in [
            ((1..=10_000_000).contains(&peers), "--peers is from 1 to 10000000"),
            (hours.is_finite() && (0.1..=240.0).contains(&hours), "--hours is from 0.1 to 240"),
            (self.torrents.is_none_or(|n| (1..=1_000_000).contains(&n)), "--torrents is from 1 to 1000000"),
            (self.seeds.is_none_or(|n| (1..=1000).contains(&n)), "--seeds is from 1 to 1000"),
            ((60..=86_400).contains(&self.interval), "--interval is from 60 to 86400 seconds"),
            (
                peer_timeout <= 200_000 && peer_timeout > self.interval + model.jitter,
                "--peer-timeout is above --interval and the jitter of 10 s, and at most 200000 seconds",
            ),
            ((1..=1000).contains(&self.numwant), "--numwant is from 1 to 1000"),
            ((2..=1000).contains(&self.connections), "--connections is from 2 to 1000"),
            ((1..=20_000).contains(&self.networks), "--networks is from 1 to 20000"),
            (is_share(self.vanish), "--vanish is a share, from 0 to 1"),
            (is_share(self.nat), "--nat is a share, from 0 to 1"),
        ] {
            if !is_fine {
                return Err(Nonsense(sentence.into()));
            }
        }
        let torrents = |arrivals| match arrivals {
            Arrivals::Flash => 1,
            Arrivals::Daily | Arrivals::Steady => (peers / 100).max(1),
        };
        Ok(self
            .arrivals
            .iter()
            .map(|&arrivals| Model {
                arrivals,
                torrents: self.torrents.unwrap_or_else(|| torrents(arrivals)),
                ..model.clone()
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models(args: &[&str]) -> Result<Vec<Model>, Nonsense> {
        Options::try_parse_from(["virtual_swarm"].iter().chain(args)).expect("understood").models()
    }

    #[test]
    fn defaults_are_a_day_of_a_million() {
        let models = models(&[]).unwrap();
        assert_eq!(models.len(), 1);
        let (typed, default) = (&models[0], Model::default());
        assert_eq!(
            format!("{typed:?}"),
            format!("{default:?}"),
            "clap's defaults and the model's are the same"
        );
    }

    #[test]
    fn nonsense_is_one_sentence() {
        for args in [
            &["--peers", "0"][..],
            &["--vanish", "1.5"],
            &["--interval", "600", "--peer-timeout", "600"],
            &["--hours", "NaN"],
            &["--connections", "1"],
        ] {
            let sentence = models(args).unwrap_err().to_string();
            assert!(
                sentence.starts_with(args[0]) || sentence.starts_with(args[args.len() - 2]),
                "{sentence}"
            );
        }
    }
}
