//! Answers, decoded by `bip_bencode` as a decoder that is not ours, and checked where that one is lenient.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use bip_bencode::{BDecodeOpt, BRefAccess, BencodeRef, BencodeRefKind};

/// A decoded value that owns what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Int(i64),
    Bytes(Vec<u8>),
    List(Vec<Value>),
    Dict(BTreeMap<Vec<u8>, Value>),
}

impl Value {
    /// Decodes an answer, which must be canonical bencode from its first byte to its last.
    #[track_caller]
    pub(crate) fn of(bytes: &[u8]) -> Value {
        assert_eq!(canonical(bytes), Some(bytes.len()), "not canonical: {}", bytes.escape_ascii());
        let decoded = BencodeRef::decode(bytes, BDecodeOpt::new(8, true, true));
        owned(&decoded.unwrap_or_else(|error| panic!("{error}: {}", bytes.escape_ascii())))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.dict().get(key.as_bytes())
    }

    #[track_caller]
    pub(crate) fn dict(&self) -> &BTreeMap<Vec<u8>, Value> {
        let Value::Dict(dict) = self else { panic!("no dictionary: {self:?}") };
        dict
    }

    #[track_caller]
    pub(crate) fn list(&self) -> &[Value] {
        let Value::List(list) = self else { panic!("no list: {self:?}") };
        list
    }

    /// The bytes under a key.
    #[track_caller]
    pub(crate) fn bytes(&self, key: &str) -> &[u8] {
        let Some(Value::Bytes(bytes)) = self.get(key) else { panic!("no bytes at {key}: {self:?}") };
        bytes
    }

    /// The number under a key.
    #[track_caller]
    pub(crate) fn int(&self, key: &str) -> i64 {
        let Some(Value::Int(int)) = self.get(key) else { panic!("no number at {key}: {self:?}") };
        *int
    }

    /// The text under a key.
    #[track_caller]
    pub(crate) fn text(&self, key: &str) -> &str {
        std::str::from_utf8(self.bytes(key)).unwrap()
    }

    pub(crate) fn keys(&self) -> Vec<&str> {
        self.dict().keys().map(|key| std::str::from_utf8(key).unwrap()).collect()
    }

    /// The peers of an announce in whatever form, those of `peers` first.
    #[track_caller]
    pub(crate) fn peers(&self) -> Vec<SocketAddr> {
        let mut peers: Vec<SocketAddr> = match self.get("peers") {
            Some(Value::List(list)) => list.iter().map(dictionary_peer).collect(),
            Some(Value::Bytes(bytes)) => {
                assert_eq!(bytes.len() % 6, 0);
                let peer = |peer: &[u8]| {
                    let ip: [u8; 4] = peer[..4].try_into().unwrap();
                    (ip, u16::from_be_bytes([peer[4], peer[5]])).into()
                };
                bytes.chunks(6).map(peer).collect()
            }
            other => panic!("peers must always be there, not {other:?}: {self:?}"),
        };
        if self.get("peers6").is_some() {
            let bytes = self.bytes("peers6");
            assert!(!bytes.is_empty() && bytes.len().is_multiple_of(18), "peers6 of {} bytes", bytes.len());
            for peer in bytes.chunks(18) {
                let ip: [u8; 16] = peer[..16].try_into().unwrap();
                peers.push((ip, u16::from_be_bytes([peer[16], peer[17]])).into());
            }
        }
        peers
    }

    /// The ports of the peers, sorted.
    #[track_caller]
    pub(crate) fn ports(&self) -> Vec<u16> {
        let mut ports: Vec<u16> = self.peers().iter().map(SocketAddr::port).collect();
        ports.sort_unstable();
        ports
    }

    /// `complete`, `incomplete` and `downloaded`.
    #[track_caller]
    pub(crate) fn counts(&self) -> (i64, i64, i64) {
        (self.int("complete"), self.int("incomplete"), self.int("downloaded"))
    }

    /// The entry of a torrent in a scrape.
    #[track_caller]
    pub(crate) fn file(&self, info_hash: &[u8; 20]) -> &Value {
        &self.get("files").unwrap().dict()[&info_hash[..]]
    }
}

/// A peer of a list of dictionaries: its address is text there.
#[track_caller]
fn dictionary_peer(peer: &Value) -> SocketAddr {
    let ip: IpAddr = peer.text("ip").parse().unwrap();
    SocketAddr::new(ip, u16::try_from(peer.int("port")).unwrap())
}

fn owned(value: &BencodeRef<'_>) -> Value {
    match value.kind() {
        BencodeRefKind::Int(int) => Value::Int(int),
        BencodeRefKind::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
        BencodeRefKind::List(list) => Value::List(list.into_iter().map(owned).collect()),
        BencodeRefKind::Dict(dict) => {
            Value::Dict(dict.to_list().into_iter().map(|(key, value)| (key.to_vec(), owned(value))).collect())
        }
    }
}

/// How long the value at the start is, if it is written in the only way that bencode allows: no superfluous zeros, and keys that
/// ascend.
fn canonical(bytes: &[u8]) -> Option<usize> {
    match bytes.first()? {
        b'i' => {
            let end = bytes.iter().position(|&b| b == b'e')?;
            let text = std::str::from_utf8(&bytes[1..end]).ok()?;
            (text.parse::<i64>().ok()?.to_string() == text).then_some(end + 1)
        }
        b'l' => {
            let mut at = 1;
            while *bytes.get(at)? != b'e' {
                at += canonical(&bytes[at..])?;
            }
            Some(at + 1)
        }
        b'd' => {
            let (mut at, mut last) = (1, None);
            while *bytes.get(at)? != b'e' {
                let (key, end) = string(&bytes[at..])?;
                if last.replace(key).is_some_and(|last| last >= key) {
                    return None;
                }
                at += end;
                at += canonical(&bytes[at..])?;
            }
            Some(at + 1)
        }
        _ => string(bytes).map(|(_, end)| end),
    }
}

fn string(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let colon = bytes.iter().position(|&b| b == b':')?;
    let text = std::str::from_utf8(&bytes[..colon]).ok()?;
    let length: usize = text.parse().ok().filter(|length: &usize| length.to_string() == text)?;
    Some((bytes.get(colon + 1..colon + 1 + length)?, colon + 1 + length))
}

#[test]
fn what_is_not_canonical_is_found() {
    for bad in ["d1:b0:1:a0:e", "d1:a0:1:a0:e", "i01e", "i-0e", "01:a", "d1:ai1e", "i1ee", "2:a", ""] {
        assert_ne!(canonical(bad.as_bytes()), Some(bad.len()), "{bad}");
    }
    assert_eq!(canonical(b"d1:ai-1e1:bli0e0:ee"), Some(19));
}
