//! What is logged, in which form, and what is not.

use crate::client::{announce, get, hex, scrape};
use crate::place::Place;
use crate::program::Program;

/// Does all that could leave a trace: what is served, what is refused, and what is no request.
fn do_a_lot(program: &Program) {
    let mut client = program.client();
    for port in 1000..1020 {
        client.announce(0xab, port, "");
    }
    client.announce(0xab, 1000, "&event=stopped");
    client.scrape(0xab);
    for request in [announce(0xcd, 0, ""), announce(0xab, 1, "&port=x"), get("/announce"), get("/scrape")] {
        assert_eq!(client.ask(request).status, 200);
    }
    assert_eq!(client.ask(scrape(0xab).replace("scrape?", "nothing?")).status, 404);
    assert_eq!(client.ask("GET\r\n\r\n").status, 400);
    let mut half = program.client();
    half.send(&announce(0xab, 1000, "")[..60]);
}

fn is_private(line: &str) -> bool {
    let line = line.to_lowercase();
    ["127.0.0.1", "::1", &hex(0xab), "%ab", "xx0001", &"ab".repeat(4)].iter().any(|part| line.contains(part))
}

#[test]
fn no_peer_and_no_torrent_is_named_below_debug() {
    let config = |level: &str| {
        format!(
            "(swarm: (interval: \"1s\"), access: (mode: Deny, file: \"list\"), log: (level: \"{level}\"))"
        )
    };
    for level in ["error", "info", "debug"] {
        let place = Place::with(&[("tracker.ron", &config(level)), ("list", &hex(0xcd))]);
        let mut program = place.start_configured(&[]);
        do_a_lot(&program);
        place.write("list", hex(0xab));
        program.signal("HUP");
        place.write("list", "abababab");
        if level != "error" {
            program.says("reloaded");
            program.signal("HUP");
            // a line of the list that is wrong is the only thing that is quoted
            program.says("nothing is reloaded: list:1: \"abababab\" is not");
        }
        let said = program.stop();
        let quoted = |line: &&String| !line.contains("list:1:") && !line.starts_with("listening on");
        for line in said.iter().filter(quoted) {
            let is_below = ["ERROR", "WARN", "INFO"].iter().any(|level| line.contains(level));
            assert!(is_below || level == "debug", "{line}");
            assert!(!is_below || !is_private(line), "{line}");
        }
    }
}

#[test]
fn text_has_a_line_for_each_event_and_no_colours_where_it_is_piped() {
    let place = Place::config("(log: (level: \"info\"))");
    let mut program = place.start_configured(&[]);
    program.reload();
    for line in Program::logged(&program.stop()) {
        assert!(line.starts_with("20") && line.contains('T') && line.contains("INFO"), "{line}");
        assert!(!line.contains('\u{1b}'), "{line}");
    }
}

#[test]
fn json_has_an_object_for_each_event() {
    let place = Place::config(
        "(log: (level: \"trace\", format: Json), swarm: (interval: \"1s\", peer_timeout: \"1s\"))",
    );
    let mut program = place.start_configured(&[]);
    do_a_lot(&program);
    program.says("swept");
    program.reload();
    // quotes in a message are escaped
    place.write("tracker.ron", "(swarm: (interval: \"x\"))");
    program.signal("HUP");
    program.says("nothing is reloaded");
    let said = program.stop();
    let events = said.iter().filter(|line| !line.starts_with("listening on"));
    let events: Vec<serde_json::Value> = events
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    for event in &events {
        assert!(event["timestamp"].is_string() && event["level"].is_string(), "{event}");
        assert!(event["message"].is_string(), "{event}");
    }
    let levels = |level: &str| events.iter().filter(|event| event["level"] == level).count();
    assert!(levels("DEBUG") > 0 && levels("INFO") > 0 && levels("ERROR") == 1, "{events:#?}");
}

#[test]
fn a_file_gets_the_same_under_the_name_of_the_day() {
    for format in ["Text", "Json"] {
        let config = format!("(log: (file: Some(\"logs/tracker.log\"), format: {format}))");
        let place = Place::config(&config);
        let mut program = place.start_configured(&[]);
        program.reload();
        let said = program.stop();
        let mut files: Vec<_> = std::fs::read_dir(place.path("logs")).unwrap().map(Result::unwrap).collect();
        // midnight may come by
        assert!(matches!(files.len(), 1 | 2), "{files:?}");
        files.sort_by_key(std::fs::DirEntry::file_name);
        let mut written = String::new();
        for file in &files {
            let name = file.file_name().into_string().unwrap();
            let day = name.strip_prefix("tracker.log.").unwrap();
            assert!(day.len() == 10 && day.split('-').map(str::len).eq([4, 2, 2]), "{name}");
            written += &std::fs::read_to_string(file.path()).unwrap();
        }
        // each has its own look at the clock
        let undated = |line: &str| line.split_once('Z').unwrap().1.to_owned();
        let said = said.iter().filter(|line| !line.starts_with("listening on")).map(|line| undated(line));
        let (said, written): (Vec<_>, Vec<_>) = (said.collect(), written.lines().map(undated).collect());
        assert_eq!(said, written);
        assert!(written.iter().any(|line| line.contains("stopped")), "the last line too: {written:?}");
    }
}
