//! Room for connections: each takes an open file.

use std::io;

use rlimit::Resource;

/// Files that are open beside connections and what the workers have: logs, lists, signals, what a snapshot writes.
pub const RESERVE: usize = 64;

/// What the operating system gives us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// The soft limit of open files now in force.
    pub limit: u64,
    /// How many connections fit, at most as many as were asked for. The caller warns when it is less.
    pub connections: usize,
}

/// Raises the soft limit of open files to the hard one, and says how many of `connections` fit beside `others` files
/// that are open anyway: half of the limit at least, for where that is small `others` has far too much in reserve.
///
/// # Errors
/// The limit cannot be read. That it cannot be raised is no error, there is less room then.
pub fn make_room(connections: usize, others: usize) -> io::Result<Room> {
    let (soft, hard) = Resource::NOFILE.get()?;
    let limit = match Resource::NOFILE.set(hard, hard) {
        Ok(()) => hard.max(soft),
        Err(_) => soft,
    };
    Ok(Room { limit, connections: fit(connections, others, limit) })
}

fn fit(connections: usize, others: usize, limit: u64) -> usize {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    connections.min(limit.saturating_sub(others).max(limit / 2).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_lowered_and_some_connection_is_left() {
        assert_eq!(fit(60_000, 64, 1 << 20), 60_000);
        assert_eq!(fit(60_000, 64, 1024), 960);
        assert_eq!(fit(960, 64, 1024), 960);
        assert_eq!(fit(60_000, 64, 128), 64);
        assert_eq!(fit(60_000, 64, 64), 32);
        assert_eq!(fit(60_000, 64, 0), 1);
        assert_eq!(fit(60_000, 64, u64::MAX), 60_000);
    }

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let room = make_room(10, RESERVE).unwrap();
        let (soft, hard) = Resource::NOFILE.get().unwrap();
        assert_eq!((soft, room.limit, room.connections), (hard, hard, 10));
    }
}
