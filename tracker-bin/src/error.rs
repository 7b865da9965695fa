//! Why the program did not do what it was asked for.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use tracker_core::AccessError;

/// One sentence for the user, each with its place.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line makes no sense.
    #[error("{0}")]
    Usage(String),
    /// A tracker cannot be checked: it cannot be asked, or the command line makes no sense.
    #[error("{0}")]
    Unchecked(String),
    /// The configuration file is not there, or is not ours to read.
    #[error("{}: cannot be read: {source}, check --config", path.display())]
    ConfigUnreadable {
        /// The file as it was named.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The configuration file is not RON.
    #[error("{}:{line}:{column}: {problem}", path.display())]
    Syntax {
        /// The file as it was named.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What the parser says.
        problem: String,
    },
    /// A setting cannot be used.
    #[error("{place}: {problem}")]
    Setting {
        /// Where it was written.
        place: Place,
        /// Begins with the value as it was written.
        problem: String,
    },
    /// The access list is not there, or is not ours to read.
    #[error("{}: cannot be read: {source}, check access.file", path.display())]
    AccessUnreadable {
        /// The file as it was named.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A line of the access list is no info hash.
    #[error("{}:{}: {error}", path.display(), error.line)]
    AccessLine {
        /// The file as it was named.
        path: PathBuf,
        /// The line and what stands there.
        error: AccessError,
    },
    /// The certificate or the private key of TLS cannot be used.
    #[error("{}: {problem}, check {key}", path.display())]
    TlsFile {
        /// The file as it was named.
        path: PathBuf,
        /// The key that names it.
        key: &'static str,
        /// What is wrong, to stand behind the file's name.
        problem: String,
    },
    /// What was asked for cannot be printed.
    #[error("cannot write to the standard output: {0}")]
    Output(io::Error),
    /// Something else that the operating system refuses.
    #[error("{0}")]
    System(String),
    /// The operating system lets us do nothing on a signal.
    #[error("cannot catch signals: {0}")]
    Signals(io::Error),
}

impl Error {
    /// What the program ends with: 1, or 2 where 1 says that a check has found something wrong.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Error::Unchecked(_) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}

/// Where a setting was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nowhere: its default is in force.
    Default {
        /// As in `swarm.interval`.
        key: String,
    },
    /// In the configuration file.
    File {
        /// The file as it was named.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// As in `swarm.interval`.
        key: String,
    },
    /// On the command line.
    Option {
        /// As in `--workers`.
        name: &'static str,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Default { key } => f.write_str(key),
            Place::File { path, line, key } => write!(f, "{}:{line}: {key}", path.display()),
            Place::Option { name } => f.write_str(name),
        }
    }
}
