//! Who asks: the tracker, the peers, and what was found so far.

use std::net::{IpAddr, SocketAddr};
use std::thread;

use percent_encoding::percent_encode;

use super::finding::{Finding, Level, Report};
use super::peer::{self, Peer};
use super::reach::Reached;
use super::words::{Refusal, refusal};
use super::{CheckError, MOST_REQUESTS, Options};
use crate::answer::Announced;
use crate::ask::AskError;
use crate::connection::{Connection, Response};
use crate::deadline::Deadline;
use crate::tls::Tls;
use crate::tracker_url::{ESCAPED, TrackerUrl};

/// After so many requests without an answer no more are made.
const MOST_TROUBLES: u32 = 3;

/// More of what a tracker says is not shown, in characters.
const LONGEST_LINE: usize = 300;

/// What all checks share.
#[derive(Debug)]
pub(super) struct Probe<'a> {
    pub(super) url: &'a TrackerUrl,
    pub(super) options: &'a Options,
    /// Whom most is asked.
    pub(super) addr: SocketAddr,
    /// Other addresses of the tracker.
    pub(super) others: Vec<SocketAddr>,
    tls: Option<Tls>,
    report: &'a mut Report,
    pub(super) hash: [u8; 20],
    pub(super) peers: [Peer; 3],
    /// Who has joined and not left: which peer, at which of the tracker's addresses.
    pub(super) joined: Vec<(usize, SocketAddr)>,
    /// Who has announced and not left, whatever came of it.
    pub(super) shown: Vec<(usize, SocketAddr)>,
    /// Whether a peer was told of itself, which is said once.
    pub(super) is_told_of_itself: bool,
    /// This side of the connection, as it is seen here.
    pub(super) local: Option<IpAddr>,
    /// What the tracker says that the first peer's address is.
    pub(super) external: Option<IpAddr>,
    /// Whether the second peer was told of the first: else there is nothing to find in later answers.
    pub(super) is_told: bool,
    /// `downloaded` of the swarm before anybody has completed, where there is a scrape.
    pub(super) downloaded: Option<u64>,
    /// The status of the first answer.
    pub(super) status: u16,
    troubles: u32,
    /// Nothing more is to be asked.
    is_over: bool,
}

/// What is asked for, as its finding says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Topic {
    pub(super) check: &'static str,
    pub(super) asked: &'static str,
}

impl Topic {
    /// How bad it is to be turned down: what hardly any client asks for is dispensable.
    fn refusal(self) -> Level {
        match self.check {
            "announce.list" | "announce.no_peer_id" => Level::Warning,
            _ => Level::Wrong,
        }
    }
}

/// An announce.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) peer: usize,
    /// The info hash as it is written.
    pub(super) hash: Option<String>,
    /// Further parameters, from `&` on.
    pub(super) more: String,
}

impl<'a> Probe<'a> {
    pub(super) fn new(
        url: &'a TrackerUrl,
        options: &'a Options,
        reached: Reached,
        report: &'a mut Report,
    ) -> Result<Probe<'a>, CheckError> {
        let hash = match options.info_hash {
            Some(hash) => hash.0,
            None => peer::info_hash()?,
        };
        Ok(Probe {
            url,
            options,
            addr: reached.addr,
            others: reached.others,
            tls: reached.tls,
            report,
            hash,
            peers: peer::peers()?,
            joined: Vec::new(),
            shown: Vec::new(),
            is_told_of_itself: false,
            local: None,
            external: None,
            is_told: false,
            downloaded: None,
            status: 200,
            troubles: 0,
            is_over: false,
        })
    }

    /// A peer is about to announce.
    pub(super) fn shows(&mut self, peer: usize, addr: SocketAddr) {
        if !self.shown.contains(&(peer, addr)) {
            self.shown.push((peer, addr));
        }
    }

    /// A peer's announce was answered.
    pub(super) fn joins(&mut self, peer: usize, addr: SocketAddr) {
        if !self.joined.contains(&(peer, addr)) {
            self.joined.push((peer, addr));
        }
    }

    // what was found

    pub(super) fn find(&mut self, topic: Topic, level: Level, came: impl Into<String>, remedy: &'static str) {
        let remedy = (!remedy.is_empty()).then_some(remedy);
        let (check, asked, came) = (topic.check, topic.asked.to_owned(), came.into());
        self.record(Finding { check, level, asked, came, remedy });
    }

    pub(super) fn record(&mut self, mut finding: Finding) {
        if let Some((end, _)) = finding.came.char_indices().nth(LONGEST_LINE) {
            finding.came.truncate(end);
            finding.came.push('…');
        }
        self.report.findings.push(finding);
    }

    pub(super) fn ok(&mut self, topic: Topic, came: impl Into<String>) {
        self.find(topic, Level::Ok, came, "");
    }

    /// Whether something is worth asking still.
    pub(super) fn goes_on(&self) -> bool {
        !self.is_over && self.troubles < MOST_TROUBLES
    }

    /// Whether the swarm is of these peers only.
    pub(super) fn is_alone(&self) -> bool {
        self.options.info_hash.is_none()
    }

    // what is asked

    /// The target of an announce.
    pub(super) fn target(&self, wish: &Wish) -> String {
        let peer = &self.peers[wish.peer];
        let hash = wish.hash.clone().unwrap_or_else(|| escaped(&self.hash));
        self.announce_with(&format!("info_hash={hash}&"), peer, &wish.more)
    }

    /// Likewise, with something else than an info hash at its begin.
    pub(super) fn announce_with(&self, hash: &str, peer: &Peer, more: &str) -> String {
        let (target, id) = (self.url.announce_target(), escaped(&peer.id));
        let Peer { port, left, .. } = peer;
        format!("{target}{hash}peer_id={id}&port={port}&uploaded=0&downloaded=0&left={left}{more}")
    }

    /// A request as most clients make it.
    pub(super) fn request(&self, target: &str) -> String {
        self.request_with("GET", target, "HTTP/1.1", "Connection: close\r\n")
    }

    pub(super) fn request_with(&self, method: &str, target: &str, version: &str, headers: &str) -> String {
        format!(
            "{method} {target} {version}\r\nHost: {}\r\nUser-Agent: tracker-check/{}\r\nAccept: */*\r\n{headers}\r\n",
            self.url.host_header(),
            env!("CARGO_PKG_VERSION"),
        )
    }

    /// A connection to the tracker, for a request or two: politely after a pause.
    pub(super) fn connect(&mut self, addr: SocketAddr, requests: u32) -> Result<Connection, AskError> {
        if !addr.ip().is_loopback() && self.report.requests > 0 {
            thread::sleep(self.options.pause);
        }
        self.report.requests += requests;
        debug_assert!(self.report.requests <= MOST_REQUESTS, "so many requests are not polite");
        let tls = self.tls.as_ref().map(|tls| (tls, self.url.host()));
        Connection::open(addr, tls, Deadline::within(self.options.timeout))
    }

    /// Asks one thing over a connection of its own.
    pub(super) fn ask(&mut self, addr: SocketAddr, request: &str) -> Result<Response, AskError> {
        let asked = self.connect(addr, 1).and_then(|mut connection| {
            connection.send(request.as_bytes())?;
            connection.receive()
        });
        self.troubles = if asked.is_ok() { 0 } else { self.troubles + 1 };
        asked
    }

    /// Announces with a request that most clients would make, and takes the answer apart. `None` after a finding of why
    /// there is none.
    pub(super) fn announce(&mut self, topic: Topic, wish: &Wish) -> Option<(Announced, Response)> {
        let request = self.request(&self.target(wish));
        self.shows(wish.peer, self.addr);
        let announced = self.announce_as(topic, self.addr, &request)?;
        self.joins(wish.peer, self.addr);
        Some(announced)
    }

    pub(super) fn announce_as(
        &mut self,
        topic: Topic,
        addr: SocketAddr,
        request: &str,
    ) -> Option<(Announced, Response)> {
        match self.ask(addr, request) {
            Ok(response) => self.understand(topic, response),
            Err(error) => {
                self.find(topic, Level::Wrong, error.to_string(), NO_ANSWER);
                None
            }
        }
    }

    /// The answer in a response; `None` after a finding of why there is none.
    pub(super) fn understand(&mut self, topic: Topic, response: Response) -> Option<(Announced, Response)> {
        let announced = Announced::read(&response.body);
        if let Ok(announced) = &announced
            && let Some(reason) = &announced.failure
        {
            if refusal(reason) == Refusal::Pace {
                self.is_over = true;
                let came = format!("\"{reason}\": it limits how often it is asked, so no more is");
                self.find(topic, Level::Note, came, "");
            } else {
                self.find(topic, topic.refusal(), format!("turned down: \"{reason}\""), "");
            }
            return None;
        }
        if response.status != 200 {
            let came = format!("status {} {}", response.status, response.reason());
            let remedy = if topic.check == "announce" { WHERE } else { "answer with status 200" };
            self.find(topic, topic.refusal(), came.trim_end(), remedy);
            return None;
        }
        match announced {
            Ok(announced) => Some((announced, response)),
            Err(error) => {
                let remedy = if topic.check == "announce" { WHERE } else { "" };
                self.find(topic, Level::Wrong, error.to_string(), remedy);
                None
            }
        }
    }
}

/// The advice where something else than a tracker answers.
const WHERE: &str = "is this the announce URL? Most end with /announce, and a torrent has it in full";

/// The advice where nothing came back.
pub(super) const NO_ANSWER: &str = "look into the tracker's log, and into that of a proxy before it";

impl Wish {
    pub(super) fn of(peer: usize, more: &str) -> Wish {
        Wish { peer, hash: None, more: more.to_owned() }
    }
}

/// Bytes as in a query, escaped where it is needed.
pub(super) fn escaped(bytes: &[u8]) -> String {
    percent_encode(bytes, ESCAPED).to_string()
}
