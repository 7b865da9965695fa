//! A file that grows by a line at a time, and of which a crash takes no more than the line that was being written.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use crate::damage::Damage;
use crate::dir::DataDir;
use crate::error::{Obstacle, StoreError};
use crate::faults::{self, step};
use crate::line::{self, Record};
use crate::read::{self, LAST_NUMBER, Tail, Tally, Verdict};
use crate::replacement::Replacement;

/// The format's version.
const VERSION: u32 = 1;

/// No journal comes to a number like this, and one that has it would have no room for more: its lines are numbered anew.
const FAR: u64 = LAST_NUMBER / 2;

/// The first line. Of a later format no more need be the same than the version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Journal {
    /// What the file holds, as in `Sample`.
    #[serde(default)]
    of: String,
    pub(crate) version: u32,
    /// The number of the line that comes first: lines before it were dropped for their age.
    #[serde(default)]
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
    due: Due,
    /// What was found wrong while running, and not yet told.
    found: Option<Damage>,
    records: PhantomData<R>,
}

/// What is to be done before the next line is appended.
#[derive(Clone, Copy, Debug, Default)]
struct Due {
    /// The file is damaged: it is to be put aside and written anew.
    repair: bool,
    /// Part of a line stands behind `length`, and is to be cut off.
    cut: bool,
    /// The last line lacks its end.
    end: bool,
    /// The file is new, and its name not known to be on the disk.
    sync: bool,
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
        let mut journal =
            JournalFile { name, next: 1, length: 0, due: Due::default(), found: None, records: PhantomData };
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
        let mut newest = VERSION;
        let tally = scan(buffered(file), |header| newest = newest.max(header.version), &mut |_, record| {
            visit(record);
        })
        .map_err(unreadable)?;
        if newest > VERSION {
            return Err(refuse(Obstacle::Newer { file: name.to_owned(), found: newest, known: VERSION }));
        }
        journal.next = tally.last.map_or(1, |last| last + 1);
        journal.length = if let Tail::Torn(good) = tally.tail { good } else { length };
        journal.due = Due {
            repair: tally.is_damaged(),
            cut: matches!(tally.tail, Tail::Torn(_)),
            end: tally.tail == Tail::Unended,
            // by whoever wrote it last, if there was time
            sync: true,
        };
        let damage = Damage::of(name, &tally, || journal.repair(dir, now).map(|(copy, _)| copy));
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

    /// Drops records from the front, up to the first one that is `kept`. The current file stays until the new one is
    /// whole. Returns what was found wrong with it since it was opened.
    ///
    /// # Errors
    /// The disk is full, read-only, or gone: nothing has changed then.
    pub fn compact(
        &mut self,
        dir: &DataDir,
        now: u64,
        mut kept: impl FnMut(&R) -> bool,
    ) -> io::Result<Option<Damage>> {
        self.prepare(dir, now)?;
        if self.scan(dir, |_, _| {})?.is_damaged() {
            self.due.repair = true;
            self.mend(dir, now)?;
        }
        self.rewrite(dir, &mut kept)?;
        self.sync(dir)?;
        Ok(self.found.take())
    }

    /// Shows every intact record in the file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(&self, dir: &DataDir, mut visit: impl FnMut(R)) -> io::Result<()> {
        self.scan(dir, |_, record| visit(record)).map(|_| ())
    }

    /// What was found wrong since the file was opened, once.
    pub(crate) fn take_found(&mut self) -> Option<Damage> {
        self.found.take()
    }

    /// The file is gone: it begins anew with the next append.
    pub(crate) fn forget_file(&mut self) {
        self.length = 0;
        self.due = Due::default();
    }

    /// Mends what is to be mended, and opens the file so that the next line can go behind its end.
    fn prepare(&mut self, dir: &DataDir, now: u64) -> io::Result<File> {
        if self.due.repair {
            self.mend(dir, now)?;
        }
        let mut file = dir.open_to_append(self.name, self.length == 0)?;
        let actual = file.metadata()?.len();
        if actual < self.length || actual > self.length && !self.due.cut {
            // somebody else has changed it: what is there is looked through like a damaged file
            self.due.repair = true;
            self.mend(dir, now)?;
            file = dir.open_to_append(self.name, false)?;
        }
        if self.due.cut {
            step("cut")?;
            file.set_len(self.length)?;
            self.due.cut = false;
        }
        if self.due.end {
            self.write(&mut file, b"\n")?;
            self.due.end = false;
        }
        if self.length == 0 {
            self.due.sync = true;
            let text = header::<R>(self.next)?;
            self.write(&mut file, text.as_bytes())?;
        }
        self.sync(dir)?;
        Ok(file)
    }

    fn write(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        let written = match faults::write("append", file, bytes) {
            Ok(written) if written < bytes.len() => Err(io::ErrorKind::StorageFull.into()),
            other => other,
        };
        if let Err(error) = written.and_then(|_| step("sync data")).and_then(|()| file.sync_data()) {
            // a part of the line may be there: cut off now or, if that fails, before the next append
            self.due.cut = step("cut").and_then(|()| file.set_len(self.length)).is_err();
            return Err(error);
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn sync(&mut self, dir: &DataDir) -> io::Result<()> {
        if self.due.sync {
            dir.sync()?;
            self.due.sync = false;
        }
        Ok(())
    }

    /// Repairs what was found damaged while running, and notes what there is to tell.
    fn mend(&mut self, dir: &DataDir, now: u64) -> io::Result<()> {
        let had = self.next;
        let (copy, mut tally) = self.repair(dir, now)?;
        // also where it only ends amid a line: nobody but somebody else can have written that
        tally.has_garbage = true;
        // lines that are missing at the end are not missed by who does not know that they were there
        tally.lost += had.saturating_sub(tally.last.map_or(1, |last| last + 1));
        self.found = Damage::of(self.name, &tally, || Ok(copy)).or(self.found.take());
        Ok(())
    }

    /// Copies the damaged file aside, and writes it anew with what is intact. Returns the copy's name, and what was found.
    fn repair(&mut self, dir: &DataDir, now: u64) -> io::Result<(String, Tally)> {
        let aside = dir.put_aside(self.name, now)?;
        let tally = self.rewrite(dir, &mut |_| true)?;
        Ok((aside, tally))
    }

    /// Writes the file anew, from the first record on that is `kept`.
    fn rewrite(&mut self, dir: &DataDir, kept: &mut impl FnMut(&R) -> bool) -> io::Result<Tally> {
        let mut new = Rewriting { out: Replacement::begin(dir, self.name)?, length: 0, next: None };
        let mut written = Ok(());
        let tally = self.scan(dir, |number, record| {
            // the first ones go, and no others: a gap would look like a loss
            if written.is_ok() && (new.next.is_some() || kept(&record)) {
                written = new.record(number, &record);
            }
        })?;
        written?;
        let next = match new.next {
            Some(next) => next,
            None => new.begin::<R>(tally.last.map_or(self.next, |last| last + 1))?,
        };
        new.out.commit(None)?;
        (self.next, self.length) = (next, new.length);
        self.due = Due { sync: true, ..Due::default() };
        Ok(tally)
    }

    fn scan(&self, dir: &DataDir, mut visit: impl FnMut(u64, R)) -> io::Result<Tally> {
        scan(buffered(File::open(dir.file(self.name))?), |_| {}, &mut visit)
    }
}

/// A journal that is being written anew.
struct Rewriting<'d> {
    out: Replacement<'d>,
    length: u64,
    /// The number of the next line, once there is one.
    next: Option<u64>,
}

impl Rewriting<'_> {
    /// Writes the header of a journal that begins with line `first`, or 1 if that is too far. Returns which.
    fn begin<R: Record>(&mut self, first: u64) -> io::Result<u64> {
        // half of it, so that those behind it are not too far either
        let first = if first > FAR / 2 { 1 } else { first };
        let text = header::<R>(first)?;
        self.length += text.len() as u64;
        self.out.write(text.as_bytes())?;
        Ok(first)
    }

    /// Writes a record that had `number`: the first one still has, and those after it have the ones that follow. So
    /// the gaps are closed that lost lines left.
    fn record<R: Record>(&mut self, number: u64, record: &R) -> io::Result<()> {
        let number = match self.next {
            Some(next) => next,
            None => self.begin::<R>(number)?,
        };
        let mut text = String::new();
        line::write(&mut text, number, record).map_err(io::Error::other)?;
        self.length += text.len() as u64;
        self.next = Some(number + 1);
        self.out.write(text.as_bytes())
    }
}

pub(crate) fn header<R: Record>(first: u64) -> io::Result<String> {
    let mut text = String::new();
    let header = Journal { of: R::NAME.to_owned(), version: VERSION, first };
    line::write(&mut text, 0, &header).map_err(io::Error::other)?;
    Ok(text)
}

fn buffered(file: File) -> BufReader<File> {
    BufReader::with_capacity(64 << 10, file)
}

/// Reads a journal through.
pub(crate) fn scan<R: Record>(
    reader: impl BufRead,
    mut head: impl FnMut(&Journal),
    visit: &mut impl FnMut(u64, R),
) -> io::Result<Tally> {
    let mut tally = read::read(reader, None, |line, _| {
        if line.number > 0 {
            let Some(record) = line.record() else { return Verdict::Unknown };
            visit(line.number, record);
            return Verdict::Good;
        }
        let Some(header) = line.record::<Journal>() else { return Verdict::Unknown };
        head(&header);
        let makes_sense = header.of == R::NAME && (1..=LAST_NUMBER).contains(&header.first);
        if makes_sense { Verdict::GoodBefore(header.first) } else { Verdict::Unknown }
    })?;
    tally.has_garbage |= tally.last.is_some_and(|last| last > FAR);
    Ok(tally)
}

#[cfg(test)]
mod tests;
