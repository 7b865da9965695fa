//! Request bodies: read and dropped, up to 64 KiB.

use crate::site::{Site, announce, get, run};

const LIMIT: usize = 64 << 10;

fn with_length(method: &str, length: usize) -> String {
    format!("{method} /x HTTP/1.1\r\nHost: t\r\nContent-Length: {length}\r\n\r\n{}", "b".repeat(length))
}

fn chunked(method: &str, body: &str) -> String {
    format!("{method} /x HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n{body}")
}

/// The request is answered with `status`, and the one behind it as well.
#[track_caller]
fn is_passed_over(site: &Site<'_>, request: &str, status: u16) {
    let mut client = site.connect();
    client.send(format!("{request}{}", announce(1, 1).request()));
    assert_eq!(client.answer().status, status);
    assert_eq!(client.answer().bencode().counts(), (0, 1, 0));
    // cut where the body begins
    let cut = request.find("\r\n\r\n").unwrap() + 4;
    client.send(&request[..cut]).send(&request[cut..]);
    assert_eq!(client.answer().status, status);
    assert_eq!(client.ask(get("/x")).status, 404);
}

#[test]
fn a_body_of_any_method_is_dropped() {
    run(|site| {
        for (method, status) in [("GET", 404), ("POST", 405), ("PUT", 405), ("OPTIONS", 405)] {
            for length in [1, 2, 1000, LIMIT - 1, LIMIT] {
                is_passed_over(site, &with_length(method, length), status);
            }
            for body in [
                "0\r\n\r\n",
                "5\r\nhello\r\n0\r\n\r\n",
                "A;x=\"y\"\r\n0123456789\r\n000\r\nTrailer: x\r\n\r\n",
                "3\nabc\n0\n\n",
            ] {
                is_passed_over(site, &chunked(method, body), status);
            }
        }
        let largest = format!("{LIMIT:x}\r\n{}\r\n0\r\n\r\n", "c".repeat(LIMIT));
        is_passed_over(site, &chunked("GET", &largest), 404);
        let many = format!("{}0\r\n\r\n", format!("400\r\n{}\r\n", "c".repeat(1024)).repeat(64));
        is_passed_over(site, &chunked("GET", &many), 404);
        is_passed_over(site, &chunked("GET", &format!("{}0\r\n\r\n", "1\r\nx\r\n".repeat(1000))), 404);
    });
}

#[test]
fn the_body_of_head_is_dropped_too() {
    run(|site| {
        let mut client = site.connect();
        client.send(with_length("HEAD", 100));
        assert_eq!(client.answer_to_head().status, 404);
        assert_eq!(client.ask(get("/x")).status, 404);
    });
}

#[test]
fn a_body_may_look_like_a_request() {
    run(|site| {
        let inner = announce(1, 1).request();
        let outer = format!("POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: {}\r\n\r\n{inner}", inner.len());
        let mut client = site.connect();
        assert_eq!(client.ask(outer).status, 405);
        assert_eq!(client.ask(get("/x")).status, 404);
        assert_eq!(site.tracker.totals().torrents, 0);
    });
}

#[test]
fn an_announce_with_a_body_is_carried_out_at_its_end() {
    run(|site| {
        let mut client = site.connect();
        client.send(announce(1, 1).request_with("Content-Length: 5\r\n"));
        client.send("abcd");
        // a look at the tracker shows nothing: the body is not complete
        site.serves();
        assert_eq!(site.counts(1), (0, 0, 0));
        assert_eq!(client.send("e").answer().bencode().counts(), (0, 1, 0));
    });
}

#[test]
fn larger_bodies_are_413_and_the_answer_is_readable() {
    run(|site| {
        for request in [
            with_length("POST", LIMIT + 1),
            with_length("GET", 200_000),
            "GET /x HTTP/1.1\r\nHost: t\r\nContent-Length: 18446744073709551615\r\n\r\n".to_owned(),
            chunked("GET", "10001\r\n"),
            chunked("GET", "ffffffffffffffffffff\r\n"),
            chunked("POST", &format!("8000\r\n{}\r\n", "x".repeat(0x8000)).repeat(3)),
            chunked("GET", &format!("1;{}", "x".repeat(2_000_000))),
        ] {
            let mut client = site.connect();
            // the server may close before all of a very large body is sent
            let _ = client.try_send(&request);
            let answer = client.answer();
            assert!(answer.status == 413 && answer.closes(), "{}", &request[..60]);
        }
        site.serves();
    });
}

#[test]
fn malformed_chunks_are_400() {
    run(|site| {
        for body in [
            "x\r\n",
            "\r\n",
            "-1\r\n",
            " 5\r\n",
            "5\r\nhelloX",
            "5\r\nhello\rX",
            "0\r\nTrailer: a\rb\r\n\r\n",
            "5;\0\r\n",
            "0\r\n\0",
        ] {
            let mut client = site.connect();
            let answer = client.ask(chunked("GET", body));
            assert!(answer.status == 400 && answer.closes(), "{body:?}");
            client.is_closed();
        }
    });
}

#[test]
fn a_client_that_waits_for_100_gets_it_where_a_body_follows() {
    run(|site| {
        let expecting =
            |fields: &str| format!("POST /x HTTP/1.1\r\nHost: t\r\nExpect: 100-Continue\r\n{fields}\r\n");
        for (fields, body) in [
            ("Content-Length: 5\r\n", "hello"),
            ("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
        ] {
            let mut client = site.connect();
            assert_eq!(client.ask(expecting(fields)).status, 100);
            assert_eq!(client.ask(body).status, 405);
            // sent along, it is not waited for
            assert_eq!(client.ask(expecting(fields) + body).status, 405);
            assert_eq!(client.ask(get("/x")).status, 404);
        }
        let mut client = site.connect();
        assert_eq!(client.ask(expecting("")).status, 405);
        assert_eq!(client.ask(expecting("Content-Length: 0\r\n")).status, 405);
        assert_eq!(client.ask(expecting("Content-Length: 65537\r\n")).status, 413);
        client.is_closed();
        let old = "POST /x HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n";
        assert_eq!(site.connect().send(old).ask("x").status, 405);
    });
}
