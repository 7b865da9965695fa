//! `max_connections`: the connection that is idle longest makes room.

use tracker_http::Happening;

use crate::client::Client;
use crate::site::{Setup, Site, announce, get};

fn with_room_for(max_connections: usize, workers: usize) -> Setup {
    let mut setup = Setup::default();
    setup.settings.max_connections = max_connections;
    setup.settings.workers = workers;
    setup
}

/// A connection that has been served and is idle.
#[track_caller]
fn idle(site: &Site<'_>) -> Client {
    let mut client = site.connect();
    assert_eq!(client.ask(get("/x")).status, 404);
    client
}

#[track_caller]
fn is_served(client: &mut Client) {
    assert_eq!(client.ask(get("/x")).status, 404);
}

#[test]
fn the_connection_idle_longest_makes_room() {
    with_room_for(3, 1).run(|site| {
        let [mut first, mut second, mut third] = std::array::from_fn(|_| idle(site));
        // the first is not the one idle longest any more
        is_served(&mut first);
        let mut fourth = idle(site);
        second.is_closed();
        let mut fifth = idle(site);
        third.is_closed();
        for client in [&mut first, &mut fourth, &mut fifth] {
            is_served(client);
        }
        assert_eq!(
            (site.open(), site.happened(Happening::MadeRoom), site.happened(Happening::TooMany)),
            (3, 2, 0)
        );
    });
}

#[test]
fn where_none_is_idle_the_new_one_is_closed_at_once() {
    with_room_for(2, 1).run(|site| {
        let mut new = site.connect();
        let mut half = idle(site);
        half.send("GET /");
        // the half request has been read when a later one of the same connection has an effect: none has, so ask the counters
        let sent = site.happened(Happening::BytesIn);
        site.wait_for("the half request has been read", || {
            site.happened(Happening::BytesIn) >= sent.max(5 + get("/x").len() as u64)
        });
        for _ in 0..3 {
            site.connect().is_gone();
        }
        assert_eq!(site.happened(Happening::TooMany), 3);
        assert_eq!((site.open(), site.happened(Happening::MadeRoom)), (2, 0));
        // those that are in are served on, and then there is room
        assert_eq!(half.ask("x HTTP/1.1\r\nHost: t\r\n\r\n").status, 404);
        is_served(&mut new);
        let mut another = idle(site);
        half.is_closed();
        is_served(&mut another);
    });
}

#[test]
fn an_idle_connection_of_another_worker_makes_room_too() {
    with_room_for(16, 4).run(|site| {
        let mut clients: Vec<Client> = (0..16).map(|_| idle(site)).collect();
        for round in 1..=16 {
            clients.push(idle(site));
            site.wait_for("room is made", || site.happened(Happening::MadeRoom) == round);
        }
        site.wait_for("nobody is beyond the bound", || site.open() == 16);
        assert_eq!(site.happened(Happening::TooMany), 0);
        // workers publish what they have, so the order holds between turns, and here all the first have gone
        for old in clients.drain(..16) {
            let mut old = old;
            old.is_closed();
        }
        clients.iter_mut().for_each(is_served);
    });
}

#[test]
fn a_rush_does_not_outgrow_the_bound() {
    with_room_for(20, 2).run(|site| {
        let idle: Vec<Client> = (0..20).map(|_| idle(site)).collect();
        let mut rush: Vec<Client> = (0..300).map(|_| site.connect()).collect();
        site.wait_for("all others are turned away", || site.happened(Happening::TooMany) == 280);
        site.wait_for("nobody is beyond the bound", || site.open() <= 20);
        assert_eq!(site.happened(Happening::MadeRoom), 20);
        let served = rush.iter_mut().map(is_open).filter(|is_open| *is_open).count();
        assert_eq!(served, 20);
        drop(idle);
    });
}

/// Whether a request is answered.
fn is_open(client: &mut Client) -> bool {
    let mut byte = [0];
    client.try_send(get("/x")).is_ok() && client.stream.peek(&mut byte).is_ok_and(|read| read > 0)
}

#[test]
fn connections_that_close_make_room() {
    with_room_for(2, 1).run(|site| {
        for port in 1..100 {
            site.connect().tell(announce(1, port).numwant(0).request_with("Connection: close\r\n"));
        }
        let busy = [site.connect(), site.connect()];
        site.wait_for("both are in", || site.happened(Happening::Accepted) == 101);
        site.connect().is_gone();
        drop(busy);
        site.wait_for("both are gone", || site.open() == 0);
        site.serves();
        assert_eq!(site.counts(1), (0, 99, 0));
    });
}

#[test]
fn several_workers_count_and_serve_as_one() {
    with_room_for(1000, 4).run(|site| {
        let mut clients: Vec<Client> = (0..64).map(|_| site.connect()).collect();
        for (port, client) in (1..).zip(&mut clients) {
            assert_eq!(client.tell(announce(1, port).numwant(0).request()).counts(), (0, i64::from(port), 0));
        }
        assert_eq!(site.open(), 64);
        assert_eq!(site.tell(&announce(1, 1).numwant(200)).peers().len(), 63);
    });
}
