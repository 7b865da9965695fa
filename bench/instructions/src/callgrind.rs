//! Runs this program under callgrind, and reads what that has counted.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

use crate::record::Row;

/// What a run has counted.
#[derive(Debug)]
pub(crate) struct Counted {
    /// Instructions per operation.
    pub rows: Vec<Row>,
    /// What the program saw of the processor.
    pub processor: String,
}

/// Why nothing was counted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallgrindError {
    /// There is no valgrind.
    #[error("valgrind is not installed")]
    Missing,
    /// It could not be started, or a file of its results not be read.
    #[error("cannot {action}: {source}")]
    Io {
        /// What was tried.
        action: String,
        /// What came of it.
        source: io::Error,
    },
    /// Valgrind or the program in it has failed.
    #[error("valgrind ended with {status}: {said}")]
    Failed {
        /// The exit code.
        status: String,
        /// What was on the standard error.
        said: String,
    },
    /// The counts do not fit the rows.
    #[error("callgrind wrote no count for {0}: see the files of --keep FOLDER")]
    NoCount(String),
}

fn failed(action: impl Into<String>) -> impl FnOnce(io::Error) -> CallgrindError {
    let action = action.into();
    move |source| CallgrindError::Io { action, source }
}

/// The version of valgrind, as it says it.
pub(crate) fn version() -> Result<String, CallgrindError> {
    let said = match Command::new("valgrind").arg("--version").output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(CallgrindError::Missing),
        said => said.map_err(failed("start valgrind"))?,
    };
    Ok(String::from_utf8_lossy(&said.stdout).trim().to_owned())
}

/// Counts all rows. Callgrind's files stay in `keep` if there is one: it must not exist yet.
pub(crate) fn count(keep: Option<&Path>) -> Result<Counted, CallgrindError> {
    let temporary = tempfile::tempdir().map_err(failed("make a temporary folder"))?;
    let folder = match keep {
        None => temporary.path(),
        Some(keep) => {
            fs::create_dir(keep).map_err(failed(format!("make the folder {}", keep.display())))?;
            &keep.canonicalize().map_err(failed(format!("find the folder {}", keep.display())))?
        }
    };
    let dump = folder.join("callgrind.out");
    let mut out_file = OsString::from("--callgrind-out-file=");
    out_file.push(&dump);
    let program = env::current_exe().map_err(failed("find this program"))?;
    let (Some(home), Some(name)) = (program.parent(), program.file_name()) else {
        return Err(failed("find the folder of this program")(io::ErrorKind::NotFound.into()));
    };
    // Arguments and environment move what lies on the stack and on the heap, and where things lie decides on some
    // instructions of a copy or a search: so the program sees the same ones wherever it is.
    let done = Command::new("valgrind")
        .args(["-q", "--tool=callgrind"])
        .args([format!("--toggle-collect=*{COUNTED}"), format!("--dump-after=*:{COUNTED}")])
        .arg(out_file)
        .arg(Path::new(".").join(name))
        .arg(ROWS)
        .current_dir(home)
        .env_clear()
        .envs(env::var_os("PATH").map(|path| ("PATH", path)))
        .output()
        .map_err(failed("start valgrind"))?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
        return Err(CallgrindError::Failed { status: done.status.to_string(), said });
    }
    let said = String::from_utf8_lossy(&done.stdout);
    let mut lines = said.lines();
    let processor = lines.next().unwrap_or_default().to_owned();
    let rows = lines.zip(1..).map(|(line, part)| row(line, &dump, part)).collect::<Result<_, _>>()?;
    Ok(Counted { rows, processor })
}

/// The argument with which this program carries out the rows.
pub(crate) const ROWS: &str = "--rows";

/// The end of the name of the function in which callgrind counts: see [`crate::rows`]. Of two options with the same pattern
/// callgrind 3.19 forgets one.
const COUNTED: &str = "counted_by_callgrind";

/// `line` has the operations and the name of a row, and the `part`-th file its instructions.
fn row(line: &str, dump: &Path, part: usize) -> Result<Row, CallgrindError> {
    let no_count = || CallgrindError::NoCount(line.to_owned());
    let (operations, name) = line.split_once(' ').ok_or_else(no_count)?;
    let operations: f64 = operations.parse().map_err(|_| no_count())?;
    let path = PathBuf::from(format!("{}.{part}", dump.display()));
    let text = fs::read_to_string(&path).map_err(failed(format!("read {}", path.display())))?;
    let instructions: f64 = text.lines().find_map(summary).ok_or_else(no_count)?;
    Ok(Row { name: name.to_owned(), instructions: instructions / operations })
}

fn summary(line: &str) -> Option<f64> {
    line.strip_prefix("summary: ").or_else(|| line.strip_prefix("totals: "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_the_instructions_of_its_file_by_its_operations() {
        let folder = tempfile::tempdir().unwrap();
        let dump = folder.path().join("out");
        fs::write(folder.path().join("out.3"), "version: 1\npart: 3\n\nsummary: 4500\nfn=(1)\n").unwrap();
        let row = row("1000 head of a client", &dump, 3).unwrap();
        assert_eq!(row, Row { name: "head of a client".to_owned(), instructions: 4.5 });
    }

    #[test]
    fn a_file_without_a_sum_is_no_count_of_zero() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("out.1"), "version: 1\n").unwrap();
        let error = row("10 x", &folder.path().join("out"), 1).unwrap_err();
        assert!(matches!(error, CallgrindError::NoCount(_)), "{error}");
        let error = row("10 x", &folder.path().join("out"), 2).unwrap_err();
        assert!(error.to_string().contains("out.2"), "{error}");
    }
}
