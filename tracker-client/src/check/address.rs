//! The addresses that peers are handed out with, and those of the tracker itself.

use std::net::{IpAddr, Ipv6Addr};

use super::finding::{Finding, Level};
use super::probe::{Probe, Topic, Wish};
use crate::answer::Announced;

const TOPIC: Topic = Topic { check: "swarm.address", asked: "address handed out" };

const BEHIND_A_PROXY: &str =
    "behind a proxy, let it name the client's address, and the tracker trust it (here: http.trusted_proxies)";

/// Whether the first peer is handed out with the address that it has.
pub(super) fn handed_out(probe: &mut Probe<'_>, found: IpAddr, external: Option<IpAddr>) {
    if let Some(external) = external
        && external.is_ipv4() == found.is_ipv4()
        && external != found
    {
        let came = format!("{found}, though the tracker says to the same address that it is {external}");
        probe.find(TOPIC, Level::Wrong, came, "hand out the address that the announce came from");
        return;
    }
    let tracker = probe.addr.ip().to_canonical();
    if scope(tracker) == Scope::Global && scope(found) != Scope::Global {
        let came = format!("{found}, which is no address of the internet, though the tracker is on it");
        probe.find(TOPIC, Level::Wrong, came, BEHIND_A_PROXY);
        return;
    }
    // with a network's translation on the way it is another one, and nobody here knows which
    let local = probe.local.filter(|&local| scope(local) == Scope::Global || scope(tracker) != Scope::Global);
    if let Some(local) = local
        && local.is_ipv4() == found.is_ipv4()
        && local != found
    {
        let came = format!("{found}, though the connection comes from {local}");
        probe.find(TOPIC, Level::Warning, came, BEHIND_A_PROXY);
        return;
    }
    match scope(found) {
        Scope::Global => probe.ok(TOPIC, format!("{found}, as the connection comes from")),
        Scope::Private => {
            let came = format!("{found}: others can call it from the same network only");
            probe.find(TOPIC, Level::Note, came, "check from outside if the tracker is for the internet");
        }
        Scope::Loopback => {
            let came = format!("{found}: others can call it from the same machine only");
            probe.find(TOPIC, Level::Note, came, "check from outside if the tracker is for others");
        }
    }
}

/// The third peer shows itself at every other address as well.
pub(super) fn others(probe: &mut Probe<'_>) {
    for addr in probe.others.clone() {
        if !probe.goes_on() {
            return;
        }
        let request = probe.request(&probe.target(&Wish::of(2, "&compact=1&event=started")));
        probe.shows(2, addr);
        let (level, came, remedy) = match probe.ask(addr, &request) {
            Err(error) => (Level::Warning, error.to_string(), Some(super::probe::NO_ANSWER)),
            Ok(response) => match Announced::read(&response.body) {
                Ok(announced) if announced.failure.is_none() => {
                    probe.joins(2, addr);
                    (
                        Level::Ok,
                        format!("status {}, answers as the first address does", response.status),
                        None,
                    )
                }
                Ok(announced) => {
                    let reason = announced.failure.unwrap_or_default();
                    (Level::Warning, format!("turned down: \"{reason}\""), Some(SAME))
                }
                Err(error) => (Level::Warning, error.to_string(), Some(SAME)),
            },
        };
        probe.record(Finding { check: "address", level, asked: format!("announce at {addr}"), came, remedy });
    }
}

const SAME: &str = "serve the same at every address: clients take any of them";

/// Who can call an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Global,
    Private,
    Loopback,
}

pub(super) fn scope(ip: IpAddr) -> Scope {
    match ip {
        _ if ip.is_loopback() => Scope::Loopback,
        IpAddr::V4(ip) if ip.is_private() || ip.is_link_local() || is_shared(ip.octets()) => Scope::Private,
        IpAddr::V6(ip) if is_local(ip) => Scope::Private,
        _ => Scope::Global,
    }
}

/// 100.64.0.0/10
fn is_shared([first, second, ..]: [u8; 4]) -> bool {
    first == 100 && second & 0xc0 == 64
}

/// fc00::/7 and fe80::/10
fn is_local(ip: Ipv6Addr) -> bool {
    let first = ip.segments()[0];
    first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_internet_are_told_from_others() {
        for (ip, expected) in [
            ("127.0.0.2", Scope::Loopback),
            ("::1", Scope::Loopback),
            ("10.1.2.3", Scope::Private),
            ("100.64.0.1", Scope::Private),
            ("100.128.0.1", Scope::Global),
            ("169.254.0.1", Scope::Private),
            ("192.0.2.1", Scope::Global),
            ("fd00::1", Scope::Private),
            ("fe80::1", Scope::Private),
            ("2001:db8::1", Scope::Global),
        ] {
            assert_eq!(scope(ip.parse().unwrap()), expected, "{ip}");
        }
    }
}
