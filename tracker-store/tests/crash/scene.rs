//! What is on disk before anything goes wrong: both files of the history, a snapshot, and the one before it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rand_core::Rng;
use rand_xoshiro::Xoshiro256PlusPlus;
use tracker_core::{Config, InfoHash, PeerAddr, PeerData, PeerId, PeerState, Seconds, SwarmData, Tracker};
use tracker_store::{Hour, Sample, Spread, Store};

/// When the snapshot was begun, the hour that samples lie in, and the tracker's own clock.
pub(crate) const TIME: u64 = 1_790_002_800 / 3600 * 3600 + 1800;
pub(crate) const CLOCK: Seconds = Seconds::new(10_000);
/// A while later everything is opened again.
pub(crate) const LATER: u64 = 100;
pub(crate) const COMPLETED: u64 = 4711;
pub(crate) const TIMEOUT: u32 = 3600;

/// Torrents in the current snapshot.
pub(crate) const TORRENTS: u32 = 205;
/// And in the older one, of which 20 are not in the current one.
pub(crate) const OLDER_TORRENTS: u32 = 32;

pub(crate) const FILES: [&str; 4] = ["history.ron", "history-hourly.ron", "swarms.ron", "swarms.ron.1"];

/// A directory's files.
pub(crate) type Files = BTreeMap<&'static str, Vec<u8>>;

/// Memory, where there is some to be had as files: thousands of syncs are nothing there.
pub(crate) fn place() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

pub(crate) fn tracker() -> Tracker {
    Tracker::new(Config { shards: 2, peer_timeout: TIMEOUT, ..Config::default() })
}

/// Torrent number `n`: none, one, or some peers of both families, their ids of all byte values.
fn swarm(n: u32, peers: u32, downloaded: u32) -> SwarmData {
    let mut info_hash = InfoHash([n as u8; 20]);
    info_hash.0[..4].copy_from_slice(&n.wrapping_mul(0x9e37_79b1).to_be_bytes());
    let peer = |at: u32| {
        let port = (n * 7 + at + 1) as u16;
        let ip = if at % 2 == n % 2 {
            std::net::Ipv4Addr::from(0x0a00_0000 | n << 8 | at).into()
        } else {
            std::net::Ipv6Addr::from(0x2001_0db8_u128 << 96 | u128::from(n << 8 | at)).into()
        };
        PeerData {
            addr: PeerAddr::new(ip, port),
            peer_id: Some(PeerId(std::array::from_fn(|byte| (n * 13 + at * 20) as u8 ^ byte as u8))),
            state: [PeerState::Seeder, PeerState::Leecher, PeerState::PartialSeed][(n + at) as usize % 3],
            age: (n * 31 + at * 5) % 1700,
        }
    };
    SwarmData { info_hash, downloaded, peers: (0..peers).map(peer).collect() }
}

/// The swarms of the older snapshot, and of the current one: some torrents are in both, with other peers, the others in
/// one only.
fn swarms(of_older: bool) -> impl Iterator<Item = SwarmData> {
    let torrents = if of_older { 0..OLDER_TORRENTS } else { 20..20 + TORRENTS };
    torrents.map(move |n| match n % 10 {
        _ if n == 30 => swarm(n, 26, 1000),
        3 => swarm(n, 1 + u32::from(of_older), 0),
        6 => swarm(n, 2, 5 + u32::from(of_older)),
        _ => swarm(n, 0, n + 1 + u32::from(!of_older)),
    })
}

pub(crate) fn sample(n: u64) -> Sample {
    Sample {
        time: TIME - 1800 + (n + 1) * 60,
        over: 60,
        torrents: 1000 + n,
        peers: 20_000 + n,
        seeders: 7 * n,
        leechers: 20_000 - 6 * n,
        completed: 40 + n,
        announces: 600 * n,
        scrapes: n % 3,
        errors: n,
    }
}

pub(crate) fn hour(n: u64) -> Hour {
    let spread = |value: u64| Spread { mean: value as f64 + 0.25, min: value, max: value + 2 };
    Hour {
        time: (TIME / 3600 - 100 + n) * 3600,
        covered: 3600,
        torrents: spread(10 + n),
        peers: spread(1000 + n),
        seeders: spread(500),
        leechers: spread(500 + n),
        completed: 9 + n,
        announces: 36_000 * n,
        scrapes: n,
        errors: 0,
    }
}

/// Writes it all down: so many samples, at most 29, and so many hours, at most 90.
pub(crate) fn write(path: &Path, samples: u64, hours: u64) -> Files {
    let (mut store, _, damage) = Store::open(path, TIME).unwrap();
    assert_eq!(damage, []);
    let closed: Vec<_> = (0..hours).map(hour).collect();
    store.record(&sample(0), &closed, TIME).unwrap();
    for n in 1..samples {
        store.record(&sample(n), &[], TIME).unwrap();
    }
    for of_older in [true, false] {
        let tracker = tracker();
        for swarm in swarms(of_older) {
            tracker.import(&swarm, CLOCK);
        }
        let completed = if of_older { COMPLETED - 100 } else { COMPLETED };
        let saved = store.save_swarms(&tracker, TIME, completed, || CLOCK, || true).unwrap();
        assert_eq!(saved.torrents, u64::from(if of_older { OLDER_TORRENTS } else { TORRENTS }));
    }
    FILES.map(|name| (name, fs::read(path.join(name)).unwrap())).into()
}

/// Puts a file there, as it was when the snapshot was begun.
pub(crate) fn put(path: &Path, name: &str, bytes: &[u8]) {
    let path = path.join(name);
    fs::write(&path, bytes).unwrap();
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(TIME);
    fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

/// The copies that were put aside, which are removed.
pub(crate) fn take_copies(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut copies = BTreeMap::new();
    for entry in fs::read_dir(path).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name.contains(".corrupt-") {
            copies.insert(name, fs::read(entry.path()).unwrap());
            fs::remove_file(entry.path()).unwrap();
        }
    }
    copies
}

/// One thing that goes wrong with a file, or two.
pub(crate) fn harm(bytes: &[u8], rng: &mut Xoshiro256PlusPlus) -> Vec<u8> {
    let mut bad = bytes.to_vec();
    for _ in 0..1 + below(rng, 4) / 3 {
        harm_once(&mut bad, rng);
    }
    bad
}

fn harm_once(bad: &mut Vec<u8>, rng: &mut Xoshiro256PlusPlus) {
    if bad.is_empty() {
        return;
    }
    let at = below(rng, bad.len());
    let length = (1 << below(rng, 13)).min(bad.len() - at);
    let ends: Vec<_> =
        bad.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    match below(rng, 10) {
        0 => {
            for _ in 0..1 + below(rng, 8) {
                let at = below(rng, bad.len());
                bad[at] ^= 1 << below(rng, 8);
            }
        }
        1 => bad[at..at + length].fill(0),
        2 if ends.len() > 1 => {
            // a line once more: behind itself or elsewhere
            let line = below(rng, ends.len() - 1);
            let copy = bad[ends[line]..ends[line + 1]].to_vec();
            let to = ends[if below(rng, 2) == 0 { line + 1 } else { below(rng, ends.len()) }];
            bad.splice(to..to, copy);
        }
        3 => bad.extend((0..length).map(|_| rng.next_u32() as u8)),
        4 => {
            bad.extend((0..length).map(|_| b' ' + (rng.next_u32() % 95) as u8));
            bad.push(b'\n');
        }
        5 => {
            bad.drain(at..at + length);
        }
        6 => {
            // blocks swapped
            let (one, other) = (below(rng, bad.len() - length + 1), below(rng, bad.len() - length + 1));
            for n in 0..length {
                bad.swap(one + n, other + n);
            }
        }
        7 if ends.len() > 3 => {
            // lines swapped
            let mut lines: Vec<_> = bad.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
            let (one, other) = (below(rng, lines.len()), below(rng, lines.len()));
            lines.swap(one, other);
            *bad = lines.concat();
        }
        8 => bad.truncate(at),
        _ => {
            // a line end gone
            if let Some(&end) = ends.get(below(rng, ends.len().max(1))) {
                bad.remove(end - 1);
            }
        }
    }
}

pub(crate) fn below(rng: &mut Xoshiro256PlusPlus, bound: usize) -> usize {
    (rng.next_u64() % bound as u64) as usize
}

/// Says which case it was when a test fails.
pub(crate) struct Case<'a>(pub(crate) &'a str, pub(crate) u64);

impl Drop for Case<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}: seed or position {}", self.0, self.1);
        }
    }
}
