//! The process dies before any of its steps, and is started again.

use std::io::ErrorKind::Other;
use std::path::Path;

use super::scene::{
    Files, JOURNAL, NOW, Torrents, copies, directory, files, held, journal, load, older, open_journal,
    sample, samples, save, tracker,
};
use super::{failing, failing_from};
use crate::Store;
use crate::dir::DataDir;
use crate::journal::JournalFile;

/// Snapshots `generations`, one after the other.
fn snapshots(generations: &[u8]) -> Files {
    let place = directory(&Files::new());
    let (mut store, _, _) = Store::open(place.path(), NOW).unwrap();
    for generation in generations {
        save(&mut store, *generation).unwrap();
    }
    files(place.path())
}

fn generation(number: u8) -> Torrents {
    held(&tracker(number))
}

#[test]
fn a_snapshot_is_there_with_all_of_the_old_or_all_of_the_new_wherever_it_stops() {
    let mut same_twice = snapshots(&[1]);
    same_twice.insert("swarms.ron.1".to_owned(), same_twice["swarms.ron"].clone());
    for from in [snapshots(&[]), snapshots(&[1]), snapshots(&[1, 2]), same_twice] {
        let old = load(directory(&from).path()).0;
        let steps = die_saving(&from, |path, result| {
            assert!(path.join("swarms.ron").exists() || old.is_empty(), "at no moment is there none");
            let (found, loaded) = load(path);
            assert_eq!((loaded.damage.len(), loaded.from_older), (0, 0));
            assert!(found == generation(3) || found == old && result.is_none(), "{found:?}");
            let older = older(path);
            assert!(older.is_none() || older == Some(old.clone()) || older == Some(generation(1)));
            assert!(result.is_none() || old.is_empty() || older == Some(old.clone()));
            assert!(copies(path).is_empty());
            save(&mut Store::open(path, NOW).unwrap().0, 4).unwrap();
            assert!(load(path).0 == generation(4), "and the next one works");
            let left_over: Vec<_> = files(path).into_keys().filter(|name| name.ends_with(".tmp")).collect();
            assert!(left_over.is_empty(), "{left_over:?}");
        });
        assert!(steps > 10, "{steps}");
    }
}

#[test]
fn a_snapshot_that_takes_a_damaged_ones_place_leaves_the_older_one_alone() {
    let mut from = snapshots(&[1, 2]);
    let current = from.get_mut("swarms.ron").unwrap();
    // one torrent of the eight that every generation has
    let at = current.windows(8).position(|text| text == b"04040404").unwrap();
    current[at] = b'x';
    let bad = from["swarms.ron"].clone();
    let old = load(directory(&from).path()).0;
    assert_eq!(
        (old.len(), old[&[4; 20]].0, old[&[5; 20]].0),
        (10, 1, 2),
        "one of them from the older snapshot"
    );
    die_saving(&from, |path, result| {
        assert_eq!(older(path), Some(generation(1)));
        let (found, loaded) = load(path);
        if found == generation(3) {
            assert_eq!(loaded.damage, []);
        } else {
            assert!(found == old && result.is_none());
        }
        assert_eq!(copies(path), std::slice::from_ref(&bad), "before anything takes its place, or now");
    });
}

/// Dies while generation 3 is being saved, where there are links and where there are none. Returns how many steps there
/// are with them.
fn die_saving(from: &Files, check: impl Fn(&Path, Option<()>)) -> usize {
    let work = |path: &Path| save(&mut Store::open(path, NOW).unwrap().0, 3);
    let opening = failing_from(usize::MAX, Other, || drop(Store::open(directory(from).path(), NOW))).1.len();
    for has_links in [false, true] {
        for step in opening.. {
            let place = directory(from);
            let fails = move |n, name: &str| n >= step || name == "link" && !has_links;
            let (result, steps) = failing(fails, Other, || work(place.path()));
            let came_through = steps.len() <= step;
            assert_eq!(result.is_ok(), came_through, "{steps:?}");
            check(place.path(), result.ok().map(|_| ()));
            if came_through && has_links {
                return steps.len() - opening;
            }
            if came_through {
                break;
            }
        }
    }
    unreachable!("it comes through at some time")
}

/// Journals of five samples in every state: which of them are to be found, and the file.
fn journals() -> Vec<(Vec<u64>, Vec<u8>)> {
    let whole = journal(5);
    let half = journal(4).len() + 40;
    let mut flipped = whole.clone();
    flipped[journal(2).len() + 30] ^= 1;
    let torn_and_flipped = [&flipped[..], b"(6,\"01"].concat();
    vec![
        (vec![], vec![]),
        (vec![1, 2, 3, 4, 5], whole.clone()),
        (vec![1, 2, 3, 4, 5], whole[..whole.len() - 1].to_vec()),
        (vec![1, 2, 3, 4], whole[..half].to_vec()),
        (vec![1, 2, 4, 5], flipped),
        (vec![1, 2, 4, 5], torn_and_flipped),
        (vec![1, 2, 3, 4, 5], whole[journal(0).len()..].to_vec()),
        (vec![], whole[..10].to_vec()),
    ]
}

#[test]
fn a_journal_loses_nothing_that_it_said_it_has_wherever_it_stops() {
    for (there, bytes) in journals() {
        let from = Files::from([(JOURNAL.to_owned(), bytes.clone())]);
        for step in 0.. {
            let place = directory(&from);
            let mut said = Vec::new();
            let work = || {
                let dir = DataDir::open(place.path()).ok()?;
                let mut found = Vec::new();
                let (mut journal, _) =
                    JournalFile::open(&dir, JOURNAL, NOW, |sample: crate::Sample| found.push(sample.peers))
                        .unwrap();
                assert_eq!(found, there);
                for n in 11..=13 {
                    // the dead say nothing more, but neither do they lie
                    if journal.append(&dir, &sample(n), NOW).is_ok() {
                        said.push(n);
                    }
                }
                Some(())
            };
            let (_, steps) = failing_from(step, Other, work);
            let (found, damage) = samples(place.path(), JOURNAL);
            let expected = [&there[..], &said].concat();
            assert!(found.starts_with(&expected), "{found:?} is less than {expected:?}: {steps:?}");
            assert!(
                expected.len() + 1 >= found.len()
                    && found.iter().skip(there.len()).eq(&[11, 12, 13][..found.len() - there.len()])
            );
            let copies = copies(place.path());
            assert!(copies.iter().all(|copy| *copy == bytes) && copies.len() <= 1);
            let is_put_aside = damage.is_some_and(|damage| damage.to_string().contains("kept as"));
            assert!(!is_put_aside || copies.len() == 1);
            let dir = DataDir::open(place.path()).unwrap();
            open_journal(&dir, JOURNAL).0.append(&dir, &sample(14), NOW).unwrap();
            drop(dir);
            assert_eq!(
                samples(place.path(), JOURNAL),
                ([&found[..], &[14]].concat(), None),
                "mended for good"
            );
            if steps.len() <= step {
                assert_eq!(said, [11, 12, 13]);
                break;
            }
        }
    }
}

#[test]
fn a_compaction_that_stops_has_happened_or_not() {
    for step in 0.. {
        let place = directory(&Files::from([(JOURNAL.to_owned(), journal(9))]));
        let dir = DataDir::open(place.path()).unwrap();
        let (mut journal, _, _) = open_journal(&dir, JOURNAL);
        let (result, steps) =
            failing_from(step, Other, || journal.compact(&dir, NOW, |sample| sample.peers > 6));
        drop(dir);
        let came_through = steps.len() <= step;
        assert_eq!(result.is_ok(), came_through, "{steps:?}");
        let (found, damage) = samples(place.path(), JOURNAL);
        assert_eq!(damage, None);
        assert!(found == [7, 8, 9] || found.len() == 9 && !came_through, "{found:?}");
        assert!(copies(place.path()).is_empty());
        if came_through {
            assert!(steps.len() > 8, "{steps:?}");
            break;
        }
    }
}

#[test]
fn a_compaction_of_a_damaged_file_that_stops_leaves_the_copy_or_the_file() {
    let bad = journals()[4].1.clone();
    let good = journal(5);
    for step in 0.. {
        let place = directory(&Files::from([(JOURNAL.to_owned(), good.clone())]));
        let dir = DataDir::open(place.path()).unwrap();
        let (mut journal, _, _) = open_journal(&dir, JOURNAL);
        // damaged while it is open
        std::fs::write(dir.file(JOURNAL), &bad).unwrap();
        let (result, steps) =
            failing_from(step, Other, || journal.compact(&dir, NOW, |sample| sample.peers > 3));
        drop(dir);
        let (found, _) = samples(place.path(), JOURNAL);
        assert!(found == [4, 5] || found == [1, 2, 4, 5], "{found:?}");
        assert_eq!(copies(place.path()), std::slice::from_ref(&bad));
        if steps.len() <= step {
            assert!(result.unwrap().unwrap().to_string().contains("1 line is lost"));
            break;
        }
        assert!(result.is_err());
    }
}

#[test]
fn a_first_start_that_stops_is_a_first_start_again() {
    for step in 0.. {
        let place = directory(&Files::new());
        let path = place.path().join("new/data");
        let work = || {
            let (mut store, _, _) = Store::open(&path, NOW).ok()?;
            let recorded = store.record(&sample(1), &[], NOW).is_ok();
            Some((recorded, save(&mut store, 1).is_ok()))
        };
        let (result, steps) = failing_from(step, Other, work);
        let (store, series, damage) = Store::open(&path, NOW).unwrap();
        drop(store);
        assert!(damage.iter().all(|damage| damage.to_string().contains("amid a line")), "{damage:?}");
        let (recorded, saved) = result.unwrap_or_default();
        assert!(!recorded || !series.is_empty());
        assert!(!saved || load(&path).0 == generation(1));
        if steps.len() <= step {
            assert!(recorded && saved);
            break;
        }
    }
}
