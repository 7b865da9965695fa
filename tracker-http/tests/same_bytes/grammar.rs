//! All that may come over a connection: mostly what real clients send and what is near to it, but every rule of the
//! protocol is kept and broken.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use tracker_http::parser::Limits;

use crate::asks::{any_ask, taste};
use crate::wire::{Ask, Taste};
use crate::world::{HASHES, Setup};

/// Some connections, one after the other, to a tracker.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) setup: Setup,
    pub(crate) talks: Vec<Talk>,
}

#[derive(Clone, Debug)]
pub(crate) struct Talk {
    pub(crate) asker: IpAddr,
    pub(crate) messages: Vec<Message>,
    /// All of them so many times.
    pub(crate) times: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Message {
    what: What,
    slips: Vec<Slip>,
}

#[derive(Clone, Debug)]
enum What {
    Ask(Ask, Vec<u8>),
    /// That request of the transcripts.
    Real(Index),
    /// One that is as long as the limit, or somewhat shorter or longer.
    Edge(Edge, i8),
    /// Something else.
    Raw(&'static [u8]),
}

#[derive(Clone, Copy, Debug)]
enum Edge {
    Target,
    DetachedQuery,
    Fields,
    FieldBytes,
    UnfinishedLine,
    UnfinishedField,
    Length,
    Chunk,
    EmptyLines,
}

/// What goes wrong with one byte.
#[derive(Clone, Debug)]
enum Slip {
    Change(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Truncate(Index),
}

impl Talk {
    /// What is sent, message by message.
    pub(crate) fn messages(&self, setup: &Setup) -> Vec<Vec<u8>> {
        let written: Vec<Vec<u8>> =
            self.messages.iter().map(|message| message.write(&setup.limits())).collect();
        vec![written; self.times].concat()
    }
}

impl Message {
    fn write(&self, limits: &Limits) -> Vec<u8> {
        let mut bytes = match &self.what {
            What::Ask(ask, taste) => ask.write(Taste::new(taste)),
            What::Real(at) => at.get(&TRANSCRIPTS).clone(),
            What::Edge(edge, beyond) => edge.write(limits, isize::from(*beyond)),
            What::Raw(bytes) => bytes.to_vec(),
        };
        for slip in &self.slips {
            slip.apply(&mut bytes);
        }
        bytes
    }
}

impl Edge {
    fn write(self, limits: &Limits, beyond: isize) -> Vec<u8> {
        let fill = |what: &str, limit: usize, others: usize| {
            what.repeat((limit.saturating_add_signed(beyond).saturating_sub(others)) / what.len())
        };
        let x = |limit, others| fill("x", limit, others);
        let get = "GET /announce HTTP/1.1\r\nHost: t\r\n";
        let text = match self {
            Edge::Target => format!("GET /scrape?{} HTTP/1.1\r\nHost: t\r\n\r\n", x(limits.target, 8)),
            Edge::DetachedQuery => {
                format!("GET /announce ?{} HTTP/1.1\r\nHost: t\r\n\r\n", x(limits.target, 11))
            }
            Edge::Fields => format!("{get}{}\r\n", "A: b\r\n".repeat(x(limits.fields, 1).len())),
            Edge::FieldBytes => format!("{get}A: {}\r\n\r\n", x(limits.head, 9 + 5)),
            Edge::UnfinishedLine => format!("GET /{}", x(limits.target + 32, 5)),
            Edge::UnfinishedField => format!("{get}A: {}", x(limits.head, 9 + 3)),
            Edge::Length => {
                let body = x(limits.body as usize, 0);
                format!("{get}Content-Length: {}\r\n\r\n{body}", body.len())
            }
            Edge::Chunk => {
                let body = x(limits.body as usize, 0);
                format!("{get}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
            }
            Edge::EmptyLines => format!("{}{get}\r\n", fill("\n", 128, 0)),
        };
        text.into_bytes()
    }
}

impl Slip {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match self {
            Slip::Change(at, byte) => *at.get_mut(bytes) = *byte,
            Slip::Insert(at, byte) => bytes.insert(at.index(bytes.len()), *byte),
            Slip::Remove(at) => drop(bytes.remove(at.index(bytes.len()))),
            Slip::Truncate(at) => bytes.truncate(at.index(bytes.len())),
        }
    }
}

/// The requests of the transcripts of real clients.
static TRANSCRIPTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort(); // so that a seed means the same everywhere
    let mut requests = Vec::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        let (_, exchanges) = text.split_once('\n').unwrap();
        for exchange in exchanges.split("====\n").filter(|exchange| !exchange.is_empty()) {
            let (request, _) = exchange.split_once("\n---- ").unwrap();
            requests.push(format!("{request}\n").replace('\n', "\r\n").into_bytes());
        }
    }
    assert!(requests.len() > 40);
    requests
});

const OTHERS: &[&[u8]] = &[
    b"GET /favicon.ico HTTP/1.1\r\nHost: t\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n",
    b"CONNECT t:80 HTTP/1.1\r\nHost: t\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\x13BitTorrent protocol\0\0\0\0\0\x10\0\x05",
    b"GET /announce\r\n\r\n",
    b"GET  /announce HTTP/1.1\r\nHost: t\r\n\r\n",
    b"GET /announce HTTP/1.1 \r\nHost: t\r\n\r\n",
    b"GET /announce?\rinfo_hash=x HTTP/1.1\r\nHost: t\r\n\r\n",
    b"GET /scrape ?info_hash=x HTTP/1.1\r\nHost: t\r\n\r\n",
    b"GET /announce ?info_hash=x y HTTP/1.1\r\nHost: t\r\n\r\n",
    b"GET http:///announce HTTP/1.1\r\nHost: t\r\n\r\n",
    b"GET http://t HTTP/1.1\r\nHost: t\r\n\r\n",
    b"GET HTTP://t?info_hash=/ HTTP/1.1\r\nHost: t\r\n\r\n",
    b"GET http://t/announce/../scrape?a=%7e HTTP/1.1\r\nHost: t\r\n\r\n",
    b"GET http://[t]:x/scrape?info_hash=1#2 HTTP/1.1\r\nHost: t\r\n\r\n",
    b"GET /announce HTTP/1.1\r\nHost: t\r\n folded\r\n\r\n",
    b"GET /announce HTTP/1.1\r\nHost : t\r\n\r\n",
    b"GET /announce HTTP/1.1\r\nHost: t\rX: y\r\n\r\n",
    b"AVERYLONGMETHOD0 / HTTP/1.1\r\nHost: t\r\n\r\n",
    b"AVERYLONGMETHOD01 / HTTP/1.1\r\nHost: t\r\n\r\n",
    b"POST /announce HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
    b"GET /scrape HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"\r\n",
    b"\n\r\n",
];

pub(crate) fn case() -> BoxedStrategy<Case> {
    (setup(), vec(talk(), 1..4)).prop_map(|(setup, talks)| Case { setup, talks }).boxed()
}

pub(crate) fn setup() -> BoxedStrategy<Setup> {
    let crowd = || prop_oneof![6 => 0..6_u16, 4 => 6..60_u16, 1 => 150..260_u16];
    let flags = (
        prop::bool::weighted(0.3),
        prop::bool::weighted(0.9),
        prop::bool::weighted(0.3),
        prop::bool::weighted(0.3),
        prop::bool::weighted(0.8),
        prop::bool::weighted(0.3),
    );
    let denied = proptest::option::weighted(0.2, select(&HASHES[..]));
    let numbers =
        (prop_oneof![3 => Just(50_u32), 1 => 0..120_u32], select(&[[1800, 900], [1, 1], [100_000, 9]]));
    (any::<u64>(), [crowd(), crowd(), crowd()], flags, denied, numbers)
        .prop_map(|(seed, crowds, flags, denied, (numwant, intervals))| Setup {
            seed,
            crowds,
            is_narrow: flags.0,
            keep_alive: flags.1,
            believes_queries: flags.2,
            full_scrape: flags.3,
            keep_peer_ids: flags.4,
            is_bounded: flags.5,
            denied,
            numwant,
            intervals,
        })
        .boxed()
}

pub(crate) fn asker() -> BoxedStrategy<IpAddr> {
    let askers =
        ["203.0.113.7", "2001:db8::7", "127.0.0.1", "::1", "10.0.0.7", "::ffff:203.0.113.9", "fe80::1"];
    select(askers.to_vec()).prop_map(|text| text.parse().unwrap()).boxed()
}

fn talk() -> BoxedStrategy<Talk> {
    // some talk longer than it is their turn
    let times = prop_oneof![30 => Just(1_usize), 1 => 10..80_usize];
    (asker(), vec(message(), 1..8), times)
        .prop_map(|(asker, messages, times)| Talk { asker, messages, times })
        .boxed()
}

fn message() -> BoxedStrategy<Message> {
    let edge = select(
        &[
            Edge::Target,
            Edge::DetachedQuery,
            Edge::Fields,
            Edge::FieldBytes,
            Edge::UnfinishedLine,
            Edge::UnfinishedField,
            Edge::Length,
            Edge::Chunk,
            Edge::EmptyLines,
        ][..],
    );
    let what = prop_oneof![
        12 => (any_ask(), taste()).prop_map(|(ask, taste)| What::Ask(ask, taste)),
        6 => any::<Index>().prop_map(What::Real),
        1 => (edge, -3..=3_i8).prop_map(|(edge, beyond)| What::Edge(edge, beyond)),
        1 => select(OTHERS).prop_map(What::Raw),
    ];
    let byte = || prop_oneof![4 => select(&b"\r\n\t\0 %&=?:/+-09aF.,;"[..]), 1 => any::<u8>()];
    let slip = prop_oneof![
        3 => (any::<Index>(), byte()).prop_map(|(at, byte)| Slip::Change(at, byte)),
        3 => (any::<Index>(), byte()).prop_map(|(at, byte)| Slip::Insert(at, byte)),
        3 => any::<Index>().prop_map(Slip::Remove),
        1 => any::<Index>().prop_map(Slip::Truncate),
    ];
    let slips = prop_oneof![8 => Just(Vec::new()), 1 => vec(slip, 1..3)];
    (what, slips).prop_map(|(what, slips)| Message { what, slips }).boxed()
}
