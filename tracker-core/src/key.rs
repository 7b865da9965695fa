//! A peer in as few bytes as it takes: address, port and a 16-bit stamp of when it was last heard of.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::hasher::Hasher;
use crate::{PeerAddr, Reach};

/// How near two peers are to each other, by their addresses alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Nearness {
    Far,
    /// Same /16 of IPv4, same /32 of IPv6.
    Region,
    /// Same /24 of IPv4, same /48 of IPv6.
    Network,
}

/// One peer of one address family.
pub(crate) trait Key: Copy + Send + 'static {
    /// Bytes of the compact form: BEP 23, BEP 7.
    const COMPACT: usize;
    /// See [`Key::write_compact`].
    const SLACK: usize;

    /// The same address and port, whatever the stamps.
    fn is_peer(&self, other: &Self) -> bool;
    fn stamp(&self) -> u16;
    fn stamped(self, stamp: u16) -> Self;
    fn hash(&self, hasher: &Hasher) -> u64;
    /// Writes the compact form at the start of `to`, and up to [`Key::SLACK`] bytes of anything behind it.
    fn write_compact(&self, to: &mut [u8]);
    fn nearness(&self, other: &Self) -> Nearness;
    fn addr(&self) -> PeerAddr;
    fn reach(&self) -> Reach;
    /// Whose peer it is: the IPv4 address, or the upper 64 bits of the IPv6 address, in one word and never the same.
    fn origin(&self) -> u64;
}

/// An IPv4 peer in one word: address, port, stamp, from the top. Its first six bytes are the compact form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key4(u64);

impl Key4 {
    pub(crate) fn new(ip: Ipv4Addr, port: u16, stamp: u16) -> Self {
        Key4(u64::from(ip.to_bits()) << 32 | u64::from(port) << 16 | u64::from(stamp))
    }
}

impl Key for Key4 {
    const COMPACT: usize = 6;
    // a word is written faster than six bytes
    const SLACK: usize = 2;

    #[inline]
    fn is_peer(&self, other: &Self) -> bool {
        (self.0 ^ other.0) >> 16 == 0
    }

    #[inline]
    fn stamp(&self) -> u16 {
        self.0 as u16
    }

    fn stamped(self, stamp: u16) -> Self {
        Key4(self.0 & !0xffff | u64::from(stamp))
    }

    fn hash(&self, hasher: &Hasher) -> u64 {
        hasher.hash(&self.0.to_be_bytes()[..6])
    }

    #[inline(always)]
    fn write_compact(&self, to: &mut [u8]) {
        to[..8].copy_from_slice(&self.0.to_be_bytes());
    }

    fn nearness(&self, other: &Self) -> Nearness {
        match (self.0 ^ other.0) >> 32 {
            0..=0xff => Nearness::Network,
            0x100..=0xffff => Nearness::Region,
            _ => Nearness::Far,
        }
    }

    fn addr(&self) -> PeerAddr {
        PeerAddr::V4(Ipv4Addr::from_bits((self.0 >> 32) as u32), (self.0 >> 16) as u16)
    }

    #[inline]
    fn reach(&self) -> Reach {
        Reach::of_v4((self.0 >> 32) as u32)
    }

    fn origin(&self) -> u64 {
        // no network of IPv6 begins like that: it would be multicast
        u64::MAX << 32 | self.0 >> 32
    }
}

/// An IPv6 peer in 20 bytes: the 18 of the compact form, and the stamp.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key6 {
    compact: [u8; 18],
    stamp: u16,
}

impl Key6 {
    pub(crate) fn new(ip: Ipv6Addr, port: u16, stamp: u16) -> Self {
        let mut compact = [0; 18];
        compact[..16].copy_from_slice(&ip.octets());
        compact[16..].copy_from_slice(&port.to_be_bytes());
        Key6 { compact, stamp }
    }

    fn ip(&self) -> Ipv6Addr {
        let mut octets = [0; 16];
        octets.copy_from_slice(&self.compact[..16]);
        Ipv6Addr::from(octets)
    }
}

impl Key for Key6 {
    const COMPACT: usize = 18;
    const SLACK: usize = 0;

    #[inline]
    fn is_peer(&self, other: &Self) -> bool {
        self.compact == other.compact
    }

    #[inline]
    fn stamp(&self) -> u16 {
        self.stamp
    }

    fn stamped(self, stamp: u16) -> Self {
        Key6 { stamp, ..self }
    }

    fn hash(&self, hasher: &Hasher) -> u64 {
        hasher.hash(&self.compact)
    }

    #[inline(always)]
    fn write_compact(&self, to: &mut [u8]) {
        to[..18].copy_from_slice(&self.compact);
    }

    fn nearness(&self, other: &Self) -> Nearness {
        match (self.ip().to_bits() ^ other.ip().to_bits()).leading_zeros() {
            48.. => Nearness::Network,
            32..=47 => Nearness::Region,
            _ => Nearness::Far,
        }
    }

    fn addr(&self) -> PeerAddr {
        PeerAddr::V6(self.ip(), u16::from_be_bytes([self.compact[16], self.compact[17]]))
    }

    #[inline]
    fn reach(&self) -> Reach {
        Reach::of_v6(self.ip().to_bits())
    }

    fn origin(&self) -> u64 {
        (self.ip().to_bits() >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_and_port_are_the_identity() {
        let one = Key4::new(Ipv4Addr::new(10, 1, 2, 3), 6881, 7);
        assert!(one.is_peer(&one.stamped(9)));
        assert_eq!(one.stamped(0xffff).addr().to_string(), "10.1.2.3:6881");
        assert!(!one.is_peer(&Key4::new(Ipv4Addr::new(10, 1, 2, 3), 6882, 7)));
        let six = Key6::new("2001:db8::1".parse().unwrap(), 51413, 7);
        assert!(six.is_peer(&six.stamped(9)));
        assert_eq!(six.addr().to_string(), "[2001:db8::1]:51413");
    }

    #[test]
    fn nearness_by_prefix() {
        let near = |a: [u8; 4], b: [u8; 4]| Key4::new(a.into(), 1, 0).nearness(&Key4::new(b.into(), 2, 5));
        assert_eq!(near([10, 1, 2, 3], [10, 1, 2, 200]), Nearness::Network);
        assert_eq!(near([10, 1, 2, 3], [10, 1, 9, 3]), Nearness::Region);
        assert_eq!(near([10, 1, 2, 3], [10, 9, 2, 3]), Nearness::Far);
        let near = |a: &str, b: &str| {
            Key6::new(a.parse().unwrap(), 1, 0).nearness(&Key6::new(b.parse().unwrap(), 2, 0))
        };
        assert_eq!(near("2001:db8:1:2::1", "2001:db8:1:3::1"), Nearness::Network);
        assert_eq!(near("2001:db8:1::1", "2001:db8:2::1"), Nearness::Region);
        assert_eq!(near("2001:db8::1", "2001:db9::1"), Nearness::Far);
    }
}
