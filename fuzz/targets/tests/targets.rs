//! Every target over its corpus, and over seeded mutations of it.
//!
//! `TRACKER_FUZZ_SEED=N` takes another seed, `TRACKER_FUZZ_RUNS=N` another number of mutations; both are printed.

#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use tracker_fuzz::mutate::{Mutator, words};
use tracker_fuzz::{TARGETS, Target};

/// Mutations of each corpus.
const RUNS: u64 = 100_000;

fn fuzz(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder)
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> =
        fs::read_dir(fuzz("corpus").join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// The number that a variable of the environment has.
fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().expect(variable))
}

fn run(name: &str, target: Target, input: &[u8], what: &str) {
    let done = catch_unwind(AssertUnwindSafe(|| target(input)));
    assert!(done.is_ok(), "{what} breaks {name}: b\"{}\"", input.escape_ascii());
}

fn mutations(name: &str) {
    let (seed, runs) = (number("TRACKER_FUZZ_SEED", 1), number("TRACKER_FUZZ_RUNS", RUNS));
    println!("{name}: {runs} mutations, TRACKER_FUZZ_SEED={seed}");
    let (_, target) = *TARGETS.iter().find(|(known, _)| *known == name).unwrap();
    let dictionary = fs::read_to_string(fuzz("dictionaries").join(format!("{name}.dict"))).unwrap();
    let (corpus, words) = (corpus(name), words(&dictionary).unwrap());
    for (at, input) in corpus.iter().enumerate() {
        run(name, target, input, &format!("input {at} of the corpus"));
    }
    let mut mutator = Mutator::new(&corpus, &words, seed);
    for at in 0..runs {
        run(name, target, &mutator.next_input(), &format!("mutation {at} of seed {seed}"));
    }
}

macro_rules! targets {
    ($($name:ident),*) => {
        $(
            #[test]
            fn $name() {
                mutations(stringify!($name));
            }
        )*

        #[test]
        fn every_target_is_run_here_and_by_cargo_fuzz() {
            let names = [$(stringify!($name)),*];
            assert_eq!(names.as_slice(), TARGETS.map(|(name, _)| name));
            let manifest = fs::read_to_string(fuzz("Cargo.toml")).unwrap();
            for name in names {
                assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not in fuzz/Cargo.toml");
                let file = fs::read_to_string(fuzz("fuzz_targets").join(format!("{name}.rs"))).unwrap();
                assert!(file.contains(&format!("tracker_fuzz::{name}(data)")), "{file}");
            }
            assert_eq!(fs::read_dir(fuzz("corpus")).unwrap().count(), names.len());
        }
    };
}

targets!(access, config, connection, head, journal, query, snapshot);

#[test]
fn a_corpus_is_small_and_says_something() {
    for (name, _) in TARGETS {
        let inputs = corpus(name);
        assert!((10..=130).contains(&inputs.len()), "{name} has {} inputs", inputs.len());
        let bytes: usize = inputs.iter().map(Vec::len).sum();
        assert!(bytes < 120_000, "{name} has {bytes} bytes");
    }
}
