//! The store: a data directory with all that is in it.

use std::io;
use std::path::Path;

use tracker_core::{Seconds, Tracker};

use crate::damage::Damage;
use crate::dir::DataDir;
use crate::error::StoreError;
use crate::history::History;
use crate::sample::{Hour, Sample};
use crate::series::Series;
use crate::swarms::{self, Loaded, Saved};

/// A data directory, locked, with the history and the swarms in it.
#[derive(Debug)]
pub struct Store {
    dir: DataDir,
    history: History,
}

impl Store {
    /// Opens the directory, or makes it, and reads the history through. `now` is in Unix seconds.
    ///
    /// # Errors
    /// A directory that cannot be made, locked or written to; a file that cannot be read or is of a later format. A damaged
    /// file is no error: it is in the list.
    pub fn open(path: &Path, now: u64) -> Result<(Store, Series, Vec<Damage>), StoreError> {
        let dir = DataDir::open(path)?;
        let (history, series, damage) = History::open(&dir, now)?;
        Ok((Store { dir, history }, series, damage))
    }

    /// Puts the swarms on disk into `tracker`, at its time `now`, which is `wall` in Unix seconds. Peers have aged by what
    /// has passed since, and those that are too old by now stay out.
    ///
    /// # Errors
    /// A file that cannot be read at all, or is of a later format. A damaged one is no error: what is intact is put in, and
    /// what is missing comes from the snapshot before.
    pub fn load_swarms(&self, tracker: &Tracker, now: Seconds, wall: u64) -> Result<Loaded, StoreError> {
        swarms::load(&self.dir, tracker, now, wall)
    }

    /// Writes all swarms down, beside those that come and go: no lock is held while the disk is waited for. The snapshot
    /// that is there stays until this one is safe on disk, and is then the older one.
    ///
    /// `wall` is the time in Unix seconds, `completed` the running total of downloads, `clock` the tracker's time.
    /// `goes_on` is asked now and then whether to go on.
    ///
    /// # Errors
    /// The disk is full, read-only or gone, or `goes_on` said no
    /// ([`Interrupted`](io::ErrorKind::Interrupted)): the snapshots on disk are what they were.
    pub fn save_swarms(
        &mut self,
        tracker: &Tracker,
        wall: u64,
        completed: u64,
        clock: impl Fn() -> Seconds,
        goes_on: impl Fn() -> bool,
    ) -> io::Result<Saved> {
        self.dir.revive()?;
        swarms::save(&self.dir, tracker, wall, completed, clock, goes_on)
    }

    /// Appends a sample, and the hours that ended with it, to the history, and returns when they are on the disk. What
    /// cannot be written waits, and is written with the next sample for which there is room.
    ///
    /// # Errors
    /// The disk is full, read-only or gone.
    pub fn record(&mut self, sample: &Sample, closed: &[Hour], now: u64) -> io::Result<()> {
        self.history.record(&mut self.dir, sample, closed, now)
    }

    /// Writes what waits since a write has failed.
    ///
    /// # Errors
    /// The disk is full, read-only or gone.
    pub fn flush(&mut self, now: u64) -> io::Result<()> {
        self.history.flush(&mut self.dir, now)
    }

    /// Makes the directory and its history again after somebody has removed them, from what is known of it.
    ///
    /// # Errors
    /// The disk is full, read-only or gone.
    pub fn restore(&mut self, series: &Series, now: u64) -> io::Result<()> {
        self.dir.revive()?;
        self.history.restore(&mut self.dir, series, now)
    }

    /// Drops what is older than is kept from the history's files, once that is worth the writing. Returns what was found
    /// wrong with them, and mended, since the last time.
    ///
    /// # Errors
    /// The disk is full, read-only or gone: nothing has changed then.
    pub fn compact(&mut self, now: u64) -> io::Result<Vec<Damage>> {
        self.history.compact(&self.dir, now)
    }

    /// Samples that were given up, since too many waited for the disk.
    pub fn dropped(&self) -> u64 {
        self.history.dropped()
    }

    /// Where it is, as it was named.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}
