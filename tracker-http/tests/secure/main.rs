//! What `tests/it` promises of HTTP holds over TLS too: the same tests, with clients that speak it.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]
#![allow(dead_code, reason = "some helpers serve tests that are about bytes as they are on the wire")]

/// See `tests/it`.
const IS_SECURE: bool = true;

#[path = "../it/announce.rs"]
mod announce;
#[path = "../it/bencode.rs"]
mod bencode;
#[path = "../it/bodies.rs"]
mod bodies;
#[path = "../it/client.rs"]
mod client;
#[path = "../it/clients.rs"]
mod clients;
#[path = "../it/closing.rs"]
mod closing;
#[path = "../it/http.rs"]
mod http;
#[path = "../it/keep_alive.rs"]
mod keep_alive;
#[path = "../it/limits.rs"]
mod limits;
#[path = "../it/pipelines.rs"]
mod pipelines;
#[path = "../it/pki.rs"]
mod pki;
#[path = "../it/proxies.rs"]
mod proxies;
#[path = "../it/scrape.rs"]
mod scrape;
#[path = "../it/services.rs"]
mod services;
#[path = "../it/shared.rs"]
mod shared;
#[path = "../it/site.rs"]
mod site;
#[path = "../it/swarm.rs"]
mod swarm;
#[path = "../it/timeouts.rs"]
mod timeouts;
