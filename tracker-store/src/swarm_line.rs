//! A torrent as a line: what a person can read in plain, its peers as compact base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tracker_core::{InfoHash, PeerAddr, PeerData, PeerId, PeerState, SwarmData};

use crate::line::Record;

/// One torrent, or a part of one with very many peers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Swarm {
    /// The info hash in hexadecimal.
    hash: String,
    downloaded: u32,
    /// Peers with an IPv4 address in the compact form of BEP 23: 4 bytes of address and 2 of port each.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    v4: String,
    /// Those with an IPv6 address, as in BEP 7: 16 and 2 bytes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    v6: String,
    /// Of each peer, those of `v4` first, 4 bytes, big-endian: the seconds since it was last heard of, and in the upper two
    /// bits what it is (0 a seeder, 1 a partial seed, 2 a leecher).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    seen: String,
    /// The peers' ids in the same order, 20 bytes each, if they are kept.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    ids: String,
}

impl Record for Swarm {
    const NAME: &'static str = "Swarm";
}

const V4: usize = 6;
const V6: usize = 18;
const SEEN: usize = 4;
const ID: usize = 20;
/// The highest age that there is room for: 34 years.
const OLDEST: u32 = (1 << 30) - 1;

impl Swarm {
    /// The line of `swarm`, whose ages are `since` seconds too high.
    pub(crate) fn new(swarm: &SwarmData, since: u32) -> Swarm {
        let peers = swarm.peers.len();
        let has_ids = swarm.peers.iter().any(|peer| peer.peer_id.is_some());
        let (mut v4, mut v6) = (Vec::with_capacity(peers * V4), Vec::new());
        let mut seen = Vec::with_capacity(peers * SEEN);
        let mut ids = Vec::with_capacity(if has_ids { peers * ID } else { 0 });
        for is_v4 in [true, false] {
            for peer in &swarm.peers {
                match peer.addr {
                    PeerAddr::V4(ip, port) if is_v4 => {
                        v4.extend_from_slice(&ip.octets());
                        v4.extend_from_slice(&port.to_be_bytes());
                    }
                    PeerAddr::V6(ip, port) if !is_v4 => {
                        v6.extend_from_slice(&ip.octets());
                        v6.extend_from_slice(&port.to_be_bytes());
                    }
                    _ => continue,
                }
                let age = peer.age.saturating_sub(since).min(OLDEST);
                seen.extend_from_slice(&(age | code(peer.state) << 30).to_be_bytes());
                if has_ids {
                    ids.extend_from_slice(&peer.peer_id.unwrap_or_default().0);
                }
            }
        }
        Swarm {
            hash: swarm.info_hash.to_string(),
            downloaded: swarm.downloaded,
            v4: STANDARD.encode(v4),
            v6: STANDARD.encode(v6),
            seen: STANDARD.encode(seen),
            ids: STANDARD.encode(ids),
        }
    }

    /// What it was made of, `elapsed` seconds later; `None` if it does not make sense.
    pub(crate) fn data(&self, elapsed: u64) -> Option<SwarmData> {
        let info_hash: InfoHash = self.hash.parse().ok()?;
        let [v4, v6, seen, ids] = [(&self.v4, V4), (&self.v6, V6), (&self.seen, SEEN), (&self.ids, ID)]
            .map(|(text, size)| STANDARD.decode(text).ok().filter(|bytes| bytes.len().is_multiple_of(size)));
        let (v4, v6, seen, ids) = (v4?, v6?, seen?, ids?);
        let peers = v4.len() / V4 + v6.len() / V6;
        if seen.len() / SEEN != peers || !(ids.is_empty() || ids.len() / ID == peers) {
            return None;
        }
        let elapsed = u32::try_from(elapsed).unwrap_or(u32::MAX);
        let v4 = v4.chunks_exact(V4).map(address::<4>);
        let v6 = v6.chunks_exact(V6).map(address::<16>);
        let mut ids = ids.chunks_exact(ID);
        let peers = v4.chain(v6).zip(seen.chunks_exact(SEEN)).map(|(addr, seen)| {
            let seen = u32::from_be_bytes(seen.try_into().ok()?);
            Some(PeerData {
                addr: addr?,
                state: state(seen >> 30)?,
                age: (seen & OLDEST).saturating_add(elapsed),
                peer_id: ids.next().map(|id| id.try_into().map(PeerId)).transpose().ok()?,
            })
        });
        Some(SwarmData { info_hash, downloaded: self.downloaded, peers: peers.collect::<Option<_>>()? })
    }
}

fn address<const N: usize>(peer: &[u8]) -> Option<PeerAddr>
where
    std::net::IpAddr: From<[u8; N]>,
{
    let (ip, port) = peer.split_first_chunk::<N>()?;
    Some(PeerAddr::new((*ip).into(), u16::from_be_bytes(port.try_into().ok()?)))
}

fn code(state: PeerState) -> u32 {
    match state {
        PeerState::Seeder => 0,
        PeerState::PartialSeed => 1,
        PeerState::Leecher => 2,
    }
}

fn state(code: u32) -> Option<PeerState> {
    [PeerState::Seeder, PeerState::PartialSeed, PeerState::Leecher].get(code as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn swarm() -> SwarmData {
        let peer = |addr: &str, state, age, id| PeerData {
            addr: addr.parse::<std::net::SocketAddr>().unwrap().into(),
            peer_id: Some(PeerId([id; 20])),
            state,
            age,
        };
        SwarmData {
            info_hash: InfoHash([0xab; 20]),
            downloaded: 7,
            peers: vec![
                peer("192.0.2.1:6881", PeerState::Seeder, 0, b'"'),
                peer("192.0.2.2:1", PeerState::PartialSeed, 1799, 0),
                peer("[2001:db8::1]:65535", PeerState::Leecher, OLDEST, 255),
            ],
        }
    }

    #[test]
    fn a_swarm_comes_back_and_has_aged() {
        let there = swarm();
        let mut aged = there.clone();
        aged.peers.iter_mut().for_each(|peer| peer.age += 10);
        assert_eq!(Swarm::new(&there, 0).data(10), Some(aged));
        // of a snapshot that takes long, ages are those at its begin
        let ages: Vec<_> =
            Swarm::new(&there, 100).data(0).unwrap().peers.iter().map(|peer| peer.age).collect();
        assert_eq!(ages, [0, 1699, OLDEST - 100]);
        let far = Swarm::new(&there, 0).data(u64::MAX).unwrap();
        assert!(far.peers.iter().all(|peer| peer.age == u32::MAX));
    }

    #[test]
    fn addresses_stand_in_it_as_they_do_on_the_wire() {
        let line = Swarm::new(&swarm(), 0);
        assert_eq!(STANDARD.decode(&line.v4).unwrap()[..6], [192, 0, 2, 1, 6881_u16.to_be_bytes()[0], 0xe1]);
        let text = ron::to_string(&line).unwrap();
        assert!(
            text.starts_with("(hash:\"abababababababababababababababababababab\",downloaded:7,v4:\"wAACA")
        );
    }

    #[test]
    fn without_ids_and_without_peers_it_is_short() {
        let mut bare = swarm();
        bare.peers.iter_mut().for_each(|peer| peer.peer_id = None);
        let line = Swarm::new(&bare, 0);
        assert_eq!(line.ids, "");
        assert_eq!(line.data(0), Some(bare.clone()));
        bare.peers.clear();
        let line = Swarm::new(&bare, 0);
        assert_eq!(ron::to_string(&line).unwrap(), format!("(hash:\"{}\",downloaded:7)", "ab".repeat(20)));
        assert_eq!(line.data(0), Some(bare));
    }

    #[test]
    fn what_does_not_fit_together_makes_no_sense() {
        let good = Swarm::new(&swarm(), 0);
        let bad = |change: fn(&mut Swarm)| {
            let mut line = good.clone();
            change(&mut line);
            line.data(0)
        };
        assert_eq!(bad(|line| line.hash.truncate(39)), None);
        assert_eq!(bad(|line| line.v4 = STANDARD.encode([1; 6])), None);
        assert_eq!(bad(|line| line.v4 = STANDARD.encode([1; 11])), None);
        assert_eq!(bad(|line| line.v6.clear()), None);
        assert_eq!(bad(|line| line.ids = STANDARD.encode([0; 40])), None);
        assert_eq!(bad(|line| line.seen = STANDARD.encode([255; 12])), None);
        assert_eq!(bad(|line| line.v4 = "!".to_owned()), None);
    }
}
