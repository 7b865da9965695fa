//! What is asked for.

use std::fmt::Write;

use percent_encoding::percent_encode;
use rand_core::Rng;

use examples::tracker_url::ESCAPED;

/// `GET target`, with `Host`.
pub(crate) fn get(target: &str) -> Vec<u8> {
    get_with(target, "")
}

/// `GET target`, with more header lines, each with its CRLF.
pub(crate) fn get_with(target: &str, lines: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}\r\n").into_bytes()
}

/// Bytes for a query.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    percent_encode(bytes, ESCAPED).to_string()
}

/// The target of an announce. `base` ends with `?` or `&`.
pub(crate) fn announce(base: &str, info_hash: &[u8], peer_id: &[u8], port: u16, more: &str) -> String {
    let (info_hash, peer_id) = (escaped(info_hash), escaped(peer_id));
    format!("{base}info_hash={info_hash}&peer_id={peer_id}&port={port}&uploaded=0&downloaded=0&left=1{more}")
}

/// The target of a scrape.
pub(crate) fn scrape(base: &str, hashes: impl Iterator<Item = [u8; 20]>) -> String {
    hashes.fold(base.to_owned(), |mut target, hash| {
        let _ = write!(target, "info_hash={}&", escaped(&hash));
        target
    })
}

/// Bytes by chance.
pub(crate) fn random<const N: usize>(rng: &mut impl Rng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// A number below `limit`.
pub(crate) fn below(rng: &mut impl Rng, limit: usize) -> usize {
    // as even as an attacker needs it
    rng.next_u32() as usize % limit.max(1)
}
