//! Listening sockets: one per worker and address, all on the same port.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("{addr} {why}")]
pub struct ListenError {
    /// The address.
    pub addr: SocketAddr,
    /// What stands against it.
    pub why: Obstacle,
}

/// Why an address cannot be listened on; `Display` is what stands behind the address in a sentence.
#[derive(Debug, thiserror::Error)]
pub enum Obstacle {
    /// Somebody else does already.
    #[error("is in use: stop the program that listens there, or choose another port")]
    InUse,
    /// No interface of this machine has it.
    #[error("is no address of this machine")]
    NotOurs,
    /// Ports below 1024 are for the privileged.
    #[error("may not be listened on: it takes the capability CAP_NET_BIND_SERVICE, or a port from 1024 on")]
    NotAllowed,
    /// The machine has no sockets of its address family.
    #[error("cannot be listened on, since this machine lacks its address family")]
    NoFamily,
    /// Anything else.
    #[error("cannot be listened on: {0}")]
    Other(io::Error),
}

impl ListenError {
    fn new(addr: SocketAddr, error: io::Error) -> Self {
        let why = match error.kind() {
            io::ErrorKind::AddrInUse => Obstacle::InUse,
            io::ErrorKind::AddrNotAvailable => Obstacle::NotOurs,
            io::ErrorKind::PermissionDenied => Obstacle::NotAllowed,
            _ if error.raw_os_error() == Some(EAFNOSUPPORT) => Obstacle::NoFamily,
            _ => Obstacle::Other(error),
        };
        ListenError { addr, why }
    }

    /// Whether the machine may have no IPv6 at all.
    pub fn is_for_want_of_ipv6(&self) -> bool {
        self.addr.is_ipv6() && matches!(self.why, Obstacle::NotOurs | Obstacle::NoFamily)
    }
}

/// Linux's "address family not supported by protocol", for which `io::ErrorKind` has no name.
const EAFNOSUPPORT: i32 = 97;
/// What may wait to be accepted; the kernel bounds it by `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// Binds `addr` once per worker, and listens. The first socket does both without `SO_REUSEPORT`, so that an address which
/// is taken is found, also where two trackers start at the same moment: of several that have bound it, one gets to
/// listen. The flag is set then, and the others join.
///
/// # Errors
/// The address cannot be bound or listened on.
pub(crate) fn listen(addr: SocketAddr, workers: usize) -> Result<Vec<TcpListener>, ListenError> {
    let fail = |error| ListenError::new(addr, error);
    let first = socket(addr).map_err(fail)?;
    first.bind(&addr.into()).map_err(fail)?;
    first.listen(BACKLOG).map_err(fail)?;
    first.set_reuse_port(true).map_err(fail)?;
    let bound = first.local_addr().map_err(fail)?;
    let mut sockets = vec![first];
    for _ in 1..workers {
        let next = socket(addr).map_err(fail)?;
        next.set_reuse_port(true).map_err(fail)?;
        next.bind(&bound).map_err(fail)?;
        next.listen(BACKLOG).map_err(fail)?;
        sockets.push(next);
    }
    Ok(sockets.into_iter().map(TcpListener::from).collect())
}

fn socket(addr: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // a port whose last connections are in TIME_WAIT is free
    socket.set_reuse_address(true)?;
    // accepted sockets inherit it, which saves a system call each
    socket.set_tcp_nodelay(true)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_share_a_port_and_strangers_do_not() {
        let ours = listen("127.0.0.1:0".parse().unwrap(), 3).unwrap();
        let addr = ours[0].local_addr().unwrap();
        assert!(ours.iter().all(|socket| socket.local_addr().unwrap() == addr));
        assert!(matches!(listen(addr, 2), Err(ListenError { why: Obstacle::InUse, .. })));
    }

    #[test]
    fn of_several_that_start_at_once_one_gets_the_port() {
        for _ in 0..50 {
            let free = listen("127.0.0.1:0".parse().unwrap(), 1).unwrap();
            let addr = free[0].local_addr().unwrap();
            drop(free);
            let start = std::sync::Barrier::new(3);
            let won = crossbeam::scope(|scope| {
                let try_it = |_: &_| {
                    start.wait();
                    listen(addr, 4)
                };
                let tries: Vec<_> = (0..3).map(|_| scope.spawn(try_it)).collect();
                // all at the end, so that none gives the port back before the others have tried
                let tries: Vec<_> = tries.into_iter().map(|one| one.join().unwrap()).collect();
                tries.iter().filter(|listening| listening.is_ok()).count()
            });
            assert_eq!(won.unwrap(), 1);
        }
    }

    #[test]
    fn an_address_of_somebody_else_is_refused() {
        let error = listen("192.0.2.1:0".parse().unwrap(), 1).unwrap_err();
        assert_eq!(error.to_string(), "192.0.2.1:0 is no address of this machine");
    }
}
