//! A server that does to each connection what the test says.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub(crate) struct Fake {
    pub(crate) addr: SocketAddr,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Fake {
    /// Serves one connection after the other.
    pub(crate) fn start(serve: impl Fn(TcpStream) + Send + 'static) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let ends = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&ends);
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if is_over.load(SeqCst) {
                    break;
                }
                let stream = stream.unwrap();
                stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                serve(stream);
            }
        });
        Fake { addr, ends, thread: Some(thread) }
    }

    /// Answers each request with these bytes, and closes.
    pub(crate) fn saying(answer: impl Into<Vec<u8>>) -> Fake {
        let answer = answer.into();
        Fake::start(move |mut stream| {
            request(&mut stream);
            // a client that has enough may have gone
            let _ = stream.write_all(&answer);
        })
    }

    /// Answers each request so.
    pub(crate) fn status(line: &str, headers: &str, body: &[u8]) -> Fake {
        let mut answer =
            format!("HTTP/1.1 {line}\r\n{headers}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
        answer.extend_from_slice(body);
        Fake::saying(answer)
    }

    /// Answers each request with this body.
    pub(crate) fn ok(body: &[u8]) -> Fake {
        Fake::status("200 OK", "", body)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.ends.store(true, SeqCst);
        // wakes the one who waits for a connection
        let _ = TcpStream::connect(self.addr);
        if let Some(thread) = self.thread.take() {
            let result = thread.join();
            assert!(result.is_ok() || thread::panicking(), "the fake server has panicked");
        }
    }
}

/// Reads a request to its empty line; `None` if it does not come.
pub(crate) fn request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => bytes.push(byte[0]),
            _ => return None,
        }
    }
    String::from_utf8(bytes).ok()
}

/// Waits until the client has closed.
pub(crate) fn wait_for_end(stream: &mut TcpStream) {
    let mut buffer = [0; 4096];
    while matches!(stream.read(&mut buffer), Ok(1..)) {}
}
