//! A tracker on a port of its own, for one test.

use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use tracker_core::{Config, InfoHash, PeerState, Tracker};
use tracker_http::{
    Access, Clock, Counters, Happening, NotFound, Rules, Server, Service, Settings, Tls, TrackerService,
};

use crate::bencode::Value;
use crate::client::{Client, PATIENCE};
use crate::pki;

/// What a test's tracker is like.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setup {
    pub(crate) config: Config,
    pub(crate) rules: Rules,
    pub(crate) settings: Settings,
    /// Also on `[::1]`.
    pub(crate) is_dual: bool,
    /// How often the service is to panic.
    pub(crate) panics: u64,
}

/// The running tracker.
pub(crate) struct Site<'a> {
    pub(crate) tracker: &'a Tracker,
    pub(crate) access: &'a Access,
    pub(crate) server: &'a Server,
    pub(crate) tls: &'a Tls,
}

impl Setup {
    pub(crate) fn run(self, test: impl FnOnce(&Site<'_>)) {
        self.run_beside(NotFound, test);
    }

    /// Runs `test` against a server, and sees to it that nothing is left of it.
    pub(crate) fn run_beside<N: Service>(self, next: N, test: impl FnOnce(&Site<'_>)) {
        let mut addrs: Vec<SocketAddr> = vec!["127.0.0.1:0".parse().unwrap()];
        if self.is_dual {
            addrs.push("[::1]:0".parse().unwrap());
        }
        let tracker = Tracker::new(self.config);
        let access = Access::default();
        let tls = pki::tls();
        let (plain, secure): (&[_], &[_]) =
            if crate::IS_SECURE { (&[], &addrs) } else { (&addrs, &addrs[..1]) };
        let server = Server::bind_tls(plain, secure, &tls, self.settings, Clock::start()).unwrap();
        let service = TrackerService::new(&tracker, self.rules, &access).beside(next);
        let site = Site { tracker: &tracker, access: &access, server: &server, tls: &tls };
        std::thread::scope(|scope| {
            scope.spawn(|| server.run(&service));
            let result = catch_unwind(AssertUnwindSafe(|| test(&site)));
            server.handle().stop();
            if let Err(panic) = result {
                resume_unwind(panic);
            }
        });
        let handle = server.handle();
        assert_eq!(handle.counters().open_connections(), 0, "connections that the server forgot");
        assert_eq!(handle.counters().happenings(Happening::Panicked), self.panics, "panics");
    }
}

/// Runs `test` against a tracker as it comes.
pub(crate) fn run(test: impl FnOnce(&Site<'_>)) {
    Setup::default().run(test);
}

impl Site<'_> {
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addrs()[0]
    }

    /// What [`IS_SECURE`](crate::IS_SECURE) says, whichever that is.
    fn addrs(&self) -> &[SocketAddr] {
        if crate::IS_SECURE { self.server.secure_addrs() } else { self.server.addrs() }
    }

    /// With TLS, whatever the others have.
    pub(crate) fn secure_addr(&self) -> SocketAddr {
        self.server.secure_addrs()[0]
    }

    pub(crate) fn addr6(&self) -> SocketAddr {
        self.addrs()[1]
    }

    pub(crate) fn connect(&self) -> Client {
        Client::new(self.addr())
    }

    /// One request on a connection of its own.
    #[track_caller]
    pub(crate) fn tell(&self, query: &Query) -> Value {
        self.connect().tell(query.request())
    }

    #[track_caller]
    pub(crate) fn scrape(&self, torrents: &[u8]) -> Value {
        self.connect().tell(get(&scrape(torrents)))
    }

    /// `complete`, `incomplete` and `downloaded` by a scrape.
    #[track_caller]
    pub(crate) fn counts(&self, torrent: u8) -> (i64, i64, i64) {
        self.scrape(&[torrent]).file(&hash(torrent)).counts()
    }

    /// The peers that are stored, in order.
    pub(crate) fn stored(&self, info_hash: [u8; 20]) -> Vec<(SocketAddr, PeerState, [u8; 20])> {
        let mut stored = Vec::new();
        for shard in 0..self.tracker.shards() {
            self.tracker.export(shard, self.server.clock().now(), |swarm| {
                if swarm.info_hash == InfoHash(info_hash) {
                    let peer = |peer: &tracker_core::PeerData| {
                        (peer.addr.into(), peer.state, peer.peer_id.map_or([0; 20], |id| id.0))
                    };
                    stored.extend(swarm.peers.iter().map(peer));
                }
            });
        }
        stored.sort_unstable();
        stored
    }

    pub(crate) fn counts_of<T>(&self, look: impl FnOnce(&Counters) -> T) -> T {
        look(self.server.handle().counters())
    }

    pub(crate) fn happened(&self, what: Happening) -> u64 {
        self.counts_of(|counters| counters.happenings(what))
    }

    pub(crate) fn open(&self) -> usize {
        self.counts_of(Counters::open_connections)
    }

    /// Waits for what has no event on the client's side, such as a counter of the server.
    #[track_caller]
    pub(crate) fn wait_for(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let begin = Instant::now();
        while !is_so() {
            assert!(begin.elapsed() < PATIENCE, "{what}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// A good client is served, on a connection of its own.
    #[track_caller]
    pub(crate) fn serves(&self) {
        let answer = self.tell(&announce(255, 65_000));
        assert_eq!(answer.bytes("external ip"), [127, 0, 0, 1]);
    }
}

/// The parameters of an announce, in order.
#[derive(Clone, Debug)]
pub(crate) struct Query(Vec<(String, String)>);

/// A leecher's announce of torrent number `torrent`.
pub(crate) fn announce(torrent: u8, port: u16) -> Query {
    let peer_id = format!("-TT0001-{port:012}");
    let parameters = [
        ("info_hash", escape(&hash(torrent))),
        ("peer_id", peer_id),
        ("port", port.to_string()),
        ("uploaded", "0".to_owned()),
        ("downloaded", "0".to_owned()),
        ("left", "1000".to_owned()),
    ];
    Query(parameters.map(|(name, value)| (name.to_owned(), value)).into())
}

impl Query {
    /// Sets a parameter, raw.
    pub(crate) fn with(mut self, name: &str, value: impl std::fmt::Display) -> Query {
        match self.0.iter_mut().find(|(other, _)| other == name) {
            Some((_, old)) => *old = value.to_string(),
            None => self.0.push((name.to_owned(), value.to_string())),
        }
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Query {
        self.0.retain(|(other, _)| other != name);
        self
    }

    pub(crate) fn seeding(self) -> Query {
        self.with("left", 0)
    }

    pub(crate) fn event(self, event: &str) -> Query {
        self.with("event", event)
    }

    pub(crate) fn numwant(self, numwant: impl std::fmt::Display) -> Query {
        self.with("numwant", numwant)
    }

    pub(crate) fn target(&self) -> String {
        let pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("/announce?{}", pairs.join("&"))
    }

    pub(crate) fn request(&self) -> String {
        get(&self.target())
    }

    /// The request with further header lines, each with its line end.
    pub(crate) fn request_with(&self, fields: &str) -> String {
        format!("GET {} HTTP/1.1\r\nHost: t\r\n{fields}\r\n", self.target())
    }
}

/// A scrape of some torrents.
pub(crate) fn scrape(torrents: &[u8]) -> String {
    let asked: Vec<String> = torrents.iter().map(|&n| format!("info_hash={}", escape(&hash(n)))).collect();
    format!("/scrape?{}", asked.join("&"))
}

pub(crate) fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: t\r\n\r\n")
}

/// The info hash of torrent number `torrent`, with bytes of all kinds.
pub(crate) fn hash(torrent: u8) -> [u8; 20] {
    let mut hash = *b"\x00\xff%&+= /?#;\x7f\x80a09~\r\nn";
    hash[19] = torrent;
    hash
}

pub(crate) fn escape(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
}

pub(crate) fn local(port: u16) -> SocketAddr {
    (IpAddr::from([127, 0, 0, 1]), port).into()
}
