//! TLS to a tracker: whom it trusts, and what is wrong with the other side.
//!
//! The certificates that the system trusts are taken, not a list of this program's own: it trusts what the clients on this
//! machine trust, a company's own authority included, and goes stale never. Where there are none, as in an empty container,
//! a file has to name them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, Error, InvalidMessage, RootCertStore,
    SupportedProtocolVersion,
};
use url::Host;

use crate::certificate::{Certificate, Judge};

/// What is needed to talk TLS: whom to trust.
#[derive(Debug)]
pub struct Tls {
    config: Arc<ClientConfig>,
    judge: Arc<Judge>,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file with certificates is not there, or holds something else.
    #[error("{}: {problem}, check --ca: it takes a file of certificates in PEM", path.display())]
    File {
        /// As it was named.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The system knows none, and no file was given.
    #[error(
        "this machine has no list of trusted certificates: install ca-certificates, or name a file with --ca"
    )]
    NoRoots,
    /// A host that no certificate can be for.
    #[error("no certificate can be for the name {0}")]
    Name(String),
    /// The certificate is wrong.
    #[error("{}", certificate_problem(_0))]
    Certificate(CertificateError),
    /// Something that is no TLS.
    #[error("it does not speak TLS: it may be an http tracker")]
    NotTls,
    /// The two sides have no version or cipher in common, or another thing that rustls names.
    #[error("TLS fails: {0}")]
    Other(Error),
}

impl Tls {
    /// Trusts the system's certificates, and those in the file if there is one. Of these each is trusted both as an
    /// authority and as a tracker's own, self-made certificate.
    ///
    /// # Errors
    /// The file cannot be used, or there is nobody to trust.
    pub fn new(ca: Option<&Path>) -> Result<Tls, TlsError> {
        Tls::make(ca, false)
    }

    /// Likewise, but goes on whatever certificate comes, and lets it be [looked at](Tls::certificate). To find out what is
    /// wrong with a server, never to trust it.
    ///
    /// # Errors
    /// As [`new`](Tls::new).
    pub fn inspecting(ca: Option<&Path>) -> Result<Tls, TlsError> {
        Tls::make(ca, true)
    }

    fn make(ca: Option<&Path>, goes_on: bool) -> Result<Tls, TlsError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let own = ca.map(read).transpose()?.unwrap_or_default();
        for certificate in &own {
            if let (Err(error), Some(path)) = (roots.add(certificate.clone()), ca) {
                return Err(TlsError::File { path: path.to_owned(), problem: error.to_string() });
            }
        }
        if roots.is_empty() {
            return Err(TlsError::NoRoots);
        }
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .map_err(|_| TlsError::NoRoots)?;
        let judge = Arc::new(Judge::new(inner, own, goes_on));
        let config = config(&judge, rustls::DEFAULT_VERSIONS)?;
        Ok(Tls { config, judge })
    }

    /// The same, for one version of TLS only, and without resumption of earlier sessions.
    ///
    /// # Errors
    /// None in fact: rustls knows both versions.
    pub(crate) fn only(&self, version: &'static SupportedProtocolVersion) -> Result<Tls, TlsError> {
        Ok(Tls { config: config(&self.judge, &[version])?, judge: Arc::clone(&self.judge) })
    }

    /// What is to be said of the certificate that came last, if one came.
    pub fn certificate(&self) -> Option<Certificate> {
        self.judge.certificate()
    }

    /// A session with that host that is to be begun.
    ///
    /// # Errors
    /// No certificate can be for it.
    pub(crate) fn session(&self, host: &Host) -> Result<ClientConnection, TlsError> {
        let name = match host {
            Host::Domain(name) => {
                ServerName::try_from(name.clone()).map_err(|_| TlsError::Name(name.clone()))?
            }
            Host::Ipv4(ip) => ServerName::from(std::net::IpAddr::from(*ip)),
            Host::Ipv6(ip) => ServerName::from(std::net::IpAddr::from(*ip)),
        };
        ClientConnection::new(Arc::clone(&self.config), name).map_err(TlsError::Other)
    }
}

impl TlsError {
    /// What TLS has to do with an error of a connection.
    pub(crate) fn within(error: &io::Error) -> Option<TlsError> {
        Some(match error.get_ref()?.downcast_ref::<Error>()? {
            Error::InvalidCertificate(error) => TlsError::Certificate(error.clone()),
            Error::InvalidMessage(InvalidMessage::InvalidContentType) => TlsError::NotTls,
            error => TlsError::Other(error.clone()),
        })
    }
}

/// In words, as the end of "it is wrong that …".
pub(crate) fn certificate_problem(error: &CertificateError) -> String {
    use CertificateError as E;
    match error {
        E::Expired | E::ExpiredContext { .. } => "its certificate has expired".to_owned(),
        E::NotValidYet | E::NotValidYetContext { .. } => "its certificate is not valid yet".to_owned(),
        E::NotValidForName | E::NotValidForNameContext { .. } => {
            "its certificate is for another name".to_owned()
        }
        // by the name of one who is trusted, perhaps, but not with that key
        E::UnknownIssuer | E::BadSignature => {
            "its certificate is signed by nobody whom this machine trusts: name it with --ca if it is self-made"
                .to_owned()
        }
        // webpki's word for a certificate of "openssl req -x509"
        E::Other(other) if other.to_string() == "CaUsedAsEndEntity" => certificate_problem(&E::UnknownIssuer),
        E::Revoked => "its certificate has been revoked".to_owned(),
        error => format!("its certificate is not valid: {error}"),
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn config(
    judge: &Arc<Judge>,
    versions: &[&'static SupportedProtocolVersion],
) -> Result<Arc<ClientConfig>, TlsError> {
    let builder = ClientConfig::builder_with_provider(provider()).with_protocol_versions(versions);
    let verifier = Arc::clone(judge);
    let config = builder.map_err(TlsError::Other)?.dangerous().with_custom_certificate_verifier(verifier);
    Ok(Arc::new(config.with_no_client_auth()))
}

fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let file = |problem: String| TlsError::File { path: path.to_owned(), problem };
    let bytes = std::fs::read(path).map_err(|error| file(format!("cannot be read: {error}")))?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err(file("there is no certificate in it".to_owned())),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(file(format!("it is no PEM: {error}"))),
    }
}
