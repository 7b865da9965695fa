//! What was typed, and which tracker and torrents it means.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use examples::tracker_url::TrackerUrl;
use tracker_client::resolve::Family;

use crate::torrent::Torrent;

/// Asks a BitTorrent tracker for a torrent's peers, and prints what it says.
///
/// A torrent is named by its info hash (40 hexadecimal digits, or 32 of base32),
/// by a magnet link, or by a .torrent file. The tracker's URL can be left out
/// where the link or the file names one; the first HTTP tracker is asked then.
///
/// An announce makes you a peer of the torrent: --event stopped takes that back.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "announce",
    version,
    verbatim_doc_comment,
    override_usage = "announce [OPTIONS] [TRACKER-URL] INFO-HASH|MAGNET|FILE.torrent\n       \
                      announce --scrape [OPTIONS] [TRACKER-URL] [INFO-HASH|MAGNET|FILE.torrent]...",
    after_help = "Exit codes:\n  0  the tracker has answered\n  1  there is no answer, or none that can be understood\n  \
                  2  the command line is wrong\n  3  the tracker has refused, and said why"
)]
pub(crate) struct Options {
    /// The tracker's URL, if it is needed, and the torrent; with --scrape several torrents, or none for all
    #[arg(value_name = "TRACKER-URL|TORRENT", required = true, hide = true)]
    pub(crate) arguments: Vec<String>,
    /// Ask for counts only, and become no peer
    #[arg(long, short)]
    pub(crate) scrape: bool,
    /// What has happened
    #[arg(long, value_enum)]
    pub(crate) event: Option<Event>,
    /// Bytes still to be downloaded; 0 for a seeder, who is told of leechers only
    #[arg(long, value_name = "BYTES", default_value_t = 1)]
    pub(crate) left: u64,
    /// Bytes uploaded
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    pub(crate) uploaded: u64,
    /// Bytes downloaded
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    pub(crate) downloaded: u64,
    /// The port that you say you listen on; with 0 most trackers tell you of peers, but nobody of you
    #[arg(long, default_value_t = 6881)]
    pub(crate) port: u16,
    /// Your peer id: 20 characters
    #[arg(long, value_name = "ID", default_value = "-TK0100-announcetool", value_parser = peer_id)]
    pub(crate) peer_id: String,
    /// How many peers you want; the tracker decides unless given
    #[arg(long, value_name = "N")]
    pub(crate) numwant: Option<u32>,
    /// Ask for a list of dictionaries, with peer ids, instead of the compact form
    #[arg(long)]
    pub(crate) no_compact: bool,
    /// The address that you say you have; few trackers believe it
    #[arg(long, value_name = "ADDR")]
    pub(crate) ip: Option<String>,
    /// A key that identifies you to the tracker when your address changes
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// Trust the certificates in this file (PEM) as well, such as a self-made one of an https tracker
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Give up after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    timeout: u32,
    /// Show the request and the head of the answer, on the standard error
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// Ask over IPv4 only
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    ipv4: bool,
    /// Ask over IPv6 only
    #[arg(short = '6', long)]
    ipv6: bool,
}

/// `event`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Event {
    Started,
    Completed,
    Stopped,
    Paused,
}

impl Event {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Event::Started => "started",
            Event::Completed => "completed",
            Event::Stopped => "stopped",
            Event::Paused => "paused",
        }
    }
}

/// Who is asked for what.
#[derive(Debug)]
pub(crate) struct What {
    pub(crate) tracker: TrackerUrl,
    pub(crate) torrents: Vec<Torrent>,
}

impl Options {
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout.into())
    }

    pub(crate) fn family(&self) -> Option<Family> {
        self.ipv4.then_some(Family::V4).or(self.ipv6.then_some(Family::V6))
    }

    /// What the arguments mean. Files are read for that.
    pub(crate) fn what(&self) -> Result<What, Box<dyn Error>> {
        let (tracker, torrents) = match self.arguments.as_slice() {
            [first, rest @ ..] if is_tracker(first) => (Some(TrackerUrl::parse(first)?), rest),
            all => (None, all),
        };
        let torrents: Vec<Torrent> =
            torrents.iter().map(|text| Torrent::read(text)).collect::<Result<_, _>>()?;
        if !self.scrape && torrents.len() != 1 {
            return Err(match torrents.len() {
                0 => {
                    "which torrent? Give its info hash, magnet link or .torrent file behind the tracker's URL"
                        .into()
                }
                _ => "one torrent at a time is announced: only --scrape takes several".to_owned(),
            }
            .into());
        }
        let tracker = match tracker {
            Some(tracker) => tracker,
            None => first_tracker(&torrents)?,
        };
        Ok(What { tracker, torrents })
    }
}

/// Whether an argument is a tracker's URL: a scheme and no magnet link, or `host:port`.
fn is_tracker(text: &str) -> bool {
    let is_host_port = || {
        let bare = text.split('/').next().unwrap_or_default();
        bare.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok())
    };
    !text.starts_with("magnet:") && (text.contains("://") || is_host_port())
}

/// The first tracker that the torrents name and that can be asked.
fn first_tracker(torrents: &[Torrent]) -> Result<TrackerUrl, Box<dyn Error>> {
    let mut reasons = Vec::new();
    for text in torrents.iter().flat_map(|torrent| &torrent.trackers) {
        match TrackerUrl::parse(text) {
            Ok(tracker) => return Ok(tracker),
            Err(error) => reasons.push(error),
        }
    }
    Err(match reasons.as_slice() {
        [] => "which tracker? Give its URL before the torrent, which names none".into(),
        [only] => only.to_string(),
        [first, ..] => format!("none of the {} trackers named can be asked: {first}", reasons.len()),
    }
    .into())
}

fn peer_id(text: &str) -> Result<String, String> {
    if text.len() == 20 { Ok(text.to_owned()) } else { Err(format!("it has {} bytes, not 20", text.len())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0123456789abcdef0123456789abcdef01234567";

    fn what(arguments: &[&str]) -> Result<What, String> {
        let options = Options::try_parse_from(["announce"].iter().chain(arguments)).unwrap();
        options.what().map_err(|error| error.to_string())
    }

    #[test]
    fn the_tracker_comes_from_the_url_or_the_torrent() {
        let found = what(&["http://t/announce", HASH]).unwrap();
        assert_eq!((found.tracker.to_string().as_str(), found.torrents.len()), ("http://t/announce", 1));
        assert_eq!(what(&["localhost:6969", HASH]).unwrap().tracker.port(), 6969);
        let magnet = format!("magnet:?xt=urn:btih:{HASH}&tr=udp%3A%2F%2Fa%3A1&tr=http%3A%2F%2Fb%2Fannounce");
        assert_eq!(what(&[&magnet]).unwrap().tracker.to_string(), "http://b/announce");
        assert_eq!(what(&["http://c/announce", &magnet]).unwrap().tracker.to_string(), "http://c/announce");
        assert_eq!(what(&["--scrape", "http://t/announce"]).unwrap().torrents.len(), 0);
        assert_eq!(what(&["--scrape", "http://t/announce", HASH, HASH]).unwrap().torrents.len(), 2);
    }

    #[test]
    fn what_is_missing_is_asked_for() {
        let udp = format!("magnet:?xt=urn:btih:{HASH}&tr=udp%3A%2F%2Fa%3A1");
        for (arguments, part) in [
            (&[HASH][..], "which tracker?"),
            (&["http://t/announce"], "which torrent?"),
            (&["http://t/announce", HASH, HASH], "only --scrape"),
            (&["wss://t/announce", HASH], "WebTorrent"),
            (&[&udp], "UDP"),
            (&["http://t/announce", "no-such-file"], "no-such-file"),
        ] {
            let error = what(arguments).unwrap_err();
            assert!(error.contains(part) && !error.contains('\n'), "{error}");
        }
    }
}
