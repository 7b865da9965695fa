//! SIGTERM and SIGINT.

use std::time::{Duration, Instant};

use crate::client::{Client, announce, get};
use crate::place::Place;
use crate::program::Program;

/// Far less than the two seconds that connections are given.
const QUICKLY: Duration = Duration::from_millis(1500);

/// A client that asks for far more than sockets hold, and reads nothing.
fn stalled(program: &Program) -> Client {
    let mut others = program.client();
    let announces =
        |ports: std::ops::Range<u16>, more| ports.map(|port| announce(9, port, more)).collect::<String>();
    others.send(announces(1000..1200, "&numwant=0"));
    for _ in 1000..1200 {
        others.answer();
    }
    let mut client = Client::narrow(program.addr());
    // 13 kB each
    client.send(announces(2000..3000, "&numwant=200&compact=0"));
    client
}

#[test]
fn both_signals_stop_quickly_whoever_is_idle_and_the_port_is_free_at_once() {
    for signal in ["TERM", "INT"] {
        let place = Place::empty();
        let mut program = place.start(&[]);
        let mut idle: Vec<_> = (0..50).map(|_| program.client()).collect();
        for client in &mut idle {
            assert_eq!(client.ask(get("/health")).field("connection"), None);
        }
        let fresh: Vec<_> = (0..10).map(|_| program.client()).collect();
        let mut half = program.client();
        half.send("GET /announce?info_hash=");
        let begin = Instant::now();
        program.signal(signal);
        assert_eq!(program.end().code(), Some(0));
        assert!(begin.elapsed() < QUICKLY, "{:?}", begin.elapsed());
        assert_eq!(program.said.last().map(|line| line.contains("stopped")), Some(true));
        // none of them is told anything
        idle.into_iter().chain(fresh).chain([half]).for_each(|mut client| client.is_gone());

        let addr = program.addr().to_string();
        let again = place.start(&["--listen", &addr]);
        assert_eq!(again.addr(), program.addr());
        assert_eq!(again.client().announce(1, 1000, "").incomplete, 1);
        again.stop();
    }
}

#[test]
fn what_has_been_asked_is_answered() {
    let place = Place::empty();
    let mut program = place.start(&[]);
    let mut open: Vec<_> = (0..20).map(|_| program.client()).collect();
    for (client, port) in open.iter_mut().zip(1000..) {
        client.announce(1, port, "&numwant=0");
    }
    // all of this and the signal come in one moment for the program
    program.suspend();
    for (client, port) in open.iter_mut().zip(2000..) {
        client.send(announce(1, port, "&numwant=0"));
        client.send(announce(1, port, "&numwant=0&event=stopped"));
        client.send("GET /announce?half");
    }
    let mut waiting: Vec<_> = (3000..3300)
        .map(|port| {
            let mut client = program.client();
            client.send(announce(1, port, "&numwant=0"));
            client
        })
        .collect();
    program.signal("TERM");
    program.resume();
    for client in &mut open {
        assert_eq!(client.answer().status, 200);
        assert_eq!(client.answer().status, 200);
        client.is_gone();
    }
    for client in &mut waiting {
        assert_eq!(client.answer().status, 200);
        client.is_gone();
    }
    assert_eq!(program.end().code(), Some(0));
}

#[test]
fn a_request_that_waited_is_answered_with_a_close() {
    let place = Place::empty();
    let mut program = place.start(&["--workers", "1"]);
    // this one takes more time than it takes to see the signal
    let mut busy = program.client();
    let mut other = program.client();
    assert_eq!(other.ask(get("/health")).status, 200);
    program.suspend();
    busy.send(get("/health").repeat(1500));
    other.send(get("/health"));
    program.signal("TERM");
    program.resume();
    let answers: Vec<_> = (0..1500).map(|_| busy.answer()).collect();
    busy.is_gone();
    // none but the last can say it, and the last does unless all were answered before the signal was seen
    assert!(answers[..1499].iter().all(|answer| answer.field("connection").is_none()));
    let said = answers[1499].field("connection");
    assert!(matches!(said, None | Some("close")), "{said:?}");
    assert!(matches!(other.answer().field("connection"), None | Some("close")));
    other.is_gone();
    assert_eq!(program.end().code(), Some(0));
}

#[test]
fn nobody_who_reads_nothing_holds_it_up_for_long() {
    let place = Place::empty();
    let mut program = place.start(&[]);
    let _stalled = stalled(&program);
    let begin = Instant::now();
    program.signal("TERM");
    assert_eq!(program.end().code(), Some(0));
    let took = begin.elapsed();
    assert!(took > Duration::from_millis(1800), "nobody has stalled: {took:?}");
    assert!(took < Duration::from_secs(4), "{took:?}");
}

#[test]
fn nobody_who_reads_no_long_answer_holds_it_up_either() {
    let place = Place::config("(swarm: (full_scrape: true))");
    let mut program = place.start_configured(&[]);
    let mut clients: Vec<_> = (0..8).map(|_| Client::narrow(program.addr())).collect();
    for client in &mut clients {
        client.send(get("/scrape").repeat(200));
    }
    let _stalled = stalled(&program);
    program.signal("TERM");
    assert_eq!(program.end().code(), Some(0));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    for (signals, code) in [(["TERM", "TERM"], 143), (["TERM", "INT"], 130), (["INT", "TERM"], 143)] {
        let place = Place::empty();
        let mut program = place.start(&[]);
        let _stalled = stalled(&program);
        program.signal(signals[0]);
        program.says("stopping");
        let begin = Instant::now();
        program.signal(signals[1]);
        assert_eq!(program.end().code(), Some(code));
        assert!(begin.elapsed() < QUICKLY, "{:?}", begin.elapsed());
    }
}

#[test]
fn a_signal_right_after_the_first_line_stops_it_too() {
    for _ in 0..10 {
        let place = Place::empty();
        // the first line of two: the second may not be written yet
        let mut program =
            Program::start(place.command(&["--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0"]), 1);
        program.signal("TERM");
        assert_eq!(program.end().code(), Some(0), "{:?}", program.said);
    }
}
