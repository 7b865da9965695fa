//! A network that fails: writes that are short, and connections reset after every byte of what is asked and answered.

use std::io::Read;
use std::time::Duration;

use tracker_http::{Happening, Rules};

use crate::client::Client;
use crate::services::Pages;
use crate::site::{Setup, Site, announce, get, scrape};

/// Full scrapes are served, and nothing ends by its time.
fn run(test: impl FnOnce(&Site<'_>)) {
    let rules = Rules { full_scrape: true, ..Rules::default() };
    let mut setup = Setup { rules, ..Setup::default() };
    setup.settings.request_timeout = Duration::from_secs(60);
    setup.run_beside(Pages, test);
}

/// One of each kind: an announce in compact form and in the long one, a scrape, a streamed one, a copied page, a long answer, a body,
/// a chunked one, and what is refused.
fn exchanges() -> Vec<String> {
    vec![
        announce(1, 1).request(),
        announce(1, 2).with("compact", 0).request_with("Connection: close\r\n"),
        get(&scrape(&[1, 2])),
        get("/scrape"),
        get("/big/400"),
        get("/long/1000"),
        "POST /announce HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello".to_owned(),
        "PUT /x HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost : t\r\n\r\n".to_owned(),
    ]
}

/// All connections are forgotten, nothing has panicked, and a good client is served.
fn is_unharmed(site: &Site<'_>, what: &str) {
    site.wait_for(what, || site.open() == 0);
    assert_eq!(site.happened(Happening::Panicked), 0, "{what}");
    site.serves();
}

#[test]
fn resets_after_each_byte_of_a_request() {
    run(|site| {
        for request in exchanges() {
            for cut in 0..=request.len() {
                let mut client = site.connect();
                client.send(&request[..cut]);
                client.reset();
            }
            is_unharmed(site, &request);
        }
    });
}

#[test]
fn resets_after_each_byte_of_an_answer() {
    run(|site| {
        for request in exchanges() {
            let mut client = site.connect();
            client.send(&request).half_close();
            let whole = client.rest().len();
            assert!(whole > 0);
            for cut in 0..=whole {
                let mut client = site.connect();
                client.send(&request);
                client.stream.read_exact(&mut vec![0; cut]).unwrap();
                client.reset();
            }
            is_unharmed(site, &request);
        }
    });
}

#[test]
fn resets_amid_answers_that_are_long() {
    const LONG: usize = 3_000_000;
    run(|site| {
        for request in [get(&format!("/big/{LONG}")), get(&format!("/long/{LONG}"))] {
            for part in 0..30 {
                let mut client = Client::narrow(site.addr());
                client.send(request.clone() + &announce(1, 1).request());
                client.stream.read_exact(&mut vec![0; part * LONG / 30]).unwrap();
                client.reset();
            }
            is_unharmed(site, &request);
        }
    });
}

#[test]
fn every_answer_is_whole_and_in_order_however_short_the_writes() {
    const BIG: usize = 50_000;
    run(|site| {
        for piece in [1, 7, 1460] {
            let mut client = Client::thin(site.addr());
            let mut requests = String::new();
            for port in 1..=40_u16 {
                requests += &announce(1, port).numwant(0).request();
                requests += &get(&format!("/big/{}", BIG + usize::from(port)));
                requests += &get(&format!("/long/{}", BIG + usize::from(port)));
                requests += &get(&scrape(&[1]));
                requests += &get("/scrape");
            }
            // while the server waits for room, it does not read: neither side may wait for the other for ever
            let mut writer = Client::over(client.stream.try_clone().unwrap());
            std::thread::scope(|scope| {
                scope.spawn(move || {
                    writer.send(requests).half_close();
                });
                // so that its writes are short from the first one on
                site.wait_for("it is stuck", || site.happened(Happening::BytesOut) > 0);
                for port in 1..=40_u16 {
                    client.slowly(piece);
                    assert!(client.answer().bencode().get("interval").is_some());
                    for _ in 0..2 {
                        let body = client.answer().body;
                        assert_eq!(body.len(), BIG + usize::from(port));
                    }
                    for _ in 0..2 {
                        let (complete, incomplete, _) =
                            client.answer().bencode().file(&crate::site::hash(1)).counts();
                        // of the first piece size all are new, of the others all are there
                        assert!(
                            complete == 0 && (i64::from(port)..=40).contains(&incomplete),
                            "{incomplete}"
                        );
                    }
                }
                client.is_closed();
            });
        }
        is_unharmed(site, "short writes");
    });
}
