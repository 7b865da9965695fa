//! How real clients announce: their ids, the order of their parameters, their escapes, their headers.
//!
//! They are taken from `tracker-http/tests/clients`, where each has its transcripts.

use std::io::Write;

use crate::dice::Dice;

/// A client as it shows itself to a tracker.
#[derive(Debug)]
pub(crate) struct Client {
    /// How many of a hundred peers use it.
    share: u32,
    /// How its peer ids begin.
    prefix: &'static [u8],
    /// What the rest of them is made of.
    tail: Tail,
    /// The query: `{…}` is filled in. `{port}`, `{event}` and `{want}` bring their `&name=` along, since they may be missing.
    query: &'static str,
    /// Bytes that it does not escape, beside letters and digits.
    raw: &'static [u8],
    /// Whether its escapes are in upper case.
    is_upper: bool,
    /// How many peers it asks for.
    pub(crate) numwant: Option<u32>,
    /// Its headers but for Host and Connection.
    headers: &'static str,
    /// Whether it opens a connection for each announce.
    pub(crate) closes: bool,
    /// Whether it has no idea how much there is to download when it starts.
    pub(crate) starts_blank: bool,
}

/// What ids are made of behind the client's name.
#[derive(Clone, Copy, Debug)]
enum Tail {
    Letters,
    Punctuated,
    Bytes,
}

/// What is filled into a client's query.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) info_hash: &'a [u8; 20],
    pub(crate) id: &'a [u8; 20],
    pub(crate) key: u32,
    pub(crate) port: u16,
    pub(crate) uploaded: u64,
    pub(crate) downloaded: u64,
    pub(crate) left: u64,
    pub(crate) event: Option<&'static str>,
    pub(crate) numwant: Option<u32>,
}

const LIBTORRENT: &str = "info_hash={hash}&peer_id={id}{port}&uploaded={up}&downloaded={down}&left={left}&corrupt=0\
    &key={key}{event}{want}&compact=1&no_peer_id=1&supportcrypto=1&redundant=0";
const AZUREUS: &str = "info_hash={hash}&peer_id={id}{port}&azudp=49152&uploaded={up}&downloaded={down}&left={left}\
    &corrupt=0{event}{want}&no_peer_id=1&compact=1&key={key}&azver=3";

/// The clients, the most common ones first.
pub(crate) const CLIENTS: &[Client] = &[
    Client {
        share: 34,
        prefix: b"-qB5040-",
        tail: Tail::Punctuated,
        query: LIBTORRENT,
        raw: b"-_.!~*'()",
        is_upper: false,
        numwant: Some(200),
        headers: "User-Agent: qBittorrent/5.0.4\r\nAccept-Encoding: gzip\r\n",
        closes: true,
        starts_blank: false,
    },
    Client {
        share: 14,
        prefix: b"-TR4030-",
        tail: Tail::Letters,
        query: "info_hash={hash}&peer_id={id}{port}&uploaded={up}&downloaded={down}&left={left}{want}&key={key}\
            &compact=1&supportcrypto=1{event}",
        raw: b"-_.~",
        is_upper: true,
        numwant: Some(80),
        headers: "User-Agent: Transmission/4.0.3\r\nAccept: */*\r\nAccept-Encoding: deflate, gzip, br, zstd\r\n",
        closes: false,
        starts_blank: false,
    },
    Client {
        share: 14,
        prefix: b"-UT354S-",
        tail: Tail::Bytes,
        query: "info_hash={hash}&peer_id={id}{port}&uploaded={up}&downloaded={down}&left={left}&corrupt=0&key={key}\
            {event}{want}&compact=1&no_peer_id=1",
        raw: b"-",
        is_upper: false,
        numwant: Some(200),
        headers: "User-Agent: uTorrent/354(111783378)(44498)\r\nAccept-Encoding: gzip\r\n",
        closes: true,
        starts_blank: false,
    },
    Client {
        share: 8,
        prefix: b"-lt0D80-",
        tail: Tail::Bytes,
        query: "info_hash={hash}&peer_id={id}&key={key}&compact=1{port}&uploaded={up}&downloaded={down}&left={left}{event}",
        raw: b"-",
        is_upper: true,
        numwant: None,
        headers: "User-Agent: rtorrent/0.9.8/0.13.8\r\nAccept: */*\r\nAccept-Encoding: deflate, gzip\r\n",
        closes: false,
        starts_blank: false,
    },
    Client {
        share: 6,
        prefix: b"-DE211s-",
        tail: Tail::Punctuated,
        query: LIBTORRENT,
        raw: b"-_.!~*'()",
        is_upper: false,
        numwant: Some(200),
        headers: "User-Agent: Deluge/2.1.1 libtorrent/1.2.15.0\r\nAccept-Encoding: gzip\r\n",
        closes: true,
        starts_blank: false,
    },
    Client {
        share: 6,
        prefix: b"A2-1-36-0-",
        tail: Tail::Bytes,
        query: "info_hash={hash}&peer_id={id}&uploaded={up}&downloaded={down}&left={left}&compact=1&key={key}{want}\
            &no_peer_id=1{port}{event}&supportcrypto=1",
        raw: b"-._~",
        is_upper: true,
        numwant: Some(50),
        headers: "User-Agent: aria2/1.36.0\r\nAccept: */*\r\nWant-Digest: SHA-512;q=1, SHA-256;q=1, SHA;q=0.1\r\n",
        closes: false,
        starts_blank: false,
    },
    Client {
        share: 5,
        prefix: b"-BI3500-",
        tail: Tail::Letters,
        query: AZUREUS,
        raw: b"-_.*",
        is_upper: true,
        numwant: Some(100),
        headers: "User-Agent: BiglyBT 3.5.0.0;Linux;Java 17.0.9\r\nAccept-Encoding: gzip\r\n\
            Accept: text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2\r\n",
        closes: true,
        starts_blank: false,
    },
    Client {
        share: 4,
        prefix: b"-WW0208-",
        tail: Tail::Bytes,
        query: "uploaded={up}&downloaded={down}{want}{event}&compact=1&info_hash={hash}&peer_id={id}{port}&left={left}",
        raw: b"-_.!~*()",
        is_upper: true,
        numwant: Some(50),
        headers: "accept-encoding: gzip, deflate\r\nuser-agent: \r\n",
        closes: false,
        starts_blank: false,
    },
    Client {
        share: 3,
        prefix: b"-BC0146-",
        tail: Tail::Bytes,
        query: "info_hash={hash}&peer_id={id}{port}&port_type=lan&uploaded={up}&downloaded={down}&left={left}{want}\
            &compact=1&no_peer_id=1&key={key}{event}",
        raw: b"",
        is_upper: false,
        numwant: Some(200),
        headers: "Accept: */*\r\nAccept-Encoding: gzip\r\nUser-Agent: BitComet/1.46.7.6\r\nPragma: no-cache\r\n",
        closes: true,
        starts_blank: false,
    },
    Client {
        share: 3,
        prefix: b"-GT0003-",
        tail: Tail::Bytes,
        query: "compact=1&downloaded={down}{event}&info_hash={hash}&ip=192.0.2.7&ipv4=192.0.2.7&key=-{key}&left={left}\
            &peer_id={id}{port}&supportcrypto=1&uploaded={up}",
        raw: b"-_.~",
        is_upper: true,
        numwant: None,
        headers: "User-Agent: Anacrolix/Torrent\r\nAccept-Encoding: gzip\r\n",
        closes: false,
        starts_blank: true,
    },
    Client {
        share: 3,
        prefix: b"M4-4-0--",
        tail: Tail::Letters,
        query: "info_hash={hash}&peer_id={id}{port}&uploaded={up}&downloaded={down}&left={left}&compact=0{event}{want}",
        raw: b"-_.",
        is_upper: true,
        numwant: Some(30),
        headers: "User-Agent: M4-4-0\r\nAccept-Encoding: gzip\r\n",
        closes: false,
        starts_blank: false,
    },
];

impl Client {
    /// The running sums of the clients' shares.
    pub(crate) fn shares() -> Vec<f64> {
        let mut sum = 0.0;
        CLIENTS
            .iter()
            .map(|client| {
                sum += f64::from(client.share);
                sum
            })
            .collect()
    }

    /// A peer id as this client makes it.
    pub(crate) fn id(&self, dice: &mut Dice) -> [u8; 20] {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        const PUNCTUATED: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*()";
        let mut id = [0; 20];
        let (name, tail) = id.split_at_mut(self.prefix.len());
        name.copy_from_slice(self.prefix);
        match self.tail {
            Tail::Letters => tail.iter_mut().for_each(|byte| *byte = dice.pick(LETTERS)),
            Tail::Punctuated => tail.iter_mut().for_each(|byte| *byte = dice.pick(PUNCTUATED)),
            Tail::Bytes => dice.fill(tail),
        }
        id
    }

    /// Whether it wants its peers as dictionaries, with their ids.
    pub(crate) fn wants_ids(&self) -> bool {
        self.query.contains("compact=0")
    }

    /// Appends a request for `path` at `host`.
    pub(crate) fn write(&self, out: &mut Vec<u8>, path: &str, host: &str, facts: &Facts<'_>) {
        out.extend_from_slice(b"GET ");
        out.extend_from_slice(path.as_bytes());
        out.push(if path.contains('?') { b'&' } else { b'?' });
        for part in self.query.split('{') {
            let text = match part.split_once('}') {
                None => part,
                Some((name, text)) => {
                    self.fill_in(out, name, facts);
                    text
                }
            };
            out.extend_from_slice(text.as_bytes());
        }
        write_to(out, format_args!(" HTTP/1.1\r\nHost: {host}\r\n{}", self.headers));
        out.extend_from_slice(if self.closes { b"Connection: close\r\n\r\n" } else { b"\r\n" });
    }

    fn fill_in(&self, out: &mut Vec<u8>, name: &str, facts: &Facts<'_>) {
        match name {
            "hash" => self.escape(out, facts.info_hash),
            "id" => self.escape(out, facts.id),
            // rTorrent leaves its port out where it does not listen
            "port" if facts.port == 0 && self.prefix.starts_with(b"-lt") => {}
            "port" => write_to(out, format_args!("&port={}", facts.port)),
            "up" => write_to(out, format_args!("{}", facts.uploaded)),
            "down" => write_to(out, format_args!("{}", facts.downloaded)),
            "left" => write_to(out, format_args!("{}", facts.left)),
            "key" => write_to(out, format_args!("{:08X}", facts.key)),
            "event" => {
                if let Some(event) = facts.event {
                    write_to(out, format_args!("&event={event}"));
                }
            }
            "want" => {
                if let Some(numwant) = facts.numwant {
                    write_to(out, format_args!("&numwant={numwant}"));
                }
            }
            other => debug_assert!(false, "no client says {other}"),
        }
    }

    fn escape(&self, out: &mut Vec<u8>, bytes: &[u8]) {
        let digits = if self.is_upper { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
        for &byte in bytes {
            if byte.is_ascii_alphanumeric() || self.raw.contains(&byte) {
                out.push(byte);
            } else {
                out.extend([b'%', digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]);
            }
        }
    }
}

/// Appends text to a buffer in memory, which never fails.
pub(crate) fn write_to(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a Vec takes all that is written");
}

#[cfg(test)]
mod tests;
