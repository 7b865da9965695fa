//! A whole connection: bytes in, bytes out.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracker_core::{Config, Seconds, Tracker};
use tracker_http::parser::{Limits, Method, Request};
use tracker_http::{
    Access, ClientIp, Context, Conversation, Reply, Rules, Service, Settings, TrackerService,
};

use crate::responses::{Response, responses};

/// The first byte says how the server is set up: its bits are small limits, no keep-alive, a client that is a proxy which is
/// believed, and clients that are believed about their addresses. The second is how many pieces are given, the bytes behind
/// it how long each is; the rest is what a client sends, in these pieces, over and over.
///
/// The answers are the same however it is cut, but for an interim `100 Continue` and for what is no request, which is
/// refused for whatever is seen first; there is one answer for each request, each a response of HTTP and no longer than
/// answers are; and after the last one nothing more.
pub fn connection(data: &[u8]) {
    let Some((&[how, count], rest)) = data.split_first_chunk() else { return };
    let Some((pieces, bytes)) = rest.split_at_checked(usize::from(count)) else { return };
    let whole = talk(bytes, &[], how);
    let cut = talk(bytes, pieces, how);
    assert_eq!(whole.requests, cut.requests);
    assert_eq!(whole.is_closed, cut.is_closed);
    assert_eq!(whole.answers.len(), cut.answers.len());
    for (one, other) in whole.answers.iter().zip(&cut.answers) {
        assert!(one == other || one.is_refusal() && other.is_refusal(), "{one:?}\nbut in pieces\n{other:?}");
    }
}

/// What came of a connection.
struct Talk {
    answers: Vec<Response>,
    requests: u64,
    is_closed: bool,
}

/// The longest answer: the page, and the head of it.
const LONGEST: usize = PAGE + 512;
const PAGE: usize = 5000;
/// `GET / HTTP/1.0`, and two line ends.
const SHORTEST_REQUEST: usize = 16;

/// So small that inputs reach them.
const SMALL: Limits = Limits { target: 100, head: 200, fields: 6, body: 20 };

fn settings(how: u8) -> Settings {
    let mut settings = Settings::default();
    if how & 1 != 0 {
        settings.limits = SMALL;
    }
    if how & 2 != 0 {
        settings.keep_alive = Duration::ZERO;
    }
    if how & 4 != 0 {
        settings.proxies.trusted.push("192.0.2.0/24".parse().expect("a network"));
    }
    settings
}

fn talk(bytes: &[u8], pieces: &[u8], how: u8) -> Talk {
    let tracker = Tracker::new(Config { shards: 1, max_torrents: 8, ..Config::default() });
    let access = Access::default();
    let client_ip = if how & 8 == 0 { ClientIp::Source } else { ClientIp::Query };
    let rules = Rules { max_scrape: 10, full_scrape: true, client_ip, ..Rules::default() };
    let service = Noting {
        methods: Mutex::default(),
        inner: TrackerService::new(&tracker, rules, &access).beside(Pages),
    };
    let mut conversation = Conversation::new(&service, [192, 0, 2, 1].into(), &settings(how));
    conversation.context_mut().now = Seconds::new(1000);

    let mut out = Vec::new();
    let mut rest = bytes;
    let mut lengths = pieces.iter().cycle();
    while !rest.is_empty() {
        // no piece is empty, but for none at all
        let length = lengths.next().map_or(rest.len(), |&length| usize::from(length) + 1);
        let (piece, behind) = rest.split_at(length.min(rest.len()));
        let (was_closed, before) = (conversation.is_closed(), out.len());
        conversation.feed(piece, &mut out);
        assert!(!was_closed || conversation.is_closed() && out.len() == before, "an answer after the last");
        rest = behind;
    }
    let (requests, is_closed) = (conversation.requests(), conversation.is_closed());
    if is_closed {
        let before = out.len();
        conversation.feed(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n", &mut out);
        assert_eq!((out.len(), conversation.requests()), (before, requests));
    }
    assert!(requests as usize <= bytes.len() / SHORTEST_REQUEST);

    let mut methods =
        std::mem::take(&mut *service.methods.lock().expect("nobody panics with it")).into_iter();
    let answers = responses(&out, || methods.next() == Some(Method::Head));
    assert_eq!(methods.next(), None, "a request without an answer");
    let interim = answers.iter().filter(|answer| answer.status == 100).count() as u64;
    let answers: Vec<_> = answers.into_iter().filter(|answer| answer.status != 100).collect();
    assert!(interim <= requests + 1);
    let refused = answers.len() as u64 - requests;
    assert!(refused <= 1 && (refused == 0 || is_closed), "{} answers to {requests}", answers.len());
    for (at, answer) in answers.iter().enumerate() {
        let is_last = at + 1 == answers.len();
        assert_eq!(answer.closes(), is_last && is_closed, "{answer:?}");
        assert!(answer.length <= LONGEST, "{answer:?}");
    }
    Talk { answers, requests, is_closed }
}

/// Notes the methods of the requests that are served.
struct Noting<S> {
    methods: Mutex<Vec<Method>>,
    inner: S,
}

impl<S: Service> Service for Noting<S> {
    fn call(&self, request: &Request<'_>, client: IpAddr, context: &mut Context, reply: &mut Reply<'_>) {
        self.methods.lock().expect("nobody panics with it").push(request.method);
        self.inner.call(request, client, context, reply);
    }

    fn stream(&self, request: &Request<'_>, client: IpAddr, body: &mut dyn io::Write) -> io::Result<()> {
        self.inner.stream(request, client, body)
    }
}

/// Routes for the other ways to answer.
struct Pages;

impl Service for Pages {
    fn call(&self, request: &Request<'_>, _: IpAddr, _: &mut Context, reply: &mut Reply<'_>) {
        match request.path {
            b"/page" => reply.share(200, "text/html", &[], Arc::new([b'x'; PAGE])),
            b"/same" => reply.send(304, "", &[("ETag", "\"1\"")], b"left out"),
            b"/down" => reply.send(503, "text/plain", &[], b"not now\n"),
            _ => {}
        }
    }
}
