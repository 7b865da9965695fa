//! A connection that is used for one request after the other, and opened again where the tracker has closed it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use examples::response::{Body, Chunks, Head, parse_head};
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use nix::errno::Errno;
use socket2::{Domain, Socket, Type};

/// An answer longer than that is none of a tracker.
const LONGEST_BODY: u64 = 16 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("no connection: {0}")]
    Connect(io::Error),
    #[error("the connection was closed without a complete answer")]
    Closed,
    #[error("no answer within {0:?}")]
    Late(Duration),
    #[error("{0}")]
    NotHttp(String),
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    closes: bool,
}

#[derive(Debug)]
pub(crate) struct Connection {
    from: IpAddr,
    to: SocketAddr,
    token: Token,
    stream: Option<TcpStream>,
    is_connected: bool,
    /// Whether an answer has come by this connection before.
    is_used: bool,
    pub(crate) request: Vec<u8>,
    written: usize,
    input: Vec<u8>,
}

impl Connection {
    pub(crate) fn new(from: IpAddr, to: SocketAddr, token: Token) -> Connection {
        Connection {
            from,
            to,
            token,
            stream: None,
            is_connected: false,
            is_used: false,
            request: Vec::new(),
            written: 0,
            input: Vec::new(),
        }
    }

    /// Begins to send the request that has been put into [`Connection::request`].
    pub(crate) fn send(&mut self, registry: &Registry) -> Result<(), Trouble> {
        self.written = 0;
        self.input.clear();
        if self.stream.is_none() {
            let mut stream = connect(self.from, self.to).map_err(Trouble::Connect)?;
            registry
                .register(&mut stream, self.token, Interest::READABLE | Interest::WRITABLE)
                .map_err(Trouble::Connect)?;
            (self.is_connected, self.is_used) = (false, false);
            self.stream = Some(stream);
            return Ok(()); // there will be an event when it is connected
        }
        match self.write() {
            // the tracker has closed it meanwhile
            Err(_) if self.is_used => {
                self.close();
                self.send(registry)
            }
            result => result,
        }
    }

    pub(crate) fn close(&mut self) {
        self.stream = None; // which takes it out of the poll
    }

    /// Goes on after an event, while an answer is awaited. `Ok(None)` if there is more to come. `buffer` is room for reading.
    pub(crate) fn proceed(
        &mut self,
        registry: &Registry,
        buffer: &mut [u8],
    ) -> Result<Option<Answer>, Trouble> {
        let Some(stream) = &mut self.stream else { return Ok(None) };
        if !self.is_connected {
            if let Some(error) = stream.take_error().map_err(Trouble::Connect)? {
                return Err(Trouble::Connect(error));
            }
            match stream.peer_addr() {
                Ok(_) => self.is_connected = true,
                Err(error) if error.kind() == ErrorKind::NotConnected => return Ok(None),
                Err(error) => return Err(Trouble::Connect(error)),
            }
        }
        let result = self.write().and_then(|()| self.read(buffer));
        match result {
            // closed between two requests: clients ask again on another connection
            Err(Trouble::Closed) if self.is_used && self.input.is_empty() => {
                self.close();
                self.send(registry)?;
                Ok(None)
            }
            Ok(Some(answer)) => {
                self.is_used = true;
                if answer.closes {
                    self.close();
                }
                Ok(Some(answer))
            }
            other => other,
        }
    }

    /// An event while nothing is awaited: the tracker closes, or says something unasked.
    pub(crate) fn idle(&mut self) {
        let mut byte = [0];
        let is_open = self.stream.as_mut().is_some_and(
            |stream| matches!(stream.read(&mut byte), Err(error) if error.kind() == ErrorKind::WouldBlock),
        );
        if !is_open {
            self.close();
        }
    }

    fn write(&mut self) -> Result<(), Trouble> {
        let Some(stream) = &mut self.stream else { return Err(Trouble::Closed) };
        while self.written < self.request.len() {
            match stream.write(&self.request[self.written..]) {
                Ok(0) => return Err(Trouble::Closed),
                Ok(written) => self.written += written,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return Err(Trouble::Closed),
            }
        }
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<Option<Answer>, Trouble> {
        let Some(stream) = &mut self.stream else { return Err(Trouble::Closed) };
        let is_over = loop {
            match stream.read(buffer) {
                Ok(0) => break true,
                Ok(read) => {
                    self.input.extend_from_slice(&buffer[..read]);
                    if self.input.len() as u64 > 2 * LONGEST_BODY {
                        return Err(Trouble::NotHttp("the answer has no end".into()));
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break false,
                Err(_) => break true,
            }
        };
        match parse(&self.input, is_over)? {
            Some(mut answer) => {
                answer.closes |= is_over;
                Ok(Some(answer))
            }
            None if is_over => Err(Trouble::Closed),
            None => Ok(None),
        }
    }
}

fn connect(from: IpAddr, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.bind(&SocketAddr::new(from, 0).into())?;
    match socket.connect(&to.into()) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(Errno::EINPROGRESS as i32) => {}
        Err(error) => return Err(error),
    }
    Ok(TcpStream::from_std(socket.into()))
}

/// An answer, if it is complete; nothing may follow it.
fn parse(input: &[u8], is_over: bool) -> Result<Option<Answer>, Trouble> {
    let not_http =
        |error: &dyn std::fmt::Display| Trouble::NotHttp(format!("the answer is no HTTP: {error}"));
    if input.is_empty() {
        return Ok(None);
    }
    let Some(head) = parse_head(input).map_err(|error| not_http(&error))? else { return Ok(None) };
    let Head { status, len, body, closes } = head;
    let rest = &input[len..];
    let mut text = Vec::new();
    let surplus = match body {
        Body::Length(length) if length > LONGEST_BODY => return Err(not_http(&"its body is far too long")),
        Body::Length(length) if (rest.len() as u64) < length => return Ok(None),
        Body::Length(length) => {
            let (body, surplus) = rest.split_at(length as usize);
            text.extend_from_slice(body);
            surplus.len()
        }
        Body::Chunked => {
            let mut chunks = Chunks::default();
            let taken = chunks.push(rest, &mut text).map_err(|error| not_http(&error))?;
            if !chunks.is_done() {
                return Ok(None);
            }
            rest.len() - taken
        }
        Body::UntilClose if !is_over => return Ok(None),
        Body::UntilClose => {
            text.extend_from_slice(rest);
            0
        }
    };
    if surplus > 0 {
        return Err(not_http(&format_args!("{surplus} bytes follow its end")));
    }
    Ok(Some(Answer { status, body: text, closes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_complete_when_its_length_is_there() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nde";
        for cut in 0..whole.len() {
            assert!(parse(&whole[..cut], false).unwrap().is_none(), "{cut}");
        }
        let answer = parse(whole, false).unwrap().unwrap();
        assert_eq!((answer.status, answer.body.as_slice(), answer.closes), (200, &b"de"[..], false));
    }

    #[test]
    fn chunks_and_closing_end_answers_too() {
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n";
        assert_eq!(parse(chunked, false).unwrap().unwrap().body, b"de");
        let closing = b"HTTP/1.0 200 OK\r\n\r\nde";
        assert!(parse(closing, false).unwrap().is_none());
        assert_eq!(parse(closing, true).unwrap().unwrap().body, b"de");
    }

    #[test]
    fn garbage_and_surplus_are_named() {
        let error = |input: &[u8]| parse(input, false).unwrap_err().to_string();
        assert!(error(b"\0\x01\x02 what").contains("no HTTP"));
        assert!(error(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\ndexx").contains("2 bytes follow"));
    }
}
