//! What is checked, and what came of it.

use clap::ValueEnum;

/// A property that the tracker's answers must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Check {
    /// Each request is answered in time
    Answered,
    /// Answers are complete, and in proper form
    Valid,
    /// No announce is refused
    Accepted,
    /// Interval and min interval stay the same
    Interval,
    /// External address: the one it has
    Address,
    /// Nobody is given more than it asked for
    Numwant,
    /// Peers are given where there are any
    Enough,
    /// Nobody is given itself
    Itself,
    /// Nobody is given twice in one answer
    Twice,
    /// Nobody is given who never announced
    Strangers,
    /// Nobody is given of other torrents
    Torrents,
    /// Nobody is given after the peer timeout
    Dead,
    /// Nobody is given who has said stopped
    Left,
    /// Seeders are not given to seeders
    Seeders,
    /// Partial seeds meet leechers only
    Partial,
    /// Each peer is given with its own id
    Ids,
    /// Who stops is given nobody
    Stopped,
    /// Seeders and leechers are counted right
    Counts,
    /// Each completion is counted once
    Completions,
    /// They are counted right in scrapes too
    Scrapes,
    /// When all have left, nobody is counted
    Empty,
    /// All are given about equally often
    Fairness,
}

impl Check {
    pub(crate) fn all() -> &'static [Check] {
        Check::value_variants()
    }

    /// As it is written on the command line and in the verdict.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// What it means, in some words.
    pub(crate) fn meaning(self) -> String {
        let value = self.to_possible_value();
        value.and_then(|value| value.get_help().map(ToString::to_string)).unwrap_or_default()
    }
}

/// What came of a check.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tally {
    /// How often there was something to check.
    pub(crate) cases: u64,
    pub(crate) failures: u64,
    /// The first failure.
    pub(crate) first: Option<String>,
    /// Why it was not checked.
    pub(crate) why_not: Option<String>,
    /// What there is to say beside.
    pub(crate) note: Option<String>,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Result {
    Ok,
    Failed,
    NotChecked,
}

impl Tally {
    pub(crate) fn result(&self) -> Result {
        if self.failures > 0 {
            Result::Failed
        } else if self.cases == 0 || self.why_not.is_some() {
            Result::NotChecked
        } else {
            Result::Ok
        }
    }
}

/// All checks.
#[derive(Clone, Debug)]
pub(crate) struct Checks {
    tallies: Vec<Tally>,
    skipped: Vec<bool>,
    /// Counts that were held against what is known, and those of which only one number could be right.
    pub(crate) bounded: u64,
    pub(crate) exact: u64,
}

impl Checks {
    pub(crate) fn new(skip: &[Check]) -> Checks {
        let skipped: Vec<bool> = Check::all().iter().map(|check| skip.contains(check)).collect();
        Checks { tallies: vec![Tally::default(); skipped.len()], skipped, bounded: 0, exact: 0 }
    }

    /// Something must be so; if not, `what` says what is wrong instead.
    #[inline]
    pub(crate) fn expect(&mut self, check: Check, is_so: bool, what: impl FnOnce() -> String) {
        self.add(check, 1);
        if !is_so {
            self.fail(check, what);
        }
    }

    /// So many cases were looked at.
    #[inline]
    pub(crate) fn add(&mut self, check: Check, cases: usize) {
        self.tallies[check as usize].cases += cases as u64;
    }

    #[cold]
    pub(crate) fn fail(&mut self, check: Check, what: impl FnOnce() -> String) {
        if self.skipped[check as usize] {
            return;
        }
        let tally = &mut self.tallies[check as usize];
        tally.failures += 1;
        tally.first.get_or_insert_with(what);
    }

    pub(crate) fn is_skipped(&self, check: Check) -> bool {
        self.skipped[check as usize]
    }

    /// Says why something was not checked, if nothing has been found wrong.
    pub(crate) fn not_checked(&mut self, check: Check, why: impl Into<String>) {
        self.tallies[check as usize].why_not.get_or_insert(why.into());
    }

    pub(crate) fn note(&mut self, check: Check, text: String) {
        self.tallies[check as usize].note = Some(text);
    }

    pub(crate) fn get(&self, check: Check) -> &Tally {
        &self.tallies[check as usize]
    }

    /// The names of those that have failed so far.
    pub(crate) fn failed(&self) -> Vec<String> {
        let failed = Check::all().iter().filter(|&&check| self.get(check).failures > 0);
        failed.map(|check| check.name()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_keeps_its_first_example_and_a_skipped_check_has_none() {
        let mut checks = Checks::new(&[Check::Twice]);
        for n in 0..3 {
            checks.expect(Check::Itself, n == 0, || format!("example {n}"));
            checks.expect(Check::Twice, false, || unreachable!());
        }
        let tally = checks.get(Check::Itself);
        assert_eq!((tally.cases, tally.failures, tally.first.as_deref()), (3, 2, Some("example 1")));
        assert_eq!((tally.result(), checks.get(Check::Dead).result()), (Result::Failed, Result::NotChecked));
        assert_eq!(checks.failed(), ["itself"]);
    }

    #[test]
    fn each_check_has_a_name_and_a_meaning() {
        for check in Check::all() {
            assert!(!check.name().is_empty() && check.meaning().len() > 10, "{check:?}");
        }
    }
}
