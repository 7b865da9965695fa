//! Tables in Markdown, and the place in a document where they belong.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

/// Rows of text under a head; every column but the first is of numbers.
#[derive(Clone, Debug)]
pub(crate) struct Table(String);

impl Table {
    pub(crate) fn new<S: AsRef<str>>(head: &[S]) -> Self {
        let mut table = Table(String::new());
        table.row(head);
        let sides: Vec<_> = (0..head.len()).map(|at| if at == 0 { "---" } else { "---:" }).collect();
        table.row(&sides);
        table
    }

    pub(crate) fn row<S: AsRef<str>>(&mut self, cells: &[S]) {
        let cells: Vec<_> = cells.iter().map(AsRef::as_ref).collect();
        let _ = writeln!(self.0, "| {} |", cells.join(" | ").replace("|  |", "| |"));
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

/// Three digits and a unit.
pub(crate) fn short(time: Duration) -> String {
    let nanos = time.as_nanos() as f64;
    let (value, unit) = match nanos {
        ..1e3 => return format!("{nanos:.0} ns"),
        ..1e6 => (nanos / 1e3, "µs"),
        ..1e9 => (nanos / 1e6, "ms"),
        _ => (nanos / 1e9, "s"),
    };
    let digits = if value >= 100.0 { 0 } else { usize::from(value < 10.0) + 1 };
    format!("{value:.digits$} {unit}")
}

/// Writes to the standard output; that nobody reads on is no error.
pub(crate) fn print(text: &str) -> io::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// How far it is: for who waits, not for a document.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// What stands in a document between `<!-- name -->` and `<!-- end of name -->` becomes `text`.
///
/// # Errors
/// The file cannot be read or written, or has no such place.
pub(crate) fn put_into(path: &Path, name: &str, text: &str) -> io::Result<()> {
    let document = fs::read_to_string(path)?;
    let replaced = replaced(&document, name, text).ok_or_else(|| {
        io::Error::other(format!("{} has no place <!-- {name} --> … <!-- end of {name} -->", path.display()))
    })?;
    fs::write(path, replaced)
}

fn replaced(document: &str, name: &str, text: &str) -> Option<String> {
    let begin = format!("<!-- {name} -->\n");
    let (before, rest) = document.split_once(&begin)?;
    let (_, after) = rest.split_once(&format!("<!-- end of {name} -->"))?;
    Some(format!("{before}{begin}\n{}\n\n<!-- end of {name} -->{after}", text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_take_the_place_of_older_ones() {
        let document = "a\n<!-- x -->\nold\n<!-- end of x -->\nb\n";
        let once = replaced(document, "x", "new\n").unwrap();
        assert_eq!(once, "a\n<!-- x -->\n\nnew\n\n<!-- end of x -->\nb\n");
        assert_eq!(replaced(&once, "x", "new\n").unwrap(), once);
        assert_eq!(replaced(document, "y", ""), None);
    }

    #[test]
    fn times_have_three_digits() {
        let shown = [7, 987, 1_240, 45_600, 309_000, 4_400_000, 12_000_000_000];
        let shown = shown.map(|nanos| short(Duration::from_nanos(nanos)));
        assert_eq!(shown, ["7 ns", "987 ns", "1.24 µs", "45.6 µs", "309 µs", "4.40 ms", "12.0 s"]);
    }
}
