//! The requests, written as qBittorrent writes them.

use std::error::Error;
use std::io::Write;
use std::ops::Range;

use examples::tracker_url::{ESCAPED, push};
use percent_encoding::percent_encode;
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::crowd::{Crowd, Peer};
use crate::options::{Mode, Options, Target};
use crate::ring::Ring;

/// Different requests that are measured; then the first one comes again.
pub(crate) const MEASURED: u64 = 1 << 16;

/// Writes requests.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    announce: String,
    /// Empty unless there is to be scraped.
    scrape: String,
    /// What stands behind the target.
    end: String,
    numwant: u32,
    seed: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Event {
    Regular,
    Started,
    Completed,
    Stopped,
}

impl Writer {
    pub(crate) fn new(options: &Options, target: &Target) -> Result<Writer, Box<dyn Error>> {
        let connection = if options.mode == Mode::OneShot { "close" } else { "keep-alive" };
        let host = target.url.host_header();
        let encoding = if options.plain { "" } else { "Accept-Encoding: gzip\r\n" };
        Ok(Writer {
            announce: target.url.announce_target(),
            scrape: if options.scrape { target.url.scrape_target()? } else { String::new() },
            end: format!(
                " HTTP/1.1\r\nHost: {host}\r\nUser-Agent: qBittorrent/4.6.5\r\n{encoding}\
                 Connection: {connection}\r\n\r\n"
            ),
            numwant: options.numwant,
            seed: options.seed,
        })
    }

    /// Each of these peers starts, by their source address.
    pub(crate) fn starts(&self, crowd: &Crowd, peers: Range<u64>) -> Vec<Ring> {
        let mut rings = vec![Ring::default(); crowd.sources];
        for number in peers {
            let peer = crowd.peer(number);
            rings[crowd.source(number)].push(|out| self.announce(out, crowd, &peer, Event::Started));
        }
        rings
    }

    /// What `count` peers say who are drawn at random, by their source address.
    pub(crate) fn mixture(&self, crowd: &Crowd, count: u64) -> Vec<Ring> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(self.seed);
        let mut rings = vec![Ring::default(); crowd.sources];
        let sources = crowd.sources as u64;
        for turn in 0..count.max(sources) {
            // every source gets the same number
            let source = turn % sources;
            let peers_of_source = (crowd.peers - source).div_ceil(sources);
            let peer = crowd.peer(source + sources * (rng.next_u64() % peers_of_source));
            let event = match rng.next_u32() % 100 {
                0..85 => Event::Regular,
                85..95 => Event::Started,
                95 => Event::Completed,
                _ => Event::Stopped,
            };
            rings[source as usize].push(|out| {
                if self.scrape.is_empty() {
                    self.announce(out, crowd, &peer, event);
                } else {
                    self.scrape(out, crowd, peer.torrent);
                }
            });
        }
        rings
    }

    fn announce(&self, out: &mut Vec<u8>, crowd: &Crowd, peer: &Peer, event: Event) {
        let left = if event == Event::Completed { 0 } else { peer.left };
        let numwant = if event == Event::Stopped { 0 } else { self.numwant };
        let event = match event {
            Event::Regular => "",
            Event::Started => "&event=started",
            Event::Completed => "&event=completed",
            Event::Stopped => "&event=stopped",
        };
        // writing to a Vec cannot fail
        let _ = write!(
            out,
            "GET {}info_hash={}&peer_id={}&port={}&uploaded=0&downloaded=0&left={left}&corrupt=0&key={:08X}{event}\
             &numwant={numwant}&compact=1&no_peer_id=1&supportcrypto=1&redundant=0{}",
            self.announce,
            percent_encode(&crowd.info_hash(peer.torrent).0, ESCAPED),
            percent_encode(&peer.id.0, ESCAPED),
            peer.port,
            peer.key,
            self.end,
        );
    }

    fn scrape(&self, out: &mut Vec<u8>, crowd: &Crowd, torrent: u64) {
        let mut target = self.scrape.clone();
        push(&mut target, "info_hash", crowd.info_hash(torrent).0);
        let _ = write!(out, "GET {}{}", target.trim_end_matches('&'), self.end);
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use tracker_http::parser::{Limits, Status, parse};
    use tracker_http::query::parse_announce;

    use super::*;

    fn writer(more: &[&str]) -> (Writer, Crowd) {
        let typed = ["load", "http://127.0.0.1:1/x/announce?k=v", "--torrents=50", "--peers=100000"];
        let options = Options::parse_from(typed.iter().chain(more));
        let target = options.target().unwrap().unwrap();
        (Writer::new(&options, &target).unwrap(), options.crowd().unwrap())
    }

    #[test]
    fn every_peer_starts_once() {
        let (writer, crowd) = writer(&[]);
        let rings = writer.starts(&crowd, 10..5_010);
        assert_eq!(rings.len(), 2);
        let mut count = 0;
        for bytes in rings.iter().flat_map(Ring::requests) {
            let Ok(Status::Complete(request)) = parse(bytes, &Limits::default()) else { panic!() };
            assert_eq!(
                (request.head_len, request.path, request.keep_alive),
                (bytes.len(), &b"/x/announce"[..], true)
            );
            let query = parse_announce(request.query.unwrap()).unwrap();
            assert_eq!((query.event, query.numwant), (tracker_core::Event::Started, Some(50)));
            count += 1;
        }
        assert_eq!(count, 5_000);
    }

    #[test]
    fn the_mixture_is_that_of_the_seed() {
        let (writer_1, crowd) = writer(&["--seed=1"]);
        let bytes =
            |writer: &Writer| writer.mixture(&crowd, 4_000)[0].requests().collect::<Vec<_>>().concat();
        assert_eq!(bytes(&writer_1), bytes(&writer(&["--seed=1"]).0));
        assert_ne!(bytes(&writer_1), bytes(&writer(&["--seed=2"]).0));
        let text = String::from_utf8(bytes(&writer_1)).unwrap();
        let stopped = text.matches("event=stopped").count();
        assert!((40..=120).contains(&stopped), "{stopped} of 2000");
        let (scrapes, _) = writer(&["--scrape", "--mode=one-shot"]);
        let text = String::from_utf8(bytes(&scrapes)).unwrap();
        assert!(text.contains("GET /x/scrape?k=v&info_hash=%"));
        assert_eq!(text.matches("Connection: close\r\n\r\n").count(), 2_000);
    }
}
