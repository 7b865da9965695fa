//! The program is killed at random moments, and begins again where its last snapshot was.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::client::{Client, announce, get};
use crate::place::Place;

/// How often it is killed.
const TIMES: usize = 12;
const CLIENTS: u8 = 4;
/// Between two completions of a client, so that its ports last for all rounds.
const PACE: Duration = Duration::from_millis(2);

/// A peer that completed a download, and when the tracker had answered that.
#[derive(Clone, Copy)]
struct Answered {
    torrent: u8,
    port: u16,
    at: SystemTime,
}

/// Announces completions of new peers, until the tracker is gone.
fn complete(
    mut client: Client,
    torrent: u8,
    mut port: u16,
    stop: &AtomicBool,
    mut answered: impl FnMut(Answered),
) {
    while !stop.load(Relaxed) {
        port += 1;
        let request = announce(torrent, port, "&left=0&event=completed&numwant=0");
        if client.try_ask(request).is_none() {
            return;
        }
        answered(Answered { torrent, port, at: SystemTime::now() });
        thread::sleep(PACE);
    }
}

/// Announces as fast as the tracker answers, until it is gone.
fn load(mut client: Client, torrent: u8, stop: &AtomicBool) {
    let mut ports = (1..1000).cycle();
    while !stop.load(Relaxed) {
        let port = ports.next().unwrap_or(1);
        if client.try_ask(announce(torrent, port, "&left=1")).is_none() {
            return;
        }
    }
}

fn completed(client: &mut Client) -> u64 {
    client.ask(get("/stats.json?period=1h")).json()["completed"].as_u64().unwrap()
}

/// When the snapshot on disk was begun, in Unix seconds.
fn snapshot_time(place: &Place) -> Option<u64> {
    let text = std::fs::read_to_string(place.path("tracker-data/swarms.ron")).ok()?;
    text.split_once("time:")?.1.split(',').next()?.parse().ok()
}

#[test]
fn killed_again_and_again_it_forgets_nothing_that_was_answered_before_its_snapshot() {
    let seed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64;
    println!("seed {seed}");
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let place = Place::config("(store: (sample_every: \"1s\", snapshot_every: \"1s\"))");
    // all that was ever answered, but what may be lost: by torrent and port
    let mut kept: BTreeMap<(u8, u16), ()> = BTreeMap::new();
    let (mut next_port, mut snapshots) = (1000_u16, 0);
    for round in 0..TIMES {
        let mut program = place.start_configured(&["--log-level", "warn"]);
        let mut client = program.client();
        let before = completed(&mut client);
        for torrent in 1..=CLIENTS {
            let known = kept.keys().filter(|(other, _)| *other == torrent).count() as i64;
            let [complete, downloaded, _] = client.scrape(torrent);
            assert!(
                complete >= known && downloaded >= known,
                "round {round}, torrent {torrent}: {known} were answered, {complete} are there"
            );
        }
        assert!(
            before >= kept.len() as u64,
            "round {round}: {} were answered, {before} are counted",
            kept.len()
        );

        let stop = AtomicBool::new(false);
        let (sender, receiver) = channel();
        let life = Duration::from_millis(u64::from(rng.next_u32() % 2500));
        thread::scope(|scope| {
            for torrent in 1..=CLIENTS {
                let (sender, client, stop) = (sender.clone(), program.client(), &stop);
                scope.spawn(move || {
                    complete(client, torrent, next_port, stop, |answered| sender.send(answered).unwrap());
                });
                let client = program.client();
                scope.spawn(move || load(client, 100 + torrent, stop));
            }
            // a moment is what is wanted here, whatever the program does in it
            thread::sleep(life);
            program.signal("KILL");
            stop.store(true, Relaxed);
        });
        program.end();
        drop(sender);
        let answered: Vec<_> = receiver.iter().collect();
        next_port += answered.iter().map(|one| one.port - next_port).max().unwrap_or(0) + 1;

        // the header's time is in whole seconds, rounded down: what was answered before it is in the snapshot
        let taken = snapshot_time(&place).map(|time| SystemTime::UNIX_EPOCH + Duration::from_secs(time));
        let safe = answered.iter().filter(|one| taken.is_some_and(|taken| one.at <= taken));
        let before = kept.len();
        kept.extend(safe.map(|one| ((one.torrent, one.port), ())));
        snapshots += usize::from(kept.len() > before);
    }
    assert!(snapshots > 0, "no snapshot was ever taken under load");
    // and in the end the peers are the very ones
    let program = place.start_configured(&["--log-level", "warn"]);
    let mut client = program.client();
    for torrent in 1..=CLIENTS {
        let mut ports = std::collections::BTreeSet::new();
        let wanted: Vec<_> =
            kept.keys().filter(|(other, _)| *other == torrent).map(|(_, port)| *port).collect();
        let begin = Instant::now();
        // a leecher is told of up to 200 at a time
        while !wanted.iter().all(|port| ports.contains(port)) {
            ports.extend(client.announce(torrent, 1, "&left=1&numwant=200").ports);
            assert!(
                begin.elapsed() < Duration::from_secs(60),
                "torrent {torrent}: some are never handed out"
            );
        }
    }
    let said = program.stop();
    assert!(!said.iter().any(|line| line.contains("damaged")), "{said:#?}");
}

#[test]
fn counters_go_back_by_no_more_than_one_snapshot() {
    let place = Place::config("(store: (sample_every: \"1s\", snapshot_every: \"1s\"))");
    let mut last = 0;
    for round in 0..3_u16 {
        let mut program = place.start_configured(&["--log-level", "warn"]);
        let mut client = program.client();
        let now = completed(&mut client);
        assert!(now >= last, "round {round}: {last} were counted before the last snapshot, {now} are now");
        for port in 0..100 {
            client.announce(1, 1000 + round * 100 + port, "&left=0&event=completed&numwant=0");
        }
        crate::program::until("a snapshot has them", || {
            let text = std::fs::read_to_string(place.path("tracker-data/swarms.ron")).unwrap_or_default();
            text.contains(&format!("completed:{}", now + 100))
        });
        last = now + 100;
        for port in 0..50 {
            client.announce(2, 1000 + round * 100 + port, "&left=0&event=completed&numwant=0");
        }
        program.signal("KILL");
        program.end();
    }
}
