//! One torrent: its peers of both families, and how often it was completed.

use rand_core::Rng;

use crate::clock::Moment;
use crate::dense::Dense;
use crate::family::Family;
use crate::hasher::Hasher;
use crate::key::{Key, Key4, Key6};
use crate::selection::{Fit, Selection, select};
use crate::table::Named;
use crate::{AnnounceReply, Counts, InfoHash, PeerAddr, PeerId, PeerState};

pub(crate) type Family6 = Family<[Key6; 1]>;
pub(crate) type Family4 = Family<[Key4; 2], Option<Box<Family6>>>;

/// A swarm with its name, in as many bytes as a cache line has where the peers are few.
#[derive(Debug)]
pub(crate) struct Torrent {
    pub(crate) info_hash: InfoHash,
    pub(crate) downloaded: u32,
    pub(crate) v4: Family4,
}

const _: () = assert!(size_of::<Torrent>() == 64, "a torrent fills a cache line and no more");

impl Named for Torrent {
    #[inline]
    fn name(&self) -> &InfoHash {
        &self.info_hash
    }
}

/// A peer in the form that its family keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PeerKey {
    V4(Key4),
    V6(Key6),
}

impl PeerKey {
    pub(crate) fn new(addr: PeerAddr, stamp: u16) -> Self {
        match addr {
            PeerAddr::V4(ip, port) => PeerKey::V4(Key4::new(ip, port, stamp)),
            PeerAddr::V6(ip, port) => PeerKey::V6(Key6::new(ip, port, stamp)),
        }
    }
}

/// Where a known peer stands, and whether it counts as known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) at: usize,
    pub(crate) state: PeerState,
    /// Not heard of for the timeout: the same as not there, but that a sweep has not come by.
    pub(crate) is_stale: bool,
}

impl Torrent {
    pub(crate) fn new(info_hash: InfoHash, downloaded: u32, now: &Moment) -> Self {
        Torrent { info_hash, downloaded, v4: Family4::new(now) }
    }

    pub(crate) fn v6(&self) -> Option<&Family6> {
        self.v4.beside()?.as_deref()
    }

    pub(crate) fn v6_mut(&mut self) -> Option<&mut Family6> {
        self.v4.beside_mut()?.as_deref_mut()
    }

    /// Peers of both families.
    pub(crate) fn len(&self) -> usize {
        self.v4.len() + self.v6().map_or(0, Family::len)
    }

    #[inline]
    pub(crate) fn counts(&self) -> Counts {
        let (mut seeders, mut partial) = (self.v4.seeders(), self.v4.partial());
        if let Some(v6) = self.v6() {
            seeders += v6.seeders();
            partial += v6.partial();
        }
        Counts {
            complete: seeders,
            incomplete: self.len() as u32 - seeders,
            downloaded: self.downloaded,
            partial,
        }
    }

    /// To be called before anything else is done at `now`.
    #[inline]
    pub(crate) fn refresh(&mut self, now: &Moment) {
        self.v4.refresh(now);
        if let Some(v6) = self.v6_mut() {
            v6.refresh(now);
        }
    }

    #[inline]
    pub(crate) fn find(&self, peer: &PeerKey, now: &Moment, hasher: &Hasher) -> Option<Place> {
        fn place<A: smallvec::Array<Item: Key> + 'static, X: Default>(
            family: &Family<A, X>,
            peer: &A::Item,
            now: &Moment,
            hasher: &Hasher,
        ) -> Option<Place> {
            let at = family.find(peer, hasher)?;
            Some(Place { at, state: family.state(at), is_stale: now.is_stale(family.key(at).stamp()) })
        }
        match peer {
            PeerKey::V4(peer) => place(&self.v4, peer, now, hasher),
            PeerKey::V6(peer) => place(self.v6()?, peer, now, hasher),
        }
    }

    /// Puts a peer in, or refreshes it at `at`; returns where it stands then.
    #[inline]
    pub(crate) fn put(
        &mut self,
        at: Option<usize>,
        peer: &PeerKey,
        id: Option<&PeerId>,
        state: PeerState,
        now: &Moment,
        hasher: &Hasher,
    ) -> usize {
        match peer {
            PeerKey::V4(peer) => self.v4.put(at, *peer, id, state, now, hasher),
            PeerKey::V6(peer) => self
                .v4
                .make_beside()
                .get_or_insert_with(|| Box::new(Family6::new(now)))
                .put(at, *peer, id, state, now, hasher),
        }
    }

    pub(crate) fn remove(&mut self, at: usize, peer: &PeerKey, hasher: &Hasher) {
        match peer {
            PeerKey::V4(_) => self.v4.remove(at, hasher),
            PeerKey::V6(_) => {
                if let Some(v6) = self.v6_mut() {
                    v6.remove(at, hasher);
                }
                self.drop_empty_v6();
            }
        }
    }

    pub(crate) fn drop_empty_v6(&mut self) {
        if self.v6().is_some_and(|v6| v6.len() == 0)
            && let Some(beside) = self.v4.beside_mut()
        {
            *beside = None;
        }
    }

    /// Peers of the same origin, in time that grows with the swarm.
    pub(crate) fn count_of(&self, peer: &PeerKey) -> usize {
        fn count<K: Key>(keys: Dense<'_, K>, origin: u64) -> usize {
            keys.iter().filter(|key| key.origin() == origin).count()
        }
        match peer {
            PeerKey::V4(key) => count(self.v4.keys(), key.origin()),
            PeerKey::V6(key) => self.v6().map_or(0, |v6| count(v6.keys(), key.origin())),
        }
    }

    /// Chooses up to `want` peers for `asker`, which stands at `at` if it is in: its own family first, then the other.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn select<R: Rng>(
        &self,
        asker: &PeerKey,
        at: Option<usize>,
        state: PeerState,
        want: usize,
        want_ids: bool,
        policy: Selection,
        fit: &Fit,
        rng: &mut R,
        reply: &mut AnnounceReply,
    ) {
        let AnnounceReply { peers4, peers6, ids4, ids6, scratch, .. } = reply;
        let is_near_first = policy == Selection::NearFirst;
        let ids4 = want_ids.then_some(ids4);
        let ids6 = want_ids.then_some(ids6);
        match asker {
            PeerKey::V4(key) => {
                let near = is_near_first.then_some(key);
                let among = self.v4.candidates(state, at, want_ids);
                let got = select(&among, near, want, fit, rng, scratch, peers4, ids4);
                if let Some(v6) = self.v6() {
                    select(
                        &v6.candidates(state, None, want_ids),
                        None,
                        want - got,
                        fit,
                        rng,
                        scratch,
                        peers6,
                        ids6,
                    );
                }
            }
            PeerKey::V6(key) => {
                let near = is_near_first.then_some(key);
                let got = self.v6().map_or(0, |v6| {
                    select(&v6.candidates(state, at, want_ids), near, want, fit, rng, scratch, peers6, ids6)
                });
                select(
                    &self.v4.candidates(state, None, want_ids),
                    None,
                    want - got,
                    fit,
                    rng,
                    scratch,
                    peers4,
                    ids4,
                );
            }
        }
    }
}
