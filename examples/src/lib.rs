//! What the programs of this crate share. Each program stands in `src/bin`, and says what it does with `--help`.
#![forbid(unsafe_code)]

pub mod answer;
pub mod response;
pub mod terminal;
pub mod tracker_url;
