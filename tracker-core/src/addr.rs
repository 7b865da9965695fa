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

    /// From where the peer can be connected to, by its address alone.
    #[inline]
    pub fn reach(&self) -> Reach {
        match self {
            PeerAddr::V4(ip, _) => Reach::of_v4(ip.to_bits()),
            PeerAddr::V6(ip, _) => Reach::of_v6(ip.to_bits()),
        }
    }

    /// The port; 0 if the peer accepts no connections.
    pub fn port(&self) -> u16 {
        match *self {
            PeerAddr::V4(_, port) | PeerAddr::V6(_, port) => port,
        }
    }
}

/// Who can connect to an address (IANA's registries of special-purpose addresses, RFC 6890). What is set aside for
/// documentation counts as global, like everything that is not named here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Nobody that a tracker could tell of it: unspecified, multicast, broadcast and link-local addresses.
    Nowhere,
    /// Who is in the same network, or behind the same translator: private (RFC 1918), shared (100.64.0.0/10, RFC 6598),
    /// unique-local (fc00::/7, RFC 4193) and loopback addresses.
    Local,
    /// Everybody.
    Global,
}

/// First bytes of IPv4 addresses that are, or may be, something special; multicast is not among them.
const SPECIAL: [u32; 8] = {
    let mut bits = [0; 8];
    let mut at = 0;
    let first = [0, 10, 100, 127, 169, 172, 192, 255];
    while at < first.len() {
        bits[first[at] / 32] |= 1 << (first[at] % 32);
        at += 1;
    }
    bits
};

impl Reach {
    #[inline]
    pub(crate) fn of_v4(ip: u32) -> Reach {
        // of most first bytes nothing else is known
        let first = ip >> 24;
        let is_special = first & 0xf0 == 0xe0 || SPECIAL[(first >> 5) as usize] >> (first & 31) & 1 != 0;
        if is_special { Reach::of_special_v4(ip) } else { Reach::Global }
    }

    fn of_special_v4(ip: u32) -> Reach {
        let is_nowhere = (ip == 0) | (ip >> 28 == 0xe) | (ip == u32::MAX) | (ip >> 16 == 0xa9fe);
        let is_local = (ip >> 24 == 10)
            | (ip >> 20 == 0xac1)
            | (ip >> 16 == 0xc0a8)
            | (ip >> 22 == 100 << 2 | 1)
            | (ip >> 24 == 127);
        match (is_nowhere, is_local) {
            (true, _) => Reach::Nowhere,
            (_, true) => Reach::Local,
            _ => Reach::Global,
        }
    }

    #[inline]
    pub(crate) fn of_v6(ip: u128) -> Reach {
        match ip {
            0 => Reach::Nowhere,
            1 => Reach::Local,
            _ if ip >> 120 == 0xff || ip >> 118 == 0xfe80 >> 6 => Reach::Nowhere,
            _ if ip >> 121 == 0xfc >> 1 => Reach::Local,
            _ => Reach::Global,
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

    #[test]
    fn exactly_these_ranges() {
        let reach = |ip: &str| PeerAddr::new(ip.parse().unwrap(), 1).reach();
        // first and last of each range, and their neighbours outside
        for (ip, expected) in [
            ("0.0.0.0", Reach::Nowhere),
            ("0.0.0.1", Reach::Global),
            ("9.255.255.255", Reach::Global),
            ("10.0.0.0", Reach::Local),
            ("10.255.255.255", Reach::Local),
            ("11.0.0.0", Reach::Global),
            ("100.63.255.255", Reach::Global),
            ("100.64.0.0", Reach::Local),
            ("100.127.255.255", Reach::Local),
            ("100.128.0.0", Reach::Global),
            ("126.255.255.255", Reach::Global),
            ("127.0.0.0", Reach::Local),
            ("127.255.255.255", Reach::Local),
            ("128.0.0.0", Reach::Global),
            ("169.253.255.255", Reach::Global),
            ("169.254.0.0", Reach::Nowhere),
            ("169.254.255.255", Reach::Nowhere),
            ("169.255.0.0", Reach::Global),
            ("172.15.255.255", Reach::Global),
            ("172.16.0.0", Reach::Local),
            ("172.31.255.255", Reach::Local),
            ("172.32.0.0", Reach::Global),
            ("192.0.2.1", Reach::Global),
            ("192.167.255.255", Reach::Global),
            ("192.168.0.0", Reach::Local),
            ("192.168.255.255", Reach::Local),
            ("192.169.0.0", Reach::Global),
            ("223.255.255.255", Reach::Global),
            ("224.0.0.0", Reach::Nowhere),
            ("239.255.255.255", Reach::Nowhere),
            ("240.0.0.0", Reach::Global),
            ("255.255.255.254", Reach::Global),
            ("255.255.255.255", Reach::Nowhere),
            ("::", Reach::Nowhere),
            ("::1", Reach::Local),
            ("::2", Reach::Global),
            ("2001:db8::1", Reach::Global),
            ("fbff::", Reach::Global),
            ("fc00::", Reach::Local),
            ("fdff:ffff::", Reach::Local),
            ("fe00::", Reach::Global),
            ("fe7f:ffff::", Reach::Global),
            ("fe80::", Reach::Nowhere),
            ("febf:ffff::", Reach::Nowhere),
            ("fec0::", Reach::Global),
            ("feff::", Reach::Global),
            ("ff00::", Reach::Nowhere),
            ("ffff:ffff::", Reach::Nowhere),
            ("::ffff:10.0.0.1", Reach::Local),
            ("::ffff:224.0.0.1", Reach::Nowhere),
        ] {
            assert_eq!(reach(ip), expected, "{ip}");
        }
    }
}
