//! Who the client is behind a reverse proxy.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use crate::parser::Request;

/// Which forwarding header the proxies write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ForwardedHeader {
    /// The first of the three, in this order, that a request has.
    #[default]
    Any,
    /// `X-Forwarded-For: client, proxy, …`
    XForwardedFor,
    /// `X-Real-IP: client`
    XRealIp,
    /// `Forwarded: for=client, for=proxy;proto=https` (RFC 7239)
    Forwarded,
}

/// The proxies that are believed.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// Their networks.
    pub trusted: Vec<IpNet>,
    /// What they write.
    pub header: ForwardedHeader,
}

impl Proxies {
    /// The client's address: `peer`, unless that is a trusted proxy. Then it is the right-most address of the forwarding
    /// header that is not a trusted proxy itself, since whatever stands to the left of it may be made up; where there is no
    /// such address, or what stands there is none, `peer` again.
    #[inline]
    pub fn client(&self, peer: IpAddr, request: &Request<'_>) -> IpAddr {
        if self.trusted.is_empty() || !self.trusts(peer) {
            return peer;
        }
        self.forwarded(request).unwrap_or(peer)
    }

    pub(crate) fn trusts(&self, ip: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&ip))
    }

    fn forwarded(&self, request: &Request<'_>) -> Option<IpAddr> {
        use ForwardedHeader::{Any, Forwarded, XForwardedFor, XRealIp};
        let has = |name| request.header(name).next().is_some();
        match self.header {
            XForwardedFor => self.right_most(request, "x-forwarded-for", |item| Some(item)),
            XRealIp => self.right_most(request, "x-real-ip", |item| Some(item)),
            Any if has("x-forwarded-for") => self.right_most(request, "x-forwarded-for", |item| Some(item)),
            Any if has("x-real-ip") => self.right_most(request, "x-real-ip", |item| Some(item)),
            Any | Forwarded => self.right_most(request, "forwarded", for_parameter),
        }
    }

    fn right_most(
        &self,
        request: &Request<'_>,
        name: &str,
        address: impl Fn(&str) -> Option<&str>,
    ) -> Option<IpAddr> {
        let lines: Vec<&[u8]> = request.header(name).collect();
        for line in lines.iter().rev() {
            for item in std::str::from_utf8(line).ok()?.rsplit(',') {
                let ip = node(address(item.trim())?)?;
                if !self.trusts(ip) {
                    return Some(ip);
                }
            }
        }
        None
    }
}

/// The value of `for` in one element of `Forwarded`, without its quotes (RFC 7239 §4).
fn for_parameter(element: &str) -> Option<&str> {
    let value = element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| value.trim())
    })?;
    Some(value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value))
}

/// An address, with or without a port or brackets.
fn node(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let ip = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|addr| addr.ip())).ok()?;
    Some(IpAddr::to_canonical(&ip))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parser::{Limits, Status, parse};

    fn client(header: ForwardedHeader, peer: &str, fields: &str) -> String {
        let proxies =
            Proxies { trusted: vec!["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()], header };
        let text = format!("GET / HTTP/1.1\r\nHost: x\r\n{fields}\r\n");
        let Ok(Status::Complete(request)) = parse(text.as_bytes(), &Limits::default()) else {
            panic!("{fields}")
        };
        proxies.client(peer.parse().unwrap(), &request).to_string()
    }

    #[test]
    fn right_most_that_is_no_proxy() {
        use ForwardedHeader::*;
        let chain = "X-Forwarded-For: 6.6.6.6, 203.0.113.9\r\nX-Forwarded-For: 10.1.1.1,10.2.2.2\r\n";
        assert_eq!(client(Any, "127.0.0.1", chain), "203.0.113.9");
        assert_eq!(client(Any, "198.51.100.1", chain), "198.51.100.1");
        assert_eq!(client(XRealIp, "127.0.0.1", chain), "127.0.0.1");
        let forwarded = "forwarded: For=\"[2001:db8:cafe::17]:4711\";proto=http, for=10.0.0.1\r\n";
        assert_eq!(client(Any, "10.0.0.2", forwarded), "2001:db8:cafe::17");
        assert_eq!(client(Forwarded, "10.0.0.2", "Forwarded: for=192.0.2.43\r\n"), "192.0.2.43");
        assert_eq!(client(Any, "10.0.0.2", "X-Real-IP: ::ffff:192.0.2.7\r\n"), "192.0.2.7");
        assert_eq!(client(Any, "10.0.0.2", "X-Real-IP: 192.0.2.7:80\r\n"), "192.0.2.7");
    }

    #[test]
    fn none_or_garbage_is_the_socket() {
        use ForwardedHeader::*;
        for fields in [
            "",
            "X-Forwarded-For: unknown\r\n",
            "X-Forwarded-For: 203.0.113.9, \r\n",
            "X-Forwarded-For: 10.1.1.1\r\n",
            "X-Forwarded-For: \u{e9}\r\nX-Real-IP: 192.0.2.7\r\n",
            "Forwarded: by=192.0.2.7\r\n",
            "Forwarded: for=_hidden\r\n",
        ] {
            assert_eq!(client(Any, "127.0.0.1", fields), "127.0.0.1", "{fields}");
        }
    }
}
