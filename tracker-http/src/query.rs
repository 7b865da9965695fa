//! What the query of `/announce` and `/scrape` says ([BEP 3], [BEP 7], [BEP 23], [BEP 48]).
//!
//! The values are percent-encoded bytes, not form fields: a `+` is a plus. Escapes are decoded once, in every value.
//! An announce is read in one pass over its bytes and without an allocation.
//!
//! [BEP 3]: https://www.bittorrent.org/beps/bep_0003.html
//! [BEP 7]: https://www.bittorrent.org/beps/bep_0007.html
//! [BEP 23]: https://www.bittorrent.org/beps/bep_0023.html
//! [BEP 48]: https://www.bittorrent.org/beps/bep_0048.html

use std::net::{IpAddr, SocketAddr};

use percent_encoding::percent_decode;
use tracker_core::{Event, InfoHash, PeerAddr, PeerId, Reach};

#[cfg(test)]
mod model;
#[cfg(test)]
mod naive;
mod parameters;
#[cfg(test)]
mod tests;

use self::parameters::{NotTwenty, Number, Parameters};

/// What an announce says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnnounceQuery<'a> {
    /// `info_hash`: the torrent.
    pub info_hash: InfoHash,
    /// `peer_id`: what the client calls itself.
    pub peer_id: PeerId,
    /// `port`: where it listens; 0 if it does not, or does not say.
    pub port: u16,
    /// `left`: the bytes it still misses; `u64::MAX` if missing, negative, no number or beyond `u64`.
    pub left: u64,
    /// `event`; anything unknown is [`Event::Regular`].
    pub event: Event,
    /// `numwant`: `None` if missing, negative or no number; `u32::MAX` if above.
    pub numwant: Option<u32>,
    /// `compact`: false for the value `0` only.
    pub compact: bool,
    /// `no_peer_id`: true for the value `1` only.
    pub no_peer_id: bool,
    /// `ip` as it came; read it with [`client_address`].
    pub ip: Option<&'a [u8]>,
    /// `ipv4` as it came.
    pub ipv4: Option<&'a [u8]>,
    /// `ipv6` as it came.
    pub ipv6: Option<&'a [u8]>,
}

/// Why an announce or a scrape cannot be carried out. `Display` is the failure reason for the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// An announce without `info_hash`.
    #[error("info_hash is missing: announce one torrent by its 20-byte info hash")]
    MissingInfoHash,
    /// Decoded, it has so many bytes.
    #[error("info_hash must be 20 bytes after percent-decoding, this one has {0}")]
    InfoHashLength(usize),
    /// It is 40 hexadecimal digits.
    #[error("info_hash must be the 20 raw bytes percent-encoded, not 40 hexadecimal digits")]
    InfoHashHex,
    /// Two torrents in one announce.
    #[error("info_hash is given twice: announce one torrent at a time")]
    InfoHashTwice,
    /// A `%` without two hexadecimal digits behind it.
    #[error("info_hash has a % that is not followed by two hexadecimal digits")]
    InfoHashEscape,
    /// An announce without `peer_id`.
    #[error("peer_id is missing: send the client's 20-byte id")]
    MissingPeerId,
    /// Decoded, it has so many bytes.
    #[error("peer_id must be 20 bytes after percent-decoding, this one has {0}")]
    PeerIdLength(usize),
    /// A `%` without two hexadecimal digits behind it.
    #[error("peer_id has a % that is not followed by two hexadecimal digits")]
    PeerIdEscape,
    /// Neither a port nor 0.
    #[error("port must be a number from 1 to 65535, or 0 if the client does not listen")]
    Port,
}

/// Reads the query of an announce: what stands behind the `?`, as it came.
///
/// Parameters may come in any order, and of a repeated one the last counts, but for `info_hash`. What is unknown or
/// has no `=` is passed over.
///
/// # Errors
/// `info_hash` or `peer_id` missing or not 20 bytes, `info_hash` twice, or a `port` that is none.
pub fn parse_announce(query: &[u8]) -> Result<AnnounceQuery<'_>, QueryError> {
    let mut info_hash = None;
    let mut peer_id = Err(QueryError::MissingPeerId);
    let mut port = Number::Is(0);
    let mut left = Number::Not;
    let mut numwant = Number::Not;
    let mut event = Event::Regular;
    let (mut compact, mut no_peer_id) = (true, false);
    let (mut ip, mut ipv4, mut ipv6) = (None, None, None);
    let mut parameters = Parameters::new(query);
    while let Some(key) = parameters.key() {
        match key {
            b"info_hash" => {
                let bytes = parameters.twenty().map_err(info_hash_error)?;
                if info_hash.replace(InfoHash(bytes)).is_some() {
                    return Err(QueryError::InfoHashTwice);
                }
            }
            b"peer_id" => peer_id = parameters.twenty().map(PeerId).map_err(peer_id_error),
            b"port" => port = parameters.number(),
            b"left" => left = parameters.number(),
            b"numwant" => numwant = parameters.number(),
            b"event" => event = event_named(parameters.value()),
            b"compact" => compact = !parameters.value_is(b'0'),
            b"no_peer_id" => no_peer_id = parameters.value_is(b'1'),
            b"ip" => ip = Some(parameters.value()),
            b"ipv4" => ipv4 = Some(parameters.value()),
            b"ipv6" => ipv6 = Some(parameters.value()),
            _ => parameters.skip(),
        }
    }
    Ok(AnnounceQuery {
        info_hash: info_hash.ok_or(QueryError::MissingInfoHash)?,
        peer_id: peer_id?,
        port: match port {
            Number::Is(port) => u16::try_from(port).map_err(|_| QueryError::Port)?,
            Number::Beyond | Number::Not => return Err(QueryError::Port),
        },
        left: match left {
            Number::Is(left) => left,
            Number::Beyond | Number::Not => u64::MAX,
        },
        event,
        numwant: match numwant {
            Number::Is(peers) => Some(u32::try_from(peers).unwrap_or(u32::MAX)),
            Number::Beyond => Some(u32::MAX),
            Number::Not => None,
        },
        compact,
        no_peer_id,
        ip,
        ipv4,
        ipv6,
    })
}

/// Reads the query of a scrape: its info hashes, each once, in the order of asking, the first `max` of them.
///
/// `hashes` is emptied first and keeps its room. It stays empty if none is asked for.
///
/// # Errors
/// Any `info_hash` that is not 20 bytes, even beyond `max`.
pub fn parse_scrape(query: &[u8], hashes: &mut Vec<InfoHash>, max: usize) -> Result<(), QueryError> {
    hashes.clear();
    let mut parameters = Parameters::new(query);
    while let Some(key) = parameters.key() {
        if key != b"info_hash" {
            parameters.skip();
            continue;
        }
        let hash = InfoHash(parameters.twenty().map_err(info_hash_error)?);
        // they are few: the target is some kilobytes long
        if hashes.len() < max && !hashes.contains(&hash) {
            hashes.push(hash);
        }
    }
    Ok(())
}

/// The address, and the port if there is one above 0, in the value of `ip`, `ipv4` or `ipv6` ([BEP 7]).
///
/// Reads `ADDR`, `ADDR:PORT`, `[ADDR]` and `[ADDR]:PORT`; an IPv4-mapped IPv6 address is the IPv4 one. Host names,
/// addresses that lead [nowhere](Reach::Nowhere) and garbage are `None`.
///
/// [BEP 7]: https://www.bittorrent.org/beps/bep_0007.html
pub fn client_address(raw: &[u8]) -> Option<(IpAddr, Option<u16>)> {
    let mut decoded = [0; 64]; // longer than any address
    let mut length = 0;
    for byte in percent_decode(raw) {
        *decoded.get_mut(length)? = byte;
        length += 1;
    }
    let text = std::str::from_utf8(&decoded[..length]).ok()?;
    let plain = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let (ip, port) = match text.parse::<SocketAddr>() {
        Ok(addr) => (addr.ip(), Some(addr.port())),
        Err(_) => match plain {
            Some(bracketed) => (IpAddr::V6(bracketed.parse().ok()?), None),
            None => (text.parse().ok()?, None),
        },
    };
    let ip = ip.to_canonical();
    let is_somewhere = PeerAddr::new(ip, 0).reach() != Reach::Nowhere;
    is_somewhere.then_some((ip, port.filter(|&port| port > 0)))
}

fn event_named(value: &[u8]) -> Event {
    match value {
        b"started" => Event::Started,
        b"completed" => Event::Completed,
        b"stopped" => Event::Stopped,
        b"paused" => Event::Paused,
        _ if value.contains(&b'%') => event_escaped(value),
        _ => Event::Regular,
    }
}

#[cold]
fn event_escaped(value: &[u8]) -> Event {
    let names = [&b"started"[..], b"completed", b"stopped", b"paused"];
    // what is decoded has no escapes to be decoded again
    names
        .into_iter()
        .find(|name| percent_decode(value).eq(name.iter().copied()))
        .map_or(Event::Regular, event_named)
}

#[cold]
fn info_hash_error(error: NotTwenty) -> QueryError {
    match error {
        NotTwenty::Hex => QueryError::InfoHashHex,
        NotTwenty::Length(length) => QueryError::InfoHashLength(length),
        NotTwenty::Escape => QueryError::InfoHashEscape,
    }
}

#[cold]
fn peer_id_error(error: NotTwenty) -> QueryError {
    match error {
        NotTwenty::Hex => QueryError::PeerIdLength(40),
        NotTwenty::Length(length) => QueryError::PeerIdLength(length),
        NotTwenty::Escape => QueryError::PeerIdEscape,
    }
}
