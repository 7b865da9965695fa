//! Looking at eight bytes at once, in the lanes of a `u64`.
//!
//! Names and values in requests are short and of ever changing length: a loop that goes byte by byte spends most of
//! its time on branches that were predicted wrongly.
//!
//! A test of a word gives a word with the highest bit of each byte that passed set, and no other bit. None of them
//! lets a carry out of its byte, so all bytes are judged exactly and apart.

/// How many bytes [`first`] looks at.
pub(crate) const LANES: usize = 16;

/// The same byte in every lane.
const fn all(byte: u8) -> u64 {
    u64::MAX / 255 * byte as u64
}

const HIGH: u64 = all(0x80);
const LOW: u64 = !HIGH;

/// Which bytes are that one.
#[inline(always)]
pub(crate) const fn equal(word: u64, byte: u8) -> u64 {
    let differs = word ^ all(byte);
    !(((differs & LOW) + LOW) | differs) & HIGH
}

/// Which bytes are at least `byte`, which must be in 1..=0x80.
#[inline(always)]
pub(crate) const fn at_least(word: u64, byte: u8) -> u64 {
    (((word & LOW) + all(0x80 - byte)) | word) & HIGH
}

/// Which bytes are none of those that passed a test.
#[inline(always)]
pub(crate) const fn none_of(passed: u64) -> u64 {
    passed ^ HIGH
}

/// Where the first byte is that passes a test; [`LANES`] if none does. Without a branch.
#[inline(always)]
pub(crate) fn first(block: &[u8; LANES], test: impl Fn(u64) -> u64) -> usize {
    let block = u128::from_le_bytes(*block);
    let passed = u128::from(test(block as u64)) | u128::from(test((block >> 64) as u64)) << 64;
    (passed.trailing_zeros() / 8) as usize
}

/// Where in any number of bytes the first is that passes a test.
#[inline(always)]
pub(crate) fn find(bytes: &[u8], test: impl Fn(u64) -> u64) -> Option<usize> {
    let mut at = 0;
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        match first(block, &test) {
            LANES => at += LANES,
            found => return Some(at + found),
        }
    }
    let rest = &bytes[at..];
    let mut block = [0; LANES];
    block[..rest.len()].copy_from_slice(rest);
    let found = first(&block, test);
    (found < rest.len()).then_some(at + found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bytes_are_judged_exactly() {
        for limit in 0..=0x80 {
            for byte in 0..=255 {
                for other in [0, 1, 0x7f, 0x80, 0xff, limit] {
                    let word = u64::from_le_bytes([other, byte, other, byte, byte, other, other, byte]);
                    let expect = |this: bool, that: bool| {
                        let [this, that] = [this, that].map(|yes| u8::from(yes) << 7);
                        u64::from_le_bytes([that, this, that, this, this, that, that, this])
                    };
                    assert_eq!(equal(word, limit), expect(byte == limit, other == limit));
                    assert_eq!(none_of(equal(word, limit)), expect(byte != limit, other != limit));
                    if limit > 0 {
                        assert_eq!(at_least(word, limit), expect(byte >= limit, other >= limit));
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn the_first_is_found(bytes in proptest::collection::vec(0..40_u8, 0..80), byte in 0..40_u8) {
            prop_assert_eq!(find(&bytes, |word| equal(word, byte)), bytes.iter().position(|&b| b == byte));
        }
    }
}
