//! Section `limits`: what an address may do, and what is said of it.

use crate::client::{announce, get};
use crate::place::Place;

const NOBODY_IS_EXEMPT: &str = "limits: (requests_per_second: 1, burst: 1, connections: 0, exempt: [])";

#[test]
fn who_asks_too_often_is_told_to_come_midway_between_interval_and_timeout() {
    for (swarm, usual, longer) in [
        ("", (1800, 900), (2250, 1800)),
        ("interval: \"1h\", min_interval: \"1h\", peer_timeout: \"2h\"", (3600, 3600), (5400, 3600)),
        ("interval: \"1m\", peer_timeout: \"63s\"", (60, 30), (62, 60)),
        ("interval: \"1m\", peer_timeout: \"1m\"", (60, 30), (61, 60)),
    ] {
        let place = Place::config(&format!("(swarm: ({swarm}), {NOBODY_IS_EXEMPT})"));
        let program = place.start_configured(&[]);
        let mut client = program.client();
        // all in one go, so that nothing comes back meanwhile
        client.send(announce(1, 1000, "").repeat(3));
        let answers: [_; 3] = std::array::from_fn(|_| client.answer());
        let has = |at: usize, part: &str| answers[at].text_contains(part);
        let intervals = |(interval, least)| format!("8:intervali{interval}e12:min intervali{least}e");
        assert!(has(0, &intervals(usual)) && !has(0, "warning message"), "{swarm}: {answers:?}");
        assert!(has(1, &intervals(longer)) && has(1, "15:warning message"), "{swarm}: {answers:?}");
        assert_eq!((answers[2].status, answers[2].field("retry-after")), (429, Some("2")), "{swarm}");
        client.is_gone();
        program.stop();
    }
}

#[test]
fn loopback_is_exempt_unless_it_is_said_otherwise() {
    let place = Place::config("(limits: (requests_per_second: 1, burst: 1, connections: 1))");
    let program = place.start_configured(&[]);
    let mut clients: Vec<_> = (0..5).map(|_| program.client()).collect();
    for client in &mut clients {
        client.send(announce(1, 1000, "").repeat(10));
        assert!((0..10).all(|_| !client.answer().text_contains("warning message")));
    }
    program.stop();
}

#[test]
fn what_limits_have_done_is_shown() {
    let place = Place::config(
        "(limits: (requests_per_second: 1, burst: 1, connections: 1, exempt: [\"127.0.0.1\"]))",
    );
    let program = place.start_configured(&[]);
    let stranger = || crate::client::Client::from([127, 0, 0, 2].into(), program.addr());
    let mut client = stranger();
    client.ask(announce(1, 1000, ""));
    stranger().is_gone();
    client.send(announce(1, 1000, "").repeat(10));
    while client.answer().status != 429 {}
    client.is_gone();
    let limited = program.client().ask(get("/stats.json")).json()["limited"].clone();
    assert!(limited["slowed"].as_u64() > Some(0), "{limited}");
    assert_eq!((&limited["refused"], &limited["over_connections"]), (&1.into(), &1.into()));
    let metrics = program.client().ask(get("/metrics"));
    for line in [
        format!("tracker_slowed_total {}\n", limited["slowed"]),
        "tracker_refused_requests_total 1\n".to_owned(),
        "tracker_requests_total{route=\"other\",status=\"429\"} 1\n".to_owned(),
        "tracker_connections_closed_total{reason=\"over_rate\"} 0\n".to_owned(),
        "tracker_connections_closed_total{reason=\"over_connections\"} 1\n".to_owned(),
    ] {
        assert!(metrics.text_contains(&line), "{line}{}", metrics.text());
    }
    program.stop();
}

#[test]
fn limits_wait_for_a_restart() {
    let place = Place::config("(limits: (requests_per_second: 50))");
    let mut program = place.start_configured(&[]);
    place.write("tracker.ron", "(limits: (requests_per_second: 60))");
    program.reload();
    let warning = program.says("wait for a restart");
    assert!(warning.ends_with(": limits.requests_per_second"), "{warning}");
    program.stop();
}

#[test]
fn an_address_has_so_many_peers_and_no_more_unless_it_is_exempt() {
    let limits = "peers_per_torrent: 3, peers: 5";
    let place = Place::config(&format!("(limits: ({limits}, exempt: [\"127.0.0.9\"]))"));
    let program = place.start_configured(&[]);
    let mut client = program.client();
    let is_listed = |client: &mut crate::client::Client, torrent, port| {
        let answer = client.ask(announce(torrent, port, ""));
        let is_warned = answer.text_contains("15:warning message");
        assert_eq!(answer.text_contains("8:intervali2250e"), is_warned, "{answer:?}");
        !is_warned
    };
    let listed = [(1, 1000), (1, 1001), (1, 1002), (1, 1003), (2, 1000), (2, 1001), (2, 1002), (3, 1000)]
        .map(|(torrent, port)| is_listed(&mut client, torrent, port));
    assert_eq!(listed, [true, true, true, false, true, true, false, false]);
    assert_eq!([client.scrape(1), client.scrape(2), client.scrape(3)].map(|counts| counts[2]), [3, 2, 0]);
    let mut exempt = crate::client::Client::from([127, 0, 0, 9].into(), program.addr());
    assert!((1000..1010).all(|port| is_listed(&mut exempt, 1, port)));
    program.stop();
}
