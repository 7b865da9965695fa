//! What was typed, and what it means.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use clap::{Parser, ValueEnum};
use url::{Host, Url};

use crate::checks::Check;

/// Simulates a crowd of peers against a running tracker on this machine, and checks what it answers.
///
/// The peers arrive, announce as real clients do, download from the peers that they are told of, seed for a while, and
/// leave politely or vanish. What the tracker says is held against what it must know. The exit code is 0 only if
/// nothing was wrong.
///
/// The tracker's interval decides how long things take: for a thorough check within a minute give it a short one, such as
/// swarm: (interval: "5s", min_interval: "1s", peer_timeout: "8s"), and say --peer-timeout 8s here.
///
/// The same seed, with the same numbers, makes the same crowd: who comes when, to which torrent, from which address and
/// port, with which client and id, how fast it is, how long it stays and how it leaves. What happens then depends on the
/// tracker's answers and on the machine.
#[derive(Debug, Parser)]
#[command(name = "simulate_peers", version)]
pub(crate) struct Options {
    /// Announce to this URL; give a second one at the IPv6 loopback address for some peers there
    #[arg(value_name = "URL", default_value = "http://127.0.0.1:6969/announce")]
    urls: Vec<String>,
    /// Peers that arrive in the course of the run
    #[arg(long, value_name = "N", default_value_t = 2000)]
    peers: u32,
    /// Torrents that they share; sizes by Zipf's law: one large, many small
    #[arg(long, value_name = "N", default_value_t = 20)]
    torrents: u32,
    /// How long the run takes, such as 60 or 5m
    #[arg(long, value_name = "TIME", default_value = "60", value_parser = duration, overrides_with = "seconds")]
    seconds: Duration,
    /// How the peers arrive
    #[arg(long, value_enum, default_value_t = Arrivals::Steady)]
    arrivals: Arrivals,
    /// Make the crowd of this seed; a new one each time if not given
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Connections, each from an address of its own, and so many requests in flight at most
    #[arg(long, value_name = "N", default_value_t = 200)]
    connections: u32,
    /// The share of peers that leave without a word, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    vanish: f64,
    /// How long a download takes at full speed; by default the tracker's interval, or an eighth of the run
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pace: Option<Duration>,
    /// After so long without an announce the tracker is to hand a peer out no more [default: 1.5 intervals]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    peer_timeout: Option<Duration>,
    /// And after so much longer not to count it any more [default: a tenth of the timeout, 10 s at most]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    sweep: Option<Duration>,
    /// How much its clock may be wrong [default: an eighth of the timeout, 1 s at most]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    grace: Option<Duration>,
    /// Within which time each request has to be answered
    #[arg(long, value_name = "TIME", default_value = "5", value_parser = duration)]
    patience: Duration,
    /// Leave out these checks, by their names in the verdict, such as fairness,partial
    #[arg(long, value_name = "CHECK", value_enum, value_delimiter = ',')]
    skip: Vec<Check>,
    /// Print the verdict as JSON
    #[arg(long)]
    json: bool,
    /// Print the info hashes of the seed's torrents, for a tracker that serves listed ones only, and exit
    #[arg(long)]
    info_hashes: bool,
}

/// How peers arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Arrivals {
    /// A flash crowd: most come at once, the others dribble in
    Flash,
    /// At a steady rate
    Steady,
    /// In two waves, as by day and by night
    Daily,
}

/// Where peers announce and scrape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) addr: SocketAddr,
    /// For the header of that name.
    pub(crate) host: String,
    pub(crate) announce: String,
    /// `None` where the URL does not lead to an `announce` that could be replaced.
    pub(crate) scrape: Option<String>,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The tracker, once or by two addresses.
    pub(crate) targets: Vec<Target>,
    pub(crate) peers: u32,
    pub(crate) torrents: u32,
    pub(crate) length: Duration,
    pub(crate) arrivals: Arrivals,
    pub(crate) seed: u64,
    pub(crate) connections: u32,
    pub(crate) vanish: f64,
    pub(crate) pace: Option<Duration>,
    pub(crate) peer_timeout: Option<Duration>,
    pub(crate) sweep: Option<Duration>,
    pub(crate) grace: Option<Duration>,
    pub(crate) patience: Duration,
    pub(crate) skip: Vec<Check>,
    pub(crate) json: bool,
    /// Only the info hashes are wanted.
    pub(crate) info_hashes: bool,
}

/// Why nothing can be simulated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanError {
    #[error("{0} is no URL of a tracker: it looks like http://127.0.0.1:6969/announce")]
    NotUrl(String),
    #[error("{0} is not on this machine: load goes to loopback addresses only")]
    NotLoopback(String),
    #[error("only plain http can be spoken, not {0}")]
    Scheme(String),
    #[error("give one URL, or one of IPv4 and one of IPv6")]
    Targets,
    #[error("--peers must be at least twice --torrents, so that nobody is alone")]
    TooFew,
    #[error("--peers can be {most} at most{why}")]
    TooMany { most: u32, why: &'static str },
    #[error("--{0} must be {1}")]
    Range(&'static str, &'static str),
}

/// Peers on one IPv6 address, which are told apart by their ports.
pub(crate) const MOST_ON_V6: u32 = 40_000;
/// Peers in all: some hundred bytes each.
const MOST_PEERS: u32 = 5_000_000;
/// Connections, of which each has an address.
const MOST_CONNECTIONS: u32 = 8_000;

impl Options {
    /// What it means.
    pub(crate) fn plan(self) -> Result<Plan, PlanError> {
        let targets = self.urls.iter().map(|url| target(url)).collect::<Result<Vec<_>, _>>()?;
        let v4 = targets.iter().filter(|target| target.addr.is_ipv4()).count();
        if targets.len() > 2 || v4 > 1 || targets.len() - v4 > 1 {
            return Err(PlanError::Targets);
        }
        if self.torrents == 0 {
            return Err(PlanError::Range("torrents", "at least 1"));
        }
        if u64::from(self.peers) < 2 * u64::from(self.torrents) {
            return Err(PlanError::TooFew);
        }
        let (most, why) = if v4 > 0 {
            (MOST_PEERS, "")
        } else {
            (MOST_ON_V6, " on [::1], where only ports tell them apart")
        };
        if self.peers > most {
            return Err(PlanError::TooMany { most, why });
        }
        if !(1..=MOST_CONNECTIONS).contains(&self.connections) {
            return Err(PlanError::Range("connections", "from 1 to 8000"));
        }
        if !(0.0..=1.0).contains(&self.vanish) {
            return Err(PlanError::Range("vanish", "from 0 to 1"));
        }
        if self.seconds < Duration::from_secs(3) {
            return Err(PlanError::Range("seconds", "at least 3"));
        }
        Ok(Plan {
            targets,
            peers: self.peers,
            torrents: self.torrents,
            length: self.seconds,
            arrivals: self.arrivals,
            seed: self.seed.unwrap_or_else(fresh_seed),
            connections: self.connections,
            vanish: self.vanish,
            pace: self.pace,
            peer_timeout: self.peer_timeout,
            sweep: self.sweep,
            grace: self.grace,
            patience: self.patience,
            skip: self.skip,
            json: self.json,
            info_hashes: self.info_hashes,
        })
    }
}

/// `90`, `1.5`, `90s`, `5m`.
fn duration(text: &str) -> Result<Duration, String> {
    let seconds = match text.strip_suffix('m') {
        Some(minutes) => minutes.parse::<f64>().map(|minutes| minutes * 60.0),
        None => match text.strip_suffix("ms") {
            Some(thousandths) => thousandths.parse::<f64>().map(|thousandths| thousandths / 1000.0),
            None => text.strip_suffix('s').unwrap_or(text).parse(),
        },
    };
    match seconds {
        Ok(seconds) if seconds > 0.0 && seconds < 1e7 => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("a time is written as 60, 1.5s or 5m".into()),
    }
}

fn target(text: &str) -> Result<Target, PlanError> {
    let not_url = || PlanError::NotUrl(text.to_owned());
    let url = Url::parse(text).map_err(|_| not_url())?;
    if url.scheme() != "http" {
        return Err(if url.cannot_be_a_base() {
            not_url()
        } else {
            PlanError::Scheme(url.scheme().to_owned())
        });
    }
    let ip = match url.host().ok_or_else(not_url)? {
        Host::Ipv4(ip) => IpAddr::V4(ip),
        Host::Ipv6(ip) => IpAddr::V6(ip),
        Host::Domain("localhost") => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Host::Domain(_) => return Err(PlanError::NotLoopback(text.to_owned())),
    };
    if !ip.is_loopback() || matches!(ip, IpAddr::V6(ip) if ip != Ipv6Addr::LOCALHOST) {
        return Err(PlanError::NotLoopback(text.to_owned()));
    }
    let addr = SocketAddr::new(ip, url.port().unwrap_or(80));
    let mut announce = if url.path() == "/" { "/announce".to_owned() } else { url.path().to_owned() };
    let scrape = announce.rsplit_once('/').and_then(|(folder, name)| {
        name.starts_with("announce").then(|| format!("{folder}/{}", name.replacen("announce", "scrape", 1)))
    });
    if let Some(query) = url.query() {
        announce = format!("{announce}?{query}");
    }
    Ok(Target { addr, host: addr.to_string(), announce, scrape })
}

fn fresh_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    // short enough to be typed
    (now.as_millis() as u64 ^ u64::from(std::process::id()) << 20) % 100_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(args: &[&str]) -> Result<Plan, PlanError> {
        Options::try_parse_from(["simulate_peers"].iter().chain(args)).unwrap().plan()
    }

    #[test]
    fn urls_lead_to_loopback_or_nowhere() {
        let found = target("http://localhost:6969/").unwrap();
        assert_eq!((found.host.as_str(), found.announce.as_str()), ("127.0.0.1:6969", "/announce"));
        let found = target("http://[::1]/x/announce.php?k=1").unwrap();
        assert_eq!((found.host.as_str(), found.announce.as_str()), ("[::1]:80", "/x/announce.php?k=1"));
        assert_eq!(found.scrape.as_deref(), Some("/x/scrape.php"));
        assert_eq!(target("http://127.0.0.1/a").unwrap().scrape, None);
        for elsewhere in ["http://192.0.2.1/announce", "http://example.org/announce", "http://[::2]/announce"]
        {
            assert!(matches!(target(elsewhere), Err(PlanError::NotLoopback(_))), "{elsewhere}");
        }
        assert!(matches!(target("udp://127.0.0.1:1/announce"), Err(PlanError::Scheme(_))));
        assert!(matches!(target("tracker"), Err(PlanError::NotUrl(_))));
    }

    #[test]
    fn times_in_several_notations() {
        let millis = |text| duration(text).map(|time| time.as_millis()).ok();
        assert_eq!((millis("60"), millis("1.5s"), millis("2m")), (Some(60_000), Some(1500), Some(120_000)));
        assert_eq!((millis("300ms"), millis("0"), millis("soon")), (Some(300), None, None));
    }

    #[test]
    fn plans_that_make_no_sense_are_refused() {
        assert!(plan(&["--peers", "40", "--torrents", "20"]).is_ok());
        for args in [
            &["--peers", "39", "--torrents", "20"][..],
            &["--torrents", "0"],
            &["--vanish", "1.5"],
            &["--connections", "0"],
            &["http://[::1]:1/announce", "--peers", "40001"],
            &["http://127.0.0.1:1/announce", "http://127.0.0.2:1/announce"],
        ] {
            let sentence = plan(args).unwrap_err().to_string();
            assert!(!sentence.contains('\n'), "{sentence}");
        }
    }
}
