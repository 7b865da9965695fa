//! How long a lock is held: measured by walking through the steps one by one, and bounded by the work in a step.
//!
//! What is done in each step is the same in every run, so the least of several runs is taken for each step, and the
//! largest of these is the figure: what else the machine had to do is out of it then.

use std::time::{Duration, Instant};

use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::{
    Announce, AnnounceReply, Config, Event, Expired, InfoHash, PeerAddr, PeerId, Seconds, SwarmData, Tracker,
    expire, export,
};

const MILLION: u32 = 1_000_000;

/// The least time that each step took in any run.
#[derive(Default)]
struct Steps {
    least: Vec<Duration>,
    at: usize,
}

impl Steps {
    fn begin_run(&mut self) {
        self.at = 0;
    }

    fn add(&mut self, took: Duration) {
        match self.least.get_mut(self.at) {
            Some(least) => *least = took.min(*least),
            None => self.least.push(took),
        }
        self.at += 1;
    }

    fn show(&self, what: &str) -> Duration {
        let total: Duration = self.least.iter().sum();
        let longest = self.least.iter().max().copied().unwrap_or_default();
        println!("  {what:28} longest {longest:>9.1?} of {} steps, {total:.1?} in all", self.least.len());
        longest
    }
}

fn announce(n: u32, torrents: u32) -> Announce {
    let mut info_hash = InfoHash::default();
    info_hash.0[..4].copy_from_slice(&(n % torrents).to_be_bytes());
    Announce {
        info_hash,
        peer_id: PeerId([b'x'; 20]),
        addr: PeerAddr::new([10, (n >> 16) as u8, (n >> 8) as u8, n as u8].into(), 6881),
        left: u64::from(n / torrents % 3),
        event: Event::Completed,
        numwant: 0,
        want_ids: false,
        is_exempt: false,
    }
}

fn filled(peers: u32, torrents: u32, keep_peer_ids: bool, steps: &mut Steps) -> Tracker {
    let tracker = Tracker::new(Config { shards: 1, keep_peer_ids, ..Config::default() });
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut reply = AnnounceReply::new();
    steps.begin_run();
    for n in 0..peers {
        let announce = announce(n, torrents);
        let begin = Instant::now();
        tracker.announce(&announce, Seconds::new(0), &mut rng, &mut reply).unwrap();
        steps.add(begin.elapsed());
    }
    tracker
}

/// [`Tracker::expire`], step by step; returns how many peers went.
fn sweep_all(tracker: &Tracker, now: Seconds, steps: &mut Steps) -> u64 {
    let (mut cursor, mut expired) = (expire::Cursor::new(), Expired::default());
    steps.begin_run();
    let mut is_done = false;
    while !is_done {
        let begin = Instant::now();
        let mut shard = tracker.shards[0].shard.lock();
        let now = tracker.moment(now);
        is_done = shard.sweep(&mut cursor, &now, &tracker.rules, tracker.ledger(), &mut expired);
        steps.add(begin.elapsed());
        drop(shard);
    }
    expired.peers
}

/// [`Tracker::export`], step by step.
fn export_all(tracker: &Tracker, steps: &mut Steps) {
    let mut cursor = export::Cursor::new();
    let mut piece = export::Piece::new(tracker.config().keep_peer_ids);
    let now = tracker.moment(Seconds::new(0));
    steps.begin_run();
    let mut is_done = false;
    while !is_done {
        let begin = Instant::now();
        is_done = tracker.shards[0].shard.lock().copy(&mut cursor, &now, &tracker.rules.hasher, &mut piece);
        steps.add(begin.elapsed());
        piece.show(&now, &mut SwarmData::default(), &mut |_| {});
    }
}

/// [`Tracker::retain`], step by step.
fn retain_nothing(tracker: &Tracker, steps: &mut Steps) {
    let mut cursor = expire::Cursor::new();
    steps.begin_run();
    let mut is_done = false;
    while !is_done {
        let begin = Instant::now();
        let (rules, ledger) = (&tracker.rules, tracker.ledger());
        let mut shard = tracker.shards[0].shard.lock();
        is_done = shard.drop_unless(&mut cursor, &mut |_| false, rules, ledger, &mut 0);
        steps.add(begin.elapsed());
        drop(shard);
        cursor.taken_out.clear();
    }
}

#[test]
fn a_step_looks_at_a_bounded_number_of_peers() {
    for (peers, torrents) in [(40_000, 1), (40_000, 40_000), (40_000, 300)] {
        let tracker = filled(peers, torrents, true, &mut Steps::default());
        let mut cursor = expire::Cursor::new();
        let mut left = tracker.totals().peers();
        loop {
            let now = tracker.moment(Seconds::new(2700));
            let mut shard = tracker.shards[0].shard.lock();
            let is_done =
                shard.sweep(&mut cursor, &now, &tracker.rules, tracker.ledger(), &mut Expired::default());
            let still = shard.totals.v4.seeders + shard.totals.v4.leechers;
            assert!(left - still <= expire::STEP as u64);
            assert!(is_done || left - still >= expire::STEP as u64 / 100, "a step is worth its lock");
            left = still;
            if is_done {
                break;
            }
        }
        assert_eq!((left, tracker.totals().torrents), (0, 0));
    }
}

/// The allocator that the program ships: how long a lock is held depends on it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[test]
#[ignore = "a measurement: cargo test --release -p tracker-core holds -- --ignored --nocapture"]
fn the_longest_time_that_a_lock_is_held() {
    for (torrents, ids) in [(1, false), (1, true), (50_000, false), (50_000, true), (MILLION, false)] {
        println!(
            "{MILLION} peers in {torrents} torrents of one shard, ids {}",
            if ids { "kept" } else { "dropped" }
        );
        let mut all: [Steps; 6] = Default::default();
        let [grow, copy, look, ask, expire, drop_all] = &mut all;
        for _ in 0..3 {
            let tracker = filled(MILLION, torrents, ids, grow);
            export_all(&tracker, copy);
            assert_eq!(sweep_all(&tracker, Seconds::new(1), look), 0);
            ask.begin_run();
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
            let mut reply = AnnounceReply::new();
            for _ in 0..3 {
                let stranger = Announce {
                    addr: PeerAddr::new([1, 2, 3, 4].into(), 0),
                    left: 1,
                    numwant: 50,
                    ..announce(0, 1)
                };
                let begin = Instant::now();
                tracker.announce(&stranger, Seconds::new(2700), &mut rng, &mut reply).unwrap();
                ask.add(begin.elapsed());
            }
            assert_eq!(sweep_all(&tracker, Seconds::new(2700), expire), u64::from(MILLION));
            let tracker = filled(MILLION, torrents, ids, &mut Steps::default());
            retain_nothing(&tracker, drop_all);
        }
        grow.show("grow, an announce a step");
        copy.show("export");
        look.show("sweep, nobody stale");
        ask.show("announce among a stale swarm");
        let longest = expire.show("sweep, all stale");
        drop_all.show("retain nothing");
        assert!(longest < Duration::from_millis(1));
    }
}
