//! Answers written, head and all.

use std::hint::black_box;

use tracker_core::{InfoHash, PeerId};
use tracker_http::head::{Connection, begin_ok, finish};
use tracker_http::reply::{
    Announced, announce_compact, announce_dictionaries, scrape_end, scrape_file, scrape_start,
};

use super::Rows;

pub(super) fn rows(rows: &mut impl Rows) {
    for peers in [0, 50, 200] {
        let bytes = vec![7; peers * 6];
        answer(rows, &format!("answer with {peers} peers"), |out| {
            announce_compact(out, black_box(&announced(&bytes, b"")));
        });
    }
    let (peers, peers6) = (vec![7; 25 * 6], vec![7; 25 * 18]);
    answer(rows, "answer with 25 peers and 25 of IPv6", |out| {
        announce_compact(out, black_box(&announced(&peers, &peers6)));
    });
    for peers in [50, 200] {
        let (bytes, ids) = (vec![7; peers * 6], vec![PeerId([b'x'; 20]); peers]);
        answer(rows, &format!("answer with {peers} dictionaries"), |out| {
            announce_dictionaries(out, black_box(&announced(&bytes, b"")), Some((&ids, &[])));
        });
    }
    for torrents in [1, 50] {
        answer(rows, &format!("answer to a scrape of {torrents}"), |out| {
            scrape_start(out);
            for n in 0..torrents {
                scrape_file(out, black_box(&InfoHash([n; 20])), 123, 4567, 80, 89);
            }
            scrape_end(out, 900);
        });
    }
}

fn answer(rows: &mut impl Rows, name: &str, mut write: impl FnMut(&mut Vec<u8>)) {
    let mut out = Vec::new();
    rows.row(name, |_| {
        out.clear();
        let patch = begin_ok(&mut out, Connection::Implicit);
        write(&mut out);
        let body = finish(&mut out, patch);
        assert!(black_box(&out).len() > body);
    });
}

fn announced<'a>(peers: &'a [u8], peers6: &'a [u8]) -> Announced<'a> {
    Announced {
        complete: 123,
        downloaded: 4567,
        incomplete: 89,
        interval: 1800,
        min_interval: 900,
        external_ip: Some([192, 0, 2, 1].into()),
        warning: None,
        peers,
        peers6,
    }
}
