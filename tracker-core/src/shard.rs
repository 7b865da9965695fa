//! A part of the torrents, all that one lock protects.

use rand_core::Rng;

use crate::clock::Moment;
use crate::crowd::{Crowd, Member};
use crate::hasher::Hasher;
use crate::memory::Memory;
use crate::selection::Fit;
use crate::swarm::{PeerKey, Place, Torrent};
use crate::table::Table;
use crate::totals::{Share, Totals};
use crate::{
    Announce, AnnounceError, AnnounceReply, Config, Counts, Event, InfoHash, Outcome, PeerState, Reach,
};

/// What operations on a shard need to know.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) config: Config,
    pub(crate) hasher: Hasher,
}

/// What the whole tracker counts, beyond a shard: asked when a torrent comes or goes.
pub(crate) trait Ledger {
    /// Room for one torrent more; false if there is none.
    fn open_torrent(&self) -> bool;
    fn close_torrent(&self);
    /// Counts a torrent that is remembered from now on, and returns its turn.
    fn remember(&self) -> u64;
    fn recall(&self);
    /// What is known of all peers together.
    fn crowd(&self) -> &Crowd;
}

/// The torrents first: every announce looks at them, and they share cache lines with the lock.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Shard {
    pub(crate) torrents: Table<Torrent>,
    pub(crate) memory: Memory,
    pub(crate) totals: Totals,
}

impl Shard {
    /// See [`Tracker::announce`](crate::Tracker::announce); `hash` is that of the info hash.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn announce<R: Rng, L: Ledger>(
        &mut self,
        hash: u64,
        announce: &Announce,
        now: &Moment,
        rules: &Rules,
        ledger: &L,
        rng: &mut R,
        reply: &mut AnnounceReply,
    ) -> Result<Outcome, AnnounceError> {
        let peer = PeerKey::new(announce.addr, now.stamp());
        let found = self.torrents.find(hash, &announce.info_hash);
        let reach = announce.addr.reach();
        let fit = Fit { now: *now, only_global: reach == Reach::Global && ledger.crowd().has_locals() };
        let is_reachable = announce.addr.port() != 0 && reach != Reach::Nowhere;
        if announce.event == Event::Stopped {
            self.let_go(hash, found.filter(|_| is_reachable), announce, &peer, now, rules, ledger, reply);
            return Ok(if is_reachable { Outcome::Done } else { Outcome::Unreachable });
        }
        if !is_reachable {
            self.answer_only(hash, found, announce, &peer, &fit, rules, rng, reply);
            return Ok(Outcome::Unreachable);
        }
        let place = found.and_then(|pos| {
            let torrent = self.torrents.get_mut(pos);
            torrent.refresh(now);
            torrent.find(&peer, now, &rules.hasher)
        });
        if place.is_none()
            && let Some(outcome) = self.turn_away(hash, found, announce, &peer, rules, ledger)
        {
            self.answer_only(hash, found, announce, &peer, &fit, rules, rng, reply);
            return Ok(outcome);
        }
        let pos = match found {
            Some(pos) => pos,
            None => {
                if !ledger.open_torrent() {
                    self.totals.refused_torrents += 1;
                    return Err(AnnounceError::TrackerFull);
                }
                let remembered = self.recall(hash, &announce.info_hash, rules, ledger);
                let torrent = Torrent::new(announce.info_hash, remembered, now);
                self.torrents.insert(hash, torrent, &rules.hasher)
            }
        };
        let torrent = self.torrents.get_mut(pos);
        let state = announce.state();
        let before = Share::of(torrent);
        if announce.event == Event::Completed && state == PeerState::Seeder && !was_seeder(place) {
            torrent.downloaded = torrent.downloaded.saturating_add(1);
            self.totals.completed += 1;
        }
        let id = rules.config.keep_peer_ids.then_some(&announce.peer_id);
        let at = torrent.put(place.map(|place| place.at), &peer, id, state, now, &rules.hasher);
        self.totals.replace(before, Share::of(torrent));
        if place.is_none() {
            ledger.crowd().came(Member::from(&peer), hash, &rules.hasher);
        }
        reply.counts = torrent.counts();
        torrent.select(
            &peer,
            Some(at),
            state,
            announce.numwant as usize,
            announce.want_ids,
            rules.config.selection,
            &fit,
            rng,
            reply,
        );
        Ok(Outcome::Done)
    }

    /// Why a peer that is not in the torrent is not put in, if it is not.
    fn turn_away<L: Ledger>(
        &mut self,
        hash: u64,
        found: Option<usize>,
        announce: &Announce,
        peer: &PeerKey,
        rules: &Rules,
        ledger: &L,
    ) -> Option<Outcome> {
        let torrent = found.map(|pos| self.torrents.get(pos));
        let limit = rules.config.max_peers_per_torrent;
        if limit != 0 && torrent.is_some_and(|torrent| torrent.len() >= limit) {
            self.totals.refused_peers += 1;
            return Some(Outcome::SwarmFull);
        }
        if !announce.is_exempt
            && ledger.crowd().is_full_for(peer, hash, torrent, &rules.hasher, &rules.config)
        {
            self.totals.refused_by_address += 1;
            return Some(Outcome::AddressFull);
        }
        None
    }

    /// Answers an announce that puts nobody in.
    #[allow(clippy::too_many_arguments)]
    #[cold]
    fn answer_only<R: Rng>(
        &mut self,
        hash: u64,
        found: Option<usize>,
        announce: &Announce,
        peer: &PeerKey,
        fit: &Fit,
        rules: &Rules,
        rng: &mut R,
        reply: &mut AnnounceReply,
    ) {
        let Some(pos) = found else {
            reply.counts.downloaded = self.memory.downloaded(hash, &announce.info_hash).unwrap_or(0);
            return;
        };
        let torrent = self.torrents.get_mut(pos);
        torrent.refresh(&fit.now);
        reply.counts = torrent.counts();
        let want = announce.numwant as usize;
        let policy = rules.config.selection;
        torrent.select(peer, None, announce.state(), want, announce.want_ids, policy, fit, rng, reply);
    }

    /// A peer leaves, if it is there.
    #[allow(clippy::too_many_arguments)]
    #[cold]
    fn let_go<L: Ledger>(
        &mut self,
        hash: u64,
        found: Option<usize>,
        announce: &Announce,
        peer: &PeerKey,
        now: &Moment,
        rules: &Rules,
        ledger: &L,
        reply: &mut AnnounceReply,
    ) {
        let Some(pos) = found else {
            reply.counts = self.scrape(hash, &announce.info_hash).unwrap_or_default();
            return;
        };
        let torrent = self.torrents.get_mut(pos);
        torrent.refresh(now);
        if let Some(place) = torrent.find(peer, now, &rules.hasher) {
            let before = Share::of(torrent);
            torrent.remove(place.at, peer, &rules.hasher);
            self.totals.replace(before, Share::of(torrent));
            ledger.crowd().left(Member::from(peer), || hash, &rules.hasher);
        }
        reply.counts = torrent.counts();
        if torrent.len() == 0 {
            self.close(pos, rules, ledger);
        }
    }

    /// The counts of a torrent; `None` if nothing is known of it.
    pub(crate) fn scrape(&self, hash: u64, info_hash: &InfoHash) -> Option<Counts> {
        match self.torrents.find(hash, info_hash) {
            Some(pos) => Some(self.torrents.get(pos).counts()),
            None => self
                .memory
                .downloaded(hash, info_hash)
                .map(|downloaded| Counts { downloaded, ..Counts::default() }),
        }
    }

    /// Takes a torrent without peers away, and remembers it if it was ever completed.
    pub(crate) fn close<L: Ledger>(&mut self, pos: usize, rules: &Rules, ledger: &L) {
        let torrent = self.torrents.remove(pos, &rules.hasher);
        debug_assert_eq!(torrent.len(), 0);
        ledger.close_torrent();
        self.remember(torrent.info_hash, torrent.downloaded, rules, ledger);
    }

    /// Remembers the completions of a torrent that is in neither table.
    pub(crate) fn remember<L: Ledger>(
        &mut self,
        info_hash: InfoHash,
        downloaded: u32,
        rules: &Rules,
        ledger: &L,
    ) {
        if downloaded > 0 && rules.config.remember_torrents > 0 {
            let hash = rules.hasher.hash(&info_hash.0);
            self.memory.remember(hash, info_hash, downloaded, ledger.remember(), &rules.hasher);
        }
    }

    /// The completions of a torrent that gets peers again: it is not remembered any more then.
    pub(crate) fn recall<L: Ledger>(
        &mut self,
        hash: u64,
        info_hash: &InfoHash,
        rules: &Rules,
        ledger: &L,
    ) -> u32 {
        if self.memory.len() == 0 {
            return 0;
        }
        let remembered = self.memory.recall(hash, info_hash, &rules.hasher);
        if remembered.is_some() {
            ledger.recall();
        }
        remembered.unwrap_or(0)
    }
}

fn was_seeder(place: Option<Place>) -> bool {
    place.is_some_and(|place| place.state == PeerState::Seeder && !place.is_stale)
}
