//! What waits for the disk: samples are appended and swarms written down, on a thread of its own.

use std::fmt::Display;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, RecvTimeoutError};
use parking_lot::Mutex;
use tracker_core::Tracker;
use tracker_http::Clock;
use tracker_store::{Damage, Hour, Sample, Saved, Store};

use crate::pages::Health;
use crate::statistics::{Statistics, unix_now};

/// When the first snapshot is taken. While the tracker is younger than `snapshot_every`, it loses no more than half its life.
const FIRST: Duration = Duration::from_secs(10);
/// After a write that failed, the next is tried no later than this.
const RETRY: Duration = Duration::from_secs(30);
/// How often is looked for what is too old to be kept.
const COMPACT: Duration = Duration::from_secs(3600);
/// A complaint is repeated no sooner than this.
const PATIENCE: Duration = Duration::from_secs(60);
/// What `/health` says.
const TROUBLE: &str = "the data directory cannot be written to, see the log";

/// A sample and the hours that ended with it.
pub type Taken = (Sample, Vec<Hour>);

/// Whether things are kept as they should be. Shared with those who show it.
#[derive(Debug, Default)]
pub struct Keeping(Mutex<State>);

/// How the data directory fares.
#[derive(Clone, Copy, Debug, Default)]
pub struct State {
    /// Writes that have failed.
    pub errors: u64,
    /// Samples given up, since too many waited.
    pub dropped_samples: u64,
    /// The last snapshot that was written.
    pub snapshot: Option<Snapshot>,
    /// Whether samples, and snapshots, could be written the last time.
    failing: [bool; 2],
}

/// A snapshot that was written.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot {
    /// When it was begun, in Unix seconds.
    pub time: u64,
    /// How long it took.
    pub took: Duration,
    /// What is in it.
    pub saved: Saved,
}

impl Keeping {
    /// How things are now.
    pub fn state(&self) -> State {
        *self.0.lock()
    }
}

impl State {
    /// Whether the last writes have worked.
    pub fn works(&self) -> bool {
        self.failing == [false; 2]
    }
}

#[derive(Clone, Copy)]
enum Part {
    History,
    Snapshot,
}

/// Keeps the data directory.
#[derive(Debug)]
pub struct Keeper<'a> {
    /// What is written down.
    pub tracker: &'a Tracker,
    /// Where samples come from.
    pub statistics: &'a Statistics<'a>,
    /// The tracker's time.
    pub clock: Clock,
    /// How often the swarms are written down.
    pub snapshot_every: Duration,
    /// Where to say how it goes.
    pub keeping: &'a Keeping,
    /// Where else.
    pub health: &'a Health,
    /// When was complained last.
    pub complained: Mutex<Option<Instant>>,
}

impl Keeper<'_> {
    /// Writes what comes, and a snapshot now and then, until nothing can come any more.
    pub fn run(&self, store: &mut Store, samples: &Receiver<Taken>, is_stopping: &AtomicBool) {
        give_way();
        let mut snapshot_at = Instant::now() + self.pause();
        let mut compact_at = Instant::now();
        let mut retry_at = None;
        loop {
            let next = retry_at.into_iter().fold(snapshot_at.min(compact_at), Instant::min);
            match samples.recv_deadline(next) {
                Ok((sample, closed)) => {
                    let written = self.record(store, Some((&sample, &closed)));
                    retry_at = (!written).then(|| Instant::now() + RETRY);
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = Instant::now();
            if retry_at.is_some_and(|at| at <= now) {
                retry_at = (!self.record(store, None)).then(|| Instant::now() + RETRY);
            }
            if compact_at <= now {
                self.compact(store);
                compact_at = Instant::now() + COMPACT;
            }
            if snapshot_at <= now {
                let written = self.snapshot(store, || !is_stopping.load(Relaxed));
                let wait = if written { self.pause() } else { self.snapshot_every.min(RETRY) };
                snapshot_at = Instant::now() + wait;
            }
        }
    }

    /// How long to wait for the next snapshot: as long as the tracker runs already, within bounds.
    fn pause(&self) -> Duration {
        self.clock.elapsed().clamp(FIRST.min(self.snapshot_every), self.snapshot_every)
    }

    /// Writes down what has been since, when nothing changes any more.
    pub fn finish(&self, store: &mut Store) {
        let (sample, closed) = self.statistics.take_sample();
        self.record(store, Some((&sample, &closed)));
        if !self.snapshot(store, || true) {
            let since = self.keeping.state().snapshot.map_or_else(
                || "the start".to_owned(),
                |snapshot| format!("{} s ago", unix_now().saturating_sub(snapshot.time)),
            );
            tracing::error!("what has changed in the swarms since {since} will be missing at the next start");
        }
    }

    /// Appends a sample, or what waits; false if that failed.
    fn record(&self, store: &mut Store, taken: Option<(&Sample, &Vec<Hour>)>) -> bool {
        let now = unix_now();
        let result = match taken {
            Some((sample, closed)) => store.record(sample, closed, now),
            None => store.flush(now),
        };
        let result = self.or_restore(store, result);
        self.keeping.0.lock().dropped_samples = store.dropped();
        self.note(Part::History, "a sample of the statistics", result).is_some()
    }

    /// Makes files anew that somebody has removed, or the directory itself: then whatever was to be written is in them.
    fn or_restore<T: Default>(&self, store: &mut Store, result: io::Result<T>) -> io::Result<T> {
        if !result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return result;
        }
        // a copy, for the disk may take its time
        let series = self.statistics.past().series.clone();
        store.restore(&series, unix_now())?;
        tracing::warn!("{} was missing files, which are written anew", store.path().display());
        Ok(T::default())
    }

    /// Writes the swarms down; false if that failed.
    fn snapshot(&self, store: &mut Store, goes_on: impl Fn() -> bool) -> bool {
        let (begin, time) = (Instant::now(), unix_now());
        let completed = self.statistics.figures().completed;
        let result = store.save_swarms(self.tracker, time, completed, || self.clock.now(), goes_on);
        if result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::Interrupted) {
            return false;
        }
        let Some(saved) = self.note(Part::Snapshot, "a snapshot of the swarms", result) else { return false };
        let took = begin.elapsed();
        self.keeping.0.lock().snapshot = Some(Snapshot { time, took, saved });
        tracing::debug!(
            "snapshot: {} peers in {} torrents, {} bytes in {took:.1?}",
            saved.peers,
            saved.torrents,
            saved.bytes
        );
        true
    }

    fn compact(&self, store: &mut Store) {
        let result = store.compact(unix_now());
        let result = self.or_restore(store, result);
        for damage in
            self.note(Part::History, "the history without what is too old", result).unwrap_or_default()
        {
            warn(store, &damage);
        }
    }

    /// Counts, shows and, at most once a minute, logs what went wrong; says when it is over.
    fn note<T>(&self, part: Part, what: impl Display, result: io::Result<T>) -> Option<T> {
        let is_over = {
            let mut state = self.keeping.0.lock();
            let worked = state.works();
            state.errors += u64::from(result.is_err());
            state.failing[part as usize] = result.is_err();
            !worked && state.works()
        };
        match result {
            Ok(value) => {
                if is_over {
                    self.health.over(TROUBLE);
                    tracing::info!("the data directory can be written to again, and nothing waits for it");
                }
                Some(value)
            }
            Err(error) => {
                self.health.trouble(TROUBLE);
                let mut complained = self.complained.lock();
                if complained.is_none_or(|at| at.elapsed() >= PATIENCE) {
                    *complained = Some(Instant::now());
                    tracing::error!("{what} could not be written: {error}; it is tried again, see store.dir");
                }
                None
            }
        }
    }
}

/// Logs what was found wrong with a file.
pub fn warn(store: &Store, damage: &Damage) {
    tracing::warn!("{}", describe(store, damage));
}

/// Where there are more threads to run than cores, the calling one is the last from now on: a snapshot can wait, and
/// announces should not.
fn give_way() {
    // of this thread alone, which is what Linux makes of it; it works without, too
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, 10);
}

/// What was found wrong with a file, and where.
pub fn describe(store: &Store, damage: &Damage) -> String {
    format!("{}: {damage}", store.path().display())
}
