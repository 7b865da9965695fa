//! The program `attack`: that it does what it says, within its bounds, to this machine only, and notices what is wrong.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

#[path = "common/fake.rs"]
#[expect(dead_code, reason = "others use the rest of it")]
mod fake;
#[path = "common/tracker.rs"]
mod tracker;

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use serde_json::Value;
use tracker_http::{ClientIp, Rules};

use self::fake::{Fake, request};
use self::tracker::{Setup, serve};

struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Said {
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{} {}", self.out, self.err))
    }
}

fn attack(arguments: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_attack"));
    let output = command.args(arguments).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// A tracker that does not wait long.
fn impatient() -> Setup {
    let mut setup = Setup::default();
    setup.settings.request_timeout = Duration::from_secs(1);
    setup.rules.full_scrape = true;
    setup
}

#[test]
fn every_mode_says_something_and_the_tracker_goes_on() {
    serve(impatient(), |addr, tracker| {
        let url = format!("http://{addr}/announce");
        let bounds = ["--seconds=3", "--rate=100", "--connections=10", "--seed=7", "--json"];
        let said = attack(&[&[url.as_str()], &bounds[..]].concat());
        let json = said.json();
        assert_eq!(
            (said.code, &json["alive"], &json["seed"]),
            (0, &true.into(), &7.into()),
            "{json:#} {}",
            said.err
        );
        let modes = json["modes"].as_object().unwrap();
        assert_eq!(modes.len(), 17);
        for (mode, figures) in modes {
            let count = |name: &str| figures[name].as_u64().unwrap();
            assert!(count("connections") > 0 && count("refused") == 0, "{mode} {figures:#}");
            assert!(mode == "hold" || count("requests") > 0, "{mode} {figures:#}");
            assert!(count("requests") <= 400 && count("connections") <= 400, "{mode}: a rate of 100 for 3 s");
            assert_eq!((count("odd"), count("echoed"), count("believed")), (0, 0, 0), "{mode} {figures:#}");
        }
        for mode in ["drip-heads", "drip-bodies", "hold"] {
            assert!(modes[mode]["answers"]["408"].as_u64() > Some(0), "{mode} {json:#}");
        }
        assert!(tracker.totals().torrents > 50, "random torrents");
    });
}

#[test]
fn chosen_modes_are_bounded_in_count() {
    serve(impatient(), |addr, tracker| {
        let url = format!("http://{addr}/announce");
        let said = attack(&[&url, "--only=hashes,peers", "--requests=30", "--rate=0"]);
        assert_eq!(said.code, 0, "{}", said.err);
        let lines: Vec<&str> = said.out.lines().collect();
        assert!(
            lines[1].starts_with("hashes") && lines[2].starts_with("peers") && lines.len() == 5,
            "{}",
            said.out
        );
        assert_eq!(tracker.totals().torrents, 31);
        assert!(said.err.starts_with(&format!("attacking {addr} for 30 s with 2 modes at once, seed ")));
    });
}

#[test]
fn lies_that_are_believed_are_told() {
    let rules = Rules { client_ip: ClientIp::Query, ..Rules::default() };
    serve(Setup { rules, ..impatient() }, |addr, _| {
        let url = format!("http://{addr}/announce");
        let said = attack(&[&url, "--only=lies", "--requests=100", "--rate=0", "--json"]);
        assert!(said.json()["modes"]["lies"]["believed"].as_u64() > Some(0), "{}", said.out);
    });
}

/// What comes of an attack on a server that says this to everybody but those who ask for `/health`, which it answers `times`
/// times.
fn on_a_server_that_says(said: &'static str, times: usize, mode: &str) -> Said {
    let left = AtomicUsize::new(times);
    let fake = Fake::start(move |mut stream| {
        let is_health = request(&mut stream).is_some_and(|request| request.starts_with("GET /health "))
            && left.load(SeqCst) > 0;
        left.fetch_sub(usize::from(is_health), SeqCst);
        let fine = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        // an attacker need not listen
        let _ = stream.write_all(if is_health { fine } else { said }.as_bytes());
    });
    attack(&[&format!("http://{}/announce", fake.addr), "--only", mode, "--requests=5", "--rate=0"])
}

#[test]
fn a_server_that_speaks_no_http_or_hands_strings_on_is_told() {
    let said = on_a_server_that_says("SSH-2.0-x\r\n", 2, "one-shot");
    assert_eq!(said.code, 1);
    assert!(
        said.err.contains("attack: in mode one-shot the tracker said what is no HTTP: SSH-2.0-x"),
        "{}",
        said.err
    );
    let split = "HTTP/1.1 200 OK\r\nX-Injected: yes\r\nContent-Length: 0\r\n\r\n";
    let said = on_a_server_that_says(split, 2, "strings");
    assert!(
        said.err.contains("in mode strings the tracker said what has an attacker's string in it"),
        "{}",
        said.err
    );
}

#[test]
fn a_tracker_that_is_not_there_or_does_not_survive_is_told() {
    let said = on_a_server_that_says("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", 1, "one-shot");
    assert_eq!(said.code, 1);
    assert!(said.err.ends_with("does not answer GET /health any more\n"), "{}", said.err);
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let said = attack(&[&format!("http://{free}/announce")]);
    let expected = format!("attack: {free} does not answer GET /health with 200: is a tracker there?\n");
    assert_eq!((said.code, said.err), (1, expected));
}

#[test]
fn no_other_machine_is_attacked() {
    for stranger in ["http://192.0.2.1:6969/announce", "http://tracker.example/announce"] {
        let said = attack(&[stranger]);
        assert_eq!((said.code, said.out.as_str()), (1, ""));
        assert!(
            said.err.contains("is not this machine's loopback") && said.err.lines().count() == 1,
            "{}",
            said.err
        );
    }
}
