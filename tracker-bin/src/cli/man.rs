//! The manual page: the command line as clap knows it, the configuration as `--print-config` prints it, and what else
//! an operator looks for there.

use std::io::{self, Write};

use clap::{ArgAction, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};

use super::Options;
use crate::config::{self, Config};

/// Entries of a section: what is explained, and what it means.
type Entries = &'static [(&'static str, &'static str)];

const SIGNALS: Entries = &[
    (
        "SIGTERM, SIGINT",
        "Answers what was asked, closes connections within two seconds, writes history and swarms, and ends. A second one \
         ends it at once, and what has changed since the last snapshot is lost.",
    ),
    (
        "SIGHUP",
        "Reads the configuration file and the access list again, and puts access, stats and log.level in force. Where \
         something is wrong with them, everything stays as it was and the log says why.",
    ),
];

const STATUS: Entries = &[
    ("0", "It has done what was asked for."),
    (
        "1",
        "It has not; one sentence on the standard error says what is wrong, where, and what to do. tracker check: something is wrong with the tracker.",
    ),
    ("2", "tracker check: the tracker cannot be asked, or the command line makes no sense."),
    ("128 + number of a signal", "It was ended by the second of two signals."),
];

const ENVIRONMENT: Entries = &[
    (
        "NOTIFY_SOCKET",
        "The socket of a service manager that wants to be told when the tracker is ready, reloads, stops, and how many \
         peers it has; see sd_notify(3). Set by systemd for a unit of Type=notify.",
    ),
    (
        "WATCHDOG_USEC, WATCHDOG_PID",
        "With NOTIFY_SOCKET: a sign of life is given twice in so many microseconds, as long as every event loop goes \
         round. Set by systemd for a unit with WatchdogSec=.",
    ),
];

const FILES: Entries = &[
    ("/etc/tracker/tracker.ron", "The configuration of the service that the Debian package installs."),
    ("/var/lib/tracker", "Where that service keeps its history and its swarms."),
    ("tracker-data", "Where they are kept unless store.dir or --data-dir name another directory."),
];

const EXAMPLES: &[(&str, &str)] = &[
    ("Serve on port 6969 of every address, with the defaults:", "tracker"),
    (
        "Serve on two addresses, and keep nothing in the working directory:",
        "tracker --listen 192.0.2.1:80 --listen [2001:db8::1]:80 --data-dir /srv/tracker",
    ),
    (
        "Write a configuration file with every key explained, check it, and use it:",
        "tracker --print-config > tracker.ron\ntracker --config tracker.ron --check-config\ntracker --config tracker.ron",
    ),
    (
        "Have bash complete the command line:",
        "tracker completions bash > ~/.local/share/bash-completion/completions/tracker",
    ),
];

/// The page, in roff.
pub(super) fn page() -> String {
    let mut page = Vec::new();
    // a vector takes whatever is written to it
    let _ = write_page(&mut page);
    String::from_utf8_lossy(&page).into_owned()
}

fn write_page(out: &mut Vec<u8>) -> io::Result<()> {
    let mut command = Options::command();
    // names the subcommands in full, as in "tracker man"
    command.build();
    let man = Man::new(command.clone());
    // without a date: a page that is made twice is the same
    let version = env!("CARGO_PKG_VERSION");
    writeln!(out, ".TH TRACKER 1 \"\" \"tracker {version}\" \"User Commands\"")?;
    man.render_name_section(out)?;
    synopsis(&command).to_writer(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    let mut rest = Roff::new();
    commands(&mut rest, &command);
    configuration(&mut rest);
    entries(&mut rest, "SIGNALS", SIGNALS);
    entries(&mut rest, "EXIT STATUS", STATUS);
    entries(&mut rest, "ENVIRONMENT", ENVIRONMENT);
    entries(&mut rest, "FILES", FILES);
    rest.control("SH", ["EXAMPLES"]);
    for (at, (what, how)) in EXAMPLES.iter().enumerate() {
        if at > 0 {
            rest.control("PP", []);
        }
        rest.text([roman(*what)]);
        literally(&mut rest, how);
    }
    rest.control("SH", ["SEE ALSO"]);
    rest.text([bold("systemctl"), roman("(1), "), bold("journalctl"), roman("(1)")]);
    rest.to_writer(out)
}

/// As in `tracker [--listen ADDR:PORT]... [--print-config]`, and a line for each subcommand.
fn synopsis(command: &clap::Command) -> Roff {
    let mut page = Roff::new();
    page.control("SH", ["SYNOPSIS"]);
    let mut line = vec![bold("tracker")];
    for option in command.get_arguments() {
        let Some(name) = option.get_long() else { continue };
        line.extend([roman(" ["), bold(format!("--{name}"))]);
        let value = option.get_value_names().filter(|_| option.get_action().takes_values());
        if let [value] = value.unwrap_or_default() {
            line.extend([roman(" "), italic(value.as_str())]);
        }
        line.push(roman(if matches!(option.get_action(), ArgAction::Append) { "]..." } else { "]" }));
    }
    page.text(line);
    for command in command.get_subcommands() {
        page.control("br", []).text([bold(usage(command))]);
    }
    page
}

/// A subcommand with what it takes, as in `tracker completions SHELL`.
fn usage(command: &clap::Command) -> String {
    let words = command.get_positionals().map(|word| format!(" {}", word.get_id().as_str().to_uppercase()));
    format!("tracker {}{}", command.get_name(), words.collect::<String>())
}

fn commands(page: &mut Roff, command: &clap::Command) {
    page.control("SH", ["COMMANDS"]);
    for command in command.get_subcommands() {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        page.control("TP", []).text([bold(usage(command))]).text([roman(about)]);
        if command.get_opts().next().is_none() {
            continue;
        }
        page.control("RS", []);
        for option in command.get_opts() {
            let Some(name) = option.get_long() else { continue };
            let value = option.get_value_names().filter(|_| option.get_action().takes_values());
            let value = value.unwrap_or_default().iter().map(|value| format!(" {value}")).collect::<String>();
            let help = option.get_help().map(ToString::to_string).unwrap_or_default();
            page.control("TP", []).text([bold(format!("--{name}{value}"))]).text([roman(help)]);
        }
        page.control("RE", []);
    }
}

fn configuration(page: &mut Roff) {
    page.control("SH", ["CONFIGURATION"]);
    page.text([roman(
        "Settings come from the defaults, from the file that --config names, and from the options, each winning over the one \
         before. The file is RON: sections in parentheses, // and /* */ comments, a comma after each value. Every section \
         and every key is optional, and an unknown one is refused. These are all of them, with their defaults:",
    )]);
    literally(page, &config::print(&Config::default()));
}

fn entries(page: &mut Roff, name: &str, entries: Entries) {
    page.control("SH", [name]);
    for (what, meaning) in entries {
        page.control("TP", []).text([bold(*what)]).text([roman(*meaning)]);
    }
}

/// Text whose lines stay as they are.
fn literally(page: &mut Roff, text: &str) {
    page.control("PP", []).control("RS", ["4"]).control("nf", []);
    for line in text.trim_end().lines() {
        page.text([roman(line)]);
    }
    page.control("fi", []).control("RE", []);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_section_option_subcommand_and_key() {
        let page = page();
        for section in [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "OPTIONS",
            "COMMANDS",
            "CONFIGURATION",
            "SIGNALS",
            "\"EXIT STATUS\"",
            "ENVIRONMENT",
            "FILES",
            "EXAMPLES",
        ] {
            assert!(page.contains(&format!("\n.SH {section}\n")), "no section {section}");
        }
        // what roff writes for a hyphen
        let page = page.replace("\\-", "-");
        let command = Options::command();
        for option in command.get_arguments().filter_map(clap::Arg::get_long) {
            assert!(page.contains(&format!("--{option}")), "no option {option}");
        }
        for command in command.get_subcommands() {
            assert!(page.contains(&format!("tracker {}", command.get_name())), "no {}", command.get_name());
        }
        for key in ["max_torrents: 10000000,", "snapshot_every: ", "trusted_proxies: "] {
            assert!(page.contains(key), "no key {key}");
        }
    }
}
