//! Routes of an embedder beside the tracker's: statuses, long answers, and panics.

use std::io::{self, Write};
use std::net::IpAddr;

use tracker_http::parser::Request;
use tracker_http::{Context, Happening, Reply, Route, Service};

use crate::client::Client;
use crate::site::{Setup, announce, get};

/// Answers by the path: `/status/N`, `/big/N` (so many bytes at once), `/long/N` (so many, streamed), and some that panic.
pub(crate) struct Pages;

impl Service for Pages {
    fn call(&self, request: &Request<'_>, client: IpAddr, _: &mut Context, reply: &mut Reply<'_>) {
        match page(request) {
            ("status", n) => {
                reply.send(u16::try_from(n).unwrap(), "text/plain", &[("X-Extra", "yes")], b"so be it");
            }
            ("big", n) => reply.send(200, "application/octet-stream", &[], &vec![b'x'; n]),
            ("long" | "broken" | "gone", _) => reply.stream("text/html"),
            ("client", _) => reply.text(|out| out.extend_from_slice(client.to_string().as_bytes())),
            ("panic", 0) => panic!("a test panics before an answer"),
            ("panic", _) => reply.text(|out| {
                out.extend_from_slice(b"half an answer");
                panic!("a test panics in an answer");
            }),
            _ => {}
        }
    }

    fn stream(&self, request: &Request<'_>, _: IpAddr, body: &mut dyn Write) -> io::Result<()> {
        let (name, n) = page(request);
        let line: Vec<u8> = (0..100).map(|at| b'0' + at % 10).collect();
        for _ in 0..n / 100 {
            body.write_all(&line)?;
        }
        match name {
            "broken" => panic!("a test panics in a long answer"),
            "gone" => Err(io::ErrorKind::Other.into()),
            _ => body.write_all(&line[..n % 100]),
        }
    }
}

fn page<'a>(request: &Request<'a>) -> (&'a str, usize) {
    let path = std::str::from_utf8(request.path).unwrap_or_default();
    let mut parts = path[1.min(path.len())..].splitn(2, '/');
    (parts.next().unwrap_or_default(), parts.next().and_then(|n| n.parse().ok()).unwrap_or(0))
}

#[test]
fn errors_other_than_403_404_405_close_the_connection_and_say_so() {
    Setup::default().run_beside(Pages, |site| {
        let mut client = site.connect();
        // has neither a body nor a length, and leaves the connection open
        let known = client.send(get("/status/304")).answer_to_head();
        assert_eq!((known.status, known.field("content-length")), (304, None));
        assert_eq!(known.field("x-extra"), Some("yes"));
        for status in [200, 302, 403, 404, 405] {
            let answer = client.ask(get(&format!("/status/{status}")));
            assert_eq!((answer.status, answer.field("connection")), (status, None));
            assert_eq!((answer.field("x-extra"), &answer.body[..]), (Some("yes"), &b"so be it"[..]));
        }
        for status in [400, 500, 503] {
            let mut client = site.connect();
            let answer = client.ask(get(&format!("/status/{status}")));
            assert!(answer.status == status && answer.closes(), "{answer:?}");
            client.is_closed();
        }
    });
}

#[test]
fn head_of_any_page_has_no_body() {
    Setup::default().run_beside(Pages, |site| {
        let mut client = site.connect();
        for (target, length) in [
            ("/status/200", Some("8")),
            ("/big/70000", Some("70000")),
            ("/long/70000", None),
            ("/client", Some("9")),
        ] {
            let head = client.send(format!("HEAD {target} HTTP/1.1\r\nHost: t\r\n\r\n")).answer_to_head();
            assert_eq!((head.status, head.field("content-length")), (200, length), "{target}");
        }
        assert_eq!(client.ask(get("/no")).status, 404);
    });
}

#[test]
fn bodies_of_any_size_arrive_whole() {
    Setup::default().run_beside(Pages, |site| {
        let mut client = site.connect();
        for size in [0, 1, 999, 1000, 65_535, 65_536, 65_537, 1_000_000, 9_000_000] {
            assert_eq!(client.ask(get(&format!("/big/{size}"))).body.len(), size);
            let long = client.ask(get(&format!("/long/{size}"))).body;
            assert_eq!(long.len(), size);
            assert!(long.iter().zip((b'0'..=b'9').cycle()).all(|(found, expected)| *found == expected));
        }
    });
}

#[test]
fn a_panic_costs_its_own_connection_and_is_counted() {
    let setup = Setup { panics: 3, ..Setup::default() };
    setup.run_beside(Pages, |site| {
        let mut bystander = site.connect();
        bystander.tell(announce(1, 1).request());
        for target in ["/panic/0", "/panic/1"] {
            let mut client = site.connect();
            client.send(get(target));
            assert_eq!(client.cut(), b"");
        }
        // what stands before it in the same pipeline has been carried out
        let mut client = site.connect();
        client.send(announce(1, 2).request() + &get("/panic") + &announce(1, 3).request());
        client.is_gone();
        assert_eq!(bystander.tell(announce(1, 1).request()).ports(), [2]);
        site.serves();
        site.wait_for("only the bystander is left", || site.open() == 1);
    });
}

#[test]
fn a_panic_in_a_long_answer_cuts_it_off_and_is_counted() {
    let setup = Setup { panics: 5, ..Setup::default() };
    setup.run_beside(Pages, |site| {
        // more often than there are threads for long answers
        for _ in 0..5 {
            let mut client = site.connect();
            client.send(get("/broken/150000"));
            let cut = client.cut();
            assert!(cut.starts_with(b"HTTP/1.1 200 OK\r\n") && !cut.ends_with(b"0\r\n\r\n"));
        }
        assert_eq!(site.connect().ask(get("/long/10")).body, b"0123456789");
        site.wait_for("the panics are counted", || site.happened(Happening::Panicked) == 5);
        assert_eq!(site.counts_of(|counters| counters.answers(Route::Other, 200)), 6);
    });
}

#[test]
fn a_long_answer_that_fails_is_not_taken_for_complete() {
    Setup::default().run_beside(Pages, |site| {
        for (request, end) in
            [(get("/gone/100000"), true), ("GET /gone/100 HTTP/1.0\r\n\r\n".to_owned(), false)]
        {
            let mut client = site.connect();
            client.send(request);
            assert!(!end || !client.cut().ends_with(b"0\r\n\r\n"));
        }
        site.serves();
    });
}

#[test]
fn slow_readers_of_long_answers_get_all_of_it_and_keep_nobody_waiting() {
    const SIZE: usize = 12_000_000;
    Setup::default().run_beside(Pages, |site| {
        // as many as there are threads for them, and more
        let mut slow: Vec<Client> = (0..4).map(|_| Client::narrow(site.addr())).collect();
        for client in &mut slow {
            client.send(get(&format!("/long/{SIZE}")) + &announce(1, 1).request());
        }
        for port in 2..50 {
            site.tell(&announce(2, port));
        }
        assert_eq!(site.counts(2), (0, 48, 0));
        for mut client in slow {
            assert_eq!(client.answer().body.len(), SIZE);
            assert_eq!(client.answer().bencode().counts(), (0, 1, 0));
        }
    });
}

#[test]
fn a_reader_that_goes_frees_the_thread_of_its_long_answer() {
    Setup::default().run_beside(Pages, |site| {
        for round in 0..6 {
            let mut client = Client::narrow(site.addr());
            client.send(get("/long/50000000"));
            client.bytes(100);
            if round % 2 == 0 {
                client.reset();
            }
        }
        assert_eq!(site.connect().ask(get("/long/1000000")).body.len(), 1_000_000);
        site.wait_for("all have gone", || site.open() == 0);
    });
}

#[test]
fn a_redirect_of_the_root_has_its_place() {
    Setup::default().run_beside(Pages, |site| {
        let answer = site.connect().ask(get("/status/302"));
        assert_eq!((answer.status, answer.body.len()), (302, 8));
    });
}
