//! The history: two journals, by the sample and by the hour, and the series made of them.

use std::collections::VecDeque;
use std::io;

use crate::damage::Damage;
use crate::dir::DataDir;
use crate::error::StoreError;
use crate::journal::JournalFile;
use crate::sample::{Hour, Sample};
use crate::series::{HOURS_KEPT, MINUTES_KEPT, Series};

pub(crate) const SAMPLES: &str = "history.ron";
pub(crate) const HOURS: &str = "history-hourly.ron";

/// Samples that wait for a disk at most: more than a day of them by the second.
const WAITING: usize = 100_000;
const DAY: u64 = 24 * 3600;

/// The two files of the history, and what waits to be written to them.
#[derive(Debug)]
pub(crate) struct History {
    samples: JournalFile<Sample>,
    hours: JournalFile<Hour>,
    waiting: VecDeque<Sample>,
    waiting_hours: VecDeque<Hour>,
    /// Samples that there was no room to keep waiting.
    dropped: u64,
}

impl History {
    /// Reads both files through.
    pub(crate) fn open(dir: &DataDir, now: u64) -> Result<(History, Series, Vec<Damage>), StoreError> {
        let mut series = Series::new();
        // in the order in which push_again needs them
        let (hours, damaged_hours) = JournalFile::open(dir, HOURS, now, |hour| series.push_hour(&hour))?;
        let (samples, damaged) = JournalFile::open(dir, SAMPLES, now, |sample| series.push_again(&sample))?;
        let damage = damaged.into_iter().chain(damaged_hours).collect();
        let history = History {
            samples,
            hours,
            waiting: VecDeque::new(),
            waiting_hours: series.close_hours(now).into(),
            dropped: 0,
        };
        Ok((history, series, damage))
    }

    /// Appends a sample and the hours that it has closed. What cannot be written waits, and is written with the next that
    /// can; so long only the error tells.
    pub(crate) fn record(
        &mut self,
        dir: &mut DataDir,
        sample: &Sample,
        closed: &[Hour],
        now: u64,
    ) -> io::Result<()> {
        self.waiting.push_back(*sample);
        self.waiting_hours.extend(closed);
        if self.waiting.len() > WAITING {
            self.waiting.pop_front();
            self.dropped += 1;
        }
        self.flush(dir, now)
    }

    /// Writes what waits.
    pub(crate) fn flush(&mut self, dir: &mut DataDir, now: u64) -> io::Result<()> {
        write(&mut self.samples, &mut self.waiting, dir, now)?;
        write(&mut self.hours, &mut self.waiting_hours, dir, now)
    }

    /// Writes the files anew from `series` where somebody has removed them. What waited to be written is in it.
    pub(crate) fn restore(&mut self, dir: &mut DataDir, series: &Series, now: u64) -> io::Result<()> {
        let is_gone =
            |name| dir.file(name).symlink_metadata().is_err_and(|e| e.kind() == io::ErrorKind::NotFound);
        let (samples, hours) = series.records();
        if is_gone(SAMPLES) {
            self.samples.forget_file();
            self.waiting = samples.collect();
        }
        if is_gone(HOURS) {
            self.hours.forget_file();
            self.waiting_hours = hours.collect();
        }
        self.flush(dir, now)
    }

    /// Drops what is older than is kept, once that is worth the writing.
    pub(crate) fn compact(&mut self, dir: &DataDir, now: u64) -> io::Result<Vec<Damage>> {
        let mut damage = Vec::new();
        let ages = |sample: &Sample| (sample.time, u64::from(sample.over));
        if let Some(surplus) = surplus(&self.samples, dir, now, MINUTES_KEPT, DAY, ages)? {
            let mut left = surplus;
            damage.extend(self.samples.compact(dir, now, |_| take(&mut left))?);
        }
        let ages = |hour: &Hour| (hour.time + 3600, u64::from(hour.covered));
        if let Some(surplus) = surplus(&self.hours, dir, now, HOURS_KEPT, 30 * DAY, ages)? {
            let mut left = surplus;
            damage.extend(self.hours.compact(dir, now, |_| take(&mut left))?);
        }
        Ok(damage)
    }

    /// Samples that were given up, since too many waited.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// Lines written in one go, where several wait.
const BATCH: usize = 1000;

fn write<R: crate::Record>(
    journal: &mut JournalFile<R>,
    waiting: &mut VecDeque<R>,
    dir: &DataDir,
    now: u64,
) -> io::Result<()> {
    while !waiting.is_empty() {
        let waiting_now = waiting.make_contiguous();
        let batch = waiting_now.len().min(BATCH);
        journal.append_all(dir, &waiting_now[..batch], now)?;
        waiting.drain(..batch);
    }
    Ok(())
}

/// How many lines at the start of a journal are to go, if they cover `worth` seconds at least. A line goes when it is
/// older than `kept` seconds and as much time is covered by later ones: so a clock that is wrong for a while, or a long
/// pause, makes nothing go that should stay.
fn surplus<R: crate::Record>(
    journal: &JournalFile<R>,
    dir: &DataDir,
    now: u64,
    kept: u64,
    worth: u64,
    age: impl Fn(&R) -> (u64, u64),
) -> io::Result<Option<u64>> {
    let mut after = 0;
    journal.read(dir, |record| after += age(&record).1)?;
    let (mut lines, mut covered, mut is_over) = (0, 0, false);
    journal.read(dir, |record| {
        let (time, over) = age(&record);
        after -= over.min(after);
        is_over |= time.saturating_add(kept) >= now || after < kept;
        if !is_over {
            lines += 1;
            covered += over;
        }
    })?;
    Ok((covered >= worth).then_some(lines))
}

/// Whether a record stays, of which the first `surplus` are to go.
fn take(surplus: &mut u64) -> bool {
    let stays = *surplus == 0;
    *surplus = surplus.saturating_sub(1);
    stays
}
