//! Sweeping: stale peers are removed, torrents without peers closed, in steps that nobody notices.

use parking_lot::MutexGuard;

use crate::clock::Moment;
use crate::crowd::Member;
use crate::family::Family;
use crate::shard::{Ledger, Rules, Shard};
use crate::swarm::Torrent;
use crate::totals::Share;
use crate::tracker::Padded;
use crate::{InfoHash, Seconds, Tracker};

/// What may be done while a lock is held, in peers looked at: some tens of microseconds, a few hundred if all of
/// them go. `holds` measures it.
pub(crate) const STEP: usize = 4096;
/// A torrent costs as much as so many peers.
const TORRENT: usize = 4;
/// Its closing costs a good deal more: up to a microsecond where a shard has many.
const CLOSING: usize = 64;

/// What a sweep has removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Expired {
    /// Peers not heard of for the timeout.
    pub peers: u64,
    /// Torrents that had no other peers.
    pub torrents: u64,
}

/// Where the sweep of a shard goes on.
pub(crate) struct Cursor {
    /// Torrents before this position are still to be swept: removal fills a gap from the end, so none is overlooked.
    torrents: usize,
    /// Of the torrent before `torrents`, if its sweep has begun.
    within: Option<Within>,
    /// Torrents taken out whole: to free a large one takes long, so it is done when the lock has been given back.
    pub(crate) taken_out: Vec<Torrent>,
}

struct Within {
    info_hash: InfoHash,
    /// When this torrent's sweep began.
    began: u32,
    is_v6: bool,
    /// Peers before this position are still to be looked at.
    peers: usize,
}

impl Cursor {
    pub(crate) fn new() -> Self {
        Cursor { torrents: usize::MAX, within: None, taken_out: Vec::new() }
    }
}

impl Tracker {
    /// Removes all peers not heard of for [`peer_timeout`](crate::Config::peer_timeout), and the torrents that have
    /// none left. To be called every some seconds, from any thread: a shard is swept at a time, and its lock is given back
    /// after every few thousand peers.
    pub fn expire(&self, now: Seconds) -> Expired {
        let mut expired = Expired::default();
        for padded in &self.shards {
            self.in_steps(padded, |shard, cursor| {
                let now = self.moment(now);
                shard.sweep(cursor, &now, &self.rules, self.ledger(), &mut expired)
            });
        }
        self.forget_surplus();
        expired
    }

    /// Drops every torrent, with peers or remembered, that is not to be `kept`: no peer is told, and the next
    /// announce of it makes a new one. For access lists that have changed. Returns how many torrents were dropped.
    ///
    /// `kept` is asked while a lock is held: it must be quick, and must not use the tracker.
    pub fn retain(&self, now: Seconds, mut kept: impl FnMut(&InfoHash) -> bool) -> u64 {
        self.moment(now);
        let mut dropped = 0;
        for padded in &self.shards {
            self.in_steps(padded, |shard, cursor| {
                shard.drop_unless(cursor, &mut kept, &self.rules, self.ledger(), &mut dropped)
            });
            let mut memory = usize::MAX;
            while memory > 0 {
                let mut shard = padded.shard.lock();
                memory = memory.min(shard.memory.len());
                let mut budget = STEP;
                while memory > 0 && budget >= TORRENT {
                    budget -= TORRENT;
                    memory -= 1;
                    if !kept(&shard.memory.get(memory).0) {
                        shard.memory.remove(memory, &self.rules.hasher);
                        self.ledger().recall();
                        dropped += 1;
                        budget = budget.saturating_sub(CLOSING);
                    }
                }
                padded.publish_oldest(&shard);
                MutexGuard::unlock_fair(shard);
            }
        }
        dropped
    }

    /// Takes the shard's lock again and again until `step` says that it is done.
    fn in_steps(&self, padded: &Padded, mut step: impl FnMut(&mut Shard, &mut Cursor) -> bool) {
        let mut cursor = Cursor::new();
        loop {
            let mut shard = padded.shard.lock();
            let is_done = step(&mut shard, &mut cursor);
            padded.publish_oldest(&shard);
            MutexGuard::unlock_fair(shard);
            for torrent in cursor.taken_out.drain(..) {
                let hash = self.rules.hasher.hash(&torrent.info_hash.0);
                let left = |member| self.ledger().crowd().left(member, || hash, &self.rules.hasher);
                torrent.v4.keys().iter().map(Member::of).for_each(left);
                if let Some(v6) = torrent.v6() {
                    v6.keys().iter().map(Member::of).for_each(left);
                }
            }
            if is_done {
                return;
            }
        }
    }
}

impl Shard {
    /// One step of a sweep; true when the shard is done.
    pub(crate) fn sweep<L: Ledger>(
        &mut self,
        cursor: &mut Cursor,
        now: &Moment,
        rules: &Rules,
        ledger: &L,
        expired: &mut Expired,
    ) -> bool {
        let mut budget = STEP;
        if let Some(within) = cursor.within.take() {
            let hash = rules.hasher.hash(&within.info_hash.0);
            // a torrent that is gone, or has come again, needs no sweeping
            if let Some(pos) = self.torrents.find(hash, &within.info_hash) {
                self.torrents.get_mut(pos).refresh(now);
                if !self.sweep_torrent(pos, within, &mut budget, cursor, now, rules, ledger, expired) {
                    return false;
                }
            }
        }
        cursor.torrents = cursor.torrents.min(self.torrents.len());
        while cursor.torrents > 0 {
            if budget < TORRENT {
                return false;
            }
            budget -= TORRENT;
            cursor.torrents -= 1;
            let pos = cursor.torrents;
            let torrent = self.torrents.get_mut(pos);
            torrent.refresh(now);
            let within = Within {
                info_hash: torrent.info_hash,
                began: now.swept(),
                is_v6: false,
                peers: torrent.v4.len(),
            };
            if !self.sweep_torrent(pos, within, &mut budget, cursor, now, rules, ledger, expired) {
                return false;
            }
        }
        true
    }

    /// Sweeps a torrent as far as the budget goes; false if there is more to do, which the cursor remembers then.
    #[allow(clippy::too_many_arguments)]
    fn sweep_torrent<L: Ledger>(
        &mut self,
        pos: usize,
        mut within: Within,
        budget: &mut usize,
        cursor: &mut Cursor,
        now: &Moment,
        rules: &Rules,
        ledger: &L,
        expired: &mut Expired,
    ) -> bool {
        let torrent = self.torrents.get_mut(pos);
        let before = Share::of(torrent);
        let mut hash = None;
        let info_hash = torrent.info_hash;
        let mut gone = |member| {
            let hash = || *hash.get_or_insert_with(|| rules.hasher.hash(&info_hash.0));
            ledger.crowd().left(member, hash, &rules.hasher);
        };
        let rest = loop {
            let Within { peers, began, .. } = within;
            let (removed, rest) = match (within.is_v6, torrent.v6_mut()) {
                (false, _) => {
                    let gone = |key: &_| gone(Member::of(key));
                    torrent.v4.sweep(peers, budget, began, now, &rules.hasher, gone)
                }
                (true, Some(v6)) => {
                    let gone = |key: &_| gone(Member::of(key));
                    v6.sweep(peers, budget, began, now, &rules.hasher, gone)
                }
                (true, None) => (0, None),
            };
            expired.peers += removed as u64;
            if rest.is_some() || within.is_v6 {
                break rest;
            }
            within.is_v6 = true;
            within.peers = torrent.v6().map_or(0, Family::len);
        };
        if let Some(peers) = rest {
            cursor.within = Some(Within { peers, ..within });
        } else {
            torrent.drop_empty_v6();
        }
        self.totals.replace(before, Share::of(torrent));
        if torrent.len() == 0 {
            cursor.within = None;
            self.close(pos, rules, ledger);
            expired.torrents += 1;
            *budget = budget.saturating_sub(CLOSING);
        }
        cursor.within.is_none()
    }

    /// One step of [`Tracker::retain`]; true when the shard is done.
    pub(crate) fn drop_unless<L: Ledger>(
        &mut self,
        cursor: &mut Cursor,
        kept: &mut impl FnMut(&InfoHash) -> bool,
        rules: &Rules,
        ledger: &L,
        dropped: &mut u64,
    ) -> bool {
        let mut budget = STEP;
        cursor.torrents = cursor.torrents.min(self.torrents.len());
        while cursor.torrents > 0 {
            if budget < TORRENT {
                return false;
            }
            budget -= TORRENT;
            cursor.torrents -= 1;
            if kept(&self.torrents.get(cursor.torrents).info_hash) {
                continue;
            }
            let torrent = self.torrents.remove(cursor.torrents, &rules.hasher);
            self.totals.replace(Share::of(&torrent), Share::default());
            ledger.close_torrent();
            cursor.taken_out.push(torrent);
            budget = budget.saturating_sub(CLOSING);
            *dropped += 1;
        }
        true
    }
}
