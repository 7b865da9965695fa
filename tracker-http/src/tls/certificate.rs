//! A certificate chain and its private key, from PEM (RFC 7468).

use std::fmt;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, Error, InconsistentKeys};

/// A certificate chain, the server's own certificate first, with the private key that belongs to that.
pub struct Certificate(pub(super) Arc<CertifiedKey>);

/// Why there is no TLS. `Display` is what stands behind the name of the file in a sentence; which of the two files it is
/// [`is_about_key`](TlsError::is_about_key) tells.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// The certificate's text is no PEM.
    #[error("is not PEM, which has lines such as -----BEGIN CERTIFICATE-----")]
    CertificateNotPem,
    /// A section of the certificate's text has no end, or is not base64.
    #[error("is damaged PEM: {0}")]
    CertificateDamaged(String),
    /// It is PEM, without a certificate.
    #[error("has no certificate in it")]
    NoCertificate,
    /// What is called a certificate is none that can be used.
    #[error("has a certificate that cannot be used: {0}")]
    BadCertificate(String),
    /// The key's text is no PEM.
    #[error("is not PEM, which has lines such as -----BEGIN PRIVATE KEY-----")]
    KeyNotPem,
    /// A section of the key's text has no end, or is not base64.
    #[error("is damaged PEM: {0}")]
    KeyDamaged(String),
    /// It is PEM, without a private key.
    #[error("has no private key in it")]
    NoKey,
    /// The key is locked by a passphrase.
    #[error("has a private key that is locked by a passphrase: write it without one")]
    KeyLocked,
    /// What is called a key is none that can be used.
    #[error(
        "has a private key that cannot be used: expected RSA of 2048 to 8192 bits, P-256, P-384 or Ed25519"
    )]
    BadKey,
    /// The key is another certificate's.
    #[error("does not match the certificate, the first one in its file")]
    Mismatch,
    /// The system lacks what TLS needs.
    #[error("TLS is not possible: {0}")]
    Unavailable(String),
}

impl TlsError {
    /// Whether it is the private key that is to blame, not the certificate.
    pub fn is_about_key(&self) -> bool {
        use TlsError::{BadKey, KeyDamaged, KeyLocked, KeyNotPem, Mismatch, NoKey};
        matches!(self, BadKey | KeyDamaged(_) | KeyLocked | KeyNotPem | Mismatch | NoKey)
    }
}

impl Certificate {
    /// Reads a chain, the server's own certificate first, and a private key (PKCS #8, PKCS #1 or SEC 1). Other sections
    /// are passed over, so both may be the same text.
    ///
    /// # Errors
    /// What is missing or wrong, down to a key that is not the certificate's. That it has expired is no error: see
    /// [`Certificate::chain`].
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Certificate, TlsError> {
        let chain = read_chain(chain)?;
        let key = read_key(key)?;
        let certified = CertifiedKey::from_der(chain, key, &ring::default_provider());
        certified.map(|certified| Certificate(Arc::new(certified))).map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsError::Mismatch,
            Error::InvalidCertificate(CertificateError::BadEncoding) => {
                TlsError::BadCertificate("it is malformed".to_owned())
            }
            Error::InvalidCertificate(error) => TlsError::BadCertificate(error.to_string()),
            _ => TlsError::BadKey,
        })
    }

    /// The chain, each certificate in DER, for whoever wants to know more of it, such as when it expires.
    pub fn chain(&self) -> impl Iterator<Item = &[u8]> {
        self.0.cert.iter().map(AsRef::as_ref)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // nothing of the key
        f.debug_struct("Certificate").field("chain", &self.0.cert.len()).finish_non_exhaustive()
    }
}

fn read_chain(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let sections: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    match sections {
        Err(error) => Err(TlsError::CertificateDamaged(explain(&error))),
        Ok(sections) if !sections.is_empty() => Ok(sections),
        Ok(_) if is_pem(text) => Err(TlsError::NoCertificate),
        Ok(_) => Err(TlsError::CertificateNotPem),
    }
}

fn read_key(text: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    let has = |label: &[u8]| memchr::memmem::find(text, label).is_some();
    match PrivateKeyDer::from_pem_slice(text) {
        // OpenSSL's old way says so in a header line, which is no base64
        _ if has(b"Proc-Type: 4,ENCRYPTED") => Err(TlsError::KeyLocked),
        Ok(key) => Ok(key),
        Err(PemError::NoItemsFound) if has(b"BEGIN ENCRYPTED PRIVATE KEY") => Err(TlsError::KeyLocked),
        Err(PemError::NoItemsFound) if is_pem(text) => Err(TlsError::NoKey),
        Err(PemError::NoItemsFound) => Err(TlsError::KeyNotPem),
        Err(error) => Err(TlsError::KeyDamaged(explain(&error))),
    }
}

fn is_pem(text: &[u8]) -> bool {
    memchr::memmem::find(text, b"-----BEGIN ").is_some()
}

/// In words, and with nothing of what may be a key.
fn explain(error: &PemError) -> String {
    match error {
        PemError::MissingSectionEnd { .. } => "a section has no end".to_owned(),
        PemError::IllegalSectionStart { .. } => "a line that begins a section is malformed".to_owned(),
        PemError::Base64Decode(_) => "a section is not base64".to_owned(),
        _ => "it cannot be read".to_owned(),
    }
}
