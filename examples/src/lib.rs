//! What the programs of this crate share. Each program stands in `src/bin`, and says what it does with `--help`.
#![forbid(unsafe_code)]

pub mod terminal;

pub use tracker_client::{answer, response, tracker_url};
