//! The history: lines of a journal.

use std::collections::BTreeSet;
use std::fmt::Debug;

use tracker_store::{Found, Grouping, Hour, Period, Record, Sample, Series, read_journal, write_journal};

use crate::sealed::sealed;

/// Numbers of lines beyond are not written.
const FAR: u64 = 1 << 61;

/// The first byte says what the rest is: the lowest bit a journal of hours instead of samples, and the next one that its
/// checksums are made right first.
///
/// Each line says the same alone as among others, whatever they are; what is read and written again reads the same, and
/// what is cut off costs no line before it. A series takes whatever is read.
pub fn journal(data: &[u8]) {
    let Some((&how, bytes)) = data.split_first() else { return };
    let bytes = if how & 2 == 0 { bytes.to_vec() } else { sealed(bytes) };
    if how & 1 == 0 {
        let samples = records::<Sample>(&bytes);
        series(&samples, Series::push);
    } else {
        let hours = records::<Hour>(&bytes);
        series(&hours, Series::push_hour);
    }
}

fn read<R: Record>(bytes: &[u8]) -> (Found, Vec<(u64, R)>) {
    let mut records = Vec::new();
    let found = read_journal(bytes, |number, record| records.push((number, record)));
    (found.expect("bytes can be read"), records)
}

fn records<R: Record + Debug>(bytes: &[u8]) -> Vec<R> {
    let (found, records) = read::<R>(bytes);
    let headers = found.kept.checked_sub(records.len() as u64);
    assert!(headers.is_some_and(|headers| headers <= 1), "{found:?} with {} records", records.len());

    assert!(!found.is_torn || bytes.last().is_some_and(|&byte| byte != b'\n'), "{found:?}");

    // line by line, and of each number the first
    let mut numbers = BTreeSet::new();
    let lines = bytes.split_inclusive(|&byte| byte == b'\n');
    let alone = lines.flat_map(|line| read::<R>(line).1).filter(|(number, _)| numbers.insert(*number));
    assert_same(&records, &alone.collect::<Vec<_>>());

    if found.is_whole {
        assert!(bytes.last().is_none_or(|&byte| byte == b'\n'), "{found:?}");
        assert!(found.lost == 0 && found.doubled == 0 && !found.is_torn, "{found:?}");
        let first = records.first().map_or(1, |(number, _)| *number);
        assert!(records.iter().map(|(number, _)| *number).eq(first..first + records.len() as u64));

        let before = &bytes[..bytes.len() / 2];
        let (_, before_cut) = read::<R>(before);
        let ends = before.iter().filter(|&&byte| byte == b'\n').count();
        assert!(before_cut.len() + 1 >= ends, "{} records in {ends} lines", before_cut.len());
        assert_same(&before_cut, &&records[..before_cut.len()]);
    }
    again(records)
}

/// What is written of records that were read is read again, and written to the same text.
fn again<R: Record + Debug>(records: Vec<(u64, R)>) -> Vec<R> {
    let first = records.first().map_or(1, |(number, _)| *number).min(FAR - records.len() as u64).max(1);
    let records: Vec<R> = records.into_iter().map(|(_, record)| record).collect();
    let text = write_journal(first, &records).expect("what was read can be written");
    assert!(text.is_ascii() && text.lines().count() == records.len() + 1, "{text}");
    let (found, read) = read::<R>(text.as_bytes());
    let expected =
        Found { kept: records.len() as u64 + 1, is_whole: true, version: Some(1), ..Found::default() };
    assert_eq!(found, expected, "{text}");
    assert_same(&read, &records.iter().zip(first..).map(|(record, n)| (n, record)).collect::<Vec<_>>());
    let read: Vec<R> = read.into_iter().map(|(_, record)| record).collect();
    assert_eq!(write_journal(first, &read).expect("it was written before"), text);
    read
}

/// By their text, since a mean may be no number.
fn assert_same(some: &impl Debug, others: &impl Debug) {
    assert_eq!(format!("{some:?}"), format!("{others:?}"));
}

/// What can be read can be shown.
fn series<R: Timed>(records: &[R], push: fn(&mut Series, &R)) {
    let mut series = Series::new();
    // a week by the minute takes a while
    let mut budget = 100_000_u64;
    for record in records {
        let (time, over) = record.time_and_over();
        let Some(left) = budget.checked_sub(u64::from(over)) else { continue };
        budget = left;
        push(&mut series, record);
        for now in [time, time.saturating_add(3000)] {
            let columns = series.query(Period::Hour, Grouping::Minute, now);
            // an hour, unless time itself is shorter
            assert!(columns.times.len() as u64 == now.min(3600) / 60 + 1 || now < 3600 + 60, "{columns:?}");
            assert_eq!(columns.times.len(), columns.points.len());
            assert!(!series.query(Period::Month, Grouping::Hour, now).points.is_empty());
        }
        let hours = series.close_hours(time.saturating_add(7200));
        assert!(hours.iter().all(|hour| hour.time <= time.saturating_add(7200)));
    }
    assert_eq!(series.is_empty(), budget == 100_000 && records.iter().all(|r| r.time_and_over().1 > 100_000));
}

trait Timed {
    fn time_and_over(&self) -> (u64, u32);
}

impl Timed for Sample {
    fn time_and_over(&self) -> (u64, u32) {
        (self.time, self.over)
    }
}

impl Timed for Hour {
    fn time_and_over(&self) -> (u64, u32) {
        (self.time, self.covered)
    }
}
