//! What the program does instead of serving, if a word asks for it.

use std::process::ExitCode;

use clap::{CommandFactory, Subcommand};
use clap_complete::Shell;

use super::{Options, man, print};
use crate::check::Check;
use crate::error::Error;

/// A task of its own, which needs no settings.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Ask a running tracker what clients would, and say what is wrong with it
    Check(Check),
    /// Print what a shell needs to complete the command line
    Completions {
        /// The shell that it is for
        shell: Shell,
    },
    /// Print the manual page, for man(1)
    Man,
}

impl Command {
    /// Does it, and says what the program ends with.
    ///
    /// # Errors
    /// It could not be done.
    pub fn run(&self) -> Result<ExitCode, Error> {
        match self {
            Command::Check(check) => return check.run(),
            Command::Completions { shell } => print(&completions(*shell))?,
            Command::Man => print(&man::page())?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Options::command(), "tracker", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_completes_every_option_and_subcommand() {
        let command = Options::command();
        let options = command.get_arguments().filter_map(clap::Arg::get_long);
        let words: Vec<_> = options.chain(command.get_subcommands().map(clap::Command::get_name)).collect();
        assert!(words.contains(&"data-dir") && words.contains(&"man"), "{words:?}");
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Elvish, Shell::PowerShell] {
            let script = completions(shell);
            for word in &words {
                assert!(script.contains(word), "{shell} does not know {word}");
            }
        }
    }
}
