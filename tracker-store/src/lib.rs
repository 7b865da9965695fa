//! History and snapshots of a BitTorrent tracker, in files that a person can read and a crash does not harm.
//!
//! This crate reads no clock, starts no thread and prints nothing: times are arguments, whoever calls decides when and on
//! which thread a file is written, and what was found wrong comes back as a value whose `Display` is the sentence for the
//! log. It knows nothing of HTTP; of the tracker it knows what `tracker-core` exports and imports. A damaged file is never
//! a reason not to start, and nothing in it that is readable is thrown away.
//!
//! ```
//! use tracker_core::{Config, InfoHash, PeerData, PeerState, Seconds, SwarmData, Tracker};
//! use tracker_store::{Grouping, Period, Sample, Store};
//!
//! let place = tempfile::tempdir()?;
//! let wall = 1_790_000_000; // Unix seconds; the tracker has a clock of its own
//! let (mut store, mut series, damage) = Store::open(&place.path().join("data"), wall)?;
//! assert!(damage.is_empty(), "each would be a warning in the log");
//!
//! let tracker = Tracker::new(Config::default());
//! let addr = std::net::SocketAddr::from(([192, 0, 2, 1], 6881)).into();
//! let peers = vec![PeerData { addr, peer_id: None, state: PeerState::Seeder, age: 60 }];
//! tracker.import(&SwarmData { info_hash: InfoHash([7; 20]), downloaded: 3, peers }, Seconds::new(0));
//!
//! // once a minute
//! let sample = Sample { time: wall, over: 60, peers: tracker.totals().peers(), announces: 9, ..Sample::default() };
//! series.push(&sample);
//! store.record(&sample, &series.close_hours(wall), wall)?;
//! let columns = series.query(Period::Day, Grouping::Minute, wall);
//! assert_eq!(columns.points.iter().flatten().map(|point| point.announces).sum::<u64>(), 9);
//!
//! // every few minutes and at the end; and at the next start
//! store.save_swarms(&tracker, wall, 3, || Seconds::new(0), || true)?;
//! let tracker = Tracker::new(Config::default());
//! let loaded = store.load_swarms(&tracker, Seconds::new(0), wall + 600)?;
//! assert_eq!((loaded.peers, loaded.completed), (1, 3), "ten minutes older, which is not too old");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The files
//!
//! | file | holds | changes |
//! | --- | --- | --- |
//! | `history.ron` | a line per [`Sample`], for a week | grows by a line; now and then loses lines at its front |
//! | `history-hourly.ron` | a line per [`Hour`], for two years | the same |
//! | `swarms.ron` | a line per torrent, with its peers | is replaced |
//! | `swarms.ron.1` | the snapshot before | is replaced, by a good one only |
//! | `lock` | nothing; is locked while a process has the directory | never |
//! | `*.tmp` | what is being written to take another file's place | is overwritten, if a crash has left it |
//! | `NAME.corrupt-TIME` | a damaged file as it was found | never; it is for you to look at and remove |
//!
//! Each line is a RON value: its number, the CRC-32 of number and record (`17,Sample(…)`), and the record. The first line
//! has number 0 and tells the format's version; `swarms.ron` has a last one, with the number of lines and the checksum of
//! them all, without which it is not whole.
//!
//! ```text
//! (0,"1569354f",Journal(of:"Sample",version:1,first:1))
//! (1,"3e7902d7",Sample(time:1789999940,over:61,torrents:50000,peers:1000000,…))
//!
//! (0,"5b295e57",Swarms(version:1,time:1790000000,completed:12345678901))
//! (1,"4bd9ca64",Swarm(hash:"abab…ab",downloaded:7,v4:"wAACAhrh",v6:"IAEN…",seen:"AAAAZA==",ids:"LVhY…"))
//! (2,"897b92bf",End(lines:2,checksum:"0bdd0dfe"))
//! ```
//!
//! Peers are in base64: 6 bytes of address and port each in `v4`, 18 in `v6`; in the same order, those of `v4` first, 4
//! bytes in `seen` (the seconds since it was heard of; a leecher has the highest bit set, a partial seed the next) and 20 in
//! `ids`, if ids are kept. So the IPv4 peers of a torrent are listed by
//!
//! ```text
//! sed -n 's/.*hash:"abab.*v4:"\([^"]*\)".*/\1/p' swarms.ron | base64 -d | od -An -v -tu1 -w6 |
//!     awk '{ print $1 "." $2 "." $3 "." $4 ":" $5 * 256 + $6 }'
//! ```
//!
//! # A tour, bottom-up
//!
//! 1. `line` makes a [`Record`] a line, and sees whether a line is as it was written; `read` goes through a file of them,
//!    in memory of a line, and counts what is missing. [`Damage`] says so to people.
//! 2. [`DataDir`] is a directory that one process has; `replacement` is a file that takes another's place at once. In
//!    `faults` tests make each step on disk fail.
//! 3. [`JournalFile`] grows by a record at a time.
//! 4. [`Sample`] and [`Hour`] are what is measured; a [`Series`] of them, by the minute and by the hour, is asked for a
//!    [`Period`] in a [`Grouping`]. `history` keeps both journals, and what waits for a disk that is full.
//! 5. `swarm_line` is a torrent as a line, `swarms` the snapshot and the one before it.
//! 6. [`Store`] is all of it. `bytes` reads and writes the same formats without a directory: [`read_journal`],
//!    [`read_swarms`].
#![forbid(unsafe_code)]

mod bytes;
mod damage;
mod dir;
mod error;
mod faults;
mod history;
mod journal;
mod line;
mod period;
mod read;
mod replacement;
mod sample;
mod series;
mod store;
mod swarm_line;
mod swarms;

pub use bytes::{Found, read_journal, read_swarms, write_journal, write_swarms};
pub use damage::{Damage, DamageKind};
pub use dir::DataDir;
pub use error::{Obstacle, StoreError};
pub use journal::JournalFile;
pub use line::Record;
pub use period::{Grouping, HOURS_KEPT, MINUTES_KEPT, Period, UnknownName};
pub use sample::{Hour, Sample, Spread};
pub use series::{Columns, Point, Range, Series};
pub use store::Store;
pub use swarms::{Loaded, Saved};
