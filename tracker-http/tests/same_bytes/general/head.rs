//! The head of a request, line by line, as text in which each byte is a character.

use tracker_http::parser::Limits;
use url::Url;

use super::Stop;

/// What a head says.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Vec<u8>,
    pub(super) minor: u8,
    pub(super) keep_alive: bool,
    pub(super) body: Body,
    pub(super) expects_continue: bool,
    /// Its bytes, with the empty lines before it and behind it.
    pub(super) length: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Length(u64),
    Chunked,
}

const REQUEST_LINE: Stop =
    Stop::Refused(400, "the request line is not: method, one space, target, one space, HTTP version");
const TARGET: Stop =
    Stop::Refused(400, "the request target is empty, or has a control byte, or names no host");
const TARGET_TOO_LONG: Stop = Stop::Refused(414, "the request target is too long");
const VERSION: Stop = Stop::Refused(505, "this server speaks HTTP/1.1 and HTTP/1.0");
const METHOD: Stop = Stop::Refused(501, "the method is not known to this server");
const FIELD_NAME: Stop = Stop::Refused(400, "a header line does not begin with a name and a colon");
const FIELD_VALUE: Stop = Stop::Refused(400, "a header line has a control byte");
const HEAD_TOO_LARGE: Stop = Stop::Refused(431, "the header is too large");
const HOST: Stop = Stop::Refused(400, "the request must have one Host header");
const CONTENT_LENGTH: Stop = Stop::Refused(400, "Content-Length must be given once and be a decimal number");
const AMBIGUOUS_LENGTH: Stop =
    Stop::Refused(400, "Transfer-Encoding cannot be combined with Content-Length or HTTP/1.0");
const TRANSFER_ENCODING: Stop =
    Stop::Refused(501, "the only Transfer-Encoding known to this server is chunked");
pub(super) const BODY_TOO_LARGE: Stop = Stop::Refused(413, "the request body is too large");

/// So many bytes of empty lines are passed over before a request.
const EMPTY_LINES: usize = 128;
const LONGEST_METHOD: usize = 16;
/// With all that belongs to a request line but its target.
const LINE_REST: usize = LONGEST_METHOD + 16;

pub(super) fn head(bytes: &[u8], limits: &Limits) -> Result<Head, Stop> {
    let mut at = 0;
    while let Some((line, length)) = first_line(&bytes[at..])
        && line.is_empty()
    {
        at += length;
        if at > EMPTY_LINES {
            return Err(REQUEST_LINE);
        }
    }
    let Some((line, length)) = first_line(&bytes[at..]) else {
        return Err(unfinished_line(&text(&bytes[at..]), limits));
    };
    at += length;
    let (method, path, query, minor) = request_line(&line, limits)?;
    let (fields, length) = fields(&bytes[at..], limits)?;
    let body = body(&fields, minor, limits)?;
    let is_option = |wanted| {
        let options =
            fields.iter().filter(|field| field.0 == "connection").flat_map(|field| field.1.split(','));
        options.map(trim).any(|option| option.eq_ignore_ascii_case(wanted))
    };
    let expects =
        |(name, value): &(String, String)| name == "expect" && value.eq_ignore_ascii_case("100-continue");
    Ok(Head {
        method,
        path,
        query: query.chars().map(|c| c as u8).collect(),
        minor,
        keep_alive: !is_option("close") && (minor > 0 || is_option("keep-alive")),
        body,
        expects_continue: minor > 0 && fields.iter().any(expects),
        length: at + length,
    })
}

/// The first line without its end, and its length with it.
fn first_line(bytes: &[u8]) -> Option<(String, usize)> {
    let end = bytes.iter().position(|&byte| byte == b'\n')?;
    let line = &bytes[..end];
    Some((text(line.strip_suffix(b"\r").unwrap_or(line)), end + 1))
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn is_control(c: char) -> bool {
    c < ' ' || c == '\x7f'
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

fn trim(value: &str) -> &str {
    value.trim_matches([' ', '\t'])
}

/// What there is to say of a request line before its end has come: usually nothing.
fn unfinished_line(line: &str, limits: &Limits) -> Stop {
    if line.is_empty() || line == "\r" {
        return Stop::Partial; // maybe one more empty line
    }
    if let Err(stop) = method(line) {
        return stop;
    }
    if line.strip_suffix('\r').unwrap_or(line).contains(is_control) {
        return REQUEST_LINE;
    }
    if line.chars().count() > limits.target + LINE_REST { TARGET_TOO_LONG } else { Stop::Partial }
}

/// Whether what a line begins with is a method, or the beginning of one.
fn method(line: &str) -> Result<(), Stop> {
    let name: String = line.chars().take_while(|&c| is_token(c)).collect();
    match line[name.len()..].chars().next() {
        _ if name.len() > LONGEST_METHOD => Err(METHOD),
        None => Ok(()),
        Some(' ') if !name.is_empty() => Ok(()),
        Some(_) => Err(REQUEST_LINE),
    }
}

/// Method, path, query and minor version.
fn request_line(line: &str, limits: &Limits) -> Result<(String, String, String, u8), Stop> {
    method(line)?;
    let (name, rest) = line.split_once(' ').ok_or(REQUEST_LINE)?;
    // `/announce ?info_hash=…`, as old clients have it
    let blank = if rest.starts_with("/announce ?") { "/announce ".len() } else { 0 };
    let (behind, version) = rest[blank..].split_once(' ').ok_or(REQUEST_LINE)?;
    let target = &rest[..blank + behind.len()];
    if target.chars().count() > limits.target {
        return Err(TARGET_TOO_LONG);
    }
    let (path, query) = path_and_query(target)?;
    if target.contains(is_control) {
        return Err(TARGET);
    }
    let minor = minor_version(version)?;
    let known = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
    if !known.contains(&name) {
        return Err(METHOD);
    }
    Ok((name.to_owned(), path.trim_end_matches(' ').to_owned(), query, minor))
}

fn path_and_query(target: &str) -> Result<(String, String), Stop> {
    if target.is_empty() {
        return Err(TARGET);
    }
    let scheme = ["http://", "https://"].into_iter().find(|s| target.to_ascii_lowercase().starts_with(s));
    let Some(scheme) = scheme else { return Ok(split_query(target)) };
    // the word of `url` counts wherever it takes an URL as it is; it mends others, which the tracker does not
    if let Ok(url) = Url::parse(target)
        && url.as_str() == target
        && url.fragment().is_none()
    {
        return Ok((url.path().to_owned(), url.query().unwrap_or_default().to_owned()));
    }
    let rest = &target[scheme.len()..];
    match rest.find(['/', '?']) {
        Some(0) => Err(TARGET),
        None if rest.is_empty() => Err(TARGET),
        None => Ok(("/".to_owned(), String::new())),
        Some(end) if rest[end..].starts_with('?') => Ok(split_query(&format!("/{}", &rest[end..]))),
        Some(end) => Ok(split_query(&rest[end..])),
    }
}

fn split_query(target: &str) -> (String, String) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    (path.to_owned(), query.to_owned())
}

fn minor_version(version: &str) -> Result<u8, Stop> {
    let version = version.strip_prefix("HTTP/").ok_or(REQUEST_LINE)?;
    match version.chars().collect::<Vec<_>>()[..] {
        ['1', '.', '0'] => Ok(0),
        ['1', '.', '1'..='9'] => Ok(1),
        ['0'..='9', '.', '0'..='9'] | ['2'..='9'] => Err(VERSION),
        _ => Err(REQUEST_LINE),
    }
}

/// The header lines, their names in lower case, and the bytes that they take with the empty line behind them.
fn fields(block: &[u8], limits: &Limits) -> Result<(Vec<(String, String)>, usize), Stop> {
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut at = 0;
    loop {
        let Some((line, length)) = first_line(&block[at..]) else {
            // a CR may be there already, of the empty line, which does not count
            return Err(if block.len() > limits.head + 1 { HEAD_TOO_LARGE } else { Stop::Partial });
        };
        if line.contains(|c| is_control(c) && c != '\t') {
            return Err(FIELD_VALUE);
        }
        at += length;
        if line.is_empty() {
            return Ok((fields, at));
        }
        if at > limits.head || fields.len() == limits.fields {
            return Err(HEAD_TOO_LARGE);
        }
        let (name, value) = line.split_once(':').ok_or(FIELD_NAME)?;
        if name.is_empty() || !name.chars().all(is_token) {
            return Err(FIELD_NAME);
        }
        let (name, value) = (name.to_ascii_lowercase(), trim(value).to_owned());
        if name == "content-length" {
            let is_second = fields.iter().any(|field| field.0 == name);
            let is_number = !value.is_empty() && value.chars().all(|c| c.is_ascii_digit());
            if is_second || !is_number || value.parse::<u64>().is_err() {
                return Err(CONTENT_LENGTH);
            }
        }
        fields.push((name, value));
    }
}

fn body(fields: &[(String, String)], minor: u8, limits: &Limits) -> Result<Body, Stop> {
    let all = |name: &str| -> Vec<&str> {
        fields.iter().filter(|field| field.0 == name).map(|field| field.1.as_str()).collect()
    };
    let hosts = all("host").len();
    if hosts > 1 || hosts == 0 && minor > 0 {
        return Err(HOST);
    }
    let length = all("content-length").first().and_then(|digits| digits.parse().ok());
    match (&all("transfer-encoding")[..], length) {
        ([], length) if length.unwrap_or(0) > limits.body => Err(BODY_TOO_LARGE),
        ([], length) => Ok(Body::Length(length.unwrap_or(0))),
        (_, Some(_)) => Err(AMBIGUOUS_LENGTH),
        _ if minor == 0 => Err(AMBIGUOUS_LENGTH),
        ([coding], None) if coding.eq_ignore_ascii_case("chunked") => Ok(Body::Chunked),
        _ => Err(TRANSFER_ENCODING),
    }
}
