use super::*;

fn complete(bytes: &[u8]) -> Request<'_> {
    match parse(bytes, &Limits::default()) {
        Ok(Status::Complete(request)) => request,
        other => panic!("{}: {other:?}", bytes.escape_ascii()),
    }
}

/// The status of the refusal; 0 if it is none.
fn refused(bytes: impl AsRef<[u8]>) -> u16 {
    parse(bytes.as_ref(), &Limits::default()).map_or_else(HttpError::status, |_| 0)
}

fn line(line: &str) -> Vec<u8> {
    format!("{line}\r\nHost: tracker\r\n\r\n").into_bytes()
}

fn fields(fields: &str) -> Vec<u8> {
    format!("GET /announce HTTP/1.1\r\nHost: tracker\r\n{fields}\r\n\r\n").into_bytes()
}

#[test]
fn a_usual_announce() {
    let bytes = b"GET /announce?info_hash=%aa&x=?y HTTP/1.1\r\nHost: 127.0.0.1:6969\r\nUser-Agent: qBittorrent/4.6.5\r\n\
        Accept-Encoding: gzip\r\nConnection: close\r\n\r\nGET /next";
    let request = complete(bytes);
    assert_eq!(request.method, Method::Get);
    assert_eq!(request.path, b"/announce");
    assert_eq!(request.query, Some(&b"info_hash=%aa&x=?y"[..]));
    assert_eq!((request.minor, request.keep_alive), (1, false));
    assert_eq!((request.body, request.expect_continue), (BodyKind::Empty, false));
    assert_eq!(&bytes[request.head_len..], b"GET /next");
    assert!(request.fields.starts_with(b"Host: ") && request.fields.ends_with(b"close\r\n"));
}

#[test]
fn methods() {
    for (name, method) in [("GET", Method::Get), ("HEAD", Method::Head)] {
        assert_eq!(complete(&line(&format!("{name} / HTTP/1.1"))).method, method);
    }
    for name in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT"] {
        assert_eq!(complete(&line(&format!("{name} / HTTP/1.1"))).method, Method::Other);
    }
    assert_eq!(complete(&line("OPTIONS * HTTP/1.1")).path, b"*");
    assert_eq!(complete(&line("CONNECT tracker:80 HTTP/1.1")).path, b"tracker:80");
    for unknown in ["BREW", "get", "GETS", "G", "!#$%&'*+-.^_`|~", "AVERYVERYLONGMETHOD"] {
        assert_eq!(refused(line(&format!("{unknown} / HTTP/1.1"))), 501, "{unknown}");
    }
    for bad in ["", "G(T", "G\0T", "G\tT", "\u{e9}"] {
        assert_eq!(refused(line(&format!("{bad} / HTTP/1.1"))), 400, "{bad}");
    }
}

#[test]
fn the_request_line_has_one_space_between_its_parts() {
    for bad in [
        "GET  / HTTP/1.1",
        "GET /  HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET / HTTP/1.1 x",
        " GET / HTTP/1.1",
        "GET /",
        "GET / ",
        "GET",
        "GET ",
        "GET HTTP/1.1",
        "GET  HTTP/1.1",
        "GET\t/ HTTP/1.1",
        "GET /\tHTTP/1.1",
        "GET /a b HTTP/1.1",
        "GET /scrape ?info_hash=x HTTP/1.1",
        "GET /announce  ?info_hash=x HTTP/1.1",
        "GET /announce ?info_hash=x y HTTP/1.1",
        "GET /announce ?info_hash=x",
        "GET / HTTP/1.1\r",
        "GET / HTTP/1.1\rx",
    ] {
        assert_eq!(refused(line(bad)), 400, "{bad}");
    }
}

#[test]
fn old_clients_put_a_space_before_the_query() {
    let bytes = line("GET /announce ?info_hash=%20 HTTP/1.0");
    let request = complete(&bytes);
    assert_eq!((request.path, request.query), (&b"/announce"[..], Some(&b"info_hash=%20"[..])));
    assert_eq!(complete(&line("GET /announce ? HTTP/1.1")).query, Some(&b""[..]));
}

#[test]
fn a_target_is_any_bytes_but_blanks_and_controls() {
    for byte in 0..=255_u8 {
        let bytes = [b"GET /a", &[byte][..], b"z?q HTTP/1.1\r\nHost: t\r\n\r\n"].concat();
        match byte {
            0..=0x20 | 0x7f => assert_eq!(refused(&bytes), 400, "{byte}"),
            b'?' => assert_eq!(complete(&bytes).path, b"/a"),
            _ => assert_eq!(complete(&bytes).path, [b'/', b'a', byte, b'z']),
        }
    }
    assert_eq!(complete(&line("GET /a#b?c HTTP/1.1")).path, b"/a#b");
}

#[test]
fn an_absolute_target_loses_its_front() {
    for (target, path, query) in [
        ("http://host:80/announce?x", "/announce", Some("x")),
        ("HTTP://host/announce", "/announce", None),
        ("https://[::1]:80/a/b?", "/a/b", Some("")),
        ("http://host", "/", None),
        ("http://host?x=/", "/", Some("x=/")),
        ("http:/announce", "http:/announce", None),
        ("/http://host/", "/http://host/", None),
    ] {
        let bytes = line(&format!("GET {target} HTTP/1.1"));
        let request = complete(&bytes);
        assert_eq!((request.path, request.query), (path.as_bytes(), query.map(str::as_bytes)), "{target}");
    }
    assert_eq!(refused(line("GET http:///announce HTTP/1.1")), 400);
}

#[test]
fn versions() {
    for (version, minor) in [("1.0", 0), ("1.1", 1), ("1.2", 1), ("1.9", 1)] {
        assert_eq!(complete(&line(&format!("GET / HTTP/{version}"))).minor, minor);
    }
    for version in ["2.0", "0.9", "3.1", "2"] {
        assert_eq!(refused(line(&format!("GET / HTTP/{version}"))), 505, "{version}");
    }
    for version in ["1", "1.", "1.10", "11.1", "1.x", ".1", "", "-1.1", "1,1"] {
        assert_eq!(refused(line(&format!("GET / HTTP/{version}"))), 400, "{version}");
    }
    for version in ["http/1.1", "HTTP 1.1", "ICY/1.1", "HTTP/ 1.1"] {
        assert_eq!(refused(line(&format!("GET / {version}"))), 400, "{version}");
    }
}

#[test]
fn other_protocols_are_refused_at_once() {
    assert_eq!(refused(b"PRI * HTTP/2.0\r\n"), 505);
    assert_eq!(refused(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
    assert_eq!(refused(b"\x16"), 400);
    assert_eq!(refused(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), 400);
    assert_eq!(refused(b"\x13BitTorrent protocol"), 400);
    assert_eq!(refused(b"\0"), 400);
    assert_eq!(refused(b"GET /\0"), 400);
    assert_eq!(refused(b"hello\r\n"), 400);
}

#[test]
fn line_ends() {
    assert_eq!(complete(b"\r\n\n\r\nGET / HTTP/1.1\nHost: t\n\nGET").head_len, 5 + 15 + 8 + 1);
    assert_eq!(complete(b"GET / HTTP/1.1\r\nHost: t\n\r\n").fields, b"Host: t\n");
    assert_eq!(complete(b"GET / HTTP/1.0\r\n\n").fields, b"");
    assert_eq!(refused(b"\r \r\nGET / HTTP/1.1\r\n"), 400);
    assert_eq!(refused(b"\r\n".repeat(100)), 400);
    for bad in ["X: a\rb", "X: a\r", "X: \0", "X: \x0b", "X: \x7f", "\r", "X\r: a"] {
        assert_eq!(refused(fields(bad)), 400, "{bad:?}");
    }
}

#[test]
fn header_names_and_values() {
    for bad in ["X : a", "X\t: a", ": a", "X", "X a: b", " folded", "\tfolded", "X(: a", "\u{e9}: a"] {
        assert_eq!(refused(fields(bad)), 400, "{bad:?}");
    }
    for good in ["X:", "X:a", "X: \t a b\t \t", "X: \u{e9}", "!#$%&'*+-.^_`|~0aZ: x", "X: a:b"] {
        complete(&fields(good));
    }
}

#[test]
fn one_host() {
    for (head, status) in [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nhOST: a\r\n\r\n", 400),
        ("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET http://host/ HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n", 0),
        ("GET / HTTP/1.1\r\nhOsT: a\r\n\r\n", 0),
        ("GET / HTTP/1.0\r\n\r\n", 0),
        ("GET / HTTP/1.0\r\nHost: a\r\n\r\n", 0),
    ] {
        assert_eq!(refused(head), status, "{head}");
    }
}

#[test]
fn keep_alive() {
    for (minor, connection, keep) in [
        (1, "X: y", true),
        (0, "X: y", false),
        (1, "Connection: close", false),
        (1, "connection: CLOSE", false),
        (1, "Connection: foo ,\tClose , bar", false),
        (1, "Connection: keep-alive\r\nConnection: close", false),
        (1, "Connection: closed", true),
        (0, "Connection: Keep-Alive", true),
        (0, "Connection: TE, keep-alive", true),
        (0, "Connection: keep-alive, close", false),
        (0, "Connection: ", false),
    ] {
        let bytes = format!("GET / HTTP/1.{minor}\r\nHost: t\r\n{connection}\r\n\r\n");
        assert_eq!(complete(bytes.as_bytes()).keep_alive, keep, "{bytes}");
    }
}

#[test]
fn bodies() {
    for (head, body) in [
        ("Content-Length: 0", BodyKind::Empty),
        ("content-length:\t007 ", BodyKind::Length(7)),
        ("Content-Length: 65536", BodyKind::Length(65_536)),
        ("Transfer-Encoding: Chunked", BodyKind::Chunked),
    ] {
        assert_eq!(complete(&fields(head)).body, body, "{head}");
    }
    for (head, status) in [
        ("Content-Length: 65537", 413),
        ("Content-Length: 18446744073709551615", 413),
        ("Content-Length: 18446744073709551616", 400),
        ("Content-Length: 99999999999999999999999999", 400),
        ("Content-Length: ", 400),
        ("Content-Length: +1", 400),
        ("Content-Length: -1", 400),
        ("Content-Length: 1, 1", 400),
        ("Content-Length: 0x1", 400),
        ("Content-Length: 1\r\nContent-Length: 1", 400),
        ("Content-Length: 0\r\nContent-Length: 0", 400),
        ("Content-Length: 1\r\nTransfer-Encoding: chunked", 400),
        ("Transfer-Encoding: chunked\r\nContent-Length: 0", 400),
        ("Transfer-Encoding: gzip\r\nContent-Length: 0", 400),
        ("Transfer-Encoding: gzip", 501),
        ("Transfer-Encoding: identity", 501),
        ("Transfer-Encoding: gzip, chunked", 501),
        ("Transfer-Encoding: chunked, chunked", 501),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 501),
        ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", 501),
        ("Transfer-Encoding:", 501),
        ("Transfer-Encoding: xchunked", 501),
        ("Transfer-Encoding: \x0bchunked", 400),
        ("Transfer-Encoding : chunked", 400),
    ] {
        assert_eq!(refused(fields(head)), status, "{head}");
    }
    for coding in ["chunked", "gzip"] {
        let old = format!("GET / HTTP/1.0\r\nTransfer-Encoding: {coding}\r\n\r\n");
        assert_eq!(refused(old), 400);
    }
}

#[test]
fn expectations() {
    let expects = |text: &str| complete(text.as_bytes()).expect_continue;
    assert!(expects("POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n"));
    assert!(expects(
        "POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"
    ));
    assert!(!expects("POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\n\r\n"));
    assert!(!expects("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"));
    assert!(!expects("POST / HTTP/1.1\r\nHost: t\r\nExpect: more\r\nContent-Length: 1\r\n\r\n"));
}

#[test]
fn headers_are_found_again_by_name() {
    let bytes =
        fields("X-Forwarded-For: 1.2.3.4,  ::1\t\r\nX: y\r\nx-forwarded-FOR:5.6.7.8\r\nX-Forwarded-Fo: no");
    let request = complete(&bytes);
    let found: Vec<_> = request.header("X-FORWARDED-For").collect();
    assert_eq!(found, [&b"1.2.3.4,  ::1"[..], b"5.6.7.8"]);
    assert_eq!(request.header("Forwarded").count(), 0);
}

#[test]
fn limits_are_exact() {
    let target = |length: usize| line(&format!("GET /{} HTTP/1.1", "a".repeat(length - 1)));
    assert_eq!(refused(target(8192)), 0);
    assert_eq!(refused(target(8193)), 414);
    let detached = |length: usize| line(&format!("GET /announce ?{} HTTP/1.1", "a".repeat(length - 11)));
    assert_eq!((refused(detached(8192)), refused(detached(8193))), (0, 414));
    let count = |count: usize| format!("GET / HTTP/1.1\r\nHost: t\r\n{}\r\n", "X: y\r\n".repeat(count - 1));
    assert_eq!(refused(count(100)), 0);
    assert_eq!(refused(count(101)), 431);
    let size = |size: usize| format!("GET / HTTP/1.1\r\nHost: t\r\nX: {}\r\n\r\n", "y".repeat(size - 9 - 5));
    assert_eq!(refused(size(16 << 10)), 0);
    assert_eq!(refused(size((16 << 10) + 1)), 431);
    // the two are apart
    let both = format!("GET /{} HTTP/1.1\r\n{}", "a".repeat(8191), &size(16 << 10)[16..]);
    assert_eq!(refused(&both), 0);
    assert!(both.len() <= Limits::default().longest_head());
}

#[test]
fn what_has_no_end_is_refused_when_it_is_too_long() {
    let limits = Limits::default();
    for (start, byte, status) in [
        ("", "A", 501),
        ("GET /", "a", 414),
        ("GET ", "/", 414),
        ("GET / ", "H", 414),
        ("GET /announce ?", "a", 414),
        ("GET / HTTP/1.1\r\nHost: ", "a", 431),
        ("GET / HTTP/1.1\r\n", "a", 431),
        ("GET / HTTP/1.1\r\nHost: t\r\n", "X: y\r\n", 431),
        ("", "\r\n", 400),
    ] {
        let endless = format!("{start}{}", byte.repeat(limits.longest_head()));
        assert_eq!(refused(&endless[..limits.longest_head()]), status, "{start}");
        let (mut searched, mut at) = (0, 0);
        let found = loop {
            at += 1;
            match parse_resumed(&endless.as_bytes()[..at], &mut searched, &limits) {
                Ok(Status::Partial) => {}
                other => break other.map(|_| ()).map_err(HttpError::status),
            }
        };
        assert_eq!(found, Err(status), "{start}");
        assert_eq!(refused(&endless[..at]), status);
        assert_eq!(refused(&endless[..at - 1]), 0);
    }
}

#[test]
fn limits_of_nothing_are_kept_too() {
    let limits = Limits { target: 0, head: 0, fields: 0, body: 0 };
    for bytes in [
        &b"GET / HTTP/1.0\r\n\r\n"[..],
        b"GET  HTTP/1.0\r\n\r\n",
        b"\r\n\r\nGET / HTTP/1.1\r\nHost: t\r\n\r\n",
    ] {
        for end in 0..=bytes.len() {
            assert!(!matches!(parse(&bytes[..end], &limits), Ok(Status::Complete(_))));
        }
    }
}
