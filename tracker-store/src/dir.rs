//! The data directory: made, locked, and the few ways in which its files change.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Obstacle, StoreError};
use crate::faults::step;

const LOCK: &str = "lock";
const PROBE: &str = "probe.tmp";
/// Buffer of what is written in one go.
const BUFFER: usize = 256 << 10;

/// A directory that this process alone writes to, as long as this value lives.
///
/// It is made with mode 0700 if it is not there, and its files with mode 0600. The lock is an empty file, `lock`, which
/// the operating system unlocks when the process ends, however it ends.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    lock: File,
}

impl DataDir {
    /// Makes the directory if need be, locks it, and sees that it can be written to.
    ///
    /// # Errors
    /// Whatever keeps it from being used.
    pub fn open(path: &Path) -> Result<DataDir, StoreError> {
        let refuse = |why| StoreError::new(path, why);
        make(path).map_err(|error| refuse(Obstacle::Make(error)))?;
        let lock = open_lock(path).map_err(|error| refuse(Obstacle::Lock(error)))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(refuse(Obstacle::Taken)),
            Err(TryLockError::Error(error)) => return Err(refuse(Obstacle::Lock(error))),
        }
        let dir = DataDir { path: path.to_owned(), lock };
        dir.probe().map_err(|error| refuse(Obstacle::Write(error)))?;
        Ok(dir)
    }

    /// Where it is, as it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes the directory again where somebody has removed it, and locks it anew.
    ///
    /// # Errors
    /// It cannot be made, or another process was quicker.
    pub(crate) fn revive(&mut self) -> io::Result<()> {
        if self.path.is_dir() {
            return Ok(());
        }
        make(&self.path)?;
        let lock = open_lock(&self.path)?;
        lock.try_lock().map_err(io::Error::from)?;
        self.lock = lock;
        Ok(())
    }

    /// Opens a file to append to it; makes it if it is not there and that is wanted.
    pub(crate) fn open_to_append(&self, name: &str, make: bool) -> io::Result<File> {
        step("open to append")?;
        private(OpenOptions::new().append(true).create(make)).open(self.file(name))
    }

    /// Copies a damaged file as it is, so that nothing in it is lost, and returns the copy's name.
    pub(crate) fn put_aside(&self, name: &str, now: u64) -> io::Result<String> {
        let mut source = File::open(self.file(name))?;
        let stem = format!("{name}.corrupt-{now}");
        let mut copy = stem.clone();
        for n in 2.. {
            step("create copy")?;
            match private(OpenOptions::new().write(true).create_new(true)).open(self.file(&copy)) {
                Ok(mut target) => {
                    let copied = step("copy").and_then(|()| io::copy(&mut source, &mut target));
                    if let Err(error) = copied.and_then(|_| target.sync_all()) {
                        // half a copy is of no use, and takes room
                        let _ = fs::remove_file(self.file(&copy));
                        return Err(error);
                    }
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => copy = format!("{stem}-{n}"),
                Err(error) => return Err(error),
            }
        }
        self.sync()?;
        Ok(copy)
    }

    /// Makes what was created, renamed and removed in the directory durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        step("sync directory")?;
        File::open(&self.path)?.sync_all()
    }

    fn probe(&self) -> io::Result<()> {
        let path = self.file(PROBE);
        private(OpenOptions::new().write(true).create(true).truncate(true)).open(&path)?;
        fs::remove_file(path)
    }
}

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
    /// file under `name` if there was one before.
    pub(crate) fn commit(mut self, older: Option<&'static str>) -> io::Result<()> {
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
        self.dir.sync()
    }

    /// Gives the current file the name `older` too, in the place of the one that has it.
    fn keep(&self, current: &Path, older: &str) -> io::Result<()> {
        let temporary = self.dir.file(&temporary(older));
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        step("link")?;
        if fs::hard_link(current, &temporary).is_err() {
            // there are file systems without hard links
            step("copy for want of links")?;
            let mut target =
                private(OpenOptions::new().write(true).create(true).truncate(true)).open(&temporary)?;
            io::copy(&mut File::open(current)?, &mut target)?;
            target.sync_all()?;
        }
        step("rename older")?;
        fs::rename(temporary, self.dir.file(older))
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

fn temporary(name: &str) -> String {
    format!("{name}.tmp")
}

fn make(path: &Path) -> io::Result<()> {
    step("make directory")?;
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn open_lock(path: &Path) -> io::Result<File> {
    private(OpenOptions::new().write(true).create(true).truncate(false)).open(path.join(LOCK))
}

/// Files are for their owner alone: they hold addresses of peers.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_has_it_at_a_time() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a/b");
        let dir = DataDir::open(&path).unwrap();
        let error = DataDir::open(&path).unwrap_err();
        assert!(matches!(error.why, Obstacle::Taken));
        assert_eq!(
            error.to_string(),
            format!(
                "{} is in use by another process: stop that one, or choose another directory",
                path.display()
            )
        );
        drop(dir);
        let dir = DataDir::open(&path).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing but the lock");
    }

    #[cfg(unix)]
    #[test]
    fn it_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let place = tempfile::tempdir().unwrap();
        let dir = DataDir::open(&place.path().join("data")).unwrap();
        dir.open_to_append("file", true).unwrap();
        let mut replacement = Replacement::begin(&dir, "other").unwrap();
        replacement.write(b"x").unwrap();
        replacement.commit(None).unwrap();
        dir.put_aside("other", 5).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(dir.path()), 0o700);
        for name in [LOCK, "file", "other", "other.corrupt-5"] {
            assert_eq!(mode(&dir.file(name)), 0o600, "{name}");
        }
    }

    #[test]
    fn what_is_in_the_way_is_named() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(DataDir::open(&file).unwrap_err().why, Obstacle::Make(_)));
        assert!(matches!(DataDir::open(&file.join("below")).unwrap_err().why, Obstacle::Make(_)));
        let path = place.path().join("data");
        fs::create_dir_all(path.join(LOCK)).unwrap();
        assert!(matches!(DataDir::open(&path).unwrap_err().why, Obstacle::Lock(_)));
        fs::remove_dir(path.join(LOCK)).unwrap();
        fs::create_dir(path.join(PROBE)).unwrap();
        assert!(matches!(DataDir::open(&path).unwrap_err().why, Obstacle::Write(_)));
    }

    #[test]
    fn copies_put_aside_never_overwrite_one_another() {
        let place = tempfile::tempdir().unwrap();
        let dir = DataDir::open(place.path()).unwrap();
        fs::write(dir.file("x"), "one").unwrap();
        assert_eq!(dir.put_aside("x", 7).unwrap(), "x.corrupt-7");
        fs::write(dir.file("x"), "two").unwrap();
        assert_eq!(dir.put_aside("x", 7).unwrap(), "x.corrupt-7-2");
        assert_eq!(dir.put_aside("x", 7).unwrap(), "x.corrupt-7-3");
        assert_eq!(fs::read_to_string(dir.file("x.corrupt-7")).unwrap(), "one");
        assert_eq!(fs::read_to_string(dir.file("x.corrupt-7-2")).unwrap(), "two");
    }

    #[test]
    fn a_directory_that_was_removed_is_made_again() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("data");
        let mut dir = DataDir::open(&path).unwrap();
        dir.revive().unwrap();
        fs::remove_dir_all(&path).unwrap();
        dir.revive().unwrap();
        assert!(matches!(DataDir::open(&path).unwrap_err().why, Obstacle::Taken));
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
}
