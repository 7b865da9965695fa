//! The table of HTTP/1.1, row by row: what is refused with which status, and what becomes of the connection.

use crate::client::Answer;
use crate::site::{Site, announce, escape, get, hash, run};

/// The status of `request`; the connection must have been closed if that was said, and else it must go on.
#[track_caller]
fn status(site: &Site<'_>, request: impl AsRef<[u8]>) -> (u16, &'static str) {
    let mut client = site.connect();
    let answer = client.ask(request);
    if answer.closes() {
        client.is_closed();
        return (answer.status, "close");
    }
    assert_eq!(answer.field("connection"), None);
    assert_eq!(client.ask(get("/next")).status, 404);
    (answer.status, "open")
}

#[track_caller]
fn all(requests: &[impl AsRef<[u8]>], expected: (u16, &'static str)) {
    run(|site| {
        for request in requests {
            let request = request.as_ref();
            let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| status(site, request)));
            let shown = request[..request.len().min(200)].escape_ascii().to_string();
            assert_eq!(found.unwrap_or_else(|_| panic!("{shown}")), expected, "{shown}");
        }
        site.serves();
    });
}

/// A request with these header lines, each with its line end.
fn with(fields: &str) -> String {
    format!("GET /x HTTP/1.1\r\nHost: t\r\n{fields}\r\n")
}

#[test]
fn other_known_methods_are_405_and_leave_the_connection_open() {
    run(|site| {
        for method in ["POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"] {
            let mut client = site.connect();
            let answer = client.ask(format!("{method} /announce HTTP/1.1\r\nHost: t\r\n\r\n"));
            assert_eq!((answer.status, answer.field("allow")), (405, Some("GET, HEAD")), "{method}");
            assert!(!answer.closes());
            assert_eq!(client.ask(get("/x")).status, 404);
        }
        let before = site.tracker.totals();
        let answer = site.connect().ask(announce(1, 1).request().replacen("GET", "POST", 1));
        assert_eq!((answer.status, site.tracker.totals()), (405, before));
    });
    all(
        &["OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n", "CONNECT a.example:443 HTTP/1.1\r\nHost: t\r\n\r\n"],
        (405, "open"),
    );
}

#[test]
fn unknown_methods_are_501() {
    let requests: Vec<String> = ["BREW", "get", "Get", "GETT", "M-SEARCH", "QUERY", "PROPFIND", "X"]
        .iter()
        .map(|method| format!("{method} /announce HTTP/1.1\r\nHost: t\r\n\r\n"))
        .collect();
    all(&requests, (501, "close"));
    all(&["A".repeat(100), "A".repeat(100_000)], (501, "close"));
}

#[test]
fn request_lines_with_other_than_two_spaces_are_400() {
    let lines = [
        "GET  /x HTTP/1.1",
        "GET /x  HTTP/1.1",
        "GET /x HTTP/1.1 ",
        " GET /x HTTP/1.1",
        "GET\t/x HTTP/1.1",
        "GET /x\tHTTP/1.1",
        "GET /x y HTTP/1.1",
        "GET /x",
        "GET",
        "GET /x HTTP/1.1 x",
        "GET /x HTTP/1.1\t",
        "GET /scrape ?info_hash=x HTTP/1.1",
        "GET /announce  ?x HTTP/1.1",
        "GET /announce ?x y HTTP/1.1",
        "GET /announce x HTTP/1.1",
        "GET /x http/1.1",
        "GET /x HTTP/1",
        "GET /x HTTP/1.",
        "GET /x HTTP/1.10",
        "GET /x HTTP/01.1",
        "GET /x HTTP 1.1",
        "GET /x XTTP/1.1",
        "GET /x FTP",
        "GET  HTTP/1.1",
        "G@T /x HTTP/1.1",
        ": / HTTP/1.1",
    ];
    let requests: Vec<String> = lines.iter().map(|line| format!("{line}\r\nHost: t\r\n\r\n")).collect();
    all(&requests, (400, "close"));
}

#[test]
fn control_bytes_in_a_target_are_400_and_no_other_bytes() {
    run(|site| {
        for byte in 0..=255_u8 {
            let mut request = b"GET /a".to_vec();
            request.push(byte);
            request.extend_from_slice(b"b HTTP/1.1\r\nHost: t\r\n\r\n");
            let good = byte > 0x20 && byte != 0x7f;
            assert_eq!(
                status(site, &request),
                if good { (404, "open") } else { (400, "close") },
                "{byte:#x}"
            );
        }
    });
}

#[test]
fn absolute_targets_are_served() {
    run(|site| {
        let query = announce(1, 1).target();
        for (target, expected) in [
            (format!("http://t{query}"), 200),
            (format!("HTTP://[::1]:6969{query}"), 200),
            (format!("https://t{query}"), 200),
            ("http://t".to_owned(), 404),
            ("http://t?x".to_owned(), 404),
            ("*".to_owned(), 404),
        ] {
            assert_eq!(status(site, get(&target)), (expected, "open"), "{target}");
        }
        assert_eq!(status(site, get("http:///x")), (400, "close"));
        assert_eq!(site.counts(1), (0, 1, 0));
    });
}

#[test]
fn exactly_one_host_in_http_1_1() {
    let line = "GET /x HTTP/1.1\r\n";
    all(
        &[
            format!("{line}\r\n"),
            format!("{line}Host: a\r\nHost: a\r\n\r\n"),
            format!("{line}Host: a\r\nX: y\r\nhOST: b\r\n\r\n"),
            format!("{line}Hosts: a\r\n\r\n"),
        ],
        (400, "close"),
    );
    all(
        &[
            format!("{line}hOsT:t\r\n\r\n"),
            format!("{line}Host:\r\n\r\n"),
            format!("{line}HOST: \t t \t\r\n\r\n"),
        ],
        (404, "open"),
    );
    all(&["GET /x HTTP/1.0\r\n\r\n"], (404, "close"));
}

#[test]
fn header_lines_that_are_none_are_400() {
    let fields = [
        "X : y\r\n",
        "X\t: y\r\n",
        ": y\r\n",
        "X\r\n",
        "X y: z\r\n",
        "X(: y\r\n",
        " X: y\r\n",
        "\tX: y\r\n",
        "X: y\r\n folded\r\n",
        "X: y\r\n\tfolded\r\n",
        "X: a\rb\r\n",
        "X: a\0b\r\n",
        "X: a\x01b\r\n",
        "X: a\x7fb\r\n",
        "X\0: y\r\n",
        "\u{e9}: y\r\n",
        "X: a\r\r\n",
        "Content Length: 5\r\n",
        "X@: y\r\n",
        "X: a\x0bb\r\n",
    ];
    all(&fields.map(with), (400, "close"));
    all(
        &["X:\r\n", "X: \u{e9}\t\"\u{20ac}\"\r\n", "!#$%&'*+-.^_`|~09: y\r\n", "X:a:b\r\n"].map(with),
        (404, "open"),
    );
}

#[test]
fn lengths_that_are_ambiguous_are_400() {
    let fields = [
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
        "Content-Length: 0\r\nContent-Length: 0\r\n",
        "Content-Length: x\r\n",
        "Content-Length:\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: +1\r\n",
        "Content-Length: 0x1\r\n",
        "Content-Length: 1 1\r\n",
        "Content-Length: 1, 1\r\n",
        "Content-Length: 99999999999999999999999\r\n",
        "Content-Length: 1.0\r\n",
    ];
    all(&fields.map(with), (400, "close"));
    let old = |coding: &str| format!("GET /x HTTP/1.0\r\nTransfer-Encoding: {coding}\r\n\r\n");
    all(&["chunked", "gzip", "identity", ""].map(old), (400, "close"));
    all(&["Content-Length: 0\r\n", "CONTENT-LENGTH:\t00 \r\n"].map(with), (404, "open"));
}

#[test]
fn other_transfer_codings_are_501() {
    let codings = [
        "gzip",
        "gzip, chunked",
        "chunked, gzip",
        "chunked, chunked",
        "identity",
        "",
        "chunkedx",
        "chunked;q=1",
        "\"chunked\"",
    ];
    all(&codings.map(|coding| with(&format!("Transfer-Encoding: {coding}\r\n"))), (501, "close"));
    all(&[with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")], (501, "close"));
}

#[test]
fn a_target_over_8_kib_is_414() {
    let target = |length: usize| get(&format!("/{}", "x".repeat(length - 1)));
    all(&[target(8192)], (404, "open"));
    all(&[target(8193), target(16_000), target(300_000)], (414, "close"));
    // without an end it is not waited for
    all(&[format!("GET /{}", "x".repeat(9000))], (414, "close"));
}

#[test]
fn headers_over_16_kib_or_100_lines_are_431() {
    let of = |length: usize| with(&format!("X: {}\r\n", "y".repeat(length - "Host: t\r\nX: \r\n".len())));
    all(&[of(16 << 10)], (404, "open"));
    all(
        &[of((16 << 10) + 1), of(60_000), format!("GET /x HTTP/1.1\r\nX: {}", "y".repeat(20_000))],
        (431, "close"),
    );
    all(&[with(&"X: y\r\n".repeat(99))], (404, "open"));
    all(&[with(&"X: y\r\n".repeat(100)), with(&"X: y\r\n".repeat(2000))], (431, "close"));
    // both as large as they may be
    let largest = format!(
        "GET /{} HTTP/1.1\r\nHost: t\r\nX: {}\r\n\r\n",
        "x".repeat(8191),
        "y".repeat((16 << 10) - 14)
    );
    all(&[largest], (404, "open"));
}

#[test]
fn versions() {
    all(
        &[
            "GET /x HTTP/2.0\r\nHost: t\r\n\r\n",
            "GET /x HTTP/0.9\r\n\r\n",
            "GET /x HTTP/3\r\n\r\n",
            "GET /x HTTP/9.9\r\n\r\n",
        ],
        (505, "close"),
    );
    all(&["GET /x HTTP/1.2\r\nHost: t\r\n\r\n", "GET /x HTTP/1.9\r\nHost: t\r\n\r\n"], (404, "open"));
    all(&["GET /x HTTP/1.2\r\n\r\n"], (400, "close"));
}

#[test]
fn what_speaks_another_protocol_is_answered_at_once() {
    // if any of these waited for a timeout, the test would take ten seconds each
    all(&["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\x04\0\0\0\0\0"], (505, "close"));
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03random";
    all(
        &[
            &hello[..],
            b"\x13BitTorrent protocol\0\0\0\0\0\0\0\0",
            b"\0",
            b"\x80",
            b"SSH-2.0-x\r\n",
            b"\r\r\n",
            b"EHLO x\r\n\0",
        ],
        (400, "close"),
    );
    all(&[b"\r\n".repeat(100)], (400, "close"));
}

#[test]
fn bare_line_feeds_and_leading_empty_lines_are_accepted() {
    run(|site| {
        let target = announce(1, 1).target();
        for request in [
            format!("GET {target} HTTP/1.1\nHost: t\n\n"),
            format!("\r\n\r\nGET {target} HTTP/1.1\r\nHost: t\r\n\r\n"),
            format!("\n\n\nGET {target} HTTP/1.1\nHost: t\r\n\n"),
            format!("\r\n\nGET {target} HTTP/1.1\r\nHost: t\nX: y\r\n\r\n"),
        ] {
            assert_eq!(status(site, &request), (200, "open"), "{request:?}");
        }
        // between requests as well
        let mut client = site.connect();
        client.send(format!("{}\r\n{}\n\n{}", get("/1"), get("/2"), get("/3")));
        (0..3).for_each(|_| assert_eq!(client.answer().status, 404));
    });
}

#[test]
fn upgrades_are_ignored() {
    run(|site| {
        let fields =
            "Upgrade: h2c, websocket\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n";
        let mut client = site.connect();
        assert_eq!(client.tell(announce(1, 1).request_with(fields)).counts(), (0, 1, 0));
        assert_eq!(client.ask(get("/x")).status, 404);
    });
}

#[test]
fn no_favicon_and_no_other_path() {
    all(
        &[
            "/",
            "/favicon.ico",
            "/Announce",
            "/announce/",
            "/announc",
            "//announce",
            "/%61nnounce",
            "/announce;x",
            "/scrapes",
            "/stats",
        ]
        .map(get),
        (404, "open"),
    );
}

#[test]
fn a_refusal_says_why_in_one_line_of_text_and_has_no_date() {
    run(|site| {
        let answer: Answer = site.connect().ask("GET /x HTTP/1.1\r\n\r\n");
        assert_eq!(answer.field("content-type"), Some("text/plain"));
        assert_eq!(answer.body, b"the request must have one Host header\n");
        assert_eq!((answer.field("date"), answer.field("server")), (None, None));
    });
}

#[test]
fn headers_in_any_case_and_any_number_below_the_bound_upset_nothing() {
    run(|site| {
        let fields: String = (0..90).map(|n| format!("x-{n}: {}\r\n", "v".repeat(n))).collect();
        let shouting = format!(
            "GET {} HTTP/1.1\r\nHOST: t\r\n{fields}cOnNeCtIoN: ClOsE\r\n\r\n",
            announce(1, 1).target()
        );
        assert_eq!(status(site, shouting), (200, "close"));
        let hash = escape(&hash(1));
        assert_eq!(status(site, get(&format!("/scrape?info_hash={hash}"))), (200, "open"));
    });
}
