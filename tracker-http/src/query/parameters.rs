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
    /// Where the `&` and `=` of the 64 bytes from `base` on stand, but for those before `at`.
    marks: u64,
    base: usize,
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
        let mut parameters = Parameters { query, at: 0, marks: 0, base: 0 };
        parameters.look();
        parameters
    }

    /// The next key that has a `=` behind it.
    #[inline]
    pub(super) fn key(&mut self) -> Option<&'a [u8]> {
        loop {
            let start = self.at;
            let mark = self.next_mark();
            if *self.query.get(mark)? == b'=' {
                return Some(&self.query[start..mark]);
            }
        }
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
        while self.query.get(self.next_mark()) == Some(&b'=') {}
    }

    /// Goes to behind the next `&` or `=`, and returns where that stands; as if an `&` stood behind the query.
    #[inline(always)]
    fn next_mark(&mut self) -> usize {
        while self.marks == 0 {
            self.base += 64;
            self.look();
        }
        let mark = self.base + self.marks.trailing_zeros() as usize;
        self.marks &= self.marks - 1;
        self.at = mark + 1;
        mark
    }

    /// Goes to `at`, which is not before where it is.
    #[inline(always)]
    fn seek(&mut self, at: usize) {
        self.at = at;
        if at - self.base >= 64 {
            self.base += (at - self.base) / 64 * 64;
            self.look();
        }
        self.marks &= u64::MAX << (at - self.base);
    }

    /// Finds the marks of the 64 bytes from `base` on. Called once for 64 bytes, and wanted in the cache only once.
    #[inline(never)]
    fn look(&mut self) {
        let block: [u8; 64] = self.block(self.base);
        self.marks = 0;
        for (part, bytes) in block.as_chunks::<LANES>().0.iter().enumerate() {
            let bytes = Block::new(*bytes);
            let found = equal(bytes, b'=') | equal(bytes, b'&');
            self.marks |= u64::from(found.to_bitmask()) << (part * LANES);
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
        self.seek(self.at + length + 1);
        // the digits are moved to the end, behind zeros
        let digits = u128::from_le_bytes(block) << (8 * (LANES - length));
        Number::Is(eight_digits(digits as u64) * 100_000_000 + eight_digits((digits >> 64) as u64))
    }

    /// The value as 20 bytes.
    #[inline]
    pub(super) fn twenty(&mut self) -> Result<[u8; 20], NotTwenty> {
        // as many as 20 escapes are, and the `&` behind them
        let escaped: [u8; 64] = self.block(self.at);
        let mut bytes = [0; 20];
        let (mut at, mut bad) = (0, 0);
        for byte in &mut bytes {
            // never beyond 60; the mask spares a check
            let plain = escaped[at & 63];
            if plain == b'%' {
                let (high, low) =
                    (HEX[escaped[(at + 1) & 63] as usize], HEX[escaped[(at + 2) & 63] as usize]);
                bad |= high | low;
                *byte = high << 4 | low & 15;
                at += 3;
            } else {
                bad |= u8::from(plain == b'&') << 7;
                *byte = plain;
                at += 1;
            }
        }
        if bad > 15 || escaped[at & 63] != b'&' {
            return Err(not_twenty(self.value()));
        }
        self.seek(self.at + at + 1);
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
