//! `tracker check`: what it prints, and what it ends with.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Output;
use std::thread;

use serde_json::Value;

use crate::client::hex;
use crate::place::{Place, text};

/// Runs it in an empty directory, and looks at what holds for every run.
#[track_caller]
fn check(args: &[&str]) -> (i32, String, String) {
    let place = Place::empty();
    let Output { status, stdout, stderr } = place.run(&[&["check"], args].concat());
    assert!(place.names().is_empty(), "it leaves nothing behind");
    (status.code().unwrap(), text(&stdout), text(&stderr))
}

/// It cannot be asked: one sentence, and code 2.
#[track_caller]
fn cannot(args: &[&str]) -> String {
    let (code, out, err) = check(args);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert!(err.ends_with('\n') && err.lines().count() == 1, "{err}");
    err.strip_prefix("tracker: ").expect("who says it").to_owned()
}

#[test]
fn nothing_is_wrong_with_a_tracker_as_it_comes() {
    let place = Place::empty();
    let program = place.start(&[]);
    let url = format!("http://{}/announce", program.addr());
    let (code, out, err) = check(&[&url]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(!out.contains("\nwarning ") && !out.contains("\nwrong ") && !out.contains('\x1b'), "{out}");
    assert!(out.lines().count() > 25, "{out}");
    assert!(out.trim_end().lines().last().unwrap().contains("nothing is wrong"), "{out}");
    let stats = program.client().ask(crate::client::get("/stats.json"));
    let stats: Value = serde_json::from_slice(&stats.body).unwrap();
    assert_eq!(stats["now"]["peers"].as_u64().unwrap_or(0), 0, "all have left: {stats}");
    program.stop();
}

#[test]
fn json_is_whole() {
    let place = Place::config("(swarm: (interval: \"30s\"))");
    let program = place.start_configured(&[]);
    // without a scheme and a path
    let (code, out, _) = check(&[&program.addr().to_string(), "--json"]);
    let report: Value = serde_json::from_str(&out).unwrap();
    // a warning is nothing wrong
    assert_eq!((code, report["worst"].as_str()), (0, Some("warning")), "{out}");
    assert_eq!(report["url"], format!("http://{}/announce", program.addr()));
    assert!((20..=40).contains(&report["requests"].as_u64().unwrap()));
    let findings = report["findings"].as_array().unwrap();
    let plain = check(&[&program.addr().to_string()]).1;
    for finding in findings {
        for key in ["check", "level", "asked", "came"] {
            assert!(finding[key].as_str().is_some_and(|value| !value.is_empty()), "{key} in {finding}");
        }
        assert!(finding["remedy"].is_null() || finding["remedy"].is_string(), "{finding}");
        assert!(
            plain.contains(finding["asked"].as_str().unwrap().split("127").next().unwrap()),
            "{finding}\n{plain}"
        );
    }
    let bad: Vec<_> = findings.iter().filter(|finding| finding["level"] == "warning").collect();
    assert!(matches!(bad.as_slice(), [only] if only["check"] == "announce.interval"), "{bad:?}");
    program.stop();
}

#[test]
fn a_list_of_torrents_asks_for_one_of_them() {
    let place = Place::with(&[("tracker.ron", "(access: (mode: Allow, file: \"list\"))"), ("list", &hex(7))]);
    let program = place.start_configured(&[]);
    let url = format!("http://{}/announce", program.addr());
    let (code, out, _) = check(&[&url]);
    assert!(code == 0 && out.contains("--info-hash"), "{out}");
    let (code, out, _) = check(&[&url, "--info-hash", &hex(7)]);
    assert!(code == 0 && out.contains("told of the first"), "{out}");
    program.stop();
}

#[test]
fn something_is_wrong() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        // the first connection is only made, the second asks
        listener.accept().unwrap();
        let mut stream = listener.accept().unwrap().0;
        assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").unwrap();
    });
    let (code, out, err) = check(&[&format!("http://{addr}/announce")]);
    server.join().unwrap();
    assert_eq!((code, err.as_str()), (1, ""), "{out}");
    assert!(
        out.contains("\nwrong ") && out.contains("404 Not Found") && out.contains("1 thing is wrong"),
        "{out}"
    );
}

#[test]
fn what_cannot_be_asked_ends_with_code_2() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{closed}/announce");
    assert_eq!(cannot(&[&url]), format!("nobody listens at {closed}: the connection was refused\n"));
    for (args, part) in [
        (&["http://"][..], "is not a URL"),
        (&["udp://127.0.0.1:1"], "UDP"),
        (&["wss://127.0.0.1:1"], "WebTorrent"),
        (&["https://127.0.0.1:1", "--ca", "no-such-file"], "no-such-file: cannot be read"),
        (&[], "<URL>"),
        (&[&url, "--info-hash", "12"], "--info-hash"),
        (&[&url, "--timeout", "0s"], "1ms to 10m"),
        (&[&url, "--jsn"], "--json"),
    ] {
        let sentence = cannot(args);
        assert!(sentence.contains(part), "{sentence}");
    }
    let (code, out, err) = check(&[&url, "--json"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, format!("tracker: {}\n", json["error"].as_str().unwrap())), (2, err));
    let (code, out, _) = check(&["--help"]);
    assert!(code == 0 && out.contains("Exit codes"), "{out}");
}
