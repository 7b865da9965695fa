//! What must hold for any input, however broken: one function per parser, and one for a whole connection.
//!
//! Each function takes bytes and returns, or panics where something does not hold. `cargo fuzz` looks for such bytes
//! (`fuzz/fuzz_targets`), and `cargo test` gives each function its corpus (`fuzz/corpus`) and [mutations](mutate::Mutator)
//! of it. They do no I/O.
//!
//! ```
//! tracker_fuzz::query(b"info_hash=%00&port=x");
//! for (name, target) in tracker_fuzz::TARGETS {
//!     println!("{name}");
//!     target(b"any bytes");
//! }
//! ```
//!
//! How to run them, and what came of it, is in `docs/fuzzing.md`.
#![forbid(unsafe_code)]

mod access;
mod config;
mod connection;
mod head;
mod journal;
pub mod mutate;
mod query;
mod responses;
pub mod sealed;
mod snapshot;

pub use access::access;
pub use config::config;
pub use connection::connection;
pub use head::head;
pub use journal::journal;
pub use query::query;
pub use snapshot::snapshot;

/// A function that returns if all holds.
pub type Target = fn(&[u8]);

/// All of them, by the name of their corpus.
pub const TARGETS: [(&str, Target); 7] = [
    ("access", access),
    ("config", config),
    ("connection", connection),
    ("head", head),
    ("journal", journal),
    ("query", query),
    ("snapshot", snapshot),
];
