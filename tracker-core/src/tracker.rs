//! The tracker: all swarms, shared by reference between threads.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use parking_lot::Mutex;
use rand_core::Rng;

use crate::clock::{Clock, Moment};
use crate::crowd::Crowd;
use crate::hasher::Hasher;
use crate::shard::{Ledger, Rules, Shard};
use crate::totals::Totals;
use crate::{Announce, AnnounceError, AnnounceReply, Config, Counts, InfoHash, Outcome, Seconds};

/// All swarms. Threads share it by reference: every operation locks the one shard that it needs, briefly.
#[derive(Debug)]
pub struct Tracker {
    pub(crate) rules: Rules,
    pub(crate) clock: Clock,
    pub(crate) shards: Box<[Padded]>,
    books: Books,
    /// Held by the one export that runs.
    pub(crate) exporting: Mutex<()>,
    /// The latest `now` seen.
    latest: AtomicU64,
}

/// A shard with its lock, on cache lines of its own.
#[derive(Debug, Default)]
#[repr(C, align(128))]
pub(crate) struct Padded {
    pub(crate) shard: Mutex<Shard>,
    /// [`Memory::oldest_turn`](crate::memory::Memory::oldest_turn), to be compared without the lock.
    oldest: AtomicU64,
}

/// What is counted over all shards, on cache lines that no announce reads unless a torrent comes or goes.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Books {
    max_torrents: usize,
    torrents: AtomicUsize,
    remembered: AtomicUsize,
    turns: AtomicU64,
    crowd: Crowd,
}

impl Ledger for Books {
    fn open_torrent(&self) -> bool {
        let fits = self.torrents.fetch_add(1, Relaxed) < self.max_torrents || self.max_torrents == 0;
        if !fits {
            self.torrents.fetch_sub(1, Relaxed);
        }
        fits
    }

    fn close_torrent(&self) {
        self.torrents.fetch_sub(1, Relaxed);
    }

    fn remember(&self) -> u64 {
        self.remembered.fetch_add(1, Relaxed);
        self.turns.fetch_add(1, Relaxed)
    }

    fn recall(&self) {
        self.remembered.fetch_sub(1, Relaxed);
    }

    #[inline]
    fn crowd(&self) -> &Crowd {
        &self.crowd
    }
}

impl Tracker {
    /// A tracker without torrents.
    pub fn new(config: Config) -> Self {
        let shards = config.shards.clamp(1, 1 << 16).next_power_of_two();
        Tracker {
            clock: Clock::new(config.peer_timeout),
            shards: (0..shards)
                .map(|_| Padded { shard: Mutex::default(), oldest: AtomicU64::new(u64::MAX) })
                .collect(),
            books: Books {
                max_torrents: config.max_torrents,
                crowd: Crowd::new(&config),
                ..Books::default()
            },
            exporting: Mutex::new(()),
            latest: AtomicU64::new(0),
            rules: Rules { hasher: Hasher::new(&config.hash_key), config },
        }
    }

    /// What the tracker was made with.
    pub fn config(&self) -> &Config {
        &self.rules.config
    }

    /// Carries out an announce, and writes the answer into `reply`.
    ///
    /// The asker is never among the peers; there are never more than `numwant` of them; those of its own address family come
    /// first. A seeder and a partial seed are told of leechers only, and an asker with a [global](crate::Reach::Global) address of
    /// peers with one only. `stopped` is answered with no peers. After
    /// some announces this allocates only where a swarm grows.
    ///
    /// # Errors
    ///
    /// [`AnnounceError::TrackerFull`] for a torrent that is new, if there are `max_torrents` already.
    pub fn announce<R: Rng>(
        &self,
        announce: &Announce,
        now: Seconds,
        rng: &mut R,
        reply: &mut AnnounceReply,
    ) -> Result<Outcome, AnnounceError> {
        reply.clear();
        let hash = self.rules.hasher.hash(&announce.info_hash.0);
        let padded = self.padded(hash);
        let mut shard = padded.shard.lock();
        let now = self.moment(now);
        let remembered = shard.memory.len();
        let outcome = shard.announce(hash, announce, &now, &self.rules, &self.books, rng, reply);
        if shard.memory.len() != remembered {
            padded.publish_oldest(&shard);
            drop(shard);
            self.forget_surplus();
        }
        outcome
    }

    /// The counts of one torrent; `None` if it has neither peers nor remembered completions.
    pub fn scrape(&self, info_hash: &InfoHash) -> Option<Counts> {
        let hash = self.rules.hasher.hash(&info_hash.0);
        self.padded(hash).shard.lock().scrape(hash, info_hash)
    }

    /// What there is in all, a shard at a time.
    pub fn totals(&self) -> Totals {
        let mut sum = Totals::default();
        for padded in &self.shards {
            let shard = padded.shard.lock();
            sum += Totals {
                torrents: shard.torrents.len() as u64,
                remembered: shard.memory.len() as u64,
                ..shard.totals
            };
        }
        sum
    }

    /// The point in time for everything that is done at `now`: never before one that has been. To be taken with a
    /// shard's lock held and used while it is: then nobody in that shard was heard of later.
    #[inline]
    pub(crate) fn moment(&self, now: Seconds) -> Moment {
        let latest = self.latest.load(Relaxed);
        let now = if now.parts() > latest {
            self.latest.fetch_max(now.parts(), Relaxed).max(now.parts())
        } else {
            latest
        };
        self.clock.at(Seconds::from_parts(now))
    }

    /// Bits of the hash that no table inside a shard uses.
    #[inline]
    pub(crate) fn padded(&self, hash: u64) -> &Padded {
        &self.shards[(hash >> 36) as usize & (self.shards.len() - 1)]
    }

    pub(crate) fn ledger(&self) -> &impl Ledger {
        &self.books
    }

    /// Forgets those remembered longest ago, whatever shard they are in, until as many are left as are to be remembered.
    /// To be called without a lock held.
    pub(crate) fn forget_surplus(&self) {
        while self.books.remembered.load(Relaxed) > self.rules.config.remember_torrents {
            let Some(padded) = self.shards.iter().min_by_key(|padded| padded.oldest.load(Relaxed)) else {
                return;
            };
            let mut shard = padded.shard.lock();
            if shard.memory.forget_oldest(&self.rules.hasher).is_none() {
                return;
            }
            self.books.recall();
            padded.publish_oldest(&shard);
        }
    }
}

impl Padded {
    /// To be called with the lock held, after the memory has changed.
    pub(crate) fn publish_oldest(&self, shard: &Shard) {
        self.oldest.store(shard.memory.oldest_turn(), Relaxed);
    }
}
