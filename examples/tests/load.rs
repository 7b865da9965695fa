//! The program `load`: that it counts what the tracker counts, that it ends, and that no server upsets it.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

#[path = "common/fake.rs"]
mod fake;
#[path = "common/opentracker.rs"]
mod opentracker;
#[path = "common/tracker.rs"]
mod tracker;

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tracker_core::{AccessList, AccessMode};
use tracker_http::Settings;

use self::fake::{Fake, request, wait_for_end};
use self::opentracker::OpenTracker;
use self::tracker::{Setup, serve};

const MODES: [&str; 3] = ["keep-alive", "pipelined", "one-shot"];

struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{} {}", self.out, self.err))
    }
}

fn load(arguments: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_load"));
    let output = command.args(arguments).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// Asks for so many requests, without filling, in JSON.
fn few(addr: SocketAddr, requests: &str, more: &[&str]) -> Said {
    let url = format!("http://{addr}/announce");
    let usual = [url.as_str(), "--requests", requests, "--fill=no", "--json", "--no-spin"];
    let patience =
        if more.iter().any(|word| word.starts_with("--timeout")) { &[][..] } else { &["--timeout=1"] };
    load(&[&usual, patience, more].concat())
}

fn number(json: &Value, name: &str) -> u64 {
    json[name].as_u64().unwrap_or_else(|| panic!("{name} in {json:#}"))
}

fn errors(json: &Value) -> u64 {
    json["errors"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum()
}

#[test]
fn what_it_counts_is_what_the_tracker_has() {
    serve(Setup::default(), |addr, tracker| {
        let url = format!("http://{addr}/announce");
        // over 64,000 peers, so that they come from two addresses
        let sizes = ["--peers=65000", "--torrents=40", "--zipf"];
        let said = load(&[&[url.as_str(), "--fill=only", "--json", "--no-spin"], &sizes[..]].concat());
        assert_eq!((number(&said.json(), "answers"), errors(&said.json())), (65_000, 0), "{}", said.err);
        let totals = tracker.totals();
        assert_eq!((totals.torrents, totals.peers()), (40, 65_000));
        for mode in MODES {
            let pid = std::process::id().to_string();
            let more = [&["--mode", mode, "--check", "--connections=8", "--pid", &pid], &sizes[..]].concat();
            let said = few(addr, "3000", &more);
            let json = said.json();
            assert_eq!((said.code, number(&json, "answers"), errors(&json)), (0, 3000, 0), "{json:#}");
            let peers = json["peers_per_answer"].as_f64().unwrap();
            assert!((40.0..50.0).contains(&peers), "{peers}, since 4 % stop");
            let made = number(&json, "connections_made");
            assert_eq!(made, if mode == "one-shot" { 3000 } else { 8 });
            assert!(json["server_cpu_us"].as_f64().unwrap() > 0.0);
        }
        let said = few(addr, "1000", &["--scrape", "--check", "--seed=2"]);
        assert_eq!((number(&said.json(), "answers"), errors(&said.json())), (1000, 0));
        let said = load(&[&url, "--seconds=1", "--peers=500", "--torrents=5", "--no-spin"]);
        assert_eq!(said.code, 0, "{}", said.err);
        for part in ["announces", " a second: ", "p99 ", "errors        none", "seed 1"] {
            assert!(said.out.contains(part), "{part} in {}", said.out);
        }
    });
}

#[test]
fn requests_come_at_the_rate_that_was_asked_for() {
    serve(Setup::default(), |addr, _| {
        let url = format!("http://{addr}/announce");
        for mode in MODES {
            let more =
                ["--rate=300", "--seconds=1", "--mode", mode, "--connections=4", "--fill=no", "--json"];
            let json = load(&[&[url.as_str(), "--no-spin"], &more[..]].concat()).json();
            assert_eq!((number(&json, "rate"), errors(&json)), (300, 0), "{json:#}");
            // at both ends a request for each connection may be on its way
            let sum = (number(&json, "answers") + number(&json, "overdue")) as f64;
            let due = json["seconds"].as_f64().unwrap() * 300.0;
            assert!((due - sum).abs() < 10.0, "{json:#}");
        }
    });
}

#[test]
fn latency_at_a_rate_counts_from_when_a_request_was_due() {
    // an answer takes 30 ms, and there is a request every 10 ms
    let fake = Fake::start(|mut stream| {
        while request(&mut stream).is_some() {
            std::thread::sleep(Duration::from_millis(30));
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nd5:peers0:e");
        }
    });
    let json = few(fake.addr, "20", &["--rate=100", "--connections=1", "--timeout=20"]).json();
    assert_eq!((number(&json, "answers"), errors(&json)), (20, 0), "{json:#}");
    // the last one was due after 190 ms, and answered after 600 ms at the soonest
    assert!(json["latency_us"]["max"].as_f64().unwrap() > 400_000.0, "{json:#}");
    assert!(json["latency_us"]["p50"].as_f64().unwrap() > 150_000.0, "{json:#}");
}

#[test]
fn idle_connections_are_held_and_weighed() {
    serve(Setup::default(), |addr, tracker| {
        let pid = std::process::id().to_string();
        let more =
            ["--idle", "--connections=300", "--scrape", "--fill=no", "--no-spin", "--json", "--pid", &pid];
        let json = load(&[&[format!("http://{addr}/announce").as_str()], &more[..]].concat()).json();
        assert_eq!((number(&json, "answers"), errors(&json)), (300, 0), "{json:#}");
        assert_eq!(
            (number(&json, "connections_open"), number(&json, "connections_made")),
            (300, 300),
            "{json:#}"
        );
        assert!(json["server_grown_bytes"].is_u64(), "{json:#}");
        assert_eq!(tracker.totals().torrents, 0);
    });
    let closing = Fake::ok(b"d5:filesdee");
    let pid = std::process::id().to_string();
    let more = ["--idle", "--connections=5", "--scrape", "--fill=no", "--no-spin", "--json", "--pid", &pid];
    let json = load(&[&[format!("http://{}/announce", closing.addr).as_str()], &more[..]].concat()).json();
    assert_eq!((number(&json, "answers"), number(&json, "connections_open")), (5, 0), "{json:#}");
}

#[test]
fn compressed_answers_are_asked_for_unless_plain() {
    for (more, asked) in [(&[][..], true), (&["--plain"], false)] {
        let (sender, seen) = std::sync::mpsc::channel();
        let fake = Fake::start(move |mut stream| {
            if let Some(request) = request(&mut stream) {
                let _ = sender.send(request);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nd5:peers0:e");
            }
        });
        few(fake.addr, "1", &[&["--connections=1"], more].concat());
        let request = seen.recv().unwrap();
        assert_eq!(request.contains("Accept-Encoding: gzip"), asked, "{request}");
    }
}

#[test]
fn a_connection_that_the_server_ends_is_made_again() {
    let settings = Settings { keep_alive: Duration::ZERO, ..Settings::default() };
    serve(Setup { settings, ..Setup::default() }, |addr, _| {
        let json = few(addr, "500", &["--connections=4"]).json();
        assert_eq!((number(&json, "answers"), errors(&json)), (500, 0), "{json:#}");
        assert!(number(&json, "connections_made") >= 500);
    });
}

#[test]
fn the_list_of_hashes_is_that_of_the_torrents() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("hashes");
    let said = load(&["--hashes", path.to_str().unwrap(), "--torrents=30"]);
    assert_eq!((said.code, said.out.as_str()), (0, ""), "{}", said.err);
    let hashes = fs::read(&path).unwrap();
    assert_eq!(hashes.split(|&byte| byte == b'\n').filter(|line| line.len() == 40).count(), 30);
    let access = AccessList::parse(AccessMode::Allow, &hashes).unwrap();
    serve(Setup { access, ..Setup::default() }, |addr, _| {
        assert_eq!(errors(&few(addr, "300", &["--torrents=30"]).json()), 0);
        let json = few(addr, "300", &["--torrents=30", "--seed=5"]).json();
        assert_eq!(json["errors"]["failure"], 300);
        assert!(json["example"].as_str().unwrap().contains("not allowed"), "{json:#}");
    });
}

#[test]
fn answers_of_every_shape_are_read() {
    let body = "d8:intervali60e5:peers0:e";
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nd8\r\n{:x}\r\n{}\r\n0\r\n\r\n",
        body.len() - 2,
        &body[2..]
    );
    for (answer, modes) in [
        (format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()), &MODES[..]),
        (format!("HTTP/1.0 200 OK\n\n{body}"), &MODES),
        // it does not say that it closes
        (format!("HTTP/1.1 100 Continue\r\n\r\n{chunked}"), &["one-shot"]),
    ] {
        let fake = Fake::saying(answer);
        for mode in modes {
            let said = few(fake.addr, "20", &["--mode", mode, "--depth=1", "--connections=2", "--check"]);
            let json = said.json();
            assert_eq!((said.code, number(&json, "answers")), (0, 20), "{json:#}");
            assert_eq!(errors(&json), 0, "{json:#}");
        }
    }
}

#[test]
fn servers_that_misbehave_are_survived_and_told() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n";
    for (fake, error) in [
        (Fake::start(|mut stream| wait_for_end(&mut stream)), "timed_out"),
        (Fake::start(drop), "closed"),
        (Fake::saying(format!("{head}d8:")), "closed"),
        (
            Fake::start(move |mut stream| {
                if request(&mut stream).is_some() {
                    let _ = stream.write_all(head.as_bytes());
                    wait_for_end(&mut stream);
                }
            }),
            "timed_out",
        ),
        (Fake::saying("SSH-2.0-x\r\n"), "not_http"),
        (Fake::saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "not_http"),
    ] {
        let begin = Instant::now();
        let said = few(fake.addr, "1", &["--connections=1"]);
        let json = said.json();
        assert_eq!((said.code, number(&json, "answers")), (1, 0), "{json:#}");
        assert_eq!(json["errors"][error], 1, "{json:#}");
        assert!(said.err.starts_with("load: nothing was answered: 1 "), "{}", said.err);
        assert!(begin.elapsed() < Duration::from_secs(8));
    }
    for (fake, more, error) in [
        (Fake::status("404 Not Found", "", b"nothing"), "--seed=1", "other_status"),
        (Fake::ok(b"<html>"), "--seed=1", "bad_body"),
        (Fake::ok(b"d8:intervali60e"), "--check", "bad_body"),
        (Fake::ok(b"d5:peers0:e"), "--check", "bad_body"),
        (Fake::ok(b"d14:failure reason2:noe"), "--seed=1", "failure"),
    ] {
        let json = few(fake.addr, "3", &["--connections=1", "--mode=one-shot", more]).json();
        assert_eq!((number(&json, "answers"), &json["errors"][error]), (3, &Value::from(3)), "{json:#}");
    }
}

#[test]
fn a_server_that_falls_silent_is_given_up() {
    let fake = Fake::start(|mut stream| wait_for_end(&mut stream));
    let begin = Instant::now();
    let url = format!("http://{}/announce", fake.addr);
    let said = load(&[&url, "--timeout=1", "--no-spin", "--peers=1000"]);
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(
        said.out.contains("given up") && said.err.contains("not answered in time"),
        "{} {}",
        said.out,
        said.err
    );
    assert!(begin.elapsed() < Duration::from_secs(20));
}

#[test]
fn only_this_machine_is_loaded() {
    for url in ["http://192.0.2.1/announce", "http://[2001:db8::1]/announce", "http://0.0.0.0:6969/announce"]
    {
        let said = load(&[url]);
        assert!(said.code == 1 && said.err.contains("loopback"), "{}", said.err);
    }
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let said = few(closed, "1", &[]);
    assert!(said.code == 1 && said.err.contains("cannot be connected to"), "{}", said.err);
    for wrong in
        [&["--seconds=0"][..], &["--mode=fast"], &[], &["http://127.0.0.1/", "--requests=1", "--seconds=1"]]
    {
        assert_eq!(load(wrong).code, 2, "{wrong:?}");
    }
    let said = load(&["http://127.0.0.1/", "--peers=1000000", "--connections=2"]);
    assert!(said.code == 1 && said.err.contains("--connections 16"), "{}", said.err);
    assert!(load(&["--help"]).out.contains("taskset"));
}

#[test]
fn opentracker_takes_a_connection_each() {
    let place = tempfile::tempdir().unwrap();
    let list = place.path().join("hashes");
    load(&["--hashes", list.to_str().unwrap(), "--torrents=30"]);
    let Some(opentracker) = OpenTracker::start(place.path(), &fs::read_to_string(&list).unwrap()) else {
        return;
    };
    let url = format!("http://{}/announce", opentracker.addr);
    let sizes = ["--torrents=30", "--peers=3000"];
    let said = load(
        &[&[url.as_str(), "--fill=only", "--mode=one-shot", "--json", "--no-spin"], &sizes[..]].concat(),
    );
    assert_eq!((number(&said.json(), "answers"), errors(&said.json())), (3000, 0), "{:#}", said.json());
    let json = few(opentracker.addr, "2000", &[&["--mode=one-shot", "--check"], &sizes[..]].concat()).json();
    assert_eq!((number(&json, "answers"), errors(&json)), (2000, 0), "{json:#}");
    assert!(json["peers_per_answer"].as_f64().unwrap() > 20.0);
    // it closes after each answer, whatever it is asked for
    let said = load(&[url.as_str(), "--requests=500", "--fill=no", "--no-spin", sizes[0], sizes[1]]);
    assert!(said.out.contains("try --mode one-shot"), "{}", said.out);
}
