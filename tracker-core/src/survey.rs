//! A look at every torrent there is.

use crate::{Counts, InfoHash, Tracker};

/// Torrents looked at while a lock is held.
const STEP: usize = 1024;

impl Tracker {
    /// Shows the counts of every torrent, also of those remembered for their completions, in no order. No lock is held
    /// while `visit` runs. Torrents that come or go meanwhile may be shown or not, and one that becomes or ceases to be a
    /// remembered one may be shown twice.
    pub fn scrape_all(&self, mut visit: impl FnMut(&InfoHash, Counts)) {
        let mut seen = Vec::with_capacity(STEP);
        for padded in &self.shards {
            let (mut torrents, mut memory) = (usize::MAX, usize::MAX);
            while torrents > 0 || memory > 0 {
                let shard = padded.shard.lock();
                torrents = torrents.min(shard.torrents.len());
                let end = torrents.saturating_sub(STEP);
                seen.extend((end..torrents).map(|at| {
                    let torrent = shard.torrents.get(at);
                    (torrent.info_hash, torrent.counts())
                }));
                torrents = end;
                memory = memory.min(shard.memory.len());
                let end = memory.saturating_sub(STEP - seen.len());
                seen.extend((end..memory).map(|at| {
                    let (info_hash, downloaded) = shard.memory.get(at);
                    (info_hash, Counts { downloaded, ..Counts::default() })
                }));
                memory = end;
                drop(shard);
                for (info_hash, counts) in seen.drain(..) {
                    visit(&info_hash, counts);
                }
            }
        }
    }
}
