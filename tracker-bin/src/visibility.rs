//! Who sees statistics.

use std::net::IpAddr;

use ipnet::IpNet;
use parking_lot::RwLock;

use crate::config::Stats;

/// The rule in force, which may be replaced while requests are answered.
#[derive(Debug)]
pub struct Visibility(RwLock<Stats>);

impl Visibility {
    /// Puts a rule in force.
    pub fn new(stats: Stats) -> Self {
        Visibility(RwLock::new(stats))
    }

    /// Puts another rule in force.
    pub fn replace(&self, stats: Stats) {
        *self.0.write() = stats;
    }

    /// Whether a client of this address sees statistics.
    pub fn permits(&self, client: IpAddr) -> bool {
        let stats = self.0.read();
        stats.public || stats.allow.iter().any(|net: &IpNet| net.contains(&client))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_or_those_who_are_named() {
        let visibility = Visibility::new(Stats::default());
        let (local, far) = ("::1".parse().unwrap(), "192.0.2.1".parse().unwrap());
        assert!(visibility.permits(local) && visibility.permits(far));
        visibility.replace(Stats { public: false, ..Stats::default() });
        assert!(visibility.permits(local) && !visibility.permits(far));
        visibility.replace(Stats { public: false, allow: vec!["192.0.2.0/24".parse().unwrap()] });
        assert!(!visibility.permits(local) && visibility.permits(far));
    }
}
