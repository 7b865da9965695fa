//! One connection without its socket: bytes in, answers out (RFC 9112 §9).
//!
//! What comes is parsed where it lies. Only what is left of a request that came in part is kept, so that an idle
//! connection holds no buffer at all.

use std::net::IpAddr;
use std::sync::Arc;

use crate::body::BodySkip;
use crate::counters::{Route, Tally};
use crate::error::HttpError;
use crate::head::{self, CONTINUE, Framing};
use crate::parser::{self, BodyKind, Limits, Method, Request, Status};
use crate::proxy::Proxies;
use crate::quota::{Gate, Standing, Verdict};
use crate::service::{Context, Later, Reply, Service};

/// Requests of one connection that are answered before it is the others' turn.
const TURN: usize = 64;
/// Bytes of answers in one turn; a single answer may go beyond.
const TURN_OUT: usize = 128 << 10;

/// What all connections of a worker share.
pub(crate) struct Shared<'a, S> {
    pub(crate) service: &'a S,
    pub(crate) tally: &'a Tally,
    pub(crate) proxies: &'a Proxies,
    pub(crate) gate: &'a Gate,
    pub(crate) limits: Limits,
    /// Whether connections stay open at all.
    pub(crate) keep_alive: bool,
    /// The server stops: the last complete request of each connection is answered with `Connection: close`.
    pub(crate) is_stopping: bool,
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    /// What has come and is not dealt with.
    pending: Vec<u8>,
    /// How much of `pending` is known not to have the end of the head.
    searched: usize,
    /// A request whose body is still coming.
    held: Option<Box<Held>>,
    /// There was more to read than was read: what is last in it need not be the last.
    pub(crate) is_cut: bool,
    /// Whose account its requests are on.
    pub(crate) standing: Standing,
    /// Nobody takes answers any more.
    pub(crate) is_unread: bool,
}

#[derive(Debug)]
struct Held {
    head: Vec<u8>,
    body: BodySkip,
}

/// How things stand after some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// All complete requests are answered.
    Read,
    /// The turn is over, and there may be more to answer in what has come.
    Again,
    /// The connection ends after the answers. `is_clean` if it is not known that more has come or will.
    Close { is_clean: bool },
    /// The body of the last answer is to be streamed; the request's head is given.
    Stream(Streamed),
    /// The body of the last answer is to be written from where it lies.
    Share(Body),
}

/// An answer to be written elsewhere.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Streamed {
    pub(crate) head: Vec<u8>,
    pub(crate) is_chunked: bool,
    pub(crate) closes: bool,
}

/// A body that is not this connection's alone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Body {
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) closes: bool,
}

impl Connection {
    /// Whether a request has begun and is not at its end.
    pub(crate) fn is_amid_request(&self) -> bool {
        // the empty line that some old clients send behind a request does not begin another
        !self.pending.iter().all(|byte| matches!(byte, b'\r' | b'\n')) || self.held.is_some()
    }

    /// Takes `fresh` bytes of `peer`, and appends the answers to all that is complete now to `out`. Returns how many
    /// requests were completed, and how it goes on.
    pub(crate) fn advance<S: Service>(
        &mut self,
        fresh: &[u8],
        peer: IpAddr,
        out: &mut Vec<u8>,
        shared: &Shared<'_, S>,
        context: &mut Context,
    ) -> (usize, Next) {
        if self.pending.is_empty() {
            let (used, requests, next) = self.answer(fresh, peer, out, shared, context);
            self.pending.extend_from_slice(&fresh[used..]);
            return (requests, next);
        }
        let mut pending = std::mem::take(&mut self.pending);
        pending.extend_from_slice(fresh);
        let (used, requests, next) = self.answer(&pending, peer, out, shared, context);
        if used < pending.len() {
            pending.drain(..used);
            self.pending = pending;
        }
        (requests, next)
    }

    /// Answers what is complete in `bytes`; returns how many of them are done with.
    fn answer<S: Service>(
        &mut self,
        bytes: &[u8],
        peer: IpAddr,
        out: &mut Vec<u8>,
        shared: &Shared<'_, S>,
        context: &mut Context,
    ) -> (usize, usize, Next) {
        let mut at = 0;
        let mut requests = 0;
        let limit = out.len() + TURN_OUT;
        loop {
            if let Some(held) = &mut self.held {
                match held.body.feed(&bytes[at..]) {
                    Err(error) => {
                        shared.gate.charge(self.standing, peer, context.millis);
                        return (bytes.len(), requests, refuse(error, out, shared.tally));
                    }
                    Ok((_, false)) => return (bytes.len(), requests, Next::Read),
                    Ok((used, true)) => at += used,
                }
            } else if at == bytes.len() {
                return (at, requests, Next::Read);
            }
            if requests == TURN || out.len() > limit {
                return (at, requests, Next::Again);
            }
            if let Some(held) = self.held.take() {
                requests += 1;
                // it was parsed before
                if let Ok(Status::Complete(request)) = parser::parse(&held.head, &shared.limits) {
                    match self.serve(&request, &held.head, &bytes[at..], peer, out, shared, context) {
                        Next::Read => continue,
                        next => return (at, requests, next),
                    }
                }
                continue;
            }
            let rest = &bytes[at..];
            match parser::parse_resumed(rest, &mut self.searched, &shared.limits) {
                Err(error) => {
                    shared.gate.charge(self.standing, peer, context.millis);
                    return (bytes.len(), requests, refuse(error, out, shared.tally));
                }
                Ok(Status::Partial) => return (at, requests, Next::Read),
                Ok(Status::Complete(request)) => {
                    let head = &rest[..request.head_len];
                    at += head.len();
                    if request.body == BodyKind::Empty {
                        requests += 1;
                        match self.serve(&request, head, &bytes[at..], peer, out, shared, context) {
                            Next::Read => continue,
                            next => return (at, requests, next),
                        }
                    }
                    if request.expect_continue && at == bytes.len() {
                        out.extend_from_slice(CONTINUE);
                    }
                    let body = BodySkip::new(request.body, shared.limits.body);
                    self.held = Some(Box::new(Held { head: head.to_vec(), body }));
                    if at == bytes.len() {
                        return (at, requests, Next::Read);
                    }
                }
            }
        }
    }

    /// Answers one request. `rest` is what has come behind it.
    #[allow(clippy::too_many_arguments)]
    #[inline]
    fn serve<S: Service>(
        &mut self,
        request: &Request<'_>,
        head: &[u8],
        rest: &[u8],
        peer: IpAddr,
        out: &mut Vec<u8>,
        shared: &Shared<'_, S>,
        context: &mut Context,
    ) -> Next {
        let is_last = shared.is_stopping
            && !self.is_cut
            && !matches!(parser::parse(rest, &shared.limits), Ok(Status::Complete(_)) | Err(_));
        let connection = match request.keep_alive && shared.keep_alive && !is_last {
            false => head::Connection::Close,
            true if request.minor == 0 => head::Connection::KeepAlive,
            true => head::Connection::Implicit,
        };
        let client = shared.proxies.client(peer, request);
        let judgement = shared.gate.judge(self.standing, client, context.millis);
        let mut reply = Reply::new(out, shared.tally, request, connection);
        reply.is_unread = self.is_unread;
        reply.is_exempt = judgement.is_exempt;
        reply.is_slowed = judgement.verdict == Verdict::Slowed;
        if let Verdict::Refused { retry_after } = judgement.verdict {
            reply.refuse(retry_after);
        } else if request.method == Method::Other {
            reply.send(405, "text/plain", &[("Allow", "GET, HEAD")], b"only GET and HEAD are served\n");
        } else {
            shared.service.call(request, client, context, &mut reply);
        }
        if reply.status == 0 {
            reply.send(404, "text/plain", &[], b"there is nothing here\n");
        }
        let closes = reply.connection == head::Connection::Close;
        shared.tally.answered(reply.route, reply.status);
        match reply.later {
            Later::Nothing if closes => Next::Close { is_clean: rest.is_empty() },
            Later::Nothing => Next::Read,
            Later::Streamed => {
                let is_chunked = request.minor > 0;
                Next::Stream(Streamed { head: head.to_vec(), is_chunked, closes })
            }
            Later::Shared(bytes) => Next::Share(Body { bytes, closes }),
        }
    }
}

/// Answers what is no request.
#[cold]
fn refuse(error: HttpError, out: &mut Vec<u8>, tally: &Tally) -> Next {
    write_refusal(out, error.status(), &error.to_string());
    tally.answered(Route::Other, error.status());
    Next::Close { is_clean: false }
}

/// Appends a refusal that ends the connection.
pub(crate) fn write_refusal(out: &mut Vec<u8>, status: u16, reason: &str) {
    let length = Framing::Length(reason.len() + 1);
    head::head(out, status, "text/plain", length, head::Connection::Close, &[]);
    out.extend_from_slice(reason.as_bytes());
    out.push(b'\n');
}
