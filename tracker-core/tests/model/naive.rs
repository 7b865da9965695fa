//! The tracker as plain maps and loops: slow, and simple enough to be believed.

use std::collections::{BTreeMap, BTreeSet};

use tracker_core::{
    Announce, AnnounceError, AnnounceReply, Config, Counts, Event, FamilyTotals, InfoHash, Outcome, PeerAddr,
    PeerData, PeerId, PeerState, Reach, Seconds, Totals, Tracker,
};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub(crate) state: PeerState,
    pub(crate) heard: u32,
    pub(crate) id: PeerId,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Torrent {
    pub(crate) downloaded: u32,
    pub(crate) peers: BTreeMap<PeerAddr, Peer>,
}

#[derive(Debug)]
pub(crate) struct Naive {
    pub(crate) config: Config,
    /// The latest `now` seen.
    pub(crate) now: u32,
    pub(crate) torrents: BTreeMap<InfoHash, Torrent>,
    /// Completions of torrents without peers, and in which turn they were remembered: those that one sweep has closed
    /// share a turn, since nobody says in which order it goes.
    pub(crate) remembered: BTreeMap<InfoHash, (u64, u32)>,
    turn: u64,
    completed: u64,
    refused_torrents: u64,
    refused_peers: u64,
    refused_by_address: u64,
}

pub(crate) fn is_v4(addr: &PeerAddr) -> bool {
    matches!(addr, PeerAddr::V4(..))
}

/// Whose peer it is: an IPv4 address's, or a network's of 64 bits.
fn origin(addr: &PeerAddr) -> Vec<u8> {
    match addr {
        PeerAddr::V4(ip, _) => ip.octets().to_vec(),
        PeerAddr::V6(ip, _) => ip.octets()[..8].to_vec(),
    }
}

impl Naive {
    pub(crate) fn new(config: Config) -> Self {
        Naive {
            config,
            now: 0,
            torrents: BTreeMap::new(),
            remembered: BTreeMap::new(),
            turn: 0,
            completed: 0,
            refused_torrents: 0,
            refused_peers: 0,
            refused_by_address: 0,
        }
    }

    /// Time goes on, or pretends to go back.
    pub(crate) fn see(&mut self, now: Seconds) {
        self.now = self.now.max(now.whole());
    }

    /// Seconds in a step of coarse ages: 1 for all timeouts up to 16,384 s.
    pub(crate) fn step(&self) -> u32 {
        let mut step = 1;
        while self.config.peer_timeout / step > 16_384 {
            step *= 2;
        }
        step
    }

    /// Whether a peer heard of then is stale now. What the documentation promises is checked beside.
    pub(crate) fn is_stale(&self, heard: u32) -> bool {
        let (age, timeout, step) = (self.now - heard, self.config.peer_timeout, self.step());
        let is_stale = self.now / step - heard / step >= timeout / step;
        if step == 1 {
            assert_eq!(is_stale, age >= timeout);
        } else {
            assert!(is_stale || age < timeout, "never late");
            assert!(!is_stale || age > timeout - timeout / 4096 - 1, "early by 1/4096 at the most");
        }
        is_stale
    }

    fn may_have(&self, asker: &Announce, addr: &PeerAddr, peer: &Peer) -> bool {
        *addr != asker.addr
            && !self.is_stale(peer.heard)
            && (asker.state() == PeerState::Leecher || peer.state == PeerState::Leecher)
            && (asker.addr.reach() != Reach::Global || addr.reach() == Reach::Global)
    }

    pub(crate) fn counts(&self, hash: &InfoHash) -> Option<Counts> {
        let Some(torrent) = self.torrents.get(hash) else {
            return self
                .remembered
                .get(hash)
                .map(|&(_, downloaded)| Counts { downloaded, ..Counts::default() });
        };
        let count = |state| torrent.peers.values().filter(|peer| peer.state == state).count() as u32;
        let partial = count(PeerState::PartialSeed);
        Some(Counts {
            complete: count(PeerState::Seeder),
            incomplete: count(PeerState::Leecher) + partial,
            downloaded: torrent.downloaded,
            partial,
        })
    }

    pub(crate) fn totals(&self) -> Totals {
        let mut totals = Totals {
            torrents: self.torrents.len() as u64,
            completed: self.completed,
            remembered: self.remembered.len() as u64,
            refused_torrents: self.refused_torrents,
            refused_peers: self.refused_peers,
            refused_by_address: self.refused_by_address,
            ..Totals::default()
        };
        for (addr, peer) in self.torrents.values().flat_map(|torrent| &torrent.peers) {
            let family: &mut FamilyTotals = if is_v4(addr) { &mut totals.v4 } else { &mut totals.v6 };
            match peer.state {
                PeerState::Seeder => family.seeders += 1,
                _ => family.leechers += 1,
            }
        }
        totals
    }

    /// The same announce to both; panics where they differ. `thorough` looks at every peer of the answer.
    pub(crate) fn announce(
        &mut self,
        tracker: &Tracker,
        announce: &Announce,
        result: Result<Outcome, AnnounceError>,
        reply: &AnnounceReply,
        thorough: bool,
    ) {
        let hash = announce.info_hash;
        let is_reachable = announce.addr.port() != 0 && announce.addr.reach() != Reach::Nowhere;
        if announce.event == Event::Stopped || !is_reachable {
            assert_eq!(result, Ok(if is_reachable { Outcome::Done } else { Outcome::Unreachable }));
            if announce.event == Event::Stopped && is_reachable {
                self.stop(tracker, &hash, &announce.addr, reply);
            } else {
                assert_eq!(reply.counts, self.counts(&hash).unwrap_or_default());
            }
            if announce.event == Event::Stopped {
                assert!(reply.is_empty() && reply.ids4().is_empty() && reply.ids6().is_empty());
                return;
            }
        } else {
            let refusal = self.refusal(announce);
            if !self.torrents.contains_key(&hash) && refusal.is_none() {
                let limit = self.config.max_torrents;
                if limit != 0 && self.torrents.len() >= limit {
                    self.refused_torrents += 1;
                    assert_eq!(result, Err(AnnounceError::TrackerFull));
                    assert!(reply.is_empty());
                    return;
                }
                let downloaded = self.remembered.remove(&hash).map_or(0, |(_, downloaded)| downloaded);
                self.torrents.insert(hash, Torrent { downloaded, ..Torrent::default() });
            }
            match refusal {
                Some(Outcome::SwarmFull) => self.refused_peers += 1,
                Some(_) => self.refused_by_address += 1,
                None => self.put(announce),
            }
            assert_eq!(result, Ok(refusal.unwrap_or(Outcome::Done)));
            assert_eq!(reply.counts, self.counts(&hash).unwrap_or_default());
        }
        if thorough {
            self.check_peers(announce, reply);
        }
    }

    /// What an announce changes, without a look at the answer.
    pub(crate) fn announce_unseen(&mut self, announce: &Announce) {
        let downloaded = self.remembered.remove(&announce.info_hash).map_or(0, |(_, downloaded)| downloaded);
        let new = Torrent { downloaded, ..Torrent::default() };
        let torrent = self.torrents.entry(announce.info_hash).or_insert(new);
        if announce.event == Event::Stopped {
            torrent.peers.remove(&announce.addr);
            if torrent.peers.is_empty() {
                self.close_empty(None);
            }
        } else {
            self.put(announce);
        }
    }

    fn stop(&mut self, tracker: &Tracker, hash: &InfoHash, addr: &PeerAddr, reply: &AnnounceReply) {
        if let Some(torrent) = self.torrents.get_mut(hash) {
            torrent.peers.remove(addr);
        }
        assert_eq!(reply.counts, self.counts(hash).unwrap_or_default());
        self.close_empty(Some(tracker));
    }

    /// Why a peer that is not in its torrent is not put in.
    fn refusal(&self, announce: &Announce) -> Option<Outcome> {
        let none = BTreeMap::new();
        let peers = self.torrents.get(&announce.info_hash).map_or(&none, |torrent| &torrent.peers);
        if peers.contains_key(&announce.addr) {
            return None;
        }
        let reaches = |count: usize, limit: usize| limit != 0 && count >= limit;
        if reaches(peers.len(), self.config.max_peers_per_torrent) {
            return Some(Outcome::SwarmFull);
        }
        let of_address = |peers: &BTreeMap<PeerAddr, Peer>| {
            peers.keys().filter(|addr| origin(addr) == origin(&announce.addr)).count()
        };
        let in_all = self.torrents.values().map(|torrent| of_address(&torrent.peers)).sum();
        let is_full = reaches(in_all, self.config.max_peers_per_address)
            || reaches(of_address(peers), self.config.max_peers_per_address_and_torrent);
        (is_full && !announce.is_exempt).then_some(Outcome::AddressFull)
    }

    fn put(&mut self, announce: &Announce) {
        let torrent = &self.torrents[&announce.info_hash];
        let known = torrent.peers.get(&announce.addr).copied();
        let state = announce.state();
        let was_seeder =
            known.is_some_and(|peer| peer.state == PeerState::Seeder && !self.is_stale(peer.heard));
        let has_completed = announce.event == Event::Completed && state == PeerState::Seeder && !was_seeder;
        let peer = Peer { state, heard: self.now, id: announce.peer_id };
        if let Some(torrent) = self.torrents.get_mut(&announce.info_hash) {
            torrent.peers.insert(announce.addr, peer);
            torrent.downloaded += u32::from(has_completed);
            self.completed += u64::from(has_completed);
        }
    }

    fn check_peers(&self, announce: &Announce, reply: &AnnounceReply) {
        let none = BTreeMap::new();
        let peers = self.torrents.get(&announce.info_hash).map_or(&none, |torrent| &torrent.peers);
        let fit: BTreeMap<_, _> =
            peers.iter().filter(|(addr, peer)| self.may_have(announce, addr, peer)).collect();
        let got: Vec<PeerAddr> = reply.peers().collect();
        assert_eq!(got.len(), reply.len());
        assert_eq!(got.iter().collect::<BTreeSet<_>>().len(), got.len(), "each once");
        for addr in &got {
            assert!(fit.contains_key(addr), "{addr} is not for {announce:?}");
        }
        // own family first, and as many as there are
        let is_own = |addr: &PeerAddr| is_v4(addr) == is_v4(&announce.addr);
        let want = announce.numwant as usize;
        let fit_own = fit.keys().filter(|addr| is_own(addr)).count();
        let own = want.min(fit_own);
        let other = (want - own).min(fit.len() - fit_own);
        assert_eq!(got.iter().filter(|addr| is_own(addr)).count(), own);
        assert_eq!(got.len(), own + other);
        let ids: Vec<PeerId> = reply.ids4().iter().chain(reply.ids6()).copied().collect();
        if announce.want_ids && self.config.keep_peer_ids {
            assert_eq!(reply.ids4().len() * 6, reply.compact4().len());
            let expected: Vec<PeerId> = got.iter().map(|addr| fit[addr].id).collect();
            assert_eq!(ids, expected, "ids belong to their peers");
        } else {
            assert!(ids.is_empty());
        }
    }

    /// A sweep: everybody stale goes. Returns how many peers and torrents that should be.
    pub(crate) fn expire(&mut self, tracker: &Tracker) -> (u64, u64) {
        let before = (self.peers(), self.torrents.len() as u64);
        let mut torrents = std::mem::take(&mut self.torrents);
        for torrent in torrents.values_mut() {
            torrent.peers.retain(|_, peer| !self.is_stale(peer.heard));
        }
        self.torrents = torrents;
        self.close_empty(Some(tracker));
        (before.0 - self.peers(), before.1 - self.torrents.len() as u64)
    }

    pub(crate) fn retain(&mut self, kept: impl Fn(&InfoHash) -> bool) -> u64 {
        let before = self.torrents.len() + self.remembered.len();
        self.torrents.retain(|hash, _| kept(hash));
        self.remembered.retain(|hash, _| kept(hash));
        (before - self.torrents.len() - self.remembered.len()) as u64
    }

    fn peers(&self) -> u64 {
        self.torrents.values().map(|torrent| torrent.peers.len() as u64).sum()
    }

    /// Torrents without peers are remembered for their completions, and the oldest of these are forgotten.
    fn close_empty(&mut self, tracker: Option<&Tracker>) {
        self.turn += 1;
        let turn = self.turn;
        for (hash, torrent) in self.torrents.extract_if(.., |_, torrent| torrent.peers.is_empty()) {
            if torrent.downloaded > 0 {
                self.remembered.insert(hash, (turn, torrent.downloaded));
            }
        }
        while self.remembered.len() > self.config.remember_torrents {
            let oldest = self.remembered.values().map(|&(turn, _)| turn).min();
            let is_oldest = |turn| Some(turn) == oldest;
            // where several went in one sweep, any of them may be the one
            let forgotten = self
                .remembered
                .iter()
                .find(|(hash, (turn, _))| {
                    is_oldest(*turn) && tracker.is_none_or(|tracker| tracker.scrape(hash).is_none())
                })
                .map(|(&hash, _)| hash);
            let forgotten = forgotten.expect("one of those remembered longest ago is forgotten");
            self.remembered.remove(&forgotten);
        }
    }

    /// Everything that can be seen of the tracker without changing it is the same.
    pub(crate) fn compare(&self, tracker: &Tracker, hashes: &[InfoHash]) {
        for hash in hashes {
            assert_eq!(tracker.scrape(hash), self.counts(hash), "{hash}");
        }
        assert_eq!(tracker.totals(), self.totals());
        let mut exported: BTreeMap<InfoHash, (u32, Vec<PeerData>)> = BTreeMap::new();
        for shard in 0..tracker.shards() {
            tracker.export(shard, Seconds::new(self.now), |swarm| {
                let entry = exported.entry(swarm.info_hash).or_insert((swarm.downloaded, Vec::new()));
                assert_eq!(entry.0, swarm.downloaded);
                entry.1.extend_from_slice(&swarm.peers);
            });
        }
        let hashes: BTreeSet<_> = self.torrents.keys().chain(self.remembered.keys()).collect();
        assert!(exported.keys().eq(hashes), "every torrent, and no other");
        for (hash, (downloaded, mut peers)) in exported {
            assert_eq!(Some(downloaded), self.counts(&hash).map(|counts| counts.downloaded));
            peers.sort_by_key(|peer| peer.addr);
            let expected = self.fresh(&hash);
            assert_eq!(peers, expected, "{hash}");
        }
    }

    fn fresh(&self, hash: &InfoHash) -> Vec<PeerData> {
        let Some(torrent) = self.torrents.get(hash) else { return Vec::new() };
        let fresh = torrent.peers.iter().filter(|(_, peer)| !self.is_stale(peer.heard));
        let step = self.step();
        fresh
            .map(|(&addr, peer)| PeerData {
                addr,
                peer_id: self.config.keep_peer_ids.then_some(peer.id),
                state: peer.state,
                age: (self.now / step - peer.heard / step) * step,
            })
            .collect()
    }
}
