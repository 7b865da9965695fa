//! Room for new connections, in every order of what the threads of a server can do: `loom` tries them all, within a bound on how often a
//! thread is interrupted.
//!
//! The file that is tried is the server's own. What is a model is the worker around it, which does with numbers what the real one does with
//! connections.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

#[path = "../src/room.rs"]
mod room;

use std::collections::VecDeque;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread;

use self::room::{Rooms, Seat};

/// What the server's file calls by that name.
mod atomic {
    pub(crate) use loom::sync::atomic::{AtomicI64, AtomicU64, Ordering};
}

/// Interruptions of a thread that are tried.
const INTERRUPTIONS: usize = 3;

struct Server {
    rooms: Rooms,
    open: AtomicUsize,
    max: usize,
}

struct Worker {
    server: Arc<Server>,
    me: usize,
    seat: Seat,
    /// Since when each is idle.
    idle: VecDeque<u64>,
    busy: usize,
    made_room: usize,
}

impl Worker {
    /// As `Worker::has_room` and what stands around it.
    fn accept(&mut self) -> bool {
        if self.server.open.fetch_add(1, Relaxed) >= self.server.max {
            self.publish();
            match self.server.rooms.claim(thread::yield_now) {
                Some(worker) if worker == self.me => self.make_room(),
                Some(_) => {} // the model's workers wake by themselves
                None => {
                    self.server.open.fetch_sub(1, Relaxed);
                    return false;
                }
            }
        }
        self.busy += 1;
        true
    }

    fn make_room(&mut self) {
        while !self.idle.is_empty() && self.seat.owes(&self.server.rooms) {
            self.idle.pop_front();
            self.server.open.fetch_sub(1, Relaxed);
            self.publish();
            self.made_room += 1;
        }
    }

    fn publish(&mut self) {
        self.seat.publish(&self.server.rooms, self.idle.front().copied(), self.idle.len());
    }

    /// The client of the connection that is idle longest sends a request.
    fn request(&mut self) {
        if self.idle.pop_front().is_some() {
            self.busy += 1;
        }
    }

    /// A request is answered.
    fn answer(&mut self, now: u64) {
        if self.busy > 0 {
            self.busy -= 1;
            self.idle.push_back(now);
        }
    }

    fn end_turn(&mut self) {
        self.make_room();
        self.publish();
    }
}

/// A worker for each, with so many idle connections, and as many connections allowed as there are.
fn workers(idle: &[usize]) -> Vec<Worker> {
    let open = idle.iter().sum();
    let server = Server { rooms: Rooms::new(idle.len()), open: AtomicUsize::new(open), max: open };
    let server = Arc::new(server);
    let worker = |(me, &count)| {
        let (seat, idle) = (Seat::new(me), (0..count as u64).map(|since| 10 * since + me as u64).collect());
        let mut worker = Worker { server: Arc::clone(&server), me, seat, idle, busy: 0, made_room: 0 };
        worker.publish();
        worker
    };
    idle.iter().enumerate().map(worker).collect()
}

/// What holds when all have ended their turns: no connection too many while one is idle, and exactly as much room as there are idle ones.
fn settle(mut workers: Vec<Worker>) -> Vec<Worker> {
    workers.iter_mut().for_each(Worker::end_turn);
    let server = Arc::clone(&workers[0].server);
    let (idle, busy) =
        workers.iter().fold((0, 0), |(idle, busy), worker| (idle + worker.idle.len(), busy + worker.busy));
    let open = server.open.load(Relaxed);
    assert_eq!(open, idle + busy, "connections are counted once");
    assert!(open <= server.max || idle == 0, "{open} are open, {idle} of them idle");
    let mut room = 0;
    while server.rooms.claim(|| ()).is_some() {
        room += 1;
    }
    // more are open than there should be only while all are busy: then the next that are idle are claimed already
    assert_eq!(room, idle, "room for {room}, and {idle} are idle");
    workers
}

/// Has each worker do its part on a thread of its own, in every order; then `check` looks at what has come of it.
fn in_every_order(idle: &'static [usize], parts: &'static [fn(&mut Worker)], check: fn(&[Worker])) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(INTERRUPTIONS);
    model.check(move || {
        let threads: Vec<_> = workers(idle)
            .into_iter()
            .zip(parts)
            .map(|(mut worker, part)| {
                thread::spawn(move || {
                    part(&mut worker);
                    worker
                })
            })
            .collect();
        let workers = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        check(&settle(workers));
    });
}

fn accept_one(worker: &mut Worker) {
    worker.accept();
    worker.end_turn();
}

#[test]
fn two_that_need_the_room_of_one_idle_connection_get_it_once() {
    in_every_order(&[1, 0, 0], &[Worker::end_turn, accept_one, accept_one], |workers| {
        let taken: Vec<_> = workers.iter().map(|worker| worker.busy).collect();
        assert!(taken == [0, 1, 0] || taken == [0, 0, 1], "{taken:?}");
        assert_eq!(workers[0].made_room, 1);
    });
}

#[test]
fn two_that_need_room_of_each_other_and_of_themselves_both_get_it() {
    in_every_order(&[1, 1], &[accept_one, accept_one], |workers| {
        let made: usize = workers.iter().map(|worker| worker.made_room).sum();
        assert_eq!((workers[0].busy, workers[1].busy, made), (1, 1, 2));
    });
}

#[test]
fn a_worker_and_its_neighbour_do_not_close_the_same_one() {
    in_every_order(&[2, 0], &[accept_one, accept_one], |workers| {
        assert_eq!((workers[0].busy, workers[1].busy, workers[0].made_room), (1, 1, 2));
    });
}

#[test]
fn a_connection_that_is_claimed_and_becomes_busy_is_closed_when_it_is_idle_again() {
    fn busy_for_a_while(worker: &mut Worker) {
        worker.request();
        worker.end_turn();
        worker.answer(7);
        worker.end_turn();
    }
    in_every_order(&[1, 0], &[busy_for_a_while, accept_one], |workers| {
        let is_in = workers[1].busy;
        assert_eq!(
            (workers[0].idle.len(), workers[0].made_room),
            (1 - is_in, is_in),
            "one is open at the end"
        );
    });
}

#[test]
fn a_connection_that_is_claimed_and_stays_busy_leaves_a_debt() {
    fn busy(worker: &mut Worker) {
        worker.request();
        worker.end_turn();
    }
    in_every_order(&[1, 0], &[busy, accept_one], |workers| {
        assert_eq!(workers[0].busy, 1);
        assert!(workers[1].busy <= 1 && workers[0].made_room == 0);
    });
}
