//! The two 20-byte names on the wire: which torrent, and which client.

use std::fmt;
use std::str::FromStr;

/// The SHA-1 of a torrent's `info` dictionary: the name of a swarm ([BEP 3]).
///
/// Shown and read as 40 hexadecimal digits.
///
/// [BEP 3]: https://www.bittorrent.org/beps/bep_0003.html
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct InfoHash(pub [u8; 20]);

/// What a client calls itself, 20 arbitrary bytes ([BEP 3], [BEP 20]).
///
/// It is kept to be handed out and identifies nobody: a peer is known by its address and port.
///
/// [BEP 3]: https://www.bittorrent.org/beps/bep_0003.html
/// [BEP 20]: https://www.bittorrent.org/beps/bep_0020.html
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PeerId(pub [u8; 20]);

/// Why a text is no info hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseInfoHashError {
    /// Not 40 characters; the number found is given.
    #[error("an info hash has 40 hexadecimal digits, this has {0} characters")]
    Length(usize),
    /// A character that is no hexadecimal digit, and its position from 0.
    #[error("an info hash has 40 hexadecimal digits, character {0} is none")]
    Digit(usize),
}

impl FromStr for InfoHash {
    type Err = ParseInfoHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.chars().count() != 40 {
            return Err(ParseInfoHashError::Length(text.chars().count()));
        }
        let mut hash = [0; 20];
        for (at, digit) in text.chars().enumerate() {
            let value = digit.to_digit(16).ok_or(ParseInfoHashError::Digit(at))?;
            hash[at / 2] = hash[at / 2] << 4 | value as u8;
        }
        Ok(InfoHash(hash))
    }
}

impl fmt::Display for InfoHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for InfoHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InfoHash({self})")
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerId({})", self.0.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_there_and_back_in_either_case() {
        let text = "00112233445566778899AABBCCDDEEFF01234567";
        let hash: InfoHash = text.parse().unwrap();
        assert_eq!(hash.0[..4], [0x00, 0x11, 0x22, 0x33]);
        assert_eq!(hash.to_string(), text.to_lowercase());
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!("00".parse::<InfoHash>(), Err(ParseInfoHashError::Length(2)));
        let bad = "0011223344556677889gaabbccddeeff01234567";
        assert_eq!(bad.parse::<InfoHash>(), Err(ParseInfoHashError::Digit(19)));
        // 40 characters of several bytes each are counted as characters, and are no digits
        assert_eq!("é".repeat(40).parse::<InfoHash>(), Err(ParseInfoHashError::Digit(0)));
    }
}
