//! Snapshots of swarms: what comes back, when, and what is refused.

#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::io::ErrorKind;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use tracker_core::{Config, InfoHash, PeerAddr, PeerData, PeerId, PeerState, Seconds, SwarmData, Tracker};
use tracker_store::{DamageKind, Loaded, Obstacle, Store};

const WALL: u64 = 1_790_000_000;
const CLOCK: Seconds = Seconds::new(10_000);

fn tracker() -> Tracker {
    Tracker::new(Config { shards: 2, peer_timeout: 1800, ..Config::default() })
}

/// A torrent named `name` with so many peers, heard of 600 seconds ago.
fn swarm(name: u8, peers: u32) -> SwarmData {
    let peer = |n: u32| PeerData {
        addr: PeerAddr::new(std::net::Ipv4Addr::from(0x0a00_0000 + n).into(), 6881),
        peer_id: Some(PeerId([n as u8; 20])),
        state: PeerState::Leecher,
        age: 600,
    };
    SwarmData { info_hash: InfoHash([name; 20]), downloaded: 3, peers: (0..peers).map(peer).collect() }
}

/// A store whose snapshots are these torrents, one snapshot after the other, taken at `WALL`.
fn store(snapshots: &[&[SwarmData]]) -> (TempDir, Store) {
    let place = tempfile::tempdir().unwrap();
    let (mut store, _, _) = Store::open(place.path(), WALL).unwrap();
    for (n, swarms) in snapshots.iter().enumerate() {
        let tracker = tracker();
        for swarm in *swarms {
            tracker.import(swarm, CLOCK);
        }
        store.save_swarms(&tracker, WALL, n as u64 + 1, || CLOCK, || true).unwrap();
    }
    (place, store)
}

fn load(store: &Store, wall: u64) -> (Tracker, Loaded) {
    let tracker = tracker();
    let loaded = store.load_swarms(&tracker, CLOCK, wall).unwrap();
    (tracker, loaded)
}

fn read(place: &TempDir, name: &str) -> String {
    fs::read_to_string(place.path().join(name)).unwrap()
}

fn write(place: &TempDir, name: &str, text: &str) {
    fs::write(place.path().join(name), text).unwrap();
}

#[test]
fn nothing_is_there_at_first() {
    let (_place, store) = store(&[]);
    assert_eq!(load(&store, WALL).1, Loaded::default());
}

#[test]
fn peers_age_while_the_tracker_is_off_and_not_when_the_clock_goes_back() {
    let (_place, store) = store(&[&[swarm(1, 3)]]);
    for (wall, peers) in
        [(WALL, 3), (WALL + 1100, 3), (WALL + 1300, 0), (WALL - 5000, 3), (0, 3), (u64::MAX, 0)]
    {
        let (tracker, loaded) = load(&store, wall);
        assert_eq!((loaded.peers, loaded.skipped, loaded.time), (peers, 3 - peers, Some(WALL)), "{wall}");
        assert_eq!(
            tracker.scrape(&InfoHash([1; 20])).unwrap().downloaded,
            3,
            "and the torrent is remembered"
        );
        assert!(loaded.damage.is_empty());
    }
}

#[test]
fn a_torrent_of_many_lines_comes_back_whole_and_counts_once() {
    let peers = 150_000;
    let (place, store) = store(&[&[swarm(1, 7), swarm(2, peers), swarm(3, 0)]]);
    let text = read(&place, "swarms.ron");
    let big = |line: &&str| line.contains(&InfoHash([2; 20]).to_string());
    assert_eq!(text.lines().filter(big).count(), 3);
    assert!(text.lines().all(|line| line.len() < 4 << 20), "a line is bounded");
    let (tracker, loaded) = load(&store, WALL);
    assert_eq!((loaded.peers, loaded.skipped), (u64::from(peers) + 7, 0));
    assert_eq!(tracker.totals().leechers(), u64::from(peers) + 7);

    // of the older snapshot all of its lines are taken; of a current one that lacks one line, the others
    drop(store);
    let (mut store, _, _) = Store::open(place.path(), WALL).unwrap();
    let saved = store.save_swarms(&tracker, WALL, 1, || CLOCK, || true).unwrap();
    assert_eq!((saved.torrents, saved.peers), (3, u64::from(peers) + 7));
    fs::remove_file(place.path().join("swarms.ron")).unwrap();
    let (_, loaded) = load(&store, WALL);
    assert_eq!((loaded.peers, loaded.from_older, loaded.damage.len()), (u64::from(peers) + 7, 5, 0));
    let second = text.lines().filter(big).nth(1).unwrap();
    write(&place, "swarms.ron", &text.replace(second, "lost"));
    let (_, loaded) = load(&store, WALL);
    assert_eq!((loaded.from_older, loaded.damage.len()), (0, 1));
    assert!(loaded.peers < u64::from(peers) && loaded.peers > 60_000);
}

#[test]
fn where_only_the_older_one_is_there_nothing_is_wrong() {
    let (place, store) = store(&[&[swarm(1, 2)], &[swarm(2, 3)]]);
    fs::remove_file(place.path().join("swarms.ron")).unwrap();
    let (_, loaded) = load(&store, WALL);
    assert_eq!((loaded.peers, loaded.from_older, loaded.completed), (2, 1, 1));
    assert!(loaded.damage.is_empty());
}

#[test]
fn an_end_in_the_middle_hides_nothing() {
    let (place, store) = store(&[&[swarm(1, 1), swarm(2, 2), swarm(3, 3)]]);
    let text = read(&place, "swarms.ron");
    let mut lines: Vec<_> = text.split_inclusive('\n').collect();
    let end = lines.pop().unwrap();
    assert!(end.contains("End("));
    lines.insert(1, end);
    write(&place, "swarms.ron", &lines.concat());
    let (_, loaded) = load(&store, WALL);
    assert_eq!(loaded.peers, 6);
    let DamageKind::Corrupt { lost: 0, kept: 5, doubled: 0, aside: Ok(copy), is_ended: true } =
        &loaded.damage[0].kind
    else {
        panic!("{loaded:?}")
    };
    assert_eq!(read(&place, copy), lines.concat());
}

#[test]
fn what_stands_behind_the_end_is_no_loss() {
    let (place, store) = store(&[&[swarm(1, 1), swarm(2, 2)]]);
    write(&place, "swarms.ron", &(read(&place, "swarms.ron") + "scribble\nscribble\n"));
    let (_, loaded) = load(&store, WALL);
    assert_eq!(loaded.peers, 3);
    assert!(loaded.damage[0].to_string().contains("damaged: 0 lines are lost, 4 intact and kept; "));
}

#[test]
fn an_intact_line_of_another_snapshot_is_damage() {
    let (place, store) = store(&[&[swarm(1, 1)], &[swarm(1, 2)]]);
    let [one, other] = ["swarms.ron", "swarms.ron.1"].map(|name| read(&place, name));
    let line = |text: &str| text.lines().nth(1).unwrap().to_owned();
    write(&place, "swarms.ron", &one.replace(&line(&one), &line(&other)));
    assert_eq!(load(&store, WALL).1.damage.len(), 1, "numbers are right, lines are intact, the sum is not");
}

#[test]
fn two_snapshots_in_one_file_are_damage() {
    let (place, store) = store(&[&[swarm(1, 1)], &[swarm(2, 2)]]);
    let both = read(&place, "swarms.ron") + &read(&place, "swarms.ron.1");
    write(&place, "swarms.ron", &both);
    let (_, loaded) = load(&store, WALL);
    assert_eq!(
        (loaded.peers, loaded.completed),
        (3, 2),
        "what is not in the first comes from the older file"
    );
    assert_eq!(loaded.damage.len(), 1);
    assert!(loaded.damage[0].to_string().contains("0 lines are lost, 3 intact and kept, 3 were there twice"));
}

#[test]
fn both_damaged_are_both_told_of_and_put_aside_once() {
    let (place, store) = store(&[&[swarm(1, 1), swarm(2, 1)], &[swarm(2, 2), swarm(3, 3)]]);
    for name in ["swarms.ron", "swarms.ron.1"] {
        write(&place, name, &read(&place, name).replace(&InfoHash([2; 20]).to_string(), "gone"));
    }
    for _ in 0..3 {
        let (_, loaded) = load(&store, WALL);
        assert_eq!((loaded.peers, loaded.from_older), (4, 1));
        let told: Vec<_> = loaded.damage.iter().map(|damage| damage.file.as_str()).collect();
        assert_eq!(told, ["swarms.ron", "swarms.ron.1"]);
    }
    let names =
        fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.contains(".corrupt-")).count(), 2);
}

#[test]
fn an_empty_file_is_damage_and_no_snapshot() {
    let (place, store) = store(&[&[swarm(1, 1)], &[swarm(2, 2)]]);
    write(&place, "swarms.ron", "");
    let (_, loaded) = load(&store, WALL);
    assert_eq!((loaded.peers, loaded.damage.len()), (1, 1));
    assert!(loaded.damage[0].to_string().contains("and its end is missing"), "{}", loaded.damage[0]);
}

#[test]
fn a_newer_format_is_refused_and_not_touched() {
    let (place, store) = store(&[&[swarm(1, 1)], &[swarm(2, 2)]]);
    // a line of format 2 with nothing of format 1 but its version, its checksum made as format 1 does
    let record = "Swarms(version:2,other:[(1,\"x\")])";
    let newer = format!("(0,\"{:08x}\",{record})\n", crc32fast::hash(format!("0,{record}").as_bytes()));
    let good = ["swarms.ron", "swarms.ron.1"].map(|name| (name, read(&place, name)));
    let behind = format!("{}\n{newer}", "x".repeat(5000));
    for (name, text) in [("swarms.ron", &newer), ("swarms.ron.1", &newer), ("swarms.ron", &behind)] {
        good.iter().for_each(|(name, text)| write(&place, name, text));
        write(&place, name, text);
        let path = place.path().join(name);
        let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
        fs::File::options().append(true).open(&path).unwrap().set_modified(old).unwrap();
        let error = store.load_swarms(&tracker(), CLOCK, WALL).unwrap_err();
        assert!(
            matches!(&error.why, Obstacle::Newer { file, found: 2, known: 1 } if file == name),
            "{error}"
        );
        assert_eq!(read(&place, name), *text);
        assert_eq!(fs::metadata(path).unwrap().modified().unwrap(), old);
    }
    let names =
        fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.into_iter().all(|name| !name.contains(".corrupt-")), "and nothing is copied");
}

#[test]
fn what_is_no_file_is_an_error_that_names_it() {
    let (place, mut store) = store(&[]);
    fs::create_dir(place.path().join("swarms.ron")).unwrap();
    let error = store.load_swarms(&tracker(), CLOCK, WALL).unwrap_err();
    assert!(matches!(&error.why, Obstacle::Read { file, .. } if file == "swarms.ron"), "{error}");
    store.save_swarms(&tracker(), WALL, 0, || CLOCK, || true).unwrap_err();
    assert!(!place.path().join("swarms.ron.tmp").exists());
}

#[test]
fn a_save_that_is_to_stop_stops_and_changes_nothing() {
    let (place, mut store) = store(&[&[swarm(1, 1)], &[swarm(2, 2)]]);
    let before = ["swarms.ron", "swarms.ron.1"].map(|name| read(&place, name));
    let (tracker, _) = load(&store, WALL);
    let error = store.save_swarms(&tracker, WALL, 9, || CLOCK, || false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert_eq!(["swarms.ron", "swarms.ron.1"].map(|name| read(&place, name)), before);
    assert!(!place.path().join("swarms.ron.tmp").exists());
}

#[test]
fn damage_that_nobody_loaded_is_put_aside_before_it_is_replaced() {
    let (place, mut store) = store(&[&[swarm(1, 1)], &[swarm(2, 2)]]);
    let older = read(&place, "swarms.ron.1");
    write(&place, "swarms.ron", "scribble\n");
    store.save_swarms(&tracker(), WALL, 9, || CLOCK, || true).unwrap();
    assert_eq!(read(&place, &format!("swarms.ron.corrupt-{WALL}")), "scribble\n");
    assert_eq!(read(&place, "swarms.ron.1"), older);
}

#[test]
fn a_directory_that_was_removed_is_made_again_with_the_next_snapshot() {
    let (place, mut store) = store(&[&[swarm(1, 1)]]);
    let (tracker, _) = load(&store, WALL);
    fs::remove_dir_all(place.path()).unwrap();
    store.save_swarms(&tracker, WALL, 9, || CLOCK, || true).unwrap();
    assert_eq!(load(&store, WALL).1.peers, 1);
}
