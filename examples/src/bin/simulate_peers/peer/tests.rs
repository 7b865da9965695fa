use super::*;
use crate::crowd::Habits;

fn person(habits: Habits) -> Person {
    Person {
        torrent: 0,
        line: 0,
        port: 1,
        client: 0,
        id: [0; 20],
        key: 0,
        arrives: 0.0,
        speed: 1.0,
        seeds: 1.0,
        stays: f64::INFINITY,
        habits,
    }
}

const PACE: Duration = Duration::from_secs(10);

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn the_download_is_as_fast_as_there_are_sources() {
    let person = person(Habits::default());
    let mut peer = Peer::new();
    peer.arrive(&person);
    assert_eq!(peer.meet(0.0, &person, PACE, at(0)), None);
    assert_eq!(peer.be_met(2.0, &person, PACE, at(10)), Some(at(30)));
    // half of it is left
    assert_eq!(peer.meet(50.0, &person, PACE, at(20)), Some(at(25)));
    assert!(!peer.is_starving());
    assert_eq!(peer.be_met(1.0, &person, PACE, at(21)), None);
}

#[test]
fn events_come_in_order_and_each_as_often_as_it_is_due() {
    let person = person(Habits { completes_twice: true, stops_twice: true, ..Habits::default() });
    let mut peer = Peer::new();
    assert_eq!(peer.event(), None);
    peer.arrive(&person);
    peer.is_busy = true;
    // completes and leaves while its first announce is on its way
    peer.complete(&person);
    assert!(!peer.is_complete(Event::Started));
    peer.leave(&person, false, at(1));
    let mut said = Vec::new();
    while let Some(event) = peer.event() {
        said.push((event, peer.is_complete(event)));
        peer.tell(event);
    }
    let [started, completed, stopped] = [Event::Started, Event::Completed, Event::Stopped];
    let expected = [(started, false), (completed, true), (completed, true), (stopped, true), (stopped, true)];
    assert_eq!(said, expected);
    assert_eq!(peer.stage, Stage::Left);
}

#[test]
fn a_partial_seed_says_so_in_each_announce() {
    let person = person(Habits { wants_part: true, ..Habits::default() });
    let mut peer = Peer::new();
    peer.arrive(&person);
    peer.tell(Event::Started);
    peer.complete(&person);
    assert_eq!((peer.stage, peer.event()), (Stage::PartialSeed, Some(Event::Paused)));
    let torrent = Torrent { info_hash: [0; 20], bytes: 1000 };
    assert_eq!((peer.left(Event::Paused, &torrent, false), peer.downloaded(&torrent)), (400, 600));
    assert_eq!(peer.groups(Event::Paused, &person, false), Group::Incomplete.bit() | Group::Peer4.bit());
}

#[test]
fn who_vanishes_says_nothing_any_more() {
    let person = person(Habits::default());
    let mut peer = Peer::new();
    peer.arrive(&person);
    peer.tell(Event::Started);
    peer.leave(&person, true, at(1));
    assert_eq!((peer.stage, peer.event(), peer.worth()), (Stage::Vanished, None, 0.0));
}
