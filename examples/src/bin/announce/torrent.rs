//! A torrent, by whatever names it: an info hash, a magnet link ([BEP 9]), a `.torrent` file ([BEP 3], [BEP 12]).
//!
//! [BEP 3]: https://www.bittorrent.org/beps/bep_0003.html
//! [BEP 9]: https://www.bittorrent.org/beps/bep_0009.html
//! [BEP 12]: https://www.bittorrent.org/beps/bep_0012.html

use std::fs::File;
use std::io::{self, Read};

use bip_bencode::{BDecodeOpt, BRefAccess, BencodeRef};
use examples::answer::one_line;
use percent_encoding::percent_decode_str;
use sha1::{Digest, Sha1};
use tracker_core::InfoHash;

/// A file that is longer is no `.torrent`.
const LONGEST: u64 = 64 << 20;

/// A torrent, and what its name says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Torrent {
    pub(crate) info_hash: InfoHash,
    /// What it is called.
    pub(crate) name: Option<String>,
    /// URLs of its trackers, those to be tried first first.
    pub(crate) trackers: Vec<String>,
}

/// Why a text names no torrent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TorrentError {
    #[error("{0} is neither an info hash (40 hexadecimal digits), nor a magnet link, nor a file: {1}")]
    Unreadable(String, io::Error),
    #[error("the magnet link has no xt=urn:btih: with 40 hexadecimal digits or 32 of base32")]
    NoHash,
    #[error("the magnet link is one of BitTorrent 2 alone (btmh): trackers need the info hash of version 1")]
    OnlyV2,
    #[error("{0} is not a .torrent file: {1}")]
    NotTorrent(String, &'static str),
}

impl Torrent {
    /// Reads what the user has typed.
    pub(crate) fn read(text: &str) -> Result<Torrent, TorrentError> {
        if let Some(query) = text.strip_prefix("magnet:") {
            return magnet(query.trim_start_matches('?'));
        }
        if let Some(info_hash) = info_hash(text) {
            return Ok(Torrent { info_hash, name: None, trackers: Vec::new() });
        }
        let mut bytes = Vec::new();
        File::open(text)
            .and_then(|file| file.take(LONGEST).read_to_end(&mut bytes))
            .map_err(|error| TorrentError::Unreadable(text.to_owned(), error))?;
        file(&bytes).map_err(|why| TorrentError::NotTorrent(text.to_owned(), why))
    }
}

/// 40 hexadecimal digits, or 32 of base32.
fn info_hash(text: &str) -> Option<InfoHash> {
    text.parse().ok().or_else(|| base32(text).map(InfoHash))
}

/// RFC 4648 §6, in either case.
fn base32(text: &str) -> Option<[u8; 20]> {
    let (mut hash, mut bits) = ([0; 20], 0_u64);
    if text.len() != 32 {
        return None;
    }
    for (at, digit) in text.bytes().enumerate() {
        let value = match digit.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter - b'A',
            digit @ b'2'..=b'7' => digit - b'2' + 26,
            _ => return None,
        };
        bits = bits << 5 | u64::from(value);
        // eight digits are five bytes
        if at % 8 == 7 {
            hash[at / 8 * 5..][..5].copy_from_slice(&bits.to_be_bytes()[3..]);
            bits = 0;
        }
    }
    Some(hash)
}

fn magnet(query: &str) -> Result<Torrent, TorrentError> {
    let (mut hash, mut name, mut trackers, mut has_v2) = (None, None, Vec::new(), false);
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value: Vec<u8> = percent_decode_str(value).collect();
        let value = String::from_utf8_lossy(&value);
        // several of a kind may be numbered: xt.1, tr.2
        match key.split('.').next().unwrap_or_default() {
            "xt" => {
                has_v2 |= value.starts_with("urn:btmh:");
                hash = hash.or_else(|| info_hash(value.strip_prefix("urn:btih:")?));
            }
            "dn" => name = Some(one_line(value.replace('+', " ").as_bytes())),
            "tr" => trackers.push(value.into_owned()),
            _ => {}
        }
    }
    match hash {
        Some(info_hash) => Ok(Torrent { info_hash, name, trackers }),
        None if has_v2 => Err(TorrentError::OnlyV2),
        None => Err(TorrentError::NoHash),
    }
}

fn file(bytes: &[u8]) -> Result<Torrent, &'static str> {
    let root =
        BencodeRef::decode(bytes, BDecodeOpt::new(32, false, false)).map_err(|_| "it is not bencode")?;
    let root = root.dict().ok_or("it is bencode, but not a dictionary")?;
    let info = root.lookup(b"info").ok_or("it has no info")?;
    let parts = info.dict().ok_or("its info is not a dictionary")?;
    if parts.lookup(b"pieces").is_none() {
        return Err("it is one of BitTorrent 2 alone, and trackers need the info hash of version 1");
    }
    let text = |value: &BencodeRef<'_>| value.bytes().map(one_line);
    let mut trackers = Vec::new();
    if let Some(tiers) = root.lookup(b"announce-list").and_then(BRefAccess::list) {
        for tier in tiers.into_iter().filter_map(BRefAccess::list) {
            trackers.extend(tier.into_iter().filter_map(text));
        }
    }
    // where there is a list, it counts (BEP 12)
    if trackers.is_empty() {
        trackers.extend(root.lookup(b"announce").and_then(text));
    }
    Ok(Torrent {
        // the very bytes, whatever stands in them
        info_hash: InfoHash(Sha1::digest(info.buffer()).into()),
        name: parts.lookup(b"name").and_then(text),
        trackers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "c12fe1c06bba254a9dc9f519b335aa7c1367a88a";
    const BASE32: &str = "YEX6DQDLXISUVHOJ6UM3GNNKPQJWPKEK";

    #[test]
    fn hashes_in_hex_and_base32() {
        let hash: InfoHash = HEX.parse().unwrap();
        for text in [HEX, &HEX.to_uppercase(), BASE32, &BASE32.to_lowercase()] {
            assert_eq!(Torrent::read(text).unwrap().info_hash, hash, "{text}");
        }
        assert_eq!(base32("YEX6DQDLXISUVHOJ6UM3GNNKPQJWPKE1"), None);
    }

    #[test]
    fn magnet_links() {
        let torrent = Torrent::read(&format!(
            "magnet:?dn=a+b%20c%0A&xt=urn:btmh:1220aa&xt.1=urn:btih:{BASE32}&tr=udp%3A%2F%2Fx&tr.1=http://y/announce%3Fk=1&x"
        ))
        .unwrap();
        assert_eq!(torrent.info_hash.to_string(), HEX);
        assert_eq!(torrent.name.as_deref(), Some("a b c"));
        assert_eq!(torrent.trackers, ["udp://x", "http://y/announce?k=1"]);
        assert!(matches!(Torrent::read("magnet:?xt=urn:btih:xyz"), Err(TorrentError::NoHash)));
        assert!(matches!(Torrent::read("magnet:?xt=urn:btmh:1220aa"), Err(TorrentError::OnlyV2)));
    }

    #[test]
    fn the_hash_is_of_the_very_bytes_of_info() {
        // keys in no order stay in it
        let info = b"d6:pieces0:4:name1:xe";
        let bytes =
            [&b"d8:announce8:http://a13:announce-listll8:http://bel7:udp://cee4:info"[..], info, b"e"]
                .concat();
        let torrent = file(&bytes).unwrap();
        assert_eq!(torrent.info_hash.0, <[u8; 20]>::from(Sha1::digest(info)));
        assert_eq!(torrent.trackers, ["http://b", "udp://c"]);
        assert_eq!(torrent.name.as_deref(), Some("x"));
        assert_eq!(file(b"d8:announce8:http://a4:infod6:pieces0:ee").unwrap().trackers, ["http://a"]);
        for bad in [&b"<html>"[..], b"i5e", b"de", b"d4:infoi1ee", b"d4:infodee"] {
            assert!(file(bad).is_err());
        }
    }
}
