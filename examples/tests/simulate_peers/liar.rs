//! A tracker that is right in everything but one thing.

use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tracker_core::{Announce, Event, InfoHash, PeerAddr, Tracker};
use tracker_http::parser::Request;
use tracker_http::query::{AnnounceQuery, parse_announce};
use tracker_http::reply::{self, Announced, Retry};
use tracker_http::{Context, Reply, Service, TrackerService};

/// What it lies about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Lie {
    Nothing,
    /// The asker is among the peers.
    HandsOutTheAsker,
    /// The silent are never forgotten.
    KeepsTheDead,
    /// `stopped` is not heeded.
    KeepsThoseWhoLeft,
    CountsOneSeederMore,
    CountsOneLeecherLess,
    ScrapesOneMore,
    CountsNoCompletion,
    CountsCompletionsTwice,
    /// The lowest addresses first.
    FavoursSome,
    /// One address is in nearly every answer.
    FavoursOne,
    SeedersToSeeders,
    PartialSeedsToAll,
    MixesTorrents,
    HandsOutStrangers,
    Duplicates,
    GivesTooMany,
    GivesNobody,
    AnswersStoppedWithPeers,
    ChangesTheInterval,
    ConfusesAddresses,
    ConfusesIds,
    Refuses,
    IsSlow,
    Closes,
    SaysGarbage,
    SaysStatus500,
}

#[derive(Debug)]
pub(crate) struct Liar<'t> {
    pub(crate) lie: Lie,
    pub(crate) tracker: &'t Tracker,
    pub(crate) honest: TrackerService<'t>,
    pub(crate) max_numwant: u32,
    requests: AtomicU32,
    /// Who was last handed out, and of which torrent; who was first.
    seen: Mutex<(InfoHash, Vec<SocketAddr>, Option<SocketAddr>)>,
    completions: Mutex<std::collections::HashMap<InfoHash, u32>>,
}

impl<'t> Liar<'t> {
    pub(crate) fn new(lie: Lie, tracker: &'t Tracker, honest: TrackerService<'t>, max_numwant: u32) -> Self {
        let (requests, seen, completions) = Default::default();
        Liar { lie, tracker, honest, max_numwant, requests, seen, completions }
    }

    /// The core's answer to what is said, or to something else.
    fn ask(&self, announce: &Announce, context: &mut Context) -> Vec<SocketAddr> {
        let Context { now, rng, announce: answer, .. } = context;
        self.tracker.announce(announce, *now, rng, answer).unwrap();
        answer.peers().map(|peer| SocketAddr::new(peer.ip(), peer.port())).collect()
    }

    fn announce(
        &self,
        query: &AnnounceQuery<'_>,
        client: IpAddr,
        context: &mut Context,
        reply: &mut Reply<'_>,
    ) {
        let addr = SocketAddr::new(client, query.port);
        let numwant = query.numwant.unwrap_or(self.max_numwant).min(self.max_numwant);
        let mut announce = Announce {
            info_hash: query.info_hash,
            peer_id: query.peer_id,
            addr: PeerAddr::new(client, query.port),
            left: query.left,
            event: query.event,
            numwant,
            want_ids: false,
            is_exempt: false,
        };
        match (self.lie, query.event) {
            (Lie::KeepsThoseWhoLeft, Event::Stopped) | (Lie::CountsNoCompletion, Event::Completed) => {
                announce.event = Event::Regular;
            }
            (Lie::PartialSeedsToAll, Event::Paused) => announce.event = Event::Regular,
            _ => {}
        }
        let mut peers = self.ask(&announce, context);
        let mut counts = context.announce.counts;
        let mut interval = 1;
        let mut external_ip = client;
        let n = self.requests.fetch_add(1, Relaxed);
        // an asker that is not stored is told of everybody
        let everybody = Announce {
            addr: PeerAddr::new(client, 0),
            left: 1,
            event: Event::Regular,
            numwant: 10_000,
            ..announce
        };
        let is_downloader = query.left > 0 && !matches!(query.event, Event::Paused | Event::Stopped);
        match self.lie {
            Lie::HandsOutTheAsker if n.is_multiple_of(20) && query.port != 0 => {
                if let Some(last) = peers.last_mut() {
                    *last = addr;
                }
            }
            Lie::CountsOneSeederMore => counts.complete += 1,
            Lie::CountsOneLeecherLess => counts.incomplete = counts.incomplete.saturating_sub(1),
            Lie::CountsCompletionsTwice => {
                let mut completions = self.completions.lock().unwrap();
                let count = completions.entry(query.info_hash).or_default();
                *count += u32::from(query.event == Event::Completed && query.left == 0 && query.port != 0);
                counts.downloaded = *count;
            }
            Lie::FavoursSome if is_downloader && !peers.is_empty() => {
                peers = self.ask(&everybody, context);
                peers.sort();
                peers.retain(|&peer| peer != addr);
                peers.truncate(numwant as usize);
            }
            Lie::FavoursOne if is_downloader && peers.len() > 1 => {
                let favourite = *self.seen.lock().unwrap().2.get_or_insert(peers[0]);
                let is_there = self.ask(&everybody, context).contains(&favourite);
                if is_there && favourite != addr && !peers.contains(&favourite) {
                    peers[0] = favourite;
                }
            }
            Lie::SeedersToSeeders if query.left == 0 && query.event != Event::Stopped => {
                peers = self.ask(&Announce { numwant: numwant + 1, ..everybody }, context);
                peers.retain(|&peer| peer != addr);
                peers.truncate(numwant as usize);
            }
            Lie::MixesTorrents => {
                let mut seen = self.seen.lock().unwrap();
                if seen.0 != query.info_hash && !peers.is_empty() && !seen.1.is_empty() {
                    let other = seen.1[0];
                    if other != addr && !peers.contains(&other) {
                        peers[0] = other;
                    }
                } else if !peers.is_empty() {
                    (seen.0, seen.1) = (query.info_hash, peers.clone());
                }
            }
            Lie::HandsOutStrangers if !peers.is_empty() => peers[0] = ([192, 0, 2, 7], 6881).into(),
            Lie::Duplicates if peers.len() > 1 => peers[0] = peers[1],
            Lie::GivesTooMany if is_downloader => {
                peers = self.ask(&Announce { numwant: self.max_numwant + 1, ..everybody }, context);
                peers.retain(|&peer| peer != addr);
            }
            Lie::GivesNobody => peers.clear(),
            Lie::AnswersStoppedWithPeers if query.event == Event::Stopped => {
                peers = self.ask(&everybody, context);
                peers.truncate(5);
            }
            Lie::ChangesTheInterval if n % 50 == 49 => interval = 2,
            Lie::ConfusesAddresses => external_ip = [127, 0, 0, 1].into(),
            _ => {}
        }
        let mut v4 = Vec::new();
        for peer in &peers {
            if let IpAddr::V4(ip) = peer.ip() {
                v4.extend(ip.octets());
                v4.extend(peer.port().to_be_bytes());
            }
        }
        let announced = Announced {
            complete: counts.complete,
            downloaded: counts.downloaded,
            incomplete: counts.incomplete,
            interval,
            min_interval: 1,
            external_ip: Some(external_ip),
            warning: None,
            peers: &v4,
            peers6: &[],
        };
        let ids = vec![query.peer_id; peers.len()]; // of the asker
        let ids = (self.lie == Lie::ConfusesIds).then_some((ids.as_slice(), &[][..]));
        reply.text(|out| {
            if query.compact {
                reply::announce_compact(out, &announced);
            } else {
                reply::announce_dictionaries(out, &announced, ids);
            }
        });
    }

    fn scrape(&self, request: &Request<'_>, context: &mut Context, reply: &mut Reply<'_>) {
        let query = request.query.unwrap_or_default();
        let mut hashes = Vec::new();
        tracker_http::query::parse_scrape(query, &mut hashes, 100).unwrap();
        hashes.sort_unstable();
        let _ = context;
        reply.text(|out| {
            reply::scrape_start(out);
            for info_hash in &hashes {
                let counts = self.tracker.scrape(info_hash).unwrap_or_default();
                let peers = counts.complete + counts.incomplete;
                let more = u32::from(self.lie == Lie::ScrapesOneMore && peers > 0);
                let downloaded = match self.lie {
                    Lie::CountsCompletionsTwice => {
                        self.completions.lock().unwrap().get(info_hash).copied().unwrap_or(0)
                    }
                    _ => counts.downloaded,
                };
                let downloaders = counts.incomplete - counts.partial;
                reply::scrape_file(
                    out,
                    info_hash,
                    counts.complete + more,
                    downloaded,
                    downloaders,
                    counts.incomplete,
                );
            }
            reply::scrape_end(out, 1);
        });
    }
}

impl Service for Liar<'_> {
    fn call(&self, request: &Request<'_>, client: IpAddr, context: &mut Context, reply: &mut Reply<'_>) {
        if self.lie == Lie::Nothing {
            return self.honest.call(request, client, context, reply);
        }
        if request.path == b"/scrape" {
            return self.scrape(request, context, reply);
        }
        let query = parse_announce(request.query.unwrap_or_default()).unwrap();
        if self.requests.load(Relaxed) % 40 == 39 {
            self.requests.fetch_add(1, Relaxed);
            match self.lie {
                Lie::Refuses => return reply.text(|out| reply::failure(out, "go away", Retry::Minutes(1))),
                Lie::IsSlow => std::thread::sleep(Duration::from_millis(1500)),
                // the connection is dropped, and without the message of a panic
                Lie::Closes => std::panic::resume_unwind(Box::new("closed")),
                Lie::SaysGarbage => return reply.send(200, "text/plain", &[], b"<html>busy</html>"),
                Lie::SaysStatus500 => return reply.send(500, "text/plain", &[], b"oops"),
                _ => {}
            }
        }
        self.announce(&query, client, context, reply);
    }
}
