//! What the bytes of HTTP go over: TCP, or TLS on it.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use rustls::ServerConfig;

use crate::counters::{Happening, Tally};
use crate::tls::{Received, Session};
use crate::worker::Buffers;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Transport {
    tcp: TcpStream,
    tls: Option<Box<Session>>,
    /// Bytes that the socket has taken of answers.
    progress: u64,
}

impl Transport {
    /// Over TCP as it is.
    pub(crate) fn plain(tcp: TcpStream) -> Transport {
        Transport { tcp, tls: None, progress: 0 }
    }

    /// Over TLS. `None` if the system has no random numbers.
    pub(crate) fn secure(tcp: TcpStream, config: &Arc<ServerConfig>) -> Option<Transport> {
        let session = Session::new(Arc::clone(config))?;
        Some(Transport { tcp, tls: Some(Box::new(session)), progress: 0 })
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_handshaking())
    }

    /// Bytes that the socket has taken so far, of a handshake none.
    pub(crate) fn progress(&self) -> u64 {
        self.progress
    }

    /// Whether something is written that the socket has not taken.
    pub(crate) fn wants_write(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Reads once, into `buffers.input` from there on: over TLS from the beginning.
    #[inline]
    pub(crate) fn read(&mut self, from: usize, buffers: &mut Buffers, tally: &Tally) -> io::Result<Received> {
        if let Some(tls) = &mut self.tls {
            let Buffers { input, cipher, handshakes, .. } = buffers;
            return tls.read(&mut self.tcp, cipher, input, handshakes, tally);
        }
        let room = &mut buffers.input[from..];
        match self.tcp.read(room)? {
            0 => Ok(Received::End),
            len => {
                tally.happened(Happening::BytesIn, len as u64);
                Ok(Received::Bytes { len, is_short: len < room.len() })
            }
        }
    }

    /// Reads what nobody wants to know. Returns how much it was; 0 at the end.
    pub(crate) fn skip(&mut self, buffers: &mut Buffers, tally: &Tally) -> io::Result<usize> {
        let read = self.tcp.read(&mut buffers.input)?;
        tally.happened(Happening::BytesIn, read as u64);
        Ok(read)
    }

    /// Writes once, and says how many of `bytes` were taken: over TLS they may wait still, as
    /// [`wants_write`](Transport::wants_write) tells.
    ///
    /// # Errors
    /// The socket's; `WouldBlock` if nothing was taken.
    #[inline]
    pub(crate) fn write(&mut self, bytes: &[u8], tally: &Tally) -> io::Result<usize> {
        let before = self.progress;
        let taken = match &mut self.tls {
            None => {
                let taken = self.tcp.write(bytes)?;
                self.progress += taken as u64;
                taken
            }
            Some(tls) => tls.write(&mut self.tcp, bytes, &mut self.progress)?,
        };
        tally.happened(Happening::BytesOut, self.progress - before);
        Ok(taken)
    }

    /// Like [`write`](Transport::write), with nothing but the end of the connection to follow, at once: the end goes
    /// out in one packet with the last of the bytes.
    ///
    /// # Errors
    /// The socket's; `WouldBlock` if nothing was taken.
    pub(crate) fn write_last(&mut self, bytes: &[u8], tally: &Tally) -> io::Result<usize> {
        if self.is_secure() {
            return self.write(bytes, tally);
        }
        let taken = send_and_hold(&mut self.tcp, bytes)?;
        self.progress += taken as u64;
        tally.happened(Happening::BytesOut, taken as u64);
        Ok(taken)
    }

    /// Sends what was taken and waits.
    ///
    /// # Errors
    /// The socket's; `WouldBlock` if it does not take all.
    pub(crate) fn flush(&mut self, tally: &Tally) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        let mut sent = 0;
        let flushed = tls.flush(&mut self.tcp, &mut sent);
        tally.happened(Happening::BytesOut, sent);
        // a handshake is no progress: it has the time of one request
        if !tls.is_silent() {
            self.progress += sent;
        }
        flushed
    }

    /// Ends the sending side.
    ///
    /// # Errors
    /// The socket's; `WouldBlock` if it does not take what is to be said before that.
    pub(crate) fn finish(&mut self, tally: &Tally) -> io::Result<()> {
        self.say_end(tally)?;
        self.tcp.shutdown(Shutdown::Write)
    }

    /// Says that nothing more comes, where there is a way to say that.
    ///
    /// # Errors
    /// The socket's; `WouldBlock` if it does not take that.
    pub(crate) fn say_end(&mut self, tally: &Tally) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        tls.say_end();
        self.flush(tally)
    }

    /// Nobody takes anything any more.
    pub(crate) fn mute(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.mute();
        }
    }

    /// Speaks without TLS from here on.
    pub(crate) fn drop_tls(&mut self) {
        self.tls = None;
    }

    pub(crate) fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        registry.register(&mut self.tcp, token, interest)
    }

    pub(crate) fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        registry.reregister(&mut self.tcp, token, interest)
    }
}

/// Sends, and leaves the last, incomplete packet to be sent together with what comes next.
#[cfg(target_os = "linux")]
fn send_and_hold(tcp: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    use rustix::net::SendFlags;
    Ok(rustix::net::send(tcp, bytes, SendFlags::MORE | SendFlags::NOSIGNAL)?)
}

#[cfg(not(target_os = "linux"))]
fn send_and_hold(tcp: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    tcp.write(bytes)
}
