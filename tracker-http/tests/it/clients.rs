//! Golden transcripts: what real clients send, and what becomes of it.
//!
//! A file of `tests/clients` has a line about the client, and then exchanges: the request as it comes (LF stands for CRLF),
//! `---- STATUS open|closed`, what the tracker knows of the torrent afterwards (`torrent HASH`, each `peer ADDRESS STATE ID` that is
//! stored, `counts COMPLETE INCOMPLETE DOWNLOADED` where the answer is a scrape), and `====`. A new quirk is a new file.

use std::fs;
use std::path::Path;

use tracker_core::{InfoHash, PeerState};

use crate::client::Client;
use crate::site::{Site, run};

struct Exchange {
    request: Vec<u8>,
    status: u16,
    closes: bool,
    expected: Vec<String>,
}

fn exchanges(text: &str) -> Vec<Exchange> {
    let (_, text) = text.split_once('\n').unwrap();
    let parse = |block: &str| {
        let (request, rest) = block.split_once("\n---- ").unwrap();
        let mut lines = rest.lines();
        let (status, fate) = lines.next().unwrap().split_once(' ').unwrap();
        assert!(["open", "closed"].contains(&fate), "{fate}");
        Exchange {
            request: format!("{request}\n").replace('\n', "\r\n").into_bytes(),
            status: status.parse().unwrap(),
            closes: fate == "closed",
            expected: lines.map(str::to_owned).collect(),
        }
    };
    text.split("====\n").filter(|block| !block.is_empty()).map(parse).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Plays one exchange. The connection is gone on with where it stays open.
fn play(site: &Site<'_>, connection: &mut Option<Client>, exchange: &Exchange) {
    let shown = exchange.request.escape_ascii().to_string();
    let mut client = connection.take().unwrap_or_else(|| site.connect());
    client.send(&exchange.request);
    let is_head = exchange.request.starts_with(b"HEAD");
    let answer = if is_head { client.answer_to_head() } else { client.answer() };
    assert_eq!((answer.status, answer.closes()), (exchange.status, exchange.closes), "{shown}");
    if exchange.closes {
        client.is_closed();
    } else {
        *connection = Some(client);
    }
    let torrent = exchange.expected[0].strip_prefix("torrent ").unwrap();
    let info_hash: InfoHash = torrent.parse().unwrap();
    let mut found = vec![format!("torrent {torrent}")];
    if exchange.request.starts_with(b"GET /scrape") {
        let (complete, incomplete, downloaded) = answer.bencode().file(&info_hash.0).counts();
        found.push(format!("counts {complete} {incomplete} {downloaded}"));
    } else if answer.status == 200 && !is_head {
        // every other answer is one to an announce, and has peers or says what is wrong
        let reply = answer.bencode();
        assert!(reply.get("peers").is_some() != reply.get("failure reason").is_some(), "{shown}");
    }
    for (addr, state, id) in site.stored(info_hash.0) {
        let state = match state {
            PeerState::Seeder => "seeder",
            PeerState::PartialSeed => "partial",
            PeerState::Leecher => "leecher",
        };
        found.push(format!("peer {addr} {state} {}", hex(&id)));
    }
    assert_eq!(found, exchange.expected, "{shown}");
}

#[test]
fn every_transcript_is_answered_as_it_says() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let mut files = 0;
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# ") && text.ends_with("====\n"), "{}", path.display());
        let exchanges = exchanges(&text);
        assert!(!exchanges.is_empty());
        run(|site| {
            let mut connection = None;
            exchanges.iter().for_each(|exchange| play(site, &mut connection, exchange));
        });
        // and in parts, as a slow line brings them
        run(|site| {
            for exchange in &exchanges {
                let mut client = site.connect();
                exchange.request.chunks(7).for_each(|part| drop(client.try_send(part)));
                let is_head = exchange.request.starts_with(b"HEAD");
                let answer = if is_head { client.answer_to_head() } else { client.answer() };
                assert_eq!(answer.status, exchange.status);
            }
        });
        files += 1;
    }
    assert!(files >= 20, "{files} transcripts");
}

#[test]
fn clients_of_all_makers_find_each_other() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    run(|site| {
        let mut ports = std::collections::BTreeSet::new();
        for entry in fs::read_dir(dir).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            // the first that registers somebody, of each
            let first = exchanges(&text)
                .into_iter()
                .find(|exchange| exchange.expected.iter().any(|line| line.starts_with("peer")));
            let Some(exchange) = first else { continue };
            site.connect().ask(&exchange.request);
            let peer = exchange.expected.iter().find(|line| line.starts_with("peer")).unwrap();
            let addr: std::net::SocketAddr = peer.split(' ').nth(1).unwrap().parse().unwrap();
            ports.insert(addr.port());
        }
        let mut asker = site.connect();
        let hash = "%b2%1f%fb%be%87y%83%b8G%c7%88X%c30X%7f%9d%1d%d9V";
        let asked = asker.tell(crate::site::announce(0, 3).with("info_hash", hash).numwant(200).request());
        assert_eq!(asked.ports(), ports.into_iter().collect::<Vec<_>>());
    });
}
