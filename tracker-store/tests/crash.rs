//! Files are cut at every byte and harmed in thousands of ways: they always open, every line that is intact is kept,
//! nothing is made up, and what was lost is told and put aside.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "crash/journals.rs"]
mod journals;
#[path = "crash/oracle.rs"]
mod oracle;
#[path = "crash/scene.rs"]
mod scene;
#[path = "crash/snapshots.rs"]
mod snapshots;
