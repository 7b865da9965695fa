//! The simulator as a whole: repeatable to the byte, right about right trackers, and right about a wrong one.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn virtual_swarm(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_virtual_swarm")).args(args).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the program writes UTF-8")
}

/// Runs a small comparison into `dir`, and returns all files that it has written, by name.
fn compare(dir: &Path, seed: &str) -> Vec<(String, Vec<u8>)> {
    let out = dir.to_str().expect("a path of letters");
    let small = ["--peers", "400", "--hours", "2", "--arrivals", "steady,flash", "--grid", "--seeds", "2"];
    let others = ["--policies", "uniform,near-first", "--seed", seed, "--out", out];
    let output = virtual_swarm(&[&small[..], &others].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let files = fs::read_dir(dir).expect("it was made").map(|entry| entry.expect("it can be read"));
    let mut files: Vec<_> = files
        .map(|file| {
            (text(file.file_name().as_encoded_bytes()), fs::read(file.path()).expect("it was written"))
        })
        .collect();
    files.sort();
    files
}

#[test]
fn a_seed_gives_the_same_bytes_and_another_gives_others() {
    let dirs = [(); 3].map(|()| tempfile::tempdir().expect("there is room"));
    let [first, again, other] =
        [("7", 0), ("7", 1), ("8", 2)].map(|(seed, dir)| compare(dirs[dir].path(), seed));
    let names: Vec<_> = first.iter().map(|(name, _)| name.as_str()).collect();
    let plots = ["crowd.svg", "dead.svg", "degree.svg", "locality.svg", "tables.md"];
    assert_eq!(names, plots.map(|name| format!("selection-{name}")));
    assert!(first == again, "the same seed has given other bytes");
    for (before, after) in first.iter().zip(&other) {
        assert!(before.1 != after.1, "another seed has given the same {}", before.0);
    }
    let tables = text(&first[4].1);
    for part in [
        "| time to completion p95 |",
        "| overlay: clustering |",
        "near-first: difference",
        "**bytes within a /24**:",
        "| `vanish` | 25 % |",
    ] {
        assert!(tables.contains(part), "no {part}");
    }
}

#[test]
fn checks_hold_for_both_policies() {
    let args =
        ["--peers", "3000", "--hours", "6", "--policies", "uniform,near-first", "--arrivals", "daily,flash"];
    let output = virtual_swarm(&[&args[..], &["--check"]].concat());
    let report = text(&output.stdout);
    assert!(output.status.success(), "{report}{}", text(&output.stderr));
    // the overlay of the first is too small to tell
    assert_eq!(report.matches("\nok  ").count(), 7 + 9, "{report}");
    assert!(!report.contains("WRONG"));
}

#[test]
fn a_policy_that_always_names_the_same_peers_is_found_out() {
    let args = ["--peers", "1500", "--hours", "3", "--policies", "broken", "--arrivals", "flash", "--check"];
    let output = virtual_swarm(&args);
    assert_eq!(output.status.code(), Some(1));
    let report = text(&output.stdout);
    for sentence in ["nobody who has been silent", "everybody who stays completes", "overlay hangs together"]
    {
        let line = report.lines().find(|line| line.contains(sentence)).expect("it is checked");
        assert!(line.starts_with("WRONG"), "{line}");
    }
    assert!(text(&output.stderr).contains("checks have failed"));
}

#[test]
fn nonsense_is_one_sentence() {
    for (args, sentence) in [
        (["--peers", "0"], "virtual_swarm: --peers is from 1 to 10000000\n"),
        (["--nat", "2"], "virtual_swarm: --nat is a share, from 0 to 1\n"),
    ] {
        let output = virtual_swarm(&args);
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), sentence.into()));
    }
    assert_eq!(virtual_swarm(&["--policies", "nearest"]).status.code(), Some(2));
}
