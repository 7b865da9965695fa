//! Bodies that many connections get and none has a copy of.

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use tracker_http::parser::Request;
use tracker_http::{Context, Happening, Reply, Service};

use crate::client::Client;
use crate::site::{Setup, Site, announce, get};

const MEGABYTE: usize = 1_000_000;

/// Letters of which no two stretches are the same.
static TEXT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        b'a' + (state >> 56) as u8 % 26
    };
    (0..20 * MEGABYTE).map(|_| next()).collect()
});

/// `/whole` is a megabyte, `/page/N` the first N bytes of the text, and `/error/N` the same with a status of 500.
#[derive(Clone)]
pub(crate) struct Shelf {
    pub(crate) whole: Arc<[u8]>,
    /// Otherwise all is sent.
    pub(crate) shares: bool,
}

impl Shelf {
    pub(crate) fn new() -> Shelf {
        Shelf { whole: TEXT[..MEGABYTE].into(), shares: true }
    }

    /// Connections that have a reference to `/whole`.
    fn readers(&self) -> usize {
        // this one and the server's
        Arc::strong_count(&self.whole) - 2
    }

    pub(crate) fn run(&self, test: impl FnOnce(&Site<'_>)) {
        Setup::default().run_beside(self.clone(), test);
    }

    fn run_with_timeout(&self, timeout: Duration, test: impl FnOnce(&Site<'_>)) {
        let mut setup = Setup::default();
        setup.settings.request_timeout = timeout;
        setup.run_beside(self.clone(), test);
    }
}

impl Service for Shelf {
    fn call(&self, request: &Request<'_>, _: IpAddr, _: &mut Context, reply: &mut Reply<'_>) {
        let path = std::str::from_utf8(request.path).unwrap();
        let page = |name| path.strip_prefix(name).map(|n| &TEXT[..n.parse().unwrap()]);
        let extra = [("Cache-Control", "max-age=5")];
        if path == "/whole" {
            reply.share(200, "text/html", &extra, Arc::clone(&self.whole));
        } else if let Some(page) = page("/page/") {
            match self.shares {
                true => reply.share(200, "text/html", &extra, page.into()),
                false => reply.send(200, "text/html", &extra, page),
            }
        } else if let Some(page) = page("/error/") {
            reply.share(500, "text/html", &extra, page.into());
        }
    }
}

fn head(target: &str) -> String {
    get(target).replacen("GET", "HEAD", 1)
}

/// Reads an answer whose body is the first `length` bytes of the text. Returns whether it says that it is the last.
#[track_caller]
fn is_page(client: &mut Client, length: usize) -> bool {
    let answer = client.answer();
    assert_eq!((answer.status, answer.body.len()), (200, length));
    assert_eq!(answer.field("content-length"), Some(&*length.to_string()));
    assert!(answer.body == TEXT[..length], "other bytes than were shared");
    answer.closes()
}

#[test]
fn a_shared_body_arrives_whole_as_often_as_it_is_asked_for() {
    let shelf = Shelf::new();
    shelf.run(|site| {
        let mut client = site.connect();
        for _ in 0..2 {
            assert!(!is_page(client.send(get("/whole")), MEGABYTE));
        }
        for length in
            [0, 1, 4095, 4096, 4097, 16_383, 16_384, 16_385, 65_536, 262_143, 262_144, 262_145, 20 * MEGABYTE]
        {
            assert!(!is_page(client.send(get(&format!("/page/{length}"))), length));
        }
        // what has been written is not held by a connection that stays open
        assert_eq!((shelf.readers(), site.open()), (0, 1));
    });
}

#[test]
fn head_of_a_shared_body_is_the_same_without_it() {
    Shelf::new().run(|site| {
        let mut client = site.connect();
        let fields = client.ask(get("/whole")).fields;
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Content-Type", "Cache-Control", "Content-Length"]);
        for _ in 0..2 {
            assert_eq!(client.send(head("/whole")).answer_to_head().fields, fields);
        }
        assert!(!is_page(client.send(get("/whole")), MEGABYTE));
    });
}

#[test]
fn announces_before_and_behind_it_are_answered_in_order() {
    Shelf::new().run(|site| {
        let mut client = site.connect();
        let told = |ports: std::ops::RangeInclusive<u16>| -> String {
            ports.map(|port| announce(1, port).numwant(0).request()).collect()
        };
        client.send(
            told(1..=3)
                + &get("/whole")
                + &told(4..=4)
                + &head("/whole")
                + &get("/whole").repeat(3)
                + &get("/page/10")
                + &told(5..=200)
                + &get("/page/300000"),
        );
        let is_told = |client: &mut Client, ports: std::ops::RangeInclusive<i64>| {
            for port in ports {
                assert_eq!(client.answer().bencode().counts(), (0, port, 0));
            }
        };
        is_told(&mut client, 1..=3);
        is_page(&mut client, MEGABYTE);
        is_told(&mut client, 4..=4);
        assert_eq!(client.answer_to_head().field("content-length"), Some("1000000"));
        (0..3).for_each(|_| assert!(!is_page(&mut client, MEGABYTE)));
        is_page(&mut client, 10);
        is_told(&mut client, 5..=200);
        is_page(&mut client, 300_000);
    });
}

#[test]
fn nothing_is_carried_out_before_the_body_in_front_of_it_is_taken() {
    let shelf = Shelf::new();
    shelf.run(|site| {
        let mut client = Client::thin(site.addr());
        client.send(get("/whole"));
        site.wait_for("it is being written", || shelf.readers() == 1);
        client.send(announce(1, 1).request());
        site.wait_for("the announce has arrived", || client.unsent() == 0);
        site.serves();
        assert_eq!(site.counts(1), (0, 0, 0));
        is_page(&mut client, MEGABYTE);
        assert_eq!(client.answer().bencode().counts(), (0, 1, 0));
    });
}

#[test]
fn a_slow_reader_gets_every_byte_and_keeps_nobody_waiting() {
    let shelf = Shelf::new();
    shelf.run(|site| {
        let mut slow = Client::thin(site.addr());
        let mut other = site.connect();
        slow.send(get("/whole"));
        site.wait_for("it is being written", || shelf.readers() == 1);
        let mut read = Vec::new();
        let mut port = 1;
        while shelf.readers() == 1 {
            let mut dribble = [0; 1009];
            let more = slow.read(&mut dribble).unwrap();
            read.extend_from_slice(&dribble[..more]);
            // served while the other is not through
            assert_eq!(other.tell(announce(1, port).numwant(0).request()).counts(), (0, i64::from(port), 0));
            port += 1;
        }
        assert!(port > 200, "{port} dribbles");
        slow.half_close();
        read.extend(slow.rest());
        assert!(read.ends_with(&TEXT[..MEGABYTE]) && read.len() < MEGABYTE + 200);
    });
}

#[test]
fn fast_readers_of_large_bodies_do_not_starve_others() {
    Shelf::new().run(|site| {
        let mut fast: Vec<Client> = (0..4).map(|_| site.connect()).collect();
        std::thread::scope(|scope| {
            let (stop, stopped) = crossbeam::channel::bounded::<()>(0);
            for client in &mut fast {
                let stopped = stopped.clone();
                scope.spawn(move || {
                    while stopped.try_recv() == Err(crossbeam::channel::TryRecvError::Empty) {
                        is_page(client.send(get("/page/20000000")), 20 * MEGABYTE);
                    }
                });
            }
            for port in 1..=100 {
                site.tell(&announce(1, port));
            }
            drop(stop);
        });
        assert_eq!(site.counts(1), (0, 100, 0));
    });
}

#[test]
fn a_reader_that_takes_nothing_is_given_up_and_what_it_sent_is_carried_out() {
    for resets in [false, true] {
        let shelf = Shelf::new();
        shelf.run_with_timeout(Duration::from_millis(if resets { 60_000 } else { 300 }), |site| {
            let mut client = Client::thin(site.addr());
            let announces: String = (1..=150).map(|port| announce(1, port).request()).collect();
            client.send(get("/whole") + &announces + &get("/whole") + &announce(1, 151).request());
            site.wait_for("all have arrived", || client.unsent() == 0);
            if resets {
                client.reset();
            }
            site.wait_for("all are carried out", || site.tracker.totals().peers() == 151);
            site.wait_for("it is closed", || site.open() == 0);
            assert_eq!(shelf.readers(), 0);
            assert_eq!(site.happened(Happening::OutputTimeout), u64::from(!resets));
            assert!(site.happened(Happening::BytesOut) < MEGABYTE as u64);
        });
    }
}

#[test]
fn nothing_behind_the_last_answer_is_carried_out_when_its_reader_is_given_up() {
    let shelf = Shelf::new();
    shelf.run_with_timeout(Duration::from_millis(300), |site| {
        let mut client = Client::thin(site.addr());
        let last = "GET /whole HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n".to_owned();
        client.send(last + &announce(1, 1).request());
        site.wait_for("it is given up", || site.happened(Happening::OutputTimeout) == 1);
        site.wait_for("it is closed", || site.open() == 0);
        assert_eq!((site.counts(1), shelf.readers()), ((0, 0, 0), 0));
    });
}

#[test]
fn a_reader_that_is_only_slow_may_take_longer_than_the_timeout() {
    Shelf::new().run_with_timeout(Duration::from_secs(1), |site| {
        let mut client = Client::thin(site.addr());
        client.send(get("/whole") + &announce(1, 1).request());
        for part in 1..=12 {
            client.fill(part * 80_000);
            std::thread::sleep(Duration::from_millis(100));
        }
        is_page(&mut client, MEGABYTE);
        assert_eq!(client.answer().bencode().counts(), (0, 1, 0));
        assert_eq!(site.happened(Happening::OutputTimeout), 0);
    });
}

#[test]
fn the_connection_ends_with_it_where_it_is_the_last() {
    Shelf::new().run(|site| {
        for request in
            ["GET /whole HTTP/1.0\r\n\r\n", "GET /whole HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"]
        {
            for mut client in [site.connect(), Client::thin(site.addr())] {
                client.send(request.to_owned() + &announce(1, 1).request());
                assert!(is_page(&mut client, MEGABYTE));
                client.is_closed();
            }
        }
        assert_eq!(site.counts(1), (0, 0, 0));
        // and stays open where HTTP/1.0 asks for that
        let mut client = site.connect();
        let asked = "GET /whole HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
        (0..2).for_each(|_| assert!(!is_page(client.send(asked), MEGABYTE)));
        // errors end it, as they do when they are sent
        let error = client.ask(get("/error/50000"));
        assert_eq!((error.status, error.closes(), error.body.len()), (500, true, 50_000));
        client.is_closed();
    });
}

#[test]
fn a_client_that_closes_its_side_gets_all_of_it() {
    Shelf::new().run(|site| {
        for mut client in [site.connect(), Client::thin(site.addr())] {
            client.send(get("/whole").repeat(2) + &announce(1, 1).request()).half_close();
            (0..2).for_each(|_| assert!(!is_page(&mut client, MEGABYTE)));
            assert_eq!(client.answer().status, 200);
            client.is_closed();
        }
    });
}

#[test]
fn its_bytes_are_counted_to_the_last_one() {
    Shelf::new().run(|site| {
        let mut client = Client::thin(site.addr());
        client.send(get("/x") + &get("/whole").repeat(2) + &head("/whole") + &get("/page/4096")).half_close();
        let received = client.rest().len() as u64;
        assert!(received > 2 * MEGABYTE as u64);
        let sent = site.happened(Happening::BytesOut);
        // TLS takes a record for at most 16 KiB, and less than a hundredth more
        assert!(if crate::IS_SECURE {
            sent > received && sent < received * 101 / 100
        } else {
            sent == received
        });
    });
}

#[test]
fn a_stop_waits_two_seconds_for_those_that_take_nothing_and_lets_others_finish() {
    let shelf = Shelf::new();
    let mut begin = Instant::now();
    let mut stalled = Vec::new();
    shelf.run(|site| {
        stalled.extend((0..20).map(|_| {
            let mut client = Client::thin(site.addr());
            client.send(get("/whole"));
            client
        }));
        let mut reader = Client::thin(site.addr());
        reader.send(get("/whole"));
        site.wait_for("all are being written", || shelf.readers() == 21);
        begin = Instant::now();
        site.server.handle().stop();
        // it was begun before, and so does not say that it is the last
        is_page(&mut reader, MEGABYTE);
        reader.is_closed();
    });
    assert!(begin.elapsed() < Duration::from_millis(3500), "{:?}", begin.elapsed());
    assert_eq!(Arc::strong_count(&shelf.whole), 1);
}
