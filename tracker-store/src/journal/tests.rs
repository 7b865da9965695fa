use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::*;
use crate::damage::DamageKind;
use crate::sample::{Hour, Sample};

const NAME: &str = "journal.ron";
const NOW: u64 = 1_790_000_000;

fn sample(n: u64) -> Sample {
    Sample { time: n, ..Sample::default() }
}

fn directory() -> (TempDir, DataDir) {
    let place = tempfile::tempdir().unwrap();
    let dir = DataDir::open(&place.path().join("data")).unwrap();
    (place, dir)
}

/// Opens the journal: which samples are there, and what was wrong.
fn open(dir: &DataDir) -> (JournalFile<Sample>, Vec<u64>, Option<Damage>) {
    let mut found = Vec::new();
    let (journal, damage) =
        JournalFile::open(dir, NAME, NOW, |sample: Sample| found.push(sample.time)).unwrap();
    (journal, found, damage)
}

fn append(journal: &mut JournalFile<Sample>, dir: &DataDir, numbers: impl IntoIterator<Item = u64>) {
    for n in numbers {
        journal.append(dir, &sample(n), NOW).unwrap();
    }
}

/// A journal of samples 1 to `last`, and its text.
fn written(dir: &DataDir, last: u64) -> (JournalFile<Sample>, String) {
    let (mut journal, _, _) = open(dir);
    append(&mut journal, dir, 1..=last);
    let text = text(dir);
    (journal, text)
}

fn text(dir: &DataDir) -> String {
    fs::read_to_string(dir.file(NAME)).unwrap()
}

fn put(dir: &DataDir, bytes: impl AsRef<[u8]>) {
    fs::write(dir.file(NAME), bytes).unwrap();
}

/// Files put aside.
fn copies(dir: &DataDir) -> BTreeMap<String, Vec<u8>> {
    let names =
        fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| name.contains(".corrupt-"))
        .map(|name| (name.clone(), fs::read(dir.file(&name)).unwrap()))
        .collect()
}

/// The numbers of the lines.
fn numbers(text: &str) -> Vec<u64> {
    text.lines().map(|line| line[1..line.find(',').unwrap()].parse().unwrap()).collect()
}

/// Lines that are lost and kept.
fn corrupt(damage: Option<Damage>) -> (u64, u64) {
    match damage.unwrap().kind {
        DamageKind::Corrupt { lost, kept, aside, .. } => {
            assert!(aside.is_ok());
            (lost, kept)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_appended_is_there_again_in_order() {
    let (_place, dir) = directory();
    let (mut journal, found, damage) = open(&dir);
    assert_eq!((found.as_slice(), damage), (&[][..], None));
    assert_eq!(numbers(&text(&dir)), [0], "a new file has its header");
    append(&mut journal, &dir, [5, 4]);
    journal.append_all(&dir, &[sample(6), sample(7)], NOW).unwrap();
    journal.append_all(&dir, &[], NOW).unwrap();
    let (mut journal, found, damage) = open(&dir);
    assert_eq!((found.as_slice(), damage), (&[5, 4, 6, 7][..], None));
    append(&mut journal, &dir, [8]);
    assert_eq!(numbers(&text(&dir)), [0, 1, 2, 3, 4, 5]);
    let mut read = Vec::new();
    journal.read(&dir, |sample| read.push(sample.time)).unwrap();
    assert_eq!(read, [5, 4, 6, 7, 8]);
}

#[test]
fn a_torn_end_is_cut_off_before_the_next_append() {
    let (_place, dir) = directory();
    let (_, text) = written(&dir, 3);
    let third = text[..text.len() - 1].rfind('\n').unwrap() + 1;
    for end in third + 1..text.len() - 1 {
        put(&dir, &text[..end]);
        let (mut journal, found, damage) = open(&dir);
        assert_eq!(found, [1, 2]);
        assert_eq!(damage.unwrap().kind, DamageKind::Torn);
        assert_eq!(self::text(&dir).len(), end, "nothing is done yet");
        append(&mut journal, &dir, [4]);
        assert_eq!((open(&dir).1.as_slice(), open(&dir).2), (&[1, 2, 4][..], None));
        assert_eq!(numbers(&self::text(&dir)), [0, 1, 2, 3]);
    }
    assert!(copies(&dir).is_empty());
}

#[test]
fn a_last_line_that_lacks_its_end_is_kept_and_ended() {
    let (_place, dir) = directory();
    let (_, text) = written(&dir, 3);
    put(&dir, text.trim_end());
    let (mut journal, found, damage) = open(&dir);
    assert_eq!(found, [1, 2, 3]);
    let damage = damage.unwrap();
    assert_eq!(damage.to_string(), "journal.ron lacked its last line end: nothing is lost");
    append(&mut journal, &dir, [4]);
    assert!(self::text(&dir).starts_with(&text));
    assert_eq!((open(&dir).1.as_slice(), open(&dir).2), (&[1, 2, 3, 4][..], None));
    assert!(copies(&dir).is_empty());
}

#[test]
fn a_damaged_file_is_copied_aside_and_gone_on_with() {
    let (_place, dir) = directory();
    let bad = written(&dir, 5).1.replace("time:3,", "time:9,");
    put(&dir, &bad);
    let (mut journal, found, damage) = open(&dir);
    assert_eq!(found, [1, 2, 4, 5]);
    assert_eq!(
        damage.unwrap().to_string(),
        "journal.ron is damaged: 1 line is lost, 5 intact and kept; the damaged file is kept as journal.ron.corrupt-1790000000"
    );
    assert_eq!(copies(&dir), [("journal.ron.corrupt-1790000000".to_owned(), bad.into_bytes())].into());
    append(&mut journal, &dir, [6]);
    assert_eq!((open(&dir).1.as_slice(), open(&dir).2), (&[1, 2, 4, 5, 6][..], None));
    assert_eq!(numbers(&text(&dir)), [0, 1, 2, 3, 4, 5], "without the gap");
    assert_eq!(copies(&dir).len(), 1);
}

#[test]
fn lines_that_are_there_twice_count_once() {
    let (_place, dir) = directory();
    let text = written(&dir, 3).1;
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    let doubled = [lines[0], lines[0], lines[1], lines[2], lines[2], lines[3], lines[1]].concat();
    put(&dir, doubled);
    let (_, found, damage) = open(&dir);
    assert_eq!(found, [1, 2, 3]);
    let damage = damage.unwrap().to_string();
    assert!(damage.contains("0 lines are lost, 4 intact and kept, 3 were there twice"), "{damage}");
    assert_eq!(open(&dir).2, None);
}

#[test]
fn lines_in_the_wrong_order_are_all_kept() {
    let (_place, dir) = directory();
    let text = written(&dir, 6).1;
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    put(&dir, [lines[4], lines[5], lines[6], lines[0], lines[2], lines[1]].concat());
    let (mut journal, found, damage) = open(&dir);
    assert_eq!((found.as_slice(), corrupt(damage)), (&[4, 5, 6, 2, 1][..], (1, 6)));
    append(&mut journal, &dir, [7]);
    assert_eq!((open(&dir).1.as_slice(), open(&dir).2), (&[4, 5, 6, 2, 1, 7][..], None));
}

#[test]
fn a_header_that_is_lost_is_written_again() {
    let (_place, dir) = directory();
    let text = written(&dir, 3).1;
    let header = text.find('\n').unwrap() + 1;
    for (bad, lost) in [(text[header..].to_owned(), 1), (text.replace("first:1", "first:2"), 1)] {
        put(&dir, bad);
        let (_, found, damage) = open(&dir);
        assert_eq!((found.as_slice(), corrupt(damage)), (&[1, 2, 3][..], (lost, 3)));
        assert_eq!(self::text(&dir), text);
    }
    for end in 0..header - 1 {
        put(&dir, &text[..end]);
        let (mut journal, found, damage) = open(&dir);
        assert_eq!((found.as_slice(), damage.is_some()), (&[][..], end > 0), "torn, as by a first start");
        append(&mut journal, &dir, 1..=3);
        assert_eq!(self::text(&dir), text);
    }
    assert_eq!(copies(&dir).len(), 2);
}

#[test]
fn compaction_drops_only_the_front() {
    let (_place, dir) = directory();
    let (mut journal, text) = written(&dir, 9);
    // those that go are followed by one that stays
    journal.compact(&dir, NOW, |sample| ![1, 2, 3, 5, 7].contains(&sample.time)).unwrap();
    let (mut journal, found, damage) = open(&dir);
    assert_eq!((found.as_slice(), damage), (&[4, 5, 6, 7, 8, 9][..], None));
    assert_eq!(numbers(&self::text(&dir)), [0, 4, 5, 6, 7, 8, 9], "lines keep their numbers");
    let rest = |text: &str| text[text.find("(4,").unwrap()..].to_owned();
    assert_eq!(rest(&self::text(&dir)), rest(&text));
    append(&mut journal, &dir, [10]);
    journal.compact(&dir, NOW, |_| false).unwrap();
    append(&mut journal, &dir, [11]);
    assert_eq!(numbers(&self::text(&dir)), [0, 11], "even where all of them go");
    assert_eq!((open(&dir).1.as_slice(), open(&dir).2), (&[11][..], None));
    assert!(copies(&dir).is_empty());
}

#[test]
fn the_current_file_stays_until_the_new_one_is_whole() {
    let (_place, dir) = directory();
    let (mut journal, text) = written(&dir, 9);
    let path = dir.file(NAME);
    journal
        .compact(&dir, NOW, |sample| {
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            sample.time > 5
        })
        .unwrap();
    assert_eq!(open(&dir).1, [6, 7, 8, 9]);
}

/// Everything that can be seen of a file.
fn look(path: &Path) -> (Vec<u8>, SystemTime) {
    (fs::read(path).unwrap(), fs::metadata(path).unwrap().modified().unwrap())
}

#[test]
fn a_newer_format_is_refused_and_not_touched() {
    // whatever else is in the header
    #[derive(Serialize, Deserialize)]
    #[serde(rename = "Journal")]
    struct Later {
        version: u32,
        more: Vec<u8>,
    }
    impl Record for Later {
        const NAME: &'static str = "Journal";
    }
    let (_place, dir) = directory();
    let text = written(&dir, 3).1;
    let mut header = String::new();
    line::write(&mut header, 0, &Later { version: 2, more: vec![1] }).unwrap();
    let rest = &text[text.find('\n').unwrap() + 1..];
    for later in [
        format!("{header}{rest}"),
        header.clone(),
        format!("{header}{rest}(4,\""),
        format!("xx\n{rest}{header}yy"),
    ] {
        put(&dir, &later);
        fs::File::options()
            .append(true)
            .open(dir.file(NAME))
            .unwrap()
            .set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1000))
            .unwrap();
        let before = look(&dir.file(NAME));
        let error = JournalFile::open(&dir, NAME, NOW, |_: Sample| {}).unwrap_err();
        let Obstacle::Newer { file, found: 2, known: 1 } = &error.why else { panic!("{error}") };
        assert_eq!(file, NAME);
        assert!(
            error.to_string().contains("journal.ron in format 2, and this version reads formats up to 1")
        );
        assert_eq!(look(&dir.file(NAME)), before);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "and nothing else is made");
    }
}

#[test]
fn a_file_that_was_removed_is_an_error_until_it_is_given_up() {
    let (_place, dir) = directory();
    let mut journal = written(&dir, 3).0;
    fs::remove_file(dir.file(NAME)).unwrap();
    for _ in 0..2 {
        assert_eq!(journal.append(&dir, &sample(4), NOW).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(journal.compact(&dir, NOW, |_| true).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
    journal.forget_file();
    append(&mut journal, &dir, [4, 5]);
    assert_eq!((open(&dir).1.as_slice(), open(&dir).2), (&[4, 5][..], None));
    assert_eq!(numbers(&text(&dir)), [0, 4, 5]);
}

#[test]
fn a_file_that_somebody_cuts_or_writes_to_is_mended_and_told_of() {
    let (_place, dir) = directory();
    let (_, whole) = written(&dir, 5);
    let second = whole.find("(2,").unwrap();
    let third = whole.find("(3,").unwrap();
    for (changed, kept, lost) in [
        (whole[..third].to_owned(), &[1, 2][..], 3),
        (whole[..third + 20].to_owned(), &[1, 2], 3),
        (whole[..second + 1].to_owned(), &[1], 4),
        (String::new(), &[], 5),
        (format!("{whole}scribble\n"), &[1, 2, 3, 4, 5], 1),
        (format!("{whole}scribble"), &[1, 2, 3, 4, 5], 0),
    ] {
        put(&dir, &whole);
        let (mut journal, _, _) = open(&dir);
        put(&dir, &changed);
        append(&mut journal, &dir, [6, 7]);
        let (_, found, damage) = open(&dir);
        assert_eq!((found, damage), ([kept, &[6, 7]].concat(), None));
        let told = journal.compact(&dir, NOW, |_| true).unwrap();
        assert_eq!(corrupt(told).0, lost, "{changed:?}");
        assert_eq!(journal.compact(&dir, NOW, |_| true).unwrap(), None, "once");
        assert!(copies(&dir).values().any(|copy| copy == changed.as_bytes()));
    }
    assert_eq!(copies(&dir).len(), 6);
}

#[test]
fn damage_that_compaction_comes_upon_is_put_aside_first() {
    let (_place, dir) = directory();
    let (mut journal, text) = written(&dir, 5);
    let bad = text.replace("time:3,", "time:8,");
    put(&dir, &bad);
    let told = journal.compact(&dir, NOW, |sample| sample.time > 1).unwrap();
    assert_eq!(corrupt(told), (1, 5));
    assert_eq!(open(&dir).1, [2, 4, 5]);
    assert_eq!(copies(&dir).into_values().collect::<Vec<_>>(), [bad.into_bytes()]);
}

#[test]
fn what_is_no_file_is_an_error_that_names_it() {
    let (_place, dir) = directory();
    fs::create_dir(dir.file(NAME)).unwrap();
    let error = JournalFile::open(&dir, NAME, NOW, |_: Sample| {}).unwrap_err();
    assert!(matches!(&error.why, Obstacle::Read { file, .. } if file == NAME));
    assert!(error.to_string().contains("holds journal.ron, which cannot be read: "), "{error}");
}

#[test]
fn journals_that_were_swapped_are_put_aside_and_begun_anew() {
    let (_place, dir) = directory();
    let text = written(&dir, 3).1;
    let open = || JournalFile::open(&dir, NAME, NOW, |_: Hour| panic!("a sample is no hour")).unwrap();
    let (mut hours, damage) = open();
    assert_eq!(corrupt(damage), (4, 0), "every line of it is none of this file");
    hours.append(&dir, &Hour::default(), NOW).unwrap();
    assert_eq!(numbers(&self::text(&dir)), [0, 1]);
    assert_eq!(copies(&dir).into_values().collect::<Vec<_>>(), [text.into_bytes()]);
}

#[test]
fn a_left_over_temporary_file_is_in_nobodys_way() {
    let (_place, dir) = directory();
    let (mut journal, _) = written(&dir, 3);
    fs::write(dir.file("journal.ron.tmp"), "left over").unwrap();
    journal.compact(&dir, NOW, |sample| sample.time > 1).unwrap();
    assert_eq!(open(&dir).1, [2, 3]);
    assert!(!dir.file("journal.ron.tmp").exists());
}

#[test]
fn headers_that_make_no_sense_are_no_headers() {
    let (_place, dir) = directory();
    let text = written(&dir, 2).1;
    let records = &text[text.find('\n').unwrap() + 1..];
    for (of, first) in [("Sample", 0), ("Sample", u64::MAX), ("Hour", 1), ("", 1)] {
        let mut bad = String::new();
        line::write(&mut bad, 0, &Journal { of: of.to_owned(), version: VERSION, first }).unwrap();
        put(&dir, bad + records);
        let (mut journal, found, damage) = open(&dir);
        assert_eq!((found.as_slice(), corrupt(damage)), (&[1, 2][..], (1, 2)));
        append(&mut journal, &dir, [3]);
        assert_eq!((open(&dir).1.as_slice(), open(&dir).2), (&[1, 2, 3][..], None));
    }
}

#[test]
fn a_number_behind_which_there_is_no_room_makes_no_later_line_go() {
    for last in [LAST_NUMBER, LAST_NUMBER - 1, FAR + 1] {
        let (_place, dir) = directory();
        let mut text = header::<Sample>(1).unwrap();
        line::write(&mut text, last, &sample(1)).unwrap();
        put(&dir, &text);
        let (mut journal, found, damage) = open(&dir);
        assert_eq!((found, damage.is_some()), (vec![1], true));
        append(&mut journal, &dir, 2..=4);
        let (_, found, damage) = open(&dir);
        assert_eq!((found, damage), (vec![1, 2, 3, 4], None), "{last}");
    }
    // and where the header alone says so
    let (_place, dir) = directory();
    put(&dir, header::<Sample>(LAST_NUMBER).unwrap());
    let (mut journal, _, damage) = open(&dir);
    assert!(damage.is_some());
    append(&mut journal, &dir, 1..=2);
    assert_eq!(open(&dir).1, [1, 2]);
}
