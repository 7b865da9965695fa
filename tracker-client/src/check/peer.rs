//! Peers that do not exist, in a swarm that does not exist either.

use super::CheckError;

/// What a client says that it still has to download.
pub(super) const LEFT: u64 = 1_000_000;

/// Who announces.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) id: [u8; 20],
    pub(super) port: u16,
    pub(super) left: u64,
}

/// Three peers with ports of their own.
pub(super) fn peers() -> Result<[Peer; 3], CheckError> {
    let [high, low, letters @ ..] = random::<14>()?;
    let first = 20_000 + u16::from_be_bytes([high, low]) % 40_000;
    Ok([0, 1, 2].map(|nth| {
        let mut id = *b"-TK0100-............";
        for (place, byte) in id[8..].iter_mut().zip(letters) {
            *place = b'a' + byte % 26;
        }
        id[19] = b'0' + nth;
        Peer { id, port: first + u16::from(nth), left: LEFT }
    }))
}

/// An info hash of no torrent. It has bytes that are written in different ways: letters, marks that need no escape and
/// such that do, a plus, a blank, a percent sign, a zero, and one that is no UTF-8.
pub(super) fn info_hash() -> Result<[u8; 20], CheckError> {
    let mut hash = random::<20>()?;
    hash[..8].copy_from_slice(b"aZ~+ %\0\xff");
    Ok(hash)
}

fn random<const N: usize>() -> Result<[u8; N], CheckError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| CheckError::Random(error.to_string()))?;
    Ok(bytes)
}
