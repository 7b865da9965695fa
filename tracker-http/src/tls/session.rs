//! One TLS connection without its socket's place in the event loop: ciphertext on one side, the bytes of HTTP on the other.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

use mio::net::TcpStream;
use rustls::{ServerConfig, ServerConnection};

use crate::counters::{Happening, Tally};

/// What a worker reads ciphertext into. Together with the record that may have begun before (16 KiB and a little) it holds
/// less than a worker's input has room for.
pub(crate) const CIPHER: usize = 32 << 10;
/// How much ciphertext waits for a slow reader; a record may go beyond.
const UNSENT: usize = 64 << 10;

/// What has come of a read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// So many bytes of HTTP, which may be none. `is_short` if nothing more was there.
    Bytes { len: usize, is_short: bool },
    /// The peer has closed its side.
    End,
    /// This turn has had its handshakes, and nothing was read.
    Later,
    /// It is no TLS, or breaks its rules; what there is to say about it waits to be sent.
    Broken,
    /// It is HTTP, on a port where TLS is spoken.
    Plain,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Session {
    tls: ServerConnection,
    /// Something has come.
    has_heard: bool,
    /// Something of HTTP has been written.
    has_spoken: bool,
    /// The peer has said that nothing more comes.
    has_ended: bool,
    /// What has come is not to be understood, from here on.
    is_broken: bool,
    /// Nobody takes anything any more.
    is_mute: bool,
}

impl Session {
    /// `None` if the system has no random numbers.
    pub(crate) fn new(config: Arc<ServerConfig>) -> Option<Session> {
        let mut tls = ServerConnection::new(config).ok()?;
        tls.set_buffer_limit(Some(UNSENT));
        Some(Session {
            tls,
            has_heard: false,
            has_spoken: false,
            has_ended: false,
            is_broken: false,
            is_mute: false,
        })
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.tls.is_handshaking()
    }

    /// Whether what has been written so far is of the handshake.
    pub(crate) fn is_silent(&self) -> bool {
        !self.has_spoken
    }

    /// Whether there is ciphertext that the socket has not taken.
    pub(crate) fn wants_write(&self) -> bool {
        self.tls.wants_write() && !self.is_mute
    }

    /// Nobody takes anything any more: what is there is not sent, nor that this is the end.
    pub(crate) fn mute(&mut self) {
        self.is_mute = true;
    }

    /// Reads once, and decrypts all that came into `input`. `steps` is what this turn has left of answers to handshakes,
    /// each of which costs as much as dozens of announces.
    pub(crate) fn read(
        &mut self,
        tcp: &mut TcpStream,
        cipher: &mut [u8],
        input: &mut [u8],
        steps: &mut usize,
        tally: &Tally,
    ) -> io::Result<Received> {
        if self.is_broken {
            return Ok(Received::Broken);
        }
        if self.has_ended {
            return Ok(Received::End);
        }
        let is_handshaking = self.tls.is_handshaking();
        if is_handshaking && *steps == 0 {
            return Ok(Received::Later);
        }
        let read = tcp.read(cipher)?;
        if read == 0 {
            if is_handshaking && self.has_heard {
                tally.happened(Happening::TlsHandshakeFailed, 1);
            }
            return Ok(Received::End);
        }
        tally.happened(Happening::BytesIn, read as u64);
        if !self.has_heard {
            self.has_heard = true;
            // every method begins like this, and no record of TLS does
            if cipher[0].is_ascii_uppercase() {
                tally.happened(Happening::TlsHandshakeFailed, 1);
                return Ok(Received::Plain);
            }
        }
        let len = self.decrypt(&cipher[..read], input);
        if is_handshaking {
            if self.tls.wants_write() {
                *steps -= 1;
            }
            if !self.tls.is_handshaking() {
                tally.happened(Happening::TlsHandshake, 1);
            } else if self.is_broken {
                tally.happened(Happening::TlsHandshakeFailed, 1);
            }
        }
        let is_short = read < cipher.len() && !self.has_ended && !self.is_broken;
        if len == 0 && self.is_broken {
            return Ok(Received::Broken);
        }
        Ok(Received::Bytes { len, is_short })
    }

    /// Takes all of `cipher`; returns how many bytes of HTTP were in it.
    fn decrypt(&mut self, mut cipher: &[u8], input: &mut [u8]) -> usize {
        let mut len = 0;
        while !cipher.is_empty() && !self.is_broken && !self.has_ended {
            let taken = self.tls.read_tls(&mut cipher);
            let state = self.tls.process_new_packets();
            if let Err(error) = &state {
                tracing::debug!("a TLS connection ends: {error}");
            }
            self.is_broken = state.is_err() || taken.is_err();
            // also what came whole before what is broken
            if let Ok(plain) = self.tls.reader().read(&mut input[len..]) {
                len += plain;
            }
            self.has_ended = state.is_ok_and(|state| state.peer_has_closed());
        }
        len
    }

    /// Encrypts and sends as much of `bytes` as there is room for; returns how many of them were taken, and adds to `sent`
    /// what the socket took.
    ///
    /// # Errors
    /// `WouldBlock` if nothing of them was taken. Any other if the connection is lost.
    pub(crate) fn write(&mut self, tcp: &mut TcpStream, bytes: &[u8], sent: &mut u64) -> io::Result<usize> {
        self.has_spoken = true;
        let mut taken = 0;
        while taken < bytes.len() {
            let has_waited = self.wants_write();
            let more = self.tls.writer().write(&bytes[taken..])?;
            taken += more;
            match self.flush(tcp, sent) {
                Ok(()) if more > 0 || has_waited => {}
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                // what was taken is on its way, and for the rest there is no room
                _ => break,
            }
        }
        if taken == 0 && !bytes.is_empty() { Err(ErrorKind::WouldBlock.into()) } else { Ok(taken) }
    }

    /// Sends what is encrypted.
    ///
    /// # Errors
    /// `WouldBlock` if there is more than the socket takes. Any other if the connection is lost.
    pub(crate) fn flush(&mut self, tcp: &mut TcpStream, sent: &mut u64) -> io::Result<()> {
        while self.wants_write() {
            match self.tls.write_tls(tcp) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => *sent += written as u64,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Says that nothing more comes (RFC 8446 §6.1), unless an alert has said more than that, or nobody listens.
    pub(crate) fn say_end(&mut self) {
        if !self.is_mute && !self.tls.is_handshaking() {
            self.tls.send_close_notify();
        }
    }
}
