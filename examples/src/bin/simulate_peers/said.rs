//! What a peer has said, until it is answered.

use crate::crowd::Crowd;
use crate::truth::{Groups, Seen};

/// What a peer has said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said {
    pub(crate) peer: u32,
    /// What it is from then on.
    pub(crate) groups: Groups,
    /// What it is looked upon when peers are chosen for it: somebody who downloads, a seeder or a partial seed.
    pub(crate) asks_as: AsksAs,
    pub(crate) completes: bool,
    pub(crate) stops: bool,
    pub(crate) numwant: Option<u32>,
    pub(crate) wants_ids: bool,
    pub(crate) seen: Seen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AsksAs {
    Downloader,
    PartialSeed,
    Seeder,
}

impl Said {
    /// Who asked for what, when.
    pub(crate) fn place(&self, crowd: &Crowd) -> String {
        let person = &crowd.people[self.peer as usize];
        let (addr, torrent) = (crowd.addr(person), crowd.name(person.torrent));
        format!("{addr} in torrent {torrent} after {:.2} s", self.seen.at.as_secs_f64())
    }
}

/// The times that the tracker has given to all.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Intervals {
    pub(crate) interval: Option<u64>,
    pub(crate) min_interval: Option<u64>,
}
