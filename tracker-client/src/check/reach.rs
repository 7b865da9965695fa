//! Whether there is a way to the tracker: its name, its addresses, its certificate.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use super::finding::{Finding, Level};
use super::{CheckError, Options, secure};
use crate::ask::AskError;
use crate::connection::Connection;
use crate::deadline::Deadline;
use crate::resolve::{Family, resolve};
use crate::tls::Tls;
use crate::tracker_url::TrackerUrl;

/// So many addresses of each family are tried.
const MOST_ADDRESSES: usize = 2;

/// Where the tracker is.
#[derive(Debug)]
pub(super) struct Reached {
    pub(super) addr: SocketAddr,
    pub(super) others: Vec<SocketAddr>,
    pub(super) tls: Option<Tls>,
}

/// Tries each address, and looks at the certificate.
pub(super) fn reach(
    url: &TrackerUrl,
    options: &Options,
    findings: &mut Vec<Finding>,
) -> Result<Reached, CheckError> {
    // what is wrong on this side is said before anybody is asked
    let tls = if url.is_secure() { Some(Tls::inspecting(options.ca.as_deref())?) } else { None };
    let all = match &options.addresses {
        Some(addresses) => addresses.iter().map(|&ip| SocketAddr::new(ip, url.port())).collect(),
        None => resolve(url, None, Deadline::within(options.timeout))?,
    };
    if url.ip().is_none() {
        findings.push(name(url, &all));
    }
    let (mut reached, mut lost) = (Vec::new(), Vec::new());
    for family in [Family::V4, Family::V6] {
        for &addr in all.iter().filter(|&&addr| Family::of(addr) == family).take(MOST_ADDRESSES) {
            let begin = Instant::now();
            match Connection::open(addr, None, Deadline::within(options.timeout)) {
                Ok(_) => {
                    let came = format!("connected in {:.1} ms", begin.elapsed().as_secs_f64() * 1e3);
                    findings.push(connect(addr, Level::Ok, came, None));
                    reached.push(addr);
                }
                Err(error) => lost.push((addr, error)),
            }
        }
    }
    if reached.is_empty() {
        let first = lost.into_iter().next().map(|(_, error)| error);
        return Err(first
            .unwrap_or_else(|| AskError::NotFound(url.host().to_string(), "it has no address".to_owned()))
            .into());
    }
    for (addr, error) in lost {
        findings.push(unreached(addr, &error));
    }
    let addr = reached.remove(0);
    if let Some(tls) = &tls {
        secure::inspect(tls, url, addr, options, findings)?;
    }
    Ok(Reached { addr, others: reached, tls })
}

fn name(url: &TrackerUrl, addrs: &[SocketAddr]) -> Finding {
    let mut names: Vec<String> = addrs.iter().map(|addr| addr.ip().to_string()).collect();
    names.dedup();
    let has = |family| addrs.iter().any(|&addr| Family::of(addr) == family);
    let (level, only, remedy) = match (has(Family::V4), has(Family::V6)) {
        (true, false) => (Level::Note, ", IPv4 only", None),
        (false, true) => (
            Level::Warning,
            ", IPv6 only",
            Some("most peers have IPv4 only: give the name an A record as well"),
        ),
        _ => (Level::Ok, "", None),
    };
    let asked = format!("name {}", url.host());
    Finding { check: "name", level, asked, came: format!("{}{only}", names.join(", ")), remedy }
}

fn connect(addr: SocketAddr, level: Level, came: String, remedy: Option<&'static str>) -> Finding {
    Finding { check: "connect", level, asked: format!("connect {addr}"), came, remedy }
}

fn unreached(addr: SocketAddr, error: &AskError) -> Finding {
    if let AskError::Unreachable(_, error) = error
        && addr.is_ipv6()
        && matches!(
            error.kind(),
            io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::AddrNotAvailable
        )
    {
        return connect(addr, Level::Note, format!("not tried: no IPv6 from here ({error})"), None);
    }
    let remedy = "listen there too, or take the address out of the DNS: clients may try it first";
    connect(addr, Level::Warning, error.to_string(), Some(remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_of_a_name_are_told() {
        let url = TrackerUrl::parse("http://t.example/announce").unwrap();
        for (addrs, level, came) in [
            (&["192.0.2.1:80", "[2001:db8::1]:80"][..], Level::Ok, "192.0.2.1, 2001:db8::1"),
            (&["192.0.2.1:80"], Level::Note, "192.0.2.1, IPv4 only"),
            (&["[2001:db8::1]:80"], Level::Warning, "2001:db8::1, IPv6 only"),
        ] {
            let addrs: Vec<SocketAddr> = addrs.iter().map(|addr| addr.parse().unwrap()).collect();
            let found = name(&url, &addrs);
            assert_eq!((found.level, found.came.as_str()), (level, came));
        }
    }

    #[test]
    fn a_machine_without_ipv6_is_no_fault_of_the_tracker() {
        let lost = |addr: &str, kind: io::ErrorKind| {
            let addr = addr.parse().unwrap();
            unreached(addr, &AskError::Unreachable(addr, kind.into())).level
        };
        assert_eq!(lost("[2001:db8::1]:80", io::ErrorKind::NetworkUnreachable), Level::Note);
        assert_eq!(lost("192.0.2.1:80", io::ErrorKind::NetworkUnreachable), Level::Warning);
        assert_eq!(lost("[2001:db8::1]:80", io::ErrorKind::PermissionDenied), Level::Warning);
    }
}
