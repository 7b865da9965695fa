//! Swarms as plain data, for whoever keeps them on disk: out in bounded pieces, and in again.

use crate::clock::Moment;
use crate::crowd::Member;
use crate::extra::Copied;
use crate::hasher::Hasher;
use crate::key::{Key, Key4, Key6};
use crate::shard::{Ledger, Shard};
use crate::swarm::{PeerKey, Torrent};
use crate::totals::Share;
use crate::{InfoHash, PeerAddr, PeerId, PeerState, Reach, Seconds, Tracker};

/// Peers that are copied at the most while a lock is held.
const PIECE: usize = 32_768;
/// A torrent costs as much as so many peers: its parts lie in four places, and where there are millions of torrents none of
/// them is in a cache.
const TORRENT: usize = 32;

/// One torrent, or a part of one: a large swarm is exported in several, each with the same `info_hash`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SwarmData {
    /// The torrent.
    pub info_hash: InfoHash,
    /// Its completions.
    pub downloaded: u32,
    /// Its peers; none for a torrent that is remembered for its completions.
    pub peers: Vec<PeerData>,
}

/// One peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerData {
    /// Where it can be connected to.
    pub addr: PeerAddr,
    /// What its client calls itself, if ids are kept.
    pub peer_id: Option<PeerId>,
    /// What it is.
    pub state: PeerState,
    /// Seconds since it was last heard of.
    pub age: u32,
}

/// What became of imported swarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Imported {
    /// Peers put in.
    pub peers: u64,
    /// Peers not heard of for the timeout, known already, that nobody can connect to, or beyond
    /// [`max_peers_per_torrent`](crate::Config::max_peers_per_torrent).
    pub skipped: u64,
    /// Torrents for which there was no room: see [`max_torrents`](crate::Config::max_torrents).
    pub refused_torrents: u64,
}

/// What is copied while the lock is held, to be made into [`SwarmData`] after.
pub(crate) struct Piece {
    heads: Vec<Head>,
    v4: Copied<Key4>,
    v6: Copied<Key6>,
}

struct Head {
    info_hash: InfoHash,
    downloaded: u32,
    /// Peers of this torrent in `v4` and `v6`.
    v4: usize,
    v6: usize,
}

/// Where the export of a shard goes on: as in a sweep, from the end down.
pub(crate) struct Cursor {
    memory: usize,
    torrents: usize,
    within: Option<Within>,
}

struct Within {
    info_hash: InfoHash,
    is_v6: bool,
    peers: usize,
}

impl Cursor {
    pub(crate) fn new() -> Self {
        Cursor { memory: usize::MAX, torrents: usize::MAX, within: None }
    }
}

impl Tracker {
    /// How many shards there are, for [`Tracker::export`].
    pub fn shards(&self) -> usize {
        self.shards.len()
    }

    /// Shows every torrent of shard number `shard` (from 0) to `visit`, those without peers too, in no order. The
    /// shard's lock is held only while some thousand peers are copied, and never while `visit` runs.
    ///
    /// Every peer that is in the swarm from before the export to its end is shown, and a peer that changes meanwhile may
    /// be shown twice. One export runs at a time.
    pub fn export(&self, shard: usize, now: Seconds, mut visit: impl FnMut(&SwarmData)) {
        let Some(padded) = self.shards.get(shard) else { return };
        let _one_at_a_time = self.exporting.lock();
        let mut cursor = Cursor::new();
        let mut piece = Piece::new(self.rules.config.keep_peer_ids);
        let mut swarm = SwarmData::default();
        loop {
            let (is_done, now) = {
                let mut shard = padded.shard.lock();
                let now = self.moment(now);
                (shard.copy(&mut cursor, &now, &self.rules.hasher, &mut piece), now)
            };
            piece.show(&now, &mut swarm, &mut visit);
            if is_done {
                return;
            }
        }
    }

    /// Puts a swarm in, as it was when `age` was true, beside what is there already. Parts of one torrent may come one
    /// after the other, in any order.
    pub fn import(&self, swarm: &SwarmData, now: Seconds) -> Imported {
        let hash = self.rules.hasher.hash(&swarm.info_hash.0);
        let padded = self.padded(hash);
        let mut shard = padded.shard.lock();
        let now = self.moment(now);
        let imported = self.import_into(&mut shard, hash, swarm, &now);
        padded.publish_oldest(&shard);
        drop(shard);
        self.forget_surplus();
        imported
    }

    fn import_into(&self, shard: &mut Shard, hash: u64, swarm: &SwarmData, now: &Moment) -> Imported {
        let (rules, ledger) = (&self.rules, self.ledger());
        let mut imported = Imported::default();
        let reachable =
            swarm.peers.iter().filter(|peer| peer.addr.port() != 0 && peer.addr.reach() != Reach::Nowhere);
        let fresh = reachable.filter_map(|peer| Some((peer, now.stamp_of_age(peer.age)?)));
        let found = shard.torrents.find(hash, &swarm.info_hash);
        if found.is_none() && fresh.clone().next().is_none() {
            imported.skipped = swarm.peers.len() as u64;
            let remembered = shard.recall(hash, &swarm.info_hash, rules, ledger);
            shard.remember(swarm.info_hash, swarm.downloaded.max(remembered), rules, ledger);
            return imported;
        }
        let pos = match found {
            Some(pos) => pos,
            None if !ledger.open_torrent() => {
                imported.refused_torrents = 1;
                return imported;
            }
            None => {
                let remembered = shard.recall(hash, &swarm.info_hash, rules, ledger);
                let torrent = Torrent::new(swarm.info_hash, remembered, now);
                shard.torrents.insert(hash, torrent, &rules.hasher)
            }
        };
        let torrent = shard.torrents.get_mut(pos);
        torrent.refresh(now);
        torrent.downloaded = torrent.downloaded.max(swarm.downloaded);
        let before = Share::of(torrent);
        let nobody = PeerId::default();
        for (peer, stamp) in fresh {
            let key = PeerKey::new(peer.addr, stamp);
            let limit = rules.config.max_peers_per_torrent;
            let place = torrent.find(&key, now, &rules.hasher);
            if place.is_some_and(|place| !place.is_stale)
                || place.is_none() && limit != 0 && torrent.len() >= limit
            {
                continue;
            }
            let id = rules.config.keep_peer_ids.then(|| peer.peer_id.as_ref().unwrap_or(&nobody));
            torrent.put(place.map(|place| place.at), &key, id, peer.state, now, &rules.hasher);
            imported.peers += 1;
            if place.is_none() {
                ledger.crowd().came(Member::from(&key), hash, &rules.hasher);
            }
        }
        imported.skipped = swarm.peers.len() as u64 - imported.peers;
        shard.totals.replace(before, Share::of(torrent));
        imported
    }
}

impl Shard {
    /// Copies as much as fits in one piece; true when the shard is done.
    pub(crate) fn copy(
        &mut self,
        cursor: &mut Cursor,
        now: &Moment,
        hasher: &Hasher,
        piece: &mut Piece,
    ) -> bool {
        let mut budget = PIECE;
        cursor.memory = cursor.memory.min(self.memory.len());
        while cursor.memory > 0 && budget >= TORRENT {
            budget -= TORRENT;
            cursor.memory -= 1;
            let (info_hash, downloaded) = self.memory.get(cursor.memory);
            piece.heads.push(Head { info_hash, downloaded, v4: 0, v6: 0 });
        }
        loop {
            let within = match cursor.within.take() {
                Some(within) => within,
                None => {
                    cursor.torrents = cursor.torrents.min(self.torrents.len());
                    if cursor.torrents == 0 {
                        return cursor.memory == 0;
                    }
                    cursor.torrents -= 1;
                    let info_hash = self.torrents.get(cursor.torrents).info_hash;
                    Within { info_hash, is_v6: false, peers: usize::MAX }
                }
            };
            if budget < TORRENT {
                cursor.within = Some(within);
                return false;
            }
            budget -= TORRENT;
            let Some(pos) = self.torrents.find_near(cursor.torrents, &within.info_hash, hasher) else {
                continue;
            };
            cursor.within = self.torrents.get_mut(pos).copy(&within, &mut budget, now, piece);
        }
    }
}

impl Torrent {
    /// Copies what fits; returns where to go on if that was not all.
    fn copy(
        &mut self,
        within: &Within,
        budget: &mut usize,
        now: &Moment,
        piece: &mut Piece,
    ) -> Option<Within> {
        self.refresh(now);
        let (v4, v6) = (piece.v4.len(), piece.v6.len());
        let mut rest = None;
        let mut from = within.peers;
        if !within.is_v6 {
            rest = self.v4.copy(from, budget, &mut piece.v4).map(|peers| (false, peers));
            from = usize::MAX;
        }
        if rest.is_none()
            && let Some(family) = self.v6_mut()
        {
            rest = family.copy(from, budget, &mut piece.v6).map(|peers| (true, peers));
        }
        piece.heads.push(Head {
            info_hash: self.info_hash,
            downloaded: self.downloaded,
            v4: piece.v4.len() - v4,
            v6: piece.v6.len() - v6,
        });
        rest.map(|(is_v6, peers)| Within { info_hash: self.info_hash, is_v6, peers })
    }
}

impl Piece {
    /// With room for what is likely to be copied, so that little is allocated while the lock is held.
    pub(crate) fn new(with_ids: bool) -> Self {
        let v4 = Copied {
            keys: Vec::with_capacity(PIECE),
            states: Vec::with_capacity(PIECE),
            ids: Vec::with_capacity(if with_ids { PIECE } else { 0 }),
        };
        Piece { heads: Vec::with_capacity(PIECE / TORRENT), v4, v6: Copied::default() }
    }

    /// Shows the piece, and empties it.
    pub(crate) fn show(&mut self, now: &Moment, swarm: &mut SwarmData, visit: &mut impl FnMut(&SwarmData)) {
        let (mut v4, mut v6) = (0, 0);
        for head in self.heads.drain(..) {
            swarm.info_hash = head.info_hash;
            swarm.downloaded = head.downloaded;
            swarm.peers.clear();
            self.v4.decode(v4..v4 + head.v4, now, &mut swarm.peers);
            self.v6.decode(v6..v6 + head.v6, now, &mut swarm.peers);
            v4 += head.v4;
            v6 += head.v6;
            visit(swarm);
        }
        self.v4.clear();
        self.v6.clear();
    }
}

impl<K: Key> Copied<K> {
    fn decode(&self, range: std::ops::Range<usize>, now: &Moment, peers: &mut Vec<PeerData>) {
        for at in range {
            let key = self.keys[at];
            if !now.is_stale(key.stamp()) {
                peers.push(PeerData {
                    addr: key.addr(),
                    peer_id: self.ids.get(at).copied(),
                    state: self.states[at],
                    age: now.age(key.stamp()),
                });
            }
        }
    }
}
