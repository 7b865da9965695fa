//! One request and its answer over a connection of their own, and what can go wrong with that.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::answer::{AnswerError, one_line};
use crate::connection::{Connection, LONGEST_BODY, Response};
use crate::deadline::Deadline;
use crate::resolve::{Family, resolve};
use crate::response::{ChunkError, HeadError};
use crate::tls::{Tls, TlsError};
use crate::tracker_url::TrackerUrl;

/// What came back.
#[derive(Debug)]
pub struct Exchange {
    /// Who has answered.
    pub addr: SocketAddr,
    /// From the connection's begin to the answer's end.
    pub took: Duration,
    /// The answer.
    pub response: Response,
    tracker: String,
}

/// Why nothing came back, or nothing to work with. `Display` is the sentence that the user sees.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// No such name.
    #[error("the name {0} cannot be found: {1}")]
    NotFound(String, String),
    /// Addresses of the other family only.
    #[error("{0} has no {1} address")]
    NoFamily(String, &'static str),
    /// Nobody listens.
    #[error("nobody listens at {0}: the connection was refused")]
    Refused(SocketAddr),
    /// There is no way there.
    #[error("{0} cannot be reached: {1}")]
    Unreachable(SocketAddr, io::Error),
    /// Who did not do what within how many seconds.
    #[error("{0} {1} within {2} s")]
    Timeout(String, &'static str, f64),
    /// In the midst of an answer, or before it.
    #[error("{0} closed the connection {1}")]
    Closed(SocketAddr, &'static str),
    /// In another way.
    #[error("the connection to {0} broke: {1}")]
    Broke(SocketAddr, io::Error),
    /// No TLS where it should be, or an untrusted one.
    #[error("{0}: {1}")]
    Tls(SocketAddr, TlsError),
    /// Something else than HTTP.
    #[error("{addr} does not answer in HTTP: {error}{hint}")]
    NotHttp {
        /// Who.
        addr: SocketAddr,
        /// Why it is none.
        error: HeadError,
        /// What it looks like.
        hint: String,
    },
    /// A body that is not chunked as it says.
    #[error("{0} answers wrongly: {1}")]
    Chunks(SocketAddr, ChunkError),
    /// More than [`LONGEST_BODY`].
    #[error("the answer of {0} is longer than {max} MiB", max = LONGEST_BODY >> 20)]
    TooLong(SocketAddr),
    /// Another status than 200.
    #[error("{tracker} answers with status {status}{hint}")]
    Status {
        /// The URL.
        tracker: String,
        /// Such as 404.
        status: u16,
        /// Its reason, where it has moved to, or how its body begins.
        hint: String,
    },
    /// A body that is no tracker's.
    #[error("{tracker} answers, but not as a tracker: {error}")]
    Answer {
        /// The URL.
        tracker: String,
        /// What is wrong with it.
        error: AnswerError,
    },
}

impl Exchange {
    /// What is wrong with a body that is no tracker's answer: a status other than 200 explains it best.
    pub fn explain(&self, error: AnswerError) -> AskError {
        if self.response.status == 200 {
            AskError::Answer { tracker: self.tracker.clone(), error }
        } else {
            self.wrong_status()
        }
    }

    /// The status as an error.
    pub fn wrong_status(&self) -> AskError {
        let response = &self.response;
        let reason = response.reason();
        let mut hint = if reason.is_empty() { String::new() } else { format!(" {reason}") };
        if let Some(place) = response.header("location") {
            hint += &format!(": it has moved, ask {}", one_line(place));
        } else {
            let start = one_line(&response.body[..response.body.len().min(300)]);
            let start: String = start.chars().take(100).collect();
            if !start.is_empty() {
                hint += &format!(": \"{start}\"");
            }
        }
        AskError::Status { tracker: self.tracker.clone(), status: response.status, hint }
    }
}

/// Sends the request to the first of the tracker's addresses that takes a connection, and waits for the whole answer, no
/// longer than `timeout` altogether. `tls` is needed for an https URL.
///
/// # Errors
/// There is no answer. One with another status than 200 is an answer.
pub fn ask(
    tracker: &TrackerUrl,
    request: &str,
    family: Option<Family>,
    tls: Option<&Tls>,
    timeout: Duration,
) -> Result<Exchange, AskError> {
    let deadline = Deadline::within(timeout);
    let addrs = resolve(tracker, family, deadline)?;
    let begin = Instant::now();
    let mut failure = None;
    for addr in addrs {
        match Connection::open(addr, tls.map(|tls| (tls, tracker.host())), deadline) {
            Ok(mut connection) => {
                connection.send(request.as_bytes())?;
                let response = connection.receive()?;
                return Ok(Exchange { addr, took: begin.elapsed(), response, tracker: tracker.to_string() });
            }
            Err(error) => failure = Some(error),
        }
    }
    Err(failure.unwrap_or_else(|| AskError::NotFound(tracker.host().to_string(), "no address".to_owned())))
}
