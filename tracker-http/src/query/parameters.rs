//! A query string, parameter by parameter: `*( key [ "=" value ] "&" )`.

use percent_encoding::percent_decode;

use crate::lanes::{Block, LANES, at_most, equal, first};

/// The place in a query where the next key or value begins.
///
/// After [`key`](Parameters::key) has given one, its value is taken by exactly one of the other methods.
#[derive(Debug)]
pub(super) struct Parameters<'a> {
    query: &'a [u8],
    at: usize,
}

/// A value that is to be a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Is(u64),
    /// All digits, and too many of them.
    Beyond,
    /// Empty, or with something else than digits.
    Not,
}

/// Why a value is not 20 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotTwenty {
    /// It is 40 hexadecimal digits.
    Hex,
    /// It has so many bytes, decoded.
    Length(usize),
    /// A `%` without two hexadecimal digits behind it.
    Escape,
}

impl<'a> Parameters<'a> {
    pub(super) fn new(query: &'a [u8]) -> Self {
        Parameters { query, at: 0 }
    }

    /// The next key that has a `=` behind it.
    #[inline]
    pub(super) fn key(&mut self) -> Option<&'a [u8]> {
        let mut start = self.at;
        let mut at = start;
        loop {
            let stop = first(&self.block(at), |block| equal(block, b'=') | equal(block, b'&'));
            at += stop;
            match *self.query.get(at)? {
                _ if stop == LANES => {}
                b'=' => break,
                _ => {
                    at += 1;
                    start = at;
                }
            }
        }
        self.at = at + 1;
        Some(&self.query[start..at])
    }

    /// The value as it came.
    #[inline]
    pub(super) fn value(&mut self) -> &'a [u8] {
        let start = self.at;
        self.skip();
        // past the `&`, or past the end
        &self.query[start..self.at - 1]
    }

    /// Passes over the value.
    #[inline]
    pub(super) fn skip(&mut self) {
        loop {
            match first(&self.block(self.at), |block| equal(block, b'&')) {
                LANES => self.at += LANES,
                end => return self.at += end + 1,
            }
        }
    }

    /// Whether the value is that one character, decoded.
    #[inline]
    pub(super) fn value_is(&mut self, wanted: u8) -> bool {
        match self.value() {
            [only] => *only == wanted,
            value => value.len() == 3 && percent_decode(value).eq([wanted]),
        }
    }

    /// The value as a number.
    #[inline]
    pub(super) fn number(&mut self) -> Number {
        let block = self.block(self.at);
        let length = first(&block, |block| !at_most(block - Block::splat(b'0'), 9));
        if !(1..LANES).contains(&length) || block[length] != b'&' {
            return decimal(self.value());
        }
        self.at += length + 1;
        // the digits are moved to the end, behind zeros
        let digits = u128::from_le_bytes(block) << (8 * (LANES - length));
        Number::Is(eight_digits(digits as u64) * 100_000_000 + eight_digits((digits >> 64) as u64))
    }

    /// The value as 20 bytes.
    #[inline]
    pub(super) fn twenty(&mut self) -> Result<[u8; 20], NotTwenty> {
        let mut bytes = [0; 20];
        let mut at = self.at;
        for byte in &mut bytes {
            match self.query.get(at..) {
                Some([b'%', high, low, ..]) => {
                    let (high, low) = (HEX[*high as usize], HEX[*low as usize]);
                    if high | low > 15 {
                        return Err(not_twenty(self.value()));
                    }
                    *byte = high << 4 | low;
                    at += 3;
                }
                Some([plain, ..]) if *plain != b'&' && *plain != b'%' => {
                    *byte = *plain;
                    at += 1;
                }
                _ => return Err(not_twenty(self.value())),
            }
        }
        if self.query.get(at).is_some_and(|&b| b != b'&') {
            return Err(not_twenty(self.value()));
        }
        self.at = at + 1;
        Ok(bytes)
    }

    /// The bytes from there on, as if the query ended with many `&`.
    #[inline(always)]
    fn block<const N: usize>(&self, at: usize) -> [u8; N] {
        let rest = self.query.get(at..).unwrap_or_default();
        match rest.first_chunk() {
            Some(block) => *block,
            None => {
                let mut block = [b'&'; N];
                block[..rest.len()].copy_from_slice(rest);
                block
            }
        }
    }
}

/// The number that eight digits are, the first of them in the lowest byte; a byte of 0 counts as `0`.
///
/// Adds neighbours up in pairs: to four numbers of two digits, two of four, one of eight.
#[inline]
fn eight_digits(digits: u64) -> u64 {
    let ones = digits & 0x0f0f_0f0f_0f0f_0f0f;
    let pairs = ones.wrapping_mul(10 << 8 | 1) >> 8 & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100 << 16 | 1) >> 16 & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000 << 32 | 1) >> 32
}

/// What a byte is worth as a hexadecimal digit; 255 if it is none.
static HEX: [u8; 256] = {
    let mut table = [255; 256];
    let mut digit = 0;
    while digit < 16 {
        table[b"0123456789abcdef"[digit] as usize] = digit as u8;
        table[b"0123456789ABCDEF"[digit] as usize] = digit as u8;
        digit += 1;
    }
    table
};

/// Numbers as they may be written, escapes included.
#[cold]
fn decimal(value: &[u8]) -> Number {
    let mut number = if value.is_empty() { Number::Not } else { Number::Is(0) };
    for byte in percent_decode(value) {
        if !byte.is_ascii_digit() {
            return Number::Not;
        }
        if let Number::Is(above) = number {
            let next = above.checked_mul(10).and_then(|above| above.checked_add(u64::from(byte - b'0')));
            number = next.map_or(Number::Beyond, Number::Is);
        }
    }
    number
}

#[cold]
fn not_twenty(value: &[u8]) -> NotTwenty {
    let hex = |b: Option<&u8>| b.is_some_and(u8::is_ascii_hexdigit);
    let mut escapes = value.iter().enumerate().filter(|(_, b)| **b == b'%');
    if escapes.any(|(at, _)| !hex(value.get(at + 1)) || !hex(value.get(at + 2))) {
        return NotTwenty::Escape;
    }
    match percent_decode(value).count() {
        40 if percent_decode(value).all(|b| b.is_ascii_hexdigit()) => NotTwenty::Hex,
        length => NotTwenty::Length(length),
    }
}
