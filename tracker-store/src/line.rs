//! One line of a file: a RON value that carries its number and its checksum.
//!
//! ```text
//! (17,"8a3f21bc",Sample(time:1790000000,over:60,…))
//!  │   │         └ the record, a struct with its name
//!  │   └ CRC-32 of everything else in the line, in hexadecimal
//!  └ lines are numbered without a gap, so that a reader knows how many it has lost
//! ```

use std::fmt::Write as _;

use ron::ser::PrettyConfig;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a line can hold.
pub trait Record: Serialize + DeserializeOwned {
    /// The name of the struct, as serde sees it: it tells the records of a file apart.
    const NAME: &'static str;
}

/// A line taken apart, its checksum checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) number: u64,
    /// As in `Sample(time:1790000000)`.
    record: &'a str,
}

/// What is before the checksum's digits, after the number.
const OPEN: &str = ",\"";
const DIGITS: usize = 8;
/// What is behind them.
const THEN: &str = "\",";

/// Appends a line, its line end included.
pub(crate) fn write<R: Record>(out: &mut String, number: u64, record: &R) -> Result<(), ron::Error> {
    let start = out.len();
    // writing to a String cannot fail
    let _ = write!(out, "({number}{OPEN}00000000{THEN}");
    let digits = start + 1 + decimal_len(number) + OPEN.len();
    let body = out.len();
    {
        let mut serializer = ron::ser::Serializer::new(&mut *out, Some(style()))?;
        record.serialize(&mut serializer)?;
    }
    debug_assert!(out[body..].starts_with(R::NAME) && !out[body..].contains('\n'), "{}", &out[body..]);
    let sum = checksum(&out[start + 1..digits - OPEN.len()], &out[body..]);
    out.replace_range(digits..digits + DIGITS, &format!("{sum:08x}"));
    out.push_str(")\n");
    Ok(())
}

/// Takes a line apart, given without its line end; `None` if it is not as it was written.
pub(crate) fn read(bytes: &[u8]) -> Option<Line<'_>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (number, rest) = text.strip_prefix('(')?.split_once(OPEN)?;
    let (digits, rest) = rest.split_at_checked(DIGITS)?;
    let record = rest.strip_prefix(THEN)?.strip_suffix(')')?;
    let value = number.parse::<u64>().ok()?;
    let sum = u32::from_str_radix(digits, 16).ok()?;
    // exactly as it was written: no sign, no leading zero, no capital digit
    let is_exact = decimal_len(value) == number.len() && format!("{sum:08x}") == digits;
    (is_exact && sum == checksum(number, record)).then_some(Line { number: value, record })
}

impl Line<'_> {
    /// The record, if it is an `R`.
    pub(crate) fn record<R: Record>(&self) -> Option<R> {
        let is_named = self.record.strip_prefix(R::NAME).is_some_and(|rest| rest.starts_with('('));
        if is_named { ron::from_str(self.record).ok() } else { None }
    }
}

/// Where lines begin in `bytes`, as far as the look of their start tells: for what a damaged line may hold.
pub(crate) fn starts(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let is_start = |at: &usize| {
        let rest = &bytes[*at + 1..];
        let digits = rest.iter().take(20).take_while(|byte| byte.is_ascii_digit()).count();
        let rest = &rest[digits..];
        digits > 0
            && rest.starts_with(OPEN.as_bytes())
            && rest.get(OPEN.len() + DIGITS..).is_some_and(|rest| rest.starts_with(THEN.as_bytes()))
    };
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b'(').map(|(at, _)| at).filter(is_start)
}

/// Whether `bytes` may be what a line left behind that was being written when line number `due` was next: text, and
/// not what a damaged disk has in it; and not of a later line, before which others are missing then.
pub(crate) fn is_begun(bytes: &[u8], due: u64) -> bool {
    let is_text = bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = bytes.strip_prefix(b"(").map(|rest| &rest[..digits(rest)]).unwrap_or_default();
    let number = std::str::from_utf8(number).ok().and_then(|number| number.parse::<u64>().ok());
    is_text && number.is_none_or(|number| number <= due)
}

fn checksum(number: &str, record: &str) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(number.as_bytes());
    hasher.update(b",");
    hasher.update(record.as_bytes());
    hasher.finalize()
}

fn decimal_len(number: u64) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// On one line, without blanks, with the names of structs.
fn style() -> PrettyConfig {
    PrettyConfig::new().depth_limit(0).separator("").struct_names(true).escape_strings(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Thing {
        count: u64,
        text: String,
        maybe: Option<f64>,
    }

    impl Record for Thing {
        const NAME: &'static str = "Thing";
    }

    fn thing() -> Thing {
        Thing { count: 3, text: "a/b+c=".to_owned(), maybe: Some(1.5) }
    }

    fn written(number: u64) -> String {
        let mut out = String::from("before\n");
        write(&mut out, number, &thing()).unwrap();
        out.split_off("before\n".len())
    }

    #[test]
    fn a_line_is_one_ron_value_and_comes_back() {
        for number in [0, 9, 10, 12_345, u64::MAX] {
            let line = written(number);
            let text = line.strip_suffix('\n').unwrap();
            assert!(text.ends_with("\",Thing(count:3,text:\"a/b+c=\",maybe:Some(1.5)))"), "{text}");
            let read = read(text.as_bytes()).unwrap();
            assert_eq!((read.number, read.record::<Thing>()), (number, Some(thing())));
            let (n, sum, value): (u64, String, Thing) = ron::from_str(text).unwrap();
            assert_eq!((n, sum.len(), value), (number, 8, thing()));
        }
    }

    #[test]
    fn any_flipped_bit_and_any_cut_is_noticed() {
        let line = written(17);
        let good = line.trim_end().as_bytes();
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.to_vec();
                bad[at] ^= 1 << bit;
                assert_eq!(read(&bad), None, "{}", bad.escape_ascii());
            }
            assert_eq!(read(&good[..at]), None);
            assert_eq!(read(&[good, &good[at..]].concat()), None);
        }
    }

    #[test]
    fn another_kind_of_record_is_told_apart() {
        #[derive(Serialize, Deserialize)]
        struct Thin {}
        impl Record for Thin {
            const NAME: &'static str = "Thin";
        }
        let line = written(1);
        assert!(read(line.trim_end().as_bytes()).unwrap().record::<Thin>().is_none());
    }

    #[test]
    fn lines_are_found_in_what_is_left_of_them() {
        let joined = format!("xx(1{}\u{0}{}", written(5).trim_end(), written(6));
        let found: Vec<_> = starts(joined.as_bytes()).collect();
        assert_eq!(found, [4, 5 + written(5).trim_end().len()]);
        assert_eq!(starts(b"((1,\"\"((2").count(), 0);
    }
}
