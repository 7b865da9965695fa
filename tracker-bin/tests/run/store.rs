//! What is kept on disk, and comes back.

use std::fs::File;
use std::path::Path;

use serde_json::Value;

use crate::client::{Client, get, hex};
use crate::place::{Place, sentence};
use crate::program::{Program, until};

const FAST: &str = "(store: (sample_every: \"1s\", snapshot_every: \"1s\"))";

fn stats(program: &Program) -> Value {
    program.client().ask(get("/stats.json?period=1h&group=minute")).json()
}

fn sum(stats: &Value, name: &str) -> u64 {
    stats["history"][name].as_array().unwrap().iter().filter_map(Value::as_u64).sum()
}

/// A seeder, a leecher and a completion in one torrent, one over IPv6 where there is any, and a torrent whose only peer
/// has left after it completed.
fn fill(client: &mut Client) {
    client.announce(1, 1000, "&left=0");
    client.announce(1, 1001, "&left=5");
    client.announce(1, 1001, "&left=0&event=completed");
    client.announce(1, 1002, "&left=5");
    client.announce(2, 1003, "&left=0&event=completed");
    client.announce(2, 1003, "&left=0&event=stopped");
}

#[test]
fn everything_is_there_after_an_orderly_stop() {
    let place = Place::empty();
    let program = place.start(&[]);
    fill(&mut program.client());
    program.stop();
    let names = place.names_in("tracker-data");
    assert_eq!(names, ["history-hourly.ron", "history.ron", "lock", "swarms.ron"]);

    let mut program = place.start(&[]);
    program.says("3 peers of 1 torrents are back");
    let mut client = program.client();
    assert_eq!((client.scrape(1), client.scrape(2)), ([2, 1, 1], [0, 1, 0]));
    let stats = stats(&program);
    assert_eq!((&stats["peers"], &stats["completed"], sum(&stats, "announces")), (&3.into(), &2.into(), 6));
    // and they are handed out, by the ids that they had
    let answer = client.ask(crate::client::announce(1, 1004, "&left=9&compact=0"));
    assert!(
        answer.text_contains("7:peer id20:-XX0001-abcdefghijkl4:porti1000e"),
        "{}",
        answer.body.escape_ascii()
    );
    client.announce(1, 1002, "&left=0&event=completed");
    program.stop();
    let program = place.start(&[]);
    assert_eq!(program.client().scrape(1), [3, 2, 1]);
    assert_eq!(program.client().ask(get("/stats.json")).json()["completed"], 3);
    assert!(place.names_in("tracker-data").contains(&"swarms.ron.1".to_owned()));
    program.stop();
}

#[test]
fn peers_age_while_the_tracker_is_off() {
    let place = Place::config("(swarm: (interval: \"1s\", peer_timeout: \"2s\"))");
    let program = place.start_configured(&[]);
    fill(&mut program.client());
    program.stop();
    // time passes: the snapshot was taken an hour ago
    let path = place.path("tracker-data/swarms.ron");
    let begin = std::time::Instant::now();
    until("the peers are too old", || begin.elapsed().as_secs() >= 4);
    let mut program = place.start_configured(&[]);
    program.says("0 peers of 0 torrents are back");
    // their completions are not forgotten
    assert_eq!(program.client().scrape(1), [0, 1, 0]);
    assert!(path.exists());
    program.stop();
}

#[test]
fn torrents_that_are_not_allowed_any_more_do_not_come_back() {
    let place = Place::empty();
    let program = place.start(&[]);
    let mut client = program.client();
    fill(&mut client);
    client.announce(3, 1000, "");
    program.stop();
    place.write("list", hex(3));
    place.write("tracker.ron", "(access: (mode: Allow, file: \"list\"))");
    let mut program = place.start_configured(&[]);
    program.says("2 torrents are not allowed any more");
    assert_eq!(program.client().scrape(3), [0, 0, 1]);
    assert_eq!(stats(&program)["torrents"], 1);
    program.stop();
}

#[test]
fn a_damaged_snapshot_is_put_aside_and_the_one_before_helps_out() {
    let place = Place::config(FAST);
    let program = place.start_configured(&[]);
    fill(&mut program.client());
    until("there is an older snapshot", || {
        place.names_in("tracker-data").contains(&"swarms.ron.1".to_owned())
            && place.read("tracker-data/swarms.ron.1").contains(&hex(1))
    });
    program.stop();
    let good = place.read("tracker-data/swarms.ron");
    let bad = good.replacen(&hex(1), &hex(9), 1);
    place.write("tracker-data/swarms.ron", &bad);

    let mut program = place.start_configured(&["--log-level", "info"]);
    let line = program.says("swarms.ron is damaged: 1 line is lost");
    assert!(line.contains("the damaged file is kept as swarms.ron.corrupt-"), "{line}");
    assert_eq!(program.client().scrape(1), [2, 1, 1]);
    assert_eq!(program.client().scrape(9), [0, 0, 0]);
    program.stop();
    let names = place.names_in("tracker-data");
    let aside = names.iter().find(|name| name.starts_with("swarms.ron.corrupt-")).unwrap();
    assert_eq!(place.read(&format!("tracker-data/{aside}")), bad);
    assert!(!place.read("tracker-data/swarms.ron.1").contains(&hex(9)));
}

#[test]
fn a_torn_history_goes_on() {
    let place = Place::config(FAST);
    let program = place.start_configured(&[]);
    fill(&mut program.client());
    until("a sample is taken", || place.read("tracker-data/history.ron").contains("announces:6"));
    program.stop();
    let history = place.read("tracker-data/history.ron");
    place.write("tracker-data/history.ron", format!("{history}(1,\"0123"));
    let mut program = place.start_configured(&[]);
    program.says("history.ron ended amid a line, which is cut off");
    assert_eq!(sum(&stats(&program), "announces"), 6);
    program.stop();
    assert!(place.read("tracker-data/history.ron").starts_with(&history));
    assert!(!place.names_in("tracker-data").iter().any(|name| name.contains("corrupt")));
}

#[test]
fn a_data_directory_that_cannot_be_used_is_refused() {
    let place = Place::config("(store: (\ndir: \"data\"))");
    let first = place.start_configured(&[]);
    let taken = "\"data\" is in use by another process: stop that one, or choose another directory";
    let args = ["--config", "tracker.ron", "--listen", "127.0.0.1:0"];
    assert_eq!(place.refusal(&args), format!("tracker.ron:2: store.dir: {taken}"));
    let args = ["--data-dir", "data", "--listen", "127.0.0.1:0"];
    assert_eq!(place.refusal(&args), format!("--data-dir: {taken}"));
    first.stop();

    place.write("file", "");
    for dir in ["file", "file/below"] {
        let said = place.refusal(&["--data-dir", dir, "--listen", "127.0.0.1:0"]);
        assert!(said.starts_with(&format!("--data-dir: \"{dir}\" cannot be made: ")), "{said}");
    }
}

#[test]
fn a_later_format_is_refused_and_left_alone() {
    let place = Place::empty();
    place.start(&[]).stop();
    let path = place.path("tracker-data/history.ron");
    let text = later_journal();
    std::fs::write(&path, &text).unwrap();
    let said = place.refusal(&["--listen", "127.0.0.1:0"]);
    assert!(
        said.contains(
            "\"tracker-data\" holds history.ron in format 7, and this version reads formats up to 1"
        ),
        "{said}"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

/// A first line as a later version would write it: the checksum is CRC-32 of `0,` and the record.
fn later_journal() -> String {
    let record = "Journal(of:\"Sample\",version:7,first:1)";
    let sum = crc32(format!("0,{record}").as_bytes());
    format!("(0,\"{sum:08x}\",{record})\nwhatever that version writes\n")
}

/// As everybody has it (IEEE 802.3), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[test]
fn nothing_is_touched_by_checks_and_refusals() {
    let place = Place::config("()");
    assert!(place.run(&["--check-config", "--config", "tracker.ron"]).status.success());
    assert!(place.run(&["--print-config"]).status.success());
    place.refusal(&["--listen", "nonsense"]);
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    place.refusal(&["--listen", &other.local_addr().unwrap().to_string()]);
    assert_eq!(place.names(), ["tracker.ron"]);
}

#[test]
fn a_directory_that_is_removed_while_it_runs_is_made_again() {
    let place = Place::config(FAST);
    let mut program = place.start_configured(&[]);
    fill(&mut program.client());
    until("all is written", || {
        place.read("tracker-data/history.ron").contains("announces:6")
            && place.path("tracker-data/swarms.ron").exists()
    });
    std::fs::remove_dir_all(place.path("tracker-data")).unwrap();
    until("all is there again", || {
        place.read("tracker-data/history.ron").contains("announces:6")
            && place.path("tracker-data/swarms.ron").exists()
    });
    program.says("was missing files, which are written anew");
    until("it is well again", || program.client().ask(get("/health")).text_contains("\"ok\""));
    program.stop();
    let program = place.start_configured(&[]);
    assert_eq!((program.client().scrape(1), sum(&stats(&program), "announces")), ([2, 1, 1], 6));
    program.stop();
}

/// Runs `prlimit` on the program; false where there is none.
fn limit_files(program: &Program, size: &str) -> bool {
    let status = std::process::Command::new("prlimit")
        .args(["--pid", &program.pid().to_string(), &format!("--fsize={size}:unlimited")])
        .status();
    status.is_ok_and(|status| status.success())
}

#[test]
fn a_full_disk_stops_nothing_and_all_is_caught_up_when_there_is_room() {
    let place = Place::config(FAST);
    // without this a write beyond the limit would end the program by a signal
    let args = ["--config", "tracker.ron", "--listen", "127.0.0.1:0", "--workers", "2"];
    let mut program = Program::start(place.shell("trap '' XFSZ;", &args, ""), 1);
    fill(&mut program.client());
    until("a sample is taken", || place.read("tracker-data/history.ron").contains("announces:6"));
    if !limit_files(&program, "1") {
        println!("skipped: there is no prlimit here, or it may not be used");
        return;
    }
    program.says("could not be written: ");
    let mut client = program.client();
    until("it says so", || client.ask(get("/health")).text_contains("degraded"));
    let health: Value = client.ask(get("/health")).json();
    assert_eq!(health["why"], "the data directory cannot be written to, see the log");
    for port in 2000..2010 {
        client.announce(5, port, "");
    }
    let metrics = client.ask(get("/metrics"));
    assert!(metrics.text_contains("\ntracker_store_working 0\n"));
    assert!(!metrics.text_contains("\ntracker_store_errors_total 0\n"));
    // the running minute is shown all the same
    until("announces are counted", || sum(&stats(&program), "announces") == 16);

    assert!(limit_files(&program, "unlimited"));
    program.says("the data directory can be written to again");
    assert!(client.ask(get("/health")).text_contains("\"ok\""));
    until("the snapshot has all", || place.read("tracker-data/swarms.ron").contains(&hex(5)));
    let complaints = program.said.iter().filter(|line| line.contains("could not be written")).count();
    assert_eq!(complaints, 1, "once a minute at the most: {:#?}", program.said);
    program.signal("KILL");
    program.end();
    let program = place.start_configured(&[]);
    assert_eq!(program.client().scrape(5), [0, 0, 10]);
    assert_eq!(sum(&stats(&program), "announces"), 16);
    let said = program.stop();
    assert!(!said.iter().any(|line| line.contains("damaged") || line.contains("cut off")), "{said:#?}");
}

#[cfg(unix)]
#[test]
fn files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::config(FAST);
    let program = place.start_configured(&[]);
    until("there are two snapshots", || place.path("tracker-data/swarms.ron.1").exists());
    program.stop();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place.path("tracker-data")), 0o700);
    for name in place.names_in("tracker-data") {
        assert_eq!(mode(&place.path(&format!("tracker-data/{name}"))), 0o600, "{name}");
    }
}

#[test]
fn a_directory_of_somebody_else_is_refused() {
    let place = Place::empty();
    std::fs::create_dir(place.path("data")).unwrap();
    let mut permissions = std::fs::metadata(place.path("data")).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(place.path("data"), permissions).unwrap();
    if File::create(place.path("data/try")).is_ok() {
        println!("skipped: this user may write everywhere");
        return;
    }
    let output = place.run(&["--data-dir", "data", "--listen", "127.0.0.1:0"]);
    let said = sentence(&output);
    assert!(said.starts_with("--data-dir: \"data\" cannot be"), "{said}");
}
