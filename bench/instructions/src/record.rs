//! The recorded counts, as a file of lines, and their comparison with new ones.

use std::fmt::{self, Display, Write};
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::surroundings::Surroundings;

/// Above that many per cent more a row has failed, and below that many less the record is worth renewing.
const TOLERANCE: f64 = 5.0;

const HEADING: &str = "\
# Instructions per operation: see docs/performance.md. This file is written by
#     cargo run --release --package instructions -- --record
";

/// One operation, and what it costs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// What is done, in a few words.
    pub name: String,
    /// Instructions of one.
    pub instructions: f64,
}

/// What is in the file.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Record {
    /// What it was counted with.
    pub surroundings: Surroundings,
    /// In the order of the program.
    pub rows: Vec<Row>,
}

/// Why there is no record.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    /// The file can't be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// read or write
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What is in the way.
        source: io::Error,
    },
    /// It can't be understood.
    #[error("{}, line {line}: neither a name with its value nor a count: write it anew with --record", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1 on.
        line: usize,
    },
}

impl Record {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Result<Self, RecordError> {
        let text = fs::read_to_string(path).map_err(|source| {
            let path = path.to_owned();
            RecordError::Io { action: "read", path, source }
        })?;
        Self::parse(&text).map_err(|line| RecordError::Line { path: path.to_owned(), line })
    }

    /// Writes the file.
    pub(crate) fn write(&self, path: &Path) -> Result<(), RecordError> {
        fs::write(path, self.to_string()).map_err(|source| {
            let path = path.to_owned();
            RecordError::Io { action: "write", path, source }
        })
    }

    /// Reads the text of a file; an error is the number of its line.
    fn parse(text: &str) -> Result<Self, usize> {
        let mut record = Record::default();
        for (line, number) in text.lines().map(str::trim).zip(1_usize..) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            record.line(line).ok_or(number)?;
        }
        Ok(record)
    }

    fn line(&mut self, line: &str) -> Option<()> {
        if let Some((name, value)) = line.split_once(": ") {
            value.clone_into(self.surroundings.part_mut(name)?);
        } else {
            let (count, name) = line.split_once(' ')?;
            let instructions = count.parse().ok().filter(|count| *count > 0.0)?;
            self.rows.push(Row { name: name.trim_start().to_owned(), instructions });
        }
        Some(())
    }

    fn find(&self, name: &str) -> Option<f64> {
        self.rows.iter().find(|row| row.name == name).map(|row| row.instructions)
    }
}

impl Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADING}")?;
        for (name, value) in self.surroundings.parts() {
            writeln!(f, "{name}: {value}")?;
        }
        writeln!(f)?;
        self.rows.iter().try_for_each(|row| writeln!(f, "{:9.1}  {}", row.instructions, row.name))
    }
}

/// A record beside what was counted now.
#[derive(Debug)]
pub(crate) struct Comparison {
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    name: String,
    recorded: Option<f64>,
    now: Option<f64>,
}

impl Line {
    /// In per cent of what is recorded.
    fn change(&self) -> Option<f64> {
        let (recorded, now) = (self.recorded?, self.now?);
        Some((now - recorded) / recorded * 100.0)
    }

    fn has_failed(&self) -> bool {
        self.change().is_none_or(|change| change > TOLERANCE)
    }
}

impl Comparison {
    /// Brings together what has the same name; the rows of `now` first, those that only the record has last.
    pub(crate) fn new(recorded: &Record, now: &Record) -> Self {
        let known = now.rows.iter().map(|row| Line {
            name: row.name.clone(),
            recorded: recorded.find(&row.name),
            now: Some(row.instructions),
        });
        let gone = recorded.rows.iter().filter(|row| now.find(&row.name).is_none());
        let gone =
            gone.map(|row| Line { name: row.name.clone(), recorded: Some(row.instructions), now: None });
        Comparison { lines: known.chain(gone).collect() }
    }

    /// Whether a row costs too much, or stands on one side alone.
    pub(crate) fn has_failed(&self) -> bool {
        self.lines.iter().any(Line::has_failed)
    }

    /// What there is to do, if anything is, a line for each row that it is about.
    pub(crate) fn verdict(&self) -> String {
        let mut text = String::new();
        let mut say = |line: &Line, what: &str| {
            let _ = writeln!(text, "{what}: {}", line.name);
        };
        for line in &self.lines {
            match line.change() {
                Some(change) if change > TOLERANCE => {
                    say(line, &format!("failed, costs {change:.1} % more than is recorded"));
                }
                Some(change) if change < -TOLERANCE => {
                    say(line, &format!("hint, costs {:.1} % less than is recorded: record it", -change));
                }
                Some(_) => {}
                None if line.now.is_some() => say(line, "failed, is not recorded"),
                None => say(line, "failed, is recorded and counted no more"),
            }
        }
        let failed = self.lines.iter().filter(|line| line.has_failed()).count();
        if failed > 0 {
            text += "Make it cheaper. Where the cost has its reason, record it with `cargo run --release --package \
                     instructions -- --record`, and name the reason in the commit.\n";
        }
        let _ = writeln!(text, "{} rows, {failed} failed", self.lines.len());
        text
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.lines.iter().map(|line| line.name.len()).max().unwrap_or_default();
        writeln!(
            f,
            "    {:width$} {:>10} {:>10} {:>9}",
            "instructions per operation", "recorded", "now", "change"
        )?;
        let count = |count: Option<f64>| count.map_or_else(|| "-".to_owned(), |count| format!("{count:.1}"));
        // the numbers are those of the files that callgrind writes
        for (line, number) in self.lines.iter().zip(1..) {
            let change = line.change().map_or_else(|| "-".to_owned(), |change| format!("{change:+.1} %"));
            let (recorded, now) = (count(line.recorded), count(line.now));
            writeln!(f, "{number:3} {:width$} {recorded:>10} {now:>10} {change:>9}", line.name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(rows: &[(&str, f64)]) -> Record {
        let rows = rows.iter().map(|&(name, instructions)| Row { name: name.to_owned(), instructions });
        Record { surroundings: Surroundings::default(), rows: rows.collect() }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut before = record(&[("head of a client", 812.5), ("50 of 60", 1_204.0)]);
        before.surroundings = Surroundings::here("valgrind-3.19.0".to_owned(), "with AVX2".to_owned());
        let file = tempfile::NamedTempFile::new().unwrap();
        before.write(file.path()).unwrap();
        assert_eq!(Record::read(file.path()).unwrap(), before);
    }

    #[test]
    fn a_line_that_is_neither_is_named() {
        for bad in ["nonsense", "colour: red", "x head", "0.0 head", "nan head", "-1 head", "7"] {
            let file = tempfile::NamedTempFile::new().unwrap();
            fs::write(file.path(), format!("# comment\n\n12.0  fine\n{bad}\n")).unwrap();
            let error = Record::read(file.path()).unwrap_err().to_string();
            assert!(error.contains(", line 4: "), "{error}");
        }
    }

    #[test]
    fn over_five_per_cent_more_fails_and_less_is_a_hint() {
        let before = record(&[("same", 100.0), ("dear", 100.0), ("cheap", 100.0)]);
        let fine = Comparison::new(&before, &record(&[("same", 105.0), ("dear", 95.0), ("cheap", 100.0)]));
        assert!(!fine.has_failed());
        assert_eq!(fine.verdict(), "3 rows, 0 failed\n");
        let cheaper = Comparison::new(&before, &record(&[("same", 99.0), ("dear", 104.9), ("cheap", 94.9)]));
        assert!(!cheaper.has_failed());
        assert!(cheaper.verdict().starts_with("hint, costs 5.1 % less than is recorded: record it: cheap\n"));
        let dearer = Comparison::new(&before, &record(&[("same", 100.0), ("dear", 105.1), ("cheap", 80.0)]));
        assert!(dearer.has_failed());
        assert!(dearer.verdict().starts_with("failed, costs 5.1 % more than is recorded: dear\nhint, "));
        assert!(dearer.verdict().ends_with("3 rows, 1 failed\n"));
        assert!(dearer.to_string().contains("dear"), "{dearer}");
    }

    #[test]
    fn a_row_without_its_counterpart_fails() {
        let comparison =
            Comparison::new(&record(&[("a", 1.0), ("b", 1.0)]), &record(&[("b", 1.0), ("c", 1.0)]));
        assert!(comparison.has_failed());
        let verdict = comparison.verdict();
        assert!(verdict.contains("is not recorded: c\n"), "{verdict}");
        assert!(verdict.contains("counted no more: a\n"), "{verdict}");
        assert!(verdict.ends_with("3 rows, 2 failed\n"), "{verdict}");
    }
}
