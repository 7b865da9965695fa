//! A file that takes another's place all at once.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::dir::{DataDir, private};
use crate::faults::step;

/// Buffer of what is written in one go.
const BUFFER: usize = 256 << 10;

/// A file that is being written to take another's place. Dropped before its [commit](Replacement::commit) it is removed
/// and has changed nothing.
#[derive(Debug)]
pub(crate) struct Replacement<'d> {
    dir: &'d DataDir,
    name: &'static str,
    out: BufWriter<File>,
    is_committed: bool,
}

impl<'d> Replacement<'d> {
    pub(crate) fn begin(dir: &'d DataDir, name: &'static str) -> io::Result<Self> {
        step("create")?;
        let file = private(OpenOptions::new().write(true).create(true).truncate(true))
            .open(dir.file(&temporary(name)))?;
        Ok(Replacement { dir, name, out: BufWriter::with_capacity(BUFFER, file), is_committed: false })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        step("write")?;
        self.out.write_all(bytes)
    }

    /// Puts the file in the place of the current one. That becomes `older`, if a name is given: at no moment is there no
    /// file under `name` if there was one before. It is durable when the directory was [synced](DataDir::sync) after.
    pub(crate) fn commit(mut self, older: Option<&'static str>) -> io::Result<()> {
        step("flush")?;
        self.out.flush()?;
        step("sync")?;
        self.out.get_ref().sync_all()?;
        let current = self.dir.file(self.name);
        if let Some(older) = older {
            self.keep(&current, older)?;
        }
        step("rename")?;
        fs::rename(self.dir.file(&temporary(self.name)), current)?;
        self.is_committed = true;
        Ok(())
    }

    /// Gives the current file the name `older` too, in the place of the one that has it.
    fn keep(&self, current: &Path, older: &str) -> io::Result<()> {
        let temporary = self.dir.file(&temporary(older));
        step("remove left-over")?;
        remove(&temporary)?;
        if step("link").and_then(|()| fs::hard_link(current, &temporary)).is_err() {
            // there are file systems without hard links
            step("copy for want of links")?;
            let mut target =
                private(OpenOptions::new().write(true).create(true).truncate(true)).open(&temporary)?;
            io::copy(&mut File::open(current)?, &mut target)?;
            step("sync copy")?;
            target.sync_all()?;
        }
        step("rename older")?;
        fs::rename(&temporary, self.dir.file(older))?;
        // where both were the same file already, renaming does nothing
        step("remove left-over").and_then(|()| remove(&temporary))
    }
}

impl Drop for Replacement<'_> {
    fn drop(&mut self) {
        if !self.is_committed && step("tidy up").is_ok() {
            // what is left over is overwritten the next time
            let _ = fs::remove_file(self.dir.file(&temporary(self.name)));
        }
    }
}

/// The name under which a file is made before it gets its own.
pub(crate) fn temporary(name: &str) -> String {
    format!("{name}.tmp")
}

/// Removes a file, if there is one.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::failing;

    fn replace(dir: &DataDir, text: &str, older: Option<&'static str>) -> io::Result<()> {
        let mut replacement = Replacement::begin(dir, "x")?;
        replacement.write(text.as_bytes())?;
        replacement.commit(older)
    }

    #[test]
    fn a_replacement_that_is_given_up_changes_nothing() {
        let place = tempfile::tempdir().unwrap();
        let dir = DataDir::open(place.path()).unwrap();
        fs::write(dir.file("x"), "old").unwrap();
        fs::write(dir.file("x.tmp"), "left over from a crash").unwrap();
        let mut replacement = Replacement::begin(&dir, "x").unwrap();
        replacement.write(b"new").unwrap();
        drop(replacement);
        assert_eq!(fs::read_to_string(dir.file("x")).unwrap(), "old");
        assert!(!dir.file("x.tmp").exists());
    }

    #[test]
    fn the_current_file_becomes_the_older_one_with_and_without_links() {
        let place = tempfile::tempdir().unwrap();
        let dir = DataDir::open(place.path()).unwrap();
        fs::write(dir.file("x"), "0").unwrap();
        fs::write(dir.file("y.tmp"), "left over from a crash").unwrap();
        replace(&dir, "1", Some("y")).unwrap();
        let (result, steps) =
            failing(|_, name| name == "link", io::ErrorKind::Unsupported, || replace(&dir, "2", Some("y")));
        result.unwrap();
        assert!(steps.contains(&"copy for want of links"), "{steps:?}");
        let read = |name: &str| fs::read_to_string(dir.file(name)).unwrap();
        assert_eq!((read("x").as_str(), read("y").as_str()), ("2", "1"));
        assert!(!dir.file("x.tmp").exists() && !dir.file("y.tmp").exists());
    }

    #[test]
    fn a_stop_between_both_renames_leaves_nothing_over_for_long() {
        let place = tempfile::tempdir().unwrap();
        let dir = DataDir::open(place.path()).unwrap();
        fs::write(dir.file("x"), "1").unwrap();
        fs::hard_link(dir.file("x"), dir.file("y")).unwrap();
        replace(&dir, "2", Some("y")).unwrap();
        assert_eq!(fs::read_to_string(dir.file("y")).unwrap(), "1");
        assert!(!dir.file("y.tmp").exists());
    }
}
