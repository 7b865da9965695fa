//! What answers requests: the tracker's own routes, or whatever an embedder puts beside them.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use tracker_core::{AccessList, AnnounceReply, InfoHash, Seconds};

use crate::counters::{Route, Tally};
use crate::head::{self, Connection, Framing};
use crate::parser::{Method, Request};

/// Answers requests. One value is shared by all workers.
pub trait Service: Sync {
    /// Answers `request` of `client` into `reply`, at once: it runs on an event loop, on which others wait. What takes
    /// longer than some tens of microseconds is left to [`Service::stream`] by [`Reply::stream`], and a large body that
    /// is ready goes out by [`Reply::share`].
    ///
    /// A reply that nothing is written to becomes a 404. The method is GET or HEAD; for HEAD the
    /// [`Reply`] leaves the body out by itself.
    fn call(&self, request: &Request<'_>, client: IpAddr, context: &mut Context, reply: &mut Reply<'_>);

    /// Writes the body of an answer that [`Service::call`] has handed over, on a thread beside the event loops. It may be as
    /// long as it likes, and waits where the client reads slowly.
    ///
    /// # Errors
    /// Those of `body`, which mean that the client has gone: there is nothing more to do then.
    fn stream(&self, request: &Request<'_>, client: IpAddr, body: &mut dyn io::Write) -> io::Result<()> {
        let _ = (request, client, body);
        Ok(())
    }
}

/// A service without any path: everything is a 404.
#[derive(Clone, Copy, Debug, Default)]
pub struct NotFound;

impl Service for NotFound {
    fn call(&self, _: &Request<'_>, _: IpAddr, _: &mut Context, _: &mut Reply<'_>) {}
}

/// What one worker keeps from request to request, so that none allocates.
#[derive(Debug)]
pub struct Context {
    /// The time of this turn of the event loop.
    pub now: Seconds,
    /// This worker's random source.
    pub rng: Xoshiro256PlusPlus,
    /// Room for the core's answer.
    pub announce: AnnounceReply,
    /// Room for the info hashes of a scrape.
    pub hashes: Vec<InfoHash>,
    /// The same in milliseconds.
    pub(crate) millis: u64,
    /// The access list last seen, and its generation.
    pub(crate) access: (u64, Arc<AccessList>),
}

impl Context {
    /// A context whose random source has this seed.
    pub fn new(seed: u64) -> Self {
        Context {
            now: Seconds::new(0),
            rng: Xoshiro256PlusPlus::seed_from_u64(seed),
            announce: AnnounceReply::new(),
            hashes: Vec::new(),
            millis: 0,
            access: (0, Arc::new(AccessList::open())),
        }
    }
}

/// Bodies shorter than that are copied: to keep a reference would cost more.
const SHARED: usize = 4 << 10;

/// The body of an answer, as far as it is not in the output.
#[derive(Debug)]
pub(crate) enum Later {
    Nothing,
    /// [`Service::stream`] will write it.
    Streamed,
    /// It is written from where it lies.
    Shared(Arc<[u8]>),
}

/// Where an answer is written to.
#[derive(Debug)]
pub struct Reply<'a> {
    pub(crate) out: &'a mut Vec<u8>,
    pub(crate) tally: &'a Tally,
    pub(crate) is_head: bool,
    pub(crate) minor: u8,
    pub(crate) connection: Connection,
    pub(crate) route: Route,
    /// 0 until something is written.
    pub(crate) status: u16,
    pub(crate) later: Later,
    pub(crate) is_slowed: bool,
    pub(crate) is_exempt: bool,
    pub(crate) is_unread: bool,
}

impl<'a> Reply<'a> {
    pub(crate) fn new(
        out: &'a mut Vec<u8>,
        tally: &'a Tally,
        request: &Request<'_>,
        connection: Connection,
    ) -> Self {
        Reply {
            out,
            tally,
            is_head: request.method == Method::Head,
            minor: request.minor,
            connection,
            route: Route::Other,
            status: 0,
            later: Later::Nothing,
            is_slowed: false,
            is_exempt: false,
            is_unread: false,
        }
    }

    /// Whether the client's address asks more often than its [`Quota`](crate::Quota) has it: a client that can be told is to be
    /// told to come less often, for soon it will be refused.
    pub fn is_slowed(&self) -> bool {
        self.is_slowed
    }

    /// Whether the client is exempt from all limits per address, as [`Quota::exempt`](crate::Quota::exempt) has it.
    pub fn is_exempt(&self) -> bool {
        self.is_exempt
    }

    /// Whether nobody will get this answer: the client has given up, or was given up, after it had asked. What a request changes is to be
    /// done all the same, and what it only wants to know need not be found out.
    pub fn is_unread(&self) -> bool {
        self.is_unread
    }

    /// Says under which route the answer is counted; [`Route::Other`] unless it does.
    pub fn route(&mut self, route: Route) {
        self.route = route;
    }

    /// Answers 200 with the text that `write` appends.
    #[inline]
    pub fn text(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.status = 200;
        let patch = head::begin_ok(self.out, self.connection);
        write(self.out);
        let body = head::finish(self.out, patch);
        if self.is_head {
            self.out.truncate(body);
        }
    }

    /// Answers with `body`, which is left out with 304. `extra` are further headers, name and value; they must not hold
    /// anything that came from a peer.
    pub fn send(&mut self, status: u16, content_type: &str, extra: &[(&str, &str)], body: &[u8]) {
        if self.begin(status, content_type, extra, body.len()) {
            self.out.extend_from_slice(body);
        }
    }

    /// Answers as [`Reply::send`] would, byte for byte, but without a copy of `body`: the connection writes it from where
    /// it lies, as fast as its client takes it, and holds a reference to it for as long. This is for bytes that are
    /// ready and large and that many clients get, such as a page made anew every some seconds; below 4 KiB they are copied
    /// all the same.
    ///
    /// While the body is on its way nothing is read of its connection, and the others of its worker have their turns.
    pub fn share(&mut self, status: u16, content_type: &str, extra: &[(&str, &str)], body: Arc<[u8]>) {
        if body.len() < SHARED {
            return self.send(status, content_type, extra, &body);
        }
        if self.begin(status, content_type, extra, body.len()) {
            self.later = Later::Shared(body);
        }
    }

    /// Writes the head of an answer whose length is known; returns whether its body follows.
    fn begin(&mut self, status: u16, content_type: &str, extra: &[(&str, &str)], length: usize) -> bool {
        self.status = status;
        // of all errors only these leave a connection open
        if status >= 400 && !matches!(status, 403..=405) {
            self.connection = Connection::Close;
        }
        let framing = if status == 304 { Framing::Absent } else { Framing::Length(length) };
        head::head(self.out, status, content_type, framing, self.connection, extra);
        !self.is_head && framing != Framing::Absent
    }

    /// Answers 200 with what [`Service::stream`] will write.
    pub fn stream(&mut self, content_type: &str) {
        self.status = 200;
        // there is no chunked coding in HTTP/1.0 (RFC 9112 §7)
        let framing = if self.minor == 0 { Framing::UntilClose } else { Framing::Chunked };
        if self.minor == 0 {
            self.connection = Connection::Close;
        }
        head::head(self.out, 200, content_type, framing, self.connection, &[]);
        if !self.is_head {
            self.later = Later::Streamed;
        }
    }

    /// Refuses a request for asking too often, with status 429 (RFC 6585 §4), and ends the connection.
    #[cold]
    pub(crate) fn refuse(&mut self, retry_after: u32) {
        self.tally.happened(crate::Happening::Refused, 1);
        let mut digits = itoa::Buffer::new();
        let extra = [("Retry-After", digits.format(retry_after))];
        self.send(429, "text/plain", &extra, b"this address asks too often: ask again later\n");
    }

    /// Counts an answer that asks its client to come less often.
    pub(crate) fn slowed(&self) {
        self.tally.happened(crate::Happening::Slowed, 1);
    }

    /// Counts a bencoded failure.
    pub(crate) fn failed(&self) {
        self.tally.happened(crate::Happening::Failure, 1);
    }
}
