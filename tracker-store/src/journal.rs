//! A file that grows by a line at a time, and of which a crash takes no more than the line that was being written.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use crate::damage::Damage;
use crate::dir::{DataDir, Replacement};
use crate::error::{Obstacle, StoreError};
use crate::faults::step;
use crate::line::{self, Line, Record};
use crate::read::{self, Tail, Tally, Verdict};

/// The format's version.
pub(crate) const VERSION: u32 = 1;

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Journal {
    /// What the file holds, as in `Sample`.
    of: String,
    pub(crate) version: u32,
    /// The number of the line that comes first: lines before it were dropped for their age.
    first: u64,
}

impl Record for Journal {
    const NAME: &'static str = "Journal";
}

/// An append-only file of records.
///
/// Each record is one line with its number and checksum, written in one go and made durable before
/// [`append`](JournalFile::append) returns. A file that is found damaged is copied aside whole and goes on with all of its
/// intact lines.
#[derive(Debug)]
pub struct JournalFile<R> {
    name: &'static str,
    /// The number of the next line.
    next: u64,
    /// How long the file is, as far as it is good.
    length: u64,
    state: State,
    records: PhantomData<R>,
}

/// What is to be done before the next line is appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing, but that whatever stands behind `length` is cut off.
    Good,
    /// The last line lacks its end.
    End,
    /// The file is damaged: it is to be put aside and written anew.
    Repair,
}

impl<R: Record> JournalFile<R> {
    /// Opens the file `name`, or makes it, and shows every intact record in it to `visit`. `now`, in Unix seconds, goes
    /// into the name of what is put aside.
    ///
    /// A disk that cannot be written to is no error here: what is to be repaired is repaired before the next append.
    ///
    /// # Errors
    /// A file that cannot be read, or is of a later format.
    pub fn open(
        dir: &DataDir,
        name: &'static str,
        now: u64,
        mut visit: impl FnMut(R),
    ) -> Result<(Self, Option<Damage>), StoreError> {
        let mut journal = JournalFile { name, next: 1, length: 0, state: State::Good, records: PhantomData };
        let refuse = |why| StoreError::new(dir.path(), why);
        let unreadable = |source| refuse(Obstacle::Read { file: name.to_owned(), source });
        let file = match File::open(dir.file(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // made now, so that whoever looks finds it; where that fails, the next append will say so
                let _ = journal.prepare(dir, now);
                return Ok((journal, None));
            }
            Err(error) => return Err(unreadable(error)),
        };
        let length = file.metadata().map_err(unreadable)?.len();
        let mut newer = None;
        let tally = scan(
            file,
            |header| newer = (header.version > VERSION).then_some(header.version),
            |record, _| {
                visit(record);
            },
        )
        .map_err(unreadable)?;
        if let Some(found) = newer {
            return Err(refuse(Obstacle::Newer { file: name.to_owned(), found, known: VERSION }));
        }
        journal.next = tally.last.map_or(1, |last| last + 1);
        (journal.length, journal.state) = match tally.tail {
            _ if tally.is_damaged() => (length, State::Repair),
            Tail::Whole => (length, State::Good),
            Tail::Torn(good) => (good, State::Good),
            Tail::Unended => (length, State::End),
        };
        let damage = Damage::of(name, &tally, || journal.repair(dir, now).map_err(|error| error.to_string()));
        Ok((journal, damage))
    }

    /// Appends a record, and returns when it is on the disk. An error leaves the file as it was, or so that the next
    /// append mends it.
    ///
    /// # Errors
    /// The disk is full, read-only, or gone.
    pub fn append(&mut self, dir: &DataDir, record: &R, now: u64) -> io::Result<()> {
        self.append_all(dir, std::slice::from_ref(record), now)
    }

    /// Appends several records in one go: all of them or none.
    ///
    /// # Errors
    /// As [`append`](JournalFile::append).
    pub fn append_all(&mut self, dir: &DataDir, records: &[R], now: u64) -> io::Result<()> {
        let mut file = self.prepare(dir, now)?;
        let mut text = String::new();
        for (record, number) in records.iter().zip(self.next..) {
            line::write(&mut text, number, record).map_err(io::Error::other)?;
        }
        self.write(&mut file, text.as_bytes())?;
        self.next += records.len() as u64;
        Ok(())
    }

    /// Drops the records that are not to be `kept`, if any is to go. The current file stays until the new one is whole.
    ///
    /// # Errors
    /// The disk is full, read-only, or gone: nothing has changed then.
    pub fn compact(
        &mut self,
        dir: &DataDir,
        now: u64,
        kept: impl FnMut(&R) -> bool,
    ) -> io::Result<Option<Damage>> {
        self.prepare(dir, now)?;
        let (mut damage, mut kept) = (None, kept);
        let tally = self.scan(dir, |_, _| {})?;
        if tally.is_damaged() {
            self.state = State::Repair;
            let aside = self.repair(dir, now);
            damage = Damage::of(self.name, &tally, || aside.map_err(|error| error.to_string()));
        }
        self.rewrite(dir, &mut kept)?;
        Ok(damage)
    }

    /// Shows every intact record in the file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(&self, dir: &DataDir, mut visit: impl FnMut(R)) -> io::Result<()> {
        self.scan(dir, |record, _| visit(record)).map(|_| ())
    }

    /// The file is gone: it begins anew with the next append.
    pub(crate) fn forget_file(&mut self) {
        self.length = 0;
        self.state = State::Good;
    }

    /// Mends what is to be mended, and opens the file so that the next line can go behind its end.
    fn prepare(&mut self, dir: &DataDir, now: u64) -> io::Result<File> {
        if self.state == State::Repair {
            self.repair(dir, now)?;
        }
        let mut file = dir.open_to_append(self.name, self.length == 0)?;
        let actual = file.metadata()?.len();
        if actual < self.length {
            // somebody else has cut it: what is left is looked through like a damaged file
            self.state = State::Repair;
            self.repair(dir, now)?;
            file = dir.open_to_append(self.name, self.length == 0)?;
        } else if actual > self.length {
            step("cut")?;
            file.set_len(self.length)?;
        }
        if self.state == State::End {
            self.write(&mut file, b"\n")?;
        }
        self.state = State::Good;
        if self.length == 0 {
            let text = header::<R>(self.next)?;
            self.write(&mut file, text.as_bytes())?;
            dir.sync()?;
        }
        Ok(file)
    }

    fn write(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        let written = step("append").and_then(|()| match file.write(bytes) {
            Ok(written) if written < bytes.len() => Err(io::ErrorKind::StorageFull.into()),
            other => other,
        });
        if let Err(error) = written.and_then(|_| step("sync data")).and_then(|()| file.sync_data()) {
            // a part of the line may be there: cut off now or, if that fails, before the next append
            let _ = file.set_len(self.length);
            return Err(error);
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Copies the damaged file aside, and writes it anew with what is intact. Returns the copy's name.
    fn repair(&mut self, dir: &DataDir, now: u64) -> io::Result<String> {
        let aside = dir.put_aside(self.name, now)?;
        self.rewrite(dir, &mut |_| true)?;
        self.state = State::Good;
        Ok(aside)
    }

    fn rewrite(&mut self, dir: &DataDir, kept: &mut impl FnMut(&R) -> bool) -> io::Result<()> {
        let mut replacement = Replacement::begin(dir, self.name)?;
        let mut length = 0;
        let mut failed = Ok(());
        let mut write = |replacement: &mut Replacement<'_>, bytes: &[u8]| {
            length += bytes.len() as u64;
            if failed.is_ok() {
                failed = replacement.write(bytes);
            }
        };
        let mut expected = None;
        let mut text = String::new();
        let tally = self.scan(dir, |record, line| {
            // the first ones go, and no others: a gap would look like a loss
            if expected.is_none() && !kept(&record) {
                return;
            }
            let number = expected.unwrap_or(line.number);
            if expected.is_none() {
                // an error here is one of formatting a header, which has none
                write(&mut replacement, header::<R>(number).unwrap_or_default().as_bytes());
            }
            text.clear();
            // lines lost in a damaged file leave a gap, which is closed here
            if line::write(&mut text, number, &record).is_ok() {
                write(&mut replacement, text.as_bytes());
            }
            expected = Some(number + 1);
        })?;
        let next = match expected {
            Some(next) => next,
            None => {
                let next = tally.last.map_or(self.next, |last| last + 1);
                write(&mut replacement, header::<R>(next)?.as_bytes());
                next
            }
        };
        failed?;
        replacement.commit(None)?;
        self.next = next;
        self.length = length;
        Ok(())
    }

    fn scan(&self, dir: &DataDir, visit: impl FnMut(R, &Line<'_>)) -> io::Result<Tally> {
        scan(File::open(dir.file(self.name))?, |_| {}, visit)
    }
}

fn header<R: Record>(first: u64) -> io::Result<String> {
    let mut text = String::new();
    let header = Journal { of: R::NAME.to_owned(), version: VERSION, first };
    line::write(&mut text, 0, &header).map_err(io::Error::other)?;
    Ok(text)
}

fn scan<R: Record>(
    file: File,
    mut head: impl FnMut(&Journal),
    mut visit: impl FnMut(R, &Line<'_>),
) -> io::Result<Tally> {
    let mut is_headed = false;
    let mut tally = read::read(BufReader::with_capacity(64 << 10, file), None, |line, _| {
        if line.number == 0 {
            return match line.record::<Journal>() {
                Some(header) if header.of == R::NAME => {
                    head(&header);
                    is_headed = true;
                    Verdict::GoodBefore(header.first)
                }
                _ => Verdict::Unknown,
            };
        }
        match line.record::<R>() {
            Some(record) => {
                visit(record, line);
                Verdict::Good
            }
            None => Verdict::Unknown,
        }
    })?;
    // a file that only ends amid its first line is no more than torn
    tally.has_garbage |= !is_headed && tally.kept > 0;
    Ok(tally)
}
