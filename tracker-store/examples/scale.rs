//! What snapshots and queries cost: `cargo run --release -p tracker-store --example scale`.
//!
//! 1,000,000 peers in 50,000 torrents are written down and read again, while another thread announces; then three days
//! of samples are asked for by the minute. Numbers are of this machine and this moment.

#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use tracker_core::{Announce, AnnounceReply, Config, Event, InfoHash, PeerAddr, PeerId, Seconds, Tracker};
use tracker_store::{Grouping, Period, Sample, Series, Store};

const PEERS: u32 = 1_000_000;
const TORRENTS: u32 = 50_000;

/// The program ships it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn announce(peer: u32) -> Announce {
    let mut info_hash = InfoHash::default();
    info_hash.0[..4].copy_from_slice(&(peer % TORRENTS).wrapping_mul(2_654_435_761).to_be_bytes());
    Announce {
        info_hash,
        peer_id: PeerId(*b"-XX0001-abcdefghijkl"),
        addr: PeerAddr::new([10, (peer >> 16) as u8, (peer >> 8) as u8, peer as u8].into(), 6881),
        left: u64::from(peer % 3),
        event: Event::Regular,
        numwant: 50,
        want_ids: false,
        is_exempt: false,
    }
}

/// How long announces take, one after the other, until `stop`.
fn slowest(tracker: &Tracker, stop: &AtomicBool) -> Vec<Duration> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
    let mut reply = AnnounceReply::new();
    let mut times = Vec::with_capacity(1 << 22);
    while !stop.load(Relaxed) {
        let announce = announce(rng.next_u32() % PEERS);
        let begin = Instant::now();
        tracker.announce(&announce, Seconds::new(1), &mut rng, &mut reply).unwrap();
        times.push(begin.elapsed());
    }
    times.sort_unstable_by(|a, b| b.cmp(a));
    times
}

fn show(what: &str, times: &[Duration]) {
    let over = times.iter().filter(|time| **time > Duration::from_millis(1)).count();
    println!(
        "  announces {what}: {}, slowest {:?}, the hundredth slowest {:?}, {over} over 1 ms",
        times.len(),
        times[0],
        times[100.min(times.len() - 1)]
    );
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// CPU seconds of this thread, from the scheduler's books.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = stat.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

fn main() {
    let place = tempfile::tempdir_in(".").unwrap();
    let (mut store, _, _) = Store::open(place.path(), 0).unwrap();
    let tracker = Tracker::new(Config::default());
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut reply = AnnounceReply::new();
    for peer in 0..PEERS {
        tracker.announce(&announce(peer), Seconds::new(0), &mut rng, &mut reply).unwrap();
    }
    println!("{PEERS} peers in {TORRENTS} torrents, ids kept; {} MB at the most so far", resident());

    for round in 1..=3 {
        let stop = AtomicBool::new(false);
        let (before, during) = std::thread::scope(|scope| {
            let quiet = scope.spawn(|| slowest(&tracker, &stop));
            std::thread::sleep(Duration::from_secs(1));
            stop.store(true, Relaxed);
            let quiet = quiet.join().unwrap();
            stop.store(false, Relaxed);
            let busy = scope.spawn(|| slowest(&tracker, &stop));
            let (begin, cpu_begin) = (Instant::now(), cpu());
            let saved = store.save_swarms(&tracker, 0, 0, || Seconds::new(1), || true).unwrap();
            let (took, cpu) = (begin.elapsed(), cpu() - cpu_begin);
            stop.store(true, Relaxed);
            println!(
                "round {round}: written in {took:.2?}, {cpu:.2?} of CPU: {} torrents, {} peers, {} MB; {} MB at the most",
                saved.torrents,
                saved.peers,
                saved.bytes / 1_000_000,
                resident()
            );
            (quiet, busy.join().unwrap())
        });
        show("before", &before);
        show("meanwhile", &during);
        let other = Tracker::new(Config::default());
        let (begin, cpu_begin) = (Instant::now(), cpu());
        let loaded = store.load_swarms(&other, Seconds::new(0), 1).unwrap();
        println!(
            "  read in {:.2?}, {:.2?} of CPU: {} peers",
            begin.elapsed(),
            cpu() - cpu_begin,
            loaded.peers
        );
        assert!(loaded.damage.is_empty());
    }

    let mut series = Series::new();
    for minute in 1..=7 * 1440_u64 {
        series.push(&Sample {
            time: minute * 60,
            over: 60,
            peers: minute,
            announces: minute,
            ..Sample::default()
        });
    }
    let now = 7 * 86_400 + 30;
    let mut times: Vec<_> = (0..1000)
        .map(|_| {
            let begin = Instant::now();
            black_box(series.query(Period::ThreeDays, Grouping::Minute, black_box(now)));
            begin.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!("3 days by the minute: {:?} (median of 1000), {:?} at the most", times[500], times[999]);
}
