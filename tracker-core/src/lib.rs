//! The heart of a BitTorrent tracker: swarms, and who in them is told of whom, to be embedded in other programs.
//!
//! This crate does no I/O, reads no clock, starts no thread, has no global, and draws no randomness of its own: time and
//! the random source are arguments, and the key of its hash tables is configuration. So a day of a million peers can be
//! simulated in seconds, and replayed to the byte from its seed. It knows nothing of HTTP, UDP or bencode either.
//!
//! ```
//! use rand_core::SeedableRng;
//! use rand_xoshiro::Xoshiro256PlusPlus;
//! use tracker_core::{Announce, AnnounceReply, Config, Event, InfoHash, PeerId, Seconds, Tracker};
//!
//! let tracker = Tracker::new(Config { peer_timeout: 45 * 60, ..Config::default() });
//! let mut rng = Xoshiro256PlusPlus::seed_from_u64(1); // one for each thread
//! let mut reply = AnnounceReply::new(); // likewise, and used again and again
//!
//! let torrent: InfoHash = "0123456789abcdef0123456789abcdef01234567".parse()?;
//! for host in 1..=3 {
//!     let addr = std::net::SocketAddr::from(([192, 0, 2, host], 6881));
//!     let announce = Announce {
//!         info_hash: torrent,
//!         peer_id: PeerId(*b"-XX0001-abcdefghijkl"),
//!         addr: addr.into(),
//!         left: if host == 1 { 0 } else { 1_000_000 },
//!         event: Event::Started,
//!         numwant: 50,
//!         want_ids: false,
//!         is_exempt: false,
//!     };
//!     tracker.announce(&announce, Seconds::new(u32::from(host)), &mut rng, &mut reply)?;
//! }
//! assert_eq!((reply.counts.complete, reply.counts.incomplete), (1, 2));
//! assert_eq!(reply.peers().count(), 2, "the other two: 12 bytes in reply.compact4()");
//! assert_eq!(tracker.expire(Seconds::new(3600)).peers, 3, "nobody was heard of for an hour");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A tour, bottom-up
//!
//! 1. Names and values: [`InfoHash`], [`PeerId`], [`PeerAddr`], [`Seconds`]; [`Announce`], what a peer said;
//!    [`AnnounceReply`], what it is told, in a buffer of the caller's.
//! 2. `key`, `clock`: a peer in 8 bytes (IPv4) or 20 (IPv6), the time it was last heard of among them, coarse.
//! 3. `family`: the peers of a torrent in one address family, dense arrays (`dense`) with the seeders first; `index` finds
//!    a peer in a large one. `selection` draws from these arrays: [`Selection`] is the policy.
//! 4. `swarm`: a torrent, both families, 64 bytes where the peers are few. `table` keeps torrents densely, `memory` those
//!    without peers that were completed.
//! 5. `crowd`: how many peers an address has, in all and in one torrent, in a fixed number of bytes.
//! 6. `shard`: all that one lock protects, and what an announce does, without lock and clock.
//! 7. [`Tracker`]: shards with their locks; `expire` and `export` walk through them in short steps, `totals` adds up.
//!
//! Beside that path stands [`AccessList`]: which torrents are to be served. The tracker does not ask it; its caller does.
#![forbid(unsafe_code)]
// tests may measure
#![cfg_attr(test, allow(clippy::disallowed_macros, clippy::disallowed_methods))]

mod access;
mod addr;
mod announce;
mod clock;
mod config;
mod crowd;
mod dense;
mod expire;
mod export;
mod extra;
mod family;
mod hash;
mod hasher;
#[cfg(test)]
mod holds;
mod index;
mod key;
mod memory;
mod part;
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
pub use addr::{PeerAddr, Reach};
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
