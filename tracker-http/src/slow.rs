//! Answers that take long: written by a few threads of their own, a piece at a time, while the event loop sends.

use std::io;
use std::net::IpAddr;

use crossbeam::channel::{Receiver, Sender, bounded};
use mio::Waker;
use parking_lot::Mutex;

use crate::parser::{Limits, Status, parse};
use crate::server::Common;
use crate::service::Service;

/// Bytes of a piece.
const SIZE: usize = 64 << 10;
/// Pieces that may wait for a slow client.
const AHEAD: usize = 4;
/// Answers that may wait for a thread.
const QUEUE: usize = 64;

/// A part of a body.
pub(crate) enum Piece {
    Bytes(Vec<u8>),
    /// That was all. Without it the answer has been given up, and the client must not take it for complete.
    End,
}

/// An answer to be written.
pub(crate) struct Job {
    head: Vec<u8>,
    client: IpAddr,
    pieces: Sender<Piece>,
    worker: usize,
    connection: usize,
}

/// A worker's end of the pool: connections that have something to send.
pub(crate) struct Mailbox {
    waker: Waker,
    ready: Mutex<Vec<usize>>,
}

impl Mailbox {
    pub(crate) fn new(waker: Waker) -> Self {
        Mailbox { waker, ready: Mutex::new(Vec::new()) }
    }

    /// Ends the worker's wait.
    pub(crate) fn wake(&self) {
        // a failure means that the worker is awake
        let _ = self.waker.wake();
    }

    fn post(&self, connection: usize) {
        self.ready.lock().push(connection);
        self.wake();
    }

    /// Takes the connections that have become ready.
    pub(crate) fn take(&self) -> Vec<usize> {
        std::mem::take(&mut *self.ready.lock())
    }
}

/// Where workers leave jobs.
pub(crate) struct Pool {
    /// `None` when the server has ended.
    jobs: Mutex<Option<Sender<Job>>>,
    queue: Receiver<Job>,
}

impl Pool {
    pub(crate) fn new() -> Self {
        let (jobs, queue) = bounded(QUEUE);
        Pool { jobs: Mutex::new(Some(jobs)), queue }
    }

    /// Hands a request over; `None` if too many wait already. The pieces come until the channel is closed.
    pub(crate) fn submit(
        &self,
        head: Vec<u8>,
        client: IpAddr,
        worker: usize,
        connection: usize,
    ) -> Option<Receiver<Piece>> {
        let (pieces, receiver) = bounded(AHEAD);
        self.jobs.lock().as_ref()?.try_send(Job { head, client, pieces, worker, connection }).ok()?;
        Some(receiver)
    }

    /// Lets the pool's threads end.
    pub(crate) fn close(&self) {
        *self.jobs.lock() = None;
    }

    pub(crate) fn queue(&self) -> Receiver<Job> {
        self.queue.clone()
    }
}

/// Does jobs until nobody can leave one any more.
pub(crate) fn run<S: Service>(service: &S, common: &Common, limits: &Limits) {
    let queue = common.pool.queue();
    while let Ok(job) = queue.recv() {
        let mailbox = &common.mailboxes[job.worker];
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut body = Body { buffer: Vec::with_capacity(SIZE), job: &job, mailbox };
            // the head was parsed before, and borrowed from bytes that are gone
            if let Ok(Status::Complete(request)) = parse(&job.head, limits)
                && service.stream(&request, job.client, &mut body).is_ok()
                && body.send().is_ok()
            {
                // an error means that the client has gone
                let _ = job.pieces.send(Piece::End);
            }
        }));
        if done.is_err() {
            common.counters.panicked_beside();
            tracing::error!("an answer could not be finished, since writing it panicked");
        }
        let connection = job.connection;
        drop(job);
        mailbox.post(connection);
    }
}

/// The body under way, in pieces.
struct Body<'a> {
    buffer: Vec<u8>,
    job: &'a Job,
    mailbox: &'a Mailbox,
}

impl Body<'_> {
    fn send(&mut self) -> io::Result<()> {
        if !self.buffer.is_empty() {
            let piece = std::mem::replace(&mut self.buffer, Vec::with_capacity(SIZE));
            self.job.pieces.send(Piece::Bytes(piece)).map_err(|_| io::ErrorKind::BrokenPipe)?;
            self.mailbox.post(self.job.connection);
        }
        Ok(())
    }
}

impl io::Write for Body<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= SIZE {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }
}
