//! The event loop.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use crate::connection::{Connection, Shared};
use crate::crowd::Crowd;
use crate::loss::Loss;
use crate::options::{Mode, Options, Target};
use crate::pace::Pace;
use crate::ring::Ring;
use crate::tally::{Look, Tally};

/// Timeouts are looked for every so many nanoseconds.
const SWEEP: u64 = 20_000_000;
/// For so many nanoseconds without an event it goes on to spin.
const SPIN: u64 = 1_000_000;
/// More errors than answers and these: the server is not fit to be measured.
const HOPELESS: u64 = 10_000;

/// It is given up too when nothing is answered for so many timeouts.
const SILENCES: u64 = 3;

/// All connections, driven by one thread.
pub(crate) struct Engine {
    poll: Poll,
    events: Events,
    connections: Vec<Connection>,
    shared: Shared,
    timeout: u64,
    spins: bool,
    /// The connection that gets the next request, if each of them has its time.
    next: usize,
}

/// When a run ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Until {
    /// With none, nothing is sent until the time is over.
    pub(crate) requests: u64,
    pub(crate) time: Duration,
}

/// How a run has ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ended {
    pub(crate) took: Duration,
    /// For how long there was nothing to do.
    pub(crate) idle: Duration,
    /// Requests that were due and could not be sent, because all connections were waiting.
    pub(crate) overdue: u64,
    /// Too many errors, or no time left.
    pub(crate) gave_up: bool,
}

impl Engine {
    pub(crate) fn new(options: &Options, target: &Target, crowd: &Crowd) -> Result<Engine, Box<dyn Error>> {
        let poll = Poll::new()?;
        let look = match (options.check, options.scrape) {
            (false, _) => Look::Glance,
            (true, false) => Look::Announce(options.numwant as usize),
            (true, true) => Look::Scrape,
        };
        let connections = (0..options.connections())
            .map(|n| {
                let source = n % crowd.sources;
                let local = crowd.source_addr(source).filter(|_| target.addr.is_ipv4());
                let local = local.map(|ip| SocketAddr::new(ip.into(), 0));
                Connection::new(Token(n), source, local, options.depth())
            })
            .collect();
        let shared = Shared {
            registry: poll.registry().try_clone()?,
            addr: target.addr,
            is_one_shot: options.mode == Mode::OneShot,
            look,
            rings: vec![Ring::default(); crowd.sources],
            tally: Tally::new(),
            budget: 0,
            pace: options.rate.map(Pace::new),
            done: 0,
            now: now(),
            clock: now,
            buffer: vec![0; 256 << 10],
            body: Vec::new(),
        };
        let timeout = options.timeout().as_nanos() as u64;
        Ok(Engine {
            poll,
            events: Events::with_capacity(1024),
            connections,
            shared,
            timeout,
            spins: !options.no_spin,
            next: 0,
        })
    }

    /// Takes other requests, by their source address, to be sent once or again and again.
    pub(crate) fn load(&mut self, rings: Vec<Ring>, repeats: bool) {
        // what is not written yet lies in the rings that go
        self.connections.iter_mut().for_each(Connection::close);
        self.shared.rings = rings;
        for ring in &mut self.shared.rings {
            ring.repeats = repeats;
        }
        self.reset();
    }

    /// Counts from zero.
    pub(crate) fn reset(&mut self) {
        self.shared.tally.reset();
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.shared.tally
    }

    /// Sends requests until it is time. Those that are on their way then are left so, and go on with the next run.
    pub(crate) fn run(&mut self, until: Until) -> Result<Ended, Box<dyn Error>> {
        let begin = now();
        let end = begin.saturating_add(until.time.as_nanos() as u64);
        let waiting: usize = self.connections.iter().map(|connection| connection.in_flight).sum();
        let shared = &mut self.shared;
        (shared.budget, shared.done, shared.now) = (until.requests, 0, begin);
        if let Some(pace) = &mut shared.pace {
            pace.start(begin);
        }
        let wanted = until.requests.saturating_add(waiting as u64);
        let (mut swept, mut busy, mut idle) = (None, begin, 0);
        // how many answers there were, and when that was news
        let mut heard = (0, begin);
        let gave_up = loop {
            let shared = &mut self.shared;
            if swept.is_none_or(|swept| shared.now - swept > SWEEP) {
                swept = Some(shared.now);
                self.sweep();
                let Tally { answers, .. } = self.shared.tally;
                if answers != heard.0 {
                    heard = (answers, self.shared.now);
                }
                let is_silent = self.shared.now - heard.1 > SILENCES * self.timeout;
                if is_silent || self.shared.tally.errors() > HOPELESS + answers {
                    break true;
                }
            }
            if self.shared.done >= wanted && until.requests > 0 {
                break false;
            }
            if self.shared.now >= end {
                break !matches!(until.requests, 0 | u64::MAX);
            }
            self.send_due();
            let shared = &mut self.shared;
            let wait = match &shared.pace {
                Some(_) if self.spins => Duration::ZERO,
                Some(pace) => Duration::from_nanos(pace.wait(shared.now).min(SWEEP / 4)),
                None if self.spins && shared.now - busy < SPIN => Duration::ZERO,
                None => Duration::from_nanos(SWEEP / 4),
            };
            if let Err(error) = self.poll.poll(&mut self.events, Some(wait))
                && error.kind() != std::io::ErrorKind::Interrupted
            {
                return Err(error.into());
            }
            let before = shared.now;
            shared.now = now();
            if self.events.is_empty() || !wait.is_zero() {
                idle += shared.now - before;
            }
            if self.events.is_empty() {
                continue;
            }
            busy = shared.now;
            for event in &self.events {
                let connection = &mut self.connections[event.token().0];
                if event.is_writable() {
                    connection.writable(shared);
                }
                if event.is_readable() || event.is_read_closed() || event.is_error() {
                    connection.readable(shared, event.is_read_closed() || event.is_error());
                }
            }
        };
        let end = now();
        let overdue = self.shared.pace.as_ref().map_or(0, |pace| pace.due(end)).min(self.shared.budget);
        let [took, idle] = [end - begin, idle].map(Duration::from_nanos);
        Ok(Ended { took, idle, overdue, gave_up })
    }

    /// Connections that are there.
    pub(crate) fn open(&self) -> usize {
        self.connections.iter().filter(|connection| connection.is_open()).count()
    }

    /// Gives the requests that have become due to connections that are free, in turn.
    #[inline]
    fn send_due(&mut self) {
        let shared = &mut self.shared;
        let mut busy = 0;
        while busy < self.connections.len()
            && shared.pace.as_ref().is_some_and(|pace| pace.due(shared.now).min(shared.budget) > 0)
        {
            let connection = &mut self.connections[self.next];
            if connection.is_free(shared.now) {
                connection.go(shared);
            }
            busy += 1;
            self.next = (self.next + 1) % self.connections.len();
        }
    }

    /// Opens what is closed, and gives up what waits for too long.
    fn sweep(&mut self) {
        let shared = &mut self.shared;
        let oldest = shared.now.saturating_sub(self.timeout);
        for connection in &mut self.connections {
            if connection.waits_since(oldest) {
                connection.lose(shared, Loss::Timeout);
            }
            if connection.is_due(shared.now) {
                connection.open(shared);
            }
        }
    }
}

/// Nanoseconds since the first call.
fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}
