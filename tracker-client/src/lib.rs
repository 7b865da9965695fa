//! Asks BitTorrent trackers over HTTP and HTTPS, as a client does, and [finds out](check) what is wrong with one.
//!
//! It sends what it is told to whom it is told, waits with a deadline, and keeps nothing: no state between two requests, no
//! thread but the one that waits for the system's resolver, no log, no retry.
//!
//! - [`tracker_url`] takes a URL apart and builds queries of bytes
//! - [`ask`](mod@ask) sends one request over a connection of its own; [`connection`] several, [`tls`] with TLS
//! - [`response`] reads HTTP from bytes, [`answer`] the bencode in it: both without I/O, both whatever the bytes are
//! - [`check`](mod@check) asks some thirty things of a running tracker, and gives a list of findings in plain words
//!
//! ```no_run
//! use std::time::Duration;
//! use tracker_client::answer::Scraped;
//! use tracker_client::{ask, tracker_url::TrackerUrl};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let tracker = TrackerUrl::parse("http://127.0.0.1:6969/announce")?;
//! let request = format!(
//!     "GET {}info_hash=aaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
//!     tracker.scrape_target()?,
//!     tracker.host_header(),
//! );
//! let exchange = ask::ask(&tracker, &request, None, None, Duration::from_secs(10))?;
//! println!("{:?}", Scraped::read(&exchange.response.body)?.files);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

pub mod answer;
pub mod ask;
pub mod certificate;
pub mod check;
pub mod connection;
pub mod deadline;
pub mod resolve;
pub mod response;
pub mod tls;
pub mod tracker_url;
