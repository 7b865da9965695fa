//! How much one address may ask, and how many connections it may have.
//!
//! Requests are metered by a bucket of tokens. While it is empty the bucket runs into debt: requests are served, and their
//! clients told to come less often. Where the debt is as large as the bucket, requests are refused, and connections
//! closed as soon as they are accepted; neither takes a token, so a steady flood is served at the permitted rate.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::proxy::Proxies;

mod table;
#[cfg(test)]
mod tests;

pub use table::{CAPACITY, Key, Table, Ticket, Turned, Verdict};

/// What one IPv4 address, or one IPv6 /64, may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Requests a second in the long run; 0 does not limit them.
    pub requests_per_second: u32,
    /// Requests at once; 0 does not limit requests. As many again are served with a warning.
    pub burst: u32,
    /// Open connections, of at most 16,777,215 that are counted; 0 does not limit them.
    pub connections: u32,
    /// Who is not limited at all. Trusted proxies are not either: the requests that they pass on are their clients'.
    pub exempt: Vec<IpNet>,
}

impl Default for Quota {
    fn default() -> Self {
        Quota {
            requests_per_second: 100,
            burst: 1000,
            connections: 1000,
            exempt: vec![
                Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8).into(),
                Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128).into(),
            ],
        }
    }
}

/// Lets connections in, and judges requests.
#[derive(Debug)]
pub(crate) struct Gate {
    /// None if nothing is limited.
    table: Option<Table>,
    exempt: Vec<IpNet>,
    proxies: Proxies,
}

/// Whose account the requests of a connection are on. It is found out once, when the connection is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Standing {
    /// Nobody's: it is exempt.
    #[default]
    Exempt,
    /// That of the client whom the proxy names with each request.
    Proxy,
    /// That of its own address. With a ticket it is counted there.
    Limited(Option<Ticket>),
}

/// What becomes of a request, and whether its client is exempt from all limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    pub(crate) is_exempt: bool,
}

impl Judgement {
    const EXEMPT: Judgement = Judgement { verdict: Verdict::Served, is_exempt: true };
}

impl Gate {
    pub(crate) fn new(quota: &Quota, proxies: &Proxies) -> Gate {
        Gate { table: Table::new(quota), exempt: quota.exempt.clone(), proxies: proxies.clone() }
    }

    /// Looks at a connection of `peer` that has been accepted. What comes of it is to be given to [`Gate::leave`]
    /// when it ends.
    ///
    /// # Errors
    /// It is to be closed at once, and has not been counted.
    pub(crate) fn enter(&self, peer: IpAddr, now: u64) -> Result<Standing, Turned> {
        if self.proxies.trusts(peer) {
            return Ok(Standing::Proxy);
        }
        if self.is_exempt(peer) {
            return Ok(Standing::Exempt);
        }
        let ticket = match &self.table {
            Some(table) => table.enter(peer.into(), now)?,
            None => None,
        };
        Ok(Standing::Limited(ticket))
    }

    /// A connection of `peer` has ended.
    pub(crate) fn leave(&self, peer: IpAddr, standing: Standing) {
        if let (Some(table), Standing::Limited(Some(ticket))) = (&self.table, standing) {
            table.leave(peer.into(), ticket);
        }
    }

    /// Judges a request of `client` on a connection of this standing.
    #[inline]
    pub(crate) fn judge(&self, standing: Standing, client: IpAddr, now: u64) -> Judgement {
        match standing {
            Standing::Exempt => return Judgement::EXEMPT,
            // where a proxy names nobody, it speaks for itself
            Standing::Proxy if self.proxies.trusts(client) || self.is_exempt(client) => {
                return Judgement::EXEMPT;
            }
            Standing::Proxy | Standing::Limited(_) => {}
        }
        let verdict = self.table.as_ref().map_or(Verdict::Served, |table| table.ask(client.into(), now));
        Judgement { verdict, is_exempt: false }
    }

    /// Charges `peer` for what is no request, and will be answered as such, or for a connection without any. A proxy is not to
    /// blame for it.
    pub(crate) fn charge(&self, standing: Standing, peer: IpAddr, now: u64) {
        if let (Some(table), Standing::Limited(_)) = (&self.table, standing) {
            table.ask(peer.into(), now);
        }
    }

    /// Connections that are counted for an address.
    #[cfg(test)]
    fn open(&self, ip: IpAddr) -> u64 {
        self.table.as_ref().map_or(0, |table| table.open(ip.into()))
    }

    fn is_exempt(&self, ip: IpAddr) -> bool {
        self.exempt.iter().any(|network| network.contains(&ip))
    }
}
