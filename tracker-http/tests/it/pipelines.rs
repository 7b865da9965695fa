//! Clients that send much and read nothing: all that has arrived is carried out.

use std::time::Duration;

use tracker_http::Happening;

use crate::client::Client;
use crate::services::Pages;
use crate::site::{Setup, Site, announce, get};

/// How many say that they stop, and how many peers there were.
const STOPPED: u32 = 4000;

/// A torrent and a port for each.
fn peer(n: u32) -> (u8, u16) {
    (u8::try_from(n / 1000).unwrap(), u16::try_from(n % 1000).unwrap() + 1)
}

fn crowd(site: &Site<'_>) {
    let mut client = site.connect();
    for batch in (0..STOPPED).collect::<Vec<_>>().chunks(500) {
        let request = |&n: &u32| announce(peer(n).0, peer(n).1).numwant(0).request();
        client.send(batch.iter().map(request).collect::<String>());
        batch.iter().for_each(|_| assert_eq!(client.answer().status, 200));
    }
    assert_eq!(site.tracker.totals().peers(), u64::from(STOPPED));
}

fn goodbyes(range: std::ops::Range<u32>) -> String {
    range.map(|n| announce(peer(n).0, peer(n).1).event("stopped").request()).collect()
}

#[test]
fn thousands_of_goodbyes_and_then_a_half_close_are_all_answered() {
    Setup::default().run(|site| {
        crowd(site);
        let mut client = site.connect();
        client.send(goodbyes(0..STOPPED)).half_close();
        for _ in 0..STOPPED {
            assert_eq!(client.answer().bencode().peers(), []);
        }
        client.is_closed();
        assert_eq!(site.tracker.totals().peers(), 0);
    });
}

#[test]
fn thousands_of_goodbyes_by_a_client_that_closes_are_all_carried_out() {
    Setup::default().run(|site| {
        crowd(site);
        for round in 0..4 {
            let mut client = site.connect();
            client.send(goodbyes(round * 1000..(round + 1) * 1000));
            // what the kernel has not handed over when it closes is the client's loss
            site.wait_for("all have arrived", || client.unsent() == 0);
            drop(client);
        }
        site.wait_for("all are gone", || site.tracker.totals().peers() == 0);
        site.wait_for("no connection is left", || site.open() == 0);
    });
}

#[test]
fn thousands_of_goodbyes_by_a_client_that_resets_are_all_carried_out() {
    Setup::default().run(|site| {
        crowd(site);
        for round in 0..4 {
            let mut client = site.connect();
            client.send(goodbyes(round * 1000..(round + 1) * 1000));
            site.wait_for("all have arrived", || client.unsent() == 0);
            client.reset();
        }
        site.wait_for("all are gone", || site.tracker.totals().peers() == 0);
        site.wait_for("no connection is left", || site.open() == 0);
    });
}

/// A client that asks for more than fits between it and the server, and says goodbye for `range` behind that.
fn stalled(site: &Site<'_>, range: std::ops::Range<u32>) -> Client {
    let mut client = Client::narrow(site.addr());
    client.send(get("/big/8000000") + &get("/big/8000000"));
    client.send(goodbyes(range));
    client
}

#[test]
fn a_reader_that_stalls_is_given_up_and_what_it_sent_is_carried_out() {
    let mut setup = Setup::default();
    setup.settings.request_timeout = Duration::from_millis(300);
    setup.run_beside(Pages, |site| {
        crowd(site);
        let mut client = stalled(site, 0..200);
        site.wait_for("all have arrived", || client.unsent() == 0);
        // not before it is given up: the server does not read on while its answers wait
        let peers = site.tracker.totals().peers();
        assert!(peers > u64::from(STOPPED - 200) || site.happened(Happening::OutputTimeout) == 1);
        site.wait_for("the goodbyes are carried out", || {
            site.tracker.totals().peers() == u64::from(STOPPED - 200)
        });
        site.wait_for("it is given up", || site.open() == 0);
        assert_eq!(site.happened(Happening::OutputTimeout), 1);
        // it can tell that its answer is cut off
        let mut read = 0;
        while client.stream.set_read_timeout(Some(Duration::from_secs(5))).is_ok() {
            match std::io::Read::read(&mut client.stream, &mut [0; 65536]) {
                Ok(0) | Err(_) => break,
                Ok(more) => read += more,
            }
        }
        assert!(read < 16_000_000);
    });
}

#[test]
fn a_stalled_reader_that_half_closes_or_resets_is_carried_out_too() {
    for resets in [false, true] {
        let mut setup = Setup::default();
        setup.settings.request_timeout = Duration::from_millis(if resets { 60_000 } else { 300 });
        setup.run_beside(Pages, |site| {
            crowd(site);
            let mut client = stalled(site, 0..200);
            site.wait_for("all have arrived", || client.unsent() == 0);
            if resets {
                client.reset();
            } else {
                client.half_close();
            }
            site.wait_for("the goodbyes are carried out", || {
                site.tracker.totals().peers() == u64::from(STOPPED - 200)
            });
            site.wait_for("it is given up", || site.open() == 0);
        });
    }
}

#[test]
fn a_reader_that_is_only_slow_gets_everything() {
    let mut setup = Setup::default();
    setup.settings.request_timeout = Duration::from_secs(1);
    setup.run_beside(Pages, |site| {
        let mut client = stalled(site, 0..100);
        // longer than the timeout in all, but never without progress for as long
        for megabyte in 1..=14 {
            client.fill(megabyte * 1_000_000);
            std::thread::sleep(Duration::from_millis(100));
        }
        for _ in 0..2 {
            assert_eq!(client.answer().body.len(), 8_000_000);
        }
        for _ in 0..100 {
            assert_eq!(client.answer().status, 200);
        }
        assert_eq!(site.happened(Happening::OutputTimeout), 0);
    });
}

#[test]
fn a_busy_connection_does_not_starve_others() {
    Setup::default().run(|site| {
        std::thread::scope(|scope| {
            let (stop, stopped) = crossbeam::channel::bounded::<()>(0);
            let batch = announce(1, 1).numwant(0).request().repeat(5000);
            let mut busy = site.connect();
            // before somebody else reads what comes, hands must be shaken over TLS
            busy.ask(get("/x"));
            let mut reader = busy.stream.try_clone().unwrap();
            scope.spawn(move || {
                let mut buffer = vec![0; 1 << 20];
                while std::io::Read::read(&mut reader, &mut buffer).is_ok_and(|read| read > 0) {}
            });
            scope.spawn(move || {
                while stopped.try_recv() == Err(crossbeam::channel::TryRecvError::Empty) {
                    busy.send(&batch);
                }
                busy.half_close();
            });
            let mut other = site.connect();
            other.ask(get("/x"));
            for port in 2..200 {
                let before = site.counts_of(|counters| counters.requests(tracker_http::Route::Announce));
                // how long a handshake takes is up to the client as well
                if crate::IS_SECURE {
                    other.tell(announce(2, port).request());
                } else {
                    site.tell(&announce(2, port));
                }
                let between =
                    site.counts_of(|counters| counters.requests(tracker_http::Route::Announce)) - before;
                // connect, the request and its answer are a few turns of the loop, of a few hundred requests each
                assert!(between < 20_000, "{between} requests of another were served first");
            }
            assert_eq!(site.counts(2), (0, 198, 0));
            drop(stop);
        });
    });
}
