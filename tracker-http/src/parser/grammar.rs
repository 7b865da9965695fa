//! Which bytes may stand where: the rules of RFC 9110 and 9112 that need no context.

use crate::lanes::{self, Block, at_most, equal};

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
    !lanes::any(bytes, |block| at_most(block, 0x20) | equal(block, 0x7f))
}

/// Whether all bytes may stand in a request line, spaces included: `%x20-7E / %x80-FF`.
pub(super) fn is_line(bytes: &[u8]) -> bool {
    !lanes::any(bytes, |block| at_most(block, 0x1f) | equal(block, 0x7f))
}

/// Where the first byte is that may stand in no header line, which is its line end unless the line is bad.
///
/// RFC 9110 §5.5: `field-vchar = VCHAR / obs-text`, and between them `SP / HTAB`
pub(super) fn control(bytes: &[u8]) -> Option<usize> {
    lanes::find(bytes, |block| (at_most(block, 0x1f) | equal(block, 0x7f)) & !equal(block, b'\t'))
}

/// Which bytes of a block are neither a letter nor a hyphen.
pub(super) fn is_unusual(block: Block) -> Block {
    let from_a = (block | Block::splat(0x20)) - Block::splat(b'a');
    !(at_most(from_a, b'z' - b'a') | equal(block, b'-'))
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
