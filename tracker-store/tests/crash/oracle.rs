//! What is to be found in a harmed file, told without the crate's reader: lines that still stand in it as they were
//! written.

use std::collections::{HashMap, HashSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tracker_core::{PeerAddr, PeerState, Tracker};

use crate::scene;

/// A peer: address and port, id, what it is, and its age when the snapshot was begun.
pub(crate) type Peer = (PeerAddr, [u8; 20], u8, u32);

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Torrent {
    pub(crate) downloaded: u32,
    /// Sorted by address.
    pub(crate) peers: Vec<Peer>,
}

/// By info hash.
pub(crate) type Torrents = HashMap<[u8; 20], Torrent>;

/// Which lines of `original`, by their place, stand in `bytes` between line ends or the file's ends.
pub(crate) fn intact(original: &[u8], bytes: &[u8]) -> Vec<bool> {
    let there: HashSet<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    lines(original).map(|line| there.contains(line)).collect()
}

pub(crate) fn lines(bytes: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    bytes.strip_suffix(b"\n").unwrap_or(bytes).split(|byte| *byte == b'\n')
}

/// Whether `bytes` are lines of `original`, from the first one on, and whole: as if no more had ever been written.
pub(crate) fn is_front(original: &[u8], bytes: &[u8]) -> bool {
    original.starts_with(bytes) && (bytes.is_empty() || bytes.ends_with(b"\n"))
}

/// The torrent in a line, if there is one.
pub(crate) fn torrent(line: &[u8]) -> Option<([u8; 20], Torrent)> {
    let text = std::str::from_utf8(line).unwrap();
    let text = &text[text.find("Swarm(")?..];
    let field = |name: &str| {
        let from = text.find(name).map(|at| at + name.len())?;
        Some(&text[from..from + text[from..].find(['"', ',', ')'])?])
    };
    let bytes = |name| STANDARD.decode(field(name).unwrap_or_default()).unwrap();
    let (v4, v6, seen, ids) = (bytes("v4:\""), bytes("v6:\""), bytes("seen:\""), bytes("ids:\""));
    let hash = field("hash:\"")?;
    let hash = std::array::from_fn(|at| u8::from_str_radix(&hash[at * 2..at * 2 + 2], 16).unwrap());
    let v4 = v4.chunks(6).map(|v4| (<[u8; 4]>::try_from(&v4[..4]).unwrap().into(), &v4[4..]));
    let v6 = v6.chunks(18).map(|v6| (<[u8; 16]>::try_from(&v6[..16]).unwrap().into(), &v6[16..]));
    let peers = v4.chain(v6).zip(seen.chunks(4)).zip(ids.chunks(20)).map(|(((ip, port), seen), id)| {
        let addr = PeerAddr::new(ip, u16::from_be_bytes(port.try_into().unwrap()));
        let seen = u32::from_be_bytes(seen.try_into().unwrap());
        (addr, id.try_into().unwrap(), (seen >> 30) as u8, seen & 0x3fff_ffff)
    });
    let mut torrent = Torrent { downloaded: field("downloaded:")?.parse().unwrap(), peers: peers.collect() };
    assert_eq!(torrent.peers.len() * 20, ids.len());
    torrent.sort();
    Some((hash, torrent))
}

/// All torrents in a tracker, peers' ages as they were when the snapshot was begun.
pub(crate) fn held(tracker: &Tracker) -> Torrents {
    let mut all = Torrents::new();
    for shard in 0..tracker.shards() {
        tracker.export(shard, scene::CLOCK, |part| {
            let torrent = all.entry(part.info_hash.0).or_default();
            torrent.downloaded = part.downloaded;
            torrent.peers.extend(part.peers.iter().map(|peer| {
                let state = match peer.state {
                    PeerState::Seeder => 0,
                    PeerState::PartialSeed => 1,
                    PeerState::Leecher => 2,
                };
                (peer.addr, peer.peer_id.unwrap().0, state, peer.age - scene::LATER as u32)
            }));
        });
    }
    all.values_mut().for_each(Torrent::sort);
    all
}

impl Torrent {
    fn sort(&mut self) {
        self.peers.sort_by_key(|peer| (peer.0.ip(), peer.0.port()));
    }
}
