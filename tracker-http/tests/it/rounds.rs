//! Connections that ask at the same moment are served together, and none of them notices.

use std::io::{self, Write};
use std::net::IpAddr;

use crossbeam::channel::{Receiver, Sender, bounded};
use tracker_http::parser::Request;
use tracker_http::{Context, Reply, Service, Settings};

use crate::client::Client;
use crate::pki;
use crate::services::Pages;
use crate::site::{Setup, announce, get};

/// `/hold` keeps the worker until it is let go; the rest are [`Pages`].
struct Held {
    held: Sender<()>,
    go: Receiver<()>,
}

impl Service for &Held {
    fn call(&self, request: &Request<'_>, client: IpAddr, context: &mut Context, reply: &mut Reply<'_>) {
        if request.path != b"/hold" {
            return Pages.call(request, client, context, reply);
        }
        self.held.send(()).unwrap();
        self.go.recv().unwrap();
        reply.send(200, "text/plain", &[], b"done");
    }

    fn stream(&self, request: &Request<'_>, client: IpAddr, body: &mut dyn Write) -> io::Result<()> {
        Pages.stream(request, client, body)
    }
}

/// More connections than a round takes, and more bytes than its buffer: they ask for all that there is while the only worker is held.
#[test]
fn each_gets_its_own_answer_whatever_the_others_want() {
    const KINDS: u16 = 11;
    let (held, is_held) = bounded(1);
    let (go_on, go) = bounded(1);
    let service = Held { held, go };
    let setup =
        Setup { settings: Settings { workers: 1, ..Settings::default() }, panics: 12, ..Setup::default() };
    setup.run_beside(&service, |site| {
        let long = announce(3, 1).with("key", "k".repeat(3000)).request();
        let mut clients: Vec<_> = (0..12 * KINDS)
            .map(|nth| match nth % KINDS {
                9 => (nth, Client::secure(site.secure_addr(), &pki::client())),
                _ => (nth, site.connect()),
            })
            .collect();
        for (nth, client) in &mut clients {
            assert_eq!(client.ask(get("/client")).body, b"127.0.0.1", "{nth}");
        }
        let mut holder = site.connect();
        holder.send(get("/hold"));
        is_held.recv().unwrap();
        for (nth, client) in &mut clients {
            match *nth % KINDS {
                0 => client.send(announce(1, 1000 + *nth).numwant(0).request()),
                1 => client.send(announce(1, 1000 + *nth).request_with("Connection: close\r\n")),
                2 => client.send(get("/big/100000")),
                3 => client.send(get("/long/5000")),
                4 => client.send(get("/panic/0")),
                5 => client.send(&announce(2, 2000 + *nth).request()[..60]),
                6 => client.send(get("/status/304") + &get("/status/200") + &get("/big/7")),
                7 => client.half_close(),
                8 => client.send("NONSENSE\r\n\r\n"),
                // is served by itself, in the midst of the others
                9 => client.send(announce(4, 4000 + *nth).request()),
                _ => client.send(long.repeat(2)),
            };
        }
        go_on.send(()).unwrap();
        assert_eq!(holder.answer().body, b"done");
        for (nth, client) in &mut clients {
            match *nth % KINDS {
                0 | 9 => assert_eq!(client.answer().bencode().int("complete"), 0),
                1 => {
                    let answer = client.answer();
                    assert!(answer.closes() && answer.status == 200);
                    client.is_closed();
                }
                2 => assert_eq!(client.answer().body.len(), 100_000),
                3 => assert_eq!(client.answer().body.len(), 5000),
                4 => assert_eq!(client.cut(), b""),
                5 => {
                    client.send(&announce(2, 2000 + *nth).request()[60..]);
                    assert_eq!(client.answer().status, 200);
                }
                6 => {
                    assert_eq!(client.answer_to_head().status, 304);
                    assert_eq!(client.answer().body, b"so be it");
                    assert_eq!(client.answer().body, b"xxxxxxx");
                }
                7 => client.is_closed(),
                8 => assert_eq!(client.answer().status, 400),
                _ => assert_eq!([client.answer().status, client.answer().status], [200, 200]),
            }
        }
        assert_eq!(
            [1, 2, 3, 4].map(|torrent| site.counts(torrent)).map(|(_, leechers, _)| leechers),
            [24, 12, 1, 12]
        );
    });
}
