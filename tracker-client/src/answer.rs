//! What trackers answer, decoded by `bip_bencode` into plain structs. The HTTP around it is for [`response`].
//!
//! It is liberal, since trackers differ: keys in any order, counts that are missing, peers as one string or as a list,
//! a line end behind the answer. It is total: any bytes give an answer or an error.
//!
//! [`response`]: crate::response

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bip_bencode::{BDecodeOpt, BDictAccess, BRefAccess, BencodeRef};
use tracker_core::{InfoHash, PeerId};

pub use crate::response::{Body, ChunkError, Chunks, Head, HeadError, LONGEST_HEAD, header, parse_head};

/// The answer to an announce.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Announced {
    /// Seeders.
    pub complete: Option<u64>,
    /// Leechers.
    pub incomplete: Option<u64>,
    /// Completions.
    pub downloaded: Option<u64>,
    /// Seconds until the next announce.
    pub interval: Option<u64>,
    /// Seconds before which there must be none.
    pub min_interval: Option<u64>,
    /// The asker's address as the tracker sees it (BEP 24).
    pub external_ip: Option<IpAddr>,
    /// A line for the user, beside the peers.
    pub warning: Option<String>,
    /// Why there is no answer: nothing else counts then, but [`retry_in`](Announced::retry_in).
    pub failure: Option<String>,
    /// When to try again (BEP 31).
    pub retry_in: Option<RetryIn>,
    /// The peers, IPv4 first if they came in compact form.
    pub peers: Vec<SocketAddr>,
    /// The ids of the peers, in their order; empty in compact form. `None` where the tracker left it out.
    pub ids: Vec<Option<PeerId>>,
    /// Peers that are named by something else than an address and a port from 1 up.
    pub unusable: usize,
    /// Whether there is no `peers` at all, not even an empty one.
    pub lacks_peers: bool,
}

/// When to try again after a failure (BEP 31).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryIn {
    /// It would fail again.
    Never,
    /// After so many minutes.
    Minutes(u64),
}

/// The answer to a scrape.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Scraped {
    /// The torrents, sorted by info hash.
    pub files: Vec<ScrapedFile>,
    /// Seconds before which there must be no other scrape.
    pub min_request_interval: Option<u64>,
    /// Why there is no answer.
    pub failure: Option<String>,
    /// When to try again.
    pub retry_in: Option<RetryIn>,
}

/// The counts of one torrent.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ScrapedFile {
    /// The torrent.
    pub info_hash: InfoHash,
    /// Seeders.
    pub complete: Option<u64>,
    /// Leechers.
    pub incomplete: Option<u64>,
    /// Completions.
    pub downloaded: Option<u64>,
    /// Leechers that are no partial seeds (BEP 21).
    pub downloaders: Option<u64>,
}

/// Why bytes are no tracker's answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Nothing at all.
    #[error("the answer is empty")]
    Empty,
    /// Something else.
    #[error("the answer is not bencode: {0}")]
    NotBencode(Looks),
    /// Bencode, but not a dictionary.
    #[error("the answer is bencode, but not a dictionary")]
    NotDictionary,
    /// A part of it is not as it should be; it is named.
    #[error("the answer is bencode, but its {0}")]
    Part(&'static str),
}

/// What bytes look like that are no bencode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Looks {
    /// HTML.
    #[error("it looks like a web page (HTML)")]
    Html,
    /// Compressed by gzip.
    #[error("it looks compressed (gzip), though that was not asked for")]
    Gzip,
    /// JSON or XML, by name.
    #[error("it looks like {0}")]
    Text(&'static str),
    /// It begins as bencode does.
    #[error("it begins like bencode, and is damaged or cut off")]
    Damaged,
    /// Anything else: how it begins.
    #[error("it begins with \"{0}\"")]
    Other(String),
}

impl Announced {
    /// Reads the body of an answer to an announce.
    ///
    /// # Errors
    /// It is none. A failure that the tracker reports is an answer.
    pub fn read(body: &[u8]) -> Result<Announced, AnswerError> {
        let root = decode(body)?;
        let answer = Dictionary::of(&root).ok_or(AnswerError::NotDictionary)?;
        let mut announced = Announced {
            complete: answer.count("complete"),
            incomplete: answer.count("incomplete"),
            downloaded: answer.count("downloaded"),
            interval: answer.count("interval"),
            min_interval: answer.count("min interval"),
            external_ip: answer.bytes("external ip").and_then(address),
            warning: answer.text("warning message"),
            failure: answer.text("failure reason"),
            retry_in: answer.retry_in(),
            lacks_peers: answer.get("peers").is_none() && answer.get("peers6").is_none(),
            ..Announced::default()
        };
        for (key, length) in [("peers", 6), ("peers6", 18)] {
            if let Some(peers) = answer.get(key) {
                announced.take_peers(peers, length)?;
            }
        }
        if announced.ids.iter().all(Option::is_none) {
            announced.ids.clear();
        }
        Ok(announced)
    }

    fn take_peers(&mut self, peers: &BencodeRef<'_>, length: usize) -> Result<(), AnswerError> {
        if let Some(bytes) = peers.bytes() {
            if bytes.len() % length != 0 {
                return Err(AnswerError::Part(
                    "peers are cut off: their length is no multiple of 6, or of 18",
                ));
            }
            for peer in bytes.chunks_exact(length) {
                let (ip, port) = peer.split_at(length - 2);
                self.take_peer(address(ip), u16::from_be_bytes([port[0], port[1]]), None);
            }
        } else if let Some(list) = peers.list() {
            for peer in list {
                let peer =
                    Dictionary::of(peer).ok_or(AnswerError::Part("list of peers holds something else"))?;
                let ip = peer.bytes("ip").and_then(|ip| str::from_utf8(ip).ok()?.parse().ok());
                let port = peer.count("port").and_then(|port| u16::try_from(port).ok()).unwrap_or(0);
                let id = peer.bytes("peer id").and_then(|id| id.try_into().ok()).map(PeerId);
                self.take_peer(ip, port, id);
            }
        } else {
            return Err(AnswerError::Part("peers are neither a string nor a list"));
        }
        Ok(())
    }

    fn take_peer(&mut self, ip: Option<IpAddr>, port: u16, id: Option<PeerId>) {
        match ip {
            Some(ip) if port != 0 => {
                self.peers.push(SocketAddr::new(ip, port));
                self.ids.push(id);
            }
            _ => self.unusable += 1,
        }
    }
}

impl Scraped {
    /// Reads the body of an answer to a scrape.
    ///
    /// # Errors
    /// It is none. A failure that the tracker reports is an answer.
    pub fn read(body: &[u8]) -> Result<Scraped, AnswerError> {
        let root = decode(body)?;
        let answer = Dictionary::of(&root).ok_or(AnswerError::NotDictionary)?;
        let mut scraped = Scraped {
            files: Vec::new(),
            min_request_interval: answer
                .get("flags")
                .and_then(Dictionary::of)
                .and_then(|flags| flags.count("min_request_interval")),
            failure: answer.text("failure reason"),
            retry_in: answer.retry_in(),
        };
        let Some(files) = answer.get("files") else {
            let is_failure = scraped.failure.is_some();
            return if is_failure { Ok(scraped) } else { Err(AnswerError::Part("files are missing")) };
        };
        let files = files.dict().ok_or(AnswerError::Part("files are no dictionary"))?;
        for (key, file) in files.to_list() {
            let info_hash =
                (*key).try_into().map_err(|_| AnswerError::Part("info hashes are not of 20 bytes"))?;
            let file = Dictionary::of(file).ok_or(AnswerError::Part("files hold something else"))?;
            scraped.files.push(ScrapedFile {
                info_hash: InfoHash(info_hash),
                complete: file.count("complete"),
                incomplete: file.count("incomplete"),
                downloaded: file.count("downloaded"),
                downloaders: file.count("downloaders"),
            });
        }
        Ok(scraped)
    }
}

/// Text of strangers in one line, fit for a terminal.
pub fn one_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    line.trim().to_owned()
}

fn decode(body: &[u8]) -> Result<BencodeRef<'_>, AnswerError> {
    let bare = body.trim_ascii_end(); // there are trackers that end it with CRLF
    if bare.is_empty() {
        return Err(AnswerError::Empty);
    }
    // nothing in an answer is nested deeper
    let strictly = BDecodeOpt::new(8, false, true);
    // they may as well be the answer's own last bytes
    let decoded = BencodeRef::decode(body, strictly);
    let decoded = if bare.len() == body.len() {
        decoded
    } else {
        decoded.or_else(|_| BencodeRef::decode(bare, strictly))
    };
    decoded.map_err(|_| AnswerError::NotBencode(looks(body)))
}

fn looks(body: &[u8]) -> Looks {
    let start: Vec<u8> = body.trim_ascii_start().iter().take(200).map(u8::to_ascii_lowercase).collect();
    match start.as_slice() {
        [0x1f, 0x8b, ..] => Looks::Gzip,
        [b'<', b'?', b'x', b'm', b'l', ..] => Looks::Text("XML"),
        [b'<', ..] => Looks::Html,
        [b'{' | b'[', ..] => Looks::Text("JSON"),
        [b'd', b'0'..=b'9', ..] | [b'd', b'e'] => Looks::Damaged,
        _ => {
            let text: String = one_line(&body[..body.len().min(120)]).chars().take(60).collect();
            Looks::Other(text.replace(char::REPLACEMENT_CHARACTER, "."))
        }
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(octets).into());
    }
    let octets = <[u8; 16]>::try_from(bytes).ok()?;
    Some(IpAddr::from(Ipv6Addr::from(octets)).to_canonical())
}

/// A dictionary whose values are asked for by name.
struct Dictionary<'b, 'a>(&'b dyn BDictAccess<&'a [u8], BencodeRef<'a>>);

impl<'b, 'a> Dictionary<'b, 'a> {
    fn of(value: &'b BencodeRef<'a>) -> Option<Self> {
        value.dict().map(Dictionary)
    }

    fn get(&self, key: &str) -> Option<&'b BencodeRef<'a>> {
        self.0.lookup(key.as_bytes())
    }

    fn bytes(&self, key: &str) -> Option<&'b [u8]> {
        self.get(key)?.bytes()
    }

    fn text(&self, key: &str) -> Option<String> {
        self.bytes(key).map(one_line)
    }

    fn count(&self, key: &str) -> Option<u64> {
        u64::try_from(self.get(key)?.int()?).ok()
    }

    fn retry_in(&self) -> Option<RetryIn> {
        match self.bytes("retry in") {
            Some(b"never") => Some(RetryIn::Never),
            Some(text) => str::from_utf8(text).ok()?.parse().ok().map(RetryIn::Minutes),
            None => self.count("retry in").map(RetryIn::Minutes),
        }
    }
}

#[cfg(test)]
mod tests;
