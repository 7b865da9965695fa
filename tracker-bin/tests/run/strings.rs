//! Strings of strangers: wherever one may come out, it comes out as nothing but text.

use crate::client::{Answer, announce, get};
use crate::place::Place;
use crate::program::Program;

/// Scripts, line ends, escapes for terminals, quotes, labels: each with a mark by which it is recognized.
const STRINGS: [&str; 8] = [
    "<script>q7q()</script>",
    "q7q\r\nX-Injected: yes\r\n\r\nq7q",
    "q7q\n2026-01-01T00:00:00.000000Z  INFO all is well",
    "\x1b[31mq7q\x1b[0m\x1b]0;q7q\x07",
    "q7q\"},{\"level\":\"\\",
    "q7q\"} 1\ntracker_injected 1\n{a=\"",
    "q7q\0\x01\x02\x7f\u{85}",
    "q7q\u{202e}\u{feff}\u{2028}",
];

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// One request for each place that a string can stand in: as it is, and percent-encoded.
fn requests(text: &str) -> Vec<String> {
    let value = escaped(text);
    let twenty: String = text.chars().filter(char::is_ascii).chain(std::iter::repeat('~')).take(20).collect();
    let twenty = escaped(&twenty);
    let with = |target: &str, line: &str| format!("GET {target} HTTP/1.1\r\nHost: t\r\n{line}\r\n\r\n");
    let mut all = vec![
        get(&format!(
            "/announce?info_hash={twenty}&peer_id={twenty}&port=1&key={value}&trackerid={value}&event={value}&ip={value}"
        )),
        get(&format!(
            "/announce?info_hash={value}&peer_id={value}&port={value}&left={value}&numwant={value}"
        )),
        get(&format!("/announce?info_hash={twenty}&peer_id={value}&port=1")),
        get(&format!("/announce?info_hash={twenty}&peer_id={twenty}&port={value}")),
        get(&format!("/announce?info_hash={twenty}&peer_id={twenty}&port=2&compact=0")),
        get(&format!("/scrape?info_hash={twenty}&info_hash={value}")),
        get(&format!("/stats.json?period={value}")),
        get(&format!("/stats.json?period=1h&group={value}")),
        get(&format!("/{value}?{value}={value}")),
    ];
    for raw in [text.to_owned(), text.chars().filter(|c| !c.is_control()).collect()] {
        all.push(get(&format!("/{raw}")));
        all.push(get(&format!("/announce?info_hash={raw}&peer_id={raw}")));
        all.push(format!("GET / HTTP/1.1\r\nHost: {raw}\r\n\r\n"));
        all.push(format!("{raw} / HTTP/1.1\r\nHost: t\r\n\r\n"));
        all.push(format!("GET / {raw}\r\nHost: t\r\n\r\n"));
        all.push(with("/nothing", &format!("User-Agent: {raw}\r\nReferer: {raw}\r\nCookie: {raw}")));
        all.push(with("/stats", &format!("If-None-Match: \"{raw}\"")));
        all.push(with("/", &format!("X-{raw}: {raw}")));
        all.push(with(
            "/announce",
            &format!("X-Forwarded-For: {raw}\r\nForwarded: for=\"{raw}\"\r\nX-Real-IP: {raw}"),
        ));
        all.push(with("/announce", &format!("Transfer-Encoding: {raw}\r\nContent-Length: {raw}")));
    }
    all
}

/// Nothing of a string is a header; and where the protocol does not hand bytes on with their length before them, none is a control
/// byte, and none has a meaning.
#[track_caller]
fn is_harmless(request: &str, answer: &Answer) {
    let begin = answer.body[..answer.body.len().min(200)].escape_ascii();
    let said = format!("{request:?} was answered {} {:?} {begin}", answer.status, answer.fields);
    for (name, value) in &answer.fields {
        assert!(!name.contains("Injected") && !value.contains("q7q"), "{said}");
        assert!(!value.chars().any(char::is_control), "{said}");
    }
    let kind = answer.field("content-type").unwrap_or_default();
    let is_bencoded = kind == "text/plain" && answer.body.starts_with(b"d") && answer.body.ends_with(b"e");
    if is_bencoded {
        return;
    }
    assert!(!answer.body.iter().any(|byte| byte.is_ascii_control() && *byte != b'\n'), "{said}");
    assert!(kind.is_empty() || kind.starts_with("text/plain") || !answer.text_contains("q7q"), "{said}");
    // what quotes a string forbids to take it for anything but text
    assert!(
        !answer.text_contains("q7q") || answer.field("x-content-type-options") == Some("nosniff"),
        "{said}"
    );
}

/// Sends them all to a program that logs all it can, and returns its log as it lies on the disk.
fn log_of(format: &str) -> String {
    let config = format!(
        "(http: (trusted_proxies: [\"127.0.0.0/8\"]), swarm: (interval: \"1s\", client_ip: Query, full_scrape: true), \
         log: (level: \"trace\", format: {format}, file: \"log/log\"))"
    );
    let place = Place::config(&config);
    let program = place.start_configured(&[]);
    for text in STRINGS {
        for request in requests(text) {
            // what has line ends in it may be more than one request, and what is behind the first is refused
            if let Some(answer) = program.client().try_ask(&request) {
                is_harmless(&request, &answer);
            }
        }
    }
    for page in ["/stats", "/stats.json", "/metrics", "/health"] {
        let answer = program.client().ask(get(page));
        assert!(!answer.text_contains("q7q") && !answer.text_contains("njected"), "{page}");
        assert_eq!(answer.field("x-content-type-options"), Some("nosniff"), "{page}");
    }
    // a good client finds everything in order
    assert_eq!(program.client().ask(announce(1, 1, "")).status, 200);
    let said = program.stop();
    assert!(!said.iter().any(|line| line.contains("q7q") && !Program::is_text(line)), "{said:#?}");
    let files = place.names_in("log");
    files.iter().map(|name| place.read(&format!("log/{name}"))).collect()
}

#[test]
fn no_string_of_a_stranger_is_more_than_text_in_answers_pages_and_the_log() {
    let text = log_of("Text");
    assert!(text.lines().all(|line| line.starts_with("20")), "a line that nobody has written: {text}");
    let json = log_of("Json");
    for line in json.lines() {
        let event: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(event["level"].is_string(), "{line}");
    }
    for log in [text, json] {
        assert!(log.contains("stopped"));
        assert!(Program::is_text(&log.replace('\n', "")), "{}", log.escape_debug());
    }
}

#[test]
fn what_the_user_wrote_wrongly_is_quoted_as_text_too() {
    let nasty = "\x1b[31mq7q\x07";
    let place = Place::with(&[("list", nasty), ("tracker.ron", "(access: (mode: Allow, file: \"list\"))")]);
    for args in [["--config", "tracker.ron"], ["--listen", nasty]] {
        let said = place.refusal(&args);
        assert!(said.contains("q7q") && Program::is_text(&said), "{}", said.escape_debug());
    }
}
