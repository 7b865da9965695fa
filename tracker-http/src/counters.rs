//! What a server counts: per worker, so that counting costs no more than an addition; summed on read.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crossbeam::utils::CachePadded;

/// Where a request went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/announce`
    Announce,
    /// `/scrape`
    Scrape,
    /// Statistics, for a service beside the tracker's own routes that has such pages.
    Stats,
    /// Metrics, for a service beside the tracker's own routes that has such pages.
    Metrics,
    /// Signs of life, for a service beside the tracker's own routes that has such pages.
    Health,
    /// Any other path, known or not, and requests that have none since they are malformed.
    Other,
}

/// All routes, in the order of their counters.
pub const ROUTES: [Route; 6] =
    [Route::Announce, Route::Scrape, Route::Stats, Route::Metrics, Route::Health, Route::Other];

impl Route {
    /// Its name, as for a label of a metric.
    pub const fn name(self) -> &'static str {
        match self {
            Route::Announce => "announce",
            Route::Scrape => "scrape",
            Route::Stats => "stats",
            Route::Metrics => "metrics",
            Route::Health => "health",
            Route::Other => "other",
        }
    }
}

/// The statuses that are counted one by one; any other counts as the last.
pub const STATUSES: [u16; 16] =
    [200, 302, 304, 400, 403, 404, 405, 408, 413, 414, 429, 431, 500, 501, 503, 505];

/// What happens beside answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A connection was accepted.
    Accepted,
    /// A connection was closed at once, since there were too many and none of them idle.
    TooMany,
    /// An idle connection was closed to make room for a new one.
    MadeRoom,
    /// A connection was closed for being idle too long.
    IdleTooLong,
    /// A request did not arrive in time (408).
    RequestTimeout,
    /// A peer did not take its answers in time.
    OutputTimeout,
    /// Accepting failed, for want of descriptors or memory.
    AcceptFailed,
    /// Serving a request panicked, and its connection was dropped.
    Panicked,
    /// An announce or a scrape was answered with a bencoded failure.
    Failure,
    /// An announce or a scrape was answered with the longer interval, since its address asks too often.
    Slowed,
    /// A request was refused (429), since its address asks far too often.
    Refused,
    /// A connection was closed at once, since its address asks far too often.
    OverRate,
    /// A connection was closed at once, since its address has as many as it may.
    OverConnections,
    /// A TLS handshake came to its end, and requests may follow.
    TlsHandshake,
    /// A TLS handshake failed: it was no TLS, nothing was in common, or the peer gave up, such as for the certificate.
    TlsHandshakeFailed,
    /// Bytes read from peers.
    BytesIn,
    /// Bytes written to peers.
    BytesOut,
}

/// All that happens, in the order of its counters.
pub const HAPPENINGS: [Happening; 17] = [
    Happening::Accepted,
    Happening::TooMany,
    Happening::MadeRoom,
    Happening::IdleTooLong,
    Happening::RequestTimeout,
    Happening::OutputTimeout,
    Happening::AcceptFailed,
    Happening::Panicked,
    Happening::Failure,
    Happening::Slowed,
    Happening::Refused,
    Happening::OverRate,
    Happening::OverConnections,
    Happening::TlsHandshake,
    Happening::TlsHandshakeFailed,
    Happening::BytesIn,
    Happening::BytesOut,
];

impl Happening {
    /// Its name, as for a label of a metric.
    pub const fn name(self) -> &'static str {
        match self {
            Happening::Accepted => "accepted",
            Happening::TooMany => "too_many",
            Happening::MadeRoom => "made_room",
            Happening::IdleTooLong => "idle_too_long",
            Happening::RequestTimeout => "request_timeout",
            Happening::OutputTimeout => "output_timeout",
            Happening::AcceptFailed => "accept_failed",
            Happening::Panicked => "panicked",
            Happening::Failure => "failure",
            Happening::Slowed => "slowed",
            Happening::Refused => "refused",
            Happening::OverRate => "over_rate",
            Happening::OverConnections => "over_connections",
            Happening::TlsHandshake => "tls_handshake",
            Happening::TlsHandshakeFailed => "tls_handshake_failed",
            Happening::BytesIn => "bytes_in",
            Happening::BytesOut => "bytes_out",
        }
    }
}

/// The counters of one worker, which alone adds to them.
#[derive(Debug)]
pub(crate) struct Tally {
    answers: [[AtomicU64; STATUSES.len()]; ROUTES.len()],
    happenings: [AtomicU64; HAPPENINGS.len()],
    /// Turns of its event loop that have come to their end.
    turns: AtomicU64,
}

impl Default for Tally {
    fn default() -> Self {
        Tally {
            answers: std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0))),
            happenings: std::array::from_fn(|_| AtomicU64::new(0)),
            turns: AtomicU64::new(0),
        }
    }
}

/// One worker is the only writer, so no locked instruction is needed.
fn add(cell: &AtomicU64, amount: u64) {
    cell.store(cell.load(Relaxed).wrapping_add(amount), Relaxed);
}

impl Tally {
    pub(crate) fn answered(&self, route: Route, status: u16) {
        let at = if status == 200 {
            0
        } else {
            STATUSES.iter().position(|&known| known == status).unwrap_or(STATUSES.len() - 1)
        };
        add(&self.answers[route as usize][at], 1);
    }

    pub(crate) fn happened(&self, what: Happening, times: u64) {
        add(&self.happenings[what as usize], times);
    }

    pub(crate) fn turned(&self) {
        add(&self.turns, 1);
    }

    pub(crate) fn turns(&self) -> u64 {
        self.turns.load(Relaxed)
    }
}

/// The counters of a server, from its start.
#[derive(Debug)]
pub struct Counters {
    pub(crate) workers: Box<[CachePadded<Tally>]>,
    /// Connections open now.
    pub(crate) open: CachePadded<std::sync::atomic::AtomicUsize>,
    /// Panics on the threads for long answers, which are no worker's.
    beside: AtomicU64,
}

impl Counters {
    pub(crate) fn new(workers: usize) -> Self {
        Counters {
            workers: (0..workers).map(|_| CachePadded::default()).collect(),
            open: CachePadded::default(),
            beside: AtomicU64::new(0),
        }
    }

    pub(crate) fn panicked_beside(&self) {
        self.beside.fetch_add(1, Relaxed);
    }

    /// Answers on `route` with `status`, one of [`STATUSES`].
    pub fn answers(&self, route: Route, status: u16) -> u64 {
        let Some(at) = STATUSES.iter().position(|&known| known == status) else { return 0 };
        self.workers.iter().map(|tally| tally.answers[route as usize][at].load(Relaxed)).sum()
    }

    /// Answers on `route`, whatever their status.
    pub fn requests(&self, route: Route) -> u64 {
        STATUSES.iter().map(|&status| self.answers(route, status)).sum()
    }

    /// How often something happened, or how many bytes.
    pub fn happenings(&self, what: Happening) -> u64 {
        let beside = if what == Happening::Panicked { self.beside.load(Relaxed) } else { 0 };
        self.workers.iter().map(|tally| tally.happenings[what as usize].load(Relaxed)).sum::<u64>() + beside
    }

    /// Connections open at the moment.
    pub fn open_connections(&self) -> usize {
        self.open.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_whole_in_order_and_without_a_name_twice() {
        for (at, route) in ROUTES.into_iter().enumerate() {
            assert_eq!(route as usize, at);
        }
        for (at, what) in HAPPENINGS.into_iter().enumerate() {
            assert_eq!(what as usize, at);
        }
        // whatever is added goes before the last one, or the counters have no place for it
        assert_eq!(
            (ROUTES[ROUTES.len() - 1], HAPPENINGS[HAPPENINGS.len() - 1]),
            (Route::Other, Happening::BytesOut)
        );
        let mut names = [&ROUTES.map(Route::name)[..], &HAPPENINGS.map(Happening::name)].concat();
        assert!(names.iter().all(|name| name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_'))));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ROUTES.len() + HAPPENINGS.len());
    }

    #[test]
    fn a_status_that_is_not_listed_counts_as_the_last() {
        let counters = Counters::new(1);
        for status in [204, 401, 418, 505] {
            counters.workers[0].answered(Route::Stats, status);
        }
        assert_eq!(counters.answers(Route::Stats, 505), 4);
        assert_eq!(counters.requests(Route::Stats), 4);
        assert_eq!(counters.answers(Route::Stats, 418), 0);
    }

    #[test]
    fn workers_are_summed() {
        let counters = Counters::new(2);
        for tally in &counters.workers {
            tally.answered(Route::Scrape, 200);
            tally.answered(Route::Other, 404);
            tally.happened(Happening::BytesIn, 7);
        }
        assert_eq!(counters.answers(Route::Scrape, 200), 2);
        assert_eq!(counters.requests(Route::Other), 2);
        assert_eq!(counters.requests(Route::Announce), 0);
        assert_eq!(counters.happenings(Happening::BytesIn), 14);
    }
}
