//! Threads that announce at full speed, beside those that sweep and write snapshots.

use std::io;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use tracker_core::{Announce, AnnounceReply, Expired, Seconds, Tracker};
use tracker_store::{Saved, Store};

use crate::clocks::{self, Scheduled};
use crate::life::Life;
use crate::population::mix;
use crate::tally::{SLOW, Slow, Tally};

/// Announces that are made ready before they are carried out one after the other.
const BATCH: usize = 64;
/// After so many batches the other threads are looked at again.
const LOOK: usize = 16;

/// What the announcing threads do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Work {
    /// All come who are there at the beginning.
    Fill,
    /// Peers come, announce and go, for so long.
    Live(Duration),
    /// Nothing of the tracker's: some arithmetic of about the same length. Whatever is slow then is the machine.
    Count(Duration),
}

/// Who does something at the same time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    pub(crate) work: Work,
    pub(crate) announcers: usize,
    pub(crate) sweeps: bool,
    pub(crate) snapshots: bool,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) stage: Stage,
    pub(crate) tally: Tally,
    pub(crate) took: Duration,
    pub(crate) sweeps: Sweeps,
    pub(crate) snapshots: Vec<Snapshot>,
}

/// What was swept.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sweeps {
    /// Sweeps that went through the whole tracker.
    pub(crate) count: u64,
    pub(crate) longest: Duration,
    pub(crate) expired: Expired,
}

/// A snapshot that was written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Snapshot {
    pub(crate) took: Duration,
    pub(crate) cpu: Duration,
    pub(crate) saved: Saved,
}

/// The tracker's clock, which announces make go, so that a peer's half hour takes seconds.
#[derive(Debug)]
pub(crate) struct Time {
    announces: AtomicU64,
    pace: f64,
    jumped: AtomicU64,
}

impl Time {
    /// A clock on which so many seconds pass with each announce.
    pub(crate) fn new(pace: f64) -> Self {
        Time { announces: AtomicU64::new(0), pace, jumped: AtomicU64::new(0) }
    }

    fn pass(&self, announces: u64) {
        self.announces.fetch_add(announces, Relaxed);
    }

    pub(crate) fn jump(&self, seconds: u64) {
        self.jumped.fetch_add(seconds, Relaxed);
    }

    pub(crate) fn now(&self) -> Seconds {
        let passed = Duration::from_secs_f64(self.announces.load(Relaxed) as f64 * self.pace);
        Seconds::from(passed + Duration::from_secs(self.jumped.load(Relaxed)))
    }
}

/// What all threads of a stage share.
struct Shared<'a> {
    tracker: &'a Tracker,
    time: &'a Time,
    /// The numbers of all threads, which each writes before it comes to the barrier.
    threads: Mutex<Vec<i32>>,
    start: Barrier,
    is_over: AtomicBool,
}

impl Shared<'_> {
    /// Waits until all threads are there; returns this one and the others, as the scheduler knows them.
    fn start(&self) -> io::Result<(Scheduled, Vec<Scheduled>)> {
        let number = Scheduled::number();
        self.threads.lock().push(number);
        self.start.wait();
        let me = Scheduled::thread(number);
        let others: io::Result<_> = {
            let threads = self.threads.lock();
            threads.iter().filter(|&&other| other != number).map(|&other| Scheduled::thread(other)).collect()
        };
        // nobody may have ended when the others look
        self.start.wait();
        Ok((me?, others?))
    }
}

impl Stage {
    /// Carries it out. Each announcing thread has some of the `lives`.
    pub(crate) fn run(
        self,
        tracker: &Tracker,
        time: &Time,
        lives: &mut [Life],
        store: &mut Store,
    ) -> io::Result<Done> {
        let threads = self.announcers + usize::from(self.sweeps) + usize::from(self.snapshots);
        let shared = Shared {
            tracker,
            time,
            threads: Mutex::new(Vec::new()),
            start: Barrier::new(threads),
            is_over: AtomicBool::new(false),
        };
        let shared = &shared;
        let begin = Instant::now();
        let (tallies, took, sweeps, snapshots) = thread::scope(|scope| {
            let announcers: Vec<_> = lives
                .chunks_mut(lives.len().div_ceil(self.announcers))
                .enumerate()
                .map(|(seed, lives)| scope.spawn(move || announce(shared, lives, self.work, seed as u64)))
                .collect();
            let sweeper = self.sweeps.then(|| scope.spawn(move || sweep(shared)));
            let writer = self.snapshots.then(|| scope.spawn(move || write_snapshots(shared, store)));
            let ended: Vec<_> = announcers.into_iter().map(thread::ScopedJoinHandle::join).collect();
            let took = begin.elapsed();
            shared.is_over.store(true, Relaxed);
            let tallies: Vec<_> = ended.into_iter().map(unwound).collect();
            (tallies, took, sweeper.map(|it| unwound(it.join())), writer.map(|it| unwound(it.join())))
        });
        let mut tally = Tally::new();
        for thread in tallies {
            tally.merge(&thread?);
        }
        let (sweeps, snapshots) =
            (sweeps.transpose()?.unwrap_or_default(), snapshots.transpose()?.unwrap_or_default());
        Ok(Done { stage: self, tally, took, sweeps, snapshots })
    }
}

fn unwound<T>(ended: thread::Result<T>) -> T {
    ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn announce(shared: &Shared<'_>, lives: &mut [Life], work: Work, seed: u64) -> io::Result<Tally> {
    let (me, others) = shared.start()?;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut reply = AnnounceReply::new();
    let mut tally = Tally::new();
    let mut batch = Vec::with_capacity(BATCH);
    let begin = Instant::now();
    let waited_by_others = || others.iter().map(Scheduled::waited).sum::<Duration>();
    let mut others_before = Duration::ZERO;
    for round in 0_usize.. {
        batch.clear();
        let turn = round % lives.len();
        let life = &mut lives[turn];
        match work {
            Work::Fill => batch.extend((0..BATCH).map_while(|_| life.fill())),
            Work::Live(length) | Work::Count(length) if begin.elapsed() < length => {
                batch.extend((0..BATCH).map(|_| life.next()));
            }
            Work::Live(_) | Work::Count(_) => {}
        }
        if batch.is_empty() {
            return Ok(tally);
        }
        if !matches!(work, Work::Count(_)) {
            shared.time.pass(batch.len() as u64);
        }
        let now = shared.time.now();
        if round % LOOK == 0 {
            others_before = waited_by_others();
        }
        let (mut waited_before, mut events_before) = (me.waited(), clocks::events());
        let mut cpu_before = clocks::cpu();
        for announce in &batch {
            let begin = Instant::now();
            match work {
                Work::Count(_) => count(announce),
                _ => carry_out(shared.tracker, announce, now, &mut rng, &mut reply),
            }
            let clock = begin.elapsed();
            let cpu = clocks::cpu();
            if clock < SLOW {
                tally.add(clock, cpu.saturating_sub(cpu_before));
                cpu_before = cpu;
                continue;
            }
            let (waited, others, events) = (me.waited(), waited_by_others(), clocks::events());
            tally.add_slow(Slow {
                clock,
                cpu: cpu.saturating_sub(cpu_before),
                without_core: waited.saturating_sub(waited_before),
                others_without_core: others.saturating_sub(others_before),
                faults: events.faults - events_before.faults,
                has_slept: events.sleeps > events_before.sleeps,
            });
            (waited_before, others_before, events_before) = (waited, others, events);
            cpu_before = clocks::cpu();
        }
    }
    unreachable!("there are not so many rounds")
}

fn carry_out(
    tracker: &Tracker,
    announce: &Announce,
    now: Seconds,
    rng: &mut Xoshiro256PlusPlus,
    reply: &mut AnnounceReply,
) {
    let outcome = tracker.announce(announce, now, rng, reply);
    debug_assert!(outcome.is_ok(), "there are fewer torrents than may be");
}

/// Arithmetic of half a microsecond.
fn count(announce: &Announce) {
    let mut number = announce.left;
    for _ in 0..100 {
        number = mix(number ^ 1);
    }
    std::hint::black_box(number);
}

fn sweep(shared: &Shared<'_>) -> io::Result<Sweeps> {
    shared.start()?;
    let mut sweeps = Sweeps::default();
    loop {
        let begin = Instant::now();
        let Expired { peers, torrents } = shared.tracker.expire(shared.time.now());
        sweeps.count += 1;
        sweeps.longest = sweeps.longest.max(begin.elapsed());
        sweeps.expired.peers += peers;
        sweeps.expired.torrents += torrents;
        if shared.is_over.load(Relaxed) {
            return Ok(sweeps);
        }
    }
}

fn write_snapshots(shared: &Shared<'_>, store: &mut Store) -> io::Result<Vec<Snapshot>> {
    shared.start()?;
    clocks::give_way();
    let mut snapshots = Vec::new();
    loop {
        let (begin, cpu) = (Instant::now(), clocks::cpu());
        let completed = shared.tracker.totals().completed;
        // one is finished, however short the stage is
        let goes_on = || snapshots.is_empty() || !shared.is_over.load(Relaxed);
        match store.save_swarms(shared.tracker, 0, completed, || shared.time.now(), goes_on) {
            Ok(saved) => snapshots.push(Snapshot { took: begin.elapsed(), cpu: clocks::cpu() - cpu, saved }),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(snapshots),
            Err(error) => return Err(error),
        }
        if shared.is_over.load(Relaxed) {
            return Ok(snapshots);
        }
    }
}
