//! The program `embed_core`.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::process::{Command, Stdio};

fn embed_core(arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_embed_core"));
    let output = command.args(arguments).stdin(Stdio::null()).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_swarm_grows_and_is_forgotten() {
    let (code, out) = embed_core(&["--peers=9"]);
    assert_eq!(code, 0);
    assert_eq!(out, embed_core(&["--peers=9"]).1, "the same seed, the same bytes");
    assert!(out.contains(" 1 min  192.0.2.1:6881    joins, and is told of  nobody yet\n"), "{out}");
    let last = out.lines().find(|line| line.contains("192.0.2.9:6881    joins")).unwrap();
    assert_eq!(last.matches(":6881").count(), 1 + 3, "{last}");
    assert!(
        out.ends_with("1 seeder, 8 leechers\nan hour later, without a word of them: 9 are forgotten\n"),
        "{out}"
    );
    assert_eq!(embed_core(&["--peers=0"]).0, 2);
    assert!(embed_core(&["--help"]).1.contains("--seed"));
}

#[test]
fn a_reader_who_goes_is_no_error() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_embed_core"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty());
}
