//! How long the head of a request takes: `cargo bench -p tracker-http --bench parser`.
//!
//! Each turn goes through 1024 requests, so that no branch is learnt by heart: microseconds are nearly nanoseconds each.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use tracker_http::parser::{Limits, parse};

#[path = "requests/mod.rs"]
mod requests;

fn main() {
    divan::main();
}

#[divan::bench]
fn announce_head(bencher: Bencher<'_, '_>) {
    let (requests, limits) = (requests::announces(), Limits::default());
    bencher.counter(ItemsCount::new(requests.len())).bench(|| {
        for request in &requests {
            let _ = black_box(parse(black_box(request), &limits));
        }
    });
}

/// The headers of a browser: more of them, and longer.
#[divan::bench]
fn browser_head(bencher: Bencher<'_, '_>) {
    let request = b"GET /stats HTTP/1.1\r\nHost: tracker.example:6969\r\n\
        User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
        Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
        Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate\r\nDNT: 1\r\nConnection: keep-alive\r\n\
        Upgrade-Insecure-Requests: 1\r\nPriority: u=0, i\r\n\r\n";
    let limits = Limits::default();
    bencher.counter(ItemsCount::new(requests::COUNT)).bench(|| {
        for _ in 0..requests::COUNT {
            let _ = black_box(parse(black_box(request), &limits));
        }
    });
}
