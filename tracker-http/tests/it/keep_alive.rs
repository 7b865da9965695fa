//! How long connections stay, and answers in order however the requests are cut.

use std::time::Duration;

use crate::site::{Setup, announce, get, run};

#[test]
fn http_1_1_stays_open_unless_told_otherwise() {
    run(|site| {
        let mut client = site.connect();
        for _ in 0..100 {
            let answer = client.ask(announce(1, 1).request());
            assert_eq!((answer.status, answer.field("connection")), (200, None));
        }
        assert_eq!(
            client.ask(announce(1, 1).request_with("Connection: keep-alive\r\n")).field("connection"),
            None
        );
        assert_eq!(site.open(), 1);
    });
}

#[test]
fn close_is_honoured_in_any_case_and_in_lists() {
    run(|site| {
        for fields in [
            "Connection: close\r\n",
            "connection: CLOSE\r\n",
            "Connection: keep-alive, Close\r\n",
            "Connection: TE,close , x\r\n",
            "Connection: keep-alive\r\nConnection: close\r\n",
            "Connection:\tclose\t\r\n",
            "Connection: ,close\r\n",
        ] {
            let mut client = site.connect();
            let answer = client.ask(announce(1, 1).request_with(fields));
            assert!(answer.status == 200 && answer.closes(), "{fields}");
            client.is_closed();
        }
        for fields in [
            "Connection: closed\r\n",
            "Connection: \"close\"\r\n",
            "X-Connection: close\r\n",
            "Connection:\r\n",
            "Proxy-Connection: close\r\n",
        ] {
            let mut client = site.connect();
            assert!(!client.ask(announce(1, 1).request_with(fields)).closes(), "{fields}");
            assert_eq!(client.ask(get("/x")).status, 404);
        }
    });
}

#[test]
fn http_1_0_closes_unless_keep_alive_is_asked_for() {
    run(|site| {
        let target = announce(1, 1).target();
        let mut client = site.connect();
        let answer = client.ask(format!("GET {target} HTTP/1.0\r\n\r\n"));
        assert!(answer.closes());
        client.is_closed();
        for fields in ["Connection: keep-alive\r\n", "connection: x, Keep-Alive\r\n"] {
            let mut client = site.connect();
            for path in [&target[..], "/x", &target] {
                let answer = client.ask(format!("GET {path} HTTP/1.0\r\n{fields}\r\n"));
                assert_eq!(answer.field("connection"), Some("keep-alive"));
            }
            assert!(
                client.ask(format!("GET {target} HTTP/1.0\r\n{fields}Connection: close\r\n\r\n")).closes()
            );
            client.is_closed();
        }
    });
}

#[test]
fn what_comes_behind_a_request_that_closes_is_not_carried_out() {
    run(|site| {
        let mut client = site.connect();
        client.send(announce(1, 1).request_with("Connection: close\r\n") + &announce(1, 2).request());
        assert!(client.answer().closes());
        client.is_closed();
        assert_eq!(site.counts(1), (0, 1, 0));
    });
}

#[test]
fn an_idle_connection_is_closed_silently() {
    let mut setup = Setup::default();
    setup.settings.keep_alive = Duration::from_millis(150);
    setup.run(|site| {
        let mut client = site.connect();
        let begin = std::time::Instant::now();
        assert_eq!(client.ask(get("/x")).status, 404);
        client.is_closed();
        assert!(begin.elapsed() >= Duration::from_millis(150));
        assert_eq!(site.happened(tracker_http::Happening::IdleTooLong), 1);
        assert_eq!(site.happened(tracker_http::Happening::RequestTimeout), 0);
    });
}

#[test]
fn an_idle_connection_that_has_sent_an_empty_line_is_idle() {
    let mut setup = Setup::default();
    setup.settings.keep_alive = Duration::from_millis(400);
    setup.settings.request_timeout = Duration::from_millis(100);
    setup.run(|site| {
        let mut client = site.connect();
        // as some old clients do behind a request
        assert_eq!(client.ask(get("/x") + "\r\n").status, 404);
        client.is_closed();
        assert_eq!(site.happened(tracker_http::Happening::IdleTooLong), 1);
    });
}

#[test]
fn keep_alive_zero_closes_after_the_first_answer() {
    let mut setup = Setup::default();
    setup.settings.keep_alive = Duration::ZERO;
    setup.run(|site| {
        for request in [
            announce(1, 1).request(),
            get("/x"),
            "GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".to_owned(),
        ] {
            let mut client = site.connect();
            assert!(client.ask(request).closes());
            client.is_closed();
        }
        let mut client = site.connect();
        client.send(announce(2, 1).request() + &announce(2, 2).request());
        assert!(client.answer().closes());
        client.is_closed();
        assert_eq!(site.counts(2), (0, 1, 0));
    });
}

#[test]
fn pipelines_of_any_depth_are_answered_in_order() {
    run(|site| {
        let mut client = site.connect();
        let mut next = 0;
        for depth in [1, 8, 1000, 3] {
            let batch: Vec<u32> = (next..next + depth).collect();
            next += depth;
            client.send(batch.iter().map(|n| mixed(*n)).collect::<String>());
            for n in batch {
                let answer = if n % 7 == 3 { client.answer_to_head() } else { client.answer() };
                is_answer_to(n, &answer);
            }
        }
    });
}

/// One of several kinds of requests, whose answers can be told apart.
pub(crate) fn mixed(n: u32) -> String {
    match n % 7 {
        0 => announce(1, port(n)).with("numwant", 0).with("left", u32::from(n.is_multiple_of(14))).request(),
        1 => get("/no"),
        2 => "POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nGET ".to_owned(),
        3 => "HEAD /x HTTP/1.1\r\nHost: t\r\n\r\n".to_owned(),
        4 => get(&format!("/scrape?info_hash={n:020}")),
        5 => "GET /x HTTP/1.0\nConnection: keep-alive\n\n".to_owned(),
        _ => {
            "PUT /x HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".to_owned()
        }
    }
}

fn port(n: u32) -> u16 {
    u16::try_from(n).unwrap() + 1
}

#[track_caller]
pub(crate) fn is_answer_to(n: u32, answer: &crate::client::Answer) {
    match n % 7 {
        0 => assert_eq!(answer.bencode().bytes("external ip"), [127, 0, 0, 1]),
        2 | 6 => assert_eq!(answer.status, 405),
        4 => {
            assert!(
                answer.bencode().get("files").unwrap().dict().contains_key(format!("{n:020}").as_bytes())
            );
        }
        5 => assert_eq!((answer.status, answer.field("connection")), (404, Some("keep-alive"))),
        _ => assert_eq!((answer.status, answer.field("connection")), (404, None)),
    }
}

#[test]
fn a_request_may_come_byte_by_byte() {
    run(|site| {
        let mut client = site.connect();
        for byte in announce(1, 1).request_with("Transfer-Encoding: chunked\r\n").bytes() {
            client.send([byte]);
        }
        for byte in "2\r\nab\r\n0\r\n\r\n".bytes() {
            client.send([byte]);
        }
        assert_eq!(client.answer().bencode().counts(), (0, 1, 0));
    });
}
