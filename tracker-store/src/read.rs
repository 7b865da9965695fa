//! A file of lines, read through once: what is intact is shown, and what is missing is counted.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use crate::line::{self, Line};

/// A longer line is none of ours: it is passed over, so that no file can take more memory than this.
const LONGEST: usize = 32 << 20;
/// A higher number is none of ours either.
pub(crate) const LAST_NUMBER: u64 = 1 << 62;

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
    /// The number before that of the next line.
    pub(crate) last: Option<u64>,
}

/// How a file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Tail {
    /// With a line end, or there is nothing in it.
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

/// What a line means to whom it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing: it does not belong here.
    Unknown,
    /// What it should.
    Good,
    /// What it should, and the lines after it are numbered from here on.
    GoodBefore(u64),
    /// What it should, and it has the highest number.
    GoodAndLast,
}

/// Shows every intact line to `visit`, as they come and without their line ends, each number once. `first` is the number
/// of the first line, if that is known.
pub(crate) fn read(
    mut reader: impl BufRead,
    first: Option<u64>,
    visit: impl FnMut(&Line<'_>, &[u8]) -> Verdict,
) -> io::Result<Tally> {
    let mut reading = Reading {
        visit,
        tally: Tally::default(),
        seen: Seen::default(),
        first,
        bad_before: 0,
        bad: 0,
        is_complete: false,
    };
    let mut at = 0;
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let (length, is_ended) = next_line(&mut reader, &mut bytes)?;
        if length == 0 {
            return Ok(reading.finish());
        }
        match line::read(&bytes) {
            Some(line) => {
                reading.take(&line, &bytes);
                if !is_ended {
                    reading.tally.tail = Tail::Unended;
                }
            }
            None => {
                let due = reading.tally.last.map_or(0, |last| last + 1);
                reading.bad += 1;
                let found = salvage(&bytes, |line, bytes| reading.take(line, bytes));
                if !is_ended && found == 0 && line::is_begun(&bytes, due) {
                    reading.bad -= 1;
                    reading.tally.tail = Tail::Torn(at);
                } else {
                    reading.tally.has_garbage = true;
                }
            }
        }
        at += length;
    }
}

/// What is known half-way through a file.
struct Reading<V> {
    visit: V,
    tally: Tally,
    seen: Seen,
    first: Option<u64>,
    /// What was no line, before the first one that was.
    bad_before: u64,
    /// What was no line, since the one with the highest number.
    bad: u64,
    /// Whether the line with the highest number that there can be was there.
    is_complete: bool,
}

impl<V: FnMut(&Line<'_>, &[u8]) -> Verdict> Reading<V> {
    fn take(&mut self, line: &Line<'_>, bytes: &[u8]) {
        if self.seen.contains(line.number) {
            self.tally.doubled += 1;
            return;
        }
        let verdict = if line.number > LAST_NUMBER { Verdict::Unknown } else { (self.visit)(line, bytes) };
        let mut last = line.number;
        match verdict {
            Verdict::Unknown => {
                self.tally.has_garbage = true;
                self.bad += 1;
                return;
            }
            Verdict::Good => {}
            Verdict::GoodBefore(next) => {
                self.first = Some(next);
                last = last.max(next.saturating_sub(1));
            }
            Verdict::GoodAndLast => self.is_complete = true,
        }
        if self.tally.kept == 0 {
            self.bad_before = self.bad;
        }
        if self.tally.last.is_none_or(|highest| highest < last) {
            self.tally.last = Some(last);
            self.bad = 0;
        } else {
            // not where it was written
            self.tally.has_garbage = true;
        }
        self.seen.insert(line.number);
        self.tally.kept += 1;
    }

    fn finish(mut self) -> Tally {
        let missing = match self.first {
            Some(_) => self.seen.missing(self.first),
            // at least the line is lost that would have told
            None if self.tally.kept > 0 => self.bad_before.max(1) + self.seen.missing(None),
            None => 0,
        };
        self.tally.lost = missing + if self.is_complete { 0 } else { self.bad };
        self.tally
    }
}

/// The numbers of lines, as runs from first to last: a single run, unless the file is damaged.
#[derive(Default)]
struct Seen(BTreeMap<u64, u64>);

impl Seen {
    fn contains(&self, number: u64) -> bool {
        self.0.range(..=number).next_back().is_some_and(|(_, &last)| number <= last)
    }

    /// `number` is not in it.
    fn insert(&mut self, number: u64) {
        let last = self.0.remove(&(number + 1)).unwrap_or(number);
        match self.0.range_mut(..number).next_back() {
            Some((_, before)) if *before + 1 == number => *before = last,
            _ => {
                self.0.insert(number, last);
            }
        }
    }

    /// How many are not in it, from `first` on, or from the lowest that is, to the highest.
    fn missing(&self, first: Option<u64>) -> u64 {
        let mut next = first.or(self.0.keys().next().copied()).unwrap_or(0);
        let mut missing = 0;
        for (&from, &last) in &self.0 {
            missing += from.saturating_sub(next);
            next = next.max(last + 1);
        }
        missing
    }
}

/// Shows intact lines in what is no line as a whole, such as two that have lost the line end between them, and counts
/// them.
fn salvage(bytes: &[u8], mut take: impl FnMut(&Line<'_>, &[u8])) -> usize {
    let mut found = 0;
    let mut starts = line::starts(bytes).peekable();
    while let Some(start) = starts.next() {
        let end = starts.peek().copied().unwrap_or(bytes.len());
        let piece = &bytes[start..end];
        let Some(close) = piece.iter().rposition(|&byte| byte == b')') else { continue };
        if let Some(line) = line::read(&piece[..=close]) {
            take(&line, &piece[..=close]);
            found += 1;
        }
    }
    found
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    /// Line number `number`, with its end.
    fn line(number: u64) -> String {
        let mut out = String::new();
        line::write(&mut out, number, &Sample { time: number, ..Sample::default() }).unwrap();
        out
    }

    fn lines(numbers: &[u64]) -> String {
        numbers.iter().map(|number| line(*number)).collect()
    }

    /// Reads lines of which the first has number 1, if that is known.
    fn tally_of(text: impl AsRef<[u8]>, first: Option<u64>) -> (Vec<u64>, Tally) {
        let mut shown = Vec::new();
        let visit = |line: &Line<'_>, bytes: &[u8]| {
            assert_eq!(line::read(bytes), Some(*line));
            shown.push(line.number);
            Verdict::Good
        };
        let tally = read(text.as_ref(), first, visit).unwrap();
        assert_eq!(tally.kept, shown.len() as u64);
        (shown, tally)
    }

    #[test]
    fn lines_that_are_missing_are_counted_wherever_they_were() {
        for (numbers, first, lost) in [
            (&[1, 2, 3][..], Some(1), 0),
            (&[3, 4], Some(1), 2),
            (&[1, 5, 9], Some(1), 6),
            (&[7, 9], None, 2),
            (&[1, LAST_NUMBER], Some(1), LAST_NUMBER - 2),
            (&[], Some(1), 0),
        ] {
            let (shown, tally) = tally_of(lines(numbers), first);
            assert_eq!((shown.as_slice(), tally.lost, tally.doubled), (numbers, lost, 0));
            assert_eq!(tally.last, numbers.last().copied());
        }
    }

    #[test]
    fn what_is_no_line_counts_where_no_number_tells() {
        let text = [&line(1), "x\n", &line(4), "y\n", "z\n"].concat();
        let (shown, tally) = tally_of(text, Some(1));
        assert_eq!((shown.as_slice(), tally.lost, tally.has_garbage), (&[1, 4][..], 4, true));
        let (shown, tally) = tally_of(["x\ny\n", &line(4)].concat(), None);
        assert_eq!((shown.as_slice(), tally.lost), (&[4][..], 2), "before the first one that is known");
    }

    #[test]
    fn lines_in_any_order_are_shown_once_each() {
        let (shown, tally) = tally_of(lines(&[1, 2, 6, 7, 3, 2, 5, 7, 8]), Some(1));
        assert_eq!(shown, [1, 2, 6, 7, 3, 5, 8]);
        assert_eq!((tally.lost, tally.doubled, tally.last), (1, 2, Some(8)));
        assert!(tally.is_damaged());
        assert!(tally_of(lines(&[2, 1]), Some(1)).1.is_damaged(), "even if all are there");
    }

    #[test]
    fn numbers_that_no_file_reaches_are_none_of_ours() {
        let (shown, tally) = tally_of(lines(&[1, LAST_NUMBER + 1, u64::MAX, 2]), Some(1));
        assert_eq!((shown.as_slice(), tally.lost, tally.has_garbage), (&[1, 2][..], 0, true));
    }

    #[test]
    fn lines_that_have_lost_the_end_between_them_are_found() {
        for between in ["", " ", "\u{0}\u{0}", "(", "(3,\"", ")"] {
            let text = [line(1).trim_end(), between, &line(2)].concat();
            let (shown, tally) = tally_of(&text, Some(1));
            // what stands behind a line within it cannot be told from it
            assert!(shown == [1, 2] || shown == [2] && between == ")", "{text} {shown:?}");
            assert!(tally.has_garbage);
        }
    }

    #[test]
    fn a_torn_end_is_text_and_not_of_a_later_line() {
        let whole = lines(&[1, 2]);
        let at = line(1).len() as u64;
        for end in 1..line(2).len() - 1 {
            let (shown, tally) = tally_of(&whole[..line(1).len() + end], Some(1));
            assert_eq!((shown.as_slice(), tally.tail, tally.is_damaged()), (&[1][..], Tail::Torn(at), false));
        }
        assert_eq!(tally_of(whole.trim_end(), Some(1)).1.tail, Tail::Unended);
        assert_eq!(tally_of(&whole, Some(1)).1, Tally { kept: 2, last: Some(2), ..Tally::default() });
        for other in ["(2,\"8", "(1,\"8", "x", "("] {
            assert_eq!(tally_of(format!("{}{other}", line(1)), Some(1)).1.tail, Tail::Torn(at), "{other:?}");
        }
        for other in ["(3,\"8", "\0", "(2,\"00\0", "(2,\"00\u{e9}"] {
            let (_, tally) = tally_of(format!("{}{other}", line(1)), Some(1));
            assert!(tally.has_garbage && tally.tail == Tail::Whole, "{other:?}");
        }
        let eaten = format!("{}{}x", line(1), line(2).trim_end());
        assert_eq!(tally_of(eaten, Some(1)).0, [1, 2], "a line whose end has become something else");
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let long = vec![b'('; LONGEST + 10];
        let (shown, tally) =
            tally_of([line(1).as_bytes(), &long, b"\n", line(2).as_bytes()].concat(), Some(1));
        assert_eq!((shown.as_slice(), tally.lost, tally.has_garbage), (&[1, 2][..], 0, true));
    }
}
