//! How an answer is written, which decoding it hides.

use bip_bencode::{BDecodeOpt, BRefAccess, BencodeRef};

/// How peers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peers {
    /// There is no such key.
    Missing,
    /// A string of so many bytes.
    Compact(usize),
    /// A list, in which so many peers have an id.
    List { ids: usize },
    /// Something else.
    Other,
}

/// An answer's outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Whether all keys are in order.
    pub(super) is_sorted: bool,
    /// Bytes behind the dictionary.
    pub(super) trailing: usize,
    pub(super) peers: Peers,
    pub(super) peers6: Peers,
}

impl Shape {
    /// That of a body which is a dictionary, perhaps with blanks behind it.
    pub(super) fn of(body: &[u8]) -> Shape {
        let bare = body.trim_ascii_end();
        let decode = |bytes, is_strict| BencodeRef::decode(bytes, BDecodeOpt::new(8, is_strict, true));
        let whole = if decode(body, false).is_ok() { body } else { bare };
        let value = decode(whole, false).ok();
        let peers = |name: &str| {
            let found = value.as_ref().and_then(|value| value.dict()?.lookup(name.as_bytes()));
            found.map_or(Peers::Missing, written)
        };
        Shape {
            is_sorted: decode(whole, true).is_ok(),
            trailing: body.len() - whole.len(),
            peers: peers("peers"),
            peers6: peers("peers6"),
        }
    }
}

fn written(value: &BencodeRef<'_>) -> Peers {
    if let Some(bytes) = value.bytes() {
        return Peers::Compact(bytes.len());
    }
    let Some(list) = value.list() else { return Peers::Other };
    let has_id = |peer: &&BencodeRef<'_>| peer.dict().is_some_and(|peer| peer.lookup(b"peer id").is_some());
    Peers::List { ids: list.into_iter().filter(has_id).count() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_rest_and_forms_are_seen() {
        let good = Shape::of(b"d8:intervali60e5:peers6:abcdefe");
        let expected =
            Shape { is_sorted: true, trailing: 0, peers: Peers::Compact(6), peers6: Peers::Missing };
        assert_eq!(good, expected);
        assert!(!Shape::of(b"d5:peers0:8:intervali60ee").is_sorted);
        assert_eq!(Shape::of(b"d5:peers0:e\r\n").trailing, 2);
        let list =
            Shape::of(b"d5:peersld2:ip9:127.0.0.17:peer id1:x4:porti1eed2:ip1:x4:porti1eee6:peers60:e");
        assert_eq!((list.peers, list.peers6), (Peers::List { ids: 1 }, Peers::Compact(0)));
        assert_eq!(Shape::of(b"d5:peersi1ee").peers, Peers::Other);
    }
}
