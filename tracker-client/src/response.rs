//! The head of an HTTP/1.x response ([RFC 9112]), and a chunked body: bytes in, no I/O.
//!
//! Both are total: any bytes give a result, "need more", or an error. The head is parsed where it lies.
//!
//! [RFC 9112]: https://www.rfc-editor.org/rfc/rfc9112

use memchr::memchr;

/// A head that is longer is refused.
pub const LONGEST_HEAD: usize = 32 << 10;

/// How the end of a body is found (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// After so many bytes.
    Length(u64),
    /// By itself: see [`Chunks`].
    Chunked,
    /// Where the server closes the connection.
    UntilClose,
}

/// A complete head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Such as 200. An interim answer (1xx) is followed by another head.
    pub status: u16,
    /// How many bytes the head takes, its empty line included.
    pub len: usize,
    /// What follows it. An answer to HEAD has no body, whatever is said here.
    pub body: Body,
    /// Whether the connection ends with this answer.
    pub closes: bool,
}

/// Why bytes are no head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// It does not begin with `HTTP/1.`
    #[error("it does not begin as an answer of HTTP/1.1 does")]
    NotHttp,
    /// No three digits behind the version.
    #[error("its status is no number of three digits")]
    Status,
    /// A Content-Length that is no number, or two that differ.
    #[error("its Content-Length is no number, or is there twice")]
    Length,
    /// More than [`LONGEST_HEAD`] bytes without an end.
    #[error("its header has no end within {LONGEST_HEAD} bytes")]
    TooLong,
}

/// Parses the head at the start of `buf`; `None` if it goes on behind its end. What follows the head is left alone.
///
/// # Errors
/// What cannot become a head, whatever follows.
pub fn parse_head(buf: &[u8]) -> Result<Option<Head>, HeadError> {
    const BEGIN: &[u8] = b"HTTP/1.";
    let common = buf.len().min(BEGIN.len());
    if buf[..common] != BEGIN[..common] {
        return Err(HeadError::NotHttp);
    }
    let unfinished = || if buf.len() > LONGEST_HEAD { Err(HeadError::TooLong) } else { Ok(None) };
    let Some(end) = memchr(b'\n', buf) else { return unfinished() };
    let (minor, status) = status_line(strip_cr(&buf[..end])).ok_or(HeadError::Status)?;
    let mut found = Fields::default();
    let mut at = end + 1;
    loop {
        if at > LONGEST_HEAD {
            return Err(HeadError::TooLong);
        }
        let Some(length) = memchr(b'\n', &buf[at..]) else { return unfinished() };
        let line = strip_cr(&buf[at..at + length]);
        at += length + 1;
        if line.is_empty() {
            return Ok(Some(found.head(minor, status, at)));
        }
        found.take(line)?;
    }
}

/// The value of the first header of that name in a complete head, written in any case.
pub fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a [u8]> {
    head.split(|&byte| byte == b'\n').skip(1).find_map(|line| value(strip_cr(line), name))
}

/// `HTTP/1.1 200 OK`: the minor version and the status.
fn status_line(line: &[u8]) -> Option<(u8, u16)> {
    let (&minor, rest) = line.get(7..)?.split_first()?;
    let [b' ', status @ ..] = rest else { return None };
    let (digits, rest) = status.split_first_chunk::<3>()?;
    if !minor.is_ascii_digit() || !digits.iter().all(u8::is_ascii_digit) || !matches!(rest, [] | [b' ', ..]) {
        return None;
    }
    let status = digits.iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0'));
    Some((minor - b'0', status))
}

/// What the header lines say of the body and the connection.
#[derive(Default)]
struct Fields {
    length: Option<u64>,
    is_chunked: bool,
    is_coded: bool,
    close: bool,
    keep_alive: bool,
}

impl Fields {
    fn take(&mut self, line: &[u8]) -> Result<(), HeadError> {
        match line[0] | 0x20 {
            b'c' => {
                if let Some(value) = value(line, "content-length") {
                    let length = number(value).ok_or(HeadError::Length)?;
                    if self.length.replace(length).is_some_and(|other| other != length) {
                        return Err(HeadError::Length);
                    }
                } else if let Some(value) = value(line, "connection") {
                    for token in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
                        self.close |= token.eq_ignore_ascii_case(b"close");
                        self.keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
                    }
                }
            }
            b't' => {
                if let Some(value) = value(line, "transfer-encoding") {
                    let last = value.rsplit(|&byte| byte == b',').next().unwrap_or_default();
                    self.is_coded = true;
                    self.is_chunked = last.trim_ascii().eq_ignore_ascii_case(b"chunked");
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn head(&self, minor: u8, status: u16, len: usize) -> Head {
        let body = match (status, self.length) {
            (100..=199 | 204 | 304, _) => Body::Length(0),
            _ if self.is_chunked => Body::Chunked,
            (_, Some(length)) if !self.is_coded => Body::Length(length),
            _ => Body::UntilClose,
        };
        let asks = if minor == 0 { !self.keep_alive } else { self.close };
        Head { status, len, body, closes: asks || body == Body::UntilClose }
    }
}

fn value<'a>(line: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let (found, rest) = line.split_at_checked(name.len())?;
    let [b':', value @ ..] = rest else { return None };
    found.eq_ignore_ascii_case(name.as_bytes()).then(|| value.trim_ascii())
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

fn strip_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// A chunked body is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its body is not chunked as its header says")]
pub struct ChunkError;

/// Takes a chunked body (RFC 9112 §7.1) apart, in whatever parts it comes.
#[derive(Clone, Debug, Default)]
pub struct Chunks {
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the line with a chunk's size; whether a digit was seen, and whether its digits are over.
    Size {
        size: u64,
        any: bool,
        over: bool,
    },
    /// In a chunk with so many bytes left.
    Data(u64),
    /// Behind a chunk, before its line end.
    DataEnd,
    /// Behind the last chunk; whether something stands in this line.
    Trailer(bool),
    Done,
}

impl Default for State {
    fn default() -> Self {
        State::Size { size: 0, any: false, over: false }
    }
}

impl Chunks {
    /// Takes the next bytes of the connection, and appends what they hold of the body to `out`. Returns how many were
    /// taken: all of them unless the body has [ended](Chunks::is_done).
    ///
    /// # Errors
    /// They do not follow the rules.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<usize, ChunkError> {
        let mut at = 0;
        while at < bytes.len() && self.state != State::Done {
            if let State::Data(left) = self.state {
                let part = (bytes.len() - at).min(usize::try_from(left).unwrap_or(usize::MAX));
                out.extend_from_slice(&bytes[at..at + part]);
                at += part;
                let left = left - part as u64;
                self.state = if left == 0 { State::DataEnd } else { State::Data(left) };
                continue;
            }
            self.state = next(self.state, bytes[at]).ok_or(ChunkError)?;
            at += 1;
        }
        Ok(at)
    }

    /// Whether the body has ended.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }
}

fn next(state: State, byte: u8) -> Option<State> {
    Some(match (state, byte) {
        (State::Size { any: false, .. }, b'\n') => return None,
        (State::Size { size: 0, .. }, b'\n') => State::Trailer(false),
        (State::Size { size, .. }, b'\n') => State::Data(size),
        (State::Size { size, over: false, .. }, byte) if byte.is_ascii_hexdigit() => {
            let digit = u64::from(char::from(byte).to_digit(16)?);
            State::Size { size: size.checked_mul(16)?.checked_add(digit)?, any: true, over: false }
        }
        // an extension, or blanks
        (State::Size { size, any: true, .. }, _) => State::Size { size, any: true, over: true },
        (State::DataEnd, b'\r') => State::DataEnd,
        (State::DataEnd, b'\n') => State::default(),
        (State::Trailer(false), b'\n') => State::Done,
        (State::Trailer(_), b'\n') => State::Trailer(false),
        (State::Trailer(any), b'\r') => State::Trailer(any),
        (State::Trailer(_), _) => State::Trailer(true),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use rand_core::{Rng, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    fn head(text: &str) -> Head {
        parse_head(text.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn heads_of_trackers() {
        let ours = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 342\r\n\r\nd8:";
        let expected = Head { status: 200, len: ours.len() - 3, body: Body::Length(342), closes: false };
        assert_eq!(head(ours), expected);
        let opentracker = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 63\r\n\r\n";
        assert!(head(opentracker).closes, "1.0 without keep-alive");
        assert_eq!(head(opentracker).body, Body::Length(63));
        let node =
            "HTTP/1.1 200 OK\r\nconnection: Keep-Alive, foo\r\nTRANSFER-ENCODING: gzip, Chunked\r\n\r\n";
        assert_eq!((head(node).body, head(node).closes), (Body::Chunked, false));
        let bare = "HTTP/1.1 404\nX: y\n\n";
        assert_eq!(head(bare), Head { status: 404, len: bare.len(), body: Body::UntilClose, closes: true });
        assert!(head("HTTP/1.1 200 OK\r\nConnection: x, CLOSE\r\nContent-Length: 0\r\n\r\n").closes);
        assert!(!head("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n").closes);
        assert_eq!(head("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n").body, Body::Length(0));
    }

    #[test]
    fn a_head_cut_anywhere_needs_more() {
        let text = b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\n";
        for cut in 0..text.len() {
            assert_eq!(parse_head(&text[..cut]), Ok(None), "cut at {cut}");
        }
        assert_eq!(header(text, "SERVER"), Some(&b"x"[..]));
        assert_eq!(header(text, "Date"), None);
    }

    #[test]
    fn what_is_no_head_is_told_at_once() {
        for (text, error) in [
            ("S", HeadError::NotHttp),
            ("HTTP/2", HeadError::NotHttp),
            ("d8:intervali", HeadError::NotHttp),
            ("HTTP/1.1 20\r\n", HeadError::Status),
            ("HTTP/1.1 2000 OK\r\n", HeadError::Status),
            ("HTTP/1.1  200 OK\r\n", HeadError::Status),
            ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n", HeadError::Length),
            ("HTTP/1.1 200 OK\r\nContent-Length: \r\n", HeadError::Length),
            ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n", HeadError::Length),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\ncontent-length: 2\r\n", HeadError::Length),
        ] {
            assert_eq!(parse_head(text.as_bytes()), Err(error), "{text:?}");
        }
        let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(LONGEST_HEAD));
        assert_eq!(parse_head(endless.as_bytes()), Err(HeadError::TooLong));
        let lines = format!("HTTP/1.1 200 OK\r\n{}", "X: y\r\n".repeat(LONGEST_HEAD));
        assert_eq!(parse_head(lines.as_bytes()), Err(HeadError::TooLong));
    }

    #[test]
    fn chunks_in_any_parts() {
        let wire =
            b"4\r\nWiki\r\n5;ext=1\r\npedia\r\n0E\nin\r\n\r\nchunks.!\r\n000\r\nTrailer: 1\r\n\r\nHTTP/1.1";
        for step in 1..wire.len() {
            let (mut chunks, mut out, mut at) = (Chunks::default(), Vec::new(), 0);
            while !chunks.is_done() {
                let end = (at + step).min(wire.len());
                at += chunks.push(&wire[at..end], &mut out).unwrap();
            }
            assert_eq!(out, b"Wikipediain\r\n\r\nchunks.!", "in steps of {step}");
            assert_eq!(&wire[at..], b"HTTP/1.1");
        }
        for bad in ["\r\n", "x\r\n", "1\r\nab", "fffffffffffffffff\r\n", "-1\r\n"] {
            assert_eq!(Chunks::default().push(bad.as_bytes(), &mut Vec::new()), Err(ChunkError), "{bad:?}");
        }
    }

    #[test]
    fn no_bytes_upset_it() {
        let seed = 7;
        println!("seed {seed}");
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let good = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n4\r\nabcd\r\n0\r\n\r\n";
        for _ in 0..20_000 {
            let mut bytes = good.to_vec();
            for _ in 0..1 + rng.next_u32() % 6 {
                let at = rng.next_u32() as usize % bytes.len();
                bytes[at] = b"\r\n :,0Fx\0\xff"[rng.next_u32() as usize % 10];
            }
            bytes.truncate(rng.next_u32() as usize % (bytes.len() + 1));
            let whole = parse_head(&bytes);
            if let Ok(Some(head)) = whole {
                assert!(head.len <= bytes.len() && head.status < 1000);
                // the head alone is the head, and whatever is shorter is none yet
                assert_eq!(parse_head(&bytes[..head.len]), whole);
                assert_eq!(parse_head(&bytes[..head.len - 1]), Ok(None));
                let mut out = Vec::new();
                let rest = &bytes[head.len..];
                assert!(Chunks::default().push(rest, &mut out).is_err() || out.len() <= rest.len());
            }
        }
    }
}
