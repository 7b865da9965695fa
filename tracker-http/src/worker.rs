//! One worker: an event loop with its own listeners, connections and buffers.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use rustls::ServerConfig;
use slab::Slab;

use crate::connection::{Shared, write_refusal};
use crate::counters::{Happening, Route};
use crate::room::Seat;
use crate::server::{Common, Settings};
use crate::service::{Context, Service};
use crate::socket::{Driven, Socket};
use crate::tls::CIPHER;
use crate::waiting::{Linked, WAITS, Wait, Waiting};

mod door;
mod round;

use door::Listener;
use round::Round;

/// Answers to TLS handshakes in one turn. Each takes some 0.2 ms with a key of P-256, 0.6 ms with RSA of 2048 bits, and 3 ms with 4096.
const HANDSHAKES: usize = 4;
/// How long connections with work left over from their last turn are gone on with, before it is the turn of those that something has
/// happened to.
const LEFT_OVER: Duration = Duration::from_millis(1);
/// Events taken in one turn.
const EVENTS: usize = 256;
/// How long a connection has to be closed by its peer after the last answer.
const LINGER: Duration = Duration::from_secs(1);
/// How long a server that stops waits for its connections.
const STOP: Duration = Duration::from_secs(2);
/// What a worker reads into.
const INPUT: usize = 64 << 10;
/// Connections for which there is a place from the beginning.
const MOST_RESERVED: usize = 1 << 16;
/// Buffers that have grown beyond are given back.
const OUTPUT_KEPT: usize = 1 << 20;

pub(crate) const WAKER: Token = Token(usize::MAX);
const FIRST_LISTENER: usize = usize::MAX - 1;

/// See the module's documentation.
pub(crate) struct Worker<'a, S> {
    me: usize,
    poll: Poll,
    listeners: Vec<Listener>,
    sockets: Slab<Socket>,
    waiting: Waiting,
    /// Connections with work left over from their last turn: no event will come for them.
    todo: VecDeque<usize>,
    /// Connections that wait for their turn to shake hands, in order. No event will come for them either.
    handshakes: VecDeque<usize>,
    /// How many turns in a row there were as many events as a turn takes.
    full_turns: usize,
    common: &'a Common,
    settings: &'a Settings,
    shared: Shared<'a, S>,
    buffers: Buffers,
    start: Instant,
    /// Microseconds since the start, at the beginning of this turn.
    now: u64,
    /// What the others know of its idle connections.
    seat: Seat,
    round: Round,
}

/// What a worker keeps from turn to turn.
pub(crate) struct Buffers {
    pub(crate) input: Box<[u8]>,
    /// What comes over TLS; no room without that.
    pub(crate) cipher: Box<[u8]>,
    /// Answers to handshakes that are left of this turn.
    pub(crate) handshakes: usize,
    pub(crate) output: Vec<u8>,
    pub(crate) context: Context,
}

impl<'a, S: Service> Worker<'a, S> {
    pub(crate) fn new(
        me: usize,
        poll: Poll,
        listeners: Vec<(TcpListener, Option<Arc<ServerConfig>>)>,
        common: &'a Common,
        settings: &'a Settings,
        service: &'a S,
        start: Instant,
    ) -> Self {
        let listeners: Vec<_> =
            listeners.into_iter().map(|(socket, tls)| Listener::new(socket, tls)).collect();
        let cipher = if listeners.iter().any(|listener| listener.tls.is_some()) { CIPHER } else { 0 };
        Worker {
            me,
            poll,
            listeners,
            // costs no memory before it is used, and never has to be copied to grow
            sockets: Slab::with_capacity(settings.max_connections.min(MOST_RESERVED)),
            waiting: Waiting::default(),
            todo: VecDeque::new(),
            handshakes: VecDeque::new(),
            full_turns: 0,
            common,
            settings,
            shared: Shared {
                service,
                tally: &common.counters.workers[me],
                proxies: &settings.proxies,
                gate: &common.gate,
                limits: settings.limits,
                keep_alive: !settings.keep_alive.is_zero(),
                is_stopping: false,
            },
            buffers: Buffers {
                input: vec![0; INPUT].into_boxed_slice(),
                cipher: vec![0; cipher].into_boxed_slice(),
                handshakes: HANDSHAKES,
                output: Vec::with_capacity(INPUT),
                context: Context::new(settings.seed.wrapping_add(me as u64)),
            },
            start,
            now: 0,
            seat: Seat::new(me),
            round: Round::default(),
        }
    }

    /// Serves until the server is stopped.
    pub(crate) fn run(&mut self) {
        for (at, listener) in self.listeners.iter_mut().enumerate() {
            let token = Token(FIRST_LISTENER - at);
            if let Err(error) = self.poll.registry().register(&mut listener.socket, token, Interest::READABLE)
            {
                tracing::error!("a listener cannot be waited for, and serves nobody: {error}");
            }
        }
        let mut events = Events::with_capacity(EVENTS);
        while !self.common.is_stopping.load(Relaxed) {
            let timeout = self.timeout();
            self.turn(&mut events, timeout);
            self.accept_all();
            self.make_room();
            self.publish();
            self.shared.tally.turned();
        }
        self.stop(&mut events);
    }

    /// Waits for events, and does what there is to do for connections.
    fn turn(&mut self, events: &mut Events, timeout: Option<Duration>) {
        if let Err(error) = self.poll.poll(events, timeout)
            && error.kind() != ErrorKind::Interrupted
        {
            tracing::error!("waiting for events failed: {error}");
        }
        self.tick();
        self.go_on();
        self.shake_hands();
        let mut seen = 0;
        for event in events.iter() {
            seen += 1;
            match event.token() {
                WAKER => self.read_mail(),
                Token(listener) if listener > usize::MAX / 2 => {
                    self.listeners[FIRST_LISTENER - listener].has_more = true;
                }
                Token(id) => {
                    // it may have been closed in this very turn, and another may have its place: a look does no harm
                    if let Some(socket) = self.sockets.get_mut(id) {
                        socket.sees_end |= event.is_read_closed();
                        if !socket.has_todo {
                            self.hear(id);
                        }
                    }
                }
            }
        }
        self.end_round();
        self.make_room();
        if self.has_seen_all(seen) {
            self.time_out();
        }
        if self.buffers.output.capacity() > OUTPUT_KEPT {
            self.buffers.output = Vec::with_capacity(INPUT);
        }
        self.publish();
    }

    /// Whether what has come is known of every connection. After a stall more events wait than a turn takes, and nobody
    /// is to be closed for being idle whose request is there. They come in order, so that all have had their turn after as
    /// many turns as it takes for all connections.
    fn has_seen_all(&mut self, events: usize) -> bool {
        if events < EVENTS {
            self.full_turns = 0;
            return true;
        }
        self.full_turns += 1;
        self.full_turns > self.sockets.len() / EVENTS + 1
    }

    /// Gives those their turn that have waited longest for it. The rest of what a turn may do is for whoever comes in it.
    fn shake_hands(&mut self) {
        self.buffers.handshakes = HANDSHAKES;
        while self.buffers.handshakes > 0
            && let Some(id) = self.handshakes.pop_front()
        {
            if self.sockets.get(id).is_some_and(|socket| socket.has_todo) {
                self.sockets[id].has_todo = false;
                self.drive(id);
            }
        }
    }

    /// Does what was left over. That goes first, lest a busy connection always comes before it; but no longer than for a moment, lest
    /// many who ask much keep those waiting who ask little. The rest is the next turn's.
    fn go_on(&mut self) {
        let mut begin = None;
        for _ in 0..self.todo.len() {
            let Some(id) = self.todo.pop_front() else { return };
            let begin = *begin.get_or_insert_with(Instant::now);
            if self.sockets.get(id).is_some_and(|socket| socket.has_todo) {
                self.sockets[id].has_todo = false;
                self.drive(id);
                if begin.elapsed() > LEFT_OVER {
                    return;
                }
            }
        }
    }

    /// Reads the clock: once a turn, and once a connection that is accepted.
    fn tick(&mut self) {
        let elapsed = self.start.elapsed();
        self.now = elapsed.as_micros() as u64;
        self.buffers.context.now = elapsed.into();
        self.buffers.context.millis = self.now / 1000;
    }

    fn duration(&self, wait: Wait) -> Duration {
        match wait {
            Wait::Idle => self.settings.keep_alive,
            Wait::Request | Wait::Output => self.settings.request_timeout,
            Wait::Linger => LINGER,
        }
    }

    /// How long nothing has to be done unless something happens.
    fn timeout(&self) -> Option<Duration> {
        let has_todo = !self.todo.is_empty() || !self.handshakes.is_empty();
        if has_todo || self.listeners.iter().any(|listener| listener.has_more) {
            return Some(Duration::ZERO);
        }
        let waits = WAITS.iter().filter_map(|&wait| {
            let (_, since) = self.waiting.first(&self.sockets, wait)?;
            Some(since + self.duration(wait).as_micros() as u64)
        });
        let starved = self.listeners.iter().filter_map(|listener| listener.starved_until);
        let due = waits.chain(starved).min()?;
        // a microsecond more, so that it is due when the wait has ended
        Some(Duration::from_micros(due.saturating_sub(self.now) + 1))
    }

    /// Lets a connection go on as far as it can. A panic costs that connection alone.
    fn drive(&mut self, id: usize) {
        self.end_round();
        let socket = &mut self.sockets[id];
        let before = socket.progress();
        let driven = catch_unwind(AssertUnwindSafe(|| socket.drive(&self.shared, &mut self.buffers)));
        let driven = driven.unwrap_or_else(|_| self.drop_panicked(id));
        self.settle(id, before, driven);
    }

    #[cold]
    fn drop_panicked(&mut self, id: usize) -> Driven {
        self.shared.tally.happened(Happening::Panicked, 1);
        tracing::error!("serving a request panicked, and its connection was dropped");
        self.buffers.output = Vec::with_capacity(INPUT);
        self.sockets[id].mute();
        Driven::Close
    }

    /// Does what a connection needs after it has gone as far as it could, from the progress `before` on.
    fn settle(&mut self, id: usize, before: (usize, u64), driven: Driven) {
        match driven {
            Driven::Close => self.close(id),
            Driven::Again => {
                // what has got on waits for nothing but its turn: its next wait is a new one
                if self.sockets[id].progress() != before {
                    self.waiting.leave(&mut self.sockets, id);
                }
                self.sockets[id].has_todo = true;
                self.todo.push_back(id);
                self.register(id);
            }
            Driven::Later => {
                self.sockets[id].has_todo = true;
                self.handshakes.push_back(id);
                self.register(id);
            }
            Driven::Streamed(streamed) => {
                let (client, chunked) = (self.sockets[id].client(), streamed.is_chunked);
                match self.common.pool.submit(streamed.head, client, self.me, id) {
                    Some(pieces) => self.sockets[id].stream(pieces, chunked, streamed.closes),
                    // the answer has begun, so that all that can be said is that it ends early
                    None => {
                        self.sockets[id].mute();
                        return self.close(id);
                    }
                }
                self.waiting.leave(&mut self.sockets, id);
                self.register(id);
            }
            Driven::Waits(wait) => {
                if self.shared.is_stopping && matches!(wait, Some(Wait::Idle | Wait::Request)) {
                    return self.close(id);
                }
                self.enter(id, wait, before);
                self.register(id);
            }
        }
    }

    /// Begins a wait, or goes on with it if nothing has happened that would begin it anew.
    fn enter(&mut self, id: usize, wait: Option<Wait>, before: (usize, u64)) {
        let socket = &self.sockets[id];
        let after = socket.progress();
        let goes_on = socket.links().wait() == wait
            && match wait {
                None | Some(Wait::Linger) => true,
                Some(Wait::Idle | Wait::Request) => after.0 == before.0,
                Some(Wait::Output) => after.1 == before.1,
            };
        match wait {
            _ if goes_on => {}
            None => self.waiting.leave(&mut self.sockets, id),
            Some(wait) => self.waiting.enter(&mut self.sockets, id, wait, self.now),
        }
    }

    /// Has the poll tell of what the connection waits for.
    fn register(&mut self, id: usize) {
        if let Err(error) = self.sockets[id].register(self.poll.registry(), Token(id)) {
            tracing::debug!("a connection cannot be waited for, and is closed: {error}");
            self.close(id);
        }
    }

    /// Lets the connections go on that the pool has written for.
    fn read_mail(&mut self) {
        for id in self.common.mailboxes[self.me].take() {
            if self.sockets.get(id).is_some_and(Socket::is_streaming) {
                self.drive(id);
            }
        }
    }

    /// Acts on the connections whose time has run out.
    fn time_out(&mut self) {
        for wait in WAITS {
            let duration = self.duration(wait).as_micros() as u64;
            while let Some((id, since)) = self.waiting.first(&self.sockets, wait) {
                if since + duration > self.now {
                    break;
                }
                match wait {
                    Wait::Idle => self.shared.tally.happened(Happening::IdleTooLong, 1),
                    Wait::Request => self.shared.tally.happened(Happening::RequestTimeout, 1),
                    Wait::Output => self.shared.tally.happened(Happening::OutputTimeout, 1),
                    Wait::Linger => {}
                }
                match wait {
                    Wait::Idle | Wait::Linger => self.close(id),
                    Wait::Request if self.sockets[id].is_handshaking() => self.close(id),
                    Wait::Request => {
                        self.shared.tally.answered(Route::Other, 408);
                        let mut answer = Vec::new();
                        write_refusal(&mut answer, 408, "the request did not arrive in time");
                        self.sockets[id].end_with(answer);
                        self.waiting.leave(&mut self.sockets, id);
                        self.drive(id);
                    }
                    Wait::Output => {
                        // nobody reads the answers, yet what was asked is carried out
                        self.sockets[id].mute();
                        self.waiting.leave(&mut self.sockets, id);
                        // which may be much, and many may be given up at once
                        self.sockets[id].has_todo = true;
                        self.todo.push_back(id);
                    }
                }
            }
        }
    }

    /// Answers what waits in the backlog and what has come complete, and lets everybody go.
    fn stop(&mut self, events: &mut Events) {
        self.shared.is_stopping = true;
        self.tick();
        let deadline = self.now + STOP.as_micros() as u64;
        for listener in &mut self.listeners {
            listener.has_more = true;
        }
        while self.now < deadline && self.listeners.iter().any(|listener| listener.has_more) {
            self.accept_all();
            self.tick();
        }
        self.listeners.clear();
        let all: Vec<usize> = self.sockets.iter().map(|(id, _)| id).collect();
        for id in all {
            if self.sockets.contains(id) {
                self.drive(id);
            }
        }
        while !self.sockets.is_empty() && self.now < deadline {
            let left = Duration::from_micros(deadline - self.now);
            let timeout = self.timeout().map_or(left, |timeout| timeout.min(left));
            self.turn(events, Some(timeout));
        }
        for id in self.sockets.iter().map(|(id, _)| id).collect::<Vec<_>>() {
            self.close(id);
        }
    }
}
