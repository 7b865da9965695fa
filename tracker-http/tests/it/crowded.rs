//! Many who ask much: they wait for each other, and nobody else for them.

use std::hint::spin_loop;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use tracker_http::parser::Request;
use tracker_http::{Context, Reply, Service};

use crate::client::Client;
use crate::site::{Setup, announce, get};

/// `/work` takes its time, `/done` tells how often that was done, `/large` is more than a socket takes, and `/note` takes note of whether
/// anybody is going to read its answer.
#[derive(Default)]
struct Works {
    done: AtomicU64,
    is_unread: AtomicBool,
}

impl Service for &Works {
    fn call(&self, request: &Request<'_>, _: IpAddr, _: &mut Context, reply: &mut Reply<'_>) {
        match request.path {
            b"/work" => {
                let begin = Instant::now();
                while begin.elapsed() < Duration::from_micros(20) {
                    spin_loop();
                }
                self.done.fetch_add(1, SeqCst);
                reply.text(|out| out.extend_from_slice(b"done"));
            }
            b"/done" => {
                reply.text(|out| out.extend_from_slice(self.done.load(SeqCst).to_string().as_bytes()));
            }
            b"/large" => reply.send(200, "text/plain", &[], &vec![b'x'; 8 << 20]),
            b"/note" => {
                self.is_unread.store(reply.is_unread(), SeqCst);
                self.done.fetch_add(1, SeqCst);
                reply.text(|_| ());
            }
            _ => {}
        }
    }
}

#[test]
fn who_asks_little_does_not_wait_until_all_are_done_who_ask_much() {
    /// Those who ask much, and what each asks for.
    const MANY: u64 = 20;
    const MUCH: u64 = 3000;
    /// What one connection is given at the most in a turn.
    const TURN: u64 = 4 * 64;
    let works = Works::default();
    Setup::default().run_beside(&works, |site| {
        let mut good = site.connect();
        good.ask(get("/done"));
        let mut busy: Vec<Client> = (0..MANY).map(|_| site.connect()).collect();
        let work = get("/work").repeat(MUCH as usize);
        for client in &mut busy {
            client.send(&work);
        }
        let mut waited = Vec::new();
        loop {
            let before = works.done.load(SeqCst);
            let answer = good.ask(get("/done"));
            let after: u64 = std::str::from_utf8(&answer.body).unwrap().parse().unwrap();
            // from when all have had a turn, until one of them is done
            if before > MANY * TURN && after < MANY * MUCH / 2 {
                waited.push(after - before);
            } else if after >= MANY * MUCH / 2 {
                break;
            }
        }
        waited.sort_unstable();
        // a round of all of them is twenty turns
        let usual = waited[waited.len() / 2];
        assert!(usual <= 4 * TURN, "usually {usual} others came first: {waited:?}");
    });
}

#[test]
fn nothing_is_found_out_for_a_client_that_is_given_up() {
    let works = Works::default();
    let mut setup = Setup::default();
    setup.settings.request_timeout = Duration::from_millis(300);
    setup.run_beside(&works, |site| {
        let mut client = Client::narrow(site.addr());
        // the first of them is on its way when the client is given up
        client.send(get("/large") + &get("/large") + &get("/note") + &announce(1, 1).request());
        client.send("GET /scrape HTTP/1.1\r\nHost: t\r\n\r\n");
        site.wait_for("it is carried out", || {
            works.done.load(SeqCst) == 1 && site.tracker.totals().peers() == 1
        });
        assert!(works.is_unread.load(SeqCst));
        site.wait_for("it is closed", || site.open() == 0);
        // those who read are told
        assert_eq!(site.connect().ask(get("/note")).status, 200);
        assert!(!works.is_unread.load(SeqCst));
    });
}
