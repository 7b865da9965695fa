//! What was typed, and what it means.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::{Parser, ValueEnum};
use examples::tracker_url::{TrackerUrl, UrlError};
use url::Host;

use crate::mode::Mode;

/// Attacks a tracker of your own in all the ways that public trackers are attacked in, and tells what came of it.
///
/// The tracker must be on this machine, at a loopback address. The modes run at the same time, each from
/// an address of its own, 127.0.0.2 and on. A tracker that limits what an address may do exempts loopback
/// by default: for an attack on the limits start it with limits: (exempt: []).
///
/// The exit code is 0 if the tracker answers /health in the end, and nothing that it said was no HTTP.
#[derive(Debug, Parser)]
#[command(
    name = "attack",
    version,
    verbatim_doc_comment,
    after_help = "Where attackers and good clients share few cores, let the attackers have what is left over:\n  \
                  nice -n 19 attack http://127.0.0.1:6969/announce --rate 200"
)]
pub(crate) struct Options {
    /// The tracker's announce URL
    #[arg(value_name = "URL", default_value = "http://127.0.0.1:6969/announce")]
    url: String,
    /// Only in these ways, separated by commas
    #[arg(long, value_name = "MODE", value_enum, value_delimiter = ',')]
    only: Vec<Mode>,
    /// Attack this address in the ways of TLS too
    #[arg(long, value_name = "ADDR:PORT")]
    tls: Option<SocketAddr>,
    /// How long it takes
    #[arg(long, value_name = "S", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Requests or connections of each mode a second; 0: as many as the tracker answers
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    rate: u32,
    /// Requests or connections of each mode in all, at most
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    requests: u64,
    /// Connections that each of the slow modes holds
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    connections: u16,
    /// Where chance begins; a new one each time if not given
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) addr: SocketAddr,
    pub(crate) tls: Option<SocketAddr>,
    /// The request target that announces, ready for parameters.
    pub(crate) announce: String,
    /// The same of scrapes.
    pub(crate) scrape: String,
    pub(crate) modes: Vec<Mode>,
    pub(crate) length: Duration,
    /// A second; 0: no bound.
    pub(crate) rate: u32,
    pub(crate) requests: u64,
    pub(crate) connections: usize,
    pub(crate) seed: u64,
}

/// Why nobody is attacked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanError {
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error("{0} is not this machine's loopback: only trackers at addresses such as 127.0.0.1 are attacked")]
    NotLoopback(String),
}

impl Options {
    /// What it means.
    pub(crate) fn plan(&self) -> Result<Plan, PlanError> {
        let url = TrackerUrl::parse(&self.url)?;
        let ip = match url.host() {
            Host::Domain(name) if name == "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Host::Ipv4(ip) => IpAddr::V4(*ip),
            Host::Ipv6(ip) => IpAddr::V6(*ip),
            // whatever a name means today, it may mean another machine tomorrow
            Host::Domain(name) => return Err(PlanError::NotLoopback(name.clone())),
        };
        let addr = SocketAddr::new(ip, url.port());
        if let Some(stranger) = [Some(addr), self.tls].iter().flatten().find(|addr| !addr.ip().is_loopback())
        {
            return Err(PlanError::NotLoopback(stranger.ip().to_string()));
        }
        let modes = if self.only.is_empty() { Mode::value_variants().to_vec() } else { self.only.clone() };
        Ok(Plan {
            addr,
            tls: self.tls,
            announce: url.announce_target(),
            scrape: url.scrape_target()?,
            modes,
            length: Duration::from_secs(self.seconds.into()),
            rate: self.rate,
            requests: self.requests,
            connections: self.connections.into(),
            seed: self.seed.unwrap_or_else(fresh_seed),
        })
    }
}

fn fresh_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    // short enough to be typed
    (now.as_millis() as u64 ^ u64::from(std::process::id()) << 20) % 100_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(args: &[&str]) -> Result<Plan, String> {
        let options =
            Options::try_parse_from(["attack"].iter().chain(args)).map_err(|error| error.to_string())?;
        options.plan().map_err(|error| error.to_string())
    }

    #[test]
    fn only_loopback_is_attacked() {
        for fine in ["http://127.0.0.1:1/announce", "localhost", "http://[::1]:7/x/announce", "127.9.9.9:80"]
        {
            assert!(plan(&[fine]).unwrap().addr.ip().is_loopback(), "{fine}");
        }
        for stranger in
            ["192.0.2.1:6969", "http://tracker.example/announce", "http://[2001:db8::1]/", "0.0.0.0"]
        {
            let why = plan(&[stranger]).unwrap_err();
            assert!(why.contains("is not this machine's loopback") && !why.contains('\n'), "{why}");
        }
        assert!(
            plan(&["127.0.0.1:1", "--tls", "192.0.2.1:443"]).unwrap_err().starts_with("192.0.2.1 is not")
        );
        assert!(plan(&["udp://127.0.0.1:1"]).unwrap_err().contains("UDP"));
    }

    #[test]
    fn it_is_bounded_in_time_and_count() {
        let usual = plan(&[]).unwrap();
        assert_eq!((usual.length.as_secs(), usual.requests, usual.modes.len()), (30, 1_000_000, Mode::COUNT));
        for beyond in
            [["--seconds", "3601"], ["--requests", "0"], ["--connections", "10001"], ["--only", "x"]]
        {
            assert!(plan(&beyond).is_err(), "{beyond:?}");
        }
        assert_eq!(plan(&["--only", "flood,lies"]).unwrap().modes, [Mode::Flood, Mode::Lies]);
    }
}
