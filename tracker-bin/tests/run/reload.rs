//! SIGHUP.

use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::client::{announce, hex};
use crate::place::Place;
use crate::program::{Program, until};

fn is_refused(client: &mut crate::client::Client, byte: u8) -> bool {
    client.ask(announce(byte, 1000, "")).text_contains("failure reason")
}

#[test]
fn access_goes_from_open_to_allow_to_deny_and_back_and_touches_nobody_else() {
    let place = Place::with(&[("tracker.ron", "()"), ("list", &hex(1))]);
    let mut program = place.start_configured(&[]);
    let mut client = program.client();
    let mut idle = program.client();
    idle.scrape(1);
    for byte in [1, 2] {
        client.announce(byte, 1000, "&left=0&event=completed");
        client.announce(byte, 1001, "&left=1");
    }

    place.write("tracker.ron", "(access: (mode: Allow, file: \"list\"))");
    program.signal("HUP");
    assert!(program.says("reloaded").contains("1 torrents are not allowed any more"));
    assert_eq!((client.scrape(1), client.scrape(2)), ([1, 1, 1], [0, 0, 0]));
    assert!(is_refused(&mut client, 2));
    assert_eq!(client.announce(1, 1001, "&left=1").ports, [1000]);

    place.write("tracker.ron", "(access: (mode: Deny, file: \"list\"))");
    program.reload();
    assert!(is_refused(&mut client, 1));
    assert_eq!(client.scrape(1), [0, 0, 0]);
    // nothing is left of what it was before, not even the completions
    assert_eq!(client.scrape(2), [0, 0, 0]);
    assert_eq!(client.announce(2, 1001, "&left=1").ports, [0; 0]);

    place.write("tracker.ron", "()");
    program.reload();
    assert_eq!(client.scrape(1), [0, 0, 0]);
    assert_eq!(client.scrape(2), [0, 0, 1]);
    assert_eq!(client.announce(1, 1000, "").incomplete, 1);
    // through all of which the connections have stayed open
    assert_eq!(idle.scrape(2), [0, 0, 1]);
    program.stop();
}

#[test]
fn a_list_that_has_changed_is_read_again() {
    let config = "(access: (mode: Allow, file: \"list\"))";
    let place = Place::with(&[("tracker.ron", config), ("list", &hex(1))]);
    let mut program = place.start_configured(&[]);
    let mut client = program.client();
    assert!(!is_refused(&mut client, 1) && is_refused(&mut client, 2));
    place.write("list", hex(2));
    program.reload();
    assert!(is_refused(&mut client, 1) && !is_refused(&mut client, 2));
    program.stop();
}

#[test]
fn where_anything_is_broken_everything_stays_as_it_was() {
    let good = "(access: (mode: Allow, file: \"list\"))";
    let place = Place::with(&[("tracker.ron", good), ("list", &hex(1)), ("bad", "\n\nxyz\n")]);
    let mut program = place.start_configured(&[]);
    let mut client = program.client();
    client.announce(1, 1000, "");
    for (config, complaint) in [
        (
            "(\naccess: (\nmode: Open), swarm: (interval: \"0s\"))",
            "tracker.ron:3: swarm.interval: \"0s\" is zero",
        ),
        ("(log: (level: \"debug\"),\n acess: ())", "tracker.ron:2: acess: acess is an unknown key"),
        (
            "(access: (mode: Deny, file: \"bad\"), log: (level: \"off\"))",
            "bad:3: \"xyz\" is not an info hash",
        ),
        ("(access: (mode: Deny, file: \"none\"))", "none: cannot be read: "),
        ("(access: (mode: Deny))", "tracker.ron:1: access.mode: Deny needs a list"),
        ("(access: (mode: Open)", "tracker.ron:1:"),
        ("", "tracker.ron:1:1: the file is empty"),
    ] {
        place.write("tracker.ron", config);
        program.signal("HUP");
        let line = program.says("nothing is reloaded: ");
        assert!(line.contains(&format!("nothing is reloaded: {complaint}")), "{line}");
        assert!(line.contains("ERROR"), "{line}");
        assert!(is_refused(&mut client, 2) && !is_refused(&mut client, 1));
        assert_eq!(client.scrape(1), [0, 0, 1]);
    }
    std::fs::remove_file(place.path("tracker.ron")).unwrap();
    program.signal("HUP");
    program.says("nothing is reloaded: tracker.ron: cannot be read: ");
    place.write("tracker.ron", "()");
    program.reload();
    assert!(!is_refused(&mut client, 2));
    assert!(!program.has_said("DEBUG"));
    program.stop();
}

#[test]
fn the_log_level_changes() {
    let sweeps = "swarm: (interval: \"1s\", peer_timeout: \"1s\")";
    let config = |level: &str| format!("({sweeps}, log: (level: \"{level}\"))");
    let place = Place::config(&config("info"));
    let mut program = place.start_configured(&[]);
    place.write("tracker.ron", config("debug"));
    program.reload();
    assert!(!program.has_said("DEBUG") || program.said.iter().any(|line| line.contains("reloaded")));
    program.says("DEBUG");
    // two more sweeps are heard of at least
    program.says("DEBUG");
    program.says("DEBUG");
    place.write("tracker.ron", config("info"));
    program.reload();
    let before = program.said.len();
    program.reload();
    program.reload();
    assert!(program.said[before..].iter().all(|line| !line.contains("DEBUG")), "{:#?}", program.said);
    program.stop();
}

#[test]
fn options_keep_precedence() {
    let place = Place::with(&[("tracker.ron", "(log: (level: \"debug\"))"), ("list", "")]);
    let program = place.start_configured(&["--log-level", "warn"]);
    let mut client = program.client();
    place.write("tracker.ron", "(access: (mode: Allow, file: \"list\"), log: (level: \"trace\"))");
    program.signal("HUP");
    until("nothing is allowed", || is_refused(&mut client, 1));
    assert_eq!(Program::logged(&program.stop()), [""; 0]);
}

#[test]
fn what_takes_a_restart_is_named_and_stays_as_it_was() {
    let place = Place::config("()");
    let mut program = place.start_configured(&[]);
    place.write("tracker.ron", "(swarm: (interval: \"7s\"), http: (keep_alive: \"0s\", workers: 5))");
    program.signal("HUP");
    // workers and listen are typed
    let line = program.says("wait for a restart");
    assert!(line.ends_with("these changes wait for a restart: http.keep_alive, swarm.interval"), "{line}");
    let mut client = program.client();
    assert!(client.ask(announce(1, 1000, "")).text_contains("8:intervali1800e"));
    client.scrape(1);
    program.stop();
}

#[test]
fn without_a_file_nothing_changes() {
    let place = Place::empty();
    let mut program = place.start(&[]);
    let mut client = program.client();
    client.announce(1, 1000, "");
    place.write("tracker.ron", "(access: (mode: Deny))");
    program.reload();
    assert_eq!(client.scrape(1), [0, 0, 1]);
    program.stop();
}

#[test]
fn many_signals_do_no_harm() {
    let place = Place::with(&[("tracker.ron", "(access: (mode: Allow, file: \"list\"))"), ("list", &hex(1))]);
    let mut program = place.start_configured(&[]);
    let mut client = program.client();
    for _ in 0..30 {
        program.signal("HUP");
        assert_eq!(client.announce(1, 1000, "").incomplete, 1);
    }
    program.says("reloaded");
    program.stop();
}

#[test]
fn announces_are_answered_while_a_long_list_is_read() {
    let hashes: u32 = if cfg!(debug_assertions) { 200_000 } else { 1_000_000 };
    let mut list = String::with_capacity(41 * hashes as usize);
    for n in 0..hashes {
        // in no order
        writeln!(list, "{:08x}{:032x}", n.wrapping_mul(0x9e37_79b1), n).unwrap();
    }
    let place = Place::config("()");
    place.write("list", &list);
    let mut program = place.start_configured(&[]);
    let mut client = program.client();
    client.announce(0, 1000, "");
    client.announce(1, 1000, "");
    place.write("tracker.ron", "(access: (mode: Allow, file: \"list\"))");
    program.signal("HUP");
    let begin = Instant::now();
    let (mut longest, mut answers) = (Duration::ZERO, 0);
    while !program.has_said("reloaded") {
        let asked = Instant::now();
        assert_eq!(client.ask(announce(0, 1000, "")).status, 200);
        longest = longest.max(asked.elapsed());
        answers += 1;
    }
    let took = begin.elapsed();
    println!("{hashes} hashes in {took:?}; meanwhile {answers} answers, the slowest after {longest:?}");
    assert!(took < Duration::from_millis(400) || longest < took / 2, "{longest:?} of {took:?}");
    // the first one on the list is all zeros
    assert_eq!((client.scrape(0), client.scrape(1)), ([0, 0, 1], [0, 0, 0]));
    program.stop();
}
