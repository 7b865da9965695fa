//! Statistics under a wall clock that jumps.

use std::io::{Read, Write};
use std::net::TcpStream;

use tracker_core::Config;
use tracker_http::{Access, Rules, Server, Settings, TrackerService};
use tracker_store::{Grouping, Period};

use super::*;

const DAY: u64 = 86_400;

/// Runs `test` beside a server; the function that it gets has that answer so many announces.
fn beside_a_server(test: impl FnOnce(&Statistics<'_>, &dyn Fn(u64))) {
    let tracker = Tracker::new(Config::default());
    let access = Access::default();
    let addrs = ["127.0.0.1:0".parse().unwrap()];
    let server = Server::bind(&addrs, Settings::default(), Clock::start()).unwrap();
    let service = TrackerService::new(&tracker, Rules::default(), &access);
    let statistics = Statistics::new(&tracker, server.handle(), server.clock(), Series::new(), 0);
    let announce = |times: u64| {
        for _ in 0..times {
            let mut stream = TcpStream::connect(server.addrs()[0]).unwrap();
            stream.write_all(b"GET /announce HTTP/1.0\r\n\r\n").unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            assert!(answer.starts_with(b"HTTP/1.1 200 "));
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| server.run(&service));
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| test(&statistics, &announce)));
        server.handle().stop();
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
    });
}

#[test]
fn a_wall_clock_that_jumps_counts_every_announce_once_and_makes_no_time() {
    beside_a_server(|statistics, announce| {
        // the beginning of a minute: in its last second, a day before `begin` is out of the day until `begin + 1`
        let begin = unix_now() / 60 * 60;
        let walls =
            [begin, begin + 365 * DAY, begin + 365 * DAY, begin - DAY, begin - 40 * DAY, 0, begin + 1];
        for (nth, wall) in walls.into_iter().enumerate() {
            announce(nth as u64 + 1);
            let (sample, _) = statistics.take_sample_at(wall);
            assert_eq!((sample.time, sample.announces), (wall, nth as u64 + 1));
            // no more than has passed, whatever the clock says: nothing here takes a minute
            assert!(sample.over < 60, "{} s at {wall}", sample.over);
            assert!(statistics.running_sample().over < 60, "after {wall}");
        }
        // where the clock is right again, what was counted by then is there, and nothing of other times
        let past = statistics.past();
        let range = past.series.range(Period::Day, Grouping::Minute, begin + 1);
        let seen: u64 =
            past.series.points(range).filter_map(|(_, point)| point.map(|point| point.announces)).sum();
        assert_eq!(seen, 1 + 4 + 7, "a day back, the beginning, and the end");
    });
}

#[test]
fn the_end_of_time_is_survived() {
    beside_a_server(|statistics, announce| {
        for wall in [u64::MAX, 0, u64::MAX - 1, unix_now()] {
            announce(1);
            assert_eq!(statistics.take_sample_at(wall).0.announces, 1);
        }
    });
}
