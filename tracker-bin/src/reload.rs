//! What SIGHUP makes of the settings: the parts that may change while the tracker runs.

use tracker_core::AccessList;

use crate::access;
use crate::certificates::{self, Loaded};
use crate::error::Error;
use crate::settings::Settings;

/// What is to be put in force.
#[derive(Debug)]
pub struct Reloaded {
    /// The settings in force from now on: the old ones, but for `access`, `stats`, `log.level` and the files of `http.tls`.
    pub settings: Settings,
    /// The list that `access` names.
    pub access: AccessList,
    /// The certificate that `http.tls` names, if there is TLS.
    pub certificate: Option<Loaded>,
    /// Keys that have changed in the file and wait for a restart, as in `swarm.interval`.
    pub waiting: Vec<String>,
}

/// Reads the configuration file of `settings`, the access list and the certificate again, as long as that takes: not for an
/// event loop. Without a configuration file only the others are read.
///
/// # Errors
/// Whatever is wrong with any of them. Nothing has changed then.
pub fn reload(settings: &Settings) -> Result<Reloaded, Error> {
    let mut fresh = Settings::load(settings.options.clone())?;
    let access = access::load(&fresh.config)?;
    let next = [&settings.config, &settings.asked].map(|old| {
        let mut next = old.clone();
        next.access = fresh.config.access.clone();
        next.stats = fresh.config.stats.clone();
        next.log.level = fresh.config.log.level;
        // to begin or end with TLS, or to listen elsewhere, takes new sockets
        if let (Some(tls), Some(fresh)) = (&mut next.http.tls, &fresh.config.http.tls) {
            tls.certificate = fresh.certificate.clone();
            tls.private_key = fresh.private_key.clone();
        }
        next
    });
    let certificate = certificates::load(next[0].http.tls.as_ref())?;
    let waiting = fresh.config.differences(&next[1]);
    [fresh.config, fresh.asked] = next;
    Ok(Reloaded { settings: fresh, access, certificate, waiting })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Options;
    use crate::config::{Level, Mode};

    const HASH: &str = "00112233445566778899aabbccddeeff00112233";

    #[test]
    fn what_may_change_changes_and_the_rest_waits() {
        let dir = tempfile::tempdir().unwrap();
        let (path, list) = (dir.path().join("t.ron"), dir.path().join("list"));
        std::fs::write(&path, "()").unwrap();
        let options = Options { config: Some(path.clone()), ..Options::default() };
        let before = Settings::load(options).unwrap();

        std::fs::write(&list, HASH).unwrap();
        let text = format!(
            "(access: (mode: Allow, file: {list:?}), stats: (public: false, allow: [\"10.0.0.0/8\"]), \
             log: (level: \"debug\", format: Json), swarm: (interval: \"1h\"))"
        );
        std::fs::write(&path, text).unwrap();
        let after = reload(&before).unwrap();
        let config = &after.settings.config;
        assert_eq!(
            (config.access.mode, config.log.level, after.access.len()),
            (Mode::Allow, Level::Debug, 1)
        );
        assert!(!config.stats.public && config.stats.allow == ["10.0.0.0/8".parse().unwrap()]);
        assert_eq!(after.waiting, ["swarm.interval", "log.format"]);
        assert_eq!((&config.swarm, config.log.format), (&before.config.swarm, before.config.log.format));

        // and back
        std::fs::write(&path, "()").unwrap();
        let again = reload(&after.settings).unwrap();
        assert_eq!(again.settings.config, before.config);
        assert!(again.waiting.is_empty() && again.access.is_empty());
    }

    #[test]
    fn options_keep_precedence() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.ron");
        std::fs::write(&path, "(log: (level: \"warn\"))").unwrap();
        let options =
            Options { config: Some(path), log_level: Some("error".to_owned()), ..Options::default() };
        let settings = Settings::load(options).unwrap();
        assert_eq!(reload(&settings).unwrap().settings.config.log.level, Level::Error);
    }

    #[test]
    fn anything_broken_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let (path, list) = (dir.path().join("t.ron"), dir.path().join("list"));
        std::fs::write(&path, format!("(access: (mode: Deny, file: {list:?}))")).unwrap();
        std::fs::write(&list, "").unwrap();
        let settings = Settings::load(Options { config: Some(path.clone()), ..Options::default() }).unwrap();
        reload(&settings).unwrap();
        std::fs::write(&list, "x").unwrap();
        assert!(reload(&settings).unwrap_err().to_string().contains("list:1: \"x\" is not"));
        std::fs::write(&path, "(swarm: (interval: \"0s\"))").unwrap();
        assert!(
            reload(&settings).unwrap_err().to_string().contains("t.ron:1: swarm.interval: \"0s\" is zero")
        );
        std::fs::remove_file(&path).unwrap();
        assert!(reload(&settings).unwrap_err().to_string().contains("t.ron: cannot be read: "));
    }

    #[test]
    fn what_was_fitted_to_the_machine_does_not_wait() {
        let mut settings = Settings::load(Options::default()).unwrap();
        settings.config.http.max_connections = 7;
        let after = reload(&settings).unwrap();
        assert!(after.waiting.is_empty(), "{:?}", after.waiting);
        assert_eq!(after.settings.config.http.max_connections, 7);
        assert!(reload(&after.settings).unwrap().waiting.is_empty());
    }

    #[test]
    fn without_a_file_nothing_changes() {
        let settings = Settings::load(Options::default()).unwrap();
        let after = reload(&settings).unwrap();
        assert_eq!(after.settings.config, settings.config);
        assert!(after.waiting.is_empty());
    }
}
