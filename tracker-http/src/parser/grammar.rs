//! Which bytes may stand where: the rules of RFC 9110 and 9112 that need no context.

use crate::lanes::{self, at_least, equal, none_of};

/// Whether a byte belongs to a token, such as a method or the name of a header.
///
/// RFC 9110 §5.6.2:
/// `tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~" / DIGIT / ALPHA`
pub(super) const fn is_tchar(byte: u8) -> bool {
    TCHAR[byte as usize]
}

static TCHAR: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        table[byte] = b.is_ascii_alphanumeric()
            || matches!(
                b,
                b'!' | b'#'
                    | b'$'
                    | b'%'
                    | b'&'
                    | b'\''
                    | b'*'
                    | b'+'
                    | b'-'
                    | b'.'
                    | b'^'
                    | b'_'
                    | b'`'
                    | b'|'
                    | b'~'
            );
        byte += 1;
    }
    table
};

/// Whether all bytes may stand in a request target.
///
/// Wider than RFC 3986 on purpose, since clients escape too little: `%x21-7E / %x80-FF`.
pub(super) fn is_target(bytes: &[u8]) -> bool {
    none(bytes, |b| (b <= 0x20) | (b == 0x7f))
}

/// Whether all bytes may stand in a request line, spaces included: `%x20-7E / %x80-FF`.
pub(super) fn is_line(bytes: &[u8]) -> bool {
    none(bytes, |b| (b < 0x20) | (b == 0x7f))
}

/// Where the first byte is that may stand in no header line, which is its line end unless the line is bad.
///
/// RFC 9110 §5.5: `field-vchar = VCHAR / obs-text`, and between them `SP / HTAB`
pub(super) fn control(bytes: &[u8]) -> Option<usize> {
    lanes::find(bytes, |word| {
        (none_of(at_least(word, 0x20)) | equal(word, 0x7f)) & none_of(equal(word, b'\t'))
    })
}

/// Which of eight bytes are neither a letter nor a hyphen, as the [lanes](crate::lanes) have it.
pub(super) fn is_unusual(word: u64) -> u64 {
    let lower = word | 0x2020_2020_2020_2020;
    let letter = at_least(lower, b'a') & none_of(at_least(lower, b'z' + 1));
    none_of(letter | equal(word, b'-'))
}

/// The value without the blanks around it.
///
/// RFC 9110 §5.6.3: `OWS = *( SP / HTAB )`
pub(super) fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// Whether no byte is bad. Looks at all of them whatever it finds, in blocks, so that the compiler can use vectors.
#[inline(always)]
fn none(bytes: &[u8], bad: impl Fn(u8) -> bool + Copy) -> bool {
    let Some(last) = bytes.last_chunk::<BLOCK>() else {
        return !bytes.iter().fold(false, |found, &b| found | bad(b));
    };
    let mut found = [0; BLOCK];
    let mut look = |block: &[u8; BLOCK]| {
        for (found, &b) in found.iter_mut().zip(block) {
            *found |= u8::from(bad(b));
        }
    };
    bytes.as_chunks().0.iter().for_each(&mut look);
    look(last); // overlaps its neighbour, which costs less than going byte by byte
    u128::from_ne_bytes(found) == 0
}

const BLOCK: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place_is_judged_alone() {
        for length in 1..50 {
            for at in 0..length {
                for byte in 0..=255 {
                    let mut bytes = vec![b'a'; length];
                    bytes[at] = byte;
                    assert_eq!(is_target(&bytes), byte > 0x20 && byte != 0x7f);
                    assert_eq!(is_line(&bytes), byte >= 0x20 && byte != 0x7f);
                    let good = byte >= 0x20 && byte != 0x7f || byte == b'\t';
                    assert_eq!(control(&bytes), (!good).then_some(at));
                }
            }
        }
    }

    #[test]
    fn tokens_are_what_the_rfc_lists() {
        let listed = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        assert!((0..=255).all(|byte| is_tchar(byte) == listed.contains(&byte)));
    }

    #[test]
    fn blanks_go_from_both_ends_only() {
        assert_eq!(trim(b" \t a b\t "), b"a b");
        assert_eq!(trim(b" \t "), b"");
    }
}
