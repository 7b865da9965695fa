//! What a peer says, as plain data, whatever protocol it came in by.

use crate::{InfoHash, PeerAddr, PeerId};

/// What happened at a peer since it last announced ([BEP 3], [BEP 21]).
///
/// [BEP 3]: https://www.bittorrent.org/beps/bep_0003.html
/// [BEP 21]: https://www.bittorrent.org/beps/bep_0021.html
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Event {
    /// Nothing: the peer is still there.
    #[default]
    Regular,
    /// The peer has begun.
    Started,
    /// The peer has just finished its download.
    Completed,
    /// The peer leaves: it is forgotten, and told of nobody.
    Stopped,
    /// The peer has what it wants and not everything: a partial seed, until it announces otherwise.
    Paused,
}

/// What a peer is in its swarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeerState {
    /// It has the complete download.
    Seeder,
    /// It has what it wants, and not everything ([BEP 21](https://www.bittorrent.org/beps/bep_0021.html)):
    /// counted with the leechers.
    PartialSeed,
    /// It still downloads.
    Leecher,
}

/// One announce: who, in which torrent, and what it wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announce {
    /// The torrent.
    pub info_hash: InfoHash,
    /// What the client calls itself.
    pub peer_id: PeerId,
    /// Where it can be connected to. With port 0, or an address that leads [nowhere](crate::Reach::Nowhere), it is
    /// answered with peers, but not stored or counted.
    pub addr: PeerAddr,
    /// Bytes it still misses: 0 makes it a seeder, anything else a leecher; `u64::MAX` if it did not say.
    pub left: u64,
    /// What happened.
    pub event: Event,
    /// How many peers it wants at the most, of both families together. The caller bounds it.
    pub numwant: u32,
    /// Whether the reply is to have the peers' ids too.
    pub want_ids: bool,
    /// Whether the bounds on an address's peers do not hold for it: its caller trusts whoever it is.
    pub is_exempt: bool,
}

impl Announce {
    /// What the peer is from now on.
    pub fn state(&self) -> PeerState {
        match (self.left, self.event) {
            (0, _) => PeerState::Seeder,
            (_, Event::Paused) => PeerState::PartialSeed,
            _ => PeerState::Leecher,
        }
    }
}

/// The counts of one torrent, both address families together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counts {
    /// Seeders: peers with the complete download.
    pub complete: u32,
    /// Leechers, partial seeds among them.
    pub incomplete: u32,
    /// Completions since the torrent is known.
    pub downloaded: u32,
    /// Partial seeds ([BEP 21](https://www.bittorrent.org/beps/bep_0021.html)): leechers that want nothing more.
    pub partial: u32,
}

/// What became of an announce that was answered with peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The peer is in the swarm now, or it has left as it said.
    Done,
    /// Nobody can connect to the peer, for its port is 0 or its address leads [nowhere](crate::Reach::Nowhere): answered,
    /// not stored.
    Unreachable,
    /// The torrent has [`max_peers_per_torrent`](crate::Config::max_peers_per_torrent) peers: answered, not stored.
    SwarmFull,
    /// Its address has [`max_peers_per_address`](crate::Config::max_peers_per_address) peers, or
    /// [`max_peers_per_address_and_torrent`](crate::Config::max_peers_per_address_and_torrent) in this torrent: answered, not
    /// stored.
    AddressFull,
}

/// Why an announce was not answered with peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnnounceError {
    /// A new torrent, and there are [`max_torrents`](crate::Config::max_torrents) already.
    #[error("this tracker serves as many torrents as it can hold")]
    TrackerFull,
}
