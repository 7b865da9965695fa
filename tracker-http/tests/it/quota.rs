//! Limits per address, over real sockets: warned, refused, closed at accept, and served again.

use std::time::{Duration, Instant};

use tracker_http::{ForwardedHeader, Happening, Proxies, Quota, Route};

use crate::bencode::Value;
use crate::client::{Client, PATIENCE};
use crate::services::Pages;
use crate::site::{Setup, Site, announce, get, hash, scrape};

fn limited(requests_per_second: u32, burst: u32, connections: u32) -> Setup {
    let mut setup = Setup::default();
    setup.settings.quota = Quota { requests_per_second, burst, connections, exempt: Vec::new() };
    setup
}

/// Whether the answer to an announce has the warning; with it comes the longer interval, and without it the usual one.
#[track_caller]
fn is_warned(reply: &Value) -> bool {
    let intervals = (reply.int("interval"), reply.int("min interval"));
    match reply.get("warning message") {
        None => {
            assert_eq!(intervals, (1800, 900));
            false
        }
        Some(_) => {
            let text = reply.text("warning message");
            assert!(text.starts_with("this address asks too often") && !text.contains('\n'), "{text}");
            assert_eq!(intervals, (2250, 1800));
            true
        }
    }
}

/// A client that takes what comes: whether it is let in and answered.
fn ask(site: &Site<'_>, request: &str) -> Option<u16> {
    let mut client = site.connect();
    let is_answered =
        client.try_send(request).is_ok() && client.stream.peek(&mut [0]).is_ok_and(|read| read > 0);
    is_answered.then(|| client.answer().status)
}

#[test]
fn a_pipeline_is_served_then_warned_then_refused() {
    limited(10, 100, 0).run(|site| {
        let begin = Instant::now();
        let mut client = site.connect();
        // more than are answered, and less than the sockets take
        client.send(announce(1, 1).numwant(0).request().repeat(400));
        let mut warned = Vec::new();
        let refusal = loop {
            let answer = client.answer();
            match answer.status {
                200 => warned.push(is_warned(&answer.bencode())),
                _ => break answer,
            }
        };
        // what has come back meanwhile is served too
        let more = 1 + begin.elapsed().as_millis() as usize / 100;
        assert!(warned[..100].iter().all(|is_warned| !is_warned));
        assert!((200..=200 + more).contains(&warned.len()), "{}", warned.len());
        let plain = warned.iter().filter(|is_warned| !**is_warned).count();
        assert!(plain <= 100 + more, "{plain}");
        assert_eq!((refusal.status, refusal.field("content-type")), (429, Some("text/plain")));
        assert_eq!(refusal.field("retry-after"), Some("11"));
        assert!(refusal.closes() && refusal.body.starts_with(b"this address asks too often"));
        client.is_closed();
        let count = |what| site.happened(what) as usize;
        assert_eq!((count(Happening::Slowed), count(Happening::Refused)), (warned.len() - plain, 1));
        assert_eq!(site.counts_of(|counters| counters.answers(Route::Other, 429)), 1);
        // whoever comes now is closed at once, unless a tenth of a second has passed
        let closed = (0..20).filter(|_| ask(site, &get("/x")).is_none()).count();
        assert_eq!(count(Happening::OverRate), closed);
        assert!(closed >= 20_usize.saturating_sub(begin.elapsed().as_millis() as usize / 100), "{closed}");
        // other addresses have noticed nothing
        let mut other = Client::from("127.0.0.2", site.addr());
        assert!(!is_warned(&other.tell(announce(1, 2).request())));
    });
}

#[test]
fn a_client_that_keeps_its_connection_is_served_again_when_it_has_waited() {
    limited(100, 10, 0).run(|site| {
        let mut client = site.connect();
        let mut begin;
        let refusal = loop {
            begin = Instant::now();
            client.send(announce(1, 1).numwant(0).request().repeat(50));
            if let Some(refusal) = (0..50).map(|_| client.answer()).find(|answer| answer.status != 200) {
                break refusal;
            }
        };
        assert_eq!((refusal.status, refusal.field("retry-after")), (429, Some("1")));
        // it comes again at once: in a hundredth of a second it is let in, and warned
        let is_answered = |site: &Site<'_>| {
            let mut client = site.connect();
            let is_answered = client.try_send(announce(1, 1).request()).is_ok()
                && client.stream.peek(&mut [0]).is_ok_and(|read| read > 0);
            is_answered.then(|| client.answer())
        };
        let mut again = None;
        site.wait_for("it is let in again", || {
            again = is_answered(site);
            again.is_some()
        });
        // its debt is that of a tenth of a second
        assert!(begin.elapsed() > Duration::from_millis(90) || is_warned(&again.unwrap().bencode()));
        // it waits as long as it was told: there is no event for that
        std::thread::sleep(Duration::from_millis(1010));
        assert!(!is_warned(&site.connect().tell(announce(1, 1).request())));
    });
}

#[test]
fn connections_for_one_request_each_are_warned_and_then_closed_at_accept() {
    limited(5, 10, 0).run(|site| {
        let begin = Instant::now();
        let request = announce(1, 1).numwant(0).request_with("Connection: close\r\n");
        let mut answered = Vec::new();
        loop {
            assert!(begin.elapsed() < PATIENCE, "{answered:?}");
            let mut client = site.connect();
            let is_answered =
                client.try_send(&request).is_ok() && client.stream.peek(&mut [0]).is_ok_and(|read| read > 0);
            if !is_answered {
                break;
            }
            answered.push(is_warned(&client.answer().bencode()));
        }
        assert!(answered.len() >= 20 && answered[..10].iter().all(|is_warned| !is_warned), "{answered:?}");
        assert!(answered[answered.len() - 1], "{answered:?}");
        let more = 1 + begin.elapsed().as_millis() as usize / 200;
        assert!(answered.len() <= 20 + more, "{answered:?}");
        assert_eq!((site.happened(Happening::OverRate), site.happened(Happening::Refused)), (1, 0));
        assert_eq!(site.happened(Happening::Accepted), answered.len() as u64 + 1);
    });
}

#[test]
fn what_is_no_request_is_on_the_account_too() {
    limited(1, 10, 0).run(|site| {
        let begin = Instant::now();
        while ask(site, "BREW / HTTP/1.1\r\n\r\n") == Some(501) {
            assert!(begin.elapsed() < PATIENCE);
        }
        let answers = site.counts_of(|counters| counters.answers(Route::Other, 501));
        assert!((20..=21 + begin.elapsed().as_secs()).contains(&answers), "{answers}");
        assert_eq!(site.happened(Happening::OverRate), 1);
    });
}

#[test]
fn a_connection_without_a_request_is_on_the_account_too() {
    limited(1, 10, 0).run(|site| {
        // as many as may be asked, with a warning or without
        for _ in 0..20 {
            drop(site.connect());
        }
        site.wait_for("all have come and gone", || {
            site.happened(Happening::Accepted) == 20 && site.open() == 0
        });
        let is_secure = |n| n % 2 == 0;
        let closed = (0..20).filter(|&n| {
            let addr = if is_secure(n) { site.secure_addr() } else { site.addr() };
            let mut client = Client::new(addr);
            let _ = client.try_send(announce(1, 1).request());
            !client.stream.peek(&mut [0]).is_ok_and(|read| read > 0)
        });
        // in the second or so that all that takes, one or two may be let in again
        let closed = closed.count() as u64;
        assert!(closed >= 15, "{closed}");
        assert_eq!(site.happened(Happening::OverRate), closed);
    });
}

#[test]
fn handshakes_that_lead_to_nothing_are_on_the_account_too() {
    limited(1, 10, 0).run(|site| {
        for n in 0..20 {
            let mut client = Client::new(site.secure_addr());
            // a record of a handshake that makes no sense, or half of one
            client.send([&[22, 3, 1, 0, 4, 1, 0, 0, 0][..], &[22, 3, 1][..]][n % 2]);
            client.stream.shutdown(std::net::Shutdown::Write).unwrap();
            client.rest();
        }
        site.wait_for("all are gone", || site.open() == 0);
        let before = site.happened(Happening::OverRate);
        drop(site.connect());
        site.wait_for("nobody is let in", || site.happened(Happening::OverRate) > before);
    });
}

#[test]
fn scrapes_are_asked_to_wait_longer_and_other_pages_are_only_refused() {
    limited(1, 4, 0).run_beside(Pages, |site| {
        let mut client = site.connect();
        let interval = |reply: &Value| reply.get("flags").unwrap().int("min_request_interval");
        // all in one go, so that nothing comes back meanwhile
        client.send(get(&scrape(&[1])).repeat(5));
        let scrapes: [i64; 5] = std::array::from_fn(|_| interval(&client.answer().bencode()));
        assert_eq!((scrapes[..4].iter().all(|&seconds| seconds == 900), scrapes[4]), (true, 2250));
        assert_eq!(site.happened(Happening::Slowed), 1);
        let page = client.ask(get("/status/200"));
        assert_eq!((page.status, &page.body[..]), (200, &b"so be it"[..]));
        // HEAD is told nothing by its body, and counts
        let head = announce(1, 1).request().replacen("GET", "HEAD", 1);
        assert_eq!(client.send(head).answer_to_head().status, 200);
        let refused = loop {
            let answer = client.send("HEAD /x HTTP/1.1\r\nHost: t\r\n\r\n").answer_to_head();
            if answer.status != 404 {
                break answer;
            }
        };
        assert_eq!((refused.status, refused.closes(), refused.body.len()), (429, true, 0));
        client.is_closed();
        assert_eq!(site.tracker.totals().peers(), 0);
    });
}

#[test]
fn behind_a_proxy_each_client_has_its_own_account_and_the_proxy_none() {
    let mut setup = limited(1, 5, 1);
    let trusted = vec!["127.0.0.1/32".parse().unwrap()];
    setup.settings.proxies = Proxies { trusted, header: ForwardedHeader::Any };
    // as by default: the proxy's own address is exempt, those behind it are not
    setup.settings.quota.exempt = Quota::default().exempt;
    setup.run(|site| {
        // more connections than an address may have
        let mut connections: Vec<Client> = (0..5).map(|_| site.connect()).collect();
        let of = |client: &str| announce(1, 1).request_with(&format!("X-Forwarded-For: {client}\r\n"));
        let mut statuses = Vec::new();
        for round in 0..4 {
            for (at, proxy) in connections.iter_mut().enumerate() {
                let answer = proxy.ask(of("203.0.113.9"));
                statuses.push((round, at, answer.status));
                if answer.closes() {
                    *proxy = site.connect();
                }
            }
        }
        // at one a second, less than one round's come back while the test runs as fast as it should
        let refused = statuses.iter().filter(|(_, _, status)| *status == 429).count();
        assert!(refused > 0 && statuses[..10].iter().all(|(_, _, status)| *status == 200), "{statuses:?}");
        // on the same connections
        for proxy in &mut connections {
            assert!(!is_warned(&proxy.tell(of("203.0.113.10"))));
        }
        let of_one_network = ["2001:db8::1", "2001:db8::2", "2001:db8::3:4:5:6"];
        connections[0].send(of_one_network.map(&of).concat().repeat(2));
        let warned: [bool; 6] = std::array::from_fn(|_| is_warned(&connections[0].answer().bencode()));
        assert!(!warned[0] && warned[5], "{warned:?}");
        assert!(!is_warned(&connections[0].tell(of("2001:db8:0:1::1"))));
        // it names nobody, or somebody who is exempt: never limited
        for _ in 0..20 {
            assert!(!is_warned(&connections[0].tell(announce(1, 1).request())));
            assert!(!is_warned(&connections[0].tell(of("127.0.0.9"))));
        }
        assert_eq!(site.happened(Happening::OverConnections), 0);
    });
}

#[test]
fn an_exempt_address_is_never_limited() {
    let mut setup = limited(1, 1, 1);
    setup.settings.quota.exempt = vec!["127.0.0.0/30".parse().unwrap()];
    setup.run(|site| {
        let mut clients: Vec<Client> = (0..10).map(|_| Client::from("127.0.0.3", site.addr())).collect();
        for client in &mut clients {
            client.send(announce(1, 1).request().repeat(20));
            assert!((0..20).all(|_| !is_warned(&client.answer().bencode())));
        }
        let mut other = Client::from("127.0.0.4", site.addr());
        assert!(!is_warned(&other.tell(announce(1, 1).request())));
        Client::from("127.0.0.4", site.addr()).is_gone();
        assert_eq!(site.happened(Happening::OverConnections), 1);
        site.serves();
    });
}

#[test]
fn without_limits_nobody_is_limited() {
    limited(0, 0, 0).run(|site| {
        let mut client = site.connect();
        client.send(announce(1, 1).numwant(0).request().repeat(3000));
        assert!((0..3000).all(|_| !is_warned(&client.answer().bencode())));
        assert_eq!(site.stored(hash(1)).len(), 1);
    });
}

/// However a connection ends, another one has its place then: `end` gets a connection of two that an address may have, and
/// ends it in its way.
#[track_caller]
fn is_let_go(mut setup: Setup, end: impl Fn(&Site<'_>, Client)) {
    setup.settings.quota = Quota { requests_per_second: 0, burst: 0, connections: 2, exempt: Vec::new() };
    setup.run_beside(Pages, |site| {
        let enter = || {
            let mut client = site.connect();
            (client.ask(get("/x")).status, client)
        };
        for round in 1..=3 {
            let ((_, first), (_, second)) = (enter(), enter());
            site.connect().is_gone();
            assert_eq!(
                site.happened(Happening::OverConnections),
                round,
                "it is the third one that is closed"
            );
            end(site, first);
            site.wait_for("the first has ended", || site.open() <= 1);
            // and only one has a place now
            let (status, third) = enter();
            assert_eq!(status, 404);
            drop((second, third));
            site.wait_for("all have ended", || site.open() == 0);
        }
    });
}

#[test]
fn a_connection_that_its_client_closes_or_resets_is_let_go() {
    is_let_go(Setup::default(), |_, client| drop(client));
    is_let_go(Setup::default(), |_, client| client.reset());
    is_let_go(Setup::default(), |_, mut client| {
        client.half_close().is_closed();
    });
    is_let_go(Setup::default(), |_, mut client| {
        client.send("GET /half").half_close();
    });
}

#[test]
fn a_connection_that_the_server_closes_is_let_go() {
    is_let_go(Setup::default(), |_, mut client| {
        assert!(client.ask(announce(1, 1).request_with("Connection: close\r\n")).closes());
    });
    is_let_go(Setup::default(), |_, mut client| {
        assert_eq!(client.ask("BREW / HTTP/1.1\r\n\r\n").status, 501);
        client.is_closed();
    });
    // amid a long answer, which a thread of the pool writes
    is_let_go(Setup::default(), |_, mut client| {
        client.send(get("/long/50000000")).bytes(100);
    });
    // behind the head of it
    is_let_go(Setup::default(), |_, mut client| {
        client.send(get("/gone/100000"));
        client.rest();
    });
}

#[test]
fn a_connection_whose_service_panics_is_let_go() {
    let setup = Setup { panics: 3, ..Setup::default() };
    is_let_go(setup, |_, mut client| {
        client.send(get("/panic/1"));
        client.is_closed();
    });
}

#[test]
fn a_connection_whose_time_runs_out_is_let_go() {
    let mut setup = Setup::default();
    setup.settings.request_timeout = Duration::from_millis(300);
    // the two that go on are idle for less than that
    is_let_go(setup, |_, mut client| {
        assert_eq!(client.send("GET /").answer().status, 408);
        client.is_closed();
    });
}

#[test]
fn an_idle_connection_whose_time_runs_out_is_let_go() {
    let mut setup = limited(0, 0, 2);
    setup.settings.keep_alive = Duration::from_millis(200);
    setup.run(|site| {
        for _ in 0..3 {
            let mut clients = [site.connect(), site.connect()];
            for client in &mut clients {
                assert_eq!(client.ask(get("/x")).status, 404);
            }
            for client in &mut clients {
                client.is_closed();
            }
            site.wait_for("both have ended", || site.open() == 0);
        }
        assert_eq!(site.happened(Happening::OverConnections), 0);
    });
}

#[test]
fn one_that_makes_room_and_one_that_finds_none_are_let_go() {
    let mut setup = limited(0, 0, 2);
    setup.settings.max_connections = 1;
    setup.run(|site| {
        // each makes room for the next one: of an address that may have two
        let mut clients = Vec::new();
        for _ in 0..10 {
            let mut client = site.connect();
            assert_eq!(client.ask(get("/x")).status, 404);
            clients.push(client);
        }
        assert_eq!(site.happened(Happening::OverConnections), 0);
        // one that has not asked yet makes no room, so that those that come find none
        let accepted = site.happened(Happening::Accepted);
        let busy = site.connect();
        site.wait_for("it is in", || site.happened(Happening::Accepted) > accepted);
        let before = site.happened(Happening::TooMany);
        for _ in 0..10 {
            site.connect().is_gone();
        }
        let (too_many, over) = (site.happened(Happening::TooMany), site.happened(Happening::OverConnections));
        assert_eq!((too_many - before, over), (10, 0));
        drop(busy);
    });
}
