//! Files of every released format are read as what they were written from, and today's are written to the byte.
//!
//! `TRACKER_STORE_GOLDEN=write cargo test -p tracker-store --test golden` writes those of the current format, once, before
//! it is released. Later formats get a directory of their own, and this one stays. In which order torrents and peers stand
//! in a snapshot is up to `tracker-core`, given its hash key.

#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use tracker_core::{Config, InfoHash, PeerAddr, PeerData, PeerId, PeerState, Seconds, SwarmData, Tracker};
use tracker_store::{DataDir, Hour, JournalFile, Sample, Spread, Store};

const WALL: u64 = 1_790_000_000;
const CLOCK: Seconds = Seconds::new(10_000);
const COMPLETED: u64 = 12_345_678_901;
const FILES: [&str; 3] = ["history.ron", "history-hourly.ron", "swarms.ron"];

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1").join(name)
}

fn samples() -> Vec<Sample> {
    let odd = Sample {
        time: WALL - 60,
        over: 61,
        torrents: 50_000,
        peers: 1_000_000,
        seeders: 400_000,
        leechers: 600_000,
        completed: COMPLETED,
        announces: 33_333,
        scrapes: 17,
        errors: 1,
    };
    let largest = Sample {
        time: WALL,
        over: u32::MAX,
        torrents: u64::MAX,
        peers: u64::MAX,
        seeders: u64::MAX,
        leechers: u64::MAX,
        completed: u64::MAX,
        announces: u64::MAX,
        scrapes: u64::MAX,
        errors: u64::MAX,
    };
    vec![Sample::default(), odd, largest]
}

fn hours() -> Vec<Hour> {
    let spread = |mean, min, max| Spread { mean, min, max };
    let odd = Hour {
        time: WALL / 3600 * 3600,
        covered: 3599,
        torrents: spread(49_999.5, 49_000, 51_000),
        peers: spread(1_000_000.01, 1, 2_000_000),
        seeders: spread(0.33, 0, 1),
        leechers: spread(1e19, 0, u64::MAX),
        completed: COMPLETED,
        announces: 2_000_000,
        scrapes: 1000,
        errors: 60,
    };
    vec![Hour::default(), odd]
}

/// Torrents with peers of both families, of every state and age, and one without.
fn swarms() -> Vec<SwarmData> {
    let peer = |n: u8| PeerData {
        addr: PeerAddr::new(
            if n.is_multiple_of(2) {
                IpAddr::V4(Ipv4Addr::new(192, 0, 2, n))
            } else {
                IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0xffff, n.into()))
            },
            65_535 - u16::from(n),
        ),
        peer_id: Some(PeerId(std::array::from_fn(|at| n.wrapping_mul(20).wrapping_add(at as u8)))),
        state: [PeerState::Seeder, PeerState::PartialSeed, PeerState::Leecher][usize::from(n) % 3],
        age: u32::from(n) * 100,
    };
    let swarm = |name, downloaded, peers| SwarmData { info_hash: InfoHash([name; 20]), downloaded, peers };
    vec![
        swarm(0x00, 1, vec![]),
        swarm(0x01, 0, vec![peer(0)]),
        swarm(0xab, u32::MAX, (0..13).map(peer).collect()),
        swarm(0xff, 7, vec![peer(1)]),
    ]
}

fn tracker() -> Tracker {
    Tracker::new(Config { hash_key: *b"golden, format 1", shards: 1, ..Config::default() })
}

/// What is in a tracker, in an order that is easily compared.
fn held(tracker: &Tracker) -> Vec<SwarmData> {
    let mut all = Vec::new();
    tracker.export(0, CLOCK, |swarm| all.push(swarm.clone()));
    all.sort_by_key(|swarm| swarm.info_hash.0);
    for swarm in &mut all {
        swarm.peers.sort_by_key(|peer| peer.age);
    }
    all
}

fn write(path: &Path) {
    let (mut store, _, _) = Store::open(path, WALL).unwrap();
    let tracker = tracker();
    for swarm in swarms() {
        tracker.import(&swarm, CLOCK);
    }
    store.save_swarms(&tracker, WALL, COMPLETED, || CLOCK, || true).unwrap();
    for (n, sample) in samples().iter().enumerate() {
        let closed = if n == 0 { hours() } else { vec![] };
        store.record(sample, &closed, WALL).unwrap();
    }
}

#[test]
fn format_1_is_read_as_what_it_was_written_from() {
    let place = tempfile::tempdir().unwrap();
    for name in FILES {
        fs::copy(golden(name), place.path().join(name)).unwrap();
    }
    let dir = DataDir::open(place.path()).unwrap();
    let mut found = Vec::new();
    let (_, damage) = JournalFile::open(&dir, FILES[0], WALL, |sample: Sample| found.push(sample)).unwrap();
    assert_eq!((found, damage), (samples(), None));
    let mut found = Vec::new();
    let (_, damage) = JournalFile::open(&dir, FILES[1], WALL, |hour: Hour| found.push(hour)).unwrap();
    assert_eq!((found, damage), (hours(), None));
    drop(dir);

    let (store, _, damage) = Store::open(place.path(), WALL).unwrap();
    assert_eq!(damage, []);
    let tracker = tracker();
    let loaded = store.load_swarms(&tracker, CLOCK, WALL).unwrap();
    assert_eq!((loaded.time, loaded.completed, loaded.damage), (Some(WALL), COMPLETED, vec![]));
    assert_eq!(held(&tracker), swarms());
}

#[test]
fn format_1_is_written_to_the_byte() {
    let place = tempfile::tempdir().unwrap();
    write(place.path());
    for name in FILES {
        let written = fs::read_to_string(place.path().join(name)).unwrap();
        if std::env::var("TRACKER_STORE_GOLDEN").is_ok_and(|what| what == "write") {
            assert!(!golden(name).exists(), "a golden file is written once");
            fs::write(golden(name), &written).unwrap();
        }
        assert_eq!(written, fs::read_to_string(golden(name)).unwrap(), "{name}");
    }
}
