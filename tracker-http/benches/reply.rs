//! How long writing an answer takes: `cargo bench -p tracker-http --bench reply`.

use divan::{Bencher, black_box};
use tracker_core::{InfoHash, PeerId};
use tracker_http::head::{Connection, begin_ok, finish};
use tracker_http::reply::{
    Announced, announce_compact, announce_dictionaries, scrape_end, scrape_file, scrape_start,
};

fn main() {
    divan::main();
}

fn announced(peers: &[u8]) -> Announced<'_> {
    Announced {
        complete: 123,
        downloaded: 4567,
        incomplete: 89,
        interval: 1800,
        min_interval: 900,
        external_ip: Some([192, 0, 2, 1].into()),
        warning: None,
        peers,
        peers6: b"",
    }
}

/// The whole answer, head and all, into a buffer that is there.
#[divan::bench(args = [0, 50, 200])]
fn compact(bencher: Bencher<'_, '_>, peers: usize) {
    let peers = vec![7; peers * 6];
    let mut out = Vec::with_capacity(1 << 16);
    bencher.bench_local(|| {
        out.clear();
        let patch = begin_ok(&mut out, Connection::Implicit);
        announce_compact(&mut out, black_box(&announced(&peers)));
        finish(&mut out, patch);
        black_box(out.last().copied())
    });
}

#[divan::bench(args = [50, 200])]
fn dictionaries(bencher: Bencher<'_, '_>, peers: usize) {
    let ids = vec![PeerId([b'x'; 20]); peers];
    let peers = vec![7; peers * 6];
    let mut out = Vec::with_capacity(1 << 16);
    bencher.bench_local(|| {
        out.clear();
        let patch = begin_ok(&mut out, Connection::Implicit);
        announce_dictionaries(&mut out, black_box(&announced(&peers)), Some((&ids, &[])));
        finish(&mut out, patch);
        black_box(out.last().copied())
    });
}

#[divan::bench]
fn scrape_of_one(bencher: Bencher<'_, '_>) {
    let mut out = Vec::with_capacity(1 << 16);
    bencher.bench_local(|| {
        out.clear();
        let patch = begin_ok(&mut out, Connection::Implicit);
        scrape_start(&mut out);
        scrape_file(&mut out, black_box(&InfoHash([7; 20])), 123, 4567, 80, 89);
        scrape_end(&mut out, 900);
        finish(&mut out, patch);
        black_box(out.last().copied())
    });
}
