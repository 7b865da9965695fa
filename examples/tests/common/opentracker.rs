//! Debian's opentracker, where it is installed.

use std::fs::{self, Permissions};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) struct OpenTracker {
    pub(crate) addr: SocketAddr,
    child: Child,
}

impl OpenTracker {
    /// Starts it for the torrents in `hashes`, one a line; `None` if there is no opentracker.
    pub(crate) fn start(place: &Path, hashes: &str) -> Option<OpenTracker> {
        let mut version = Command::new("opentracker");
        if version.arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
            println!("skipped: opentracker is not installed (apt-get install opentracker)");
            return None;
        }
        // it reads the list as another user, with the folder as its root
        fs::set_permissions(place, Permissions::from_mode(0o755)).unwrap();
        fs::write(place.join("whitelist"), hashes).unwrap();
        fs::set_permissions(place.join("whitelist"), Permissions::from_mode(0o644)).unwrap();
        let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new("opentracker")
            .args(["-i", "127.0.0.1", "-p", &addr.port().to_string(), "-w", "whitelist", "-d"])
            .arg(place)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut started = OpenTracker { addr, child };
        let end = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(addr).is_err() {
            let is_running = started.child.try_wait().unwrap().is_none();
            assert!(is_running && Instant::now() < end, "opentracker does not start");
            thread::sleep(Duration::from_millis(20)); // it says nothing that could be waited for
        }
        Some(started)
    }
}

impl Drop for OpenTracker {
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}
