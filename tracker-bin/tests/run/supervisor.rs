//! What a service manager is told through `NOTIFY_SOCKET`.

use std::ffi::OsString;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use crate::client::get;
use crate::place::Place;
use crate::program::{PATIENCE, Program};

/// Stands in for the service manager.
struct Manager {
    socket: UnixDatagram,
    /// What `NOTIFY_SOCKET` is to be.
    name: OsString,
}

impl Manager {
    fn at(place: &Place) -> Manager {
        let name = place.path("notify");
        let socket = UnixDatagram::bind(&name).unwrap();
        Manager { socket, name: name.into() }.patient()
    }

    #[cfg(target_os = "linux")]
    fn in_no_file_system() -> Manager {
        use std::os::linux::net::SocketAddrExt;
        // the system picks a name, as it does a port
        let socket = UnixDatagram::unbound().unwrap();
        socket2::SockRef::from(&socket).bind(&unnamed()).unwrap();
        let addr = socket.local_addr().unwrap();
        let name = str::from_utf8(addr.as_abstract_name().unwrap()).unwrap();
        let name = format!("@{name}").into();
        Manager { socket, name }.patient()
    }

    fn patient(self) -> Manager {
        self.socket.set_read_timeout(Some(PATIENCE)).unwrap();
        self
    }

    fn supervise(&self, mut command: Command, watchdog: Option<Duration>) -> Program {
        command.env("NOTIFY_SOCKET", &self.name);
        if let Some(watchdog) = watchdog {
            command.env("WATCHDOG_USEC", watchdog.as_micros().to_string());
        }
        Program::start(command, 1)
    }

    /// The next message.
    #[track_caller]
    fn told(&self) -> String {
        let mut message = [0; 4096];
        let length = self.socket.recv(&mut message).expect("nobody says anything");
        str::from_utf8(&message[..length]).unwrap().to_owned()
    }

    /// The next message that is neither a status nor a sign of life.
    #[track_caller]
    fn told_of_a_change(&self) -> String {
        loop {
            let message = self.told();
            if message != "WATCHDOG=1" && !message.starts_with("STATUS=") {
                return message;
            }
        }
    }
}

/// The address of an AF_UNIX socket without a name: bound to it, it gets one of its own.
#[cfg(target_os = "linux")]
fn unnamed() -> socket2::SockAddr {
    socket2::SockAddr::unix("").unwrap()
}

const ARGS: [&str; 6] = ["--config", "tracker.ron", "--listen", "127.0.0.1:0", "--workers", "2"];

#[track_caller]
fn is_told_of_everything(manager: &Manager, place: &Place) {
    let mut program = manager.supervise(place.command(&ARGS), None);
    assert_eq!(manager.told_of_a_change(), "READY=1");
    assert_eq!(program.client().ask(get("/health")).status, 200);
    for config in ["()", "(broken"] {
        place.write("tracker.ron", config);
        program.signal("HUP");
        let message = manager.told_of_a_change();
        let time = message.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect("it reloads");
        assert!(time.parse::<u64>().unwrap() > 0);
        assert_eq!(manager.told_of_a_change(), "READY=1");
    }
    program.signal("TERM");
    assert_eq!(manager.told_of_a_change(), "STOPPING=1");
    assert_eq!(program.end().code(), Some(0));
    manager.socket.set_nonblocking(true).unwrap();
    assert!(manager.socket.recv(&mut [0; 1]).is_err(), "it says more");
}

#[test]
fn the_manager_is_told_when_it_is_ready_reloads_and_stops() {
    let place = Place::config("()");
    is_told_of_everything(&Manager::at(&place), &place);
}

#[test]
#[cfg(target_os = "linux")]
fn a_manager_in_no_file_system_is_told_too() {
    is_told_of_everything(&Manager::in_no_file_system(), &Place::config("()"));
}

#[test]
fn the_watchdog_hears_twice_in_its_time_and_the_status_says_what_there_is() {
    let place = Place::config("()");
    let manager = Manager::at(&place);
    // longer than a busy machine keeps a thread waiting, and so short that it is no sweep that is heard
    let program = manager.supervise(place.command(&ARGS), Some(Duration::from_secs(2)));
    assert_eq!(manager.told(), "READY=1");
    let status = manager.told();
    assert!(status.starts_with("STATUS=0 peers of 0 torrents, "), "{status}");
    for _ in 0..3 {
        assert_eq!(manager.told(), "WATCHDOG=1");
    }
    // no worker goes round while the whole program stands still, and it is none the worse for it
    program.suspend();
    program.resume();
    assert_eq!(manager.told(), "WATCHDOG=1");
    program.stop();
}

#[test]
fn without_a_watchdog_there_are_no_signs_of_life() {
    let place = Place::config("()");
    let manager = Manager::at(&place);
    let mut command = place.command(&ARGS);
    // meant for another process
    command.env("WATCHDOG_USEC", "20000").env("WATCHDOG_PID", "1");
    let program = manager.supervise(command, None);
    program.stop();
    manager.socket.set_nonblocking(true).unwrap();
    let mut message = [0; 4096];
    while let Ok(length) = manager.socket.recv(&mut message) {
        assert_ne!(&message[..length], b"WATCHDOG=1");
    }
}

#[test]
fn a_manager_that_cannot_be_told_or_does_not_listen_is_no_hindrance() {
    let place = Place::config("()");
    let mut command = place.command(&ARGS);
    command.env("NOTIFY_SOCKET", "vsock:2:1234");
    let mut program = Program::start(command, 1);
    program.says("WARN NOTIFY_SOCKET names \"vsock:2:1234\", which cannot be written to");
    program.stop();

    let manager = Manager::at(&place);
    // no room for a single message after some
    let filler = UnixDatagram::unbound().unwrap();
    filler.set_nonblocking(true).unwrap();
    while filler.send_to(b"x", place.path("notify")).is_ok() {}
    let mut program = manager.supervise(place.command(&ARGS), Some(Duration::from_millis(100)));
    assert_eq!(program.client().ask(get("/health")).status, 200);
    program.reload();
    program.stop();
}
