//! One request and its answer over a connection of their own, and what can go wrong with that.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use examples::answer::{
    AnswerError, Body, ChunkError, Chunks, Head, HeadError, header, one_line, parse_head,
};
use examples::tracker_url::TrackerUrl;

use crate::options::Family;

/// A longer body is not read: the whole of a large tracker has some 100 MB.
const LONGEST_BODY: usize = 256 << 20;

/// What came back.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// Who has answered.
    pub(crate) addr: SocketAddr,
    /// From the connection's begin to the answer's end.
    pub(crate) took: Duration,
    tracker: String,
    status: u16,
    head: Vec<u8>,
    body: Vec<u8>,
}

/// Why nothing came back, or nothing to work with. `Display` is the sentence that the user sees.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    #[error("the name {0} cannot be found: {1}")]
    NotFound(String, String),
    #[error("{0} has no {1} address")]
    NoFamily(String, &'static str),
    #[error("nobody listens at {0}: the connection was refused")]
    Refused(SocketAddr),
    #[error("{0} cannot be reached: {1}")]
    Unreachable(SocketAddr, io::Error),
    #[error("{0} {1} within {2} s")]
    Timeout(String, &'static str, u64),
    #[error("{0} closed the connection {1}")]
    Closed(SocketAddr, &'static str),
    #[error("the connection to {0} broke: {1}")]
    Broke(SocketAddr, io::Error),
    #[error("{addr} does not answer in HTTP: {error}{hint}")]
    NotHttp { addr: SocketAddr, error: HeadError, hint: String },
    #[error("{0} answers wrongly: {1}")]
    Chunks(SocketAddr, ChunkError),
    #[error("the answer of {0} is longer than {max} MiB", max = LONGEST_BODY >> 20)]
    TooLong(SocketAddr),
    #[error("{tracker} answers with status {status}{hint}")]
    Status { tracker: String, status: u16, hint: String },
    #[error("{tracker} answers, but not as a tracker: {error}")]
    Answer { tracker: String, error: AnswerError },
}

impl Exchange {
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// What is wrong with a body that is no tracker's answer: a status other than 200 explains it best.
    pub(crate) fn explain(&self, error: AnswerError) -> AskError {
        if self.status == 200 {
            AskError::Answer { tracker: self.tracker.clone(), error }
        } else {
            self.wrong_status()
        }
    }

    pub(crate) fn wrong_status(&self) -> AskError {
        let reason = self.head.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let reason = one_line(reason.get(12..).unwrap_or_default());
        let mut hint = if reason.is_empty() { String::new() } else { format!(" {reason}") };
        if let Some(place) = header(&self.head, "location") {
            hint += &format!(": it has moved, ask {}", one_line(place));
        } else {
            let start: String = one_line(&self.body[..self.body.len().min(300)]).chars().take(100).collect();
            if !start.is_empty() {
                hint += &format!(": \"{start}\"");
            }
        }
        AskError::Status { tracker: self.tracker.clone(), status: self.status, hint }
    }
}

/// Sends the request, and waits for the whole answer, no longer than `timeout` altogether.
pub(crate) fn ask(
    tracker: &TrackerUrl,
    request: &str,
    family: Option<Family>,
    timeout: Duration,
) -> Result<Exchange, AskError> {
    let end = Instant::now() + timeout;
    let addrs = resolve(tracker, family, timeout)?;
    let begin = Instant::now();
    let mut failure = None;
    for addr in addrs {
        let room = end.saturating_duration_since(Instant::now());
        match TcpStream::connect_timeout(&addr, room.max(Duration::from_millis(1))) {
            Ok(stream) => {
                let mut line = Line { addr, stream, end, timeout };
                line.send(request)?;
                let (head, body, status) = line.receive()?;
                let tracker = tracker.to_string();
                return Ok(Exchange { addr, took: begin.elapsed(), tracker, status, head, body });
            }
            Err(error) => failure = Some(connect_error(addr, error, timeout)),
        }
    }
    Err(failure.unwrap_or_else(|| AskError::NotFound(tracker.host().to_string(), "no address".to_owned())))
}

fn connect_error(addr: SocketAddr, error: io::Error, timeout: Duration) -> AskError {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => AskError::Refused(addr),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
            AskError::Timeout(addr.to_string(), "did not take the connection", timeout.as_secs())
        }
        _ => AskError::Unreachable(addr, error),
    }
}

/// The addresses of the tracker. The system's resolver knows no timeout, so it is waited for from outside.
fn resolve(
    tracker: &TrackerUrl,
    family: Option<Family>,
    timeout: Duration,
) -> Result<Vec<SocketAddr>, AskError> {
    let (host, port) = (tracker.host().to_string(), tracker.port());
    let all = if let Some(ip) = tracker.ip() {
        vec![SocketAddr::new(ip, port)]
    } else {
        let (sender, receiver) = mpsc::channel();
        let name = host.clone();
        // it ends with the program if the resolver never answers
        thread::spawn(move || sender.send((name.as_str(), port).to_socket_addrs().map(Vec::from_iter)));
        match receiver.recv_timeout(timeout) {
            Ok(Ok(addrs)) => addrs,
            Ok(Err(error)) => return Err(AskError::NotFound(host, one_line(error.to_string().as_bytes()))),
            Err(_) => {
                return Err(AskError::Timeout(
                    format!("the name {host}"),
                    "was not found",
                    timeout.as_secs(),
                ));
            }
        }
    };
    let is_wanted = |addr: &SocketAddr| family.is_none_or(|family| addr.is_ipv4() == (family == Family::V4));
    let wanted: Vec<_> = all.into_iter().filter(is_wanted).collect();
    if wanted.is_empty() {
        let name = if family == Some(Family::V6) { "IPv6" } else { "IPv4" };
        return Err(AskError::NoFamily(host, name));
    }
    Ok(wanted)
}

/// A connection, and until when it is waited for.
struct Line {
    addr: SocketAddr,
    stream: TcpStream,
    end: Instant,
    timeout: Duration,
}

impl Line {
    fn send(&mut self, request: &str) -> Result<(), AskError> {
        let room = self.room("took no request")?;
        let sent = self
            .stream
            .set_write_timeout(Some(room))
            .and_then(|()| self.stream.write_all(request.as_bytes()));
        match sent {
            // who has closed already may have said why
            Err(error) if !is_reset(&error) => Err(AskError::Broke(self.addr, error)),
            _ => Ok(()),
        }
    }

    fn receive(&mut self) -> Result<(Vec<u8>, Vec<u8>, u16), AskError> {
        let mut bytes = Vec::new();
        let head = loop {
            match parse_head(&bytes).map_err(|error| self.not_http(error, &bytes))? {
                Some(head) if head.status < 200 && head.status != 101 => {
                    bytes.drain(..head.len);
                }
                Some(head) => break head,
                None => {
                    if self.read(&mut bytes, "sent no answer")? == 0 {
                        return Err(AskError::Closed(self.addr, where_it_ended(&bytes)));
                    }
                }
            }
        };
        let rest = bytes.split_off(head.len);
        let body = self.body(head, rest)?;
        Ok((bytes, body, head.status))
    }

    /// `bytes` are those of the body that came with the head.
    fn body(&mut self, head: Head, mut bytes: Vec<u8>) -> Result<Vec<u8>, AskError> {
        const LATE: &str = "sent only a part of its answer";
        const EARLY: &str = "before the end of its answer";
        match head.body {
            Body::Length(length) => {
                let length = usize::try_from(length).ok().filter(|&length| length <= LONGEST_BODY);
                let length = length.ok_or(AskError::TooLong(self.addr))?;
                while bytes.len() < length {
                    if self.read(&mut bytes, LATE)? == 0 {
                        return Err(AskError::Closed(self.addr, EARLY));
                    }
                }
                bytes.truncate(length);
                Ok(bytes)
            }
            Body::Chunked => {
                let (mut chunks, mut body) = (Chunks::default(), Vec::new());
                loop {
                    chunks.push(&bytes, &mut body).map_err(|error| AskError::Chunks(self.addr, error))?;
                    bytes.clear();
                    if chunks.is_done() {
                        return Ok(body);
                    }
                    if body.len() > LONGEST_BODY {
                        return Err(AskError::TooLong(self.addr));
                    }
                    if self.read(&mut bytes, LATE)? == 0 {
                        return Err(AskError::Closed(self.addr, EARLY));
                    }
                }
            }
            Body::UntilClose => {
                while self.read(&mut bytes, LATE)? > 0 {
                    if bytes.len() > LONGEST_BODY {
                        return Err(AskError::TooLong(self.addr));
                    }
                }
                Ok(bytes)
            }
        }
    }

    /// Appends what has come, 0 bytes at the end.
    fn read(&mut self, bytes: &mut Vec<u8>, late: &'static str) -> Result<usize, AskError> {
        let mut buffer = [0; 16 << 10];
        loop {
            let room = self.room(late)?;
            let read = self.stream.set_read_timeout(Some(room)).and_then(|()| self.stream.read(&mut buffer));
            match read {
                Ok(count) => {
                    bytes.extend_from_slice(&buffer[..count]);
                    return Ok(count);
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {}
                    _ if is_reset(&error) => {
                        let place =
                            if bytes.is_empty() { "without a word" } else { "before the end of its answer" };
                        return Err(AskError::Closed(self.addr, place));
                    }
                    _ => return Err(AskError::Broke(self.addr, error)),
                },
            }
        }
    }

    /// How long may still be waited.
    fn room(&self, late: &'static str) -> Result<Duration, AskError> {
        let room = self.end.saturating_duration_since(Instant::now());
        if room.is_zero() {
            return Err(AskError::Timeout(self.addr.to_string(), late, self.timeout.as_secs()));
        }
        Ok(room)
    }

    fn not_http(&self, error: HeadError, bytes: &[u8]) -> AskError {
        let hint = match bytes {
            [0x15 | 0x16, 3, ..] => ", but in TLS: it may be an https tracker".to_owned(),
            _ => {
                let start: String = one_line(&bytes[..bytes.len().min(120)]).chars().take(40).collect();
                format!(", but with \"{}\"", start.replace(char::REPLACEMENT_CHARACTER, "."))
            }
        };
        AskError::NotHttp { addr: self.addr, error, hint }
    }
}

fn where_it_ended(bytes: &[u8]) -> &'static str {
    if bytes.is_empty() { "without a word" } else { "within the header of its answer" }
}

fn is_reset(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted
    )
}
