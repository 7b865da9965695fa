//! A memory of fixed size: how much each address has asked of late, and how many connections it has open.
//!
//! The table is set-associative, like a processor's cache: the hash of an address names a set of eight places, and
//! whoever is new takes the place of the one in its set that was heard of longest ago. So it never grows, whatever comes,
//! and looking at a set of three cache lines is all that a request costs.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

use crossbeam::utils::CachePadded;
use parking_lot::Mutex;

use super::Quota;

const WAYS: usize = 8;
const SETS: usize = 128;
const SHARDS: usize = 64;

/// Addresses that are remembered; 24 bytes each.
pub const CAPACITY: usize = SHARDS * SETS * WAYS;

/// Everything that is counted in tokens is kept in thousandths: at `n` a second, `n` of them come back in a millisecond.
const TOKEN: u64 = 1000;
/// A clock that has gone back further is believed, in milliseconds; workers differ by less than that.
const BACK: u64 = 10_000;
/// Bits of a word that are not its upper part.
const TAG_BITS: u32 = 16;
const OPEN_BITS: u32 = 24;
const MOST_OPEN: u64 = (1 << OPEN_BITS) - 1;
/// 34 years.
const MOST_HEARD: u64 = (1 << (64 - OPEN_BITS)) - 1;

/// Eight places: their keys, what they have spent, and their connections. Integers alone, since such memory comes zeroed from the
/// system, and takes none before it is touched.
type Set = [[u64; WAYS]; 3];
const KEYS: usize = 0;
/// Spent tokens, and the tag in the lower 16 bits.
const SPENT: usize = 1;
/// When it was last heard of, and open connections in the lower 24 bits.
const HEARD: usize = 2;

/// Whose account it is: an IPv4 address, or the first 64 bits of an IPv6 address, since that is what a single customer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u64);

impl From<IpAddr> for Key {
    /// IPv4-mapped addresses are the IPv4 ones.
    fn from(ip: IpAddr) -> Key {
        // multicast addresses, which nobody connects from, make room for IPv4 and for the mark of an empty place
        match ip.to_canonical() {
            IpAddr::V4(ip) => Key(u64::from(u32::MAX) << 32 | u64::from(ip.to_bits())),
            IpAddr::V6(ip) => match (ip.to_bits() >> 64) as u64 {
                0 => Key(0xff00 << 48),
                prefix => Key(prefix),
            },
        }
    }
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is within the limit.
    Served,
    /// It is beyond: served, and told to come less often.
    Slowed,
    /// It is far beyond: refused.
    Refused {
        /// Seconds until the address is within the limit again, if it asks nothing more; at least 1.
        retry_after: u32,
    },
}

/// Why a connection is closed as soon as it is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// A request on it would be refused.
    Rate,
    /// The address has as many as it may.
    Connections,
}

/// A connection that is counted, and is to be [let go](Table::leave) once.
///
/// It says which entry has counted it: an address may have been forgotten meanwhile, and be there anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u16);

/// See the module's documentation. Time is passed in, in milliseconds since a moment of the caller's choice.
#[derive(Debug)]
pub struct Table {
    shards: Box<[CachePadded<Mutex<Shard>>]>,
    /// Of each shard.
    sets: usize,
    /// Its key is random: whoever chooses addresses can't choose who shares a set.
    hasher: RandomState,
    /// Thousandths of a token that come back in a millisecond; 0: requests are not limited.
    rate: u64,
    /// Thousandths of a token that can be spent at once.
    burst: u64,
    /// 0: connections are not limited.
    connections: u64,
}

#[derive(Debug)]
struct Shard {
    sets: Vec<Set>,
    /// The tag of the entry that was made last.
    tag: u16,
}

/// An entry, unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Meter {
    /// Below [`Table::burst`] all is well, and it never exceeds twice that.
    spent: u64,
    tag: u16,
    /// At least 1.
    heard: u64,
    open: u64,
}

impl Table {
    /// A table for these limits; `None` if there are none.
    pub fn new(quota: &Quota) -> Option<Table> {
        Table::with_size(quota, SHARDS, SETS)
    }

    /// `shards` and `sets` are powers of two.
    pub(super) fn with_size(quota: &Quota, shards: usize, sets: usize) -> Option<Table> {
        let is_rated = quota.requests_per_second > 0 && quota.burst > 0;
        if !is_rated && quota.connections == 0 {
            return None;
        }
        let shard = || Shard { sets: vec![[[0; WAYS]; 3]; sets], tag: 0 };
        Some(Table {
            shards: (0..shards).map(|_| CachePadded::new(Mutex::new(shard()))).collect(),
            sets,
            hasher: RandomState::new(),
            rate: if is_rated { quota.requests_per_second.into() } else { 0 },
            burst: u64::from(quota.burst) * TOKEN,
            connections: quota.connections.into(),
        })
    }

    /// Takes a token for a request, unless it is refused.
    #[inline]
    pub fn ask(&self, key: Key, now: u64) -> Verdict {
        if self.rate == 0 {
            return Verdict::Served;
        }
        self.with(key, now, |meter| {
            let spent = meter.spent + TOKEN;
            if spent > 2 * self.burst {
                return self.refusal(spent);
            }
            meter.spent = spent;
            if spent > self.burst { Verdict::Slowed } else { Verdict::Served }
        })
    }

    /// Counts a connection. `None` if connections are not limited: there is nothing to be let go.
    ///
    /// # Errors
    /// It is not counted, and to be closed at once.
    pub fn enter(&self, key: Key, now: u64) -> Result<Option<Ticket>, Turned> {
        self.with(key, now, |meter| {
            if self.rate > 0 && meter.spent + TOKEN > 2 * self.burst {
                return Err(Turned::Rate);
            }
            if self.connections == 0 {
                return Ok(None);
            }
            if meter.open >= self.connections.min(MOST_OPEN) {
                return Err(Turned::Connections);
            }
            meter.open += 1;
            Ok(Some(Ticket(meter.tag)))
        })
    }

    /// Lets a connection go that has [entered](Table::enter). Nothing happens if its address has been forgotten.
    pub fn leave(&self, key: Key, ticket: Ticket) {
        let (shard, set) = self.place(key);
        let set = &mut self.shards[shard].lock().sets[set];
        if let Some(way) = find(set, key) {
            let mut meter = Meter::read(set, way);
            if meter.tag == ticket.0 && meter.open > 0 {
                meter.open -= 1;
                meter.write(set, way);
            }
        }
    }

    #[cold]
    fn refusal(&self, spent: u64) -> Verdict {
        let seconds = (spent - self.burst).div_ceil(self.rate).div_ceil(1000);
        Verdict::Refused { retry_after: u32::try_from(seconds).unwrap_or(u32::MAX).max(1) }
    }

    /// The shard and the set in it that an address belongs to.
    fn place(&self, key: Key) -> (usize, usize) {
        let hash = self.hasher.hash_one(key.0);
        // both are powers of two
        (hash as usize & (self.shards.len() - 1), (hash >> 32) as usize & (self.sets - 1))
    }

    /// Looks an address up, or makes an entry for it, and brings that up to date.
    #[inline]
    fn with<T>(&self, key: Key, now: u64, act: impl FnOnce(&mut Meter) -> T) -> T {
        // 0 is for places that nobody has
        let now = now.saturating_add(1).min(MOST_HEARD);
        let (shard, set) = self.place(key);
        let shard = &mut *self.shards[shard].lock();
        let set = &mut shard.sets[set];
        let (way, mut meter) = match find(set, key) {
            Some(way) => (way, Meter::read(set, way)),
            None => {
                let way = oldest(set);
                set[KEYS][way] = key.0;
                shard.tag = shard.tag.wrapping_add(1);
                (way, Meter { spent: 0, tag: shard.tag, heard: now, open: 0 })
            }
        };
        meter.go_on(now, self.rate);
        let done = act(&mut meter);
        meter.write(set, way);
        done
    }
}

#[inline]
fn find(set: &Set, key: Key) -> Option<usize> {
    set[KEYS].iter().position(|&other| other == key.0)
}

/// The place that a new entry takes: one that nobody has, else the one heard of longest ago of those without open
/// connections, else of all.
fn oldest(set: &Set) -> usize {
    let age = |&way: &usize| {
        let Meter { heard, open, .. } = Meter::read(set, way);
        (open > 0, heard)
    };
    (0..WAYS).min_by_key(age).unwrap_or(0)
}

impl Meter {
    fn read(set: &Set, way: usize) -> Meter {
        let (spent, heard) = (set[SPENT][way], set[HEARD][way]);
        Meter {
            spent: spent >> TAG_BITS,
            tag: spent as u16,
            heard: heard >> OPEN_BITS,
            open: heard & MOST_OPEN,
        }
    }

    fn write(self, set: &mut Set, way: usize) {
        set[SPENT][way] = self.spent << TAG_BITS | u64::from(self.tag);
        set[HEARD][way] = self.heard << OPEN_BITS | self.open;
    }

    /// Gives back what has come back until `now`. Where the clock of another worker is a little ahead, nothing does.
    fn go_on(&mut self, now: u64, rate: u64) {
        let elapsed = now.saturating_sub(self.heard);
        self.spent = self.spent.saturating_sub(elapsed.saturating_mul(rate));
        if now > self.heard || self.heard - now > BACK {
            self.heard = now;
        }
    }
}

#[cfg(test)]
impl Table {
    /// Whether this address is remembered.
    pub(super) fn knows(&self, key: Key) -> bool {
        let (shard, set) = self.place(key);
        find(&self.shards[shard].lock().sets[set], key).is_some()
    }

    /// Open connections of an address, as far as they are remembered.
    pub(super) fn open(&self, key: Key) -> u64 {
        let (shard, set) = self.place(key);
        let set = &self.shards[shard].lock().sets[set];
        find(set, key).map_or(0, |way| Meter::read(set, way).open)
    }
}
