//! `/announce` and `/scrape`: the mapping of BEP 3, 7, 21, 23, 24, 31 and 48 on the core.

use std::io;
use std::net::IpAddr;

use tracker_core::{
    AccessList, Announce, AnnounceError, Counts, Event, InfoHash, Outcome, PeerAddr, Tracker,
};

use crate::access::Access;
use crate::counters::Route;
use crate::parser::{Method, Request};
use crate::query::{AnnounceQuery, client_address, parse_announce, parse_scrape};
use crate::reply::{self, Announced, Retry};
use crate::service::{Context, NotFound, Reply, Service};

/// Minutes after which a client may try again where the tracker has no room for its torrent.
const FULL_RETRY: u32 = 30;
/// Said to the user of a client whose address asks too often.
const ASKS_TOO_OFTEN: &str =
    "this address asks too often: have the clients behind it ask less often, or they are refused soon";
/// Said to the users of clients that are not listed.
const SWARM_FULL: &str =
    "this torrent has as many peers as this tracker keeps: you are told of others, but not listed";
const ADDRESS_FULL: &str =
    "your address has as many peers as this tracker keeps of one: you are told of others, but not listed";
/// Torrents that a full scrape sorts at a time: 32 bytes each.
const SCRAPE_SORTED: u64 = 1 << 20;

/// Whether clients are believed where they say what their address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ClientIp {
    /// The address is that of the connection, or what a trusted proxy says.
    #[default]
    Source,
    /// `ip`, `ipv4` and `ipv6` of the query are believed: for networks whose clients are all trusted.
    Query,
}

/// What the tracker tells its clients. Times are in seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How long clients are to wait between two announces.
    pub interval: u32,
    /// How long they must.
    pub min_interval: u32,
    /// How long those are to wait that have to come less often. Between `interval` and the tracker's
    /// [`peer_timeout`](tracker_core::Config::peer_timeout), so that they are known yet when they return.
    pub long_interval: u32,
    /// Peers for a client that does not say how many it wants.
    pub default_numwant: u32,
    /// Peers that are given to anybody.
    pub max_numwant: u32,
    /// Torrents in the answer to one scrape; 0 counts as 1.
    pub max_scrape: usize,
    /// Whether a scrape of no torrent is one of all.
    pub full_scrape: bool,
    /// Who is believed about addresses.
    pub client_ip: ClientIp,
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            interval: 30 * 60,
            min_interval: 15 * 60,
            long_interval: (30 + 45) * 60 / 2,
            default_numwant: 50,
            max_numwant: 200,
            max_scrape: 100,
            full_scrape: false,
            client_ip: ClientIp::Source,
        }
    }
}

/// What an answer says beside its peers.
struct Advice {
    interval: u32,
    min_interval: u32,
    warning: Option<&'static str>,
}

impl Rules {
    #[inline]
    fn advice(&self, outcome: Outcome, is_slowed: bool) -> Advice {
        match outcome {
            _ if is_slowed => self.slower(ASKS_TOO_OFTEN),
            Outcome::AddressFull => self.slower(ADDRESS_FULL),
            Outcome::SwarmFull => Advice { warning: Some(SWARM_FULL), ..self.usual() },
            Outcome::Done | Outcome::Unreachable => self.usual(),
        }
    }

    fn usual(&self) -> Advice {
        Advice { interval: self.interval, min_interval: self.min_interval, warning: None }
    }

    /// To come less often, and why.
    fn slower(&self, warning: &'static str) -> Advice {
        let min_interval = self.min_interval.max(self.interval);
        Advice { interval: self.long_interval.max(min_interval), min_interval, warning: Some(warning) }
    }
}

/// Serves a [`Tracker`] at `/announce` and `/scrape`, and leaves other paths to `next`.
#[derive(Debug)]
pub struct TrackerService<'t, N = NotFound> {
    tracker: &'t Tracker,
    rules: Rules,
    access: &'t Access,
    next: N,
}

impl<'t> TrackerService<'t> {
    /// Serves the tracker alone.
    pub fn new(tracker: &'t Tracker, rules: Rules, access: &'t Access) -> Self {
        TrackerService { tracker, rules, access, next: NotFound }
    }

    /// Serves `next` beside the tracker.
    pub fn beside<N: Service>(self, next: N) -> TrackerService<'t, N> {
        TrackerService { tracker: self.tracker, rules: self.rules, access: self.access, next }
    }
}

impl<N: Service> Service for TrackerService<'_, N> {
    #[inline]
    fn call(&self, request: &Request<'_>, client: IpAddr, context: &mut Context, reply: &mut Reply<'_>) {
        match request.path {
            b"/announce" => self.announce(request, client, context, reply),
            b"/scrape" => self.scrape(request, context, reply),
            _ => self.next.call(request, client, context, reply),
        }
    }

    fn stream(&self, request: &Request<'_>, client: IpAddr, body: &mut dyn io::Write) -> io::Result<()> {
        match request.path {
            b"/scrape" => self.scrape_all(body),
            _ => self.next.stream(request, client, body),
        }
    }
}

impl<N> TrackerService<'_, N> {
    fn announce(&self, request: &Request<'_>, client: IpAddr, context: &mut Context, reply: &mut Reply<'_>) {
        reply.route(Route::Announce);
        let query = match parse_announce(request.query.unwrap_or_default()) {
            Ok(query) => query,
            Err(error) => return fail(reply, &error.to_string(), Retry::Never),
        };
        if self.access.of(context).is_some_and(|list| !list.permits(&query.info_hash)) {
            let reason = "info_hash is not allowed: this tracker serves only chosen torrents";
            return fail(reply, reason, Retry::Never);
        }
        let query = if reply.is_unread() { AnnounceQuery { numwant: Some(0), ..query } } else { query };
        let done = self.carry_out(request, &query, client, reply.is_exempt(), context);
        let (ip, outcome) = match done {
            Ok(done) => done,
            Err(AnnounceError::TrackerFull) => {
                let reason = "info_hash is new, and this tracker is full: try another tracker, or later";
                return fail(reply, reason, Retry::Minutes(FULL_RETRY));
            }
        };
        if reply.is_slowed() {
            reply.slowed();
        }
        let advice = self.rules.advice(outcome, reply.is_slowed());
        let answer = &context.announce;
        let announced = Announced {
            complete: answer.counts.complete,
            downloaded: answer.counts.downloaded,
            incomplete: answer.counts.incomplete,
            interval: advice.interval,
            min_interval: advice.min_interval,
            external_ip: Some(ip),
            warning: advice.warning,
            peers: answer.compact4(),
            peers6: answer.compact6(),
        };
        reply.text(|out| {
            if query.compact {
                reply::announce_compact(out, &announced);
            } else {
                let ids = (!query.no_peer_id && self.tracker.config().keep_peer_ids)
                    .then(|| (answer.ids4(), answer.ids6()));
                reply::announce_dictionaries(out, &announced, ids);
            }
        });
    }

    /// Announces to the core, under one address or two. Returns the address that the client is known by.
    fn carry_out(
        &self,
        request: &Request<'_>,
        query: &AnnounceQuery<'_>,
        client: IpAddr,
        is_exempt: bool,
        context: &mut Context,
    ) -> Result<(IpAddr, Outcome), AnnounceError> {
        let (addr, other) = match self.rules.client_ip {
            ClientIp::Source => (PeerAddr::new(client, query.port), None),
            ClientIp::Query => addresses(query, client),
        };
        let numwant = query.numwant.unwrap_or(self.rules.default_numwant).min(self.rules.max_numwant);
        let mut announce = Announce {
            info_hash: query.info_hash,
            peer_id: query.peer_id,
            addr,
            left: query.left,
            event: query.event,
            numwant,
            want_ids: !query.compact && !query.no_peer_id,
            is_exempt,
        };
        if request.method == Method::Head {
            // registers nobody, and lets nobody leave
            announce.addr = PeerAddr::new(addr.ip(), 0);
            announce.event = Event::Regular;
        }
        let Context { now, rng, announce: answer, .. } = context;
        if let Some(other) = other.filter(|_| request.method != Method::Head) {
            // the completion is counted once, with the address that the client is known by
            let event = if query.event == Event::Completed { Event::Regular } else { query.event };
            let beside = Announce { addr: other, event, numwant: 0, ..announce };
            self.tracker.announce(&beside, *now, rng, answer)?;
        }
        let outcome = self.tracker.announce(&announce, *now, rng, answer)?;
        Ok((addr.ip(), outcome))
    }

    fn scrape(&self, request: &Request<'_>, context: &mut Context, reply: &mut Reply<'_>) {
        reply.route(Route::Scrape);
        if reply.is_unread() {
            return reply.text(|_| ());
        }
        let mut hashes = std::mem::take(&mut context.hashes);
        match parse_scrape(request.query.unwrap_or_default(), &mut hashes, self.rules.max_scrape.max(1)) {
            Err(error) => fail(reply, &error.to_string(), Retry::Never),
            Ok(()) if !hashes.is_empty() => {
                hashes.sort_unstable();
                let list = self.access.of(context);
                let again = if reply.is_slowed() {
                    reply.slowed();
                    self.rules.long_interval
                } else {
                    self.rules.min_interval
                };
                reply.text(|out| {
                    reply::scrape_start(out);
                    for info_hash in &hashes {
                        write_file(out, info_hash, self.counts(info_hash, list));
                    }
                    reply::scrape_end(out, again);
                });
            }
            Ok(()) if self.rules.full_scrape => reply.stream("text/plain"),
            Ok(()) => {
                let reason =
                    "info_hash is missing: this tracker is not scraped as a whole, ask for single torrents";
                fail(reply, reason, Retry::Never);
            }
        }
        context.hashes = hashes;
    }

    /// The counts of one torrent: zeros if it is not known, or not permitted.
    fn counts(&self, info_hash: &InfoHash, list: Option<&AccessList>) -> Counts {
        if list.is_some_and(|list| !list.permits(info_hash)) {
            return Counts::default();
        }
        self.tracker.scrape(info_hash).unwrap_or_default()
    }

    /// Writes the whole tracker. The keys have to be sorted, and there may be ten millions of them, so that as many as fit
    /// into some memory are looked for at a time, from the lowest up.
    fn scrape_all(&self, body: &mut dyn io::Write) -> io::Result<()> {
        let list = self.access.current();
        let totals = self.tracker.totals();
        let passes = ((totals.torrents + totals.remembered) / SCRAPE_SORTED + 1).min(1 << 16);
        let mut files = Vec::new();
        let mut text = Vec::new();
        reply::scrape_start(&mut text);
        for pass in 0..passes {
            files.clear();
            self.tracker.scrape_all(|info_hash, counts| {
                let first = u64::from(u16::from_be_bytes([info_hash.0[0], info_hash.0[1]]));
                if (first * passes) >> 16 == pass && list.permits(info_hash) {
                    files.push((*info_hash, counts));
                }
            });
            files.sort_unstable_by_key(|(info_hash, _)| *info_hash);
            files.dedup_by_key(|(info_hash, _)| *info_hash);
            for (info_hash, counts) in &files {
                write_file(&mut text, info_hash, *counts);
                body.write_all(&text)?;
                text.clear();
            }
        }
        reply::scrape_end(&mut text, self.rules.min_interval);
        body.write_all(&text)
    }
}

fn write_file(out: &mut Vec<u8>, info_hash: &InfoHash, counts: Counts) {
    let downloaders = counts.incomplete - counts.partial;
    reply::scrape_file(out, info_hash, counts.complete, counts.downloaded, downloaders, counts.incomplete);
}

/// Always with status 200: some clients show any other as an error of HTTP, and hide the reason.
#[cold]
fn fail(reply: &mut Reply<'_>, reason: &str, retry: Retry) {
    reply.failed();
    reply.text(|out| reply::failure(out, reason, retry));
}

/// What a client that is believed says: the address that takes the place of `client`, and one of the other family
/// beside it.
fn addresses(query: &AnnounceQuery<'_>, client: IpAddr) -> (PeerAddr, Option<PeerAddr>) {
    let said = [query.ip, query.ipv4, query.ipv6].map(|raw| {
        let (ip, port) = client_address(raw?)?;
        // whoever accepts no connections has no port at another address either
        let port = if query.port == 0 { 0 } else { port.unwrap_or(query.port) };
        Some(PeerAddr::new(ip, port))
    });
    let of_family = |is_v4: bool| said.iter().flatten().find(|addr| addr.ip().is_ipv4() == is_v4).copied();
    let own = of_family(client.is_ipv4()).unwrap_or(PeerAddr::new(client, query.port));
    (own, of_family(!client.is_ipv4()))
}
