//! The rules of the query once more, plainly: split, decode, look. Tests hold the parser against it, here and in
//! `fuzz/targets`, which takes this file as it is.

use percent_encoding::percent_decode;
use tracker_core::{Event, InfoHash, PeerId};

use super::{AnnounceQuery, QueryError};

/// What [`parse_announce`](super::parse_announce) must say.
pub(super) fn announce(query: &[u8]) -> Result<AnnounceQuery<'_>, QueryError> {
    let pairs = pairs(query);
    let raw = |key: &str| pairs.iter().rev().find(|pair| pair.0 == key.as_bytes()).map(|pair| pair.1);
    let decoded = |key| raw(key).map(|value| percent_decode(value).collect::<Vec<u8>>());
    let number = |key| -> Option<u128> {
        let text = String::from_utf8(decoded(key)?).ok()?;
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(u128::MAX))
    };
    let mut info_hash = None;
    for (_, value) in pairs.iter().filter(|pair| pair.0 == b"info_hash") {
        if info_hash.replace(hash(value)?).is_some() {
            return Err(QueryError::InfoHashTwice);
        }
    }
    Ok(AnnounceQuery {
        info_hash: info_hash.ok_or(QueryError::MissingInfoHash)?,
        peer_id: id(raw("peer_id").ok_or(QueryError::MissingPeerId)?)?,
        port: match raw("port") {
            None => 0,
            Some(_) => number("port").and_then(|port| port.try_into().ok()).ok_or(QueryError::Port)?,
        },
        left: number("left").map_or(u64::MAX, |left| left.try_into().unwrap_or(u64::MAX)),
        event: match decoded("event").as_deref() {
            Some(b"started") => Event::Started,
            Some(b"completed") => Event::Completed,
            Some(b"stopped") => Event::Stopped,
            Some(b"paused") => Event::Paused,
            _ => Event::Regular,
        },
        numwant: number("numwant").map(|peers| peers.try_into().unwrap_or(u32::MAX)),
        compact: decoded("compact").as_deref() != Some(b"0"),
        no_peer_id: decoded("no_peer_id").as_deref() == Some(b"1"),
        ip: raw("ip"),
        ipv4: raw("ipv4"),
        ipv6: raw("ipv6"),
    })
}

/// What [`parse_scrape`](super::parse_scrape) must say.
pub(super) fn scrape(query: &[u8], max: usize) -> Result<Vec<InfoHash>, QueryError> {
    let mut hashes = Vec::new();
    for (_, value) in pairs(query).into_iter().filter(|pair| pair.0 == b"info_hash") {
        let hash = hash(value)?;
        if !hashes.contains(&hash) {
            hashes.push(hash);
        }
    }
    hashes.truncate(max);
    Ok(hashes)
}

fn pairs(query: &[u8]) -> Vec<(&[u8], &[u8])> {
    query
        .split(|&b| b == b'&')
        .filter_map(|pair| pair.iter().position(|&b| b == b'=').map(|at| (&pair[..at], &pair[at + 1..])))
        .collect()
}

/// 20 bytes, or what is there instead, and whether its escapes are right.
fn twenty(value: &[u8]) -> (Result<[u8; 20], Vec<u8>>, bool) {
    let escapes = value.split(|&b| b == b'%').skip(1);
    let are_good =
        escapes.into_iter().all(|rest| rest.len() >= 2 && rest[..2].iter().all(u8::is_ascii_hexdigit));
    (percent_decode(value).collect::<Vec<u8>>().try_into(), are_good)
}

fn hash(value: &[u8]) -> Result<InfoHash, QueryError> {
    match twenty(value) {
        (_, false) => Err(QueryError::InfoHashEscape),
        (Ok(bytes), true) => Ok(InfoHash(bytes)),
        (Err(bytes), true) if bytes.len() == 40 && bytes.iter().all(u8::is_ascii_hexdigit) => {
            Err(QueryError::InfoHashHex)
        }
        (Err(bytes), true) => Err(QueryError::InfoHashLength(bytes.len())),
    }
}

fn id(value: &[u8]) -> Result<PeerId, QueryError> {
    match twenty(value) {
        (_, false) => Err(QueryError::PeerIdEscape),
        (Ok(bytes), true) => Ok(PeerId(bytes)),
        (Err(bytes), true) => Err(QueryError::PeerIdLength(bytes.len())),
    }
}
