//! Heads of requests parsed, and queries decoded: those of the golden transcripts, and a browser's.

use std::fmt::Write;
use std::hint::black_box;

use tracker_core::InfoHash;
use tracker_http::parser::{Limits, Request, Status, parse};
use tracker_http::query::{parse_announce, parse_scrape};

use super::Rows;

macro_rules! client {
    ($file:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tracker-http/tests/clients/",
            $file,
            ".http"
        ))
    };
}

pub(super) use client;

/// Clients that differ in what they escape and what they send with it.
const CLIENTS: &[(&str, &str)] = &[
    ("uTorrent 3.5", client!("utorrent-3.5")),
    ("libtorrent 2.0", client!("libtorrent-2.0.8")),
    ("aria2 1.36", client!("aria2-1.36")),
    ("Transmission 4.0", client!("transmission-4.0")),
    ("BiglyBT 3.5", client!("biglybt-3.5")),
    ("WebTorrent 9.19", client!("webtorrent-9.19")),
    ("a client that escapes every byte", client!("every-byte-escaped")),
    ("a client that escapes too little", client!("raw-punctuation")),
];

const BROWSER: &str = "GET /stats HTTP/1.1\r\nHost: tracker.example:6969\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate\r\nDNT: 1\r\nConnection: keep-alive\r\n\
    Upgrade-Insecure-Requests: 1\r\nPriority: u=0, i\r\n\r\n";

pub(super) fn rows(rows: &mut impl Rows) {
    let requests: Vec<_> =
        CLIENTS.iter().map(|(name, transcript)| (*name, first_request(transcript))).collect();
    for (name, request) in &requests {
        head(rows, name, request);
    }
    head(rows, "a browser", BROWSER);
    for (name, request) in &requests {
        let query = parsed(request.as_bytes()).query.unwrap_or_default();
        rows.row(&format!("announce query of {name}"), |_| {
            let query = black_box(parse_announce(black_box(query))).expect("an announce");
            assert!(query.port > 0);
        });
    }
    for count in [1, 50] {
        let query = scrape_of(count);
        let mut hashes = Vec::new();
        rows.row(&format!("scrape query of {count}"), |_| {
            let is_good = parse_scrape(black_box(query.as_bytes()), &mut hashes, 100).is_ok();
            assert!(is_good && black_box(&hashes).len() == count);
        });
    }
}

fn head(rows: &mut impl Rows, name: &str, request: &str) {
    rows.row(&format!("request head of {name}"), |_| {
        black_box(parsed(black_box(request.as_bytes())));
    });
}

#[inline(always)]
fn parsed(request: &[u8]) -> Request<'_> {
    match parse(request, &Limits::default()) {
        Ok(Status::Complete(request)) => request,
        other => panic!("this is a request: {other:?}"),
    }
}

/// Behind a line about the client, up to the first empty line; LF stands for CRLF.
pub(super) fn first_request(transcript: &str) -> String {
    let (_, text) = transcript.split_once('\n').expect("a line about the client");
    let (request, _) = text.split_once("\n\n").expect("a request with an empty line behind it");
    format!("{request}\n\n").replace('\n', "\r\n")
}

/// Hashes that are half escaped, as those of most torrents are.
fn scrape_of(count: usize) -> String {
    let mut query = String::new();
    for n in 0..count {
        let hash = InfoHash(std::array::from_fn(|at| ((n * 20 + at) * 97) as u8));
        query += if n == 0 { "info_hash=" } else { "&info_hash=" };
        for byte in hash.0 {
            if byte.is_ascii_alphanumeric() {
                query.push(byte as char);
            } else {
                let _ = write!(query, "%{byte:02x}");
            }
        }
    }
    query
}
