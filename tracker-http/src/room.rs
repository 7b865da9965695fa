//! Room for new connections, at the cost of those that are idle longest, of whatever worker.
//!
//! Only the worker that has a connection can close it. So each says how many idle ones it has and since when the oldest is; who
//! needs room takes one off that number, and has its owner close it. Everything is relaxed: a claim counts by the one number that
//! it changes, and whoever waits for it is woken by the system.
//!
//! An idle connection may become busy between claim and closing. Then the claim waits, as a debt, for the next one of that worker
//! that becomes idle: there are more connections than there should be until then, and never for long.
//!
//! `tests/room.rs` has this file compiled against the atomics of `loom`, and tries every order of what threads can do.

use crossbeam::utils::CachePadded;

use crate::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

/// How often to look again for an idle connection: another worker says what it has at the end of its turn, a moment
/// after its client has the answer.
const PATIENCE: u32 = 16;

/// What the workers know of each other's idle connections.
#[derive(Debug)]
pub(crate) struct Rooms {
    of: Box<[CachePadded<Idle>]>,
}

/// A worker's idle connections, for those that need room.
#[derive(Debug)]
struct Idle {
    /// Since when the connection is idle that is idle longest, in microseconds since the start; `u64::MAX` if none is.
    oldest: AtomicU64,
    /// How many there are, less those that are claimed. Negative while more are claimed than are idle.
    room: AtomicI64,
    /// How many are claimed by others, and not known to their worker yet.
    claimed: AtomicI64,
}

/// One worker's side of it.
#[derive(Debug)]
pub(crate) struct Seat {
    me: usize,
    /// What the others have been told: the oldest, and how many.
    published: (u64, i64),
    /// Claims that are to be met.
    owed: i64,
}

impl Rooms {
    pub(crate) fn new(workers: usize) -> Rooms {
        let idle =
            || Idle { oldest: AtomicU64::new(u64::MAX), room: AtomicI64::new(0), claimed: AtomicI64::new(0) };
        Rooms { of: (0..workers).map(|_| CachePadded::new(idle())).collect() }
    }

    /// Takes the room of the connection that is idle longest. Returns whose it is, who is to be woken then; `None` if none is idle.
    pub(crate) fn claim(&self, wait: impl Fn()) -> Option<usize> {
        let mut patience = if self.of.len() > 1 { PATIENCE } else { 0 };
        loop {
            let with_room = self.of.iter().enumerate().filter(|(_, idle)| idle.room.load(Relaxed) > 0);
            let Some((worker, idle)) = with_room.min_by_key(|(_, idle)| idle.oldest.load(Relaxed)) else {
                if patience == 0 {
                    return None;
                }
                patience -= 1;
                wait();
                continue;
            };
            // others look for room at the same time
            let claim = idle.room.fetch_update(Relaxed, Relaxed, |room| (room > 0).then(|| room - 1));
            if claim.is_ok() {
                idle.claimed.fetch_add(1, Relaxed);
                return Some(worker);
            }
        }
    }
}

impl Seat {
    pub(crate) fn new(me: usize) -> Seat {
        Seat { me, published: (u64::MAX, 0), owed: 0 }
    }

    /// Whether the connection that is idle longest is to be closed. To be asked as long as there is one, and
    /// [`Seat::publish`] is to be told of its end before anybody else is.
    pub(crate) fn owes(&mut self, rooms: &Rooms) -> bool {
        let idle = &rooms.of[self.me];
        if idle.claimed.load(Relaxed) > 0 {
            self.owed += idle.claimed.swap(0, Relaxed);
        }
        if self.owed == 0 {
            return false;
        }
        self.owed -= 1;
        // it is off the room already
        self.published.1 -= 1;
        true
    }

    /// Tells the others since when the oldest idle connection is, if there is one, and how many there are.
    pub(crate) fn publish(&mut self, rooms: &Rooms, oldest: Option<u64>, count: usize) {
        let (oldest, count) = (oldest.unwrap_or(u64::MAX), count as i64);
        let idle = &rooms.of[self.me];
        if oldest != self.published.0 {
            idle.oldest.store(oldest, Relaxed);
        }
        if count != self.published.1 {
            idle.room.fetch_add(count - self.published.1, Relaxed);
        }
        self.published = (oldest, count);
    }
}
