//! HTTP responses taken apart, plainly: whatever is not as RFC 9112 has it is a panic.

/// A response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// In lower case, and in order.
    fields: Vec<(String, String)>,
    body: Vec<u8>,
    /// Of all of it.
    pub(crate) length: usize,
}

impl Response {
    pub(crate) fn closes(&self) -> bool {
        self.field("connection") == Some("close")
    }

    /// Whether it answers what is no request.
    pub(crate) fn is_refusal(&self) -> bool {
        [400, 413, 414, 431, 501, 505].contains(&self.status) && self.closes()
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.0 == name).map(|field| field.1.as_str())
    }
}

/// All responses in `bytes`, which end with the last. `is_next_to_head` says of each answer that a service has given,
/// in order, whether it is to a HEAD request.
pub(crate) fn responses(mut bytes: &[u8], mut is_next_to_head: impl FnMut() -> bool) -> Vec<Response> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let response = response(bytes, &mut is_next_to_head);
        bytes = &bytes[response.length..];
        all.push(response);
    }
    all
}

fn response(bytes: &[u8], is_next_to_head: &mut impl FnMut() -> bool) -> Response {
    let end = bytes.windows(4).position(|part| part == b"\r\n\r\n").expect("a head has an end");
    let head = std::str::from_utf8(&bytes[..end]).expect("a head is text");
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap_or_default();
    let (status, reason) = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.split_once(' ')).expect(line);
    let status: u16 = status.parse().expect(line);
    assert!((100..600).contains(&status) && !reason.is_empty(), "{line}");
    let fields: Vec<_> = lines
        .map(|line| {
            assert!(!line.contains(char::is_control), "{line:?}");
            let (name, value) = line.split_once(": ").expect(line);
            (name.to_ascii_lowercase(), value.to_owned())
        })
        .collect();
    let mut response = Response { status, fields, body: Vec::new(), length: end + 4 };
    // of the statuses that come from no service, refusals end the connection
    let is_served = status != 100 && status != 405 && !(response.is_refusal());
    if is_served && is_next_to_head() || matches!(status, 100 | 304) {
        return response;
    }
    let rest = &bytes[response.length..];
    match (response.field("content-length"), response.field("transfer-encoding")) {
        (Some(length), None) => {
            let length: usize = length.trim_start_matches(' ').parse().expect(length);
            assert!(length <= rest.len(), "{response:?} is cut off");
            response.body = rest[..length].to_vec();
            response.length += length;
        }
        (None, Some("chunked")) => {
            let (body, length) = chunked(rest);
            response.body = body;
            response.length += length;
        }
        (None, None) => {
            assert!(response.closes(), "{response:?} has no end");
            response.body = rest.to_vec();
            response.length += rest.len();
        }
        both => panic!("{both:?}"),
    }
    response
}

/// The body, and how long it is on the wire.
fn chunked(bytes: &[u8]) -> (Vec<u8>, usize) {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let line = bytes[at..].windows(2).position(|part| part == b"\r\n").expect("a chunk has a size");
        let digits = std::str::from_utf8(&bytes[at..at + line]).expect("a size is text");
        let size = usize::from_str_radix(digits, 16).expect(digits);
        at += line + 2;
        body.extend_from_slice(&bytes[at..at + size]);
        at += size;
        assert_eq!(&bytes[at..at + 2], b"\r\n");
        at += 2;
        if size == 0 {
            return (body, at);
        }
    }
}
