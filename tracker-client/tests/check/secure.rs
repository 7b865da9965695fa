//! The same over TLS, with certificates of all kinds.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};
use tempfile::NamedTempFile;
use tracker_client::ask::{AskError, ask};
use tracker_client::check::{CheckError, Level, Options, Report, check};
use tracker_client::tls::{Tls, TlsError};
use tracker_client::tracker_url::TrackerUrl;

use crate::fake::{Fake, Fault};
use crate::faults::{TIMEOUT, found, options};

const DAY: Duration = Duration::from_secs(86_400);

struct Kind {
    names: &'static [&'static str],
    begins: SystemTime,
    ends: SystemTime,
    is_authority: bool,
    versions: Vec<&'static SupportedProtocolVersion>,
}

fn usual() -> Kind {
    let now = SystemTime::now();
    let versions = rustls::ALL_VERSIONS.to_vec();
    Kind { names: &["127.0.0.1"], begins: now - DAY, ends: now + 90 * DAY, is_authority: false, versions }
}

/// A tracker with a self-made certificate, and the file with that.
fn start(kind: &Kind) -> (Fake, NamedTempFile) {
    let names: Vec<String> = kind.names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    (params.not_before, params.not_after) = (kind.begins.into(), kind.ends.into());
    if kind.is_authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), certificate.pem()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let builder =
        ServerConfig::builder_with_provider(provider).with_protocol_versions(&kind.versions).unwrap();
    let config =
        builder.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let config = Arc::new(config);
    let fake = Fake::over(
        Fault::Nothing,
        Box::new(move |mut stream| {
            let mut session = ServerConnection::new(Arc::clone(&config)).unwrap();
            while session.is_handshaking() {
                session.complete_io(&mut stream)?;
            }
            Ok(Box::new(StreamOwned::new(session, stream)))
        }),
    );
    (fake, file)
}

fn run(fake: &Fake, ca: Option<&Path>) -> Result<Report, CheckError> {
    let url = format!("https://{}/announce", fake.addr);
    check(&url, &Options { ca: ca.map(Path::to_owned), ..options() })
}

#[track_caller]
fn finds(kind: &Kind, expected: &[(&'static str, Level)], part: &str) {
    let (fake, file) = start(kind);
    let report = run(&fake, Some(file.path())).unwrap();
    assert_eq!(found(&report), expected, "{report:#?}");
    assert!(report.findings.iter().any(|finding| finding.came.contains(part)), "{part}: {report:#?}");
    assert_eq!((fake.asked(), fake.members()), (report.requests as usize, 0));
}

#[test]
fn nothing_is_wrong_with_a_certificate_that_is_named() {
    finds(&usual(), &[], "valid for 127.0.0.1, for 89 more days");
    // as openssl makes them
    finds(&Kind { is_authority: true, ..usual() }, &[], "valid for 127.0.0.1, for 89 more days");
}

#[test]
fn wrong_certificates_are_found_and_the_rest_is_asked_all_the_same() {
    let now = SystemTime::now();
    let wrong = [("tls.certificate", Level::Wrong)];
    for is_authority in [false, true] {
        let usual = || Kind { is_authority, ..usual() };
        finds(&Kind { ends: now - DAY / 2, ..usual() }, &wrong, "expired");
        finds(&Kind { begins: now + DAY, ..usual() }, &wrong, "not valid yet");
        finds(&Kind { names: &["127.0.0.2", "t.example"], ..usual() }, &wrong, "another name");
        let soon = [("tls.certificate", Level::Warning)];
        finds(&Kind { ends: now + 5 * DAY, ..usual() }, &soon, "for 4 more days only");
    }
    let (fake, _file) = start(&usual());
    let other = start(&usual()).1;
    let report = run(&fake, Some(other.path())).unwrap();
    assert_eq!(found(&report), wrong, "{report:#?}");
    assert!(report.findings.iter().any(|finding| finding.came.contains("--ca")), "{report:#?}");
}

#[test]
fn versions_are_told() {
    finds(&Kind { versions: vec![&TLS13], ..usual() }, &[("tls.versions", Level::Warning)], "TLS 1.3 only");
    finds(&Kind { versions: vec![&TLS12], ..usual() }, &[("tls.versions", Level::Note)], "TLS 1.2 only");
}

#[test]
fn no_tls_where_it_should_be_is_one_sentence() {
    let fake = Fake::start(Fault::Nothing);
    let file = start(&usual()).1;
    // it takes the hello for the begin of a header, and waits
    let error = run(&fake, Some(file.path())).unwrap_err().to_string();
    assert!(error.contains("did not set up TLS within 1.5 s"), "{error}");
    let missing = run(&fake, Some(Path::new("no-such-file"))).unwrap_err().to_string();
    assert!(missing.contains("no-such-file: cannot be read"), "{missing}");
    let empty = NamedTempFile::new().unwrap();
    let empty = run(&fake, Some(empty.path())).unwrap_err().to_string();
    assert!(empty.contains("no certificate in it"), "{empty}");
}

/// Who does not inspect trusts nobody but those who are to be trusted.
#[test]
fn an_untrusted_tracker_is_not_asked() {
    let (fake, file) = start(&Kind { is_authority: true, ..usual() });
    let stranger = start(&usual()).1;
    let url = TrackerUrl::parse(&format!("https://{}/announce", fake.addr)).unwrap();
    let request =
        format!("GET /scrape?info_hash={} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n", "a".repeat(20));
    let get = |ca: &Path| ask(&url, &request, None, Some(&Tls::new(Some(ca)).unwrap()), TIMEOUT);
    let error = get(stranger.path()).unwrap_err();
    assert!(matches!(error, AskError::Tls(_, TlsError::Certificate(_))), "{error}");
    assert_eq!(fake.asked(), 0);
    assert_eq!(get(file.path()).unwrap().response.status, 200);
}
