//! What it takes to read files: memory of a line, however large they are.

#![allow(clippy::unwrap_used, missing_docs)]

use std::fs::File;
use std::io::{BufWriter, Write};

use allocation_counter::measure;
use tempfile::TempDir;
use tracker_core::{Config, InfoHash, PeerAddr, PeerData, PeerId, PeerState, Seconds, SwarmData, Tracker};
use tracker_store::{DataDir, JournalFile, Sample, Store};

/// The longest line that is looked at, and what a buffer that grows to it takes for a moment.
const LINE: u64 = (32 + 16) << 20;

/// In memory, where there is some to be had as files.
fn place() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

#[test]
fn two_hundred_megabytes_without_a_line_end_take_no_more_than_the_longest_line() {
    let place = place();
    let (store, _, _) = Store::open(place.path(), 0).unwrap();
    let file = File::create(place.path().join("swarms.ron")).unwrap();
    file.set_len(200 << 20).unwrap();
    let tracker = Tracker::new(Config { shards: 1, ..Config::default() });
    let used = measure(|| {
        let loaded = store.load_swarms(&tracker, Seconds::new(0), 0).unwrap();
        assert_eq!((loaded.damage.len(), loaded.peers), (1, 0));
    });
    assert!(used.bytes_max < LINE + (2 << 20), "{} bytes", used.bytes_max);
}

#[test]
fn a_long_history_takes_no_more_than_a_short_one() {
    let place = place();
    let dir = DataDir::open(place.path()).unwrap();
    let open = || JournalFile::open(&dir, "journal.ron", 0, |_: Sample| {}).unwrap();
    let used = |lines: u64| {
        let samples: Vec<_> = (0..lines).map(|time| Sample { time, ..Sample::default() }).collect();
        open().0.append_all(&dir, &samples, 0).unwrap();
        measure(|| assert!(open().1.is_none())).bytes_max
    };
    let (short, long) = (used(100), used(10_000));
    assert!(long <= short + 4096, "{short} and {long} bytes");
}

#[test]
fn a_large_snapshot_takes_a_line_to_write_and_to_read() {
    let tracker = Tracker::new(Config { shards: 16, ..Config::default() });
    let swarm = |n: u32| {
        let peer = |at: u32| PeerData {
            addr: PeerAddr::new(std::net::Ipv4Addr::from(at + 1).into(), 6881),
            peer_id: Some(PeerId([n as u8; 20])),
            state: PeerState::Seeder,
            age: 0,
        };
        let mut info_hash = InfoHash([0; 20]);
        info_hash.0[..4].copy_from_slice(&n.to_le_bytes());
        SwarmData { info_hash, downloaded: 0, peers: (0..50).map(peer).collect() }
    };
    for n in 0..1000 {
        tracker.import(&swarm(n), Seconds::new(0));
    }
    let place = place();
    let (mut store, _, _) = Store::open(place.path(), 0).unwrap();
    let mut save = || store.save_swarms(&tracker, 0, 0, || Seconds::new(0), || true).unwrap().bytes;
    let mut size = 0;
    // twice: the second time what is there is looked through as well
    let used = measure(|| size = save() + save());
    let piece = 8 << 20; // what the tracker copies in one go, in its own form and as plain data
    assert!(size > 4_000_000 && used.bytes_max < piece, "{} bytes of {size}", used.bytes_max);

    let other = Tracker::new(Config { shards: 16, ..Config::default() });
    other.import(&swarm(0), Seconds::new(0));
    let tracker_alone =
        measure(|| (1..1000).for_each(|n| assert_eq!(other.import(&swarm(n), Seconds::new(0)).peers, 50)));
    let other = Tracker::new(Config { shards: 16, ..Config::default() });
    let used = measure(|| assert_eq!(store.load_swarms(&other, Seconds::new(0), 0).unwrap().peers, 50_000));
    let more = used.bytes_max.saturating_sub(tracker_alone.bytes_max);
    assert!(more < 1 << 20, "{more} bytes more than the swarms themselves");
}

#[test]
fn a_file_of_many_damaged_lines_takes_little_more() {
    let place = place();
    let dir = DataDir::open(place.path()).unwrap();
    let samples: Vec<_> = (0..20_000).map(|time| Sample { time, ..Sample::default() }).collect();
    let open = || JournalFile::open(&dir, "journal.ron", 0, |_: Sample| {}).unwrap();
    open().0.append_all(&dir, &samples, 0).unwrap();
    let text = std::fs::read_to_string(dir.file("journal.ron")).unwrap();
    let mut file = BufWriter::new(File::create(dir.file("journal.ron")).unwrap());
    for (n, line) in text.lines().enumerate() {
        writeln!(file, "{}", if n % 2 == 0 { line } else { "gone" }).unwrap();
    }
    drop(file);
    let used = measure(|| assert!(open().1.unwrap().to_string().contains(": 10000 lines are lost")));
    // the numbers of the lines that are there, and the buffer that they are written from
    assert!(used.bytes_max < text.len() as u64 / 2, "{} bytes of {}", used.bytes_max, text.len());
}
