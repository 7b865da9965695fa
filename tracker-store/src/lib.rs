//! History and snapshots of a BitTorrent tracker, in files that a person can read and a crash does not harm.
#![forbid(unsafe_code)]

mod damage;
mod dir;
mod error;
mod faults;
mod history;
mod journal;
mod line;
mod read;
mod sample;
mod series;
mod store;
mod swarm_line;
mod swarms;

pub use damage::{Damage, DamageKind};
pub use dir::DataDir;
pub use error::{Obstacle, StoreError};
pub use journal::JournalFile;
pub use line::Record;
pub use sample::{Hour, Sample, Spread};
pub use series::{Columns, Grouping, HOURS_KEPT, MINUTES_KEPT, Period, Point, Range, Series, UnknownName};
pub use store::Store;
pub use swarms::{Loaded, Saved};
