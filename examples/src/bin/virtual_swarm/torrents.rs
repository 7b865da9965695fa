//! The torrents: who takes part in each, and who is connected to whom.

use tracker_core::InfoHash;

use crate::peers::{IDLE, Peers, flag};

/// All torrents, by number.
#[derive(Debug, Default)]
pub(crate) struct Torrents {
    pub(crate) hash: Vec<InfoHash>,
    /// Who takes part: the leechers, and the seeders that have a connection. Seeders are connected to leechers only.
    pub(crate) taking_part: Vec<Vec<u32>>,
    pub(crate) leechers: Vec<u32>,
    /// How much of the content seeders have given out, up to 1: leechers cannot have more from each other.
    pub(crate) given_out: Vec<f32>,
    pub(crate) completed: Vec<u32>,
}

impl Torrents {
    pub(crate) fn new(count: u32) -> Self {
        let all = count as usize;
        Torrents {
            hash: (0..u64::from(count)).map(info_hash).collect(),
            taking_part: vec![Vec::new(); all],
            leechers: vec![0; all],
            given_out: vec![0.0; all],
            completed: vec![0; all],
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.hash.len()
    }

    pub(crate) fn take_part(&mut self, peers: &mut Peers, peer: u32) {
        if peers.place[peer as usize] == IDLE {
            let list = &mut self.taking_part[peers.torrent[peer as usize] as usize];
            peers.place[peer as usize] = list.len() as u32;
            list.push(peer);
        }
    }

    pub(crate) fn retire(&mut self, peers: &mut Peers, peer: u32) {
        let place = std::mem::replace(&mut peers.place[peer as usize], IDLE);
        if place == IDLE {
            return;
        }
        let list = &mut self.taking_part[peers.torrent[peer as usize] as usize];
        list.swap_remove(place as usize);
        if let Some(&moved) = list.get(place as usize) {
            peers.place[moved as usize] = place;
        }
    }

    /// `opener` tries to connect to a live peer of its torrent; whether there is a connection now that was not before.
    pub(crate) fn connect(&mut self, peers: &mut Peers, opener: u32, other: u32, limit: u32) -> bool {
        let useful = !(peers.is(opener, flag::SEEDER) && peers.is(other, flag::SEEDER));
        let open = !peers.is(other, flag::CLOSED) && peers.of(other).degree < limit;
        let new = || !peers.links(opener).any(|link| link.peer == other);
        if !(useful && open && opener != other && new()) {
            return false;
        }
        peers.tie(opener, other);
        self.take_part(peers, opener);
        self.take_part(peers, other);
        true
    }

    /// Cuts the peer's connections, or only those to seeders. Seeders that are left without one are idle then.
    pub(crate) fn disconnect(&mut self, peers: &mut Peers, peer: u32, seeders_only: bool) {
        for at in (0..peers.of(peer).degree).rev() {
            let other = peers.link(peer, at).peer;
            if seeders_only && !peers.is(other, flag::SEEDER) {
                continue;
            }
            peers.untie(peer, at);
            self.rest(peers, other);
        }
        self.rest(peers, peer);
    }

    fn rest(&mut self, peers: &mut Peers, peer: u32) {
        if peers.of(peer).degree == 0 && peers.is(peer, flag::SEEDER) {
            self.retire(peers, peer);
        }
    }
}

/// Torrents have hashes as anybody's: twenty bytes without an order.
fn info_hash(number: u64) -> InfoHash {
    let mut hash = InfoHash::default();
    for (word, bytes) in hash.0.chunks_mut(8).enumerate() {
        let mut mixed = (number * 3 + word as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.copy_from_slice(&(mixed ^ mixed >> 31).to_be_bytes()[..bytes.len()]);
    }
    hash
}
