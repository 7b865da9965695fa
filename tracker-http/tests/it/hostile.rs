//! Input by chance and by malice: it costs at most its own connection.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use tracker_http::{Happening, Rules};

use crate::client::Client;
use crate::services::Pages;
use crate::site::{Setup, Site, announce, get, scrape};

const SEED: [u8; 32] = *b"a seed, printed where one fails.";

/// Holds `check` against many values, always the same ones.
fn hold<S: Strategy>(cases: u32, strategy: &S, check: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    println!("seed {SEED:?}");
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &SEED));
    runner.run(strategy, check).unwrap();
}

fn run(test: impl FnOnce(&Site<'_>)) {
    let rules = Rules { full_scrape: true, ..Rules::default() };
    let mut setup = Setup { rules, ..Setup::default() };
    // nothing here is to wait for it
    setup.settings.request_timeout = Duration::from_secs(60);
    setup.run_beside(Pages, test);
}

/// Sends, closes the sending side, and reads to the end, which must come. Returns what came back.
fn feed(site: &Site<'_>, parts: &[&[u8]]) -> Vec<u8> {
    let mut client = site.connect();
    for part in parts {
        // the server may have closed on an earlier part
        if client.try_send(part).is_err() {
            break;
        }
    }
    let _ = client.stream.shutdown(std::net::Shutdown::Write);
    let mut all = Vec::new();
    match client.stream.read_to_end(&mut all) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
    }
    all
}

/// What comes back is answers and nothing else, and nothing is left of the connection.
fn is_harmless(site: &Site<'_>, back: &[u8]) -> Result<(), TestCaseError> {
    prop_assert!(back.is_empty() || back.starts_with(b"HTTP/1.1 "), "{}", back.escape_ascii());
    site.wait_for("the connection is gone", || site.open() == 0);
    prop_assert_eq!(site.happened(Happening::Panicked), 0);
    site.serves();
    site.wait_for("the good connection is gone", || site.open() == 0);
    Ok(())
}

fn good_requests() -> Vec<String> {
    vec![
        announce(1, 1).request(),
        announce(1, 2).with("compact", 0).event("stopped").request_with("User-Agent: x\r\nConnection: keep-alive\r\n"),
        get(&scrape(&[1, 2, 3])),
        get("/scrape"),
        get("/big/3000"),
        get("/long/3000"),
        "POST /announce HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello".to_owned(),
        "PUT /x HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nT: x\r\n\r\n".to_owned(),
        "HEAD http://t/scrape?x HTTP/1.0\nConnection: keep-alive\n\n".to_owned(),
        "GET /announce ?info_hash=x HTTP/1.1\r\nHost: t\r\n\r\n".to_owned(),
    ]
}

#[test]
fn random_bytes() {
    run(|site| {
        hold(150, &proptest::collection::vec(any::<u8>(), 0..3000), |bytes| {
            let back = feed(site, &[&bytes]);
            is_harmless(site, &back)
        });
    });
}

#[test]
fn random_words_of_http() {
    const WORDS: [&str; 40] = [
        "GET ",
        "HEAD ",
        "POST ",
        "BREW ",
        "/announce",
        "/scrape",
        "/big/9",
        "/long/9",
        "/announce ?",
        "?info_hash=",
        "aaaaaaaaaaaaaaaaaaaa",
        "&peer_id=",
        "&port=1",
        "&left=0",
        "%",
        "%00",
        "%zz",
        "&",
        "=",
        " ",
        " HTTP/1.1",
        " HTTP/1.0",
        " HTTP/2.0",
        "\r\n",
        "\r\n\r\n",
        "\n",
        "\r",
        "Host: t\r\n",
        "Content-Length: ",
        "5",
        "Transfer-Encoding: chunked\r\n",
        "0\r\n\r\n",
        "Connection: close\r\n",
        "Expect: 100-continue\r\n",
        ":",
        "\0",
        "\u{e9}",
        "GET / HTTP/1.1\r\nHost: t\r\n",
        "Connection: keep-alive\r\n",
        "ffffffffffffffff\r\n",
    ];
    run(|site| {
        hold(250, &proptest::collection::vec(0..WORDS.len(), 0..30), |words| {
            let bytes: String = words.into_iter().map(|at| WORDS[at]).collect();
            let back = feed(site, &[bytes.as_bytes()]);
            is_harmless(site, &back)
        });
    });
}

#[test]
fn mutated_requests() {
    let mutation = (any::<prop::sample::Index>(), any::<u8>(), 0..4_u8);
    let strategy = (proptest::collection::vec(0..10_usize, 1..4), proptest::collection::vec(mutation, 1..6));
    run(|site| {
        let good = good_requests();
        hold(250, &strategy, |(picked, mutations)| {
            let mut bytes: Vec<u8> = picked.iter().flat_map(|&at| good[at].bytes()).collect();
            for (at, byte, kind) in mutations {
                let at = at.index(bytes.len());
                match kind {
                    0 => bytes[at] = byte,
                    1 => bytes.insert(at, byte),
                    2 if bytes.len() > 1 => drop(bytes.remove(at)),
                    _ => bytes.truncate(at.max(1)),
                }
            }
            let back = feed(site, &[&bytes]);
            is_harmless(site, &back)
        });
    });
}

#[test]
fn requests_cut_at_every_byte_are_nothing_or_the_same() {
    run(|site| {
        for request in good_requests() {
            let bytes = request.as_bytes();
            let whole = feed(site, &[bytes]);
            for cut in 1..bytes.len() {
                // ended there
                let back = feed(site, &[&bytes[..cut]]);
                is_harmless(site, &back).unwrap();
                // and gone on with: an answer by chance differs in nothing, since there are no peers but one
                let back = feed(site, &[&bytes[..cut], &bytes[cut..]]);
                assert_eq!(without_100(&back), without_100(&whole), "cut at {cut} of {request:?}");
            }
        }
    });
}

/// Whether a client is told to go on depends on how much of its body is there.
fn without_100(answers: &[u8]) -> &[u8] {
    answers.strip_prefix(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap_or(answers)
}

#[test]
fn connections_reset_at_any_point() {
    run(|site| {
        let good = good_requests();
        hold(200, &(0..10_usize, any::<prop::sample::Index>(), any::<bool>()), |(which, cut, reads)| {
            let bytes = good[which].as_bytes();
            let mut client = site.connect();
            client.send(&bytes[..cut.index(bytes.len() + 1).min(bytes.len())]);
            if reads {
                client.stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
                let _ = client.stream.read(&mut [0; 5]);
            }
            client.reset();
            is_harmless(site, b"")
        });
    });
}

#[test]
fn five_hundred_drippers_do_not_slow_a_good_client() {
    run(|site| {
        let is_over = AtomicBool::new(false);
        let mut drippers: Vec<Client> = (0..500).map(|_| site.connect()).collect();
        let request = format!("GET /announce?x={} HTTP/1.1\r\nHost: t\r\n", "y".repeat(5000));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut bytes = request.bytes();
                while !is_over.load(Relaxed) {
                    let byte = bytes.next().expect("the good client is done long before");
                    for client in &mut drippers {
                        client.send([byte]);
                    }
                }
            });
            let mut kept = site.connect();
            for port in 1..=200 {
                let query = announce(1, port).numwant(0);
                let counts =
                    if port % 2 == 0 { kept.tell(query.request()) } else { site.tell(&query) }.counts();
                assert_eq!(counts, (0, i64::from(port), 0));
            }
            // they were there all the while
            assert!(site.open() > 500);
            is_over.store(true, Relaxed);
        });
        // and each is served when it comes to its end
        for client in drippers.iter_mut().take(20) {
            client.send("\r\n\r\n");
        }
    });
}

#[test]
fn deep_pipelines_of_refused_announces_are_answered_one_by_one() {
    run(|site| {
        let mut client = site.connect();
        let bad = get("/announce?info_hash=x");
        client.send(bad.repeat(3000)).half_close();
        for _ in 0..3000 {
            assert!(client.answer().bencode().get("failure reason").is_some());
        }
        client.is_closed();
        assert_eq!(site.happened(Happening::Failure), 3000);
    });
}
