//! The history, harmed.

use std::fs;
use std::path::Path;

use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use tracker_store::{DamageKind, Grouping, Period, Point, Series, Store};

use crate::oracle::{intact, is_front, lines};
use crate::scene::{self, Case, Files, TIME, hour, sample};

/// How many samples and hours there are.
type Counts = [u64; 2];

const NOW: u64 = TIME + 200;

/// Which of the samples are in a series, and of the hours; each that is there is as it was written.
fn found(series: &Series, [samples, hours]: Counts) -> [Vec<bool>; 2] {
    let minutes = series.query(Period::Hour, Grouping::Minute, NOW);
    let by_hour = series.query(Period::Week, Grouping::Hour, NOW);
    let at = |columns: &tracker_store::Columns, time: u64| {
        columns.points[columns.times.binary_search(&time).unwrap()]
    };
    let of_samples = (0..=samples).map(|n| {
        let s = sample(n);
        let point = at(&minutes, s.time - 60);
        let written = Point {
            torrents: s.torrents,
            peers: s.peers,
            seeders: s.seeders,
            leechers: s.leechers,
            completed: s.completed,
            announces: s.announces,
            scrapes: s.scrapes,
            errors: s.errors,
            covered: s.over.into(),
        };
        assert!(point.is_none_or(|point| point == written), "{point:?} {written:?}");
        point.is_some()
    });
    let of_hours = (0..=hours).map(|n| {
        let point = at(&by_hour, hour(n).time);
        assert!(
            point.is_none_or(|point| point.peers == 1000 + n && point.announces == 36_000 * n),
            "{point:?}"
        );
        point.is_some()
    });
    let found = [of_samples.collect::<Vec<_>>(), of_hours.collect()];
    let minutes_there = minutes.points.iter().flatten().count();
    assert_eq!(minutes_there, found[0].iter().filter(|is_there| **is_there).count(), "nothing else is there");
    found
}

/// Opens a directory of which one journal is `bad`, appends, and opens it once more.
fn check(path: &Path, files: &Files, counts: Counts, name: &'static str, bad: &[u8]) {
    let which = usize::from(name == "history-hourly.ron");
    let original = &files[name];
    for name in ["history.ron", "history-hourly.ron"] {
        scene::put(path, name, &files[name]);
    }
    scene::put(path, name, bad);

    let (mut store, series, damage) = Store::open(path, NOW).unwrap();
    let found_then = found(&series, counts);
    let kept = &found_then[which];
    let (count, other) = (counts[which] as usize, &found_then[1 - which]);
    assert_eq!(other.iter().filter(|is_there| **is_there).count() as u64, counts[1 - which]);
    // the header is the first line
    let intact = intact(original, bad);
    for n in 0..count {
        assert!(kept[n] || !intact[n + 1], "record {n} stands in the file and is not kept");
    }
    assert!(!kept[count]);

    assert!(damage.len() <= 1 && damage.iter().all(|damage| damage.file == name));
    let copies = scene::take_copies(path);
    let records = kept.iter().filter(|is_there| **is_there).count();
    match damage.first().map(|damage| &damage.kind) {
        None => assert!(is_front(original, bad), "{}", bad.escape_ascii()),
        Some(DamageKind::Torn) => {
            let front = bad.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            assert!(is_front(original, &bad[..front]) && front < bad.len());
            assert!(copies.is_empty());
        }
        Some(DamageKind::Unended) => {
            assert!(is_front(original, &[bad, b"\n"].concat()));
            assert!(copies.is_empty());
        }
        Some(DamageKind::Corrupt { lost, kept: lines_kept, aside, .. }) => {
            assert!(!is_front(original, bad));
            assert_eq!(copies.len(), 1);
            assert_eq!(&copies[aside.as_ref().unwrap()], bad, "the copy is what was found");
            // the header may have been found too
            assert!((records..=records + 1).contains(&(*lines_kept as usize)), "{lines_kept} {records}");
            let lost = *lost as usize;
            if intact[0] && intact[count] {
                // what is no line, behind the last one that is, may be the rest of another
                let is_line = |line: &&[u8]| lines(original).any(|written| written == *line);
                let last = lines(bad).position(|line| lines(original).next_back() == Some(line)).unwrap();
                let behind = lines(bad).skip(last).filter(|line| !is_line(line)).count();
                let missing = count - records;
                assert!((missing..=missing + behind).contains(&lost), "{lost} lost, {records} kept");
            }
        }
    }

    store.record(&sample(counts[0]), &[hour(counts[1])], NOW).unwrap();
    drop(store);
    let (_, series, damage) = Store::open(path, NOW).unwrap();
    assert_eq!(damage, [], "mended for good");
    let mut expected = found_then;
    for (records, count) in expected.iter_mut().zip(counts) {
        records[count as usize] = true;
    }
    assert_eq!(found(&series, counts), expected);
    assert!(scene::take_copies(path).is_empty());
}

fn cut_everywhere(name: &'static str, counts: Counts) {
    let place = scene::place();
    let files = scene::write(place.path(), counts[0], counts[1]);
    let records = lines(&files[name]).count() as u64 - 1;
    assert_eq!(records, counts[usize::from(name == "history-hourly.ron")]);
    for at in 0..=files[name].len() {
        let _case = Case(name, at as u64);
        check(place.path(), &files, counts, name, &files[name][..at]);
    }
    fs::remove_file(place.path().join(name)).unwrap();
    let (_, _, damage) = Store::open(place.path(), NOW).unwrap();
    assert_eq!(damage, [], "a file that is not there is no damage");
}

#[test]
fn samples_survive_a_cut_at_any_byte() {
    cut_everywhere("history.ron", [24, 2]);
}

#[test]
fn hours_survive_a_cut_at_any_byte() {
    cut_everywhere("history-hourly.ron", [2, 12]);
}

#[test]
fn the_history_survives_thousands_of_harms() {
    let place = scene::place();
    let counts = [16, 8];
    let files = scene::write(place.path(), counts[0], counts[1]);
    for seed in 0..4000 {
        let _case = Case("a history", seed);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let name = scene::FILES[(seed % 2) as usize];
        check(place.path(), &files, counts, name, &scene::harm(&files[name], &mut rng));
    }
}
