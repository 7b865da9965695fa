//! Which torrents are served: all, the ones on a list, or all but the ones on a list.
//!
//! The text of a list comes in as bytes; whoever embeds the core reads the file.

use crate::InfoHash;

/// What a list means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum AccessMode {
    /// Every torrent is served; a list means nothing.
    #[default]
    Open,
    /// Only the torrents on the list are served.
    Allow,
    /// All torrents but the ones on the list are served.
    Deny,
}

/// A line that is no info hash, no comment and not blank.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not an info hash, expected 40 hexadecimal digits")]
pub struct AccessError {
    /// The line's number, from 1.
    pub line: usize,
    /// What stands there, control characters escaped, cut after 60 characters.
    pub text: String,
}

/// A set of info hashes and what it means.
///
/// It takes 20 bytes a hash and some 6 for the index; a lookup touches a cache line or two of each.
#[derive(Clone, Debug, Default)]
pub struct AccessList {
    mode: AccessMode,
    /// Invariant: ascending, each hash once.
    hashes: Box<[InfoHash]>,
    /// Invariant: the hashes that begin with the bits `b` are `hashes[starts[b]..starts[b + 1]]`.
    starts: Box<[usize]>,
    /// How many of a hash's first 32 bits are left out of `b`.
    shift: u32,
}

impl AccessList {
    /// The list of a tracker that serves every torrent.
    pub fn open() -> AccessList {
        AccessList::default()
    }

    /// Reads a list: one info hash a line as 40 hexadecimal digits, `#` begins a comment, blanks around and blank
    /// lines are skipped. A list without any hash is valid.
    ///
    /// ```
    /// use tracker_core::{AccessList, AccessMode};
    ///
    /// let text = b"00112233445566778899aabbccddeeff00112233 # the one\n";
    /// let list = AccessList::parse(AccessMode::Allow, text)?;
    /// assert!(list.permits(&"00112233445566778899AABBCCDDEEFF00112233".parse().unwrap()));
    /// assert!(!list.permits(&"ffffffffffffffffffffffffffffffffffffffff".parse().unwrap()));
    /// # Ok::<(), tracker_core::AccessError>(())
    /// ```
    ///
    /// # Errors
    /// The first line that is anything else.
    pub fn parse(mode: AccessMode, text: &[u8]) -> Result<AccessList, AccessError> {
        // a byte order mark, which some editors write
        let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
        let mut hashes = Vec::with_capacity(text.len() / 41 + 1);
        for (at, line) in text.split(|&byte| byte == b'\n').enumerate() {
            let content = line.split(|&byte| byte == b'#').next().unwrap_or_default().trim_ascii();
            if !content.is_empty() {
                let hash = decode(content).ok_or_else(|| refuse(at + 1, content))?;
                hashes.push(hash);
            }
        }
        Ok(AccessList::from_hashes(mode, hashes))
    }

    /// The list with these hashes, in any order.
    pub fn from_hashes(mode: AccessMode, mut hashes: Vec<InfoHash>) -> AccessList {
        // the first bytes decide nearly always, and compare as one number
        hashes.sort_unstable_by(|a, b| prefix(a).cmp(&prefix(b)).then_with(|| a.cmp(b)));
        hashes.dedup();
        // one or two hashes behind each entry of the index; past 24 bits the index would only grow
        let bits = hashes.len().checked_ilog2().unwrap_or(0).min(24);
        let shift = 32 - bits;
        let mut starts = Vec::with_capacity((1 << bits) + 1);
        for (at, hash) in hashes.iter().enumerate() {
            while starts.len() <= bucket(hash, shift) {
                starts.push(at);
            }
        }
        starts.resize((1 << bits) + 1, hashes.len());
        AccessList { mode, hashes: hashes.into(), starts: starts.into(), shift }
    }

    /// Whether the torrent is served.
    #[inline]
    pub fn permits(&self, hash: &InfoHash) -> bool {
        match self.mode {
            AccessMode::Open => true,
            AccessMode::Allow => self.contains(hash),
            AccessMode::Deny => !self.contains(hash),
        }
    }

    /// What the list means.
    pub fn mode(&self) -> AccessMode {
        self.mode
    }

    /// How many different hashes are on the list.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether no hash is on the list.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    fn contains(&self, hash: &InfoHash) -> bool {
        let at = bucket(hash, self.shift);
        match self.starts.get(at..at + 2) {
            Some(bounds) => self.hashes[bounds[0]..bounds[1]].binary_search(hash).is_ok(),
            None => false, // no list was read
        }
    }
}

/// The hash's first `32 - shift` bits.
fn bucket(hash: &InfoHash, shift: u32) -> usize {
    prefix(hash).checked_shr(shift).unwrap_or(0) as usize
}

fn prefix(hash: &InfoHash) -> u32 {
    u32::from_be_bytes([hash.0[0], hash.0[1], hash.0[2], hash.0[3]])
}

fn decode(text: &[u8]) -> Option<InfoHash> {
    let digits: &[u8; 40] = text.try_into().ok()?;
    let mut hash = [0; 20];
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(InfoHash(hash))
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

fn refuse(line: usize, content: &[u8]) -> AccessError {
    // some more bytes than are shown: a file of one huge line is not to be decoded as a whole
    let content = &content[..content.len().min(256)];
    let mut text = String::new();
    for char in String::from_utf8_lossy(content).chars().take(60) {
        match char {
            '"' | '\'' => text.push(char),
            _ => text.extend(char.escape_debug()),
        }
    }
    AccessError { line, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "00112233445566778899aabbccddeeff00112233";
    const B: &str = "ffffffffffffffffffffffffffffffffffffffff";

    fn hash(text: &str) -> InfoHash {
        text.parse().unwrap()
    }

    fn allow(text: &str) -> AccessList {
        AccessList::parse(AccessMode::Allow, text.as_bytes()).unwrap()
    }

    /// A sequence of bytes that looks random and is the same in each run.
    fn noise(count: usize, mut state: u64) -> Vec<InfoHash> {
        let mut next = move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed ^ (mixed >> 27)
        };
        let mut hash = || InfoHash(std::array::from_fn(|_| next() as u8));
        (0..count).map(|_| hash()).collect()
    }

    #[test]
    fn open_permits_all_whatever_is_listed() {
        assert!(AccessList::open().permits(&hash(A)));
        assert!(AccessList::from_hashes(AccessMode::Open, vec![hash(B)]).permits(&hash(A)));
    }

    #[test]
    fn allow_and_deny_are_opposites() {
        let deny = AccessList::parse(AccessMode::Deny, A.as_bytes()).unwrap();
        assert!(!deny.permits(&hash(A)) && deny.permits(&hash(B)));
        assert!(allow(A).permits(&hash(A)) && !allow(A).permits(&hash(B)));
    }

    #[test]
    fn an_empty_list_is_valid() {
        for text in ["", "\n", "# nothing\r\n\r\n", "\u{feff}", " \t\n#"] {
            let list = allow(text);
            assert!(list.is_empty() && !list.permits(&hash(A)), "{text:?}");
            assert!(AccessList::parse(AccessMode::Deny, text.as_bytes()).unwrap().permits(&hash(A)));
        }
    }

    #[test]
    fn case_blanks_comments_line_ends_and_a_byte_order_mark_do_not_matter() {
        let text = format!("\u{feff}{A} # one\r\n\r\n \t{} \t\n#{B}\n  # {B}\n{A}#x", B.to_uppercase());
        let list = allow(&text);
        assert_eq!(list.len(), 2);
        assert!(list.permits(&hash(A)) && list.permits(&hash(B)));
    }

    #[test]
    fn anything_else_is_an_error_with_its_line() {
        let zeros = "0".repeat(41);
        for bad in
            ["xyz", &A[1..], &zeros, "0x112233445566778899aabbccddeeff0011223344", &A.replace('a', "g")]
        {
            let error = AccessList::parse(AccessMode::Deny, format!("{A}\n# x\n {bad} # y\n{B}").as_bytes());
            assert_eq!(error.unwrap_err(), AccessError { line: 3, text: bad.to_owned() });
        }
        let two = AccessList::parse(AccessMode::Deny, format!("{A} {B}").as_bytes()).unwrap_err();
        assert_eq!((two.line, two.text.len()), (1, 60));
    }

    #[test]
    fn an_error_is_one_printable_line() {
        for bad in [&b"\xff\xfe\x00a"[..], b"a\rb", b"\x1b[2J", &[b'x'; 100_000]] {
            let sentence = AccessList::parse(AccessMode::Allow, bad).unwrap_err().to_string();
            assert!(sentence.chars().all(|char| !char.is_control()), "{sentence:?}");
            assert!(sentence.len() < 400);
        }
        let error = AccessList::parse(AccessMode::Allow, b"xyz").unwrap_err();
        assert_eq!(error.to_string(), "\"xyz\" is not an info hash, expected 40 hexadecimal digits");
    }

    #[test]
    fn every_size_finds_its_hashes_and_no_other() {
        for count in [0, 1, 2, 3, 4, 7, 8, 9, 31, 100, 5000] {
            let (inside, outside) = (noise(count, 1), noise(1000, 2));
            let list = AccessList::from_hashes(AccessMode::Allow, inside.clone());
            assert_eq!(list.len(), count);
            assert!(inside.iter().all(|hash| list.permits(hash)));
            assert!(!outside.iter().any(|hash| list.permits(hash)));
        }
    }

    #[test]
    fn hashes_that_begin_alike_are_told_apart() {
        let alike = |n: u16| {
            let mut hash = InfoHash([0xff; 20]);
            hash.0[18..].copy_from_slice(&n.to_be_bytes());
            hash
        };
        let list = AccessList::from_hashes(AccessMode::Allow, (0..1000).map(|n| alike(n * 2)).collect());
        assert!((0..1000).all(|n| list.permits(&alike(n * 2)) && !list.permits(&alike(n * 2 + 1))));
    }
}
