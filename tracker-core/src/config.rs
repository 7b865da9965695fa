//! What an embedder decides.

use crate::Selection;

/// How a [`Tracker`](crate::Tracker) behaves. `Config { peer_timeout: 600, ..Config::default() }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The key of the hash tables. Attackers pick info hashes, so a public tracker takes it from the operating
    /// system's random source; a simulation takes a constant and is repeatable.
    pub hash_key: [u8; 16],
    /// Seconds, at least 1: a peer not heard of for that long is handed to nobody and forgotten.
    /// Ages are kept in steps of a 64th of a second, of a whole second for timeouts above 2,048 s, of more above 16,384 s: a
    /// peer may go early by up to a step, which is at most 1/1024 of the timeout, or a 64th of a second.
    pub peer_timeout: u32,
    /// In how many parts the torrents are kept, each behind a lock of its own; rounded up to a power of two, at most
    /// 65536.
    pub shards: usize,
    /// Whether peer ids are kept: 20 bytes a peer.
    pub keep_peer_ids: bool,
    /// Who is handed out.
    pub selection: Selection,
    /// How many torrents may have peers at the same time; 0 for no bound.
    pub max_torrents: usize,
    /// How many peers one torrent may have; 0 for no bound.
    pub max_peers_per_torrent: usize,
    /// How many peers one address may have in all torrents together, an IPv4 address or an IPv6 network of 64 bits; 0 for no
    /// bound. It is counted in a fixed number of bytes, so that on a tracker of ten million peers some tens may be
    /// counted too many, and never one too few but for chance.
    pub max_peers_per_address: usize,
    /// How many peers one address may have in one torrent; 0 for no bound. Exact but in swarms above 65,536 peers.
    pub max_peers_per_address_and_torrent: usize,
    /// How many torrents without peers are remembered for their completions.
    pub remember_torrents: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            hash_key: [0; 16],
            peer_timeout: 45 * 60,
            shards: 128,
            keep_peer_ids: true,
            selection: Selection::Uniform,
            max_torrents: 10_000_000,
            max_peers_per_torrent: 0,
            max_peers_per_address: 0,
            max_peers_per_address_and_torrent: 0,
            remember_torrents: 1_000_000,
        }
    }
}
