//! A connection for whoever has its bytes: what a client sends in, what it gets out, without a socket.

use std::fmt;
use std::net::IpAddr;

use crate::connection::{Body, Connection, Next, Shared, Streamed};
use crate::counters::Tally;
use crate::head::{self, LAST_CHUNK};
use crate::parser::{Limits, Status, parse};
use crate::proxy::Proxies;
use crate::quota::{Gate, Quota};
use crate::server::Settings;
use crate::service::{Context, Service};

/// One connection of a server without the server: bytes in, answers out, byte for byte those that it would send.
///
/// This is for tests, and for embedders with a transport of their own. It has no clock: its owner sets
/// [`Context::now`], and gives up on a client that takes too long. Answers are complete when they come, those that
/// [`Service::stream`] writes too, so that its caller has to stop feeding it while a client does not take them. How much
/// its client asks is not limited either, for that takes a look at all connections of an address.
///
/// ```
/// use tracker_core::{Config, Tracker};
/// use tracker_http::{Access, Conversation, Rules, Settings, TrackerService};
///
/// let (tracker, access) = (Tracker::new(Config::default()), Access::default());
/// let service = TrackerService::new(&tracker, Rules::default(), &access);
/// let mut conversation = Conversation::new(&service, [192, 0, 2, 1].into(), &Settings::default());
///
/// let mut answers = Vec::new();
/// conversation.feed(b"GET /scrape?info_hash=aaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\nHo", &mut answers);
/// assert!(answers.is_empty() && conversation.is_amid_request());
/// conversation.feed(b"st: tracker\r\n\r\n", &mut answers);
/// assert!(answers.starts_with(b"HTTP/1.1 200 OK\r\n") && answers.ends_with(b"e"));
/// assert_eq!((conversation.requests(), conversation.is_closed()), (1, false));
///
/// conversation.feed(b"bye\r\n", &mut answers); // which is no request
/// assert!(conversation.is_closed());
/// ```
pub struct Conversation<'s, S> {
    service: &'s S,
    peer: IpAddr,
    limits: Limits,
    proxies: Proxies,
    gate: Gate,
    keep_alive: bool,
    tally: Tally,
    context: Context,
    connection: Connection,
    requests: u64,
    is_closed: bool,
}

impl<'s, S: Service> Conversation<'s, S> {
    /// A connection that `peer` has just opened; an IPv4-mapped IPv6 address is the IPv4 one. Of the settings, those count
    /// that are about requests: `limits`, `proxies`, `seed`, whether `keep_alive` is zero, and who is exempt from the `quota`.
    pub fn new(service: &'s S, peer: IpAddr, settings: &Settings) -> Self {
        let peer = peer.to_canonical(); // as the server does at its door
        let exempt = settings.quota.exempt.clone();
        let gate =
            Gate::new(&Quota { requests_per_second: 0, burst: 0, connections: 0, exempt }, &settings.proxies);
        // where nothing is limited, nobody is turned away
        let mut connection = Connection::default();
        connection.standing = gate.enter(peer, 0).unwrap_or_default();
        Conversation {
            service,
            peer,
            limits: settings.limits,
            proxies: settings.proxies.clone(),
            gate,
            keep_alive: !settings.keep_alive.is_zero(),
            tally: Tally::default(),
            context: Context::new(settings.seed),
            connection,
            requests: 0,
            is_closed: false,
        }
    }

    /// Takes what the client has sent next, in pieces of any size, and appends the answers to all requests that are complete
    /// now to `out`. Once the conversation [is closed](Conversation::is_closed), whatever comes is dropped.
    ///
    /// A panic of the service is passed on. There is no going on after it.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let shared = Shared {
            service: self.service,
            tally: &self.tally,
            proxies: &self.proxies,
            gate: &self.gate,
            limits: self.limits,
            keep_alive: self.keep_alive,
            is_stopping: false,
        };
        let mut fresh = bytes;
        while !self.is_closed {
            let (requests, next) = self.connection.advance(fresh, self.peer, out, &shared, &mut self.context);
            fresh = &[];
            self.requests += requests as u64;
            match next {
                Next::Read => return,
                Next::Again => {}
                Next::Close { .. } => self.is_closed = true,
                Next::Share(Body { bytes, closes }) => {
                    out.extend_from_slice(&bytes);
                    self.is_closed = closes;
                }
                Next::Stream(Streamed { head, is_chunked, closes }) => {
                    let is_whole = stream(self.service, self.peer, &shared, &head, is_chunked, out);
                    self.is_closed = closes || !is_whole;
                }
            }
        }
    }

    /// Whether the server has closed the connection, which it does behind its last answer.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Whether a request has begun to arrive that is not complete.
    pub fn is_amid_request(&self) -> bool {
        !self.is_closed && self.connection.is_amid_request()
    }

    /// How many requests have come and were answered; what is no request does not count, though it gets an answer too.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// The time at which requests are carried out, their random source, and room that is used again.
    pub fn context_mut(&mut self) -> &mut Context {
        &mut self.context
    }
}

impl<S> fmt::Debug for Conversation<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("Conversation");
        fields
            .field("peer", &self.peer)
            .field("requests", &self.requests)
            .field("is_closed", &self.is_closed);
        fields.finish_non_exhaustive()
    }
}

/// Appends the body of an answer that the service writes; returns whether it is complete.
fn stream<S: Service>(
    service: &S,
    peer: IpAddr,
    shared: &Shared<'_, S>,
    head: &[u8],
    is_chunked: bool,
    out: &mut Vec<u8>,
) -> bool {
    // it was parsed before
    let Ok(Status::Complete(request)) = parse(head, &shared.limits) else { return false };
    let mut body = Vec::new();
    let written = service.stream(&request, peer, &mut body);
    if is_chunked {
        head::chunk(out, &body);
    } else {
        out.extend_from_slice(&body);
    }
    if is_chunked && written.is_ok() {
        out.extend_from_slice(LAST_CHUNK);
    }
    written.is_ok()
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::parser::Request;
    use crate::service::Reply;

    /// Its paths are the ways in which a service can answer.
    struct Ways;

    const LARGE: &[u8] = &[b'x'; 10_000];

    impl Service for Ways {
        fn call(&self, request: &Request<'_>, client: IpAddr, _: &mut Context, reply: &mut Reply<'_>) {
            match request.path {
                b"/send" => reply.send(200, "text/plain", &[], b"sent"),
                b"/share" => reply.share(200, "text/plain", &[], LARGE.into()),
                b"/stream" | b"/broken" => reply.stream("text/plain"),
                b"/client" => reply.send(200, "text/plain", &[], client.to_string().as_bytes()),
                _ => {}
            }
        }

        fn stream(&self, request: &Request<'_>, _: IpAddr, body: &mut dyn io::Write) -> io::Result<()> {
            body.write_all(b"streamed")?;
            if request.path == b"/broken" { Err(io::ErrorKind::Other.into()) } else { Ok(()) }
        }
    }

    /// What comes out, and whether the conversation is over then.
    fn answers(bytes: &[u8], piece: usize, settings: &Settings) -> (String, bool) {
        let mut out = Vec::new();
        let mut conversation = Conversation::new(&Ways, [127, 0, 0, 1].into(), settings);
        bytes.chunks(piece).for_each(|part| conversation.feed(part, &mut out));
        (String::from_utf8(out).unwrap(), conversation.is_closed())
    }

    fn get(path: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nHost: t\r\n\r\n")
    }

    #[test]
    fn every_way_of_answering_comes_out_whole_however_the_requests_are_cut() {
        let all: String = ["/send", "/share", "/stream", "/none"].map(get).concat();
        let (whole, is_closed) = answers(all.as_bytes(), all.len(), &Settings::default());
        assert!(!is_closed);
        assert!(whole.contains("\r\n\r\nsentHTTP/1.1 200 OK\r\n"));
        assert!(whole.contains(&format!("{}HTTP/1.1 200 OK\r\n", std::str::from_utf8(LARGE).unwrap())));
        assert!(whole.contains("\r\n\r\n8\r\nstreamed\r\n0\r\n\r\nHTTP/1.1 404 Not Found\r\n"));
        for piece in [1, 7, 50] {
            assert_eq!(answers(all.as_bytes(), piece, &Settings::default()).0, whole);
        }
    }

    #[test]
    fn a_mapped_address_is_the_one_that_is_mapped() {
        let mut out = Vec::new();
        let peer = "::ffff:192.0.2.1".parse().unwrap();
        Conversation::new(&Ways, peer, &Settings::default()).feed(get("/client").as_bytes(), &mut out);
        assert!(out.ends_with(b"\r\n\r\n192.0.2.1"), "{}", out.escape_ascii());
    }

    #[test]
    fn more_requests_than_a_turn_has_are_all_answered() {
        let many = get("/send").repeat(300);
        let mut out = Vec::new();
        let mut conversation = Conversation::new(&Ways, [127, 0, 0, 1].into(), &Settings::default());
        conversation.feed(many.as_bytes(), &mut out);
        assert_eq!((conversation.requests(), conversation.is_amid_request()), (300, false));
        assert_eq!(String::from_utf8(out).unwrap().matches("sent").count(), 300);
    }

    #[test]
    fn after_the_last_answer_nothing_is_served() {
        let closing = "GET /send HTTP/1.0\r\n\r\n".to_owned();
        for (first, end) in [
            (closing, "sent"),
            ("GET /stream HTTP/1.0\r\n\r\n".to_owned(), "\r\n\r\nstreamed"),
            (get("/broken"), "\r\n\r\n8\r\nstreamed\r\n"),
            ("nonsense\r\n\r\n".to_owned(), "\n"),
        ] {
            let (answer, is_closed) =
                answers((first.clone() + &get("/send")).as_bytes(), 9, &Settings::default());
            assert!(is_closed && answer.ends_with(end), "{answer}");
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{first}");
        }
        let once = Settings { keep_alive: std::time::Duration::ZERO, ..Settings::default() };
        assert_eq!(answers(get("/send").repeat(2).as_bytes(), 9, &once).0.matches("sent").count(), 1);
    }
}
