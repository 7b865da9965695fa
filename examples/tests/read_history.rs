//! The program `read_history`: it shows what a tracker writes, while that is at work, and changes nothing.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use tracker_store::{Sample, Store};

struct Said {
    code: i32,
    out: String,
    err: String,
}

fn read_history(dir: &Path, arguments: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_read_history"));
    let output = command.arg(dir).args(arguments).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// Records some minutes that end at `end`, and returns the store that has the directory.
fn record(dir: &Path, minutes: u64, end: u64) -> Store {
    let (mut store, mut series, _) = Store::open(dir, end).unwrap();
    for n in 1..=minutes {
        let time = end - (minutes - n) * 60;
        let sample = Sample {
            time,
            over: 60,
            torrents: 7,
            peers: 1000 + n,
            seeders: 400,
            leechers: 600 + n,
            completed: n,
            announces: 50,
            ..Sample::default()
        };
        series.push(&sample);
        store.record(&sample, &series.close_hours(time), time).unwrap();
    }
    store
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())).collect()
}

#[test]
fn a_directory_in_use_is_read_and_left_alone() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("data");
    let _store = record(&dir, 150, now());
    let before = contents(&dir);
    let svg = place.path().join("history.svg");
    let said =
        read_history(&dir, &["--period=5h", "--group=minute", "--rows=4", "--svg", svg.to_str().unwrap()]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let head: Vec<&str> = said.out.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(head[..5], ["by", "the", "minute", "torrents", "peers"], "{}", said.out);
    assert!(said.out.contains("297 earlier rows are not shown"), "{}", said.out);
    assert!(said.out.contains("most peers: 1,150 at 2"), "{}", said.out);
    assert!(said.out.contains("7,500 announces and 149 completed downloads"), "{}", said.out);
    let plot = fs::read_to_string(&svg).unwrap();
    assert!(plot.starts_with("<svg") && plot.contains("leechers") && plot.contains("<polyline"));
    assert_eq!(contents(&dir), before);
    let hours = read_history(&dir, &[]).out;
    assert!(hours.starts_with("by the hour"), "{hours}");
    assert!((3..=4).contains(&hours.lines().filter(|line| line.starts_with("20")).count()), "{hours}");
}

#[test]
fn a_tracker_that_has_stopped_long_ago_is_shown_to_its_end() {
    let place = tempfile::tempdir().unwrap();
    drop(record(place.path(), 30, 1_790_000_000));
    let said = read_history(place.path(), &["--period=1h", "--group=minute", "--rows=0"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("\n2026-09-21 14:13 "), "{}", said.out);
    assert_eq!(said.out.lines().filter(|line| line.starts_with("2026-09-21 1")).count(), 31, "{}", said.out);
    assert!(said.out.contains("without a sample"), "{}", said.out);
}

#[test]
fn damage_is_told_and_the_rest_is_shown() {
    let place = tempfile::tempdir().unwrap();
    drop(record(place.path(), 30, now()));
    let path = place.path().join("history.ron");
    let text = fs::read_to_string(&path).unwrap().replace("peers:1010", "peers:9999");
    fs::write(&path, text).unwrap();
    let before = contents(place.path());
    let said = read_history(place.path(), &["--period=1h", "--group=minute", "--rows=0"]);
    assert_eq!((said.code, said.err.lines().count()), (0, 1), "{}", said.err);
    assert_eq!(said.err, "read_history: history.ron is damaged, lines lost: 1\n");
    assert!(said.out.contains(" 1,011 ") && !said.out.contains("9,999"), "{}", said.out);
    assert_eq!(contents(place.path()), before);
}

#[test]
fn what_cannot_be_shown_is_told() {
    let place = tempfile::tempdir().unwrap();
    let said = read_history(place.path(), &[]);
    assert!(said.code == 1 && said.err.contains("is it a tracker's data directory?"), "{}", said.err);
    drop(Store::open(place.path(), 5).unwrap());
    let said = read_history(place.path(), &[]);
    assert!(said.code == 1 && said.err.contains("has no history yet"), "{}", said.err);
    assert_eq!(read_history(place.path(), &["--period=2h"]).code, 2);
    drop(record(place.path(), 3, now()));
    let said = read_history(place.path(), &["--svg=/no/such/place.svg"]);
    assert!(said.code == 1 && said.err.contains("cannot be written"), "{}", said.err);
}
