//! The tracker inside another program, served over HTTP, with routes of the program's own beside it:
//!
//!     cargo run --release -p examples --bin serve_http
#![forbid(unsafe_code)]

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Parser;
use examples::terminal::{self, grouped, print};
use tracker_core::{Config, Tracker};
use tracker_http::parser::Request;
use tracker_http::{Access, Clock, Context, Reply, Rules, Server, Service, Settings, TrackerService};

/// Serves a tracker at /announce and /scrape, and beside it two routes of its own:
/// /motd greets, and /swarms lists the torrents.
///
/// It keeps everything in memory, and ends by itself.
#[derive(Debug, Parser)]
#[command(version, verbatim_doc_comment)]
struct Options {
    /// Listen on this address; port 0 is one that is free
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:6969")]
    listen: SocketAddr,
    /// Serve for so long
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// Threads that serve
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    workers: u8,
}

/// The program's own routes.
struct Routes<'t> {
    tracker: &'t Tracker,
}

impl Service for Routes<'_> {
    // on the event loop: quick
    fn call(&self, request: &Request<'_>, client: IpAddr, _: &mut Context, reply: &mut Reply<'_>) {
        match request.path {
            b"/motd" => {
                let totals = self.tracker.totals();
                let text = format!(
                    "hello {client}, here are {} peers in {} torrents\n",
                    totals.peers(),
                    totals.torrents
                );
                reply.send(200, "text/plain", &[], text.as_bytes());
            }
            b"/swarms" => reply.stream("text/plain"),
            _ => {} // becomes a 404
        }
    }

    // on a thread of its own: may take its time
    fn stream(&self, _: &Request<'_>, _: IpAddr, body: &mut dyn io::Write) -> io::Result<()> {
        let mut lines =
            vec![format!("{:<40} {:>9} {:>9} {:>9}\n", "torrent", "seeders", "leechers", "completed")];
        self.tracker.scrape_all(|info_hash, counts| {
            let (complete, incomplete) = (counts.complete, counts.incomplete);
            lines.push(format!("{info_hash} {complete:>9} {incomplete:>9} {:>9}\n", counts.downloaded));
        });
        lines.iter().try_for_each(|line| body.write_all(line.as_bytes()))
    }
}

fn main() -> ExitCode {
    terminal::end("serve_http", serve(&Options::parse()))
}

fn serve(options: &Options) -> Result<(), Box<dyn Error>> {
    // one that the world can reach takes Config::hash_key from the system's random source
    let tracker = Tracker::new(Config::default());
    let access = Access::default();
    let service =
        TrackerService::new(&tracker, Rules::default(), &access).beside(Routes { tracker: &tracker });
    let settings = Settings { workers: options.workers.into(), ..Settings::default() };
    let server = Server::bind(&[options.listen], settings, Clock::start())?;
    let addr = server.addrs()[0];
    print(&format!(
        "listening on http://{addr} for {}; try\n  curl http://{addr}/motd http://{addr}/swarms\n  \
         cargo run -p examples --bin announce -- http://{addr}/announce {:040x}\n",
        terminal::seconds(options.seconds),
        0xc0ffee
    ))?;
    thread::scope(|scope| {
        scope.spawn(|| server.run(&service));
        let mut swept = 0;
        for second in 1..=options.seconds {
            thread::sleep(Duration::from_secs(1));
            // peers that are not heard of any more go; every some seconds is often enough
            if second - swept >= 10 {
                swept = second;
                tracker.expire(server.clock().now());
            }
        }
        server.handle().stop();
    });
    let totals = tracker.totals();
    let (peers, torrents) = (grouped(totals.peers()), grouped(totals.torrents));
    Ok(print(&format!("time is up: {peers} peers, {torrents} torrents\n"))?)
}
