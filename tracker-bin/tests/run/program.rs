//! The program while it runs: what it says, and what it is told.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::client::Client;

/// What should happen has happened by then, however slow the machine: nothing waits for as long unless the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks where there is no event to wait for.
pub(crate) const TICK: Duration = Duration::from_millis(5);

/// Ends with the test, however that ends.
pub(crate) struct Program {
    child: Child,
    /// Where it listens, in the order in which it said so.
    pub(crate) addrs: Vec<SocketAddr>,
    lines: Receiver<String>,
    /// What it has said so far, as far as anybody has listened.
    pub(crate) said: Vec<String>,
    stdout: Option<JoinHandle<Vec<u8>>>,
}

impl Program {
    /// Starts it, and waits for as many ready lines as it is to listen on addresses.
    #[track_caller]
    pub(crate) fn start(mut command: Command, addresses: usize) -> Program {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        thread::spawn(move || {
            for line in stderr.lines() {
                if sender.send(line.unwrap()).is_err() {
                    return;
                }
            }
        });
        let mut stdout = child.stdout.take().unwrap();
        let stdout = thread::spawn(move || {
            let mut all = Vec::new();
            stdout.read_to_end(&mut all).unwrap();
            all
        });
        let mut program = Program { child, addrs: Vec::new(), lines, said: Vec::new(), stdout: Some(stdout) };
        for _ in 0..addresses {
            let line = program.next_line().expect("it ended before it was ready");
            let addr = line.strip_prefix("listening on http");
            let addr = addr.and_then(|rest| rest.trim_start_matches('s').strip_prefix("://"));
            let addr = addr.and_then(|addr| addr.parse().ok());
            program.addrs.push(addr.unwrap_or_else(|| panic!("no ready line: {line}")));
        }
        program
    }

    /// Looks after one that was started otherwise, of whose outputs nothing is known.
    pub(crate) fn adopt(child: Child, addr: SocketAddr) -> Program {
        Program { child, addrs: vec![addr], lines: channel().1, said: Vec::new(), stdout: None }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addrs[0]
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.addr())
    }

    /// The next line on the standard error; `None` when it is closed.
    #[track_caller]
    fn next_line(&mut self) -> Option<String> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => {
                self.said.push(line.clone());
                Some(line)
            }
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => None,
            Err(timeout) => panic!("{timeout}, it said so far: {:#?}", self.said),
        }
    }

    /// Waits until a line is said that has `part` in it.
    #[track_caller]
    pub(crate) fn says(&mut self, part: &str) -> String {
        loop {
            match self.next_line() {
                Some(line) if line.contains(part) => return line,
                Some(_) => {}
                None => panic!("it never said {part:?}, only: {:#?}", self.said),
            }
        }
    }

    /// Whether such a line has been said by now. Does not wait.
    pub(crate) fn has_said(&mut self, part: &str) -> bool {
        self.said.extend(self.lines.try_iter());
        self.said.iter().any(|line| line.contains(part))
    }

    /// Whether it has nothing in it that does something to a terminal.
    pub(crate) fn is_text(said: &str) -> bool {
        !said.chars().any(char::is_control)
    }

    /// What is left of `said` without the ready lines and the one warning that depends on the machine.
    pub(crate) fn logged(said: &[String]) -> Vec<&str> {
        let is_of_the_start = |line: &&str| {
            line.starts_with("listening on") || line.contains("http.max_connections is lowered")
        };
        said.iter().map(String::as_str).filter(|line| !is_of_the_start(line)).collect()
    }

    /// Sends it a signal, as in `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -s {name} {}", self.pid());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Stops its threads; what is sent to it meanwhile waits until [`resume`](Program::resume).
    pub(crate) fn suspend(&self) {
        self.signal("STOP");
        let stat = format!("/proc/{}/stat", self.pid());
        until("it is suspended", || {
            let stat = std::fs::read_to_string(&stat).unwrap();
            stat.rsplit(')').next().unwrap().trim_start().starts_with('T')
        });
    }

    pub(crate) fn resume(&self) {
        self.signal("CONT");
    }

    /// Has it read its configuration again, and waits until it has.
    #[track_caller]
    pub(crate) fn reload(&mut self) {
        self.signal("HUP");
        self.says("reloaded");
    }

    /// Waits for the end.
    #[track_caller]
    pub(crate) fn end(&mut self) -> ExitStatus {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.said.extend(self.lines.iter());
                return status;
            }
            assert!(begin.elapsed() < PATIENCE, "it does not end");
            thread::sleep(TICK);
        }
    }

    /// Stops it in an orderly way; it ends with code 0, and has written nothing to the standard output. Returns all
    /// that it said.
    #[track_caller]
    pub(crate) fn stop(mut self) -> Vec<String> {
        self.signal("TERM");
        let status = self.end();
        assert_eq!(status.code(), Some(0), "{status}: {:#?}", self.said);
        if let Some(stdout) = self.stdout.take() {
            assert_eq!(stdout.join().unwrap().escape_ascii().to_string(), "");
        }
        assert!(!self.said.iter().any(|line| line.contains("panicked")), "{:#?}", self.said);
        std::mem::take(&mut self.said)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // fails only if it has ended
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for something of which there is no event.
#[track_caller]
pub(crate) fn until(what: &str, mut happened: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !happened() {
        assert!(begin.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::sleep(TICK);
    }
}
