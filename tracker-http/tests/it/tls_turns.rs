//! Handshakes take long: whoever is there already is served between them.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crossbeam::channel::{Receiver, Sender, bounded};
use tracker_http::parser::Request;
use tracker_http::{Context, Handle, Happening, Reply, Service};

use crate::client::Client;
use crate::pki;
use crate::site::{Setup, get};

/// `/hold` keeps the worker until it is let go, and `/sent` remembers how much has been sent by then.
struct Gate {
    held: Sender<()>,
    go: Receiver<()>,
    handle: std::sync::OnceLock<Handle>,
    sent: AtomicU64,
}

impl Service for &Gate {
    fn call(&self, request: &Request<'_>, _: IpAddr, _: &mut Context, reply: &mut Reply<'_>) {
        match request.path {
            b"/hold" => {
                self.held.send(()).unwrap();
                self.go.recv().unwrap();
            }
            b"/sent" => {
                let counters = self.handle.get().unwrap().counters();
                self.sent.store(counters.happenings(Happening::BytesOut), Relaxed);
            }
            _ => return,
        }
        reply.send(200, "text/plain", &[], b"done");
    }
}

#[test]
fn whoever_is_there_is_served_after_a_handful_of_handshakes_however_many_wait() {
    const MANY: usize = 200;
    let (held, is_held) = bounded(0);
    let (let_go, go) = bounded(0);
    let gate = Gate { held, go, handle: std::sync::OnceLock::new(), sent: AtomicU64::new(0) };
    Setup::default().run_beside(&gate, |site| {
        gate.handle.set(site.server.handle()).unwrap();
        let mut hello = Vec::new();
        pki::connection(&pki::client()).write_tls(&mut hello).unwrap();
        let sent = || site.happened(Happening::BytesOut);

        // what an answer to one takes
        let before = sent();
        let mut one = Client::new(site.secure_addr());
        one.send(&hello);
        site.wait_for("it is answered", || sent() > before);
        let flight = sent() - before;

        let mut there = Client::secure(site.secure_addr(), &pki::client());
        assert_eq!(there.ask(get("/x")).status, 404);
        let mut waiting: Vec<_> = (0..MANY).map(|_| Client::new(site.secure_addr())).collect();
        site.wait_for("all are accepted", || site.open() == MANY + 2);
        let mut holder = site.connect();
        holder.send(get("/hold"));
        is_held.recv().unwrap();
        // all that comes meanwhile is there at once when the worker goes on, and this request is the last of it
        let before = sent();
        for client in &mut waiting {
            client.send(&hello);
        }
        there.send(get("/sent"));
        let_go.send(()).unwrap();
        assert_eq!(there.answer().body, b"done");
        let handshakes = (gate.sent.load(Relaxed) - before) / flight;
        assert!(handshakes <= 8, "{handshakes} handshakes before a request");
        // and all have their turn
        for client in &mut waiting {
            client.fill(100);
        }
    });
}
