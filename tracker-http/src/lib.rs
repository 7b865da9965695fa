//! A small HTTP/1.1 server for BitTorrent trackers, and `/announce` and `/scrape` on it.
//!
//! It serves a [`tracker_core::Tracker`] over HTTP and HTTPS on event loops of its own. It never reads a file, writes
//! nothing but to its connections, keeps no global state, and takes neither an HTTP crate nor an async runtime. What a
//! peer sends costs at most that peer's connection.
//!
//! ```
//! use std::net::IpAddr;
//! use tracker_core::{Config, Tracker};
//! use tracker_http::parser::Request;
//! use tracker_http::{Access, Clock, Context, Reply, Rules, Server, Service, Settings, TrackerService};
//!
//! /// A route beside the tracker's own.
//! struct Motd;
//!
//! impl Service for Motd {
//!     fn call(&self, request: &Request<'_>, client: IpAddr, _: &mut Context, reply: &mut Reply<'_>) {
//!         if request.path == b"/motd" {
//!             reply.send(200, "text/plain", &[], format!("hello, {client}\n").as_bytes());
//!         } // and a 404 for everything else
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let tracker = Tracker::new(Config::default()); // a public one takes Config::hash_key from the system's random source
//! let access = Access::default();
//! let service = TrackerService::new(&tracker, Rules::default(), &access).beside(Motd);
//! let server = Server::bind(&["127.0.0.1:0".parse()?], Settings::default(), Clock::start())?;
//! println!("announce to http://{}/announce", server.addrs()[0]);
//! # server.handle().stop();
//! server.run(&service); // until server.handle().stop() is called from another thread
//! # Ok(())
//! # }
//! ```
//!
//! With [`Server::bind_tls`] some addresses, or all of them, speak TLS. Its [`Certificate`] comes as the text of PEM files, and can
//! be [replaced](Tls::replace) while the server runs:
//!
//! ```no_run
//! # use tracker_http::{Certificate, Clock, Server, Settings, Tls};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let certificate = Certificate::from_pem(&std::fs::read("cert.pem")?, &std::fs::read("key.pem")?)?;
//! let tls = Tls::new(certificate)?;
//! let (plain, secure) = (["[::]:6969".parse()?], ["[::]:6943".parse()?]);
//! let server = Server::bind_tls(&plain, &secure, &tls, Settings::default(), Clock::start())?;
//! # Ok(())
//! # }
//! ```
//!
//! Somebody has to call [`Tracker::expire`](tracker_core::Tracker::expire) every some seconds, with
//! [`Server::clock`]'s time.
//!
//! # A tour, bottom-up
//!
//! 1. [`parser`] takes the head of a request apart where it lies, [`body`] passes its body over, [`query`] reads what
//!    an announce or a scrape asks; [`mod@reply`] and [`head`] write answers straight into a buffer. They do no I/O and
//!    allocate nothing.
//! 2. `connection` is a whole connection without its socket: bytes in, answers out; [`Conversation`] is that for others.
//!    `socket` is one with it, and writes the bodies that many connections [share](Reply::share) from where they lie.
//!    `transport` is what it reads from and writes to: TCP, or [`Tls`] on it.
//! 3. `worker` is an event loop with its listeners, connections and buffers; `waiting` knows whose time has run out;
//!    `room` has idle connections of any worker closed for new ones of another; `slow` has the threads for answers that take long.
//!    [`Server`] makes and runs all that, [`Handle`] looks at it, and its [`Watch`] sees when an event loop is stuck.
//! 4. [`TrackerService`] maps announces and scrapes on the core; [`Service`] is what an embedder implements, and
//!    answers by a [`Reply`]; [`Counters`] say what has happened, by [`ROUTES`], [`STATUSES`] and [`HAPPENINGS`]; [`Access`] holds
//!    the list of torrents that may be served, [`Proxies`] knows whose word is taken for a client's address. [`quota`] knows what
//!    each address has asked and holds open, and what it may: its [`Quota`].
#![forbid(unsafe_code)]

mod access;
mod atomic;
pub mod body;
mod connection;
mod conversation;
mod counters;
pub mod error;
pub mod head;
mod lanes;
mod listen;
pub mod parser;
mod proxy;
pub mod query;
pub mod quota;
pub mod reply;
mod room;
mod server;
mod service;
mod slow;
mod socket;
mod tls;
mod tracker;
mod transport;
mod waiting;
mod watch;
mod worker;

pub use access::Access;
pub use conversation::Conversation;
pub use counters::{Counters, HAPPENINGS, Happening, ROUTES, Route, STATUSES};
pub use listen::{ListenError, Obstacle};
pub use proxy::{ForwardedHeader, Proxies};
pub use quota::Quota;
pub use server::{Clock, Handle, Server, ServerError, Settings};
pub use service::{Context, NotFound, Reply, Service};
pub use tls::{Certificate, Tls, TlsError};
pub use tracker::{ClientIp, Rules, TrackerService};
pub use watch::Watch;
