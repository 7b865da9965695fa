//! Peers that are not heard of any more.

use std::time::{Duration, Instant};

use crate::client::announce;
use crate::place::Place;
use crate::program::until;

#[test]
fn a_peer_vanishes_from_answers_and_counts_and_its_completion_stays() {
    let place = Place::config("(swarm: (interval: \"1s\", peer_timeout: \"3s\"))");
    let program = place.start_configured(&[]);
    let mut client = program.client();
    let begin = Instant::now();
    client.announce(1, 1000, "&left=0&event=completed");
    assert_eq!(client.announce(1, 1001, "&left=1").ports, [1000]);
    assert_eq!(client.announce(2, 1000, "&left=1").incomplete, 1);
    let mut told = client.announce(1, 1001, "&left=1");
    until("the seeder is handed out no more", || {
        told = client.announce(1, 1001, "&left=1");
        told.ports.is_empty()
    });
    assert!(begin.elapsed() > Duration::from_secs(2), "{:?}", begin.elapsed());
    // counts may lag by a sweep
    until("it is counted no more", || client.announce(1, 1001, "&left=1").complete == 0);
    assert_eq!(client.scrape(1), [0, 1, 1]);
    until("the other torrent is gone", || client.scrape(2) == [0, 0, 0]);
    // and so does this one when it is left alone
    until("the one that announced has gone too", || client.scrape(1) == [0, 1, 0]);
    program.stop();
}

#[test]
fn the_shortest_times_work() {
    let place = Place::config("(swarm: (interval: \"1s\", min_interval: \"1s\", peer_timeout: \"1s\"))");
    let program = place.start_configured(&[]);
    let mut client = program.client();
    let begin = Instant::now();
    let answer = client.ask(announce(1, 1000, ""));
    assert!(answer.text_contains("8:intervali1e12:min intervali1e"), "{answer:?}");
    until("the peer is gone", || client.scrape(1) == [0, 0, 0]);
    // not by the change of a second on some clock
    assert!(begin.elapsed() > Duration::from_millis(900), "{:?}", begin.elapsed());
    program.stop();
}
