//! The certificate and the private key of TLS: read from their files, and judged before anybody relies on them.

use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use tracker_http::Certificate;
use x509_cert::der::Decode;
use x509_cert::time::Validity;

use crate::config::Tls;
use crate::error::Error;
use crate::statistics::unix_now;

/// A certificate that ends within this time is warned of, so that somebody can see to it.
const SOON: u64 = 14 * 24 * 3600;

/// What was read.
#[derive(Debug)]
pub struct Loaded {
    /// To be put in force.
    pub certificate: Certificate,
    /// What clients will complain of, though it is no reason not to serve: a sentence each.
    pub warnings: Vec<String>,
}

/// Reads both files; `None` if there is to be no TLS.
///
/// # Errors
/// A file cannot be read, lacks what is looked for, or they do not belong together. That a certificate has expired or is
/// not valid yet is a warning.
pub fn load(tls: Option<&Tls>) -> Result<Option<Loaded>, Error> {
    tls.map(|tls| load_at(tls, unix_now())).transpose()
}

/// Likewise, at a time in Unix seconds.
fn load_at(tls: &Tls, now: u64) -> Result<Loaded, Error> {
    let chain = read(&tls.certificate, "http.tls.certificate")?;
    let key = read(&tls.private_key, "http.tls.private_key")?;
    let certificate = Certificate::from_pem(&chain, &key).map_err(|error| {
        let (path, key) = match error.is_about_key() {
            true => (&tls.private_key, "http.tls.private_key"),
            false => (&tls.certificate, "http.tls.certificate"),
        };
        refuse(path, key, error.to_string())
    })?;
    let warnings = certificate.chain().enumerate();
    let warnings = warnings.filter_map(|(at, der)| {
        let problem = complaint(&validity(der)?, now)?;
        let which = if at == 0 { String::new() } else { format!(" number {} of the chain", at + 1) };
        Some(format!("{}: the certificate{which} {problem}", tls.certificate.display()))
    });
    let warnings = warnings.collect();
    Ok(Loaded { certificate, warnings })
}

fn read(path: &PathBuf, key: &'static str) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| refuse(path, key, format!("cannot be read: {error}")))
}

fn refuse(path: &Path, key: &'static str, problem: String) -> Error {
    Error::TlsFile { path: path.to_owned(), key, problem }
}

/// `None` for what rustls takes and the parser does not: then nothing is known of it.
fn validity(der: &[u8]) -> Option<Validity> {
    Some(x509_cert::Certificate::from_der(der).ok()?.tbs_certificate.validity)
}

/// What there is to say about the time in which a certificate is valid.
fn complaint(validity: &Validity, now: u64) -> Option<String> {
    let begin = validity.not_before.to_unix_duration().as_secs();
    let end = validity.not_after.to_unix_duration().as_secs();
    let date = |at| humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(at));
    if now < begin {
        Some(format!("is not valid before {}: clients will refuse it until then", date(begin)))
    } else if now > end {
        Some(format!("expired on {}: clients refuse it, renew it and send SIGHUP", date(end)))
    } else if end - now < SOON {
        Some(format!("expires on {}: renew it and send SIGHUP", date(end)))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use x509_cert::time::Time;

    use super::*;

    const DAY: u64 = 24 * 3600;

    fn made() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        // from 1975 to 4096
        let certificate = CertificateParams::new(["t".to_owned()]).unwrap().self_signed(&key).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    fn tls(dir: &Path) -> Tls {
        Tls { certificate: dir.join("cert.pem"), private_key: dir.join("key.pem"), listen: Vec::new() }
    }

    #[test]
    fn each_thing_that_is_wrong_is_one_sentence_with_file_and_key() {
        let dir = tempfile::tempdir().unwrap();
        let (certificate, key) = made();
        let other_key = made().1;
        let write = |name: &str, text: &[u8]| std::fs::write(dir.path().join(name), text).unwrap();
        let sentence = || {
            let sentence = load(Some(&tls(dir.path()))).unwrap_err().to_string();
            sentence.replace(&format!("{}/", dir.path().display()), "")
        };
        let missing = "cannot be read: No such file or directory (os error 2)";
        assert_eq!(sentence(), format!("cert.pem: {missing}, check http.tls.certificate"));
        write("cert.pem", certificate.as_bytes());
        assert_eq!(sentence(), format!("key.pem: {missing}, check http.tls.private_key"));
        write("key.pem", key.as_bytes());
        assert!(load(Some(&tls(dir.path()))).unwrap().unwrap().warnings.is_empty());

        let half = &certificate[..certificate.len() / 2];
        let empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (text, problem) in [
            (
                b"\x30\x82\x01\x02".as_slice(),
                "is not PEM, which has lines such as -----BEGIN CERTIFICATE-----",
            ),
            (b"", "is not PEM, which has lines such as -----BEGIN CERTIFICATE-----"),
            (key.as_bytes(), "has no certificate in it"),
            (half.as_bytes(), "is damaged PEM: a section has no end"),
            (empty.as_bytes(), "has a certificate that cannot be used: it is malformed"),
        ] {
            write("cert.pem", text);
            assert_eq!(sentence(), format!("cert.pem: {problem}, check http.tls.certificate"));
        }
        write("cert.pem", certificate.as_bytes());
        let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let bad = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        for (text, problem) in [
            (b"secret".as_slice(), "is not PEM, which has lines such as -----BEGIN PRIVATE KEY-----"),
            (certificate.as_bytes(), "has no private key in it"),
            (&key.as_bytes()[..60], "is damaged PEM: a section has no end"),
            (locked.as_bytes(), "has a private key that is locked by a passphrase: write it without one"),
            (
                bad.as_bytes(),
                "has a private key that cannot be used: expected RSA of 2048 to 8192 bits, P-256, P-384 or Ed25519",
            ),
            (other_key.as_bytes(), "does not match the certificate, the first one in its file"),
        ] {
            write("key.pem", text);
            assert_eq!(sentence(), format!("key.pem: {problem}, check http.tls.private_key"));
        }
    }

    #[test]
    fn both_may_be_one_file_and_without_tls_none_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let (certificate, key) = made();
        let path = dir.path().join("both.pem");
        std::fs::write(&path, key + &certificate).unwrap();
        let tls = Tls { certificate: path.clone(), private_key: path, listen: Vec::new() };
        assert_eq!(load(Some(&tls)).unwrap().unwrap().certificate.chain().count(), 1);
        assert!(load(None).unwrap().is_none());
    }

    #[test]
    fn a_certificate_out_of_its_time_is_warned_of() {
        let at = |days: u64| Time::try_from(UNIX_EPOCH + Duration::from_secs(days * DAY)).unwrap();
        let validity = Validity { not_before: at(100), not_after: at(200) };
        let says = |now: u64| complaint(&validity, now).unwrap_or_default();
        assert!(says(100 * DAY - 1).starts_with("is not valid before 1970-04-11T00:00:00Z"));
        assert_eq!((says(100 * DAY), says(186 * DAY)), Default::default());
        assert!(says(186 * DAY + 1).starts_with("expires on 1970-07-20T00:00:00Z"));
        assert!(says(200 * DAY).starts_with("expires on"));
        assert!(says(200 * DAY + 1).starts_with("expired on 1970-07-20T00:00:00Z"));
    }

    #[test]
    fn its_time_is_read_from_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let (certificate, key) = made();
        std::fs::write(dir.path().join("cert.pem"), certificate).unwrap();
        std::fs::write(dir.path().join("key.pem"), key).unwrap();
        let at = |now| load_at(&tls(dir.path()), now).unwrap().warnings;
        let name = dir.path().join("cert.pem").display().to_string();
        assert!(at(0)[0].starts_with(&format!("{name}: the certificate is not valid before 1975-")));
        assert!(at(1 << 31).is_empty());
        assert!(at(1 << 37)[0].starts_with(&format!("{name}: the certificate expired on 4096-")));
    }
}
