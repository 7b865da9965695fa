//! What the program does instead of serving, if a word asks for it.

use std::process::ExitCode;

use clap::Subcommand;

use crate::check::Check;
use crate::error::Error;

/// A task of its own, which needs no settings.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Ask a running tracker what clients would, and say what is wrong with it
    Check(Check),
}

impl Command {
    /// Does it, and says what the program ends with.
    ///
    /// # Errors
    /// It could not be done.
    pub fn run(&self) -> Result<ExitCode, Error> {
        match self {
            Command::Check(check) => check.run(),
        }
    }
}
