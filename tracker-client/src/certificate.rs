//! Judging a tracker's certificate.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

/// What is to be said of a certificate.
#[derive(Clone, Debug, PartialEq)]
pub struct Certificate {
    /// Why it is not to be trusted; `None` if it is.
    pub problem: Option<CertificateError>,
    /// Until when it and all those that it depends on are valid, if that is known.
    pub expires: Option<SystemTime>,
}

/// Verifies as rustls does, except that a certificate which the user has named is trusted by itself: those that people make
/// with one line of openssl call themselves an authority, and rustls takes no authority for a server.
#[derive(Debug)]
pub(crate) struct Judge {
    inner: Arc<WebPkiServerVerifier>,
    /// Certificates that are trusted by themselves.
    own: Vec<CertificateDer<'static>>,
    /// Whether the connection goes on with a wrong one.
    goes_on: bool,
    last: Mutex<Option<Certificate>>,
}

impl Judge {
    pub(crate) fn new(
        inner: Arc<WebPkiServerVerifier>,
        own: Vec<CertificateDer<'static>>,
        goes_on: bool,
    ) -> Judge {
        Judge { inner, own, goes_on, last: Mutex::new(None) }
    }

    pub(crate) fn certificate(&self) -> Option<Certificate> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn verify(&self, chain: &Chain<'_>, now: UnixTime) -> Result<ServerCertVerified, Error> {
        let Chain { end, between, name, ocsp } = *chain;
        match self.inner.verify_server_cert(end, between, name, ocsp, now) {
            // its dates have been looked at by then, and its name not yet
            Err(Error::InvalidCertificate(CertificateError::Other(_)))
                if self.own.iter().any(|own| own == end) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            result => result,
        }
    }

    /// The first end in the chain: asked of ever earlier times, the verifier names one after the other.
    fn expires(&self, chain: &Chain<'_>) -> Option<SystemTime> {
        const FAR: Duration = Duration::from_secs(200_000_000_000); // beyond all dates in certificates
        let (mut at, mut found) = (UnixTime::since_unix_epoch(FAR), None);
        while let Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) =
            self.verify(chain, at)
            && not_after < at
        {
            (at, found) = (not_after, UNIX_EPOCH.checked_add(Duration::from_secs(not_after.as_secs())));
        }
        found
    }
}

/// What a server shows.
struct Chain<'a> {
    end: &'a CertificateDer<'a>,
    between: &'a [CertificateDer<'a>],
    name: &'a ServerName<'a>,
    ocsp: &'a [u8],
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = Chain { end, between, name, ocsp };
        let verdict = self.verify(&chain, now);
        let problem = match &verdict {
            Ok(_) => None,
            Err(Error::InvalidCertificate(error)) => Some(error.clone()),
            Err(_) => Some(CertificateError::BadEncoding),
        };
        let certificate = Certificate { problem, expires: self.expires(&chain) };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(certificate);
        if self.goes_on { Ok(ServerCertVerified::assertion()) } else { verdict }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
