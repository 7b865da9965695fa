//! Closing while the client still sends: the answer must be readable.

use std::time::Instant;

use tracker_http::{Happening, Route};

use crate::client::Client;
use crate::site::{Site, announce, get, run};

/// Sends a head that is refused and garbage behind it, and only then reads.
#[track_caller]
fn refused_with(site: &Site<'_>, head: &str, garbage: usize) {
    let mut client = site.connect();
    client.send(head);
    for part in vec![b'g'; garbage].chunks(10_000) {
        client.send(part);
    }
    let answer = client.answer();
    assert!((400..=505).contains(&answer.status) && answer.closes(), "{answer:?}");
}

#[test]
fn an_error_is_readable_though_much_was_sent_behind_it() {
    run(|site| {
        for head in [
            "BAD\r\n\r\n",
            "GET /x HTTP/1.1\r\n\r\n",
            "GET /x HTTP/1.1\r\nHost: t\r\nContent-Length: 400000\r\n\r\n",
            "BREW / HTTP/1.1\r\n",
        ] {
            for garbage in [0, 1, 1000, 100_000, 200_000, 250_000] {
                refused_with(site, head, garbage);
            }
        }
    });
}

#[test]
fn three_hundred_kilobytes_behind_a_bad_head_sent_at_once() {
    run(|site| {
        for _ in 0..20 {
            let mut client = site.connect();
            let mut whole = b"GET / HTTP/1.1\r\nHost : t\r\n\r\n".to_vec();
            whole.resize(300 << 10, b'g');
            // the server drains 256 KiB behind what it has read with the head
            client.try_send(&whole).unwrap();
            assert_eq!(client.answer().status, 400);
        }
    });
}

#[test]
fn a_client_that_sends_without_end_is_cut_off() {
    run(|site| {
        let mut client = site.connect();
        client.send("BAD\r\n\r\n");
        let junk = vec![b'g'; 64 << 10];
        let begin = Instant::now();
        while client.try_send(&junk).is_ok() {
            assert!(begin.elapsed() < crate::client::PATIENCE, "the server reads without end");
        }
        site.wait_for("it is closed", || site.open() == 0);
    });
}

#[test]
fn a_client_that_neither_closes_nor_sends_is_closed_after_a_second() {
    run(|site| {
        let mut client = site.connect();
        assert_eq!(client.ask("BAD\r\n\r\n").status, 400);
        // the server's side is closed at once
        client.is_closed();
        site.wait_for("the connection is closed altogether", || site.open() == 0);
        assert!(client.try_send("x").is_ok());
        client.is_gone();
    });
}

#[test]
fn the_answer_before_an_announced_end_is_readable_with_more_requests_behind_it() {
    run(|site| {
        for _ in 0..20 {
            let mut client = site.connect();
            client.send(announce(1, 1).request_with("Connection: close\r\n") + &get("/x").repeat(6000));
            assert_eq!(client.answer().status, 200);
            client.is_closed();
        }
        assert_eq!(site.counts_of(|counters| counters.requests(Route::Other)), 0);
    });
}

#[test]
fn good_requests_before_a_bad_one_are_answered_first() {
    run(|site| {
        let mut client = site.connect();
        client.send(
            (1..=200).map(|port| announce(1, port).numwant(0).request()).collect::<String>()
                + "BAD\r\n\r\n"
                + &get("/x"),
        );
        for port in 1..=200 {
            assert_eq!(client.answer().bencode().counts(), (0, port, 0));
        }
        assert_eq!(client.answer().status, 400);
        client.is_closed();
    });
}

#[test]
fn half_closed_clients_get_their_answer() {
    run(|site| {
        for request in
            [announce(1, 1).request(), "GET /x HTTP/1.0\r\n\r\n".to_owned(), "BAD\r\n\r\n".to_owned()]
        {
            let mut client = site.connect();
            client.send(&request).half_close();
            assert!(client.answer().status >= 200);
            client.is_closed();
        }
        // half a request is no request
        let mut client = site.connect();
        client.send("GET /x HTTP/1.1\r\nHost").half_close();
        client.is_closed();
        assert_eq!(site.happened(Happening::RequestTimeout), 0);
    });
}

#[test]
fn connections_that_say_nothing_and_go_leave_nothing_behind() {
    run(|site| {
        for round in 0..50 {
            let client = Client::new(site.addr());
            if round % 2 == 0 {
                client.reset();
            }
        }
        site.wait_for("all were accepted", || site.happened(Happening::Accepted) == 50);
        site.wait_for("all are gone", || site.open() == 0);
        site.serves();
    });
}
