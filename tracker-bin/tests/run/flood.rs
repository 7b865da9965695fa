//! Floods of ten times the bounds: they meet the bounds, and others are served on.

#![cfg(target_os = "linux")]

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{Client, Told, get};
use crate::place::Place;
use crate::program::{Program, until};

const BOUND: usize = 20_000;
const FLOOD: usize = 10 * BOUND;
/// From which floods come, side by side: a peer is an address and a port, of which an address has 65,535.
const FLOODERS: u8 = 4;
/// Where those come from who are to be served meanwhile.
const GOOD: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9));
/// The torrent that is flooded with peers.
const FLOODED: &str = "a-torrent-for-floods";

/// Bytes of resident memory as docs/performance.md has them: a torrent of one peer, and what a peer with its id takes.
const TORRENT: f64 = 81.6;
const PEER: f64 = 40.1;
/// An array that grows is there twice while it is copied.
const GROWTH: f64 = 2.0;
/// For what does not grow with swarms: the buffers of a flood, a step of a snapshot, and the pages that the allocator
/// keeps of arrays that have grown.
const SLACK: f64 = 64e6;

/// A request by which peer `port` asks for nobody.
fn request(info_hash: &str, port: usize) -> String {
    get(&format!("/announce?info_hash={info_hash}&peer_id=-XX0001-floodfloodfl&port={port}&left=1&numwant=0"))
}

/// Any info hash: the same for the same number.
fn any_hash(n: usize) -> String {
    // whatever mixes bits well (the finalizer of MurmurHash3)
    let mut bits = n as u64 + 1;
    for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
        bits = (bits ^ bits >> 33).wrapping_mul(factor);
    }
    format!("{bits:020}")
}

/// Sends all requests over one connection from `ip` as fast as they are taken, and reads until the server closes.
/// Returns how many bytes it has answered.
fn flood(server: SocketAddr, ip: IpAddr, requests: impl Iterator<Item = String> + Send) -> usize {
    let stream = Client::from(ip, server).into_stream();
    thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let (mut buffer, mut read) = (vec![0; 256 << 10], 0);
            while let Ok(more @ 1..) = (&stream).read(&mut buffer) {
                read += more;
            }
            read
        });
        let mut batch = String::new();
        for request in requests {
            batch += &request;
            if batch.len() > 64 << 10 && (&stream).write_all(std::mem::take(&mut batch).as_bytes()).is_err() {
                break;
            }
        }
        // it may have been closed meanwhile
        let _ = (&stream).write_all(batch.as_bytes());
        let _ = stream.shutdown(Shutdown::Write);
        reading.join().unwrap()
    })
}

fn flooder(n: u8) -> IpAddr {
    [127, 0, 0, 2 + n].into()
}

/// Floods from all addresses at once with so many requests in all; `good` goes on until they are through, and once more.
fn all_flood(
    server: SocketAddr,
    count: usize,
    request: impl Fn(u8, usize) -> String + Sync,
    mut good: impl FnMut(),
) {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let flooders: Vec<_> = (0..FLOODERS)
            .map(|n| {
                let request = &request;
                let requests = (1..=count / usize::from(FLOODERS)).map(move |at| request(n, at));
                scope.spawn(move || flood(server, flooder(n), requests))
            })
            .collect();
        scope.spawn(|| {
            let read: Vec<_> = flooders.into_iter().map(thread::ScopedJoinHandle::join).collect();
            is_over.store(true, Relaxed);
            assert!(read.iter().all(|read| matches!(read, Ok(1..))), "{read:?}");
        });
        while !is_over.load(Relaxed) {
            good();
        }
        good();
    });
}

/// The largest resident memory that the program has had, in bytes.
fn peak(program: &Program) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<f64>().unwrap() * 1024.0
}

/// The value of a metric, if it is there.
fn find_metric(program: &Program, name: &str) -> Option<u64> {
    let answer = program.client().ask(get("/metrics"));
    let line = answer.text().lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    Some(line.parse().unwrap())
}

#[track_caller]
fn metric(program: &Program, name: &str) -> u64 {
    find_metric(program, name).unwrap_or_else(|| panic!("no {name}"))
}

/// Peers of torrents that are known before the flood, and an idea of what each has to be told.
struct Known {
    clients: Vec<Client>,
    torrent: u8,
}

impl Known {
    const PORTS: std::ops::Range<u16> = 1000..1004;

    /// Of this address, announced.
    fn announced(program: &Program, ip: IpAddr) -> Known {
        for torrent in 1..=5 {
            for port in Known::PORTS {
                Client::from(ip, program.addr()).announce(torrent, port, "&left=1");
            }
        }
        Known::connected(program, ip)
    }

    /// The same over other connections.
    fn connected(program: &Program, ip: IpAddr) -> Known {
        let clients = [(); 2].map(|()| Client::from(ip, program.addr()));
        Known { clients: clients.into(), torrent: 0 }
    }

    /// Two of them announce, and are told of the others.
    #[track_caller]
    fn are_served(&mut self) {
        self.torrent = self.torrent % 5 + 1;
        for (client, port) in self.clients.iter_mut().zip(Known::PORTS) {
            let ports = Known::PORTS.filter(|&other| other != port).collect();
            let told = client.announce(self.torrent, port, "&left=1");
            assert_eq!(told, Told { complete: 0, incomplete: 4, ports });
        }
    }
}

/// A tracker that has as much as it may, has written it down, and has had all its buffers filled.
struct Full {
    program: Program,
    known: Known,
    /// Its resident memory.
    taken: f64,
}

impl Full {
    /// Fills a new one with `request`s. Beside the known peers and one torrent, that may take so many bytes.
    fn of(place: &Place, data: &str, request: impl Fn(u8, usize) -> String + Sync, bytes: f64) -> Full {
        // one worker, since the allocator keeps pages for each
        let program = place.start_configured(&["--data-dir", data, "--workers", "1"]);
        let empty = peak(&program);
        let mut known = Known::announced(&program, GOOD);
        all_flood(program.addr(), BOUND, &request, || known.are_served());
        until("it is written down", || {
            find_metric(&program, "tracker_snapshot_peers").is_some_and(|peers| peers >= BOUND as u64)
        });
        // and twice again, while much is asked
        let written = || metric(&program, "tracker_snapshot_timestamp_seconds");
        let first = written();
        while written() < first + 2 {
            all_flood(program.addr(), BOUND, &request, || known.are_served());
        }
        let taken = peak(&program);
        let bound = GROWTH * bytes + SLACK;
        assert!(taken - empty < bound, "{} bytes, of at the most {bound}", taken - empty);
        Full { program, known, taken }
    }

    /// Floods it; that makes no difference to its memory, where it would take so many bytes if it were kept.
    fn flood(&mut self, request: impl Fn(u8, usize) -> String + Sync, bytes: f64) {
        all_flood(self.program.addr(), FLOOD, request, || self.known.are_served());
        self.grows_by_less(bytes);
    }

    fn grows_by_less(&self, bytes: f64) {
        let more = peak(&self.program) - self.taken;
        assert!(more < bytes / 2.0, "{more} bytes more; all of it would take {bytes}");
    }
}

#[test]
fn a_flood_of_torrents_meets_the_bound_and_known_ones_are_served() {
    // those who flood are exempt from limits per address, as all of this machine are by default
    let place = Place::config(
        "(swarm: (max_torrents: 20_000, remember_torrents: 1000), store: (snapshot_every: \"1s\"))",
    );
    let random = |n: u8, at: usize| request(&any_hash(at * usize::from(FLOODERS) + usize::from(n)), 1);
    let mut full = Full::of(&place, "torrents", random, BOUND as f64 * (TORRENT + PEER));
    let before = metric(&full.program, "tracker_failures_total") as usize;
    full.flood(random, (FLOOD - BOUND) as f64 * (TORRENT + PEER));
    // those of the first rounds are known: 20,000 but for the five that were there before
    let refused = metric(&full.program, "tracker_failures_total") as usize - before;
    assert_eq!(refused, FLOOD - (BOUND - 5));
    until("all are counted", || metric(&full.program, "tracker_torrents") == BOUND as u64);
    full.program.stop();
}

#[test]
fn a_flood_of_peers_meets_the_bound_and_so_does_one_of_connections() {
    let place = Place::config(
        "(swarm: (max_peers_per_torrent: 20_000), http: (max_connections: 200), store: (snapshot_every: \"1s\"))",
    );
    let peers = |_: u8, port: usize| request(FLOODED, port);
    let mut full = Full::of(&place, "peers", peers, BOUND as f64 * PEER);
    full.flood(peers, (FLOOD - BOUND) as f64 * PEER);
    let told = full.program.client().ask(request(FLOODED, 1).replace("numwant=0", "numwant=5")).told();
    assert_eq!((told.incomplete, told.ports.len()), (BOUND as i64, 5));

    // as many connections as there may be, ten times over, that say nothing
    let mut silent = VecDeque::new();
    for _ in 0..2000 {
        silent.push_back(full.program.client());
        if silent.len() > 250 {
            silent.pop_front();
        }
    }
    drop(silent);
    until("a good request is answered", || {
        let mut client = full.program.client();
        client.try_ask(get("/health")).is_some_and(|answer| answer.status == 200)
    });
    Known::connected(&full.program, GOOD).are_served();
    full.grows_by_less((FLOOD - BOUND) as f64 * PEER);
    assert!(metric(&full.program, "tracker_connections_closed_total{reason=\"no_room\"}") > 0);
    full.program.stop();
}

#[test]
fn floods_of_one_address_hurt_that_address_alone() {
    let place = Place::config(
        "(limits: (requests_per_second: 50, burst: 200, connections: 20, exempt: [\"127.0.0.1\"]), http: (max_connections: 100))",
    );
    let program = place.start_configured(&[]);
    // it has limits as well; the one who looks at metrics has none
    let mut known = Known::announced(&program, GOOD);

    // ten times the connections that there may be, and always more at a time than there may be
    let mut silent = VecDeque::new();
    for at in 0..1000 {
        silent.push_back(Client::from(flooder(0), program.addr()));
        if silent.len() > 150 {
            silent.pop_front();
        }
        if at % 100 == 0 {
            known.are_served();
            Known::connected(&program, GOOD).are_served();
        }
    }
    drop(silent);
    let closed = metric(&program, "tracker_connections_closed_total{reason=\"over_connections\"}");
    assert!(closed > 500, "{closed}");
    assert_eq!(metric(&program, "tracker_connections_closed_total{reason=\"no_room\"}"), 0);
    until("the flooder has its connections back", || metric(&program, "tracker_connections") < 10);

    // as many requests as it can, over one connection after another
    let begin = Instant::now();
    let mut next = Duration::ZERO;
    while begin.elapsed() < Duration::from_secs(2) {
        let requests = (1..=1000).map(|port| request(FLOODED, port));
        flood(program.addr(), flooder(0), requests);
        // no more often than a good client does
        if begin.elapsed() > next {
            known.are_served();
            next += Duration::from_millis(200);
        }
    }
    let lasted = begin.elapsed();
    let served = metric(&program, "tracker_slowed_total");
    // a bucket of debt, and what comes back
    let most = 200 + 50 * (lasted.as_secs() + 1);
    assert!((200..=most).contains(&served), "{served} of {most}");
    assert!(metric(&program, "tracker_refused_requests_total") > 0);
    assert!(metric(&program, "tracker_connections_closed_total{reason=\"over_rate\"}") > 0);
    known.are_served();
    program.stop();
}
