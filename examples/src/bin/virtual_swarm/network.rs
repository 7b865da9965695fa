//! Where peers live: autonomous systems of very different size, each with some /24s, and the address that says which.

use std::net::Ipv4Addr;

use tracker_core::PeerAddr;

use crate::random::{Random, Zipf};

/// The first /24; all others follow.
const FIRST: u32 = 16 << 16;
/// Peers that one host address can tell apart by port.
const PORTS: u32 = 60_000;
const FIRST_PORT: u32 = 1024;
/// So many peers have an address each in every /24.
pub(crate) const MOST_PEERS: u32 = 250 * PORTS;

/// A network and one of its /24s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) network: u16,
    pub(crate) subnet: u32,
}

/// All networks.
#[derive(Debug)]
pub(crate) struct Networks {
    sizes: Zipf,
    /// The first /24 of each network, and behind the last one.
    starts: Vec<u32>,
}

impl Networks {
    /// So many networks, whose /24s, about `subnets` in all, are as many as their peers; one at the least.
    pub(crate) fn new(networks: usize, exponent: f64, subnets: usize) -> Self {
        let sizes = Zipf::new(networks, exponent);
        let mut starts = vec![0];
        let mut end = 0;
        for share in sizes.shares() {
            end += (share * subnets as f64).round().max(1.0) as u32;
            starts.push(end);
        }
        Networks { sizes, starts }
    }

    pub(crate) fn draw(&self, random: &mut Random) -> Home {
        let network = self.sizes.draw(random);
        let (start, end) = (self.starts[network], self.starts[network + 1]);
        Home { network: network as u16, subnet: start + random.below((end - start) as usize) as u32 }
    }

    /// How likely two peers drawn by nothing but chance share a /24, and how likely they share a network.
    pub(crate) fn chance_of_sharing(&self) -> (f64, f64) {
        let mut both = (0.0, 0.0);
        for (network, share) in self.sizes.shares().enumerate() {
            let subnets = self.starts[network + 1] - self.starts[network];
            both.0 += share * share / f64::from(subnets);
            both.1 += share * share;
        }
        both
    }
}

/// The address of the peer in slot `peer`, whose home it tells; slots of one time have different ones.
pub(crate) fn address(peer: u32, home: Home) -> PeerAddr {
    let ip = (FIRST + home.subnet) << 8 | (1 + peer / PORTS);
    PeerAddr::V4(Ipv4Addr::from_bits(ip), (FIRST_PORT + peer % PORTS) as u16)
}

/// The slot and the /24 that a compact address tells.
#[inline]
pub(crate) fn whose(compact: [u8; 6]) -> (u32, u32) {
    let [a, b, c, host, p, q] = compact;
    let port = u32::from(u16::from_be_bytes([p, q]));
    let slot = (u32::from(host).wrapping_sub(1)).wrapping_mul(PORTS) + port.wrapping_sub(FIRST_PORT);
    (slot, u32::from_be_bytes([0, a, b, c]).wrapping_sub(FIRST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_tells_whose_it_is() {
        for peer in [0, 1, 59_999, 60_000, 131_071, MOST_PEERS - 1] {
            let home = Home { network: 3, subnet: 19_999 };
            let PeerAddr::V4(ip, port) = address(peer, home) else { panic!("IPv4 only") };
            let ([a, b, c, d], [p, q]) = (ip.octets(), port.to_be_bytes());
            assert_eq!(whose([a, b, c, d, p, q]), (peer, home.subnet));
        }
    }

    #[test]
    fn sharing_is_as_likely_as_calculated() {
        let (networks, mut random) = (Networks::new(100, 1.0, 500), Random::new(3, 0));
        let (mut subnet, mut network) = (0, 0);
        for _ in 0..400_000 {
            let (a, b) = (networks.draw(&mut random), networks.draw(&mut random));
            subnet += u32::from(a.subnet == b.subnet);
            network += u32::from(a.network == b.network);
        }
        let (by_subnet, by_network) = networks.chance_of_sharing();
        assert!((f64::from(subnet) / 400_000.0 / by_subnet - 1.0).abs() < 0.1);
        assert!((f64::from(network) / 400_000.0 / by_network - 1.0).abs() < 0.03);
    }
}
