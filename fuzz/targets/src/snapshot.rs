//! The swarms: lines of a snapshot.

use tracker_core::{Config, Seconds, SwarmData, Tracker};
use tracker_store::{Found, read_swarms, write_swarms};

use crate::sealed::sealed;

/// The first byte says whether the checksums of the rest are made right first.
///
/// Each line says the same alone as among others, whatever they are; what is read and written again reads the same; a
/// tracker takes what is read, and what it then has is no more than that.
pub fn snapshot(data: &[u8]) {
    let Some((&how, bytes)) = data.split_first() else { return };
    let bytes = if how & 1 == 0 { bytes.to_vec() } else { sealed(bytes) };
    let (found, swarms) = read(&bytes);
    assert!(swarms.len() as u64 <= found.kept, "{found:?} with {} swarms", swarms.len());

    let lines = bytes.split_inclusive(|&byte| byte == b'\n');
    let alone: Vec<SwarmData> = lines.flat_map(|line| read(line).1).collect();
    if found.doubled == 0 {
        assert_eq!(swarms, alone);
    } else {
        assert!(swarms.len() <= alone.len() && swarms.iter().all(|swarm| alone.contains(swarm)));
    }
    if found.is_whole {
        assert!(bytes.ends_with(b"\n") && found.lost == 0 && found.doubled == 0, "{found:?}");
        assert!(found.kept == swarms.len() as u64 + 2 && found.version.is_some(), "{found:?}");
        let (cut, _) = read(&bytes[..bytes.len() - 1]);
        assert!(!cut.is_whole);
        let text = String::from_utf8_lossy(&bytes);
        let end = text.rsplit_once(",End(lines:").and_then(|(_, end)| end.split_once(",checksum:"));
        // a number can be written in other ways too
        if let Some((lines, _)) = end.filter(|(lines, _)| lines.bytes().all(|byte| byte.is_ascii_digit())) {
            assert_eq!(lines.parse(), Ok(found.kept - 1), "{text}");
        }
    }
    assert!(!found.is_torn || !bytes.ends_with(b"\n"), "{found:?}");
    again(&found, &swarms);
    import(&swarms);
}

fn read(bytes: &[u8]) -> (Found, Vec<SwarmData>) {
    let mut swarms = Vec::new();
    let found = read_swarms(bytes, |swarm| swarms.push(swarm)).expect("bytes can be read");
    (found, swarms)
}

fn again(found: &Found, swarms: &[SwarmData]) {
    let text = write_swarms(found.time, found.completed, swarms).expect("what was read can be written");
    assert!(text.is_ascii() && text.lines().count() == swarms.len() + 2, "{text}");
    let (written, read) = read(text.as_bytes());
    let Found { time, completed, .. } = *found;
    let kept = swarms.len() as u64 + 2;
    let expected = Found { kept, is_whole: true, version: Some(1), time, completed, ..Found::default() };
    assert_eq!(written, expected, "{text}");
    assert_eq!(read, swarms, "{text}");
}

fn import(swarms: &[SwarmData]) {
    let config = Config { shards: 1, max_torrents: 5, max_peers_per_torrent: 7, ..Config::default() };
    let tracker = Tracker::new(config);
    let now = Seconds::new(100_000);
    let (mut peers, mut known) = (0, 0);
    for swarm in swarms {
        let imported = tracker.import(swarm, now);
        known += imported.peers;
        peers += swarm.peers.len() as u64;
        assert!(imported.peers + imported.skipped <= swarm.peers.len() as u64, "{imported:?}");
    }
    let totals = tracker.totals();
    assert!(totals.peers() == known && known <= peers && totals.torrents <= 5, "{totals:?}");
    let mut exported = Vec::new();
    tracker.export(0, now, |swarm| exported.push(swarm.clone()));
    assert_eq!(exported.iter().map(|swarm| swarm.peers.len() as u64).sum::<u64>(), known);
    for swarm in &exported {
        assert!(swarms.iter().any(|read| read.info_hash == swarm.info_hash));
        assert!(swarm.peers.iter().all(|peer| peer.addr.port() != 0 && peer.age <= 45 * 60), "{swarm:?}");
    }
    tracker.expire(Seconds::new(200_000));
    assert_eq!(tracker.totals().peers(), 0);
}
