//! The tracker of this workspace has nothing wrong with it.

use std::net::{Ipv6Addr, SocketAddr};
use std::thread;

use tracker_client::check::{Level, Options, check};
use tracker_core::{AccessList, AccessMode, Config, InfoHash, Tracker};
use tracker_http::{Access, Clock, Handle, NotFound, Rules, Server, Settings, TrackerService};

use crate::faults::{found, options};
use crate::opentracker::OpenTracker;

/// Ends the server however the test ends.
struct Stop(Handle);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

fn serve<T>(list: AccessList, test: impl FnOnce(SocketAddr, &Tracker) -> T) -> T {
    let tracker = Tracker::new(Config::default());
    let access = Access::new(list);
    let service = TrackerService::new(&tracker, Rules::default(), &access).beside(NotFound);
    let bind = |addrs: &[SocketAddr]| Server::bind(addrs, Settings::default(), Clock::start());
    let mut server = bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
    let addr = server.addrs()[0];
    // on both families where there are both
    drop(server);
    let both = [addr, SocketAddr::new(Ipv6Addr::LOCALHOST.into(), addr.port())];
    server = bind(&both).or_else(|_| bind(&both[..1])).unwrap();
    thread::scope(|scope| {
        let _stop = Stop(server.handle());
        scope.spawn(|| server.run(&service));
        test(addr, &tracker)
    })
}

#[test]
fn nothing_is_wrong_with_it() {
    serve(AccessList::open(), |addr, tracker| {
        for hash in [None, Some(InfoHash([7; 20]))] {
            let options = Options { info_hash: hash, ..options() };
            let report = check(&format!("http://{addr}/announce"), &options).unwrap();
            assert_eq!(found(&report), [], "{report:#?}");
            assert!(report.findings.len() > 25);
        }
        assert_eq!(tracker.totals().peers(), 0, "all have left");
    });
}

#[test]
fn both_families_are_asked() {
    serve(AccessList::open(), |addr, tracker| {
        let addresses = vec![addr.ip(), Ipv6Addr::LOCALHOST.into()];
        let by_name = Options { addresses: Some(addresses), ..options() };
        let report = check(&format!("http://localhost:{}/announce", addr.port()), &by_name).unwrap();
        let other = report.findings.iter().find(|finding| finding.check == "address");
        match other {
            Some(other) => assert_eq!((found(&report), other.level), (vec![], Level::Ok), "{report:#?}"),
            None => println!("skipped: this machine has no IPv6"),
        }
        assert_eq!(tracker.totals().peers(), 0, "all have left");
        // and alone
        let url = format!("http://[::1]:{}/announce", addr.port());
        if other.is_some() {
            let report = check(&url, &options()).unwrap();
            assert_eq!(found(&report), [], "{report:#?}");
        }
    });
}

#[test]
fn an_address_at_which_nobody_listens_is_a_warning() {
    serve(AccessList::open(), |addr, _| {
        // the server listens at one address of 127/8 only
        let addresses = vec![[127, 0, 0, 9].into(), addr.ip()];
        let options = Options { addresses: Some(addresses), ..options() };
        let report = check(&format!("http://localhost:{}/announce", addr.port()), &options).unwrap();
        assert_eq!(found(&report), [("name", Level::Note), ("connect", Level::Warning)], "{report:#?}");
    });
}

#[test]
fn a_list_of_torrents_is_recognised() {
    let known = InfoHash([9; 20]);
    let list = AccessList::parse(AccessMode::Allow, format!("{known}\n").as_bytes()).unwrap();
    serve(list, |addr, _| {
        let url = format!("http://{addr}/announce");
        assert_eq!(found(&check(&url, &options()).unwrap()), [("announce", Level::Note)]);
        let named = Options { info_hash: Some(known), ..options() };
        let report = check(&url, &named).unwrap();
        // of a torrent that nobody has, a tracker with a list says the same as of any other
        assert_eq!(found(&report), [], "{report:#?}");
    });
}

/// A tracker that millions use has its ways, and nothing that keeps peers apart.
#[test]
fn opentracker_has_nothing_wrong() {
    let place = tempfile::tempdir().unwrap();
    let known = InfoHash([9; 20]);
    let Some(opentracker) = OpenTracker::start(place.path(), &format!("{known}\n")) else { return };
    let url = format!("http://{}/announce", opentracker.addr);
    let report = check(&url, &options()).unwrap();
    assert!(found(&report).contains(&("announce", Level::Note)), "{report:#?}");
    let named = Options { info_hash: Some(known), ..options() };
    let report = check(&url, &named).unwrap();
    assert_eq!(report.count(Level::Wrong), 0, "{report:#?}");
    assert!(
        report.findings.iter().any(|finding| finding.check == "swarm.told" && finding.level == Level::Ok)
    );
}
