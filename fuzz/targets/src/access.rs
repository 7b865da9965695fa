//! An access list.

use std::collections::BTreeSet;

use tracker_core::{AccessList, AccessMode, InfoHash};

/// A list holds the hashes that a naive reader finds, and no others; or it is refused for the same line.
pub fn access(data: &[u8]) {
    let list = AccessList::parse(AccessMode::Allow, data);
    let found = naive(data);
    let (list, hashes) = match (list, found) {
        (Ok(list), Ok(hashes)) => (list, hashes),
        (Err(error), Err(line)) => {
            assert_eq!(error.line, line);
            let sentence = error.to_string();
            assert!(!sentence.contains(char::is_control) && sentence.chars().count() < 1000, "{sentence:?}");
            return;
        }
        (list, hashes) => panic!("{list:?}, and naively {hashes:?}"),
    };
    assert_eq!((list.len(), list.is_empty()), (hashes.len(), hashes.is_empty()));
    let deny = AccessList::from_hashes(AccessMode::Deny, hashes.iter().rev().copied().collect());
    let open = AccessList::parse(AccessMode::Open, data).expect("the mode does not matter");
    for hash in &hashes {
        let mut near = *hash;
        near.0[19] ^= 1;
        for hash in [*hash, near] {
            assert_eq!(list.permits(&hash), hashes.contains(&hash), "{hash}");
            assert_eq!(deny.permits(&hash), !list.permits(&hash), "{hash}");
            assert!(open.permits(&hash));
        }
    }
}

/// The hashes, or the number of the first line that is none.
fn naive(data: &[u8]) -> Result<BTreeSet<InfoHash>, usize> {
    // what is no text is no hash either, and stays where it is
    let text: String = data.iter().copied().map(char::from).collect();
    let text = text.strip_prefix("\u{ef}\u{bb}\u{bf}").unwrap_or(&text);
    let mut hashes = BTreeSet::new();
    for (at, line) in text.split('\n').enumerate() {
        let content = line.split_once('#').map_or(line, |(content, _)| content);
        let content = content.trim_matches([' ', '\t', '\r', '\x0c']);
        if !content.is_empty() {
            hashes.insert(content.parse().map_err(|_| at + 1)?);
        }
    }
    Ok(hashes)
}
