//! tracker-http
#![forbid(unsafe_code)]

mod access;
pub mod body;
mod connection;
mod counters;
pub mod error;
pub mod head;
mod lanes;
mod listen;
pub mod parser;
mod proxy;
pub mod query;
pub mod reply;
mod server;
mod service;
mod slow;
mod socket;
mod tracker;
mod waiting;
mod worker;

pub use access::Access;
pub use counters::{Counters, Happening, ROUTES, Route, STATUSES};
pub use listen::{ListenError, Obstacle};
pub use proxy::{ForwardedHeader, Proxies};
pub use server::{Clock, Handle, Server, ServerError, Settings};
pub use service::{Context, NotFound, Reply, Service};
pub use tracker::{ClientIp, Rules, TrackerService};
