//! What the tracker says, in bencode ([BEP 3]), written straight into the output buffer.
//!
//! The keys of every dictionary are sorted by construction, and nothing is allocated but room in the buffer (the
//! failures, which are rare, leave the encoding to `bip_bencode`).
//!
//! [BEP 3]: https://www.bittorrent.org/beps/bep_0003.html

use std::io::Write;
use std::net::IpAddr;

use bip_bencode::{ben_bytes, ben_int, ben_map};
use tracker_core::{InfoHash, PeerId};

#[cfg(test)]
mod tests;

/// The answer to an announce.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Announced<'a> {
    /// Seeders, of both address families.
    pub complete: u32,
    /// Completions.
    pub downloaded: u32,
    /// Leechers, of both address families.
    pub incomplete: u32,
    /// Seconds until the client is to announce again.
    pub interval: u32,
    /// Seconds before which it must not.
    pub min_interval: u32,
    /// The client's address as the tracker sees it ([BEP 24](https://www.bittorrent.org/beps/bep_0024.html)).
    pub external_ip: Option<IpAddr>,
    /// One line for the user. The peers are there all the same.
    pub warning: Option<&'a str>,
    /// The IPv4 peers, 6 bytes each: address and port, big endian.
    pub peers: &'a [u8],
    /// The IPv6 peers, 18 bytes each ([BEP 7](https://www.bittorrent.org/beps/bep_0007.html)).
    pub peers6: &'a [u8],
}

/// When to try again after a failure ([BEP 31](https://www.bittorrent.org/beps/bep_0031.html)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It would fail again.
    Never,
    /// In so many minutes.
    Minutes(u32),
}

/// Appends an answer with compact peers ([BEP 23](https://www.bittorrent.org/beps/bep_0023.html)).
///
/// `peers6` is left out where there are none: an empty one makes rTorrent 0.9.8 overlook `peers`.
pub fn announce_compact(out: &mut Vec<u8>, announced: &Announced<'_>) {
    out.reserve(256 + announced.peers.len() + announced.peers6.len());
    open(out, announced);
    out.extend_from_slice(b"5:peers");
    string(out, announced.peers);
    if !announced.peers6.is_empty() {
        out.extend_from_slice(b"6:peers6");
        string(out, announced.peers6);
    }
    close(out, announced);
}

/// Appends an answer with one list of peers of both families, a dictionary each, for `compact=0`.
///
/// `ids` are the ids of [`peers`](Announced::peers) and of [`peers6`](Announced::peers6), if the client wants them
/// and they are known; a peer beyond their end goes without.
pub fn announce_dictionaries(
    out: &mut Vec<u8>,
    announced: &Announced<'_>,
    ids: Option<(&[PeerId], &[PeerId])>,
) {
    let (ids, ids6) = ids.unwrap_or_default();
    open(out, announced);
    out.extend_from_slice(b"5:peersl");
    let (peers, _) = announced.peers.as_chunks::<6>();
    for (at, &[a, b, c, d, high, low]) in peers.iter().enumerate() {
        peer(out, IpAddr::from([a, b, c, d]), ids.get(at), u16::from_be_bytes([high, low]));
    }
    let (peers6, _) = announced.peers6.as_chunks::<18>();
    for (at, [ip @ .., high, low]) in peers6.iter().enumerate() {
        peer(out, IpAddr::from(*ip), ids6.get(at), u16::from_be_bytes([*high, *low]));
    }
    out.push(b'e');
    close(out, announced);
}

/// Appends a refusal; `reason` is one line, a sentence that the user can act on.
pub fn failure(out: &mut Vec<u8>, reason: &str, retry: Retry) {
    let retry = match retry {
        Retry::Never => ben_bytes!("never"),
        Retry::Minutes(minutes) => ben_int!(i64::from(minutes)),
    };
    let reply = ben_map! { "failure reason" => ben_bytes!(reason), "retry in" => retry };
    out.extend_from_slice(&reply.encode());
}

/// Begins the answer to a scrape: [`scrape_file`] for each torrent follows, and then [`scrape_end`].
pub fn scrape_start(out: &mut Vec<u8>) {
    out.extend_from_slice(b"d5:filesd");
}

/// Appends one torrent of a scrape. The caller gives them sorted by info hash, each once.
///
/// `downloaders` are the leechers that are no partial seeds ([BEP 21](https://www.bittorrent.org/beps/bep_0021.html)).
pub fn scrape_file(
    out: &mut Vec<u8>,
    info_hash: &InfoHash,
    complete: u32,
    downloaded: u32,
    downloaders: u32,
    incomplete: u32,
) {
    let mut line = Line { bytes: [0; 192], end: 0 };
    line.text(b"20:");
    line.text(&info_hash.0);
    line.text(b"d8:completei");
    line.number(complete);
    line.text(b"e10:downloadedi");
    line.number(downloaded);
    line.text(b"e11:downloadersi");
    line.number(downloaders);
    line.text(b"e10:incompletei");
    line.number(incomplete);
    line.text(b"ee");
    out.extend_from_slice(&line.bytes[..line.end]);
}

/// Ends the answer to a scrape; the interval is in seconds ([BEP 48] calls it a flag).
///
/// [BEP 48]: https://www.bittorrent.org/beps/bep_0048.html
pub fn scrape_end(out: &mut Vec<u8>, min_request_interval: u32) {
    out.push(b'e');
    integer(out, b"5:flagsd20:min_request_interval", min_request_interval);
    out.extend_from_slice(b"ee");
}

/// The keys before `peers`, put together beside the buffer, whose room is then looked at once.
#[inline]
fn open(out: &mut Vec<u8>, announced: &Announced<'_>) {
    let mut line = Line { bytes: [0; 192], end: 0 };
    line.text(b"d8:completei");
    line.number(announced.complete);
    line.text(b"e10:downloadedi");
    line.number(announced.downloaded);
    match announced.external_ip {
        Some(IpAddr::V4(ip)) => {
            line.text(b"e11:external ip4:");
            line.text(&ip.octets());
            line.text(b"10:incompletei");
        }
        Some(IpAddr::V6(ip)) => {
            line.text(b"e11:external ip16:");
            line.text(&ip.octets());
            line.text(b"10:incompletei");
        }
        None => line.text(b"e10:incompletei"),
    }
    line.number(announced.incomplete);
    line.text(b"e8:intervali");
    line.number(announced.interval);
    line.text(b"e12:min intervali");
    line.number(announced.min_interval);
    line.text(b"e");
    out.extend_from_slice(&line.bytes[..line.end]);
}

/// Longer than the keys before `peers` can be: 97 bytes of text, 16 of address, five numbers of 10 digits. A torrent of a
/// scrape is shorter.
struct Line {
    bytes: [u8; 192],
    end: usize,
}

impl Line {
    #[inline(always)]
    fn text<const N: usize>(&mut self, text: &[u8; N]) {
        self.bytes[self.end..self.end + N].copy_from_slice(text);
        self.end += N;
    }

    #[inline(always)]
    fn number(&mut self, number: u32) {
        if number < 10 {
            return self.text(&[b'0' + number as u8]);
        }
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(number).as_bytes();
        self.bytes[self.end..self.end + digits.len()].copy_from_slice(digits);
        self.end += digits.len();
    }
}

/// The keys behind `peers6`.
#[inline]
fn close(out: &mut Vec<u8>, announced: &Announced<'_>) {
    if let Some(warning) = announced.warning {
        out.extend_from_slice(b"15:warning message");
        string(out, warning.as_bytes());
    }
    out.push(b'e');
}

fn peer(out: &mut Vec<u8>, ip: IpAddr, id: Option<&PeerId>, port: u16) {
    let mut text = [0; 64]; // longer than any address
    let mut rest = &mut text[..];
    // cannot fail: there is room enough
    let _ = write!(rest, "{ip}");
    let free = rest.len();
    out.extend_from_slice(b"d2:ip");
    string(out, &text[..text.len() - free]);
    if let Some(id) = id {
        out.extend_from_slice(b"7:peer id20:");
        out.extend_from_slice(&id.0);
    }
    integer(out, b"4:port", port.into());
    out.push(b'e');
}

/// A key, with whatever stands before it, and an integer.
#[inline(always)]
fn integer<const N: usize>(out: &mut Vec<u8>, key: &[u8; N], value: u32) {
    out.extend_from_slice(key);
    out.push(b'i');
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    out.push(b'e');
}

#[inline(always)]
fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(itoa::Buffer::new().format(bytes.len()).as_bytes());
    out.push(b':');
    out.extend_from_slice(bytes);
}
