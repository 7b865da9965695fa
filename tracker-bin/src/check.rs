//! `tracker check`: asks a running tracker, and prints what is wrong with it.

use std::env;
use std::fmt::Write;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use tracker_client::check::{self, Finding, Level, Options, Report};
use tracker_core::InfoHash;

use crate::cli::print;
use crate::error::Error;

/// What is to be checked, and how.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
#[command(
    after_help = "It asks some thirty things, as three peers of a torrent that does not exist, and leaves nothing behind.\n\n\
                  Exit codes:\n  0  nothing is wrong; there may be notes and warnings\n  1  something is wrong\n  2  it cannot be \
                  asked, or the command line makes no sense"
)]
pub struct Check {
    /// The tracker's URL, as it stands in a torrent
    pub url: String,
    /// Trust the certificates in this file (PEM) as well, such as a self-made one
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Ask about this torrent: for a tracker that serves chosen ones only
    #[arg(long, value_name = "HEX")]
    pub info_hash: Option<InfoHash>,
    /// Wait so long for each answer
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = timeout)]
    pub timeout: Duration,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl Check {
    /// Checks, prints, and says what the program ends with.
    ///
    /// # Errors
    /// The tracker cannot be asked. With `--json` that is printed as well.
    pub fn run(&self) -> Result<ExitCode, Error> {
        let options = Options {
            info_hash: self.info_hash,
            ca: self.ca.clone(),
            timeout: self.timeout,
            ..Options::default()
        };
        let report = match check::check(&self.url, &options) {
            Ok(report) => report,
            Err(error) => {
                let error = error.to_string();
                if self.json {
                    print(&format!("{:#}\n", json!({ "url": self.url, "error": error })))?;
                }
                return Err(Error::Unchecked(error));
            }
        };
        let has_colour = io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
        print(&if self.json { as_json(&report) } else { as_text(&report, has_colour) })?;
        Ok(if report.worst() == Level::Wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

fn timeout(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_secs(600);
    let timeout = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if timeout.is_zero() || timeout > LONGEST {
        return Err("it is from 1ms to 10m".to_owned());
    }
    Ok(timeout)
}

fn as_text(report: &Report, has_colour: bool) -> String {
    let asked = report.findings.iter().map(|finding| finding.asked.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for Finding { level, asked: what, came, remedy, .. } in &report.findings {
        let (begin, end) = if has_colour { (colour(*level), "\x1b[0m") } else { ("", "") };
        // writing to a String cannot fail
        let _ = writeln!(text, "{begin}{level:<8}{end} {what:<asked$}  {came}");
        if let Some(remedy) = remedy {
            let _ = writeln!(text, "{:>1$}{remedy}", "> ", 8 + 1 + asked + 2 + 2);
        }
    }
    let _ = writeln!(text, "\n{}", sum(report));
    text
}

fn colour(level: Level) -> &'static str {
    match level {
        Level::Ok => "\x1b[32m",
        Level::Note => "\x1b[36m",
        Level::Warning => "\x1b[33m",
        Level::Wrong => "\x1b[1;31m",
    }
}

/// The last line: as in `31 requests to http://t/announce: nothing is wrong, 1 warning`.
fn sum(report: &Report) -> String {
    let number = |level, one: &str, many: &str| match report.count(level) {
        0 => String::new(),
        1 => format!(", 1 {one}"),
        count => format!(", {count} {many}"),
    };
    let wrong = match report.count(Level::Wrong) {
        0 => "nothing is wrong".to_owned(),
        1 => "1 thing is wrong".to_owned(),
        count => format!("{count} things are wrong"),
    };
    let (warnings, notes) =
        (number(Level::Warning, "warning", "warnings"), number(Level::Note, "note", "notes"));
    let requests = if report.requests == 1 { "request" } else { "requests" };
    format!("{} {requests} to {}: {wrong}{warnings}{notes}", report.requests, report.url)
}

fn as_json(report: &Report) -> String {
    let finding = |finding: &Finding| {
        json!({
            "check": finding.check,
            "level": finding.level.name(),
            "asked": finding.asked,
            "came": finding.came,
            "remedy": finding.remedy,
        })
    };
    let findings: Vec<_> = report.findings.iter().map(finding).collect();
    let whole = json!({
        "url": report.url,
        "worst": report.worst().name(),
        "requests": report.requests,
        "findings": findings,
    });
    format!("{whole:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let finding = |level, asked: &str, remedy| Finding {
            check: "a.check",
            level,
            asked: asked.to_owned(),
            came: "what came".to_owned(),
            remedy,
        };
        let findings =
            vec![finding(Level::Ok, "a", None), finding(Level::Wrong, "a longer thing", Some("mend it"))];
        Report { url: "http://t/announce".to_owned(), findings, requests: 2 }
    }

    #[test]
    fn lines_stand_in_columns_and_in_colour_where_it_is_wanted() {
        let text = as_text(&report(), false);
        let expected = "ok       a               what came\n\
                        wrong    a longer thing  what came\n                         > mend it\n\n\
                        2 requests to http://t/announce: 1 thing is wrong\n";
        assert_eq!(text, expected);
        let coloured = as_text(&report(), true);
        assert!(coloured.starts_with("\x1b[32mok      \x1b[0m a"), "{coloured:?}");
        assert!(coloured.contains("\x1b[1;31mwrong   \x1b[0m a longer"), "{coloured:?}");
    }

    #[test]
    fn timeouts_have_a_unit_and_a_bound() {
        assert_eq!(timeout("1500ms"), Ok(Duration::from_millis(1500)));
        for bad in ["0s", "11m", "10", "soon", "-1s"] {
            assert!(timeout(bad).is_err(), "{bad}");
        }
    }
}
