//! BitTorrent swarms and peer selection, to be embedded.
#![forbid(unsafe_code)]

mod access;
mod addr;
mod announce;
mod clock;
mod config;
mod expire;
mod export;
mod family;
mod hash;
mod hasher;
mod index;
mod key;
mod memory;
mod reply;
mod selection;
mod shard;
mod survey;
mod swarm;
mod table;
mod time;
mod totals;
mod tracker;

pub use access::{AccessError, AccessList, AccessMode};
pub use addr::PeerAddr;
pub use announce::{Announce, AnnounceError, Counts, Event, Outcome, PeerState};
pub use config::Config;
pub use expire::Expired;
pub use export::{Imported, PeerData, SwarmData};
pub use hash::{InfoHash, ParseInfoHashError, PeerId};
pub use reply::AnnounceReply;
pub use selection::Selection;
pub use time::Seconds;
pub use totals::{FamilyTotals, Totals};
pub use tracker::Tracker;
