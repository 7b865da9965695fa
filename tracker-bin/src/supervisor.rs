//! The service manager, if one wants to hear how the tracker fares: systemd, or whatever speaks sd_notify(3).
//!
//! It is told by datagrams to the socket that `NOTIFY_SOCKET` names; without that nothing here does anything. Nobody
//! waits for it: what it does not take at once is lost.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::{Duration, Instant};

use sd_notify::NotifyState;
use tracker_http::{Handle, Watch};

use crate::statistics::{Figures, Statistics};

/// How often the line of `systemctl status` is written anew, if it has changed.
const STATUS: Duration = Duration::from_secs(10);
/// While a worker is stuck, it is looked again so often, or as often as the watchdog wants to hear if that is more often.
const AGAIN: Duration = Duration::from_secs(1);

/// Who is told. Opened once, so that a shortage of descriptors does not look like a tracker that hangs.
#[derive(Debug, Default)]
pub struct Supervisor {
    socket: Option<(UnixDatagram, SocketAddr)>,
    /// After so long without a sign of life it ends the tracker.
    patience: Option<Duration>,
}

impl Supervisor {
    /// The one that the environment names.
    ///
    /// # Errors
    /// Why it cannot be told anything, as a sentence. The tracker runs without it.
    pub fn from_env() -> Result<Supervisor, String> {
        let Some(name) = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
            return Ok(Supervisor::default());
        };
        let open = || {
            let socket = UnixDatagram::unbound()?;
            socket.set_nonblocking(true)?;
            Ok((socket, address(&name)?))
        };
        let socket = open().map_err(|error: io::Error| {
            format!("NOTIFY_SOCKET names {name:?}, which cannot be written to: {error}; nobody is told how it goes")
        })?;
        let patience = sd_notify::watchdog_enabled().filter(|patience| !patience.is_zero());
        Ok(Supervisor { socket: Some(socket), patience })
    }

    /// It listens on all addresses, and everything is loaded.
    pub fn ready(&self) {
        self.tell(&[NotifyState::Ready]);
    }

    /// A reload begins; [`ready`](Supervisor::ready) ends it, whether it worked or not.
    pub fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.tell(&[NotifyState::Reloading, now]),
            Err(_) => self.tell(&[NotifyState::Reloading]),
        }
    }

    /// It is about to end.
    pub fn stopping(&self) {
        self.tell(&[NotifyState::Stopping]);
    }

    fn tell(&self, states: &[NotifyState<'_>]) {
        let Some((socket, address)) = &self.socket else { return };
        let message: Vec<String> = states.iter().map(ToString::to_string).collect();
        if let Err(error) = socket.send_to_addr(message.join("\n").as_bytes(), address) {
            tracing::debug!("the service manager could not be told {}: {error}", message.join(", "));
        }
    }
}

/// A path, or a name that begins with `@` and is in no file system.
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    match name.as_bytes() {
        #[cfg(target_os = "linux")]
        [b'@', rest @ ..] => {
            use std::os::linux::net::SocketAddrExt;
            SocketAddr::from_abstract_name(rest)
        }
        [b'/', ..] => SocketAddr::from_pathname(name),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is neither a path nor a name after @")),
    }
}

/// Tells the service manager now and then what there is, and that all is well.
#[derive(Debug)]
pub struct Reports<'a> {
    supervisor: &'a Supervisor,
    statistics: &'a Statistics<'a>,
    watch: Option<(Watch, Duration)>,
    /// When to look at the workers, and when at the figures.
    due: [Option<Instant>; 2],
    status: String,
    /// Who has been complained of.
    stuck: Vec<usize>,
}

impl<'a> Reports<'a> {
    /// Reports on a server and its figures.
    pub fn new(supervisor: &'a Supervisor, server: &Handle, statistics: &'a Statistics<'a>) -> Self {
        let watch = supervisor.patience.map(|patience| (server.watch(), patience));
        let now = Instant::now();
        let due = [
            watch.as_ref().map(|(_, patience)| now + *patience / 2),
            supervisor.socket.as_ref().map(|_| now),
        ];
        Reports { supervisor, statistics, watch, due, status: String::new(), stuck: Vec::new() }
    }

    /// When the next one is due.
    pub fn due(&self) -> Option<Instant> {
        self.due.into_iter().flatten().min()
    }

    /// Tells what is due.
    pub fn tell(&mut self) {
        let now = Instant::now();
        let is_due = self.due.map(|due| due.is_some_and(|due| due <= now));
        if is_due[0] {
            self.due[0] = self.sign_of_life().map(|pause| now + pause);
        }
        if is_due[1] {
            self.due[1] = Some(now + STATUS);
            let status = line(&self.statistics.figures());
            if status != self.status {
                self.supervisor.tell(&[NotifyState::Status(&status)]);
                self.status = status;
            }
        }
    }

    /// Says that the tracker lives, if every event loop has gone round since the last look. Returns when to look again.
    fn sign_of_life(&mut self) -> Option<Duration> {
        let (watch, patience) = self.watch.as_mut()?;
        let stuck = watch.stuck();
        let pause = *patience / 2;
        if stuck.is_empty() {
            self.supervisor.tell(&[NotifyState::Watchdog]);
            self.stuck.clear();
            return Some(pause);
        }
        if stuck != self.stuck {
            let names: Vec<String> = stuck.iter().map(|worker| format!("worker-{worker}")).collect();
            tracing::error!("{} hangs: no sign of life is given to the service manager", names.join(", "));
            self.stuck = stuck;
        }
        Some(pause.min(AGAIN))
    }
}

/// For people, beside the service's name.
fn line(figures: &Figures) -> String {
    let (peers, torrents) = (figures.totals.peers(), figures.totals.torrents);
    format!(
        "{peers} peers of {torrents} torrents, {} connections, {:.0} announces a second",
        figures.connections, figures.announces_per_second
    )
}

#[cfg(test)]
mod tests {
    use tracker_core::Tracker;
    use tracker_http::{Clock, NotFound, Server, Settings};
    use tracker_store::Series;

    use super::*;

    #[test]
    fn a_socket_is_named_by_its_path_or_by_a_name_in_no_file_system() {
        let of = |name: &str| address(OsStr::new(name));
        assert_eq!(of("/run/notify").unwrap().as_pathname(), Some("/run/notify".as_ref()));
        #[cfg(target_os = "linux")]
        {
            use std::os::linux::net::SocketAddrExt;
            assert_eq!(of("@/org/x").unwrap().as_abstract_name(), Some(&b"/org/x"[..]));
        }
        for bad in ["run/notify", "vsock:2:1234", &format!("/{}", "x".repeat(200))] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_sign_of_life_is_given_while_a_worker_hangs() {
        let dir = tempfile::tempdir().unwrap();
        let name = dir.path().join("notify");
        let manager = UnixDatagram::bind(&name).unwrap();
        let socket = (UnixDatagram::unbound().unwrap(), SocketAddr::from_pathname(&name).unwrap());
        let patience = Some(Duration::from_secs(60));
        let supervisor = Supervisor { socket: Some(socket), patience };

        let clock = Clock::start();
        let tracker = Tracker::new(tracker_core::Config::default());
        let server = Server::bind(&["127.0.0.1:0".parse().unwrap()], Settings::default(), clock).unwrap();
        let statistics = Statistics::new(&tracker, server.handle(), clock, Series::default(), 0);
        let mut reports = Reports::new(&supervisor, &server.handle(), &statistics);
        // it does not even run, and is looked at again soon
        assert_eq!(reports.sign_of_life(), Some(AGAIN));
        assert_eq!(reports.stuck, [0]);
        manager.set_nonblocking(true).unwrap();
        assert!(manager.recv(&mut [0; 100]).is_err(), "something is said");

        std::thread::scope(|scope| {
            scope.spawn(|| server.run(&NotFound));
            while reports.sign_of_life() == Some(AGAIN) {
                std::thread::yield_now();
            }
            server.handle().stop();
        });
        assert!(reports.stuck.is_empty());
        let mut message = [0; 100];
        let length = manager.recv(&mut message).unwrap();
        assert_eq!(&message[..length], b"WATCHDOG=1");
    }

    #[test]
    fn the_line_says_what_there_is() {
        let line = line(&Figures { connections: 3, announces_per_second: 4.4, ..Figures::default() });
        assert_eq!(line, "0 peers of 0 torrents, 3 connections, 4 announces a second");
    }
}
