//! The whole way of a request, but for the socket: bytes in, bytes out.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};

use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use tracker_core::{Announce, AnnounceReply, Config, Event, Outcome, PeerAddr, PeerId, Seconds, Tracker};
use tracker_http::parser::{Limits, Status, parse};
use tracker_http::query::parse_announce;
use tracker_http::{Access, Conversation, Rules, Settings, TrackerService};

use super::Rows;
use super::requests::{client, first_request};

const PEERS: u32 = 1000;
const PIPELINED: usize = 8;

pub(super) fn rows(rows: &mut impl Rows) {
    let announce = first_request(client!("transmission-4.0"));
    let tracker = filled(&announce);
    let access = Access::default();
    let service = TrackerService::new(&tracker, Rules::default(), &access);
    let settings = Settings::default();
    let connect = || Conversation::new(&service, IpAddr::from([192, 0, 2, 1]), &settings);
    let mut out = Vec::new();
    let mut row = |name: &str, pieces: &[&str], answers: usize| {
        let mut conversation = connect();
        let mut expected = 0;
        rows.row(name, |_| {
            out.clear();
            pieces.iter().for_each(|piece| conversation.feed(black_box(piece.as_bytes()), &mut out));
            expected += answers as u64;
            assert!(conversation.requests() == expected && black_box(&out).ends_with(b"e"));
        });
    };
    row("connection, an announce, 80 of 1000", &[&announce], 1);
    row("connection, 8 announces at once", &[&announce.repeat(PIPELINED)], PIPELINED);
    let (first, second) = announce.split_at(announce.len() / 2);
    row("connection, an announce in two pieces", &[first, second], 1);
    let scrape = announce.replacen("/announce", "/scrape", 1);
    row("connection, a scrape", &[&scrape], 1);
}

/// The torrent of `announce`, with its peers.
fn filled(announce: &str) -> Tracker {
    let Ok(Status::Complete(request)) = parse(announce.as_bytes(), &Limits::default()) else {
        panic!("this is a request: {announce}");
    };
    let query = parse_announce(request.query.unwrap_or_default()).expect("an announce");
    let tracker = Tracker::new(Config::default());
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut reply = AnnounceReply::new();
    for n in 0..PEERS {
        let announce = Announce {
            info_hash: query.info_hash,
            peer_id: PeerId([b'x'; 20]),
            addr: PeerAddr::V4(Ipv4Addr::from_bits(0x1400_0000 + n * 13_003), 6881),
            left: u64::from(n % 2),
            event: Event::Regular,
            numwant: 0,
            want_ids: false,
            is_exempt: false,
        };
        let outcome = tracker.announce(&announce, Seconds::new(0), &mut rng, &mut reply);
        assert_eq!(outcome, Ok(Outcome::Done));
    }
    tracker
}
