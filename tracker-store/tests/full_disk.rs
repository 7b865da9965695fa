//! A real file system that is full, where one can be mounted: in a mount namespace of its own, of which nothing is left.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::Command;

use tracker_core::{Config, InfoHash, PeerAddr, PeerData, PeerId, PeerState, Seconds, SwarmData, Tracker};
use tracker_store::{Grouping, Hour, Period, Sample, Store};

/// Names the directory to the process that has the namespace.
const PLACE: &str = "TRACKER_STORE_SMALL_PLACE";
const WALL: u64 = 1_790_000_000;
const CLOCK: Seconds = Seconds::new(100);

#[test]
fn a_full_file_system_harms_nothing_and_is_caught_up_with() {
    if let Some(place) = std::env::var_os(PLACE) {
        return fill(Path::new(&place));
    }
    let place = tempfile::tempdir().unwrap();
    let test = std::env::current_exe().unwrap();
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-ec"])
        .arg("mount -t tmpfs -o size=100k,mode=700 tmpfs \"$0\" || exit 77; exec \"$@\"")
        .arg(place.path())
        .arg(test)
        .args(["--exact", "a_full_file_system_harms_nothing_and_is_caught_up_with", "--nocapture"])
        .env(PLACE, place.path())
        .output();
    match output {
        Ok(output) if output.status.success() => {
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(said.contains("1 passed"), "{said}");
        }
        Ok(output) if String::from_utf8_lossy(&output.stdout).contains("running 1 test") => {
            panic!("{}", String::from_utf8_lossy(&output.stdout));
        }
        Ok(output) => println!("skipped: {}", String::from_utf8_lossy(&output.stderr).trim()),
        Err(error) => println!("skipped: unshare cannot be run: {error}"),
    }
}

fn sample(n: u64) -> Sample {
    Sample { time: WALL / 3600 * 3600 + n * 60, over: 60, peers: n, ..Sample::default() }
}

fn swarms(torrents: u8) -> Tracker {
    let tracker = new_tracker();
    for n in 0..torrents {
        let peer = |at: u8| PeerData {
            addr: PeerAddr::new([192, 0, n, at].into(), 6881),
            peer_id: Some(PeerId([at; 20])),
            state: PeerState::Leecher,
            age: 0,
        };
        let peers = (1..=20).map(peer).collect();
        tracker.import(&SwarmData { info_hash: InfoHash([n; 20]), downloaded: 0, peers }, CLOCK);
    }
    tracker
}

fn new_tracker() -> Tracker {
    Tracker::new(Config { shards: 2, ..Config::default() })
}

/// Takes what room there is.
fn take_room(path: &Path) {
    let mut file = fs::File::create(path.join("filler")).unwrap();
    while file.write_all(&[0; 512]).is_ok() {}
}

/// Takes all room, works, makes room, and works on; then does it again.
fn fill(path: &Path) {
    let (mut store, _, _) = Store::open(path, WALL).unwrap();
    let save = |store: &mut Store, torrents: u8| {
        store.save_swarms(&swarms(torrents), WALL, torrents.into(), || CLOCK, || true)
    };
    save(&mut store, 9).unwrap();
    save(&mut store, 10).unwrap();
    let mut next = 1;
    let mut refused = 0;
    for _ in 0..3 {
        take_room(path);
        for _ in 0..15 {
            let closed = Hour { time: WALL / 3600 * 3600 - next * 3600, covered: 3600, ..Hour::default() };
            match store.record(&sample(next), &[closed], WALL) {
                Ok(()) => {}
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
                    refused += 1;
                }
            }
            next += 1;
        }
        let error = save(&mut store, 50).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
        assert!(!path.join("swarms.ron.tmp").exists(), "half a file is not left to take room");
        fs::remove_file(path.join("filler")).unwrap();
        store.record(&sample(next), &[], WALL).unwrap();
        next += 1;
    }
    assert!(refused > 10, "{refused}");
    assert_eq!(store.dropped(), 0);
    drop(store);

    let (mut store, series, damage) = Store::open(path, WALL).unwrap();
    assert_eq!(damage, []);
    let minutes = series.query(Period::Hour, Grouping::Minute, sample(next).time);
    let peers: Vec<_> = minutes.points.into_iter().flatten().map(|point| point.peers).collect();
    assert_eq!(peers, (1..next).collect::<Vec<_>>(), "all of them, in order");
    let load = |store: &Store| store.load_swarms(&new_tracker(), CLOCK, WALL).unwrap();
    let loaded = load(&store);
    assert_eq!((loaded.peers, loaded.damage.len()), (200, 0));
    save(&mut store, 12).unwrap();
    assert_eq!(load(&store).peers, 240);

    // damage found while there is no room: told, kept under another name, and mended later
    drop(store);
    let text = fs::read_to_string(path.join("history.ron")).unwrap().replace("peers:3,", "peers:9,");
    fs::write(path.join("history.ron"), &text).unwrap();
    take_room(path);
    let (mut store, _, damage) = Store::open(path, WALL).unwrap();
    assert!(damage[0].to_string().starts_with("history.ron is damaged: 1 line is lost"), "{}", damage[0]);
    assert_eq!(store.record(&sample(next), &[], WALL).unwrap_err().kind(), ErrorKind::StorageFull);
    fs::remove_file(path.join("filler")).unwrap();
    store.record(&sample(next + 1), &[], WALL).unwrap();
    drop(store);
    assert_eq!(fs::read_to_string(path.join(format!("history.ron.corrupt-{WALL}"))).unwrap(), text);
    let (_, series, damage) = Store::open(path, WALL).unwrap();
    assert_eq!(damage, []);
    let minutes = series.query(Period::Hour, Grouping::Minute, sample(next + 1).time);
    assert_eq!(minutes.points.iter().flatten().count() as u64, next);
}
