//! What was sent, and what came back.

use std::collections::BTreeMap;

use examples::answer::one_line;

/// Bytes of an example that are shown.
const LONGEST_EXAMPLE: usize = 200;

/// Counts of one mode.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Connections made.
    pub(crate) connections: u64,
    /// Connections that could not be made.
    pub(crate) refused: u64,
    /// Requests begun, complete or not.
    pub(crate) requests: u64,
    pub(crate) bytes_out: u64,
    pub(crate) bytes_in: u64,
    /// By status.
    pub(crate) answers: BTreeMap<u16, u64>,
    /// Answers of status 200 that are a `failure reason`.
    pub(crate) failures: u64,
    /// Those that have a `warning message`.
    pub(crate) warnings: u64,
    /// Connections that the tracker closed or reset.
    pub(crate) closed: u64,
    /// Answers that did not come in time.
    pub(crate) late: u64,
    /// What came and is no HTTP.
    pub(crate) odd: u64,
    /// Addresses that were lied about and handed out to others.
    pub(crate) believed: u64,
    /// Strings of an attacker that came out somewhere as they went in.
    pub(crate) echoed: u64,
    /// The first thing that is wrong.
    pub(crate) example: Option<String>,
}

impl Tally {
    pub(crate) fn answer(&mut self, status: u16, body: &[u8]) {
        *self.answers.entry(status).or_default() += 1;
        if status == 200 && body.starts_with(b"d") {
            let has = |key: &[u8]| memchr::memmem::find(body, key).is_some();
            self.failures += u64::from(has(b"14:failure reason"));
            self.warnings += u64::from(has(b"15:warning message"));
        }
    }

    pub(crate) fn all_answers(&self) -> u64 {
        self.answers.values().sum()
    }

    /// Keeps what is wrong, if it is the first.
    pub(crate) fn note(&mut self, what: impl AsRef<[u8]>) {
        let what = what.as_ref();
        self.example.get_or_insert_with(|| one_line(&what[..what.len().min(LONGEST_EXAMPLE)]));
    }

    /// Whether the tracker has said what it never should.
    pub(crate) fn is_faulty(&self) -> bool {
        self.odd + self.echoed > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_and_warnings_are_told_from_answers() {
        let mut tally = Tally::default();
        tally.answer(200, b"d14:failure reason1:x8:retry in5:nevere");
        tally.answer(200, b"d8:intervali1e15:warning message1:xe");
        tally.answer(200, b"d8:intervali1ee");
        tally.answer(400, b"14:failure reason");
        assert_eq!((tally.failures, tally.warnings, tally.all_answers()), (1, 1, 4));
        tally.note("a\u{1b}[31mb");
        tally.note("another");
        assert_eq!(tally.example.as_deref(), Some("a [31mb"));
        assert!(!tally.is_faulty());
    }
}
