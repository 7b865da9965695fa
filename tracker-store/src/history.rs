//! The history: two journals, by the sample and by the hour, and the series made of them.

use std::collections::VecDeque;
use std::io;

use crate::damage::Damage;
use crate::dir::DataDir;
use crate::error::StoreError;
use crate::journal::JournalFile;
use crate::period::{HOURS_KEPT, MINUTES_KEPT};
use crate::sample::{Hour, Sample};
use crate::series::Series;

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
        let ages = |hour: &Hour| (hour.time.saturating_add(3600), u64::from(hour.covered));
        if let Some(surplus) = surplus(&self.hours, dir, now, HOURS_KEPT, 30 * DAY, ages)? {
            let mut left = surplus;
            damage.extend(self.hours.compact(dir, now, |_| take(&mut left))?);
        }
        damage.extend(self.samples.take_found());
        damage.extend(self.hours.take_found());
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
/// older than `kept` seconds, or from the future, and as much time is covered by later ones: so a clock that is wrong for a
/// while, or a long pause, makes nothing go that should stay, and nothing stay for ever.
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
        let is_young = time <= now && time.saturating_add(kept) >= now;
        is_over |= is_young || after < kept;
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::Store;
    use crate::period::{Grouping, Period};

    /// The beginning of a day.
    const T: u64 = 1_790_000_000 / DAY * DAY;
    const FIVE: u64 = 300;

    /// Samples of five minutes each, which end in `from..to`.
    fn samples(from: u64, to: u64) -> Vec<Sample> {
        let times = (from + FIVE..=to).step_by(FIVE as usize);
        times.map(|time| Sample { time, over: FIVE as u32, announces: 1, ..Sample::default() }).collect()
    }

    /// A store whose history is these samples.
    fn store_of(samples: &[Sample], now: u64) -> (tempfile::TempDir, Store, Series) {
        let place = tempfile::tempdir().unwrap();
        let dir = DataDir::open(place.path()).unwrap();
        let (mut journal, _) = JournalFile::open(&dir, SAMPLES, now, |_: Sample| {}).unwrap();
        journal.append_all(&dir, samples, now).unwrap();
        drop(dir);
        let (store, series, damage) = Store::open(place.path(), now).unwrap();
        assert_eq!(damage, []);
        (place, store, series)
    }

    /// When the samples in a store's file were taken.
    fn times(store: Store) -> Vec<u64> {
        let path = store.path().to_owned();
        drop(store);
        let mut times = Vec::new();
        let dir = DataDir::open(&path).unwrap();
        let (_, damage) =
            JournalFile::open(&dir, SAMPLES, 0, |sample: Sample| times.push(sample.time)).unwrap();
        assert_eq!(damage, None);
        times
    }

    #[test]
    fn a_week_is_kept_and_dropped_a_day_at_a_time() {
        for (days, left) in [(7, 7), (8, 8), (9, 7), (12, 7)] {
            let now = T + days * DAY;
            let (_place, mut store, _) = store_of(&samples(T, now), now);
            assert_eq!(store.compact(now).unwrap(), []);
            let kept = times(store);
            let first = kept[0].saturating_sub(FIVE);
            assert!(
                now - first >= left * DAY && now - first <= left * DAY + 2 * FIVE,
                "{days}: {}",
                now - first
            );
        }
    }

    #[test]
    fn a_long_pause_makes_nothing_go() {
        let now = T + 400 * DAY;
        let there = [samples(T, T + 6 * DAY), samples(now - FIVE, now)].concat();
        let (_place, mut store, _) = store_of(&there, now);
        store.compact(now).unwrap();
        assert_eq!(times(store).len(), there.len());
    }

    #[test]
    fn a_clock_that_was_in_the_future_keeps_nothing_for_ever() {
        let now = T + 30 * DAY;
        let far = T + 10_000 * DAY;
        let there = [samples(far, far + 2 * DAY), samples(now - 9 * DAY, now)].concat();
        let (_place, mut store, _) = store_of(&there, now);
        store.compact(now).unwrap();
        let kept = times(store);
        assert!((now - 8 * DAY..now).contains(&kept[0]) && kept[kept.len() - 1] == now);
        // and makes nothing go that was written before it
        let there = [samples(now - 6 * DAY, now), samples(far, far + FIVE)].concat();
        let (_place, mut store, _) = store_of(&there, now);
        store.compact(now).unwrap();
        assert_eq!(times(store).len(), there.len());
    }

    #[test]
    fn what_somebody_has_removed_is_made_again() {
        let now = T + DAY;
        let (place, mut store, mut series) = store_of(&samples(T, now - FIVE), now);
        let sample = samples(now - FIVE, now)[0];
        series.push(&sample);
        let closed = series.close_hours(now);
        store.record(&sample, &closed, now).unwrap();
        let before = series.query(Period::Week, Grouping::Minute, now);
        for remove in [
            &|path: &Path| fs::remove_dir_all(path).unwrap(),
            &|path: &Path| fs::remove_file(path.join(SAMPLES)).unwrap(),
            &|path: &Path| fs::remove_file(path.join(HOURS)).unwrap(),
        ] as [&dyn Fn(&Path); 3]
        {
            remove(place.path());
            store.restore(&series, now).unwrap();
            store.restore(&series, now).unwrap();
            let path = store.path().to_owned();
            drop(store);
            let (again, found, damage) = Store::open(&path, now).unwrap();
            assert_eq!(damage, []);
            assert_eq!(found.query(Period::Week, Grouping::Minute, now), before);
            let hours = |series: &Series| series.query(Period::Month, Grouping::Hour, now).points;
            assert_eq!(hours(&found), hours(&series));
            store = again;
        }
    }

    #[test]
    fn hours_that_ended_before_a_crash_are_written_after_it() {
        let now = T + 3 * 3600 + 600;
        let (place, mut store, series) = store_of(&samples(T, T + 3 * 3600), now);
        assert_eq!(series.clone().close_hours(now), [], "they wait in the store");
        store.record(&Sample { time: now, over: 60, ..Sample::default() }, &[], now).unwrap();
        drop(store);
        let text = fs::read_to_string(place.path().join(HOURS)).unwrap();
        assert_eq!(text.matches("covered:3600").count(), 3);
        let (_, again, _) = Store::open(place.path(), now).unwrap();
        let announces = |series: &Series| {
            let points = series.query(Period::Week, Grouping::Hour, now).points;
            points.into_iter().flatten().map(|point| point.announces).collect::<Vec<_>>()
        };
        assert_eq!(announces(&again), [12, 12, 12, 0], "and count once");
    }

    #[test]
    fn a_disk_that_does_not_come_back_takes_no_more_memory_than_a_day_of_seconds() {
        use crate::faults::failing_from;
        let place = tempfile::tempdir().unwrap();
        let (mut store, _, _) = Store::open(place.path(), T).unwrap();
        let over = 50;
        failing_from(0, io::ErrorKind::StorageFull, || {
            for n in 0..WAITING as u64 + over {
                let sample = Sample { time: T + n, over: 1, ..Sample::default() };
                store.record(&sample, &[], T).unwrap_err();
            }
        });

        let sample = Sample { time: T + WAITING as u64 + over, over: 1, ..Sample::default() };
        store.record(&sample, &[], T).unwrap();
        assert_eq!(store.dropped(), over + 1);
        let kept = times(store);
        assert_eq!((kept.len(), kept[0]), (WAITING, T + over + 1), "the oldest went");
    }
}
