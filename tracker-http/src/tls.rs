//! TLS by rustls (RFC 8446, RFC 5246): the certificate in force, and connections that speak it.
//!
//! `certificate` reads a chain and its key, `session` is one connection's state. The sockets are [`transport`]'s.
//!
//! [`transport`]: crate::transport

mod certificate;
mod session;

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};

pub use certificate::{Certificate, TlsError};
pub(crate) use session::{CIPHER, Received, Session};

/// What we speak inside (RFC 7301 §6). A client that offers protocols and not this one is told `no_application_protocol`.
const PROTOCOL: &[u8] = b"http/1.1";

/// TLS for a server's addresses: the certificate in force, and the keys of the tickets by which clients resume.
///
/// Clones are the same: whatever [replaces](Tls::replace) the certificate of one does so for all.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ServerConfig>,
    current: Arc<Current>,
}

/// Hands the certificate in force to the handshakes.
#[derive(Debug)]
struct Current(Mutex<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.lock()))
    }
}

impl Tls {
    /// TLS 1.2 and 1.3 with this certificate. Sessions are resumed by tickets that any worker can read, whatever
    /// certificate is in force by then; nothing of them is kept.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn new(certificate: Certificate) -> Result<Tls, TlsError> {
        let current = Arc::new(Current(Mutex::new(certificate.0)));
        let refuse = |error: rustls::Error| TlsError::Unavailable(error.to_string());
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(refuse)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::<Current>::clone(&current));
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = ring::Ticketer::new().map_err(refuse)?;
        // a client that comes back takes one, and most never do
        config.send_tls13_tickets = 1;
        Ok(Tls { config: Arc::new(config), current })
    }

    /// Puts another certificate in force, for handshakes that begin from now on. Connections that are open go on with
    /// theirs.
    pub fn replace(&self, certificate: Certificate) {
        *self.current.0.lock() = certificate.0;
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // nothing of a key
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}
