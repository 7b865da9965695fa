//! A connection to a tracker, with TLS or without: requests go out, answers come in, in order.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rustls::{ClientConnection, StreamOwned};
use url::Host;

use crate::answer::one_line;
use crate::ask::AskError;
use crate::deadline::Deadline;
use crate::response::{Body, Chunks, Head, HeadError, header, parse_head};
use crate::tls::{Tls, TlsError};

/// A longer body is not read: the whole of a large tracker has some 100 MB.
pub const LONGEST_BODY: usize = 256 << 20;

/// An answer as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Such as 200.
    pub status: u16,
    /// Its status line and headers, with their empty line.
    pub head: Vec<u8>,
    /// What follows them, without the marks of chunks.
    pub body: Vec<u8>,
    /// How the end of the body was found.
    pub framing: Body,
    /// Whether the connection ends with it.
    pub closes: bool,
}

impl Response {
    /// The value of the first header of that name.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        header(&self.head, name)
    }

    /// What stands behind the status, such as `Not Found`.
    pub fn reason(&self) -> String {
        let line = self.head.split(|&byte| byte == b'\n').next().unwrap_or_default();
        one_line(line.get(12..).unwrap_or_default())
    }
}

/// An open connection.
#[derive(Debug)]
pub struct Connection {
    addr: SocketAddr,
    stream: Stream,
    /// What has come and was not yet taken.
    ahead: Vec<u8>,
}

#[derive(Debug)]
enum Stream {
    Plain(Timed),
    Tls(Box<StreamOwned<ClientConnection, Timed>>),
}

impl Connection {
    /// Connects, and shakes hands where there is `tls` to the given host.
    ///
    /// # Errors
    /// Nobody is there, or not with TLS, or not the one that it should be.
    pub fn open(
        addr: SocketAddr,
        tls: Option<(&Tls, &Host)>,
        deadline: Deadline,
    ) -> Result<Connection, AskError> {
        const LATE: &str = "did not take the connection";
        let late = || AskError::Timeout(addr.to_string(), LATE, deadline.seconds());
        let room = deadline.room().ok_or_else(late)?;
        let stream = TcpStream::connect_timeout(&addr, room).map_err(|error| match error.kind() {
            io::ErrorKind::ConnectionRefused => AskError::Refused(addr),
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => late(),
            _ => AskError::Unreachable(addr, error),
        })?;
        // what is asked is one write mostly, and shall not wait for the acknowledgement of the one before
        let _ = stream.set_nodelay(true);
        let mut timed = Timed { stream, deadline };
        let stream = match tls {
            None => Stream::Plain(timed),
            Some((tls, host)) => {
                let mut session = tls.session(host).map_err(|error| AskError::Tls(addr, error))?;
                while session.is_handshaking() {
                    match session.complete_io(&mut timed) {
                        Ok((0, 0)) => return Err(AskError::Closed(addr, "before TLS was set up")),
                        Ok(_) => {}
                        Err(error) => return Err(handshake_error(addr, error, deadline)),
                    }
                }
                Stream::Tls(Box::new(StreamOwned::new(session, timed)))
            }
        };
        Ok(Connection { addr, stream, ahead: Vec::new() })
    }

    /// Its own end.
    ///
    /// # Errors
    /// It is gone.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.timed().stream.local_addr()
    }

    /// The name of the version of TLS in use, as in `TLS 1.3`; `None` without TLS.
    pub fn tls_version(&self) -> Option<&'static str> {
        let Stream::Tls(stream) = &self.stream else { return None };
        match stream.conn.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => Some("TLS 1.3"),
            _ => Some("TLS 1.2"),
        }
    }

    /// Waits until then from now on.
    pub fn wait_until(&mut self, deadline: Deadline) {
        match &mut self.stream {
            Stream::Plain(timed) => timed.deadline = deadline,
            Stream::Tls(stream) => stream.sock.deadline = deadline,
        }
    }

    /// Sends a request, or several.
    ///
    /// # Errors
    /// The connection broke. If the tracker has closed it, that is no error yet, since it may have said why.
    pub fn send(&mut self, request: &[u8]) -> Result<(), AskError> {
        let sent = match &mut self.stream {
            Stream::Plain(timed) => timed.write_all(request),
            Stream::Tls(stream) => stream.write_all(request).and_then(|()| stream.flush()),
        };
        match sent {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(self.late("took no request")),
            Err(error) if !is_reset(&error) => Err(self.broke(error)),
            _ => Ok(()),
        }
    }

    /// The next answer.
    ///
    /// # Errors
    /// There is none, or not a whole one.
    pub fn receive(&mut self) -> Result<Response, AskError> {
        let mut response = self.receive_head()?;
        response.body = self.body(response.framing)?;
        Ok(response)
    }

    /// The next answer, of which only the head is taken: that to a HEAD.
    ///
    /// # Errors
    /// There is none.
    pub fn receive_head(&mut self) -> Result<Response, AskError> {
        let head = loop {
            match parse_head(&self.ahead).map_err(|error| self.not_http(error))? {
                Some(head) if head.status < 200 && head.status != 101 => {
                    self.ahead.drain(..head.len);
                }
                Some(head) => break head,
                None => {
                    if self.read("sent no answer")? == 0 {
                        let place = if self.ahead.is_empty() {
                            "without a word"
                        } else {
                            "within the header of its answer"
                        };
                        return Err(AskError::Closed(self.addr, place));
                    }
                }
            }
        };
        let rest = self.ahead.split_off(head.len);
        let bytes = std::mem::replace(&mut self.ahead, rest);
        let Head { status, body, closes, .. } = head;
        Ok(Response { status, head: bytes, body: Vec::new(), framing: body, closes })
    }

    /// Waits for the tracker to close. Returns how many bytes came before that, and whether it has closed at all within
    /// `patience`.
    pub fn wait_for_close(&mut self, patience: Duration) -> (usize, bool) {
        const ENOUGH: usize = 1 << 20;
        self.wait_until(Deadline::within(patience));
        while self.ahead.len() < ENOUGH {
            match self.read("does not close") {
                Ok(0) | Err(AskError::Closed(..) | AskError::Broke(..)) => return (self.ahead.len(), true),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        (self.ahead.len(), false)
    }

    fn body(&mut self, framing: Body) -> Result<Vec<u8>, AskError> {
        const LATE: &str = "sent only a part of its answer";
        const EARLY: &str = "before the end of its answer";
        match framing {
            Body::Length(length) => {
                let length = usize::try_from(length).ok().filter(|&length| length <= LONGEST_BODY);
                let length = length.ok_or(AskError::TooLong(self.addr))?;
                while self.ahead.len() < length {
                    if self.read(LATE)? == 0 {
                        return Err(AskError::Closed(self.addr, EARLY));
                    }
                }
                let rest = self.ahead.split_off(length);
                Ok(std::mem::replace(&mut self.ahead, rest))
            }
            Body::Chunked => {
                let (mut chunks, mut body) = (Chunks::default(), Vec::new());
                loop {
                    let taken = chunks.push(&self.ahead, &mut body);
                    let taken = taken.map_err(|error| AskError::Chunks(self.addr, error))?;
                    self.ahead.drain(..taken);
                    if chunks.is_done() {
                        return Ok(body);
                    }
                    if body.len() > LONGEST_BODY {
                        return Err(AskError::TooLong(self.addr));
                    }
                    if self.read(LATE)? == 0 {
                        return Err(AskError::Closed(self.addr, EARLY));
                    }
                }
            }
            Body::UntilClose => {
                while self.read(LATE)? > 0 {
                    if self.ahead.len() > LONGEST_BODY {
                        return Err(AskError::TooLong(self.addr));
                    }
                }
                Ok(std::mem::take(&mut self.ahead))
            }
        }
    }

    /// Takes what has come, 0 bytes at the end.
    fn read(&mut self, late: &'static str) -> Result<usize, AskError> {
        let mut buffer = [0; 16 << 10];
        let read = match &mut self.stream {
            Stream::Plain(timed) => timed.read(&mut buffer),
            Stream::Tls(stream) => stream.read(&mut buffer),
        };
        match read {
            Ok(count) => {
                self.ahead.extend_from_slice(&buffer[..count]);
                Ok(count)
            }
            // closed without a word of TLS, as many do: how long an answer is, HTTP says itself
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(self.late(late)),
            Err(error) if is_reset(&error) => {
                let place =
                    if self.ahead.is_empty() { "without a word" } else { "before the end of its answer" };
                Err(AskError::Closed(self.addr, place))
            }
            Err(error) => Err(self.broke(error)),
        }
    }

    fn timed(&self) -> &Timed {
        match &self.stream {
            Stream::Plain(timed) => timed,
            Stream::Tls(stream) => &stream.sock,
        }
    }

    fn late(&self, what: &'static str) -> AskError {
        AskError::Timeout(self.addr.to_string(), what, self.timed().deadline.seconds())
    }

    fn broke(&self, error: io::Error) -> AskError {
        match TlsError::within(&error) {
            Some(error) => AskError::Tls(self.addr, error),
            None => AskError::Broke(self.addr, error),
        }
    }

    fn not_http(&self, error: HeadError) -> AskError {
        let bytes = &self.ahead;
        let hint = match bytes.as_slice() {
            [0x15 | 0x16, 3, ..] => ", but in TLS: it may be an https tracker".to_owned(),
            _ => {
                let start: String = one_line(&bytes[..bytes.len().min(120)]).chars().take(40).collect();
                format!(", but with \"{}\"", start.replace(char::REPLACEMENT_CHARACTER, "."))
            }
        };
        AskError::NotHttp { addr: self.addr, error, hint }
    }
}

/// A socket that waits no longer than until its deadline, whatever drips in.
#[derive(Debug)]
struct Timed {
    stream: TcpStream,
    deadline: Deadline,
}

impl Timed {
    fn timely<T>(
        &mut self,
        set: impl Fn(&TcpStream, Option<Duration>) -> io::Result<()>,
        mut act: impl FnMut(&mut TcpStream) -> io::Result<T>,
    ) -> io::Result<T> {
        loop {
            let room = self.deadline.room().ok_or(io::ErrorKind::TimedOut)?;
            match set(&self.stream, Some(room)).and_then(|()| act(&mut self.stream)) {
                Err(error) if is_for_now(&error) => {}
                done => return done,
            }
        }
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.timely(TcpStream::set_read_timeout, |stream| stream.read(buffer))
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.timely(TcpStream::set_write_timeout, |stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

fn handshake_error(addr: SocketAddr, error: io::Error, deadline: Deadline) -> AskError {
    const EARLY: &str = "before TLS was set up";
    match error.kind() {
        io::ErrorKind::TimedOut => {
            AskError::Timeout(addr.to_string(), "did not set up TLS", deadline.seconds())
        }
        io::ErrorKind::UnexpectedEof => AskError::Closed(addr, EARLY),
        _ if is_reset(&error) => AskError::Closed(addr, EARLY),
        _ => match TlsError::within(&error) {
            Some(error) => AskError::Tls(addr, error),
            None => AskError::Broke(addr, error),
        },
    }
}

fn is_for_now(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn is_reset(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted
    )
}
