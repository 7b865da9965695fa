//! A connection with its socket: reads, writes, and knows what to wait for.

use std::io::{self, ErrorKind};
use std::net::IpAddr;

use mio::{Interest, Registry, Token};

use crate::connection::{Body, Connection, Next, Shared, Streamed, write_refusal};
use crate::counters::{Route, Tally};
use crate::quota::Standing;
use crate::service::Service;
use crate::tls::Received;
use crate::transport::Transport;
use crate::waiting::{Linked, Links, Wait};
use crate::worker::Buffers;

mod tail;

use tail::Tail;

/// Reads of one connection in one turn.
const READS: usize = 4;
/// Bytes of one connection in one turn, of bodies that are shared.
const TURN_SHARED: u64 = 256 << 10;
/// What is read and dropped after the last answer.
const LINGER_BYTES: u32 = 256 << 10;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: Transport,
    peer: IpAddr,
    connection: Connection,
    /// Answers that the socket has not taken. While there are any, nothing is read.
    output: Vec<u8>,
    /// How much of `output` it has taken.
    sent: usize,
    /// What comes behind `output`. While there is any, nothing is read either.
    tail: Option<Box<Tail>>,
    links: Links,
    /// Requests completed, to tell with what the transport has sent whether anything has moved.
    requests: usize,
    lingered: u32,
    registered: Option<Interest>,
    /// What comes after the answers that are on their way.
    end: End,
    /// There is more in `connection` that can be answered without reading.
    is_behind: bool,
    /// The peer has closed its side: read on to the end even after a short read.
    pub(crate) sees_end: bool,
    /// It is on the worker's list.
    pub(crate) has_todo: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// More requests.
    None,
    /// Nobody takes answers any more: what has come is carried out, and then it is over.
    Mute,
    /// The connection is closed, for nothing more can have come.
    Close,
    /// The sending side is closed, and what comes is dropped: closing at once might destroy the answer.
    Linger,
    /// The sending side is closed.
    Lingering,
}

/// What has been read of a connection, as a part of the input, and whether it is known to be all that has come.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) is_all: bool,
}

/// What a socket needs after it has gone as far as it could.
pub(crate) enum Driven {
    /// To be closed.
    Close,
    /// Another turn.
    Again,
    /// Its turn among those that shake hands.
    Later,
    /// To be waited for; `None`: the pool, which takes the time that it takes.
    Waits(Option<Wait>),
    /// Somebody to write this answer.
    Streamed(Streamed),
}

impl Linked for Socket {
    fn links(&self) -> &Links {
        &self.links
    }

    fn links_mut(&mut self) -> &mut Links {
        &mut self.links
    }
}

impl Socket {
    pub(crate) fn new(stream: Transport, peer: IpAddr) -> Self {
        Socket {
            stream,
            peer,
            connection: Connection::default(),
            output: Vec::new(),
            sent: 0,
            tail: None,
            links: Links::default(),
            requests: 0,
            lingered: 0,
            registered: None,
            end: End::None,
            is_behind: false,
            sees_end: false,
            has_todo: false,
        }
    }

    /// Requests completed and bytes sent so far.
    pub(crate) fn progress(&self) -> (usize, u64) {
        (self.requests, self.stream.progress())
    }

    /// Whether nothing can be said to the peer yet, since it has not agreed with us on how.
    pub(crate) fn is_handshaking(&self) -> bool {
        self.stream.is_handshaking()
    }

    /// Whether it ends without a request, not even a wrong one.
    pub(crate) fn has_asked_nothing(&self) -> bool {
        self.requests == 0 && (self.end == End::None || self.is_handshaking())
    }

    pub(crate) fn client(&self) -> IpAddr {
        self.peer
    }

    pub(crate) fn standing(&self) -> Standing {
        self.connection.standing
    }

    pub(crate) fn set_standing(&mut self, standing: Standing) {
        self.connection.standing = standing;
    }

    /// Ends the connection with a last answer.
    pub(crate) fn end_with(&mut self, answer: Vec<u8>) {
        self.output = answer;
        self.sent = 0;
        self.end = End::Linger;
    }

    /// Gives up answering.
    pub(crate) fn mute(&mut self) {
        self.output = Vec::new();
        self.sent = 0;
        self.stream.mute();
        // after the last answer there is nothing to be carried out
        let is_last = self.tail.take().is_some_and(|tail| tail.closes());
        self.end = if self.end == End::None && !is_last { End::Mute } else { End::Close };
        self.connection.is_unread = true;
    }

    /// Ends it, and says so if all is said and there is a way to.
    pub(crate) fn close(mut self, tally: &Tally) {
        if self.stream.is_secure() && self.tail.is_none() && !self.has_unsent() {
            // whoever does not take it has been told of the end by TCP
            let _ = self.stream.say_end(tally);
        }
    }

    /// Whether there is something to be sent that the socket has not taken.
    fn has_unsent(&self) -> bool {
        !self.output.is_empty() || self.stream.wants_write()
    }

    /// Has the poll tell when there is something to read, and when there is room again if that is waited for.
    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let wants_room = self.has_unsent() || matches!(self.tail.as_deref(), Some(Tail::Shared(_)));
        let interest = if wants_room { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        match self.registered {
            Some(registered) if registered == interest => return Ok(()),
            Some(_) => self.stream.reregister(registry, token, interest)?,
            None => self.stream.register(registry, token, interest)?,
        }
        self.registered = Some(interest);
        Ok(())
    }

    /// Goes on as far as possible, within the bounds of a turn.
    pub(crate) fn drive<S: Service>(&mut self, shared: &Shared<'_, S>, buffers: &mut Buffers) -> Driven {
        let limit = self.stream.progress() + TURN_SHARED;
        for _ in 0..READS {
            if self.has_unsent() {
                self.flush(shared.tally);
                if self.has_unsent() {
                    return self.waits_for_room();
                }
            }
            if let Some(tail) = self.tail.as_deref() {
                let driven = match tail {
                    Tail::Streamed(_) => self.take_pieces(buffers, shared.tally),
                    Tail::Shared(_) => self.write_shared(limit, shared.tally),
                };
                match driven {
                    Some(driven) => return driven,
                    None => continue,
                }
            }
            match self.end {
                End::None | End::Mute => {}
                End::Close => return Driven::Close,
                End::Linger => match self.stream.finish(shared.tally) {
                    Ok(()) => self.end = End::Lingering,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return self.waits_for_room(),
                    Err(_) => return Driven::Close,
                },
                End::Lingering => return self.linger(buffers, shared.tally),
            }
            if self.end == End::Lingering {
                continue;
            }
            if let Some(driven) = self.step(shared, buffers) {
                return driven;
            }
        }
        Driven::Again
    }

    /// Reads once, answers what is complete, and writes once. `None` if there may be more to do.
    fn step<S: Service>(&mut self, shared: &Shared<'_, S>, buffers: &mut Buffers) -> Option<Driven> {
        let heard = if self.is_behind {
            Heard { from: 0, to: 0, is_all: false }
        } else {
            match self.hear(0, buffers, shared.tally) {
                Ok(heard) => heard,
                Err(driven) => return driven,
            }
        };
        buffers.output.clear();
        let next = self.answer(&heard, shared, buffers);
        let words = std::mem::take(&mut buffers.output);
        let driven = self.say(&words, next, heard.is_all, shared.tally, buffers);
        buffers.output = words;
        driven
    }

    /// Whether it waits for nothing but requests, and can be served beside others.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.end == End::None
            && !self.is_behind
            && !self.stream.is_secure()
            && !self.has_unsent()
            && self.tail.is_none()
    }

    /// Reads once, into the input from there on. If nothing has come, how it goes on.
    pub(crate) fn hear(
        &mut self,
        from: usize,
        buffers: &mut Buffers,
        tally: &Tally,
    ) -> Result<Heard, Option<Driven>> {
        match self.stream.read(from, buffers, tally) {
            Ok(Received::Bytes { len, is_short }) => {
                self.connection.is_cut = !is_short;
                // nothing more can be there, unless the end is
                Ok(Heard { from, to: from + len, is_all: is_short && !self.sees_end })
            }
            Ok(Received::Later) => Err(Some(Driven::Later)),
            Ok(Received::Broken) => {
                self.end = if self.end == End::Mute { End::Close } else { End::Linger };
                Err(None)
            }
            Ok(Received::Plain) => {
                self.refuse_plain(tally);
                Err(None)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.sees_end = false;
                Err(Some(self.rests()))
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Err(None),
            Ok(Received::End) | Err(_) => Err(Some(Driven::Close)),
        }
    }

    /// Appends the answers to what is complete to the output.
    pub(crate) fn answer<S: Service>(
        &mut self,
        heard: &Heard,
        shared: &Shared<'_, S>,
        buffers: &mut Buffers,
    ) -> Next {
        let Buffers { input, output, context, .. } = buffers;
        let fresh = &input[heard.from..heard.to];
        let (requests, next) = self.connection.advance(fresh, self.peer, output, shared, context);
        self.requests += requests;
        self.is_behind = next == Next::Again;
        next
    }

    /// Writes the answers. `None` if there may be more to do.
    pub(crate) fn say(
        &mut self,
        answers: &[u8],
        next: Next,
        is_all: bool,
        tally: &Tally,
        buffers: &mut Buffers,
    ) -> Option<Driven> {
        let answers = if self.end == End::Mute { &[] } else { answers };
        let mut streamed = None;
        match next {
            Next::Read | Next::Again => {}
            Next::Close { is_clean } => {
                // over TLS the peer says that it ends, which nobody may reset the connection for
                let is_clean = is_clean && is_all && !self.stream.is_secure();
                self.end = match (self.end, is_clean) {
                    (End::Mute, _) | (_, true) => End::Close,
                    (_, false) => End::Linger,
                };
            }
            Next::Stream(Streamed { closes, .. }) | Next::Share(Body { closes, .. })
                if self.end == End::Mute =>
            {
                self.is_behind = true;
                if closes {
                    self.end = End::Close;
                }
            }
            Next::Stream(answer) => {
                self.is_behind = true;
                streamed = Some(answer);
            }
            Next::Share(body) => {
                self.is_behind = true;
                self.begin_shared(body, answers, &mut buffers.output, tally);
                return None;
            }
        }
        self.write(answers, tally);
        if let Some(streamed) = streamed {
            return Some(Driven::Streamed(streamed));
        }
        if self.has_unsent() {
            return Some(self.waits_for_room());
        }
        let may_go_on = self.is_behind || self.end != End::None || !is_all;
        if may_go_on { None } else { Some(self.rests()) }
    }

    /// What to wait for when the socket takes no more.
    fn waits_for_room(&self) -> Driven {
        // of a handshake too it is the whole that has a time, not each step
        let wait = if self.stream.is_handshaking() { Wait::Request } else { Wait::Output };
        Driven::Waits(Some(wait))
    }

    /// Ends a connection over which HTTP came in the place of TLS.
    #[cold]
    fn refuse_plain(&mut self, tally: &Tally) {
        self.stream.drop_tls();
        let mut answer = Vec::new();
        write_refusal(&mut answer, 400, "this port speaks TLS: use https:// in the place of http://");
        tally.answered(Route::Other, 400);
        self.end_with(answer);
    }

    /// What to wait for when everything that has come is dealt with.
    fn rests(&self) -> Driven {
        match self.end {
            End::Mute => Driven::Close,
            _ if self.connection.is_amid_request() => Driven::Waits(Some(Wait::Request)),
            // a new connection is given the time of a request for its first
            _ if self.requests == 0 => Driven::Waits(Some(Wait::Request)),
            _ => Driven::Waits(Some(Wait::Idle)),
        }
    }

    /// Writes answers, and keeps what the socket does not take.
    fn write(&mut self, bytes: &[u8], tally: &Tally) {
        if bytes.is_empty() {
            if self.stream.wants_write() {
                self.flush(tally);
            }
            return;
        }
        let written = if self.end == End::None {
            self.stream.write(bytes, tally)
        } else {
            self.stream.write_last(bytes, tally)
        };
        match written {
            Ok(written) => {
                if written < bytes.len() {
                    self.output.extend_from_slice(&bytes[written..]);
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                self.output.extend_from_slice(bytes);
            }
            Err(_) => self.mute(),
        }
    }

    /// Writes what the socket had not taken.
    fn flush(&mut self, tally: &Tally) {
        while self.sent < self.output.len() {
            match self.stream.write(&self.output[self.sent..], tally) {
                Ok(written) => self.sent += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.mute(),
            }
        }
        self.output = Vec::new();
        self.sent = 0;
        match self.stream.flush(tally) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => self.mute(),
            _ => {}
        }
    }

    /// Drops what comes after the last answer.
    fn linger(&mut self, buffers: &mut Buffers, tally: &Tally) -> Driven {
        // over TLS less has been read together with what was refused
        let bytes = if self.stream.is_secure() { LINGER_BYTES + LINGER_BYTES / 8 } else { LINGER_BYTES };
        while self.lingered < bytes {
            match self.stream.skip(buffers, tally) {
                Ok(0) => return Driven::Close,
                Ok(read) => self.lingered += read as u32,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Driven::Waits(Some(Wait::Linger));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Driven::Close,
            }
        }
        Driven::Close
    }
}
