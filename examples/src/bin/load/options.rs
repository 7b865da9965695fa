//! What was typed.

use std::error::Error;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use clap::{Parser, ValueEnum};
use examples::tracker_url::TrackerUrl;

use crate::crowd::{Crowd, PORTS};

/// How long a run of --requests may take at most.
const LONGEST: Duration = Duration::from_secs(120);

/// Puts load on a tracker, and says how much it takes.
///
/// One thread announces as fast as the tracker answers: peers of a made-up crowd,
/// 85 % of them again, 10 % as they start, 1 % as they complete, 4 % as they stop.
/// Before that, each of the peers announces once, so that the swarms are there.
/// The tracker must be on this machine, at a loopback address.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "load",
    version,
    verbatim_doc_comment,
    after_help = "To see what one core of a tracker takes, give it one core, and this program another one:\n  \
                  taskset -c 0 tracker --workers 1 &\n  \
                  taskset -c 1 load http://127.0.0.1:6969/announce --pid $!"
)]
pub(crate) struct Options {
    /// The tracker's announce URL; with --hashes alone it can be left out
    #[arg(value_name = "URL", required_unless_present = "hashes")]
    url: Option<String>,
    /// How connections are used
    #[arg(long, value_enum, default_value_t)]
    pub(crate) mode: Mode,
    /// Requests that are on their way at once on a pipelined connection
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    depth: u16,
    /// Connections at a time
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=20_000))]
    connections: u16,
    /// Measure for so long
    #[arg(long, value_name = "S", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Measure so many requests instead, for 2 minutes at most
    #[arg(long, value_name = "N", conflicts_with = "seconds", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) requests: Option<u64>,
    /// Torrents
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    torrents: u64,
    /// Peers, all torrents together
    #[arg(long, value_name = "N", default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(1..=50_000_000))]
    peers: u64,
    /// Some torrents have many peers and many have few (Zipf's law), instead of all the same
    #[arg(long)]
    zipf: bool,
    /// Peers asked for
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) numwant: u32,
    /// Send so many requests a second, however long the answers take, instead of the next one after each answer:
    /// latency then counts from the moment at which a request was due
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) rate: Option<u32>,
    /// Ask once on each connection, leave them all open, and tell what they cost the server in memory
    #[arg(long, requires = "pid", conflicts_with_all = ["seconds", "requests", "rate"])]
    pub(crate) idle: bool,
    /// Do not offer to take compressed answers
    #[arg(long)]
    pub(crate) plain: bool,
    /// Scrape a torrent with each request, instead of announcing
    #[arg(long)]
    pub(crate) scrape: bool,
    /// Whether each peer announces once before anything is measured
    #[arg(long, value_enum, default_value_t)]
    pub(crate) fill: Fill,
    /// Where chance begins
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Write the info hashes to this file, one a line: the list for a tracker that wants one
    #[arg(long, value_name = "FILE")]
    pub(crate) hashes: Option<String>,
    /// Tell the CPU time that the process of this id takes for a request
    #[arg(long)]
    pub(crate) pid: Option<u32>,
    /// Read every answer to its end, as a client would; that takes time of its own
    #[arg(long)]
    pub(crate) check: bool,
    /// How long an answer is waited for
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=60))]
    timeout: u32,
    /// Sleep while there is nothing to do: for a machine with fewer cores than programs at work
    #[arg(long)]
    pub(crate) no_spin: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// How connections are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Mode {
    /// A request after the other on each
    #[default]
    KeepAlive,
    /// Several requests at once on each
    Pipelined,
    /// A new one for each request
    OneShot,
}

/// When each peer announces once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Fill {
    /// Before the measurement
    #[default]
    Yes,
    /// Never: they are there already, or wait for their turn
    No,
    /// Now, and nothing is measured
    Only,
}

/// Who is to be asked.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) url: TrackerUrl,
    pub(crate) addr: SocketAddr,
}

impl Options {
    pub(crate) fn depth(&self) -> usize {
        if self.mode == Mode::Pipelined { self.depth.into() } else { 1 }
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.into()
    }

    pub(crate) fn seconds(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    pub(crate) fn longest(&self) -> Duration {
        LONGEST
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout.into())
    }

    /// The peers and their torrents. Each connection serves one source address, so there are to be enough of them.
    pub(crate) fn crowd(&self) -> Result<Crowd, Box<dyn Error>> {
        let sources = self.peers.div_ceil(PORTS);
        if sources > u64::from(self.connections) {
            return Err(format!(
                "{} peers need {sources} source addresses, and a connection for each: give --connections {sources}",
                self.peers
            )
            .into());
        }
        Ok(Crowd::new(self.seed, self.torrents, self.peers, sources as usize, self.zipf))
    }

    /// Whom to ask: `None` if no URL was given.
    pub(crate) fn target(&self) -> Result<Option<Target>, Box<dyn Error>> {
        let Some(url) = &self.url else { return Ok(None) };
        let url = TrackerUrl::parse(url)?;
        if url.is_secure() {
            return Err(format!("load is put on trackers over plain HTTP only, and {url} wants HTTPS").into());
        }
        let addrs = match url.ip() {
            Some(ip) => vec![SocketAddr::new(ip, url.port())],
            None => {
                let name = url.host().to_string();
                let found = (name.as_str(), url.port()).to_socket_addrs();
                found.map_err(|error| format!("the name {name} cannot be found: {error}"))?.collect()
            }
        };
        if let Some(stranger) = addrs.iter().find(|addr| !addr.ip().is_loopback()) {
            return Err(format!(
                "{} is not this machine's loopback: load is put on trackers at addresses such as 127.0.0.1 only",
                stranger.ip()
            )
            .into());
        }
        let reached = addrs.iter().find(|addr| TcpStream::connect(addr).is_ok()).or(addrs.first());
        let addr = *reached.ok_or_else(|| format!("{} has no address", url.host()))?;
        if addr.is_ipv6() && self.peers > PORTS {
            return Err(format!("over IPv6 there is one loopback address, and room for {PORTS} peers").into());
        }
        Ok(Some(Target { url, addr }))
    }
}

impl Target {
    /// Whether somebody listens there.
    pub(crate) fn probe(&self) -> Result<(), Box<dyn Error>> {
        match TcpStream::connect_timeout(&self.addr, Duration::from_secs(3)) {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("{} cannot be connected to: {error}", self.addr).into()),
        }
    }
}
