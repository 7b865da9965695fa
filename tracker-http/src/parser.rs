//! The head of an HTTP/1.x request (RFC 9112), parsed where it lies.
//!
//! [`parse`] is total: any bytes give a [`Request`] that borrows from them, "need more", or an [`HttpError`] with
//! its status. It allocates nothing and reads each byte about once. What is refused is refused on the earliest
//! complete line, so that a client which speaks something else never waits for a timeout.

use std::ops::Range;

use memchr::memchr;

#[cfg(test)]
mod cuts;
mod fields;
mod grammar;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod urls;

use self::fields::Fields;
use crate::error::HttpError;

/// How large a request may be. The sizes are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The request target; beyond: 414. 8 KiB unless set.
    pub target: usize,
    /// All header lines with their line ends, without the empty line; beyond: 431. 16 KiB unless set.
    pub head: usize,
    /// The number of header lines; beyond: 431. 100 unless set.
    pub fields: usize,
    /// The body, which is dropped; beyond: 413. 64 KiB unless set.
    pub body: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { target: 8 << 10, head: 16 << 10, fields: 100, body: 64 << 10 }
    }
}

impl Limits {
    /// No head that is accepted is longer, and no longer one stays unanswered: the size of a buffer that always does.
    pub const fn longest_head(&self) -> usize {
        MAX_EMPTY + self.target + LINE_REST + self.head + 2
    }
}

/// What has come of the bytes so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status<T> {
    /// All of it.
    Complete(T),
    /// Fine up to here, but not at its end yet.
    Partial,
}

/// What is to be done with the target (RFC 9110 §9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Serve it.
    Get,
    /// Serve the headers alone.
    Head,
    /// POST, PUT, DELETE, CONNECT, OPTIONS, TRACE or PATCH: known, and not allowed here (405).
    Other,
}

/// What follows the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// The next request.
    Empty,
    /// So many bytes of body: at least one, at most [`Limits::body`].
    Length(u64),
    /// A chunked body (RFC 9112 §7.1).
    Chunked,
}

/// A complete head. It borrows from the buffer that was parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// What is to be done.
    pub method: Method,
    /// The target's path, as it came: not decoded; what is in front of it in an absolute-form target is cut off.
    pub path: &'a [u8],
    /// What follows the first `?` of the target, as it came; `None` without a `?`.
    pub query: Option<&'a [u8]>,
    /// The minor version of HTTP, 0 or 1; anything above is read as 1.
    pub minor: u8,
    /// Whether the client wants the connection to stay open.
    pub keep_alive: bool,
    /// What follows the head.
    pub body: BodyKind,
    /// Whether the client waits for `100 Continue` before it sends that body.
    pub expect_continue: bool,
    /// How many bytes of the buffer the head takes, empty lines before it and its last line included.
    pub head_len: usize,
    /// The header lines as they came, without the empty line behind them.
    pub fields: &'a [u8],
}

impl<'a> Request<'a> {
    /// The values of all headers of that name, written in any case, without the blanks around them, in order.
    ///
    /// Looks through the header lines again, so it is for headers that are seldom asked for.
    pub fn header<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.fields.split(|&b| b == b'\n').filter_map(move |line| {
            let (found, value) = fields::split(strip_cr(line)).ok()?;
            found.eq_ignore_ascii_case(name.as_bytes()).then(|| grammar::trim(value))
        })
    }
}

/// Parses the head at the start of `buf`; what lies behind it (a body, the next request) is left alone.
///
/// # Errors
/// What cannot become a request that this server answers, whatever follows.
pub fn parse<'a>(buf: &'a [u8], limits: &Limits) -> Result<Status<Request<'a>>, HttpError> {
    head(buf, 0, limits)
}

/// Like [`parse`], for a head that comes in parts: same results, in time linear in the bytes instead of quadratic.
///
/// `searched` is 0 for the first part and then what the call before left there; `buf` is all that came so far. It
/// is 0 again after a complete head.
///
/// # Errors
/// As [`parse`].
pub fn parse_resumed<'a>(
    buf: &'a [u8],
    searched: &mut usize,
    limits: &Limits,
) -> Result<Status<Request<'a>>, HttpError> {
    let before = std::mem::replace(searched, buf.len());
    // lines are few (`Limits::fields`), so that looking at all of them again with each new one is cheap
    let result = match buf.get(before..) {
        Some(new) if before > 0 && memchr(b'\n', new).is_none() => unfinished(buf, before, limits),
        Some(_) => head(buf, before, limits),
        None => head(buf, 0, limits),
    };
    if let Ok(Status::Complete(_)) = result {
        *searched = 0;
    }
    result
}

/// More bytes of empty lines than these before a request are no slip of a client any more.
const MAX_EMPTY: usize = 128;

/// A longer method is unknown whatever it is.
const MAX_METHOD: usize = 16;

/// At most so much of a request line is not its target: a method, three spaces, the version, CR, LF.
const LINE_REST: usize = MAX_METHOD + 16;

/// RFC 9112 §2.1: `HTTP-message = start-line CRLF *( field-line CRLF ) CRLF [ message-body ]`
fn head<'a>(buf: &'a [u8], before: usize, limits: &Limits) -> Result<Status<Request<'a>>, HttpError> {
    let Status::Complete(start) = skip_empty_lines(buf)? else { return Ok(Status::Partial) };
    let message = &buf[start..];
    let (line, line_len) = match usual_line(message, limits) {
        Some(found) => found,
        None => match memchr(b'\n', message) {
            Some(end) => (request_line(strip_cr(&message[..end]), limits)?, end + 1),
            None => return unfinished_line(message, before.saturating_sub(start), limits),
        },
    };
    let block = &message[line_len..];
    let mut fields = Fields::default();
    let (mut at, mut count) = (0, 0);
    let end_len = loop {
        let rest = &block[at..];
        // what ends a line is a control byte too, so that one search does for both
        let Some(end) = grammar::control(rest) else { return unfinished_block(block, limits) };
        let end_len = match &rest[end..] {
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] => 1,
            bad if memchr(b'\n', bad).is_none() => return unfinished_block(block, limits),
            _ => return Err(HttpError::FieldValue),
        };
        if end == 0 {
            break end_len;
        }
        (at, count) = (at + end + end_len, count + 1);
        if at > limits.head || count > limits.fields {
            return Err(HttpError::HeadTooLarge);
        }
        fields.line(&rest[..end])?;
    };
    let body = fields.body(line.minor, limits.body)?;
    Ok(Status::Complete(Request {
        method: line.method,
        path: line.path,
        query: line.query,
        minor: line.minor,
        keep_alive: fields.keep_alive(line.minor),
        body,
        expect_continue: body != BodyKind::Empty && fields.expect_continue(line.minor),
        head_len: start + line_len + at + end_len,
        fields: &block[..at],
    }))
}

/// What [`head`] says of bytes whose lines, up to `before`, it has found to be right and to have no end.
fn unfinished<'a>(buf: &'a [u8], before: usize, limits: &Limits) -> Result<Status<Request<'a>>, HttpError> {
    let Status::Complete(start) = skip_empty_lines(buf)? else { return Ok(Status::Partial) };
    let message = &buf[start..];
    match memchr(b'\n', message) {
        Some(end) => unfinished_block(&message[end + 1..], limits),
        None => unfinished_line(message, before.saturating_sub(start), limits),
    }
}

/// A block of header lines that has no end yet: is there still room for one?
fn unfinished_block<'a>(block: &[u8], limits: &Limits) -> Result<Status<Request<'a>>, HttpError> {
    // a CR of the last, empty line does not count
    if block.len() > limits.head + 1 { Err(HttpError::HeadTooLarge) } else { Ok(Status::Partial) }
}

/// A request line that has no end yet, good up to `before`: can it still become one?
fn unfinished_line<'a>(
    line: &[u8],
    before: usize,
    limits: &Limits,
) -> Result<Status<Request<'a>>, HttpError> {
    method(line)?;
    // the last byte of the part before may have been a CR, of a line end or not
    let new = strip_cr(&line[before.saturating_sub(1)..]);
    if !grammar::is_line(new) {
        Err(HttpError::RequestLine)
    } else if line.len() > limits.target + LINE_REST {
        Err(HttpError::TargetTooLong)
    } else {
        Ok(Status::Partial)
    }
}

/// How many bytes of empty lines stand before the request (RFC 9112 §2.2).
fn skip_empty_lines(buf: &[u8]) -> Result<Status<usize>, HttpError> {
    let mut at = 0;
    loop {
        match &buf[at..] {
            [] | [b'\r'] => return Ok(Status::Partial),
            [b'\n', ..] => at += 1,
            [b'\r', b'\n', ..] => at += 2,
            _ => return Ok(Status::Complete(at)),
        }
        if at > MAX_EMPTY {
            return Err(HttpError::RequestLine);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RequestLine<'a> {
    method: Method,
    path: &'a [u8],
    query: Option<&'a [u8]>,
    minor: u8,
}

/// The request line of nearly all requests, and its length, recognised without looking for its end first.
///
/// Whatever is unusual is `None` and left to [`request_line`], which says the same of what this accepts.
fn usual_line<'a>(message: &'a [u8], limits: &Limits) -> Option<(RequestLine<'a>, usize)> {
    let rest = message.strip_prefix(b"GET ")?;
    let end = memchr(b' ', rest)?;
    let (target, version) = rest.split_at(end);
    if !version.starts_with(VERSION) || target.first() != Some(&b'/') {
        return None;
    }
    if end > limits.target || !grammar::is_target(target) {
        return None;
    }
    let (path, query) = split_query(target);
    let line = RequestLine { method: Method::Get, path, query, minor: 1 };
    Some((line, 4 + end + VERSION.len()))
}

const VERSION: &[u8] = b" HTTP/1.1\r\n";

/// A whole request line, without its line end.
///
/// RFC 9112 §3: `request-line = method SP request-target SP HTTP-version`
fn request_line<'a>(line: &'a [u8], limits: &Limits) -> Result<RequestLine<'a>, HttpError> {
    let Status::Complete(name) = method(line)? else { return Err(HttpError::RequestLine) };
    let rest = &line[name.end + 1..];
    let space = |from: usize| memchr(b' ', &rest[from..]).map(|at| from + at).ok_or(HttpError::RequestLine);
    let mut end = space(0)?;
    // some old clients put a space before the query
    let detached = rest.starts_with(b"/announce ?");
    if detached {
        end = space(end + 1)?;
    }
    let (target, version) = (&rest[..end], &rest[end + 1..]);
    if target.len() > limits.target {
        return Err(HttpError::TargetTooLong);
    }
    let (path, query) = if detached {
        (&target[..b"/announce".len()], Some(&target[b"/announce ?".len()..]))
    } else {
        split_target(target)?
    };
    if !grammar::is_line(target) {
        return Err(HttpError::Target);
    }
    // the version first: an HTTP/2 preface has a method of its own
    let minor = minor_version(version)?;
    let method = match &line[name] {
        b"GET" => Method::Get,
        b"HEAD" => Method::Head,
        b"POST" | b"PUT" | b"DELETE" | b"CONNECT" | b"OPTIONS" | b"TRACE" | b"PATCH" => Method::Other,
        _ => return Err(HttpError::Method),
    };
    Ok(RequestLine { method, path, query, minor })
}

/// Where the method lies in a line that begins with it, if the space behind it is there already.
///
/// RFC 9110 §9.1: `method = token`
fn method(line: &[u8]) -> Result<Status<Range<usize>>, HttpError> {
    match line.iter().take(MAX_METHOD + 1).position(|&b| !grammar::is_tchar(b)) {
        Some(end) if end > 0 && line[end] == b' ' => Ok(Status::Complete(0..end)),
        Some(_) => Err(HttpError::RequestLine),
        None if line.len() > MAX_METHOD => Err(HttpError::Method),
        None => Ok(Status::Partial),
    }
}

/// RFC 9112 §2.3: `HTTP-version = "HTTP/" DIGIT "." DIGIT`
fn minor_version(version: &[u8]) -> Result<u8, HttpError> {
    match version.strip_prefix(b"HTTP/") {
        Some([b'1', b'.', b'0']) => Ok(0),
        Some([b'1', b'.', b'1'..=b'9']) => Ok(1),
        // without a minor version, as people write it, it is at least clear what is meant
        Some([b'0'..=b'9', b'.', b'0'..=b'9'] | [b'2'..=b'9']) => Err(HttpError::Version),
        _ => Err(HttpError::RequestLine),
    }
}

/// The path and the query of a target in any form; where it is none of them, the path is all of it.
///
/// RFC 9112 §3.2: `request-target = origin-form / absolute-form / authority-form / asterisk-form`
fn split_target(target: &[u8]) -> Result<(&[u8], Option<&[u8]>), HttpError> {
    let Some(first) = target.first() else { return Err(HttpError::Target) };
    let scheme = [&b"http://"[..], b"https://"]
        .into_iter()
        .find(|s| target.get(..s.len()).is_some_and(|t| t.eq_ignore_ascii_case(s)));
    let Some(scheme) = scheme.filter(|_| *first != b'/') else { return Ok(split_query(target)) };
    let rest = &target[scheme.len()..];
    let authority = rest.iter().position(|&b| b == b'/' || b == b'?').unwrap_or(rest.len());
    if authority == 0 {
        return Err(HttpError::Target);
    }
    let (path, query) = split_query(&rest[authority..]);
    Ok((if path.is_empty() { b"/" } else { path }, query))
}

/// RFC 9112 §3.2.1: `origin-form = absolute-path [ "?" query ]`
fn split_query(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr(b'?', target) {
        Some(mark) => (&target[..mark], Some(&target[mark + 1..])),
        None => (target, None),
    }
}

/// The line without the CR of its CRLF.
fn strip_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
