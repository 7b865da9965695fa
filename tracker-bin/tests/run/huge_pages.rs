//! Huge pages, which whoever runs the tracker may have, and nobody else.

use std::fs;
use std::process::Command;

use crate::place::Place;
use crate::program::Program;

/// Whether a running tracker may get huge pages, as the kernel sees it; `None` from one that does not say.
fn may_have(command: Command) -> Option<bool> {
    let program = Program::start(command, 1);
    let status = fs::read_to_string(format!("/proc/{}/status", program.pid())).unwrap();
    program.stop();
    let line = status.lines().find_map(|line| line.strip_prefix("THP_enabled:"))?;
    Some(line.trim() == "1")
}

#[test]
fn there_are_none_unless_the_environment_says_so() {
    let place = Place::empty();
    let command = |decided: Option<&str>| {
        let mut command = place.command(&["--listen", "127.0.0.1:0", "--workers", "1"]);
        match decided {
            Some(decided) => command.env("MIMALLOC_ALLOW_THP", decided),
            None => command.env_remove("MIMALLOC_ALLOW_THP"),
        };
        command
    };
    let Some(usually) = may_have(command(None)) else { return };
    assert!(!usually);
    assert_eq!(may_have(command(Some("0"))), Some(false));
    assert_eq!(may_have(command(Some("1"))), Some(true));
}
