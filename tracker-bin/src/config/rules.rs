//! What makes a value unusable though it is of its type, and what does not fit together.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::{Config, Mode};

/// More threads than this are a typing error.
const MOST_WORKERS: usize = 1024;

/// A value that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// As in `swarm.interval`, or `http.listen[1]`.
    pub(crate) key: String,
    /// A sentence's end such as `is zero`, to stand behind the value.
    pub(crate) complaint: String,
}

/// Checks the configuration. `is_written` says of a key whether its value was given: where a given value does not
/// fit a default, the given one is blamed.
pub(crate) fn check(config: &Config, is_written: impl Fn(&str) -> bool) -> Result<(), Broken> {
    http(config)?;
    nonzero(config)?;
    swarm(config, is_written)?;
    if config.access.mode != Mode::Open && config.access.file.is_none() {
        return broken("access.mode", "needs a list, write its name as access.file");
    }
    Ok(())
}

fn broken<T>(key: impl Into<String>, complaint: impl Into<String>) -> Result<T, Broken> {
    Err(Broken { key: key.into(), complaint: complaint.into() })
}

fn http(config: &Config) -> Result<(), Broken> {
    let http = &config.http;
    if http.listen.is_empty() {
        return broken("http.listen", "is empty, expected at least one address");
    }
    let secure = http.tls.as_ref().map_or(&[][..], |tls| &tls.listen);
    addresses("http.listen", &http.listen, &[])?;
    addresses("http.tls.listen", secure, &http.listen)?;
    if http.workers > MOST_WORKERS {
        return broken("http.workers", format!("is too many, at most {MOST_WORKERS} are possible"));
    }
    Ok(())
}

/// Checks the addresses of a list against each other, and against those of `http.listen` that are to be listened on beside
/// them.
fn addresses(key: &str, listen: &[SocketAddr], beside: &[SocketAddr]) -> Result<(), Broken> {
    for (at, addr) in listen.iter().enumerate() {
        let before = &listen[..at];
        // any number of free ports may be asked for
        if addr.port() != 0 && before.contains(addr) {
            return broken(format!("{key}[{at}]"), "is there twice");
        }
        if addr.port() != 0 && beside.contains(addr) {
            return broken(
                format!("{key}[{at}]"),
                "is in http.listen too, choose another port for one of them",
            );
        }
        if let Some(other) = before.iter().find(|other| overlap(addr, other)) {
            let complaint = format!("overlaps with {:?}, which is there too", other.to_string());
            return broken(format!("{key}[{at}]"), complaint);
        }
        if let Some(other) = beside.iter().find(|other| overlap(addr, other)) {
            let complaint = format!("overlaps with {:?} of http.listen", other.to_string());
            return broken(format!("{key}[{at}]"), complaint);
        }
        // the system lets these be bound, and nobody can connect to them
        if addr.ip().is_multicast() || addr.ip() == Ipv4Addr::BROADCAST {
            return broken(format!("{key}[{at}]"), "is no address of this machine");
        }
    }
    Ok(())
}

/// Whether one of them is every address of the other's family, and the port is the same.
fn overlap(a: &SocketAddr, b: &SocketAddr) -> bool {
    let is_any = a.ip().is_unspecified() || b.ip().is_unspecified();
    is_any && a.is_ipv4() == b.is_ipv4() && a.port() == b.port() && a.port() != 0
}

fn nonzero(config: &Config) -> Result<(), Broken> {
    let durations = [
        ("http.request_timeout", Some(config.http.request_timeout)),
        ("swarm.interval", Some(config.swarm.interval)),
        ("swarm.min_interval", config.swarm.min_interval),
        ("swarm.peer_timeout", config.swarm.peer_timeout),
        ("store.sample_every", Some(config.store.sample_every)),
        ("store.snapshot_every", Some(config.store.snapshot_every)),
    ];
    if let Some((key, _)) = durations.into_iter().find(|(_, value)| *value == Some(Duration::ZERO)) {
        return broken(key, "is zero, expected at least \"1s\"");
    }
    let numbers = [
        ("http.max_connections", config.http.max_connections == 0),
        ("swarm.max_scrape", config.swarm.max_scrape == 0),
    ];
    match numbers.into_iter().find(|(_, zero)| *zero) {
        Some((key, _)) => broken(key, "is zero, expected at least 1"),
        None => Ok(()),
    }
}

fn swarm(config: &Config, is_written: impl Fn(&str) -> bool) -> Result<(), Broken> {
    let swarm = &config.swarm;
    let value = |key: &str| {
        let text = config.value(key).unwrap_or_default();
        if is_written(key) { format!("{key}, {text}") } else { format!("{key}, {text} by default") }
    };
    if swarm.peer_timeout.is_some_and(|timeout| timeout < swarm.interval) {
        return broken("swarm.peer_timeout", format!("is shorter than {}", value("swarm.interval")));
    }
    if swarm.min_interval.is_some_and(|least| least > swarm.interval) {
        return broken("swarm.min_interval", format!("is longer than {}", value("swarm.interval")));
    }
    if swarm.default_numwant > swarm.max_numwant {
        let (default, max) = ("swarm.default_numwant", "swarm.max_numwant");
        return match is_written(default) {
            true => broken(default, format!("is more than {}", value(max))),
            false => broken(max, format!("is less than {}", value(default))),
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Tls;

    fn complaint(change: impl FnOnce(&mut Config)) -> Option<(String, String)> {
        let mut config = Config::default();
        change(&mut config);
        check(&config, |_| true).err().map(|broken| (broken.key, broken.complaint))
    }

    fn key(change: impl FnOnce(&mut Config)) -> Option<String> {
        complaint(change).map(|(key, _)| key)
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn the_defaults_and_the_bounds_are_fine() {
        assert_eq!(complaint(|_| ()), None);
        assert_eq!(complaint(|config| config.http.keep_alive = Duration::ZERO), None);
        assert_eq!(complaint(|config| config.swarm.peer_timeout = Some(config.swarm.interval)), None);
        assert_eq!(complaint(|config| config.swarm.min_interval = Some(config.swarm.interval)), None);
        assert_eq!(complaint(|config| config.swarm.default_numwant = 200), None);
        assert_eq!(complaint(|config| config.http.listen = vec![([127, 0, 0, 1], 0).into(); 2]), None);
        let apart = |config: &mut Config| {
            config.http.listen = vec![([127, 0, 0, 1], 80).into(), ([0, 0, 0, 0], 81).into()];
        };
        assert_eq!(complaint(apart), None);
    }

    #[test]
    fn each_rule_names_its_key() {
        assert_eq!(key(|config| config.http.listen.clear()).unwrap(), "http.listen");
        let twice = |config: &mut Config| config.http.listen = vec![([127, 0, 0, 1], 80).into(); 2];
        assert_eq!(key(twice).unwrap(), "http.listen[1]");
        for second in ["127.0.0.1:80", "224.0.0.1:81", "255.255.255.255:81", "[ff02::1]:81"] {
            let listen = |config: &mut Config| {
                config.http.listen = vec![([0, 0, 0, 0], 80).into(), second.parse().unwrap()];
            };
            assert_eq!(key(listen).unwrap(), "http.listen[1]", "{second}");
        }
        assert_eq!(key(|config| config.http.workers = 1025).unwrap(), "http.workers");
        assert_eq!(key(|config| config.http.max_connections = 0).unwrap(), "http.max_connections");
        assert_eq!(key(|config| config.swarm.max_scrape = 0).unwrap(), "swarm.max_scrape");
        assert_eq!(
            key(|config| config.http.request_timeout = Duration::ZERO).unwrap(),
            "http.request_timeout"
        );
        assert_eq!(
            key(|config| config.swarm.min_interval = Some(Duration::ZERO)).unwrap(),
            "swarm.min_interval"
        );
        assert_eq!(key(|config| config.store.sample_every = Duration::ZERO).unwrap(), "store.sample_every");
        assert_eq!(
            key(|config| config.store.snapshot_every = Duration::ZERO).unwrap(),
            "store.snapshot_every"
        );
        assert_eq!(key(|config| config.swarm.min_interval = Some(HOUR)).unwrap(), "swarm.min_interval");
        assert_eq!(key(|config| config.access.mode = Mode::Deny).unwrap(), "access.mode");
        for (at, second) in ["127.0.0.1:80", "0.0.0.0:80", "0.0.0.0:82", "127.0.0.1:81", "224.0.0.1:83"]
            .into_iter()
            .enumerate()
        {
            let tls = |config: &mut Config| {
                config.http.listen = vec![([127, 0, 0, 1], 80).into()];
                let listen = vec!["0.0.0.0:81".parse().unwrap(), second.parse().unwrap()];
                config.http.tls = Some(Tls { listen, ..Tls::default() });
            };
            let broken = (at != 2).then(|| "http.tls.listen[1]".to_owned());
            assert_eq!(key(tls), broken, "{second}");
        }
    }

    #[test]
    fn a_complaint_shows_the_value_that_it_does_not_fit() {
        let change = |config: &mut Config| config.swarm.peer_timeout = Some(Duration::from_secs(60));
        assert_eq!(complaint(change).unwrap().1, "is shorter than swarm.interval, \"30m\"");
    }

    #[test]
    fn where_a_default_does_not_fit_the_written_value_is_blamed() {
        let mut config = Config::default();
        config.swarm.max_numwant = 20;
        let blamed = |written: &'static str| check(&config, move |key| key == written).unwrap_err();
        assert_eq!(blamed("swarm.max_numwant").key, "swarm.max_numwant");
        assert_eq!(
            blamed("swarm.max_numwant").complaint,
            "is less than swarm.default_numwant, 50 by default"
        );
        assert_eq!(blamed("swarm.default_numwant").key, "swarm.default_numwant");
    }
}
