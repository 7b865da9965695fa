//! The program `announce` against a tracker, and against servers that misbehave in every way that it explains.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

#[path = "common/fake.rs"]
mod fake;
#[path = "common/opentracker.rs"]
mod opentracker;
#[path = "common/tracker.rs"]
mod tracker;

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use serde_json::Value;
use sha1::{Digest, Sha1};
use tracker_core::{AccessList, AccessMode, Config, InfoHash};
use tracker_http::Rules;

use self::fake::{Fake, request, wait_for_end};
use self::opentracker::OpenTracker;
use self::tracker::{Setup, serve};

const HASH: &str = "0123456789abcdef0123456789abcdef01234567";
const REFUSED: i32 = 3;

struct Said {
    code: i32,
    out: String,
    err: String,
}

fn announce(arguments: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_announce"));
    let output = command.args(arguments).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

fn url(addr: SocketAddr) -> String {
    format!("http://{addr}/announce")
}

/// What is printed behind a name such as `seeders`.
fn value<'a>(out: &'a str, name: &str) -> &'a str {
    let line = out.lines().find(|line| line.split_whitespace().next() == Some(name));
    line.unwrap_or_else(|| panic!("no {name} in {out}")).strip_prefix(name).unwrap().trim()
}

#[test]
fn a_swarm_is_met_and_left() {
    serve(Setup::default(), |addr, tracker| {
        let url = url(addr);
        let seeder = announce(&[&url, HASH, "--event", "started", "--left", "0", "--port", "7001"]);
        assert_eq!((seeder.code, seeder.err.as_str()), (0, ""), "{}", seeder.out);
        assert_eq!(value(&seeder.out, "seeders"), "1");
        let leecher = announce(&[&url, HASH, "--port", "7002"]);
        assert_eq!((value(&leecher.out, "seeders"), value(&leecher.out, "leechers")), ("1", "1"));
        assert_eq!(value(&leecher.out, "peers"), "1, IPv4");
        assert!(leecher.out.lines().any(|line| line == "  127.0.0.1:7001"), "{}", leecher.out);
        assert_eq!(value(&leecher.out, "ask"), "again   in 30 min, not before 15 min");

        let listed = announce(&[&url, HASH, "--port", "7002", "--no-compact", "--json", "--numwant", "5"]);
        let json: Value = serde_json::from_str(&listed.out).unwrap();
        assert_eq!(json["peers"][0]["port"], 7001);
        assert_eq!(json["peers"][0]["id"], "-TK0100-announcetool");
        assert_eq!(json["external_ip"], "127.0.0.1");
        assert_eq!(json["info_hash"], HASH);

        let left = announce(&[&url, HASH, "--port", "7002", "--event", "stopped"]);
        assert_eq!(value(&left.out, "peers"), "none");
        let counts = tracker.scrape(&HASH.parse().unwrap()).unwrap();
        assert_eq!((counts.complete, counts.incomplete), (1, 0));

        let scraped = announce(&["--scrape", &url, HASH]);
        assert_eq!((value(&scraped.out, "seeders"), value(&scraped.out, "completed")), ("1", "0"));
        let other = "f".repeat(40);
        let scraped = announce(&["--scrape", &url, HASH, &other, "--json"]);
        let json: Value = serde_json::from_str(&scraped.out).unwrap();
        assert_eq!(json["files"].as_array().unwrap().len(), 2);
        assert_eq!(json["min_request_interval"], 900);
    });
}

#[test]
fn magnet_links_and_files_bring_their_tracker_along() {
    let place = tempfile::tempdir().unwrap();
    serve(Setup::default(), |addr, tracker| {
        let url = url(addr);
        let magnet = format!("magnet:?xt=urn:btih:{HASH}&dn=a+file&tr=udp%3A%2F%2Fx%3A1&tr={url}");
        let said = announce(&[&magnet]);
        assert_eq!((said.code, value(&said.out, "tracker")), (0, url.as_str()), "{}", said.err);
        assert!(said.out.contains("a file"));
        let path = place.path().join("a.torrent");
        let info = "d6:lengthi1e4:name1:a12:piece lengthi16384e6:pieces20:abcdefghijklmnopqrste";
        std::fs::write(&path, format!("d8:announce{}:{url}4:info{info}e", url.len())).unwrap();
        let said = announce(&[path.to_str().unwrap(), "--left=0"]);
        assert_eq!(said.code, 0, "{}", said.err);
        let shown: InfoHash = value(&said.out, "torrent").parse().unwrap();
        assert_eq!(shown.0, <[u8; 20]>::from(Sha1::digest(info)));
        assert_eq!(tracker.scrape(&shown).unwrap().complete, 1);
    });
}

#[test]
fn a_whole_tracker_is_scraped_as_a_table() {
    let rules = Rules { full_scrape: true, ..Rules::default() };
    serve(Setup { rules, ..Setup::default() }, |addr, _| {
        for n in 0..3 {
            announce(&[&url(addr), &format!("{n:040x}")]);
        }
        let said = announce(&["--scrape", &url(addr)]);
        assert_eq!((said.code, value(&said.out, "torrents")), (0, "3"), "{}", said.err);
        assert_eq!(said.out.lines().filter(|line| line.starts_with("000000")).count(), 3);
    });
}

#[test]
fn refusals_are_told_with_their_retry() {
    let access = AccessList::from_hashes(AccessMode::Allow, Vec::new());
    serve(Setup { access, ..Setup::default() }, |addr, _| {
        let said = announce(&[&url(addr), HASH]);
        assert_eq!(said.code, REFUSED);
        assert!(value(&said.out, "refused").contains("not allowed"));
        assert!(value(&said.out, "ask").starts_with("again   never"));
        let said = announce(&[&url(addr), HASH, "--json"]);
        let json: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!((said.code, &json["retry_in_minutes"]), (REFUSED, &Value::from("never")));
    });
    let config = Config { max_torrents: 1, ..Config::default() };
    serve(Setup { config, ..Setup::default() }, |addr, _| {
        announce(&[&url(addr), HASH]);
        let said = announce(&[&url(addr), &"f".repeat(40)]);
        assert_eq!((said.code, value(&said.out, "ask")), (REFUSED, "again   in 30 min"));
    });
    // with another status, as some trackers do
    let fake = Fake::status("403 Forbidden", "", b"d14:failure reason8:no entrye");
    let said = announce(&[&url(fake.addr), HASH]);
    assert_eq!((said.code, value(&said.out, "refused")), (REFUSED, "no entry"));
}

#[test]
fn what_is_no_answer_is_explained() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (fake, parts) in [
        (Fake::ok(b"<html><body>hello"), &["not as a tracker", "web page (HTML)"][..]),
        (Fake::ok(b"\x1f\x8b\x08\0\0\0"), &["gzip"]),
        (Fake::ok(b""), &["the answer is empty"]),
        (Fake::ok(b"d5:peers6:abc"), &["damaged or cut off"]),
        (Fake::ok(b"d5:peers5:abcdee"), &["peers are cut off"]),
        (Fake::status("404 Not Found", "", b"no\nsuch page"), &["status 404 Not Found", "\"no such page\""]),
        (Fake::status("302 Found", "Location: https://else/\r\n", b""), &["it has moved, ask https://else/"]),
        (Fake::saying("SSH-2.0-OpenSSH\r\n"), &["does not answer in HTTP", "\"SSH-2.0-OpenSSH\""]),
        (Fake::saying(b"\x15\x03\x01\0\x02\x02\x16"), &["TLS", "https"]),
        (Fake::saying("HTTP/1.1 200 OK\r\nContent-Le"), &["within the header"]),
        (Fake::saying("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nd8"), &["before the end of its answer"]),
        (Fake::saying(format!("{chunked}zz\r\n")), &["not chunked as its header says"]),
        (Fake::saying(format!("{chunked}5\r\nd8")), &["before the end of its answer"]),
        (Fake::saying("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"), &["longer than 256 MiB"]),
        (Fake::start(drop), &["closed the connection without a word"]),
    ] {
        let said = announce(&[&url(fake.addr), HASH, "--json"]);
        assert_eq!((said.code, said.err.lines().count()), (1, 1), "{}", said.err);
        for part in parts {
            assert!(said.err.starts_with("announce: ") && said.err.contains(part), "{part}: {}", said.err);
        }
        let json: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(format!("announce: {}\n", json["error"].as_str().unwrap()), said.err);
    }
}

#[test]
fn odd_answers_are_understood() {
    let body = "d8:intervali60e5:peers6:\x01\x02\x03\x04\x05\x06e";
    let interim = format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200\n\n{body}\r\n");
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nd8\r\n{:x}\r\n{}\r\n0\r\n\r\n",
        body.len() - 2,
        &body[2..]
    );
    for answer in [interim, chunked] {
        let fake = Fake::saying(answer);
        let said = announce(&[&url(fake.addr), HASH]);
        assert_eq!(said.code, 0, "{}", said.err);
        assert!(said.out.contains("  1.2.3.4:1286\n"), "{}", said.out);
        assert_eq!(value(&said.out, "seeders"), "not said");
    }
}

#[test]
fn the_request_is_what_was_asked_for() {
    let (sender, receiver) = mpsc::channel();
    let fake = Fake::start(move |mut stream| {
        sender.send(request(&mut stream)).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nd5:peers0:7:xe").unwrap();
    });
    let tracker = format!("http://{}/key/announce.php?user=a%20b", fake.addr);
    let said = announce(&[
        &tracker,
        HASH,
        "--uploaded=1",
        "--downloaded=2",
        "--left=3",
        "--port=4",
        "--event=completed",
        "--numwant=5",
        "--ip=::6",
        "--key=7 8",
        "--peer-id=-XX0001-~._aaaaaaa%+",
        "--verbose",
    ]);
    let asked = receiver.recv().unwrap().unwrap();
    let target = "GET /key/announce.php?user=a%20b&info_hash=%01%23Eg%89%AB%CD%EF%01%23Eg%89%AB%CD%EF%01%23Eg&\
                  peer_id=-XX0001-~._aaaaaaa%25%2B&port=4&uploaded=1&downloaded=2&left=3&compact=1&event=completed&\
                  numwant=5&ip=%3A%3A6&key=7%208 HTTP/1.1";
    assert_eq!(asked.lines().next(), Some(target));
    assert!(asked.contains(&format!("\r\nHost: {}\r\n", fake.addr)));
    assert!(
        said.err.contains(&format!("> {target}\n")) && said.err.contains("< HTTP/1.1 200 OK\n"),
        "{}",
        said.err
    );
}

#[test]
fn who_is_not_there_is_told_apart() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let said = announce(&[&url(closed), HASH]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("the connection was refused"), "{}", said.err);
    // longer than a name may be, so that nobody is asked for it
    let name = format!("http://{}/announce", "x".repeat(300));
    let said = announce(&[&name, HASH]);
    assert!(said.code == 1 && said.err.contains("cannot be found"), "{}", said.err);
    let said = announce(&["-6", &url(closed), HASH]);
    assert!(said.err.contains("has no IPv6 address"), "{}", said.err);
}

/// Does TLS with a self-made certificate, which is written to `path`, and answers each request with `answer`.
fn secure(path: &std::path::Path, answer: &'static [u8]) -> Fake {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(path, made.cert.pem()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let key = made.signing_key.serialize_der().try_into().unwrap();
    let config = Arc::new(builder.with_single_cert(vec![made.cert.der().clone()], key).unwrap());
    Fake::start(move |mut stream| {
        let mut session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut tls = rustls::Stream::new(&mut session, &mut stream);
        // a client that trusts nobody goes at once
        if std::io::Read::read(&mut tls, &mut [0; 4096]).is_ok_and(|read| read > 0) {
            let _ = tls.write_all(answer);
        }
    })
}

#[test]
fn https_trackers_are_asked_if_they_are_trusted() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("cert.pem");
    let fake = secure(&path, b"HTTP/1.1 200 OK\r\n\r\nd8:intervali60e5:peers6:\x01\x02\x03\x04\x05\x06e");
    let (url, ca) = (format!("https://{}/announce", fake.addr), path.to_str().unwrap());
    let said = announce(&[&url, HASH, "--ca", ca]);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
    assert!(said.out.contains("  1.2.3.4:1286\n"), "{}", said.out);
    let other = place.path().join("other.pem");
    let _other = secure(&other, b"");
    let said = announce(&[&url, HASH, "--ca", other.to_str().unwrap()]);
    assert_eq!((said.code, said.err.lines().count()), (1, 1), "{}", said.err);
    assert!(said.err.contains("nobody whom this machine trusts"), "{}", said.err);
    let said = announce(&[&url, HASH, "--ca", "no-such-file"]);
    assert!(said.code == 1 && said.err.contains("no-such-file: cannot be read"), "{}", said.err);
}

#[test]
fn nothing_is_waited_for_longer_than_the_timeout() {
    let drips = |mut stream: TcpStream| {
        request(&mut stream);
        stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        while stream.write_all(b"x").is_ok() && !matches!(std::io::Read::read(&mut stream, &mut [0]), Ok(0)) {
        }
    };
    for (fake, part) in [
        (Fake::start(|mut stream| wait_for_end(&mut stream)), "sent no answer within 1 s"),
        (
            Fake::start(move |mut stream| {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
                drips(stream);
            }),
            "sent only a part of its answer within 1 s",
        ),
    ] {
        let begin = Instant::now();
        let said = announce(&[&url(fake.addr), HASH, "--timeout", "1"]);
        assert!(said.code == 1 && said.err.contains(part), "{}", said.err);
        assert!(begin.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn the_command_line_is_checked() {
    for arguments in
        [&[][..], &["http://t/", HASH, "--peer-id", "short"], &["http://t/", HASH, "--event", "x"]]
    {
        assert_eq!(announce(arguments).code, 2, "{arguments:?}");
    }
    let help = announce(&["--help"]);
    assert!(help.code == 0 && help.out.contains("Exit codes"));
    assert_eq!(announce(&[HASH]).code, 1);
}

#[test]
fn opentracker_is_understood() {
    let place = tempfile::tempdir().unwrap();
    let Some(opentracker) = OpenTracker::start(place.path(), &format!("{HASH}\n")) else { return };
    let url = url(opentracker.addr);
    let said = announce(&[&url, HASH, "--left=0", "--port=7001"]);
    assert_eq!(said.code, 0, "{} {}", said.out, said.err);
    let said = announce(&[&url, HASH, "--port=7002"]);
    assert_eq!((value(&said.out, "seeders"), value(&said.out, "leechers")), ("1", "1"), "{}", said.out);
    assert!(said.out.contains("  127.0.0.1:7001"), "{}", said.out);
    let said = announce(&["--scrape", &url, HASH]);
    assert_eq!((value(&said.out, "seeders"), value(&said.out, "leechers")), ("1", "1"), "{}", said.out);
    let said = announce(&[&url, &"f".repeat(40)]);
    assert_eq!(said.code, REFUSED, "{}", said.out);
}
