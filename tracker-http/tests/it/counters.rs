//! The counters tell the truth.

use tracker_http::{Counters, Happening, ROUTES, Route, STATUSES};

use crate::site::{Setup, announce, get, scrape};

/// All answers that are counted: route, status, how many.
fn answers(counters: &Counters) -> Vec<(Route, u16, u64)> {
    let all = ROUTES
        .into_iter()
        .flat_map(|route| STATUSES.map(|status| (route, status, counters.answers(route, status))));
    all.filter(|(_, _, count)| *count > 0).collect()
}

#[test]
fn answers_are_counted_by_route_and_status() {
    for workers in [1, 3] {
        let mut setup = Setup::default();
        setup.settings.workers = workers;
        setup.run_beside(crate::services::Pages, |site| {
            assert_eq!(site.counts_of(answers), []);
            let mut client = site.connect();
            let mut batch = String::new();
            batch += &announce(1, 1).request().repeat(3);
            batch += &get("/announce").repeat(2);
            batch += &get(&scrape(&[1])).repeat(4);
            batch += &get("/scrape?info_hash=x");
            batch += &get("/x").repeat(5);
            batch += &get("/status/403");
            batch += &get("/status/302");
            batch += &get("/long/10");
            batch += "POST /announce HTTP/1.1\r\nHost: t\r\n\r\n";
            client.send(batch);
            (0..19).for_each(|_| drop(client.answer()));
            client.send(announce(1, 1).request().replacen("GET", "HEAD", 1)).answer_to_head();
            for bad in [
                "BAD\r\n",
                "BREW / HTTP/1.1\r\n",
                "GET / HTTP/3.0\r\n\r\n",
                &format!("GET /{}", "x".repeat(9000)),
                &get("/status/500"),
            ] {
                assert!(site.connect().ask(bad).closes());
            }
            use Route::{Announce, Other, Scrape};
            let expected = [
                (Announce, 200, 6),
                (Scrape, 200, 5),
                (Other, 200, 1),
                (Other, 302, 1),
                (Other, 400, 1),
                (Other, 403, 1),
                (Other, 404, 5),
                (Other, 405, 1),
                (Other, 414, 1),
                (Other, 500, 1),
                (Other, 501, 1),
                (Other, 505, 1),
            ];
            assert_eq!(site.counts_of(answers), expected);
            assert_eq!(site.counts_of(|counters| counters.requests(Other)), 14);
            assert_eq!(site.happened(Happening::Failure), 3);
        });
    }
}

#[test]
fn connections_are_counted_as_they_come_and_go() {
    Setup::default().run(|site| {
        let mut clients: Vec<_> = (0..10).map(|_| site.connect()).collect();
        site.wait_for("all are counted", || site.open() == 10);
        clients.iter_mut().for_each(|client| assert_eq!(client.ask(get("/x")).status, 404));
        clients.truncate(4);
        site.wait_for("four are left", || site.open() == 4);
        drop(clients);
        site.wait_for("none is left", || site.open() == 0);
        assert_eq!(site.happened(Happening::Accepted), 10);
    });
}

#[test]
fn bytes_are_counted_to_the_last_one() {
    let mut setup = Setup::default();
    setup.rules.full_scrape = true;
    setup.run_beside(crate::services::Pages, |site| {
        let long =
            "POST /x HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n".to_owned();
        let sent = [
            announce(1, 1).request(),
            get("/x").repeat(500),
            get("/big/3000000"),
            get("/long/300000"),
            get("/scrape"),
            long,
            "hello".to_owned(),
            "GET /x HTTP/1.1\r\nHost : t\r\n\r\n".to_owned() + &"g".repeat(100_000),
        ];
        let mut client = site.connect();
        let mut reader = client.stream.try_clone().unwrap();
        let mut received = Vec::new();
        std::thread::scope(|scope| {
            scope.spawn(|| std::io::Read::read_to_end(&mut reader, &mut received).unwrap());
            for part in &sent {
                client.send(part);
            }
            client.half_close();
        });
        site.wait_for("it is closed", || site.open() == 0);
        assert_eq!(site.happened(Happening::BytesOut), received.len() as u64);
        // what is drained behind a refusal was read as well
        assert_eq!(site.happened(Happening::BytesIn), sent.iter().map(|part| part.len() as u64).sum::<u64>());
    });
}

#[test]
fn a_streamed_answer_counts_when_it_begins() {
    let mut setup = Setup::default();
    setup.rules.full_scrape = true;
    setup.run(|site| {
        let mut client = site.connect();
        (0..3).for_each(|_| assert_eq!(client.ask(get("/scrape")).status, 200));
        assert_eq!(site.counts_of(answers), [(Route::Scrape, 200, 3)]);
    });
}
