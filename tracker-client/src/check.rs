//! Finds out what is wrong with a running tracker, by asking it what a prober and the clients in the field would.
//!
//! Three peers that do not exist join a swarm that does not exist either, look at what they are told of each other, and leave
//! it again: at most [`MOST_REQUESTS`] requests, one after the other, with a [pause](Options::pause) between them where the
//! tracker is on another machine. What came is a [`Finding`] each, with a name that stays the same for scripts.

mod address;
mod announce;
mod escapes;
mod failures;
mod finding;
mod http;
mod peer;
mod probe;
mod reach;
mod scrape;
mod secure;
mod shape;
mod swarm;
mod words;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use tracker_core::InfoHash;

use crate::ask::AskError;
use crate::tls::TlsError;
use crate::tracker_url::{TrackerUrl, UrlError};

use self::announce::First;
pub use self::finding::{Finding, Level, Report};
use self::probe::Probe;

/// How many requests a check makes at the most, redirects included.
pub const MOST_REQUESTS: u32 = 40;

/// How many redirects are followed.
const MOST_REDIRECTS: usize = 3;

/// How a tracker is to be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// A torrent that the tracker serves. `None`: one that does not exist, which is best where every torrent is welcome.
    pub info_hash: Option<InfoHash>,
    /// A file with certificates (PEM) to be trusted beside the system's.
    pub ca: Option<PathBuf>,
    /// How long each request is waited for, and each connection.
    pub timeout: Duration,
    /// Between two requests to another machine.
    pub pause: Duration,
    /// The tracker's addresses, instead of those that the system's resolver finds.
    pub addresses: Option<Vec<IpAddr>>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            info_hash: None,
            ca: None,
            timeout: Duration::from_secs(10),
            pause: Duration::from_millis(100),
            addresses: None,
        }
    }
}

/// Why a tracker cannot be checked. `Display` is the sentence that the user sees.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// What was given is no URL of an HTTP tracker.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// Nobody is there.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// TLS cannot be set up on this side.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A redirect leads nowhere.
    #[error("{0} has moved to an address that cannot be asked: {1}")]
    Moved(String, UrlError),
    /// Redirects without end.
    #[error("{0} is redirected more than {MOST_REDIRECTS} times")]
    Redirects(String),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

/// Checks the tracker at that URL. Without a scheme it is taken for `http`, without a path for `/announce`.
///
/// # Errors
/// It cannot be asked at all. That it answers, if only with nonsense, is a finding.
pub fn check(url: &str, options: &Options) -> Result<Report, CheckError> {
    let typed = TrackerUrl::parse(url)?;
    let mut url = typed.clone();
    let mut report = Report::default();
    for _ in 0..=MOST_REDIRECTS {
        let reached = reach::reach(&url, options, &mut report.findings)?;
        let mut probe = Probe::new(&url, options, reached, &mut report)?;
        match announce::first(&mut probe)? {
            First::Moved(next) => url = next,
            First::Useless => return Ok(report.finish(&url)),
            First::Refused => {
                without_a_swarm(&mut probe);
                return Ok(report.finish(&url));
            }
            First::Taken => {
                with_a_swarm(&mut probe);
                return Ok(report.finish(&url));
            }
        }
    }
    Err(CheckError::Redirects(typed.to_string()))
}

fn with_a_swarm(probe: &mut Probe<'_>) {
    swarm::meet(probe);
    address::others(probe);
    swarm::forms(probe);
    swarm::numbers(probe);
    escapes::spellings(probe);
    http::headers(probe);
    http::keep_alive(probe);
    http::head(probe);
    failures::failures(probe);
    scrape::before(probe);
    swarm::complete(probe);
    scrape::after(probe);
    swarm::stop(probe);
    swarm::leave(probe);
}

/// Where torrents are turned away, there is still the HTTP around that.
fn without_a_swarm(probe: &mut Probe<'_>) {
    http::keep_alive(probe);
    http::head(probe);
    failures::failures(probe);
    swarm::leave(probe);
}
