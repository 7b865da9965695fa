//! The heads of the answers (RFC 9112 §4), written straight into the output buffer.

/// What the answer says about the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Connection {
    /// Nothing: it stays open, as HTTP/1.1 has it.
    #[default]
    Implicit,
    /// That it stays open, for a client of HTTP/1.0 that asked for it.
    KeepAlive,
    /// That it ends with this answer.
    Close,
}

/// How the client finds the end of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// It is so many bytes long.
    Length(usize),
    /// It comes in chunks (RFC 9112 §7.1); never for HTTP/1.0.
    Chunked,
    /// The connection ends with it.
    UntilClose,
    /// There is none, as with 304 (RFC 9110 §15.4.5).
    Absent,
}

/// Tells a client that waits for it to send the body (RFC 9110 §15.2.1).
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Appends the head of an answer.
///
/// An empty `content_type` leaves that line out. `extra` are further headers, name and value; like `content_type`
/// they come from the program, not from a peer: there must be no line end in them.
pub fn head(
    out: &mut Vec<u8>,
    status: u16,
    content_type: &str,
    framing: Framing,
    connection: Connection,
    extra: &[(&str, &str)],
) {
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(itoa::Buffer::new().format(status).as_bytes());
    out.push(b' ');
    out.extend_from_slice(reason(status).as_bytes());
    out.extend_from_slice(b"\r\n");
    if !content_type.is_empty() {
        field(out, "Content-Type", content_type);
    }
    for (name, value) in extra {
        field(out, name, value);
    }
    match connection {
        Connection::Implicit => {}
        Connection::KeepAlive => field(out, "Connection", "keep-alive"),
        Connection::Close => field(out, "Connection", "close"),
    }
    match framing {
        Framing::Length(length) => field(out, "Content-Length", itoa::Buffer::new().format(length)),
        Framing::Chunked => field(out, "Transfer-Encoding", "chunked"),
        Framing::UntilClose | Framing::Absent => {}
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends one chunk of a chunked body; nothing if it is empty, since that would end the body.
pub fn chunk(out: &mut Vec<u8>, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    let digits = (usize::BITS - data.len().leading_zeros()).div_ceil(4);
    let hex = |digit: u32| b"0123456789abcdef"[data.len() >> (4 * digit) & 15];
    out.extend((0..digits).rev().map(hex));
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// Ends a chunked body.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// An answer whose length is not known yet; see [`begin_ok`].
#[derive(Debug)]
#[must_use = "an answer without finish() has a wrong length"]
pub struct Patch {
    /// Where its body begins. Invariant: `000\r\n\r\n` stands before it.
    body: usize,
}

/// Begins a 200 answer of plain text: write its body behind that, and then [`finish`] it.
///
/// Bencoded answers are `text/plain` by tradition.
#[inline]
pub fn begin_ok(out: &mut Vec<u8>, connection: Connection) -> Patch {
    out.extend_from_slice(match connection {
        Connection::Implicit => {
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 000\r\n\r\n"
        }
        Connection::KeepAlive => {
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: keep-alive\r\nContent-Length: 000\r\n\r\n"
        }
        Connection::Close => {
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 000\r\n\r\n"
        }
    });
    Patch { body: out.len() }
}

/// Writes the length of all that stands behind the head into it. Returns where in `out` the body begins: an answer
/// to HEAD is cut off there.
#[expect(clippy::needless_pass_by_value, reason = "a patch is good for one answer")]
#[inline]
pub fn finish(out: &mut Vec<u8>, patch: Patch) -> usize {
    let Patch { body } = patch;
    let mut buffer = itoa::Buffer::new();
    let length = buffer.format(out.len() - body).as_bytes();
    let digits = body - END.len() - 3;
    if length.len() == 3 {
        out[digits..digits + 3].copy_from_slice(length);
        return body;
    }
    // rare enough to move the body, since what is written is exact
    out.splice(digits..digits + 3, length.iter().copied());
    digits + length.len() + END.len()
}

const END: &[u8] = b"\r\n\r\n";

fn field(out: &mut Vec<u8>, name: &str, value: &str) {
    debug_assert!(!value.contains(['\r', '\n']), "a line end in {name}");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// RFC 9110 §15, and RFC 6585.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        414 => "URI Too Long",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn heads_as_they_stand_on_the_wire() {
        let not_allowed = text(|out| {
            head(
                out,
                405,
                "text/plain",
                Framing::Length(12),
                Connection::KeepAlive,
                &[("Allow", "GET, HEAD")],
            );
        });
        assert_eq!(
            not_allowed,
            "HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/plain\r\nAllow: GET, HEAD\r\n\
             Connection: keep-alive\r\nContent-Length: 12\r\n\r\n"
        );
        let chunked = text(|out| head(out, 200, "", Framing::Chunked, Connection::Implicit, &[]));
        assert_eq!(chunked, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        let close = text(|out| head(out, 302, "", Framing::UntilClose, Connection::Close, &[]));
        assert_eq!(close, "HTTP/1.1 302 Found\r\nConnection: close\r\n\r\n");
        let known =
            text(|out| head(out, 304, "", Framing::Absent, Connection::Implicit, &[("ETag", "\"1\"")]));
        assert_eq!(known, "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n");
    }

    #[test]
    fn every_status_of_a_refusal_has_a_name() {
        for status in [400, 403, 404, 405, 408, 413, 414, 429, 431, 500, 501, 503, 505] {
            assert_ne!(reason(status), "Unknown");
        }
    }

    #[test]
    fn the_length_is_exact_and_not_padded() {
        for connection in [Connection::Implicit, Connection::KeepAlive, Connection::Close] {
            for length in [0, 1, 9, 10, 99, 100, 345, 999, 1000, 12_345] {
                let body = "x".repeat(length);
                let answer = text(|out| {
                    out.extend_from_slice(b"the one before");
                    let patch = begin_ok(out, connection);
                    out.extend_from_slice(body.as_bytes());
                    let start = finish(out, patch);
                    assert_eq!(&out[start..], body.as_bytes());
                });
                let expected = text(|out| {
                    out.extend_from_slice(b"the one before");
                    head(out, 200, "text/plain", Framing::Length(length), connection, &[]);
                    out.extend_from_slice(body.as_bytes());
                });
                assert_eq!(answer, expected);
            }
        }
    }

    #[test]
    fn chunks_have_their_size_in_hex() {
        for length in [1, 15, 16, 255, 256, 4095, 65_536] {
            let data = vec![b'x'; length];
            let written = text(|out| chunk(out, &data));
            assert_eq!(written, format!("{length:x}\r\n{}\r\n", String::from_utf8_lossy(&data)));
        }
        assert_eq!(text(|out| chunk(out, b"")), "");
    }
}
