//! Where a peer can be connected to.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A peer's address and port; with the torrent, its identity.
///
/// Make one with [`PeerAddr::new`], which turns an IPv4-mapped IPv6 address (`::ffff:a.b.c.d`) into IPv4,
/// so that one peer has one name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeerAddr {
    /// An IPv4 peer: handed out in `peers`.
    V4(Ipv4Addr, u16),
    /// An IPv6 peer: handed out in `peers6` ([BEP 7](https://www.bittorrent.org/beps/bep_0007.html)).
    V6(Ipv6Addr, u16),
}

impl PeerAddr {
    /// The peer at `ip` and `port`. Port 0 stands for a peer that nobody can connect to.
    pub fn new(ip: IpAddr, port: u16) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => PeerAddr::V4(ip, port),
            IpAddr::V6(ip) => PeerAddr::V6(ip, port),
        }
    }

    /// The address without the port.
    pub fn ip(&self) -> IpAddr {
        match *self {
            PeerAddr::V4(ip, _) => IpAddr::V4(ip),
            PeerAddr::V6(ip, _) => IpAddr::V6(ip),
        }
    }

    /// The port; 0 if the peer accepts no connections.
    pub fn port(&self) -> u16 {
        match *self {
            PeerAddr::V4(_, port) | PeerAddr::V6(_, port) => port,
        }
    }
}

impl From<SocketAddr> for PeerAddr {
    fn from(addr: SocketAddr) -> Self {
        PeerAddr::new(addr.ip(), addr.port())
    }
}

impl From<PeerAddr> for SocketAddr {
    fn from(addr: PeerAddr) -> Self {
        SocketAddr::new(addr.ip(), addr.port())
    }
}

impl fmt::Display for PeerAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SocketAddr::from(*self).fmt(f)
    }
}

impl fmt::Debug for PeerAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SocketAddr::from(*self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapped_address_is_the_ipv4_one() {
        let mapped: SocketAddr = "[::ffff:10.1.2.3]:6881".parse().unwrap();
        assert_eq!(PeerAddr::from(mapped), PeerAddr::V4(Ipv4Addr::new(10, 1, 2, 3), 6881));
        assert_eq!(PeerAddr::from(mapped).to_string(), "10.1.2.3:6881");
    }
}
