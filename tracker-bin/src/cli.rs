//! What was typed. What it means together with the configuration file is for [`settings`](crate::settings).

mod command;
mod man;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::error::Error;

pub use command::Command;

/// A fast, small BitTorrent tracker.
///
/// Without options it serves /announce and /scrape on port 6969 of every address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Parser)]
#[command(name = "tracker", version, disable_help_subcommand = true, args_conflicts_with_subcommands = true)]
pub struct Options {
    /// Read the settings from this file; the options below win over it
    #[arg(long, value_name = "FILE.ron")]
    pub config: Option<PathBuf>,
    /// Serve on this address; give it several times for several addresses
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Vec<String>,
    /// Keep history and snapshots in this directory
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// Use this many threads for connections; 0 for one per core
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub workers: Option<String>,
    /// Log this much: off, error, warn, info, debug or trace
    #[arg(long, value_name = "L")]
    pub log_level: Option<String>,
    /// Print the settings in force, as a configuration file, and exit
    #[arg(long)]
    pub print_config: bool,
    /// Say what is wrong with the settings, or nothing, and exit
    #[arg(long)]
    pub check_config: bool,
    /// What to do instead of serving
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Options {
    /// Reads the command line, the program's name first. `None` if only help or the version was asked for, which is
    /// printed then.
    ///
    /// # Errors
    /// One sentence on what cannot be understood.
    pub fn parse_from_args(
        args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> Result<Option<Options>, Error> {
        let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
        let error = match Options::try_parse_from(&args) {
            Ok(options) => return Ok(Some(options)),
            Err(error) => error,
        };
        if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            print(&error.render().to_string())?;
            return Ok(None);
        }
        let sentence = sentence(&error);
        Err(if args.get(1).is_some_and(|word| word == "check") {
            Error::Unchecked(sentence)
        } else {
            Error::Usage(sentence)
        })
    }
}

/// Writes to the standard output. That nobody reads on is no error.
///
/// # Errors
/// Any other, such as a full disk.
pub fn print(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Output(error)),
        _ => Ok(()),
    }
}

/// clap's first paragraph, as one line, without the usage that follows.
fn sentence(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let lines: Vec<_> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let first = lines.join(" ");
    let first = first.strip_prefix("error: ").unwrap_or(&first);
    let near = |kind| match error.get(kind)? {
        ContextValue::String(near) => Some(near),
        ContextValue::Strings(near) => near.first(),
        _ => None,
    };
    match near(ContextKind::SuggestedArg).or_else(|| near(ContextKind::SuggestedSubcommand)) {
        Some(near) => format!("{first}, did you mean {near}?"),
        None => format!("{first}, see --help"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Option<Options>, Error> {
        Options::parse_from_args(["tracker"].iter().chain(args))
    }

    #[test]
    fn every_option_is_read() {
        let typed = [
            "--config=a.ron",
            "--listen",
            "[::1]:1",
            "--listen",
            "127.0.0.1:2",
            "--data-dir",
            "d",
            "--workers",
            "-1",
            "--log-level",
            "warn",
            "--print-config",
            "--check-config",
        ];
        let options = parse(&typed).unwrap().unwrap();
        assert_eq!(options.config.as_deref(), Some("a.ron".as_ref()));
        assert_eq!(options.listen, ["[::1]:1", "127.0.0.1:2"]);
        assert_eq!(options.data_dir.as_deref(), Some("d"));
        assert_eq!(options.workers.as_deref(), Some("-1"));
        assert_eq!(options.log_level.as_deref(), Some("warn"));
        assert!(options.print_config && options.check_config);
        assert_eq!(parse(&[]).unwrap().unwrap(), Options::default());
    }

    #[test]
    fn a_word_asks_for_something_else_than_serving() {
        let options = parse(&["completions", "zsh"]).unwrap().unwrap();
        let command = Some(Command::Completions { shell: clap_complete::Shell::Zsh });
        assert_eq!(options, Options { command, ..Options::default() });
        assert_eq!(parse(&["man"]).unwrap().unwrap().command, Some(Command::Man));
    }

    #[test]
    fn a_bad_command_line_is_one_sentence() {
        for (args, part) in [
            (&["--lisen", "x"][..], "did you mean --listen?"),
            (&["--config"], "--config"),
            (&["tracker.ron"], "tracker.ron"),
            (&["--workers", "1", "--workers", "2"], "--workers"),
            (&["--print-config=yes"], "yes"),
            (&["check"], "<URL>"),
            (&["chek", "http://t/"], "did you mean check?"),
            (&["check", "http://t/", "--info-hash", "12"], "--info-hash"),
            (&["check", "http://t/", "--timeout", "0s"], "--timeout"),
            (&["--workers", "1", "check", "http://t/"], "check"),
            (&["completion", "bash"], "did you mean completions?"),
            (&["completions"], "<SHELL>"),
            (&["completions", "bsh"], "bsh"),
            (&["man", "--workers", "1"], "--workers"),
            (&["--workers", "1", "man"], "man"),
            (&["help"], "help"),
        ] {
            let sentence = parse(args).unwrap_err().to_string();
            assert!(sentence.contains(part) && !sentence.contains('\n'), "{sentence}");
        }
    }
}
