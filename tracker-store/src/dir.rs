//! The data directory: made, locked, and the few ways in which its files change.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::error::{Obstacle, StoreError};
use crate::faults::step;
use crate::replacement::temporary;

const LOCK: &str = "lock";
const PROBE: &str = "probe.tmp";

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

    /// Copies a damaged file as it is, so that nothing in it is lost, and returns the copy's name. Where there is a copy
    /// of it already, from an attempt that got no further or an earlier start, that is the one.
    pub(crate) fn put_aside(&self, name: &str, now: u64) -> io::Result<String> {
        let current = self.file(name);
        let stem = format!("{name}.corrupt-{now}");
        let mut copy = match self.copy_of(name)? {
            Some(copy) => return Ok(copy),
            None => stem.clone(),
        };
        for n in 2.. {
            if !self.file(&copy).try_exists()? {
                break;
            }
            copy = format!("{stem}-{n}");
        }
        if let Err(error) = self.copy(&current, &copy) {
            // without room for a copy, another name is as good while nobody writes to the file
            step("link")?;
            fs::hard_link(&current, self.file(&copy)).map_err(|_| error)?;
        }
        self.sync()?;
        Ok(copy)
    }

    /// The name of a file put aside that is what `name` is now.
    fn copy_of(&self, name: &str) -> io::Result<Option<String>> {
        let start = format!("{name}.corrupt-");
        let length = fs::metadata(self.file(name))?.len();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let copy = entry.file_name().into_string().unwrap_or_default();
            let is_one = copy.strip_prefix(&start).is_some_and(|rest| !rest.ends_with(".tmp"));
            if is_one && entry.metadata()?.len() == length && is_same(&self.file(name), &entry.path())? {
                return Ok(Some(copy));
            }
        }
        Ok(None)
    }

    /// Copies a file, all of it or nothing.
    fn copy(&self, from: &Path, to: &str) -> io::Result<()> {
        let temporary = self.file(&temporary(to));
        let copy = || {
            step("create copy")?;
            let mut target =
                private(OpenOptions::new().write(true).create(true).truncate(true)).open(&temporary)?;
            step("copy")?;
            io::copy(&mut File::open(from)?, &mut target)?;
            step("sync copy")?;
            target.sync_all()?;
            step("rename copy")?;
            fs::rename(&temporary, self.file(to))
        };
        copy().inspect_err(|_| {
            // half a copy is of no use, and takes room
            let _ = step("tidy up").and_then(|()| fs::remove_file(&temporary));
        })
    }

    /// Makes what was created, renamed and removed in the directory durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        step("sync directory")?;
        File::open(&self.path)?.sync_all()
    }

    fn probe(&self) -> io::Result<()> {
        step("probe")?;
        let path = self.file(PROBE);
        private(OpenOptions::new().write(true).create(true).truncate(true)).open(&path)?;
        fs::remove_file(path)
    }
}

fn make(path: &Path) -> io::Result<()> {
    step("make directory")?;
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    // what is in a directory lasts no longer than its name in the one above; which of them are new is not known
    for above in path.ancestors().skip(1) {
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        // not every directory may be opened
        let _ = File::open(above).and_then(|above| above.sync_all());
    }
    Ok(())
}

fn open_lock(path: &Path) -> io::Result<File> {
    step("lock")?;
    private(OpenOptions::new().write(true).create(true).truncate(false)).open(path.join(LOCK))
}

/// Whether two files hold the same.
fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (BufReader::new(File::open(one)?), BufReader::new(File::open(other)?));
    loop {
        let (a, b) = (one.fill_buf()?, other.fill_buf()?);
        let length = a.len().min(b.len());
        if length == 0 {
            return Ok(a.len() == b.len());
        }
        if a[..length] != b[..length] {
            return Ok(false);
        }
        one.consume(length);
        other.consume(length);
    }
}

/// Files are for their owner alone: they hold addresses of peers.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::failing;
    use crate::replacement::Replacement;

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
        let put = |text: &str, now| {
            fs::write(dir.file("x"), text).unwrap();
            dir.put_aside("x", now).unwrap()
        };
        assert_eq!(put("one", 7), "x.corrupt-7");
        assert_eq!(put("two", 7), "x.corrupt-7-2");
        assert_eq!(put("three", 7), "x.corrupt-7-3");
        for (name, text) in [("x.corrupt-7", "one"), ("x.corrupt-7-2", "two"), ("x.corrupt-7-3", "three")] {
            assert_eq!(fs::read_to_string(dir.file(name)).unwrap(), text);
        }
    }

    #[test]
    fn what_was_put_aside_already_is_not_copied_again() {
        let place = tempfile::tempdir().unwrap();
        let dir = DataDir::open(place.path()).unwrap();
        fs::write(dir.file("x"), "one").unwrap();
        assert_eq!(dir.put_aside("x", 7).unwrap(), "x.corrupt-7");
        fs::write(dir.file("x.corrupt-6.tmp"), "one").unwrap();
        for now in 7..10 {
            assert_eq!(dir.put_aside("x", now).unwrap(), "x.corrupt-7");
        }
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            4,
            "the lock, the file, half a copy and a whole one"
        );
    }

    #[test]
    fn where_there_is_no_room_for_a_copy_the_file_gets_a_second_name() {
        let place = tempfile::tempdir().unwrap();
        let dir = DataDir::open(place.path()).unwrap();
        fs::write(dir.file("x"), "one").unwrap();
        let (_, steps) = failing(|_, _| false, io::ErrorKind::Other, || dir.put_aside("x", 1).unwrap());
        fs::remove_file(dir.file("x.corrupt-1")).unwrap();
        for (step, name) in steps.iter().enumerate().filter(|(_, name)| **name != "sync directory") {
            let (copy, _) =
                failing(move |at, _| at == step, io::ErrorKind::StorageFull, || dir.put_aside("x", 2));
            assert_eq!(copy.unwrap(), "x.corrupt-2", "{name}");
            assert_eq!(fs::read_to_string(dir.file("x.corrupt-2")).unwrap(), "one");
            assert!(!dir.file("x.corrupt-2.tmp").exists());
            fs::remove_file(dir.file("x.corrupt-2")).unwrap();
        }
        failing(|_, _| true, io::ErrorKind::StorageFull, || dir.put_aside("x", 3).unwrap_err());
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
}
