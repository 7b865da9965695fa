//! From a tracker's name to its addresses.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;

use crate::answer::one_line;
use crate::ask::AskError;
use crate::deadline::Deadline;
use crate::tracker_url::TrackerUrl;

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4
    V4,
    /// IPv6
    V6,
}

impl Family {
    /// That of an address.
    pub fn of(addr: SocketAddr) -> Family {
        if addr.is_ipv4() { Family::V4 } else { Family::V6 }
    }

    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        }
    }
}

/// The addresses of the tracker, of both families or of one, in the system's order: one at least.
///
/// The system's resolver knows no timeout, so it is waited for from outside; a thread is left behind where it never answers.
///
/// # Errors
/// There are none, or not in time.
pub fn resolve(
    tracker: &TrackerUrl,
    family: Option<Family>,
    deadline: Deadline,
) -> Result<Vec<SocketAddr>, AskError> {
    let (host, port) = (tracker.host().to_string(), tracker.port());
    let all = if let Some(ip) = tracker.ip() {
        vec![SocketAddr::new(ip, port)]
    } else {
        let (sender, receiver) = mpsc::channel();
        let name = host.clone();
        thread::spawn(move || sender.send((name.as_str(), port).to_socket_addrs().map(Vec::from_iter)));
        match receiver.recv_timeout(deadline.room().unwrap_or_default()) {
            Ok(Ok(addrs)) => addrs,
            Ok(Err(error)) => return Err(AskError::NotFound(host, one_line(error.to_string().as_bytes()))),
            Err(_) => {
                return Err(AskError::Timeout(
                    format!("the name {host}"),
                    "was not found",
                    deadline.seconds(),
                ));
            }
        }
    };
    if all.is_empty() {
        return Err(AskError::NotFound(host, "it has no address".to_owned()));
    }
    match family {
        None => Ok(all),
        Some(family) => {
            let wanted: Vec<_> = all.into_iter().filter(|&addr| Family::of(addr) == family).collect();
            if wanted.is_empty() { Err(AskError::NoFamily(host, family.name())) } else { Ok(wanted) }
        }
    }
}
