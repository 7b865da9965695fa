//! The tracker's TLS.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use rustls::version::{TLS12, TLS13};

use super::finding::{Finding, Level};
use super::words::number;
use super::{CheckError, Options};
use crate::certificate::Certificate;
use crate::connection::Connection;
use crate::deadline::Deadline;
use crate::tls::{Tls, certificate_problem};
use crate::tracker_url::TrackerUrl;

/// Who renews certificates by a program has renewed them by then.
const SOON: u64 = 14;

/// Shakes hands a few times, and looks at the certificate.
pub(super) fn inspect(
    tls: &Tls,
    url: &TrackerUrl,
    addr: SocketAddr,
    options: &Options,
    findings: &mut Vec<Finding>,
) -> Result<(), CheckError> {
    // one after the other: each is closed at once
    let open = |tls: &Tls| {
        Connection::open(addr, Some((tls, url.host())), Deadline::within(options.timeout)).map(drop)
    };
    open(tls)?;
    let (old, new) = (open(&tls.only(&TLS12)?), open(&tls.only(&TLS13)?));
    if let Some(certificate) = tls.certificate() {
        findings.push(judged(url, &certificate, options.ca.is_some()));
    }
    let (level, came, remedy) = match (old.is_ok(), new.is_ok()) {
        (true, true) => (Level::Ok, "TLS 1.2 and TLS 1.3", None),
        (true, false) => (Level::Note, "TLS 1.2 only, not 1.3", Some("TLS 1.3 takes a round trip less")),
        (false, true) => {
            (Level::Warning, "TLS 1.3 only, not 1.2", Some("older clients know 1.2 only: allow it as well"))
        }
        (false, false) => (Level::Warning, "neither TLS 1.2 nor TLS 1.3 alone", None),
    };
    findings.push(Finding {
        check: "tls.versions",
        level,
        asked: "versions of TLS".to_owned(),
        came: came.to_owned(),
        remedy,
    });
    Ok(())
}

fn judged(url: &TrackerUrl, certificate: &Certificate, has_ca: bool) -> Finding {
    let left = certificate.expires.and_then(|end| end.duration_since(SystemTime::now()).ok());
    let days = left.map(|left: Duration| left.as_secs() / 86_400);
    let host = url.host();
    let (level, came, remedy) = match (&certificate.problem, days) {
        (Some(problem), _) => (
            Level::Wrong,
            certificate_problem(problem),
            Some("clients that look at certificates, and most do, do not announce here: renew or replace it"),
        ),
        (None, Some(days)) if days < SOON => (
            Level::Warning,
            format!("valid for {host}, but for {} only", number(days as usize, "more day")),
            Some("renew it"),
        ),
        (None, days) => {
            let until =
                days.map_or(String::new(), |days| format!(", for {}", number(days as usize, "more day")));
            let with = if has_ca { ", with the help of --ca" } else { "" };
            (Level::Ok, format!("valid for {host}{until}{with}"), None)
        }
    };
    Finding { check: "tls.certificate", level, asked: "certificate".to_owned(), came, remedy }
}
