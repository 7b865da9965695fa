//! One connection of an attacker.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use examples::response::{Body, Chunks, parse_head};
use socket2::{Domain, Socket, Type};

use crate::tally::Tally;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// What comes back on a connection that nothing sensible was said on is read that far.
const MOST: usize = 1 << 20;

/// A connection that is read from and written to, with bounded patience.
#[derive(Debug)]
pub(crate) struct Line {
    stream: TcpStream,
    input: Vec<u8>,
}

/// An answer as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: Vec<u8>,
    pub(crate) body: Vec<u8>,
    closes: bool,
}

/// A socket bound to `from`, if it is of the family of `addr`.
pub(crate) fn connect(addr: SocketAddr, from: Option<IpAddr>, tally: &mut Tally) -> io::Result<Socket> {
    let opened = (|| {
        let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
        if let Some(ip) = from.filter(|ip| ip.is_ipv4() == addr.is_ipv4()) {
            socket.bind(&SocketAddr::new(ip, 0).into())?;
        }
        socket.set_tcp_nodelay(true)?;
        socket.connect_timeout(&addr.into(), PATIENCE)?;
        Ok(socket)
    })();
    *(if opened.is_ok() { &mut tally.connections } else { &mut tally.refused }) += 1;
    opened
}

impl Line {
    pub(crate) fn open(addr: SocketAddr, from: Option<IpAddr>, tally: &mut Tally) -> Option<Line> {
        let stream: TcpStream = connect(addr, from, tally).ok()?.into();
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        stream.set_write_timeout(Some(PATIENCE)).ok()?;
        Some(Line { stream, input: Vec::new() })
    }

    /// Sends a part of a request, or several of them; false if the tracker does not take it.
    pub(crate) fn send_part(&mut self, bytes: &[u8], tally: &mut Tally) -> bool {
        let is_sent = self.stream.write_all(bytes).is_ok();
        if is_sent {
            tally.bytes_out += bytes.len() as u64;
        }
        is_sent
    }

    /// Sends a request.
    pub(crate) fn send(&mut self, request: &[u8], tally: &mut Tally) -> bool {
        tally.requests += 1;
        self.send_part(request, tally)
    }

    /// Waits for an answer; `None` if there is none, and the connection is of no more use.
    pub(crate) fn answer(&mut self, tally: &mut Tally) -> Option<Answer> {
        let mut is_over = false;
        loop {
            match parse(&self.input, is_over) {
                Ok(Some((answer, _))) if answer.status == 100 => {
                    self.input.drain(..answer.head.len());
                    continue;
                }
                Ok(Some((answer, length))) => {
                    self.input.drain(..length);
                    tally.answer(answer.status, &answer.body);
                    return Some(answer);
                }
                Ok(None) if is_over => {
                    tally.closed += 1;
                    return None;
                }
                Ok(None) => {}
                Err(()) => {
                    tally.odd += 1;
                    tally.note(&self.input);
                    return None;
                }
            }
            match self.read(tally) {
                Ok(read) => is_over = read == 0,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    tally.late += 1;
                    return None;
                }
                Err(_) => is_over = true,
            }
        }
    }

    /// Closes the sending side and reads to the end: all answers.
    pub(crate) fn rest(mut self, tally: &mut Tally) -> Vec<Answer> {
        let mut answers = Vec::new();
        // may have been closed by the tracker already
        let _ = self.stream.shutdown(Shutdown::Write);
        while self.input.len() < MOST {
            match self.read(tally) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    tally.late += 1;
                    break;
                }
                Err(_) => break,
            }
        }
        tally.closed += 1;
        while !self.input.is_empty() {
            match parse(&self.input, true) {
                Ok(Some((answer, length))) => {
                    self.input.drain(..length);
                    tally.answer(answer.status, &answer.body);
                    answers.push(answer);
                }
                // cut off by a reset, or by the bound of what is read
                Ok(None) => break,
                Err(()) => {
                    tally.odd += 1;
                    tally.note(&self.input);
                    break;
                }
            }
        }
        answers
    }

    /// Reads whatever comes next, unless nothing comes.
    pub(crate) fn read(&mut self, tally: &mut Tally) -> io::Result<usize> {
        let mut buffer = [0; 16 << 10];
        let read = self.stream.read(&mut buffer)?;
        tally.bytes_in += read as u64;
        self.input.extend_from_slice(&buffer[..read]);
        Ok(read)
    }

    /// What was read and not looked at.
    pub(crate) fn input(&self) -> &[u8] {
        &self.input
    }

    /// Closes by a reset.
    pub(crate) fn reset(self) {
        let socket = Socket::from(self.stream);
        // a close without a reset will do as well
        let _ = socket.set_linger(Some(Duration::ZERO));
    }

    /// Asks on a connection that stays open as long as the tracker likes, and is opened again where it does not.
    pub(crate) fn ask(
        line: &mut Option<Line>,
        (addr, from): (SocketAddr, Option<IpAddr>),
        requests: &[Vec<u8>],
        tally: &mut Tally,
    ) -> Option<Answer> {
        let mut open = line.take().or_else(|| Line::open(addr, from, tally))?;
        let all = requests.concat();
        tally.requests += requests.len() as u64;
        if !open.send_part(&all, tally) {
            tally.closed += 1;
            return None;
        }
        let mut last = None;
        for _ in requests {
            last = Some(open.answer(tally)?);
            if last.as_ref().is_some_and(|answer| answer.closes) {
                return last;
            }
        }
        *line = Some(open);
        last
    }
}

/// An answer, and how many bytes it takes; `Ok(None)` if it is not complete.
fn parse(input: &[u8], is_over: bool) -> Result<Option<(Answer, usize)>, ()> {
    let Some(head) = parse_head(input).map_err(|_| ())? else { return Ok(None) };
    let rest = &input[head.len..];
    let mut body = Vec::new();
    let length = match head.body {
        _ if head.status == 100 => 0,
        Body::Length(length) => {
            let length = usize::try_from(length).map_err(|_| ())?;
            match rest.get(..length) {
                Some(whole) => body.extend_from_slice(whole),
                None => return Ok(None),
            }
            length
        }
        Body::Chunked => {
            let mut chunks = Chunks::default();
            let length = chunks.push(rest, &mut body).map_err(|_| ())?;
            if !chunks.is_done() {
                return Ok(None);
            }
            length
        }
        Body::UntilClose if !is_over => return Ok(None),
        Body::UntilClose => {
            body.extend_from_slice(rest);
            rest.len()
        }
    };
    Ok(Some((answer(input, &head, body), head.len + length)))
}

fn answer(input: &[u8], head: &examples::response::Head, body: Vec<u8>) -> Answer {
    Answer { status: head.status, head: input[..head.len].to_vec(), body, closes: head.closes }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// What becomes of a line whose other side says this and closes.
    fn told(said: &'static [u8]) -> (Option<Answer>, Tally) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let mut tally = Tally::default();
        let answer = thread::scope(|scope| {
            scope.spawn(|| {
                let (mut stream, _) = listener.accept().unwrap();
                stream.read_exact(&mut [0; 3]).unwrap();
                stream.write_all(said).unwrap();
            });
            let from = Some("127.0.0.2".parse().unwrap());
            Line::ask(&mut None, (addr, from), &[b"ask".to_vec()], &mut tally)
        });
        (answer, tally)
    }

    #[test]
    fn answers_are_counted_and_what_is_none_is_odd() {
        let (answer, tally) =
            told(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno");
        assert_eq!(answer.map(|answer| (answer.status, answer.body)), Some((404, b"no".to_vec())));
        assert_eq!((tally.connections, tally.requests, tally.answers[&404], tally.bytes_out), (1, 1, 1, 3));
        let (answer, tally) = told(b"SSH-2.0-x\r\n");
        assert_eq!((answer, tally.odd, tally.example.as_deref()), (None, 1, Some("SSH-2.0-x")));
        let (answer, tally) = told(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut");
        assert_eq!((answer, tally.closed, tally.odd), (None, 1, 0));
    }

    #[test]
    fn nobody_listens() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut tally = Tally::default();
        assert!(Line::open(free, None, &mut tally).is_none());
        assert_eq!((tally.connections, tally.refused), (0, 1));
    }
}
