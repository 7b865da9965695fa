//! All connections, on one thread: each carries one request at a time, and has others wait in a queue.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use crate::connection::{Answer, Connection, Trouble};

/// What is to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// By this peer: what it has to say when its turn comes.
    Announce(u32),
    /// So many torrents from one on.
    Scrape { first: u32, count: u16 },
    /// A `stopped` of nobody, to learn the interval.
    Probe,
}

/// The time since the beginning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Clock {
        Clock { start: Instant::now() }
    }

    pub(crate) fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

/// Whoever asks.
pub(crate) trait Talk {
    /// Writes the request, now that it is sent, having waited for its turn; false if there is nothing to be asked any more.
    fn compose(&mut self, line: usize, ask: Ask, waited: Duration, request: &mut Vec<u8>) -> bool;
    /// Has what came of it.
    fn hear(&mut self, line: usize, ask: Ask, answer: Result<Answer, Trouble>);
}

/// See the module's documentation. A line is a connection, open or not.
#[derive(Debug)]
pub(crate) struct Engine {
    poll: Poll,
    events: Events,
    lines: Vec<Line>,
    /// Lines that have nothing on its way, and something to send.
    ready: VecDeque<usize>,
    buffer: Box<[u8]>,
    clock: Clock,
    patience: Duration,
    looked_at: Duration,
    in_flight: usize,
    waiting: usize,
}

#[derive(Debug)]
struct Line {
    connection: Connection,
    waiting: VecDeque<(Ask, Duration)>,
    asked: Option<(Ask, Duration)>,
}

impl Engine {
    /// A line for each pair of an address of its own and of the tracker.
    pub(crate) fn new(
        lines: impl Iterator<Item = (IpAddr, SocketAddr)>,
        patience: Duration,
        clock: Clock,
    ) -> io::Result<Engine> {
        let lines = lines.enumerate().map(|(at, (from, to))| Line {
            connection: Connection::new(from, to, Token(at)),
            waiting: VecDeque::new(),
            asked: None,
        });
        Ok(Engine {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            lines: lines.collect(),
            ready: VecDeque::new(),
            buffer: vec![0; 64 << 10].into(),
            clock,
            patience,
            looked_at: Duration::ZERO,
            in_flight: 0,
            waiting: 0,
        })
    }

    /// Has it asked on a line, after what waits there already.
    pub(crate) fn submit(&mut self, line: usize, ask: Ask) {
        self.waiting += 1;
        self.lines[line].waiting.push_back((ask, self.clock.now()));
        if self.lines[line].asked.is_none() {
            self.ready.push_back(line);
        }
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Whether nothing waits and nothing is on its way.
    pub(crate) fn is_quiet(&self) -> bool {
        self.in_flight == 0 && self.waiting == 0
    }

    /// Sends what is ready, and takes what comes, until something has come or `timeout` is over.
    ///
    /// # Errors
    /// The system's event queue fails.
    pub(crate) fn turn(&mut self, timeout: Duration, talk: &mut impl Talk) -> io::Result<()> {
        while let Some(line) = self.ready.pop_front() {
            self.start(line, talk);
        }
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => result?,
        }
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            let line = &mut self.lines[event.token().0];
            if line.asked.is_none() {
                line.connection.idle();
                continue;
            }
            match line.connection.proceed(self.poll.registry(), &mut self.buffer) {
                Ok(None) => {}
                Ok(Some(answer)) => self.finish(event.token().0, Ok(answer), talk),
                Err(trouble) => self.finish(event.token().0, Err(trouble), talk),
            }
        }
        self.events = events;
        let now = self.clock.now();
        if now.saturating_sub(self.looked_at) > self.patience.min(Duration::from_millis(400)) / 8 {
            self.looked_at = now;
            for line in 0..self.lines.len() {
                if self.lines[line].asked.is_some_and(|(_, since)| now.saturating_sub(since) > self.patience)
                {
                    self.finish(line, Err(Trouble::Late(self.patience)), talk);
                }
            }
        }
        Ok(())
    }

    fn start(&mut self, at: usize, talk: &mut impl Talk) {
        let line = &mut self.lines[at];
        if line.asked.is_some() {
            return;
        }
        while let Some((ask, since)) = line.waiting.pop_front() {
            self.waiting -= 1;
            line.connection.request.clear();
            let waited = self.clock.now().saturating_sub(since);
            if talk.compose(at, ask, waited, &mut line.connection.request) {
                line.asked = Some((ask, self.clock.now()));
                self.in_flight += 1;
                if let Err(trouble) = line.connection.send(self.poll.registry()) {
                    self.finish(at, Err(trouble), talk);
                }
                return;
            }
        }
    }

    fn finish(&mut self, at: usize, answer: Result<Answer, Trouble>, talk: &mut impl Talk) {
        let line = &mut self.lines[at];
        if answer.is_err() {
            line.connection.close();
        }
        if let Some((ask, _)) = line.asked.take() {
            self.in_flight -= 1;
            talk.hear(at, ask, answer);
        }
        if !line.waiting.is_empty() {
            self.ready.push_back(at);
        }
    }
}
