//! What all programs say, and how they end.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

/// Writes to the standard output. That nobody reads on is no error.
///
/// # Errors
/// Any other, such as a full disk.
pub fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Writes to the standard error; that nobody reads it is nobody's problem.
pub fn tell(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// The exit code of a program, after its sentence if it has failed.
pub fn end(program: &str, result: Result<(), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // nobody is left to be told that this fails
            let _ = writeln!(io::stderr(), "{program}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A number with its thousands apart: `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Seconds in the two largest units: `1 h 30 min`.
pub fn seconds(seconds: u64) -> String {
    let units = [("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)];
    let first = units.iter().position(|&(_, unit)| seconds >= unit).unwrap_or(3);
    let (name, unit) = units[first];
    let text = format!("{} {name}", seconds / unit);
    match units.get(first + 1) {
        Some(&(next, smaller)) if seconds % unit >= smaller => {
            format!("{text} {} {next}", seconds % unit / smaller)
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_easy_to_read() {
        assert_eq!(
            ["0", "999", "1,000", "12,345,678"],
            [0, 999, 1000, 12_345_678].map(grouped).each_ref().map(String::as_str)
        );
        let times = [0, 59, 60, 1800, 5400, 3661, 90_000].map(seconds);
        assert_eq!(times, ["0 s", "59 s", "1 min", "30 min", "1 h 30 min", "1 h 1 min", "1 d 1 h"]);
    }
}
