//! The program as its user meets it: what it refuses, says, serves, and does when it is told something.
//!
//! Every test starts the program itself, in a directory of its own, on a port that the system picks.
#![forbid(unsafe_code)]
#![allow(missing_docs, clippy::unwrap_used)]

mod access;
mod check;
mod client;
mod commands;
mod config;
mod crash;
mod descriptors;
mod disk;
mod expiry;
mod flood;
#[cfg(target_os = "linux")]
mod huge_pages;
mod limits;
mod logs;
mod outputs;
mod pages;
mod place;
mod program;
mod reload;
mod start;
mod statistics;
mod stop;
mod store;
mod strings;
mod supervisor;
mod tls;
mod workers;
