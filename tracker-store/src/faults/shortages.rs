//! The disk is full, or refuses a single step, and is back later; the process goes on.

use std::fs;
use std::io::ErrorKind::{self, PermissionDenied, StorageFull};

use super::scene::{
    Files, JOURNAL, NOW, copies, directory, held, hour, hours, journal, load, older, open_journal, sample,
    samples, save, tracker,
};
use super::{failing, failing_from};
use crate::Store;
use crate::dir::DataDir;
use crate::history::SAMPLES;

/// Whether a step fails, of those that work is made of: all from one on, or one alone.
const SHORTAGES: [fn(usize, usize) -> bool; 2] = [|step, n| n >= step, |step, n| n == step];

/// Tries `work` with each shortage at each of its steps, until it has none that fails.
fn try_each(mut work: impl FnMut(&mut dyn FnMut(&mut dyn FnMut()) -> Vec<&'static str>)) {
    for shortage in SHORTAGES {
        for step in 0.. {
            let mut is_over = true;
            let mut short = |part: &mut dyn FnMut()| {
                let ((), steps) = failing(move |n, _| shortage(step, n), StorageFull, part);
                is_over &= steps.len() <= step;
                steps
            };
            work(&mut short);
            if is_over {
                break;
            }
        }
    }
}

#[test]
fn samples_that_cannot_be_written_wait_and_come_in_order() {
    try_each(|short| {
        let place = directory(&Files::new());
        let (mut store, _, _) = Store::open(place.path(), NOW).unwrap();
        store.record(&sample(1), &[hour(1)], NOW).unwrap();
        let mut said = Vec::new();
        for n in 2..=4 {
            short(&mut || said.extend(store.record(&sample(n), &[hour(n)], NOW).is_ok().then_some(n)));
            // what is said to be there is there
            let there = journal_of(&store);
            assert!(said.iter().all(|n| there.contains(n)), "{said:?} {there:?}");
        }
        store.record(&sample(5), &[hour(5)], NOW).unwrap();
        assert_eq!(store.dropped(), 0);
        drop(store);
        assert_eq!(samples(place.path(), SAMPLES), (vec![1, 2, 3, 4, 5], None));
        assert_eq!(hours(place.path()), [1, 2, 3, 4, 5]);
        assert!(copies(place.path()).is_empty());
    });
}

/// The samples in a store's file, looked at from outside.
fn journal_of(store: &Store) -> Vec<u64> {
    let text = fs::read_to_string(store.path().join(SAMPLES)).unwrap();
    let number = |line: &str| line.split_once("peers:")?.1.split(',').next()?.parse().ok();
    text.lines().filter_map(number).collect()
}

#[test]
fn an_error_comes_back_as_what_it_is() {
    for kind in [StorageFull, PermissionDenied, ErrorKind::ReadOnlyFilesystem] {
        let place = directory(&Files::new());
        let (mut store, _, _) = Store::open(place.path(), NOW).unwrap();
        let (error, _) = failing_from(0, kind, || store.record(&sample(1), &[], NOW).unwrap_err());
        assert_eq!(error.kind(), kind);
        let (error, _) = failing_from(0, kind, || save(&mut store, 1).unwrap_err());
        assert_eq!(error.kind(), kind);
        let (error, _) = failing_from(0, kind, || Store::open(&place.path().join("x"), NOW).unwrap_err());
        assert!(error.to_string().contains("cannot be made"), "{error}");
    }
}

#[test]
fn a_snapshot_that_cannot_be_written_leaves_those_that_are_there() {
    try_each(|short| {
        let place = directory(&Files::new());
        let (mut store, _, _) = Store::open(place.path(), NOW).unwrap();
        save(&mut store, 1).unwrap();
        save(&mut store, 2).unwrap();
        let mut result = None;
        short(&mut || result = Some(save(&mut store, 3)));
        let is_saved = result.unwrap().is_ok();
        drop(store);
        let (found, loaded) = load(place.path());
        assert_eq!(loaded.damage, []);
        assert!(found == held(&tracker(3)) || found == held(&tracker(2)) && !is_saved);
        assert!(older(place.path()).is_some());

        let (mut store, _, _) = Store::open(place.path(), NOW).unwrap();
        save(&mut store, 4).unwrap();
        drop(store);
        assert_eq!(load(place.path()).0, held(&tracker(4)));
        assert_eq!(older(place.path()), Some(found));
        assert!(copies(place.path()).is_empty());
    });
}

#[test]
fn a_compaction_that_cannot_be_done_harms_nothing() {
    try_each(|short| {
        let place = directory(&Files::from([(JOURNAL.to_owned(), journal(9))]));
        let dir = DataDir::open(place.path()).unwrap();
        let (mut journal, _, _) = open_journal(&dir, JOURNAL);
        let mut result = None;
        short(&mut || result = Some(journal.compact(&dir, NOW, |sample| sample.peers > 6)));
        journal.append(&dir, &sample(10), NOW).unwrap();
        drop(dir);
        let (found, damage) = samples(place.path(), JOURNAL);
        assert_eq!(damage, None);
        assert!(copies(place.path()).is_empty(), "nothing was damaged");
        let is_done = result.unwrap().is_ok();
        assert!(found == [7, 8, 9, 10] || !is_done && found.len() == 10, "{found:?}");
    });
}

#[test]
fn a_repair_that_there_is_no_room_for_is_done_later_and_once() {
    let mut bad = journal(5);
    bad[journal(2).len() + 30] ^= 1;
    try_each(|short| {
        let place = directory(&Files::from([(JOURNAL.to_owned(), bad.clone())]));
        let dir = DataDir::open(place.path()).unwrap();
        let (mut journal, mut damage) = (None, None);
        short(&mut || {
            let (opened, found, said) = open_journal(&dir, JOURNAL);
            assert_eq!(found, [1, 2, 4, 5]);
            (journal, damage) = (Some(opened), said);
        });
        let mut journal = journal.unwrap();
        assert!(
            damage
                .unwrap()
                .to_string()
                .starts_with("journal.ron is damaged: 1 line is lost, 5 intact and kept; ")
        );
        for n in 6..=8 {
            let mut said = false;
            short(&mut || said = journal.append(&dir, &sample(n), NOW + n).is_ok());
            let there = fs::read_to_string(dir.file(JOURNAL)).unwrap_or_default();
            assert!(!said || there.contains(&format!("peers:{n},")));
        }
        journal.append(&dir, &sample(9), NOW).unwrap();
        drop(dir);
        let (found, damage) = samples(place.path(), JOURNAL);
        assert!(found.starts_with(&[1, 2, 4, 5]) && found.ends_with(&[9]), "{found:?}");
        assert_eq!(damage, None);
        assert_eq!(copies(place.path()), [bad.clone()], "one copy, however often it was tried");
    });
}

#[test]
fn a_damaged_file_that_cannot_be_put_aside_is_not_replaced() {
    let mut bad = journal(5);
    bad[journal(2).len() + 30] ^= 1;
    let fails = |_, name: &str| name == "create copy" || name == "link";
    let place = directory(&Files::from([(JOURNAL.to_owned(), journal(5))]));
    let dir = DataDir::open(place.path()).unwrap();
    let (mut journal, _, _) = open_journal(&dir, JOURNAL);
    fs::write(dir.file(JOURNAL), &bad).unwrap();
    failing(fails, StorageFull, || journal.compact(&dir, NOW, |_| true).unwrap_err());
    failing(fails, StorageFull, || journal.append(&dir, &sample(6), NOW).unwrap_err());
    assert!(fs::read(dir.file(JOURNAL)).unwrap() == bad);
    journal.append(&dir, &sample(6), NOW).unwrap();
    assert_eq!(copies(place.path()), [bad]);

    let place = directory(&Files::from([("swarms.ron".to_owned(), b"scribble\n".to_vec())]));
    let (mut store, _, _) = Store::open(place.path(), NOW).unwrap();
    failing(fails, StorageFull, || save(&mut store, 1).unwrap_err());
    assert_eq!(fs::read(place.path().join("swarms.ron")).unwrap(), b"scribble\n");
    save(&mut store, 1).unwrap();
    assert_eq!(copies(place.path()), [b"scribble\n"]);
}

#[test]
fn a_start_on_a_full_disk_is_a_start() {
    let place = directory(&Files::from([(SAMPLES.to_owned(), journal(3)[..400].to_vec())]));
    let opening = ["make directory", "lock", "probe"].len();
    let (opened, _) = failing_from(opening, StorageFull, || Store::open(place.path(), NOW));
    let (mut store, series, damage) = opened.unwrap();
    assert!(!series.is_empty() && damage.len() == 1);
    store.record(&sample(7), &[], NOW).unwrap();
    drop(store);
    assert_eq!(samples(place.path(), SAMPLES), (vec![1, 2, 7], None));
}
