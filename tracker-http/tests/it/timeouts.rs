//! `request_timeout`: nothing that drips keeps a connection.

use std::time::{Duration, Instant};

use tracker_http::Happening;

use crate::client::{Answer, Client};
use crate::site::{Setup, Site, announce, get};

const TIMEOUT: Duration = Duration::from_millis(400);

fn run(test: impl FnOnce(&Site<'_>)) {
    let mut setup = Setup::default();
    setup.settings.request_timeout = TIMEOUT;
    setup.run(test);
}

/// Sends `drops` again and again, until it is answered.
#[track_caller]
fn drip(client: &mut Client, drops: &str) -> Answer {
    let begin = Instant::now();
    let mut drops = drops.as_bytes().iter().cycle();
    client.stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    while client.stream.peek(&mut [0]).is_err() {
        assert!(begin.elapsed() < crate::client::PATIENCE, "dripping goes on without end");
        client.send([*drops.next().unwrap()]);
    }
    client.stream.set_read_timeout(Some(crate::client::PATIENCE)).unwrap();
    client.answer()
}

#[track_caller]
fn is_408(site: &Site<'_>, mut client: Client, begin: Instant, answer: &Answer) {
    assert!(answer.status == 408 && answer.closes(), "{answer:?}");
    assert!(begin.elapsed() >= TIMEOUT, "{:?}", begin.elapsed());
    client.is_closed();
    site.serves();
}

#[test]
fn a_new_connection_that_says_nothing_is_408() {
    run(|site| {
        let begin = Instant::now();
        let mut client = site.connect();
        let answer = client.answer();
        is_408(site, client, begin, &answer);
        assert_eq!(site.happened(Happening::RequestTimeout), 1);
        assert_eq!(site.counts_of(|counters| counters.answers(tracker_http::Route::Other, 408)), 1);
    });
}

#[test]
fn a_dripping_head_is_408() {
    run(|site| {
        for start in ["", "GET /", "GET / HTTP/1.1\r\nHost: t\r\nX: "] {
            let begin = Instant::now();
            let mut client = site.connect();
            client.send(start);
            let answer = drip(&mut client, if start.is_empty() { "A" } else { "x" });
            // sixteen letters are no method that is known
            if answer.status != 501 {
                is_408(site, client, begin, &answer);
            }
        }
    });
}

#[test]
fn dripping_empty_lines_are_408() {
    run(|site| {
        let begin = Instant::now();
        let mut client = site.connect();
        let answer = drip(&mut client, "\r\n");
        is_408(site, client, begin, &answer);
    });
}

#[test]
fn a_dripping_body_is_408_and_its_request_is_not_carried_out() {
    run(|site| {
        for (fields, drops) in [
            ("Content-Length: 60000\r\n", "x"),
            ("Transfer-Encoding: chunked\r\n", "1\r\nx\r\n"),
            ("Transfer-Encoding: chunked\r\n", "0"),
        ] {
            let begin = Instant::now();
            let mut client = site.connect();
            client.send(announce(1, 1).request_with(fields));
            let answer = drip(&mut client, drops);
            is_408(site, client, begin, &answer);
        }
        assert_eq!(site.counts(1), (0, 0, 0));
    });
}

#[test]
fn the_second_request_has_its_own_time_from_its_first_byte() {
    run(|site| {
        let mut client = site.connect();
        assert_eq!(client.ask(get("/x")).status, 404);
        // idle for longer than the timeout of a request
        client.stream.set_read_timeout(Some(TIMEOUT * 2)).unwrap();
        assert!(client.stream.peek(&mut [0]).is_err(), "closed while it was idle");
        let begin = Instant::now();
        let answer = drip(&mut client, "Z");
        if answer.status != 501 {
            is_408(site, client, begin, &answer);
        }
        let mut client = site.connect();
        client.send(get("/x") + "GET /sec");
        assert_eq!(client.answer().status, 404);
        let begin = Instant::now() - Duration::from_millis(50);
        let answer = drip(&mut client, "o");
        is_408(site, client, begin, &answer);
    });
}

#[test]
fn a_request_that_takes_its_time_within_the_bound_is_served() {
    let mut setup = Setup::default();
    setup.settings.request_timeout = Duration::from_secs(15);
    setup.run(|site| {
        let mut client = site.connect();
        let request = announce(1, 1).request();
        for part in request.as_bytes().chunks(20) {
            client.send(part);
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(client.answer().bencode().counts(), (0, 1, 0));
    });
}

#[test]
fn many_that_hold_half_a_request_are_all_cleaned_up() {
    run(|site| {
        let mut slow: Vec<Client> = (0..300)
            .map(|n| {
                let mut client = site.connect();
                client.send(
                    ["", "G", "GET /announce?x", "GET / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\n123"]
                        [n % 4],
                );
                client
            })
            .collect();
        site.serves();
        for client in &mut slow {
            assert_eq!(client.answer().status, 408);
            client.is_closed();
        }
        assert_eq!(site.happened(Happening::RequestTimeout), 300);
    });
}
