//! The whole server over real sockets: everything that `docs/protocol` promises and a client can see.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

/// Whether [`Client`](client::Client)s speak TLS: `tests/secure` has the same tests with that.
const IS_SECURE: bool = false;

mod announce;
mod bencode;
mod bodies;
mod client;
mod clients;
mod closing;
mod counters;
mod crowded;
mod cuts;
mod descriptors;
mod faults;
mod hostile;
mod http;
mod keep_alive;
mod limits;
mod pipelines;
mod pki;
mod proxies;
mod quota;
mod rounds;
mod scrape;
mod services;
mod shared;
mod site;
mod stop;
mod swarm;
mod timeouts;
mod tls;
mod tls_turns;
mod watch;
