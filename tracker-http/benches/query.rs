//! How long the query of an announce takes: `cargo bench -p tracker-http --bench query`.
//!
//! Each turn goes through 1024 of them, so that no branch is learnt by heart: microseconds are nearly nanoseconds each.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use tracker_http::parser::{Limits, Status, parse};
use tracker_http::query::{parse_announce, parse_scrape};

#[path = "requests/mod.rs"]
mod requests;

fn main() {
    divan::main();
}

fn queries() -> Vec<Vec<u8>> {
    let query = |request: &Vec<u8>| match parse(request, &Limits::default()) {
        Ok(Status::Complete(request)) => request.query.unwrap_or_default().to_vec(),
        other => panic!("{other:?}"),
    };
    requests::announces().iter().map(query).collect()
}

#[divan::bench]
fn announce(bencher: Bencher<'_, '_>) {
    let queries = queries();
    bencher.counter(ItemsCount::new(queries.len())).bench(|| {
        for query in &queries {
            let _ = black_box(parse_announce(black_box(query)));
        }
    });
}

#[divan::bench]
fn scrape_of_one(bencher: Bencher<'_, '_>) {
    let queries: Vec<_> =
        queries().into_iter().map(|query| query.split(|&b| b == b'&').next().map(<[u8]>::to_vec)).collect();
    let mut hashes = Vec::new();
    bencher.counter(ItemsCount::new(queries.len())).bench_local(|| {
        for query in queries.iter().flatten() {
            let _ = black_box(parse_scrape(black_box(query), &mut hashes, 100));
        }
    });
}
