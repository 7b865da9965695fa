//! Certificates made for the tests, and clients that trust them.

use std::net::Ipv4Addr;
use std::sync::{Arc, OnceLock};

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, SupportedProtocolVersion};
use tracker_http::{Certificate, Tls};

/// The one that servers have from the start.
pub(crate) fn first() -> &'static CertifiedKey<KeyPair> {
    static FIRST: OnceLock<CertifiedKey<KeyPair>> = OnceLock::new();
    FIRST.get_or_init(make)
}

/// A new one for the addresses of this machine.
pub(crate) fn make() -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(["127.0.0.1".to_owned(), "::1".to_owned()]).unwrap()
}

/// As the server takes it.
pub(crate) fn certificate(made: &CertifiedKey<KeyPair>) -> Certificate {
    Certificate::from_pem(made.cert.pem().as_bytes(), made.signing_key.serialize_pem().as_bytes()).unwrap()
}

/// TLS with the first certificate.
pub(crate) fn tls() -> Tls {
    Tls::new(certificate(first())).unwrap()
}

/// A client that trusts the first certificate.
pub(crate) fn client() -> Arc<ClientConfig> {
    static CLIENT: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    Arc::clone(CLIENT.get_or_init(|| Arc::new(trusting(first().cert.der(), rustls::ALL_VERSIONS))))
}

/// A client that trusts a certificate, and speaks these versions.
pub(crate) fn trusting(
    certificate: &CertificateDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// A client's side of a connection that has not begun.
pub(crate) fn connection(config: &Arc<ClientConfig>) -> ClientConnection {
    let name = ServerName::IpAddress(Ipv4Addr::LOCALHOST.into());
    ClientConnection::new(Arc::clone(config), name).unwrap()
}
