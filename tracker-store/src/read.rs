//! A file of lines, read through once: what is intact is shown, and what is missing is counted.

use std::io::{self, BufRead};

use crate::line::{self, Line};

/// A longer line is none of ours: it is passed over, so that no file can take more memory than this.
const LONGEST: usize = 32 << 20;

/// What was found beside intact lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    /// Lines that were shown.
    pub(crate) kept: u64,
    /// Lines that must have been there and are not, as far as that can be told.
    pub(crate) lost: u64,
    /// Lines that were there already.
    pub(crate) doubled: u64,
    /// Something that is no line.
    pub(crate) has_garbage: bool,
    /// How the file ends.
    pub(crate) tail: Tail,
    /// The number of the last line that was shown.
    pub(crate) last: Option<u64>,
}

/// How a file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Tail {
    /// With a line end, after so many bytes.
    #[default]
    Whole,
    /// Amid a line, which begins after so many bytes: something was writing when it was stopped.
    Torn(u64),
    /// With an intact line that lacks only its line end.
    Unended,
}

impl Tally {
    /// Whether lines were lost or something is there that does not belong; a torn end alone is no damage.
    pub(crate) fn is_damaged(&self) -> bool {
        self.lost > 0 || self.doubled > 0 || self.has_garbage
    }
}

/// Shows every intact line to `visit`, in order and without its line end, each number once. `visit` says whether the
/// line means anything to it, and may say which number is to come next. `first` is the number of the first line, if that
/// is known.
pub(crate) fn read(
    mut reader: impl BufRead,
    first: Option<u64>,
    mut visit: impl FnMut(&Line<'_>, &[u8]) -> Verdict,
) -> io::Result<Tally> {
    let mut tally = Tally::default();
    let mut expected = first;
    let mut bad = 0;
    let mut at = 0;
    let mut bytes = Vec::new();
    let mut take = |line: &Line<'_>, bytes: &[u8], bad: &mut u64, tally: &mut Tally| {
        if tally.last.is_some_and(|last| line.number <= last) {
            tally.doubled += 1;
            return;
        }
        let next = match visit(line, bytes) {
            Verdict::Unknown => {
                *bad += 1;
                tally.has_garbage = true;
                return;
            }
            Verdict::Good => line.number + 1,
            Verdict::GoodBefore(next) => next,
        };
        tally.lost += match expected {
            Some(expected) => line.number.saturating_sub(expected),
            None => *bad,
        };
        *bad = 0;
        expected = Some(next);
        tally.kept += 1;
        tally.last = Some(next.saturating_sub(1));
    };
    loop {
        bytes.clear();
        let (length, is_ended) = next_line(&mut reader, &mut bytes)?;
        if length == 0 {
            break;
        }
        match line::read(&bytes) {
            Some(line) => {
                take(&line, &bytes, &mut bad, &mut tally);
                if !is_ended {
                    tally.tail = Tail::Unended;
                }
            }
            None => {
                let before = tally.kept;
                bad += 1;
                salvage(&bytes, |line, bytes| take(line, bytes, &mut bad, &mut tally));
                if is_ended || tally.kept > before {
                    tally.has_garbage = true;
                } else {
                    bad -= 1;
                    tally.tail = Tail::Torn(at);
                }
            }
        }
        at += length;
    }
    tally.lost += bad;
    Ok(tally)
}

/// What a line means to whom it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing: it does not belong here.
    Unknown,
    /// What it should.
    Good,
    /// What it should, and the next line has this number.
    GoodBefore(u64),
}

/// Intact lines in what is no line as a whole: such as two that have lost the line end between them.
fn salvage(bytes: &[u8], mut take: impl FnMut(&Line<'_>, &[u8])) {
    let starts: Vec<_> = line::starts(bytes).collect();
    for (n, &start) in starts.iter().enumerate() {
        let end = starts.get(n + 1).copied().unwrap_or(bytes.len());
        let piece = &bytes[start..end];
        let Some(close) = piece.iter().rposition(|&byte| byte == b')') else { continue };
        if let Some(line) = line::read(&piece[..=close]) {
            take(&line, &piece[..=close]);
        }
    }
}

/// Reads a line into `bytes`, without its end; of one that is too long only the first part. Returns how many bytes it
/// takes in the file, and whether it has an end.
fn next_line(reader: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<(u64, bool)> {
    let mut length = 0;
    loop {
        let buffer = match reader.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            buffer => buffer?,
        };
        if buffer.is_empty() {
            return Ok((length, false));
        }
        let end = buffer.iter().position(|&byte| byte == b'\n');
        let part = &buffer[..end.unwrap_or(buffer.len())];
        let room = LONGEST - bytes.len();
        bytes.extend_from_slice(&part[..part.len().min(room)]);
        let used = part.len() + usize::from(end.is_some());
        reader.consume(used);
        length += used as u64;
        if end.is_some() {
            return Ok((length, true));
        }
    }
}
