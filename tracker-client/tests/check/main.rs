//! `check` against the tracker of this workspace, and against trackers that do one thing wrong each: it is found, and
//! nothing else.
#![forbid(unsafe_code)]
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod bencode;
mod fake;
mod faults;
#[path = "../../../examples/tests/common/opentracker.rs"]
mod opentracker;
mod real;
mod redirects;
mod secure;
mod swarm;
