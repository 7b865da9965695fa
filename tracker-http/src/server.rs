//! A server: its sockets, its workers, and the handle by which others look at it and stop it.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crossbeam::thread::Scope;
use mio::{Poll, Waker};
use parking_lot::Mutex;
use rustls::ServerConfig;
use tracker_core::Seconds;

use crate::counters::Counters;
use crate::listen::{ListenError, listen};
use crate::parser::Limits;
use crate::proxy::Proxies;
use crate::quota::{Gate, Quota};
use crate::room::Rooms;
use crate::service::Service;
use crate::slow::{self, Mailbox, Pool};
use crate::tls::Tls;
use crate::watch::Watch;
use crate::worker::{WAKER, Worker};

/// Threads for long answers.
const POOL: usize = 2;

/// How a [`Server`] behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Event loops, each on a thread of its own; at least 1.
    pub workers: usize,
    /// How long a connection may be idle between requests; zero closes each after its first answer.
    pub keep_alive: Duration,
    /// How long a request may take to arrive, from its first byte (on a new connection: from accept, so that a TLS handshake
    /// is part of it) to the end of its body;
    /// and how long a client may take nothing of its answers.
    pub request_timeout: Duration,
    /// Connections of all workers together. Beyond, the one idle longest makes room.
    pub max_connections: usize,
    /// How large requests may be.
    pub limits: Limits,
    /// Reverse proxies that are believed.
    pub proxies: Proxies,
    /// What one address may do.
    pub quota: Quota,
    /// Seed of the workers' random sources.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            workers: 1,
            keep_alive: Duration::from_secs(60),
            request_timeout: Duration::from_secs(10),
            max_connections: 60_000,
            limits: Limits::default(),
            proxies: Proxies::default(),
            quota: Quota::default(),
            seed: 0,
        }
    }
}

/// Why a server cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// An address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The system has no event queue for it.
    #[error("no event queue can be had from the system: {0}")]
    Poll(#[from] io::Error),
}

/// A server that listens. Connections wait in its backlog until it [runs](Server::run).
#[derive(Debug)]
pub struct Server {
    settings: Settings,
    addrs: Vec<SocketAddr>,
    secure_addrs: Vec<SocketAddr>,
    /// Taken by the workers when they start.
    seats: Mutex<Vec<Seat>>,
    common: Arc<Common>,
    clock: Clock,
}

/// What a worker starts with.
#[derive(Debug)]
struct Seat {
    poll: Poll,
    /// Each with TLS if it is for that.
    listeners: Vec<(TcpListener, Option<Arc<ServerConfig>>)>,
}

/// What all threads of a server share.
pub(crate) struct Common {
    pub(crate) counters: Counters,
    pub(crate) is_stopping: AtomicBool,
    pub(crate) mailboxes: Box<[Mailbox]>,
    pub(crate) rooms: Rooms,
    pub(crate) pool: Pool,
    pub(crate) gate: Gate,
}

impl std::fmt::Debug for Common {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Common").field("counters", &self.counters).finish_non_exhaustive()
    }
}

/// The server's time: [`Seconds`] since it was made, by a clock that never goes back.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that begins now.
    pub fn start() -> Self {
        Clock { start: Instant::now() }
    }

    /// The time since then.
    pub fn now(&self) -> Seconds {
        self.start.elapsed().into()
    }

    /// How long it has been running, to less than a second: the uptime of a server.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

/// Looks at a server, and stops it, from any thread.
#[derive(Clone, Debug)]
pub struct Handle {
    common: Arc<Common>,
}

impl Handle {
    /// Has all workers answer what has come, and end within about two seconds.
    pub fn stop(&self) {
        self.common.is_stopping.store(true, Relaxed);
        self.common.mailboxes.iter().for_each(Mailbox::wake);
    }

    /// Watches from now on whether the event loops go round.
    pub fn watch(&self) -> Watch {
        Watch::new(Arc::clone(&self.common))
    }

    /// What the server has counted.
    pub fn counters(&self) -> &Counters {
        &self.common.counters
    }
}

impl Server {
    /// Listens on all `addrs`, with a socket per worker.
    ///
    /// # Errors
    /// An address that cannot be listened on, or a system out of descriptors.
    pub fn bind(addrs: &[SocketAddr], settings: Settings, clock: Clock) -> Result<Server, ServerError> {
        Server::bind_each(addrs, None, settings, clock)
    }

    /// Listens on all `plain` addresses without TLS, as [`Server::bind`] does, and on all `secure` ones with it. Either may be
    /// empty.
    ///
    /// # Errors
    /// An address that cannot be listened on, or a system out of descriptors.
    pub fn bind_tls(
        plain: &[SocketAddr],
        secure: &[SocketAddr],
        tls: &Tls,
        settings: Settings,
        clock: Clock,
    ) -> Result<Server, ServerError> {
        Server::bind_each(plain, Some((secure, tls)), settings, clock)
    }

    fn bind_each(
        plain: &[SocketAddr],
        secure: Option<(&[SocketAddr], &Tls)>,
        settings: Settings,
        clock: Clock,
    ) -> Result<Server, ServerError> {
        let workers = settings.workers.max(1);
        let polls = (0..workers).map(|_| Poll::new()).collect::<io::Result<Vec<_>>>()?;
        let mailboxes = polls
            .iter()
            .map(|poll| Ok(Mailbox::new(Waker::new(poll.registry(), WAKER)?)))
            .collect::<io::Result<_>>()?;
        let mut seats: Vec<Seat> =
            polls.into_iter().map(|poll| Seat { poll, listeners: Vec::new() }).collect();
        let mut bind = |addrs: &[SocketAddr], tls: Option<&Tls>| {
            let mut bound = Vec::new();
            for &addr in addrs {
                let sockets = listen(addr, workers)?;
                bound.push(sockets[0].local_addr()?);
                for (seat, socket) in seats.iter_mut().zip(sockets) {
                    seat.listeners.push((socket, tls.map(Tls::config)));
                }
            }
            Ok::<_, ServerError>(bound)
        };
        let addrs = bind(plain, None)?;
        let secure_addrs = match secure {
            Some((addrs, tls)) => bind(addrs, Some(tls))?,
            None => Vec::new(),
        };
        let gate = Gate::new(&settings.quota, &settings.proxies);
        Ok(Server {
            settings,
            addrs,
            secure_addrs,
            seats: Mutex::new(seats),
            common: Arc::new(Common {
                counters: Counters::new(workers),
                is_stopping: AtomicBool::new(false),
                mailboxes,
                rooms: Rooms::new(workers),
                pool: Pool::new(),
                gate,
            }),
            clock,
        })
    }

    /// The addresses listened on without TLS, in the order asked for, with the port that the system chose where 0 was asked for.
    pub fn addrs(&self) -> &[SocketAddr] {
        &self.addrs
    }

    /// The addresses listened on with TLS, likewise.
    pub fn secure_addrs(&self) -> &[SocketAddr] {
        &self.secure_addrs
    }

    /// The clock that requests are served by.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// A handle on this server.
    pub fn handle(&self) -> Handle {
        Handle { common: Arc::clone(&self.common) }
    }

    #[cfg(test)]
    pub(crate) fn gate(&self) -> &Gate {
        &self.common.gate
    }

    /// Starts the workers on `scope`, which ends when they have: after [`Handle::stop`]. To be called once.
    pub fn spawn<'env, S: Service>(&'env self, scope: &Scope<'env>, service: &'env S) {
        let running = Arc::new(Running(Arc::clone(&self.common)));
        for (me, seat) in self.seats.lock().drain(..).enumerate() {
            let running = Arc::clone(&running);
            let work = move |_: &Scope<'env>| {
                let from_std = |(socket, tls)| (mio::net::TcpListener::from_std(socket), tls);
                let listeners = seat.listeners.into_iter().map(from_std).collect();
                let (common, settings) = (&*self.common, &self.settings);
                Worker::new(me, seat.poll, listeners, common, settings, service, self.clock.start).run();
                drop(running);
            };
            spawn(scope, &format!("worker-{me}"), work);
        }
        for me in 0..POOL {
            spawn(scope, &format!("answers-{me}"), move |_| {
                slow::run(service, &self.common, &self.settings.limits);
            });
        }
    }

    /// Runs the server in a scope of its own, until it is [stopped](Handle::stop).
    pub fn run<S: Service>(&self, service: &S) {
        let ended = crossbeam::scope(|scope| self.spawn(scope, service));
        if let Err(panic) = ended {
            std::panic::resume_unwind(panic);
        }
    }
}

/// Held by every worker: when the last one ends, however it does, there are no more answers to be written.
struct Running(Arc<Common>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.pool.close();
    }
}

fn spawn<'env>(scope: &Scope<'env>, name: &str, work: impl FnOnce(&Scope<'env>) + Send + 'env) {
    let spawned = scope.builder().name(name.to_owned()).spawn(work);
    if let Err(error) = spawned {
        // the others go on
        tracing::error!("thread {name} cannot be started: {error}");
    }
}
