//! `simulate_peers` against honest trackers and against such that lie: each lie is found, and nobody else accused.
//!
//! A run takes as long as peers need to be forgotten, so all of them run at the same time, and each test waits for its own.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod liar;

use std::collections::HashMap;
use std::net::TcpListener;
use std::process::{Command, Output};
use std::sync::{LazyLock, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use tracker_core::{Config, Tracker};
use tracker_http::{Access, Clock, Rules, Server, Settings, TrackerService};

use crate::liar::{Liar, Lie};

const TIMEOUT: u32 = 3;
const MAX_NUMWANT: u32 = 10;
/// The first of the seeds.
const SEED: u64 = 100;

/// A tracker on this machine, and `simulate_peers` with more arguments against it.
fn run(lie: Lie, seed: u64, more: &[&str]) -> Output {
    let forgets = lie != Lie::KeepsTheDead;
    let peer_timeout = if forgets { TIMEOUT } else { 100_000 };
    let tracker = Tracker::new(Config { peer_timeout, ..Config::default() });
    let access = Access::default();
    let rules = Rules {
        interval: 1,
        min_interval: 1,
        default_numwant: MAX_NUMWANT,
        max_numwant: MAX_NUMWANT,
        ..Rules::default()
    };
    let honest = TrackerService::new(&tracker, rules, &access);
    let liar = Liar::new(lie, &tracker, honest, MAX_NUMWANT);
    let clock = Clock::start();
    // every other honest one is asked over IPv6 too, where the machine has it
    let mut addrs = vec!["127.0.0.1:0".parse().unwrap()];
    if lie == Lie::Nothing && seed % 2 == 1 && TcpListener::bind("[::1]:0").is_ok() {
        addrs.push("[::1]:0".parse().unwrap());
    }
    let server = Server::bind(&addrs, Settings::default(), clock).unwrap();
    let handle = server.handle();
    let urls: Vec<String> = server.addrs().iter().map(|addr| format!("http://{addr}/announce")).collect();
    let (done, is_done) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(|| server.run(&liar));
        let tracker = &tracker;
        scope.spawn(move || {
            while is_done.recv_timeout(Duration::from_millis(100)) == Err(mpsc::RecvTimeoutError::Timeout) {
                tracker.expire(clock.now());
            }
        });
        let output = Command::new(env!("CARGO_BIN_EXE_simulate_peers"))
            .args(urls)
            .args(["--seed", &seed.to_string(), "--seconds", "10.5", "--peers", "90", "--torrents", "2"])
            .args(["--connections", "12", "--pace", "1.5", "--vanish", "0.4"])
            .args(["--peer-timeout", "3s", "--sweep", "0.3s", "--grace", "0.8s"])
            .args(more)
            .output()
            .unwrap();
        drop(done);
        handle.stop();
        output
    })
}

/// Runs that are under way, by lie and seed.
type Runs = HashMap<(Lie, u64), JoinHandle<Output>>;

/// All of them, begun at the first look.
static RUNS: LazyLock<Mutex<Runs>> = LazyLock::new(|| {
    let lies = LIES.iter().map(|&(lie, _)| (lie, SEED));
    let honest = (0..20).map(|n| (Lie::Nothing, SEED + n));
    let begin = |(lie, seed)| {
        let patience = if lie == Lie::IsSlow { "1" } else { "5" };
        ((lie, seed), std::thread::spawn(move || run(lie, seed, &["--json", "--patience", patience])))
    };
    Mutex::new(lies.chain(honest).map(begin).collect())
});

/// The verdict: the names of the checks that failed, and all of it.
fn verdict(lie: Lie, seed: u64) -> (Vec<String>, Value) {
    let handle = RUNS.lock().unwrap().remove(&(lie, seed)).unwrap();
    let output = handle.join().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let json: Value = serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    let failed = with_result(&json, "failed");
    assert_eq!(output.status.code(), Some(i32::from(!failed.is_empty())), "{json:#}");
    (failed, json)
}

fn with_result(json: &Value, result: &str) -> Vec<String> {
    let checks = json["checks"].as_array().unwrap().iter().filter(|check| check["result"] == result);
    checks.map(|check| check["name"].as_str().unwrap().to_owned()).collect()
}

/// Each lie, and by which checks it is found: by the first one in any case, and by others that it leads to.
const LIES: &[(Lie, &[&str])] = &[
    (Lie::HandsOutTheAsker, &["itself"]),
    (Lie::KeepsTheDead, &["dead", "counts", "scrapes", "empty"]),
    (Lie::KeepsThoseWhoLeft, &["left", "counts", "scrapes", "empty", "strangers", "stopped"]),
    (Lie::CountsOneSeederMore, &["counts"]),
    (Lie::CountsOneLeecherLess, &["counts"]),
    (Lie::ScrapesOneMore, &["scrapes"]),
    (Lie::CountsNoCompletion, &["completions"]),
    (Lie::CountsCompletionsTwice, &["completions"]),
    (Lie::FavoursSome, &["fairness"]),
    (Lie::FavoursOne, &["fairness"]),
    (Lie::SeedersToSeeders, &["seeders", "partial"]),
    (Lie::PartialSeedsToAll, &["partial", "scrapes"]),
    (Lie::MixesTorrents, &["torrents", "left", "dead", "seeders", "partial", "fairness"]),
    (Lie::HandsOutStrangers, &["strangers", "fairness"]),
    (Lie::Duplicates, &["twice", "fairness"]),
    (Lie::GivesTooMany, &["numwant"]),
    (Lie::GivesNobody, &["enough"]),
    (Lie::AnswersStoppedWithPeers, &["stopped"]),
    (Lie::ChangesTheInterval, &["interval"]),
    (Lie::ConfusesAddresses, &["address"]),
    (Lie::ConfusesIds, &["ids"]),
    (Lie::Refuses, &["accepted"]),
    (Lie::IsSlow, &["answered"]),
    (Lie::Closes, &["answered"]),
    (Lie::SaysGarbage, &["valid"]),
    (Lie::SaysStatus500, &["valid"]),
];

/// The lie is found and named, with an example, and what is right is not called wrong.
#[track_caller]
fn is_found(lie: Lie) {
    let names = LIES.iter().find(|(other, _)| *other == lie).unwrap().1;
    let (failed, json) = verdict(lie, SEED);
    assert!(failed.iter().any(|name| name == names[0]), "{lie:?} is not found by {}: {json:#}", names[0]);
    assert!(failed.iter().all(|name| names.contains(&name.as_str())), "{lie:?}: {json:#}");
    let check = json["checks"].as_array().unwrap().iter().find(|check| check["name"] == names[0]).unwrap();
    assert!(
        check["first"].as_str().is_some_and(|first| first.len() > 5 && !first.contains('\n')),
        "{check:#}"
    );
    println!("{lie:?}: {}", check["first"]);
}

macro_rules! lies {
    ($($name:ident: $lie:ident,)*) => {$(
        #[test]
        fn $name() {
            is_found(Lie::$lie);
        }
    )*};
}

lies! {
    found_who_hands_out_the_asker: HandsOutTheAsker,
    found_who_keeps_the_dead: KeepsTheDead,
    found_who_keeps_those_who_left: KeepsThoseWhoLeft,
    found_who_counts_one_seeder_more: CountsOneSeederMore,
    found_who_counts_one_leecher_less: CountsOneLeecherLess,
    found_who_scrapes_one_more: ScrapesOneMore,
    found_who_counts_no_completion: CountsNoCompletion,
    found_who_counts_completions_twice: CountsCompletionsTwice,
    found_who_favours_some: FavoursSome,
    found_who_favours_one: FavoursOne,
    found_who_gives_seeders_to_seeders: SeedersToSeeders,
    found_who_gives_partial_seeds_to_all: PartialSeedsToAll,
    found_who_mixes_torrents: MixesTorrents,
    found_who_hands_out_strangers: HandsOutStrangers,
    found_who_hands_out_somebody_twice: Duplicates,
    found_who_gives_too_many: GivesTooMany,
    found_who_gives_nobody: GivesNobody,
    found_who_answers_stopped_with_peers: AnswersStoppedWithPeers,
    found_who_changes_the_interval: ChangesTheInterval,
    found_who_confuses_addresses: ConfusesAddresses,
    found_who_confuses_ids: ConfusesIds,
    found_who_refuses: Refuses,
    found_who_is_slow: IsSlow,
    found_who_closes: Closes,
    found_who_says_garbage: SaysGarbage,
    found_who_says_status_500: SaysStatus500,
}

#[test]
fn honest_trackers_are_never_accused() {
    let (mut peers, mut without_ids) = (0, 0);
    for seed in SEED..SEED + 20 {
        let (failed, json) = verdict(Lie::Nothing, seed);
        assert!(failed.is_empty(), "seed {seed}: {json:#}");
        let mut unchecked = with_result(&json, "not checked");
        // few have a client that asks for ids
        unchecked.retain(|name| {
            name != "ids" || {
                without_ids += 1;
                false
            }
        });
        assert!(unchecked.is_empty(), "seed {seed}: {json:#}");
        peers += json["peers"]["arrived"].as_u64().unwrap();
    }
    assert!(peers == 20 * 90 && without_ids < 10, "{peers} peers, {without_ids} runs without ids");
}

#[test]
fn the_verdict_names_what_is_wrong_in_one_line() {
    let output = run(Lie::Refuses, SEED, &["--seconds", "3"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    let at = text.lines().position(|line| line.starts_with("  accepted    FAILED")).unwrap();
    assert!(text.lines().nth(at + 1).unwrap().ends_with("times, first: go away"), "{text}");
    assert!(text.ends_with("\nFAILED: accepted (seed 100)\n"), "{text}");
    assert!(!text.contains('\x1b'), "{text}");
    let introduction = String::from_utf8(output.stderr).unwrap();
    assert!(introduction.starts_with("90 peers of 2 torrents announce to 127.0.0.1:"), "{introduction}");
}

#[test]
fn a_check_can_be_left_out() {
    let output = run(Lie::Refuses, SEED, &["--seconds", "3", "--skip", "accepted,dead"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert_eq!(text.matches("left out by --skip").count(), 2, "{text}");
}

#[test]
fn what_cannot_be_simulated_is_one_sentence() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (args, part) in [
        (vec!["http://192.0.2.1:6969/announce".to_owned()], "loopback addresses only"),
        (vec!["https://127.0.0.1/announce".to_owned()], "not https"),
        (vec![format!("http://{free}/announce")], "does not answer as a tracker"),
        (vec!["--peers".to_owned(), "3".to_owned()], "--peers must be"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_simulate_peers")).args(args).output().unwrap();
        let sentence = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), sentence.lines().count()), (Some(1), 1), "{sentence}");
        assert!(sentence.contains(part) && output.stdout.is_empty(), "{sentence}");
    }
}

#[test]
fn info_hashes_are_those_of_the_seed() {
    let [one, same, other] = ["1", "1", "2"].map(|seed| {
        let args = ["--info-hashes", "--torrents", "3", "--seed", seed];
        String::from_utf8(
            Command::new(env!("CARGO_BIN_EXE_simulate_peers")).args(args).output().unwrap().stdout,
        )
        .unwrap()
    });
    assert!(one.lines().count() == 3 && one.lines().all(|line| line.len() == 40), "{one}");
    assert!(one == same && one != other, "{one}{other}");
}
