//! The head of an HTTP request.

use std::net::IpAddr;

use tracker_http::Proxies;
use tracker_http::parser::{BodyKind, Limits, Request, Status, parse, parse_resumed};

/// So small that inputs reach them.
const SMALL: Limits = Limits { target: 64, head: 128, fields: 4, body: 16 };

/// The first byte says how the rest comes: in pieces of so many bytes and one, and with the highest bit within small limits.
///
/// Whole and in pieces, at once and resumed, the same is found; once refused, always refused. A head that is accepted lies
/// within the input and the limits, and what is behind it does not matter.
pub fn head(data: &[u8]) {
    let Some((&how, bytes)) = data.split_first() else { return };
    let limits = if how & 0x80 == 0 { Limits::default() } else { SMALL };
    let piece = usize::from(how & 0x7f) + 1;
    let whole = parse(bytes, &limits);
    let (mut end, mut searched) = (0, 0);
    loop {
        let part = &bytes[..end];
        let at_once = parse(part, &limits);
        assert_eq!(at_once, parse_resumed(part, &mut searched, &limits), "after {end} bytes");
        match at_once {
            Ok(Status::Complete(request)) => {
                assert_eq!((searched, at_once), (0, whole), "after {end} bytes");
                return accepted(&request, bytes, &limits);
            }
            Ok(Status::Partial) => assert_eq!(searched, end),
            Err(error) => {
                assert!(whole.is_err(), "refused after {end} bytes only: {error}");
                return refused(error);
            }
        }
        if end == bytes.len() {
            // nothing that waits for more is longer than what is said to hold any head
            assert!(end < limits.longest_head(), "{end} bytes are no head yet");
            return;
        }
        end = bytes.len().min(end + piece);
    }
}

fn refused(error: tracker_http::error::HttpError) {
    assert!([400, 413, 414, 431, 501, 505].contains(&error.status()), "{error:?}");
    let sentence = error.to_string();
    assert!(!sentence.is_empty() && !sentence.contains(char::is_control), "{sentence:?}");
}

fn accepted(request: &Request<'_>, bytes: &[u8], limits: &Limits) {
    let head = &bytes[..request.head_len];
    assert!(head.len() <= limits.longest_head());
    let lies_within = |part: &[u8]| part.is_empty() || head.as_ptr_range().contains(&part.as_ptr());
    assert!(lies_within(request.fields) && lies_within(request.query.unwrap_or_default()));
    // "/" stands for the path that an absolute target does not have
    assert!(lies_within(request.path) || request.path == b"/");
    assert!(head.ends_with(b"\n") && head.len() >= request.fields.len());
    assert!(!request.path.iter().any(|&byte| byte <= b' ' || byte == 0x7f), "{request:?}");
    assert!(
        !request.query.unwrap_or_default().iter().any(|&byte| byte <= b' ' || byte == 0x7f),
        "{request:?}"
    );

    let lines: Vec<&[u8]> = request.fields.split_inclusive(|&byte| byte == b'\n').collect();
    assert!(lines.len() <= limits.fields && request.fields.len() <= limits.head);
    for line in &lines {
        let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
        let name = std::str::from_utf8(name).expect("names are ASCII");
        assert!(request.header(name).count() >= 1, "{name} is not found again");
    }
    if let BodyKind::Length(length) = request.body {
        assert!((1..=limits.body).contains(&length));
    }
    assert!(!request.expect_continue || request.body != BodyKind::Empty);

    for behind in [&b""[..], b"\r\n", b"\0", b"GET / HTTP/1.1\r\n"] {
        let again = [head, behind].concat();
        assert_eq!(parse(&again, limits), Ok(Status::Complete(*request)), "{}", behind.escape_ascii());
    }
    forwarded(request);
}

/// Whatever the headers say, the client is no proxy that is believed, or it is the one that is connected.
fn forwarded(request: &Request<'_>) {
    let peer: IpAddr = [10, 0, 0, 1].into();
    let proxies = Proxies { trusted: vec!["10.0.0.0/8".parse().expect("a network")], ..Proxies::default() };
    let client = proxies.client(peer, request);
    assert!(client == peer || !proxies.trusted[0].contains(&client), "{client}");
    assert_eq!(client, client.to_canonical());
    let stranger = [192, 0, 2, 1].into();
    assert_eq!(proxies.client(stranger, request), stranger);
}
