//! Whether the event loops go round, as a watchdog asks.

use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use tracker_http::parser::Request;
use tracker_http::{Clock, Context, NotFound, Reply, Server, Service, Settings};

use crate::site::{Setup, get};

/// Says when it is asked, and answers when it is told.
struct Blocking {
    asked: Sender<()>,
    told: Mutex<Receiver<()>>,
}

impl Service for Blocking {
    fn call(&self, _: &Request<'_>, _: IpAddr, _: &mut Context, reply: &mut Reply<'_>) {
        self.asked.send(()).unwrap();
        // an error means that the test has ended
        let _ = self.told.lock().unwrap().recv();
        reply.send(200, "text/plain", &[], b"at last");
    }
}

#[test]
fn a_stuck_worker_is_seen_and_those_that_are_idle_are_not_taken_for_stuck() {
    for workers in [1, 3] {
        let ((asked, when_asked), (tell, told)) = (channel(), channel());
        let settings = Settings { workers, ..Settings::default() };
        Setup { settings, ..Setup::default() }.run_beside(
            Blocking { asked, told: Mutex::new(told) },
            |site| {
                // dropped first, whatever happens, so that the worker can go on
                let tell = tell;
                let mut watch = site.server.handle().watch();
                // nobody connects: it is the looks that turn the loops
                for _ in 0..3 {
                    let mut slow: Vec<_> = (0..workers).collect();
                    site.wait_for("all have turned", || {
                        let stuck = watch.stuck();
                        slow.retain(|worker| stuck.contains(worker));
                        slow.is_empty()
                    });
                }
                let mut client = site.connect();
                client.send(get("/block"));
                when_asked.recv().unwrap();
                // what has turned once since then is not the one
                let mut suspects: Vec<_> = (0..workers).collect();
                watch.stuck();
                site.wait_for("one is suspected", || {
                    let stuck = watch.stuck();
                    suspects.retain(|worker| stuck.contains(worker));
                    suspects.len() <= 1
                });
                assert_eq!(suspects.len(), 1);
                for _ in 0..100 {
                    assert!(watch.stuck().contains(&suspects[0]));
                }
                tell.send(()).unwrap();
                assert_eq!(client.answer().body, b"at last");
                site.wait_for("it goes round again", || !watch.stuck().contains(&suspects[0]));
            },
        );
    }
}

#[test]
fn workers_that_do_not_run_are_stuck() {
    let settings = Settings { workers: 2, ..Settings::default() };
    let server = Server::bind(&["127.0.0.1:0".parse().unwrap()], settings, Clock::start()).unwrap();
    let mut watch = server.handle().watch();
    assert_eq!(watch.stuck(), [0, 1]);
    server.handle().stop();
    server.run(&NotFound);
    watch.stuck();
    assert_eq!(watch.stuck(), [0, 1]);
}
