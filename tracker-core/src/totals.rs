//! What there is in all.

use std::ops::AddAssign;

use crate::swarm::Torrent;

/// The peers of one address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct FamilyTotals {
    /// Peers with the complete download.
    pub seeders: u64,
    /// The others, partial seeds among them.
    pub leechers: u64,
}

/// The counts of a whole tracker. Peers that are stale are in until the sweep that removes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Totals {
    /// Torrents with at least one peer.
    pub torrents: u64,
    /// Peers known by an IPv4 address.
    pub v4: FamilyTotals,
    /// Peers known by an IPv6 address.
    pub v6: FamilyTotals,
    /// Downloads completed since the tracker was made. What is imported was counted by whoever exported it.
    pub completed: u64,
    /// Torrents without peers that are remembered for their completions.
    pub remembered: u64,
    /// Announces of new torrents turned away since [`max_torrents`](crate::Config::max_torrents) was reached.
    pub refused_torrents: u64,
    /// Peers not stored since [`max_peers_per_torrent`](crate::Config::max_peers_per_torrent) was reached.
    pub refused_peers: u64,
    /// Peers not stored since their address had too many:
    /// [`max_peers_per_address`](crate::Config::max_peers_per_address).
    pub refused_by_address: u64,
}

impl Totals {
    /// Peers with the complete download, of both families.
    pub fn seeders(&self) -> u64 {
        self.v4.seeders + self.v6.seeders
    }

    /// Peers without it, of both families.
    pub fn leechers(&self) -> u64 {
        self.v4.leechers + self.v6.leechers
    }

    /// All peers.
    pub fn peers(&self) -> u64 {
        self.seeders() + self.leechers()
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Totals) {
        self.torrents += other.torrents;
        self.v4.seeders += other.v4.seeders;
        self.v4.leechers += other.v4.leechers;
        self.v6.seeders += other.v6.seeders;
        self.v6.leechers += other.v6.leechers;
        self.completed += other.completed;
        self.remembered += other.remembered;
        self.refused_torrents += other.refused_torrents;
        self.refused_peers += other.refused_peers;
        self.refused_by_address += other.refused_by_address;
    }
}

/// A torrent's share in the totals, taken before and after it is changed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Share {
    v4: (u64, u64),
    v6: (u64, u64),
}

impl Share {
    #[inline]
    pub(crate) fn of(torrent: &Torrent) -> Share {
        let seeders = u64::from(torrent.v4.seeders());
        let v6 = torrent.v6().map_or((0, 0), |v6| {
            let seeders = u64::from(v6.seeders());
            (seeders, v6.len() as u64 - seeders)
        });
        Share { v4: (seeders, torrent.v4.len() as u64 - seeders), v6 }
    }
}

impl Totals {
    /// What was `before` is `after` now.
    #[inline]
    pub(crate) fn replace(&mut self, before: Share, after: Share) {
        // most announces change nothing, and then nothing is to be written
        if before == after {
            return;
        }
        let moved = |total: &mut u64, before: u64, after: u64| *total = *total + after - before;
        moved(&mut self.v4.seeders, before.v4.0, after.v4.0);
        moved(&mut self.v4.leechers, before.v4.1, after.v4.1);
        moved(&mut self.v6.seeders, before.v6.0, after.v6.0);
        moved(&mut self.v6.leechers, before.v6.1, after.v6.1);
    }
}
