//! Directories to try things in, and what is found in them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tracker_core::{Config, InfoHash, PeerAddr, PeerData, PeerId, PeerState, Seconds, SwarmData, Tracker};

use crate::dir::DataDir;
use crate::journal::JournalFile;
use crate::{Damage, Hour, Loaded, Sample, Store};

pub(super) const NOW: u64 = 1_790_000_000;
pub(super) const CLOCK: Seconds = Seconds::new(5000);
/// A name for a journal of its own.
pub(super) const JOURNAL: &str = "journal.ron";

pub(super) type Files = BTreeMap<String, Vec<u8>>;
pub(super) type Torrents = BTreeMap<[u8; 20], (u32, Vec<u16>)>;

/// A new directory with these files.
pub(super) fn directory(files: &Files) -> TempDir {
    let place = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    for (name, bytes) in files {
        fs::write(place.path().join(name), bytes).unwrap();
    }
    place
}

/// The files in a directory.
pub(super) fn files(path: &Path) -> Files {
    let entries = fs::read_dir(path).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

/// Those that were put aside.
pub(super) fn copies(path: &Path) -> Vec<Vec<u8>> {
    let is_copy = |name: &String| name.contains(".corrupt-") && !name.ends_with(".tmp");
    files(path).into_iter().filter(|(name, _)| is_copy(name)).map(|(_, bytes)| bytes).collect()
}

pub(super) fn sample(n: u64) -> Sample {
    Sample { time: NOW - 1000 + n * 60, over: 60, peers: n, announces: 10 * n, ..Sample::default() }
}

pub(super) fn hour(n: u64) -> Hour {
    Hour { time: (NOW / 3600 - 20 + n) * 3600, covered: 3600, announces: n, ..Hour::default() }
}

/// Opens a journal of samples: which are there, and what was wrong.
pub(super) fn open_journal(
    dir: &DataDir,
    name: &'static str,
) -> (JournalFile<Sample>, Vec<u64>, Option<Damage>) {
    let mut found = Vec::new();
    let visit = |record: Sample| {
        assert_eq!(record, sample(record.peers));
        found.push(record.peers);
    };
    let (journal, damage) = JournalFile::open(dir, name, NOW, visit).unwrap();
    (journal, found, damage)
}

/// The numbers of the samples in a journal, and what was wrong with it.
pub(super) fn samples(path: &Path, name: &'static str) -> (Vec<u64>, Option<Damage>) {
    let (_, found, damage) = open_journal(&DataDir::open(path).unwrap(), name);
    (found, damage)
}

/// The numbers of the hours in the history.
pub(super) fn hours(path: &Path) -> Vec<u64> {
    let mut found = Vec::new();
    let dir = DataDir::open(path).unwrap();
    let visit = |record: Hour| found.push(record.announces);
    let (_, damage) = JournalFile::open(&dir, crate::history::HOURS, NOW, visit).unwrap();
    assert_eq!(damage, None);
    found
}

/// A journal's file with so many samples.
pub(super) fn journal(samples: u64) -> Vec<u8> {
    let place = directory(&Files::new());
    let dir = DataDir::open(place.path()).unwrap();
    let (mut journal, _, _) = open_journal(&dir, JOURNAL);
    for n in 1..=samples {
        journal.append(&dir, &sample(n), NOW).unwrap();
    }
    fs::read(dir.file(JOURNAL)).unwrap()
}

/// Torrents of which this is the `generation`: one of its own, and some that every one has.
pub(super) fn tracker(generation: u8) -> Tracker {
    let tracker = new_tracker();
    for n in (0..8).chain([100 + generation]) {
        let peer = |port| PeerData {
            addr: PeerAddr::new([192, 0, 2, n].into(), port),
            peer_id: Some(PeerId([generation; 20])),
            state: PeerState::Leecher,
            age: 0,
        };
        let peers = (1..=u16::from(generation)).map(peer).collect();
        let downloaded = u32::from(generation);
        tracker.import(&SwarmData { info_hash: InfoHash([n; 20]), downloaded, peers }, CLOCK);
    }
    tracker
}

fn new_tracker() -> Tracker {
    Tracker::new(Config { shards: 2, ..Config::default() })
}

pub(super) fn held(tracker: &Tracker) -> Torrents {
    let mut all = Torrents::new();
    for shard in 0..tracker.shards() {
        tracker.export(shard, CLOCK, |part| {
            let mut ports: Vec<_> = part.peers.iter().map(|peer| peer.addr.port()).collect();
            ports.sort_unstable();
            all.insert(part.info_hash.0, (part.downloaded, ports));
        });
    }
    all
}

pub(super) fn save(store: &mut Store, generation: u8) -> std::io::Result<crate::Saved> {
    store.save_swarms(&tracker(generation), NOW, u64::from(generation), || CLOCK, || true)
}

/// The swarms in a directory, and what was said about them.
pub(super) fn load(path: &Path) -> (Torrents, Loaded) {
    let (store, _, _) = Store::open(path, NOW).unwrap();
    let tracker = new_tracker();
    let loaded = store.load_swarms(&tracker, CLOCK, NOW).unwrap();
    (held(&tracker), loaded)
}

/// What the older snapshot alone holds; it is whole, if it is there.
pub(super) fn older(path: &Path) -> Option<Torrents> {
    let bytes = fs::read(path.join("swarms.ron.1")).ok()?;
    let place = directory(&Files::from([("swarms.ron".to_owned(), bytes)]));
    let (torrents, loaded) = load(place.path());
    assert_eq!(loaded.damage, [], "a damaged file is never the older one");
    Some(torrents)
}
