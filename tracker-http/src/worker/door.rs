//! Who comes in, and who has to go for that.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use rustls::ServerConfig;

use super::Worker;
use crate::counters::Happening;
use crate::quota::{Standing, Turned};
use crate::service::Service;
use crate::socket::Socket;
use crate::transport::Transport;
use crate::waiting::Wait;

/// Connections accepted in one go before the others' turn comes.
const ACCEPTS: usize = 64;
/// How long to wait before accepting again where descriptors or memory have run out, unless one is freed before.
const STARVED: Duration = Duration::from_millis(100);

pub(super) struct Listener {
    pub(super) socket: TcpListener,
    /// It is for TLS.
    pub(super) tls: Option<Arc<ServerConfig>>,
    /// There may be more to accept, and no event will tell.
    pub(super) has_more: bool,
    /// Accepting has failed for want of descriptors; try again then.
    pub(super) starved_until: Option<u64>,
}

impl Listener {
    pub(super) fn new(socket: TcpListener, tls: Option<Arc<ServerConfig>>) -> Listener {
        Listener { socket, tls, has_more: true, starved_until: None }
    }

    /// What to speak over a connection that has come; `None` if that is not possible.
    fn open(&self, stream: TcpStream) -> Option<Transport> {
        match &self.tls {
            None => Some(Transport::plain(stream)),
            Some(config) => Transport::secure(stream, config),
        }
    }
}

impl<S: Service> Worker<'_, S> {
    pub(super) fn accept_all(&mut self) {
        for at in 0..self.listeners.len() {
            let listener = &mut self.listeners[at];
            if listener.starved_until.is_some_and(|until| until <= self.now) {
                listener.starved_until = None;
                listener.has_more = true;
            }
            if listener.has_more && listener.starved_until.is_none() {
                self.accept(at);
            }
        }
    }

    /// Accepts a bounded number of connections, and serves them at once: a client that asks one thing and goes is done
    /// with before anything has been registered.
    fn accept(&mut self, at: usize) {
        self.accept_some(at);
        self.end_round();
    }

    fn accept_some(&mut self, at: usize) {
        for _ in 0..ACCEPTS {
            match self.listeners[at].socket.accept() {
                Ok((stream, addr)) => {
                    self.shared.tally.happened(Happening::Accepted, 1);
                    // a batch takes long enough for workers not to agree any more on who came first
                    self.tick();
                    let peer = addr.ip().to_canonical();
                    let Some(standing) = self.let_in(peer) else { continue };
                    if self.has_room()
                        && let Some(stream) = self.listeners[at].open(stream)
                    {
                        let mut socket = Socket::new(stream, peer);
                        socket.set_standing(standing);
                        let id = self.sockets.insert(socket);
                        self.waiting.enter(&mut self.sockets, id, Wait::Request, self.now);
                        self.hear(id);
                    } else {
                        self.common.gate.leave(peer, standing);
                        self.common.counters.open.fetch_sub(1, Relaxed);
                        self.shared.tally.happened(Happening::TooMany, 1);
                    }
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => {
                        self.listeners[at].has_more = false;
                        return;
                    }
                    // of the connection that was to be accepted, which is gone
                    ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted => {}
                    _ => {
                        self.shared.tally.happened(Happening::AcceptFailed, 1);
                        tracing::debug!("accepting a connection failed: {error}");
                        self.listeners[at].has_more = false;
                        self.listeners[at].starved_until = Some(self.now + STARVED.as_micros() as u64);
                        return;
                    }
                },
            }
        }
    }

    /// Counts a connection that has been accepted with its address. None if that has too many, or asks too much.
    fn let_in(&mut self, peer: IpAddr) -> Option<Standing> {
        let entered = self.common.gate.enter(peer, self.buffers.context.millis);
        let turned = entered.inspect_err(|turned| {
            let what = match turned {
                Turned::Rate => Happening::OverRate,
                Turned::Connections => Happening::OverConnections,
            };
            self.shared.tally.happened(what, 1);
        });
        turned.ok()
    }

    /// Counts a connection that has been accepted, and makes [room](crate::room) for it at the cost of the one that is idle longest,
    /// of whatever worker. False if there is none.
    fn has_room(&mut self) -> bool {
        if self.common.counters.open.fetch_add(1, Relaxed) < self.settings.max_connections {
            return true;
        }
        self.publish();
        let Some(worker) = self.common.rooms.claim(std::thread::yield_now) else { return false };
        if worker == self.me {
            self.make_room();
        } else {
            self.common.mailboxes[worker].wake();
        }
        true
    }

    /// Closes the connections that are idle longest, as many as somebody needs the room of.
    pub(super) fn make_room(&mut self) {
        while let Some((id, _)) = self.waiting.first(&self.sockets, Wait::Idle)
            && self.seat.owes(&self.common.rooms)
        {
            self.close(id);
            // at once, lest somebody takes this worker's next for as old
            self.publish();
            self.shared.tally.happened(Happening::MadeRoom, 1);
        }
    }

    pub(super) fn publish(&mut self) {
        let oldest = self.waiting.first(&self.sockets, Wait::Idle).map(|(_, since)| since);
        self.seat.publish(&self.common.rooms, oldest, self.waiting.count(Wait::Idle));
    }

    /// Ends a connection, whoever wanted that.
    pub(super) fn close(&mut self, id: usize) {
        self.waiting.leave(&mut self.sockets, id);
        let socket = self.sockets.remove(id);
        if socket.has_asked_nothing() {
            // it has cost more than most requests
            self.common.gate.charge(socket.standing(), socket.client(), self.buffers.context.millis);
        }
        self.common.gate.leave(socket.client(), socket.standing());
        socket.close(self.shared.tally);
        self.common.counters.open.fetch_sub(1, Relaxed);
        for listener in &mut self.listeners {
            // there is a descriptor again
            listener.has_more |= listener.starved_until.take().is_some();
        }
    }
}
