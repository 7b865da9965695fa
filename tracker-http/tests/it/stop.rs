//! Stopping: what has come complete is answered, the rest is dropped, and it is over soon.

use std::time::{Duration, Instant};

use tracker_core::{Config, Tracker};
use tracker_http::{Access, Clock, Rules, Server, Settings, TrackerService};

use crate::client::Client;
use crate::services::Pages;
use crate::site::{Setup, Site, announce, get, run, scrape};

/// Two seconds for connections, and some for a machine that is busy.
const SOON: Duration = Duration::from_millis(3500);

/// Runs `clients` against a server that is bound, then lets it run for the first time when it is stopped already: all that
/// was sent waits in its backlog. Then `after` looks at the answers.
fn stopped_before_it_runs<T>(clients: impl FnOnce(&Server) -> T, after: impl FnOnce(&Tracker, T)) {
    let tracker = Tracker::new(Config::default());
    let access = Access::default();
    let server =
        Server::bind(&["127.0.0.1:0".parse().unwrap()], Settings::default(), Clock::start()).unwrap();
    let clients = clients(&server);
    server.handle().stop();
    let begin = Instant::now();
    server.run(&TrackerService::new(&tracker, Rules::default(), &access).beside(Pages));
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
    assert_eq!(server.handle().counters().open_connections(), 0);
    after(&tracker, clients);
}

#[test]
fn the_backlog_is_answered() {
    stopped_before_it_runs(
        |server| {
            let request = |port| {
                let mut client = Client::new(server.addrs()[0]);
                client.send(announce(1, port).numwant(0).request());
                client
            };
            (1..=500).map(request).collect::<Vec<_>>()
        },
        |tracker, clients| {
            for mut client in clients {
                let answer = client.answer();
                assert!(answer.closes());
                assert_eq!(answer.bencode().int("complete"), 0);
                client.is_closed();
            }
            assert_eq!(tracker.totals().peers(), 500);
        },
    );
}

#[test]
fn a_pipeline_is_answered_to_its_end_and_only_the_last_answer_closes() {
    stopped_before_it_runs(
        |server| {
            let mut client = Client::new(server.addrs()[0]);
            client.send((1..=200).map(|port| announce(1, port).numwant(0).request()).collect::<String>());
            client
        },
        |_, mut client| {
            for port in 1..=200 {
                assert_eq!(client.answer().closes(), port == 200);
            }
            client.is_closed();
        },
    );
}

#[test]
fn a_pipeline_longer_than_one_read_is_answered_to_its_end() {
    let count = 560; // of 117 bytes each: just more than the server reads at once, and not more than a new socket takes
    stopped_before_it_runs(
        |server| {
            let mut client = Client::new(server.addrs()[0]);
            let batch: String = (1..=count).map(|port| announce(1, port).numwant(0).request()).collect();
            assert!(batch.len() > 64 << 10, "{}", batch.len());
            client.send(batch);
            client
        },
        |tracker, mut client| {
            for _ in 1..=count {
                assert_eq!(client.answer().status, 200);
            }
            client.is_closed();
            assert_eq!(tracker.totals().peers(), u64::from(count));
        },
    );
}

#[test]
fn idle_and_half_received_requests_are_dropped() {
    let mut clients = Vec::new();
    run(|site| {
        let mut idle = site.connect();
        assert_eq!(idle.ask(get("/x")).status, 404);
        let mut half = site.connect();
        half.send("GET /x HTTP/1.1\r\nHo");
        let mut half_body = site.connect();
        half_body.send(announce(1, 1).request_with("Content-Length: 5\r\n") + "abc");
        let silent = site.connect();
        site.wait_for("all are in", || site.open() == 4);
        clients = vec![idle, half, half_body, silent];
        site.server.handle().stop();
        for client in &mut clients {
            client.is_gone();
        }
        assert_eq!(site.tracker.totals().peers(), 0);
    });
}

#[test]
fn stopping_is_quick_with_nobody_there_and_with_several_workers() {
    for workers in [1, 4] {
        let mut setup = Setup::default();
        setup.settings.workers = workers;
        let mut begin = Instant::now();
        setup.run(|site| {
            site.serves();
            begin = Instant::now();
        });
        assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    }
}

fn stop_among(fill: impl FnOnce(&Site<'_>) -> Vec<Client>) {
    let mut begin = Instant::now();
    let mut clients = Vec::new();
    Setup::default().run_beside(Pages, |site| {
        clients = fill(site);
        begin = Instant::now();
    });
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
    drop(clients);
}

#[test]
fn readers_that_stall_do_not_hold_up_the_end() {
    stop_among(|site| {
        let stalled = |n: usize| {
            let mut client = Client::narrow(site.addr());
            let target = if n.is_multiple_of(2) { "/big/8000000" } else { "/long/80000000" };
            client.send(get(target));
            client.fill(1);
            client
        };
        (0..20).map(stalled).collect()
    });
}

#[test]
fn clients_that_do_not_close_do_not_hold_up_the_end() {
    stop_among(|site| {
        let refused = |_| {
            let mut client = site.connect();
            assert_eq!(client.ask("BAD\r\n\r\n").status, 400);
            client
        };
        (0..20).map(refused).collect()
    });
}

#[test]
fn a_client_that_sends_without_end_does_not_hold_up_the_end() {
    let mut begin = Instant::now();
    Setup::default().run(|site| {
        let batch = get(&scrape(&[1])).repeat(2000);
        let mut busy = site.connect();
        let mut reader = busy.stream.try_clone().unwrap();
        std::thread::spawn(move || {
            while std::io::Read::read(&mut reader, &mut [0; 65536]).is_ok_and(|read| read > 0) {}
        });
        std::thread::spawn(move || while busy.try_send(&batch).is_ok() {});
        site.wait_for("it is busy", || {
            site.counts_of(|counters| counters.requests(tracker_http::Route::Scrape)) > 5000
        });
        begin = Instant::now();
    });
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
}

#[test]
fn a_long_answer_that_is_read_is_finished() {
    Setup::default().run_beside(Pages, |site| {
        let mut client = site.connect();
        client.send(get("/long/20000000"));
        client.fill(1);
        site.server.handle().stop();
        assert_eq!(client.answer().body.len(), 20_000_000);
        client.is_closed();
    });
}

#[test]
fn nobody_listens_any_more() {
    let mut addr = None;
    run(|site| addr = Some(site.addr()));
    assert!(std::net::TcpStream::connect(addr.unwrap()).is_err());
}
