//! The addresses that peers are handed out with, and those of the tracker itself.

use std::net::{IpAddr, Ipv6Addr};

use super::finding::{Finding, Level};
use super::probe::{Probe, Topic, Wish};
use crate::answer::Announced;

const TOPIC: Topic = Topic { check: "swarm.address", asked: "address handed out" };

const BEHIND_A_PROXY: &str =
    "behind a proxy, let it name the client's address, and the tracker trust it (here: http.trusted_proxies)";

/// Whether the first peer is handed out with the address that it has.
pub(super) fn handed_out(probe: &mut Probe<'_>, found: IpAddr) {
    let (level, came, remedy) = judge(probe.addr.ip().to_canonical(), probe.local, found, probe.external);
    probe.find(TOPIC, level, came, remedy);
}

/// What to say of a peer's address as it is handed out (`found`) and as the tracker names it to the peer (`external`), where the
/// tracker is at `tracker`, and the connection to it begins at `local`.
fn judge(
    tracker: IpAddr,
    local: Option<IpAddr>,
    found: IpAddr,
    external: Option<IpAddr>,
) -> (Level, String, &'static str) {
    let is_other = |ip: &IpAddr| ip.is_ipv4() == found.is_ipv4() && *ip != found;
    if let Some(external) = external.filter(is_other) {
        let came = format!("{found}, though the tracker has said to that peer that it is {external}");
        return (Level::Wrong, came, "hand out the address that the announce came from");
    }
    if scope(tracker) == Scope::Global && scope(found) != Scope::Global {
        let came = format!("{found}, which is no address of the internet, though the tracker is on it");
        return (Level::Wrong, came, BEHIND_A_PROXY);
    }
    // with a network's translation on the way it is another one, and nobody here knows which
    let is_seen = |local: &IpAddr| scope(*local) == Scope::Global || scope(tracker) != Scope::Global;
    if let Some(local) = local.filter(is_seen).filter(is_other) {
        let came = format!("{found}, though the connection comes from {local}");
        return (Level::Warning, came, BEHIND_A_PROXY);
    }
    match scope(found) {
        Scope::Global => (Level::Ok, format!("{found}, as the connection comes from"), ""),
        Scope::Private => {
            let came = format!("{found}: others can call it from the same network only");
            (Level::Note, came, "check from outside if the tracker is for the internet")
        }
        Scope::Loopback => {
            let came = format!("{found}: others can call it from the same machine only");
            (Level::Note, came, "check from outside if the tracker is for others")
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
    fn the_address_handed_out_is_the_one_that_others_can_call() {
        let (far, home, own, other) = ("198.51.100.1", "192.168.1.2", "203.0.113.5", "203.0.113.6");
        let (near, proxy) = ("127.0.0.1", "10.0.0.1");
        for (tracker, local, found, external, level, part) in [
            // from behind a router, and from an address of its own
            (far, home, own, Some(own), Level::Ok, "as the connection"),
            (far, home, own, None, Level::Ok, "as the connection"),
            (far, own, own, None, Level::Ok, "as the connection"),
            (far, own, own, Some("2001:db8::1"), Level::Ok, "as the connection"),
            (far, home, own, Some(other), Level::Wrong, "it is 203.0.113.6"),
            (far, own, other, None, Level::Warning, "comes from 203.0.113.5"),
            // a proxy that says nothing
            (far, home, proxy, Some(proxy), Level::Wrong, "no address of the internet"),
            (far, own, near, None, Level::Wrong, "no address of the internet"),
            (near, near, proxy, Some(proxy), Level::Warning, "comes from 127.0.0.1"),
            (near, near, near, Some(near), Level::Note, "same machine"),
            (proxy, home, home, None, Level::Note, "same network"),
        ] {
            let ip = |text: &str| text.parse::<IpAddr>().unwrap();
            let said = judge(ip(tracker), Some(ip(local)), ip(found), external.map(ip));
            assert!(
                said.0 == level && said.1.contains(part),
                "{tracker} {local} {found} {external:?}: {said:?}"
            );
        }
    }

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
