//! A tracker within the test's own process.

use std::net::{IpAddr, SocketAddr};
use std::thread;

use tracker_core::{AccessList, Config, Tracker};
use tracker_http::parser::Request;
use tracker_http::{Access, Clock, Context, Handle, Reply, Rules, Server, Service, Settings, TrackerService};

/// What a tracker is made of.
pub(crate) struct Setup {
    pub(crate) config: Config,
    pub(crate) rules: Rules,
    pub(crate) access: AccessList,
    pub(crate) settings: Settings,
}

impl Default for Setup {
    fn default() -> Self {
        Setup {
            config: Config::default(),
            rules: Rules::default(),
            access: AccessList::open(),
            settings: Settings::default(),
        }
    }
}

/// `/health`, which the program `tracker` has.
struct Health;

impl Service for Health {
    fn call(&self, request: &Request<'_>, _: IpAddr, _: &mut Context, reply: &mut Reply<'_>) {
        if request.path == b"/health" {
            reply.send(200, "text/plain", &[], b"fine\n");
        }
    }
}

/// Ends the server however the test ends.
struct Stop(Handle);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Runs `test` against a tracker on a port that the system chooses.
pub(crate) fn serve<T>(setup: Setup, test: impl FnOnce(SocketAddr, &Tracker) -> T) -> T {
    let tracker = Tracker::new(setup.config);
    let access = Access::new(setup.access);
    let service = TrackerService::new(&tracker, setup.rules, &access).beside(Health);
    let addrs = ["127.0.0.1:0".parse().unwrap()];
    let server = Server::bind(&addrs, setup.settings, Clock::start()).unwrap();
    thread::scope(|scope| {
        let _stop = Stop(server.handle());
        scope.spawn(|| server.run(&service));
        test(server.addrs()[0], &tracker)
    })
}
