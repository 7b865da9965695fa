//! Why a data directory cannot be used.

use std::io;
use std::path::{Path, PathBuf};

/// Why a data directory cannot be opened. `Display` is a sentence that names it and says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{} {}", path.display(), self.complaint())]
pub struct StoreError {
    /// The directory.
    pub path: PathBuf,
    /// What is in the way.
    pub why: Obstacle,
}

/// What is in the way.
#[derive(Debug)]
pub enum Obstacle {
    /// It is not there, and cannot be made.
    Make(io::Error),
    /// Another process has it.
    Taken,
    /// It cannot be locked.
    Lock(io::Error),
    /// Nothing can be written in it.
    Write(io::Error),
    /// A file in it cannot be read at all.
    Read {
        /// The file's name.
        file: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file in it was written by a later version of this program.
    Newer {
        /// The file's name.
        file: String,
        /// The version of its format.
        found: u32,
        /// The latest one that this program reads.
        known: u32,
    },
}

impl StoreError {
    pub(crate) fn new(path: &Path, why: Obstacle) -> Self {
        StoreError { path: path.to_owned(), why }
    }

    /// The sentence without the directory's name at its beginning.
    pub fn complaint(&self) -> String {
        match &self.why {
            Obstacle::Make(error) => {
                format!("cannot be made: {error}, make it yourself or choose another directory")
            }
            Obstacle::Taken => {
                "is in use by another process: stop that one, or choose another directory".to_owned()
            }
            Obstacle::Lock(error) => {
                format!("cannot be locked: {error}, check who owns it or choose another directory")
            }
            Obstacle::Write(error) => {
                format!("cannot be written to: {error}, check who owns it or choose another directory")
            }
            Obstacle::Read { file, source } => {
                format!("holds {file}, which cannot be read: {source}, check who owns it or move it away")
            }
            Obstacle::Newer { file, found, known } => format!(
                "holds {file} in format {found}, and this version reads formats up to {known}: \
                 use a later version, or another directory"
            ),
        }
    }
}
