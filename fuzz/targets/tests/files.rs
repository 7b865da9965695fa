//! The corpora of what is on disk, as files: what is found in bytes is found in a data directory, and it goes on from there.

#![allow(clippy::unwrap_used, missing_docs)]

use std::fmt::Debug;
use std::fs;
use std::path::Path;

use tracker_core::{Config, Seconds, SwarmData, Tracker};
use tracker_fuzz::sealed::sealed;
use tracker_store::{
    DataDir, Hour, JournalFile, Obstacle, Record, Sample, Store, StoreError, read_journal, read_swarms,
};

const WALL: u64 = 1_790_000_000;
const CLOCK: Seconds = Seconds::new(10_000);

/// The inputs of a corpus, each with its name and first byte.
fn corpus(name: &str) -> Vec<(String, u8, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(name);
    let mut inputs = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if let Some((&how, bytes)) = fs::read(&path).unwrap().split_first() {
            inputs.push((path.display().to_string(), how, bytes.to_vec()));
        }
    }
    inputs
}

fn is_newer<T>(opened: &Result<T, StoreError>) -> bool {
    matches!(opened, Err(StoreError { why: Obstacle::Newer { .. }, .. }))
}

/// Opens the bytes as a journal, appends to it, and opens it again.
fn journal<R: Record + Default + Debug>(name: &str, bytes: &[u8]) {
    let mut expected = Vec::new();
    let read = read_journal(bytes, |_, record: R| expected.push(format!("{record:?}"))).unwrap();
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("j.ron"), bytes).unwrap();
    let dir = DataDir::open(place.path()).unwrap();
    let mut found = Vec::new();
    let opened = JournalFile::open(&dir, "j.ron", WALL, |record: R| found.push(format!("{record:?}")));
    assert_eq!(found, expected, "{name}");
    assert_eq!(is_newer(&opened), read.version.is_some_and(|version| version > 1), "{name}");
    if is_newer(&opened) {
        assert_eq!(fs::read(place.path().join("j.ron")).unwrap(), bytes, "{name} was changed");
        return;
    }
    let (mut journal, damage) = opened.unwrap();
    assert_eq!(damage.is_none(), read.is_whole, "{name}: {damage:?} {read:?}");

    journal.append(&dir, &R::default(), WALL).unwrap();
    expected.push(format!("{:?}", R::default()));
    found.clear();
    let (_, damage) =
        JournalFile::open(&dir, "j.ron", WALL, |record: R| found.push(format!("{record:?}"))).unwrap();
    assert_eq!((found, damage), (expected, None), "{name}");
}

#[test]
fn whatever_a_journal_is_it_goes_on_with_what_is_intact() {
    for (name, how, bytes) in corpus("journal") {
        let bytes = if how & 2 == 0 { bytes } else { sealed(&bytes) };
        if how & 1 == 0 { journal::<Sample>(&name, &bytes) } else { journal::<Hour>(&name, &bytes) }
    }
}

fn tracker() -> Tracker {
    Tracker::new(Config { shards: 1, ..Config::default() })
}

fn held(tracker: &Tracker) -> Vec<SwarmData> {
    let mut all = Vec::new();
    tracker.export(0, CLOCK, |swarm| all.push(swarm.clone()));
    all.sort_by_key(|swarm| swarm.info_hash);
    for swarm in &mut all {
        swarm.peers.sort_by_key(|peer| (peer.addr.ip(), peer.addr.port()));
    }
    all
}

#[test]
fn whatever_a_snapshot_is_the_tracker_starts_with_what_is_intact() {
    for (name, how, bytes) in corpus("snapshot") {
        let bytes = if how & 1 == 0 { bytes } else { sealed(&bytes) };
        let expected = tracker();
        let read = read_swarms(&bytes[..], |swarm| {
            expected.import(&swarm, CLOCK);
        })
        .unwrap();

        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("swarms.ron"), &bytes).unwrap();
        let (mut store, _, _) = Store::open(place.path(), WALL).unwrap();
        let found = tracker();
        // as old as when it was taken; where it does not say, it is as old as its file, which is from now
        let loaded = store.load_swarms(&found, CLOCK, read.time);
        assert_eq!(is_newer(&loaded), read.version.is_some_and(|version| version > 1), "{name}");
        let Ok(loaded) = loaded else { continue };
        assert_eq!(loaded.damage.is_empty(), read.is_whole, "{name}: {loaded:?} {read:?}");
        assert_eq!(held(&found), held(&expected), "{name}");
        assert_eq!(loaded.completed, read.completed, "{name}");

        store.save_swarms(&found, WALL, 3, || CLOCK, || true).unwrap();
        let again = tracker();
        let loaded = store.load_swarms(&again, CLOCK, WALL).unwrap();
        assert_eq!((loaded.damage, loaded.completed), (vec![], 3), "{name}");
        assert_eq!(held(&again), held(&found), "{name}");
    }
}
