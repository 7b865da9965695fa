//! The formats without their files: a journal or a snapshot as bytes, read and written.
//!
//! What is on disk is read and written by the same code; this is for a copy of it, a back-up or a stream, for which there is
//! no data directory to lock.

use std::io::{self, BufRead};

use tracker_core::SwarmData;

use crate::journal;
use crate::line::{self, Record};
use crate::read::{Tail, Tally};
use crate::swarm_line::Swarm;
use crate::swarms::{self, Entry, Lines, Scan, Swarms};

/// What was found in the bytes of a journal or a snapshot, beside its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Found {
    /// Lines that are intact, and count: each number once, the first line and a snapshot's last one too.
    pub kept: u64,
    /// Lines that must have been there and are not, as far as that can be told.
    pub lost: u64,
    /// Lines that were there already.
    pub doubled: u64,
    /// Whether it is to the byte as it was written, as far as that can be told: for a snapshot, to its last line.
    pub is_whole: bool,
    /// Whether it ends amid a line, as when it was written to at a crash or a copy was cut off: that line is not among the lost.
    pub is_torn: bool,
    /// The version that its first line tells; `None` if that is lost. Only 1 is known to this version of the library.
    pub version: Option<u32>,
    /// When a snapshot was taken, in Unix seconds; 0 in a journal, or if the first line is lost.
    pub time: u64,
    /// Downloads completed until then; 0 in a journal, or if the first line is lost.
    pub completed: u64,
}

impl Found {
    fn of(tally: &Tally) -> Found {
        let Tally { kept, lost, doubled, tail, .. } = *tally;
        let is_whole = !tally.is_damaged() && tail == Tail::Whole;
        let is_torn = matches!(tail, Tail::Torn(_));
        Found { kept, lost, doubled, is_whole, is_torn, ..Found::default() }
    }
}

/// Reads a journal such as `history.ron`, and shows each intact record to `visit` with the number of its line.
///
/// ```
/// use tracker_store::{Sample, read_journal, write_journal};
///
/// let samples = [60, 120].map(|time| Sample { time, over: 60, ..Sample::default() });
/// let text = write_journal(1, &samples)?;
/// let mut times = Vec::new();
/// let found = read_journal(text.as_bytes(), |number, sample: Sample| times.push((number, sample.time)))?;
/// assert_eq!((times, found.is_whole), (vec![(1, 60), (2, 120)], true));
///
/// let torn = read_journal(&text.as_bytes()[..text.len() - 9], |_, _: Sample| {})?;
/// assert_eq!((torn.kept, torn.lost, torn.is_torn), (2, 0, true), "the first line and one of the two");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// Those of `reader`. Whatever the bytes are is no error.
pub fn read_journal<R: Record>(reader: impl BufRead, mut visit: impl FnMut(u64, R)) -> io::Result<Found> {
    let mut version = None;
    let tally = journal::scan(reader, |header| version = Some(header.version), &mut visit)?;
    // no first line tells anything, if there is none
    let is_whole = version.is_some() || tally.kept == 0;
    let found = Found::of(&tally);
    Ok(Found { version, is_whole: found.is_whole && is_whole, ..found })
}

/// A journal of these records, of which the first is in line number `first`, from 1.
///
/// # Errors
/// A record that RON cannot express, which none of this crate's is.
pub fn write_journal<R: Record>(first: u64, records: &[R]) -> io::Result<String> {
    let mut text = journal::header::<R>(first)?;
    for (record, number) in records.iter().zip(first..) {
        line::write(&mut text, number, record).map_err(io::Error::other)?;
    }
    Ok(text)
}

/// Reads a snapshot such as `swarms.ron`, and shows each intact line of it to `visit` as the swarm that it holds, or the
/// part of one. Ages are those at the time of the snapshot.
///
/// # Errors
/// Those of `reader`. Whatever the bytes are is no error.
pub fn read_swarms(reader: impl BufRead, mut visit: impl FnMut(SwarmData)) -> io::Result<Found> {
    let mut head = None;
    let Scan { tally, is_whole, .. } = swarms::scan(reader, |entry| match entry {
        Entry::Head(header) => {
            head = Some(header);
            true
        }
        Entry::Swarm(line) => match line.record::<Swarm>().and_then(|swarm| swarm.data(0)) {
            Some(swarm) => {
                visit(swarm);
                true
            }
            None => false,
        },
    })?;
    let found = Found { is_whole, ..Found::of(&tally) };
    Ok(match head {
        Some(Swarms { version, time, completed }) => {
            Found { version: Some(version), time, completed, ..found }
        }
        None => found,
    })
}

/// A snapshot of these swarms, a line each, taken at `time` in Unix seconds, when `completed` downloads had been completed.
///
/// ```
/// use tracker_core::{InfoHash, SwarmData};
/// use tracker_store::{read_swarms, write_swarms};
///
/// let swarm = SwarmData { info_hash: InfoHash([7; 20]), downloaded: 3, peers: vec![] };
/// let text = write_swarms(1_790_000_000, 3, std::slice::from_ref(&swarm))?;
/// let mut swarms = Vec::new();
/// let found = read_swarms(text.as_bytes(), |swarm| swarms.push(swarm))?;
/// assert_eq!((swarms, found.completed, found.is_whole), (vec![swarm], 3, true));
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// A record that RON cannot express, which none of this crate's is.
pub fn write_swarms(time: u64, completed: u64, swarms: &[SwarmData]) -> io::Result<String> {
    let mut lines = Lines::default();
    let mut text = lines.add(&Swarms::new(time, completed))?.to_owned();
    for swarm in swarms {
        text += lines.add(&Swarm::new(swarm, 0))?;
    }
    text += lines.end()?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DataDir, JournalFile, Sample, Store};
    use tracker_core::{Config, Seconds, Tracker};

    fn golden(name: &str) -> Vec<u8> {
        std::fs::read(format!("{}/tests/golden/v1/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    #[test]
    fn files_are_read_as_they_are_from_disk_and_written_to_the_byte() {
        let bytes = golden("history.ron");
        let mut samples = Vec::new();
        let found = read_journal(&bytes[..], |_, sample: Sample| samples.push(sample)).unwrap();
        assert_eq!((found.is_whole, found.version, found.kept), (true, Some(1), samples.len() as u64 + 1));
        assert_eq!(write_journal(1, &samples).unwrap().as_bytes(), bytes);

        let bytes = golden("swarms.ron");
        let mut swarms = Vec::new();
        let found = read_swarms(&bytes[..], |swarm| swarms.push(swarm)).unwrap();
        assert_eq!((found.is_whole, found.version, found.time), (true, Some(1), 1_790_000_000));
        assert_eq!(write_swarms(found.time, found.completed, &swarms).unwrap().as_bytes(), bytes);
    }

    #[test]
    fn what_is_written_is_read_from_disk() {
        let place = tempfile::tempdir().unwrap();
        let samples = [1, 2, 3].map(|time| Sample { time, ..Sample::default() });
        std::fs::write(place.path().join("history.ron"), write_journal(7, &samples).unwrap()).unwrap();
        let swarm = SwarmData { downloaded: 3, ..SwarmData::default() };
        std::fs::write(place.path().join("swarms.ron"), write_swarms(5, 3, &[swarm]).unwrap()).unwrap();
        let dir = DataDir::open(place.path()).unwrap();
        let mut found = Vec::new();
        let (_, damage) = JournalFile::open(&dir, "history.ron", 9, |sample| found.push(sample)).unwrap();
        assert_eq!((found.as_slice(), damage), (&samples[..], None));
        drop(dir);
        let (store, _, _) = Store::open(place.path(), 9).unwrap();
        let tracker = Tracker::new(Config::default());
        let loaded = store.load_swarms(&tracker, Seconds::new(0), 9).unwrap();
        assert_eq!((loaded.time, loaded.completed, loaded.damage), (Some(5), 3, vec![]));
        assert_eq!(tracker.totals().remembered, 1);
    }

    #[test]
    fn nothing_is_a_journal_that_has_not_begun_and_no_snapshot() {
        let nothing = read_journal(&b""[..], |_, _: Sample| {}).unwrap();
        assert_eq!(nothing, Found { is_whole: true, ..Found::default() });
        assert_eq!(read_swarms(&b""[..], |_| {}).unwrap(), Found::default());
        let headless = write_journal(1, &[Sample::default()]).unwrap().split_off(55);
        let found = read_journal(headless.as_bytes(), |_, _: Sample| {}).unwrap();
        assert_eq!((found.is_whole, found.version), (false, None));
    }
}
