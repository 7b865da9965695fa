//! One connection: what it sends, what it waits for, and how it comes back.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::ops::Range;

use examples::answer::{Body, Chunks, Head, HeadError, parse_head};
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Socket, Type};

use crate::loss::Loss;
use crate::pace::Pace;
use crate::ring::Ring;
use crate::tally::{Look, Tally};

/// An answer that is longer is not waited for.
const LONGEST: usize = 64 << 20;
/// A connection that failed is tried again after so many nanoseconds.
const PAUSE: u64 = 10_000_000;

/// What all connections of the engine use.
pub(crate) struct Shared {
    pub(crate) registry: Registry,
    pub(crate) addr: SocketAddr,
    pub(crate) is_one_shot: bool,
    pub(crate) look: Look,
    /// By source address.
    pub(crate) rings: Vec<Ring>,
    pub(crate) tally: Tally,
    /// Requests that may still be sent.
    pub(crate) budget: u64,
    /// When each of them is due, unless it is the answer before it that counts.
    pub(crate) pace: Option<Pace>,
    /// Requests that are done, one way or the other.
    pub(crate) done: u64,
    /// Nanoseconds on the engine's clock.
    pub(crate) now: u64,
    pub(crate) clock: fn() -> u64,
    /// What is read goes here first.
    pub(crate) buffer: Vec<u8>,
    /// Where chunked bodies are put together.
    pub(crate) body: Vec<u8>,
}

/// A place for a connection, which is made anew when it ends.
#[derive(Debug)]
pub(crate) struct Connection {
    token: Token,
    source: usize,
    /// What to bind to.
    local: Option<SocketAddr>,
    stream: Option<TcpStream>,
    /// When each request that is on its way was sent: a ring.
    sent: Box<[u64]>,
    first: usize,
    pub(crate) in_flight: usize,
    /// The part of an answer that has come.
    partial: Vec<u8>,
    /// What of the source's ring was taken and could not be written yet.
    unsent: Range<usize>,
    /// When it is to be made again, after it has failed.
    retry_at: u64,
}

/// What a buffer's answers have come to.
enum Taken {
    /// So many bytes of whole answers; the rest is the begin of another one.
    All(usize),
    /// The server closes after one of them.
    Closes,
    Broken,
}

impl Connection {
    pub(crate) fn new(token: Token, source: usize, local: Option<SocketAddr>, depth: usize) -> Self {
        Connection {
            token,
            source,
            local,
            stream: None,
            sent: vec![0; depth].into(),
            first: 0,
            in_flight: 0,
            partial: Vec::new(),
            unsent: 0..0,
            retry_at: 0,
        }
    }

    /// Makes the connection, and sends its first requests; does nothing if there are none.
    pub(crate) fn open(&mut self, shared: &mut Shared) {
        let (range, count) = self.take(shared);
        if count == 0 {
            return;
        }
        shared.tally.connections += 1;
        match self.connect(shared) {
            Ok(stream) => {
                self.stream = Some(stream);
                self.note(count, shared);
                self.write(range, shared, true);
            }
            Err(_) => {
                shared.tally.lose(Loss::Connect, count as u64);
                shared.done += count as u64;
                self.retry_at = shared.now + PAUSE;
            }
        }
    }

    fn connect(&self, shared: &Shared) -> io::Result<TcpStream> {
        let domain = Domain::for_address(shared.addr);
        let socket = Socket::new(domain, Type::STREAM.nonblocking().cloexec(), None)?;
        if let Some(local) = self.local {
            // the port is chosen when the other end is known, so that there are enough of them
            setsockopt(&socket, sockopt::IpBindAddressNoPort, &true)?;
            socket.bind(&local.into())?;
        }
        if !shared.is_one_shot {
            socket.set_tcp_nodelay(true)?;
        }
        match socket.connect(&shared.addr.into()) {
            Err(error) if error.raw_os_error() != Some(nix::errno::Errno::EINPROGRESS as i32) => Err(error),
            _ => Ok(TcpStream::from_std(socket.into())),
        }
    }

    /// Takes as many requests as there is room for.
    #[inline]
    fn take(&self, shared: &mut Shared) -> (Range<usize>, usize) {
        let due = shared.pace.as_ref().map_or(u64::MAX, |pace| pace.due(shared.now));
        let room = usize::try_from(shared.budget.min(due)).unwrap_or(usize::MAX);
        let (range, count) = shared.rings[self.source].take(room.min(self.sent.len() - self.in_flight));
        shared.budget -= count as u64;
        if let Some(pace) = &mut shared.pace {
            pace.taken += count as u64;
        }
        (range, count)
    }

    /// Whether nothing is on its way, and something can be sent.
    pub(crate) fn is_free(&self, now: u64) -> bool {
        self.in_flight == 0 && (self.stream.is_some() || self.is_due(now))
    }

    /// Whether the connection is there.
    pub(crate) fn is_open(&self) -> bool {
        self.stream.is_some()
    }

    /// Sends the next requests, on a connection that is made if it has to be.
    pub(crate) fn go(&mut self, shared: &mut Shared) {
        if self.stream.is_some() { self.send(shared) } else { self.open(shared) }
    }

    /// Sends the next requests.
    #[inline]
    fn send(&mut self, shared: &mut Shared) {
        while self.stream.is_some() && self.unsent.is_empty() {
            let (range, count) = self.take(shared);
            if count == 0 {
                return;
            }
            self.note(count, shared);
            self.write(range, shared, false);
        }
    }

    /// Remembers from when on the requests count that were taken last.
    #[inline]
    fn note(&mut self, count: usize, shared: &Shared) {
        for back in (1..=count).rev() {
            let sent = shared.pace.as_ref().map_or(shared.now, |pace| pace.moment(pace.taken - back as u64));
            let mut at = self.first + self.in_flight;
            if at >= self.sent.len() {
                at -= self.sent.len();
            }
            self.sent[at] = sent;
            self.in_flight += 1;
        }
    }

    /// Writes requests, and whatever does not go out later. `is_new` is a connection that is not registered yet.
    #[inline]
    fn write(&mut self, range: Range<usize>, shared: &mut Shared, is_new: bool) {
        let Some(stream) = &mut self.stream else { return };
        let written = match stream.write(shared.rings[self.source].bytes(range.clone())) {
            Ok(written) => written,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => 0,
            Err(_) => return self.lose(shared, Loss::Closed),
        };
        let was_waiting = !self.unsent.is_empty();
        self.unsent = range.start + written..range.end;
        let interest =
            if self.unsent.is_empty() { Interest::READABLE } else { Interest::READABLE | Interest::WRITABLE };
        let registered = if is_new {
            shared.registry.register(stream, self.token, interest)
        } else if !self.unsent.is_empty() && !was_waiting {
            shared.registry.reregister(stream, self.token, interest)
        } else {
            Ok(())
        };
        if registered.is_err() {
            self.lose(shared, Loss::Connect);
        }
    }

    /// Goes on with what could not be written.
    pub(crate) fn writable(&mut self, shared: &mut Shared) {
        if !self.unsent.is_empty() {
            let range = std::mem::take(&mut self.unsent);
            self.write(range, shared, false);
            self.send(shared);
        }
    }

    /// Reads what has come, and sends as many requests as were answered. `is_closed`: the server has closed its side.
    #[inline]
    pub(crate) fn readable(&mut self, shared: &mut Shared, is_closed: bool) {
        while let Some(stream) = &mut self.stream {
            let before = self.partial.len();
            if shared.buffer.len() - before < shared.buffer.len() / 4 {
                let larger = shared.buffer.len() * 2;
                if larger > LONGEST {
                    return self.lose(shared, Loss::NotHttp);
                }
                shared.buffer.resize(larger, 0);
            }
            if before > 0 {
                shared.buffer[..before].copy_from_slice(&self.partial);
            }
            let read = match stream.read(&mut shared.buffer[before..]) {
                Ok(0) => return self.ended(shared),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                    return self.lose(shared, Loss::Connect);
                }
                Err(_) => return self.lose(shared, Loss::Closed),
            };
            shared.now = (shared.clock)();
            let end = before + read;
            match self.take_answers(shared, end, false) {
                Taken::Broken => return self.lose(shared, Loss::NotHttp),
                Taken::Closes => return self.lose(shared, Loss::Closed),
                Taken::All(used) => {
                    if self.partial.is_empty() && used == end {
                        // by far the usual case
                    } else {
                        self.partial.clear();
                        self.partial.extend_from_slice(&shared.buffer[used..end]);
                    }
                }
            }
            if shared.is_one_shot && self.in_flight == 0 {
                return self.lose(shared, Loss::Closed);
            }
            self.send(shared);
            // where less came than there was room for, there is no more
            if end < shared.buffer.len() && !is_closed {
                return;
            }
        }
    }

    /// Counts all whole answers in the first `end` bytes of the buffer.
    #[inline]
    fn take_answers(&mut self, shared: &mut Shared, end: usize, at_end: bool) -> Taken {
        let mut used = 0;
        while used < end {
            if self.in_flight == 0 {
                return Taken::Broken; // an answer that nobody has asked for
            }
            let head = match parse_head(&shared.buffer[used..end]) {
                Ok(Some(head)) => head,
                Ok(None) => break,
                Err(HeadError::NotHttp | HeadError::Status | HeadError::Length | HeadError::TooLong) => {
                    return Taken::Broken;
                }
            };
            if head.status < 200 {
                used += head.len;
                continue;
            }
            let Some(length) = self.take_answer(shared, used, end, &head, at_end) else { break };
            match length {
                Ok(length) => used += length,
                Err(()) => return Taken::Broken,
            }
            if head.closes {
                return Taken::Closes;
            }
        }
        Taken::All(used)
    }

    /// Counts an answer if it is whole, and returns how many bytes it takes.
    #[inline]
    fn take_answer(
        &mut self,
        shared: &mut Shared,
        start: usize,
        end: usize,
        head: &Head,
        at_end: bool,
    ) -> Option<Result<usize, ()>> {
        let Shared { buffer, tally, body, .. } = shared;
        let rest = &buffer[start + head.len..end];
        let (length, content) = match head.body {
            Body::Length(length) => {
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                (length, rest.get(..length)?)
            }
            Body::Chunked => {
                body.clear();
                let mut chunks = Chunks::default();
                match chunks.push(rest, body) {
                    Ok(length) if chunks.is_done() => (length, &body[..]),
                    Ok(_) => return None,
                    Err(_) => return Some(Err(())),
                }
            }
            Body::UntilClose if at_end => (rest.len(), rest),
            Body::UntilClose => return None,
        };
        let took = shared.now - self.sent[self.first];
        self.first = if self.first + 1 == self.sent.len() { 0 } else { self.first + 1 };
        self.in_flight -= 1;
        shared.done += 1;
        tally.answer(head.status, head.len + length, content, took, shared.look);
        Some(Ok(head.len + length))
    }

    /// The server has closed.
    fn ended(&mut self, shared: &mut Shared) {
        let end = self.partial.len();
        if self.in_flight > 0 && end > 0 {
            // a body may end like this
            self.take_answers(shared, end, true);
        }
        self.lose(shared, Loss::Closed);
    }

    /// Whether the oldest request on its way was sent before `time`.
    pub(crate) fn waits_since(&self, time: u64) -> bool {
        self.in_flight > 0 && self.sent[self.first] < time
    }

    /// Whether it is to be opened.
    pub(crate) fn is_due(&self, now: u64) -> bool {
        self.stream.is_none() && now >= self.retry_at
    }

    /// Closes the connection. Requests that are still on their way are lost for that reason, and if there are any, it
    /// is opened again a little later; else at once.
    #[inline]
    pub(crate) fn lose(&mut self, shared: &mut Shared, loss: Loss) {
        let lost = self.in_flight as u64;
        self.close();
        if lost == 0 {
            return self.open(shared);
        }
        shared.tally.lose(loss, lost);
        shared.done += lost;
        self.retry_at = shared.now + PAUSE;
    }

    #[inline]
    pub(crate) fn close(&mut self) {
        self.stream = None;
        self.in_flight = 0;
        self.first = 0;
        self.partial.clear();
        self.unsent = 0..0;
    }
}
