//! What has been found.

use std::fmt;

use crate::tracker_url::TrackerUrl;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// As it should be.
    #[default]
    Ok,
    /// Worth knowing; nothing to be done, or nothing that matters to many.
    Note,
    /// Some clients, or some users, are worse off.
    Warning,
    /// Peers do not find each other, or not all of them.
    Wrong,
}

impl Level {
    /// In a word, for people and scripts.
    pub fn name(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Wrong => "wrong",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One thing that was asked, and what came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its name, such as `swarm.told`: the same in every version.
    pub check: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What was asked, in a few words.
    pub asked: String,
    /// What came, in a sentence without its full stop. What it quotes of the tracker is in one line and without controls.
    pub came: String,
    /// What to do about it.
    pub remedy: Option<&'static str>,
}

/// All that was found.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Report {
    /// Who was asked in the end, after redirects.
    pub url: String,
    /// In the order in which it was asked.
    pub findings: Vec<Finding>,
    /// How many requests were made.
    pub requests: u32,
}

impl Report {
    /// The worst of the findings' levels.
    pub fn worst(&self) -> Level {
        self.findings.iter().map(|finding| finding.level).max().unwrap_or_default()
    }

    /// How many findings there are of a level.
    pub fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    pub(super) fn finish(mut self, url: &TrackerUrl) -> Report {
        self.url = url.to_string();
        self
    }
}
