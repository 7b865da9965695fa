//! Connections that are held rather than used.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use examples::response::parse_head;

use crate::line::connect;
use crate::mode::Attacker;
use crate::tally::Tally;

/// Between two looks after all of them.
const ROUND: Duration = Duration::from_millis(100);

/// One that is held.
#[derive(Debug)]
pub(crate) struct Held {
    stream: TcpStream,
    /// How much has been said on it.
    said: usize,
}

impl Held {
    /// Whether so many bytes have been said on it.
    pub(crate) fn has_said(&self, count: usize) -> bool {
        self.said >= count
    }

    /// Says what comes next of an endless text: `text`, and then its last `again` bytes over and over. At most `most` bytes.
    pub(crate) fn say(
        &mut self,
        text: &[u8],
        again: usize,
        most: usize,
        tally: &mut Tally,
    ) -> io::Result<()> {
        let at = match self.said.checked_sub(text.len()) {
            None => self.said,
            Some(beyond) => text.len() - again + beyond % again,
        };
        match self.stream.write(&text[at..(at + most).min(text.len())]) {
            Ok(written) => {
                tally.bytes_out += written as u64;
                tally.requests += u64::from(self.said == 0);
                self.said += written;
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Takes what the tracker says of its own accord.
    pub(crate) fn hear(&mut self, tally: &mut Tally) -> io::Result<()> {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                tally.bytes_in += read as u64;
                match parse_head(&buffer[..read]) {
                    Ok(Some(head)) => tally.answer(head.status, &buffer[head.len..read]),
                    Ok(None) => {}
                    Err(_) => {
                        tally.odd += 1;
                        tally.note(&buffer[..read]);
                    }
                }
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Holds as many connections as are wanted, and opens another for each that the tracker closes. `tend` is done with each, ten times a
/// second; an error means that it is gone.
pub(crate) fn hold(
    attacker: &mut Attacker<'_>,
    receive_buffer: Option<usize>,
    mut tend: impl FnMut(&mut Held, &mut Tally) -> io::Result<()>,
) {
    let mut held: Vec<Held> = Vec::new();
    let (addr, from) = attacker.way();
    loop {
        while held.len() < attacker.plan.connections {
            if !attacker.pace.goes_on(1) {
                return;
            }
            let Ok(socket) = connect(addr, from, &mut attacker.tally) else { break };
            if let Some(size) = receive_buffer {
                // what the system makes of it is small enough
                let _ = socket.set_recv_buffer_size(size);
            }
            if socket.set_nonblocking(true).is_ok() {
                held.push(Held { stream: socket.into(), said: 0 });
            }
        }
        let before = held.len();
        held.retain_mut(|held| tend(held, &mut attacker.tally).is_ok());
        attacker.tally.closed += (before - held.len()) as u64;
        if !attacker.pace.rest(ROUND) {
            return;
        }
    }
}
