//! `/stats`, `/stats.json` and `/metrics`.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::client::{Client, announce, get, scrape};
use crate::place::Place;
use crate::program::{Program, until};

const FAST: &str = "(store: (sample_every: \"1s\"))";

fn stats(client: &mut Client, query: &str) -> Value {
    client.ask(get(&format!("/stats.json{query}"))).json()
}

fn column(stats: &Value, name: &str) -> Vec<Option<u64>> {
    let column = stats["history"][name].as_array().unwrap_or_else(|| panic!("no {name}"));
    column.iter().map(|value| if value.is_null() { None } else { Some(value.as_u64().unwrap()) }).collect()
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// One seeder, one leecher that has completed, one leecher, over two torrents.
fn fill(client: &mut Client) {
    client.announce(1, 1000, "&left=0");
    client.announce(1, 1001, "&left=5&event=started");
    client.announce(1, 1001, "&left=0&event=completed");
    client.announce(2, 1002, "&left=7");
    client.ask(scrape(1));
}

#[test]
fn figures_are_there_at_once_and_current_a_second_later() {
    let place = Place::empty();
    let program = place.start(&[]);
    let mut client = program.client();
    let first = stats(&mut client, "");
    for key in ["torrents", "peers", "seeders", "leechers", "completed", "uptime"] {
        assert_eq!(first[key], 0, "{key}");
    }
    fill(&mut client);
    std::thread::sleep(Duration::from_secs(1));
    let now = stats(&mut client, "?period=1h&group=minute");
    assert_eq!(now["torrents"], 2);
    assert_eq!(now["peers"], 3);
    assert_eq!(now["seeders"], 2);
    assert_eq!(now["leechers"], 1);
    assert_eq!(now["completed"], 1);
    assert!(now["uptime"].as_u64().unwrap() >= 1);
    assert!(now["announces_per_second"].as_f64().unwrap() > 0.0);
    program.stop();
}

#[test]
fn the_running_minute_shows_what_has_been_so_far() {
    let place = Place::empty();
    let program = place.start(&[]);
    let mut client = program.client();
    fill(&mut client);
    until("all is counted", || stats(&mut client, "")["peers"] == 3);
    let stats = stats(&mut client, "?period=1h&group=minute");
    let last = |name| *column(&stats, name).last().unwrap();
    assert_eq!(
        ["torrents", "peers", "seeders", "leechers", "completed"].map(last),
        [Some(2), Some(3), Some(2), Some(1), Some(1)]
    );
    let sum = |name| column(&stats, name).into_iter().flatten().sum::<u64>();
    assert_eq!((sum("announces"), sum("scrapes")), (4, 1));
    program.stop();
}

#[test]
fn every_period_and_grouping_has_its_grid() {
    let place = Place::config(FAST);
    let program = place.start_configured(&[]);
    let mut client = program.client();
    fill(&mut client);
    until("a sample is taken", || place.read("tracker-data/history.ron").contains("Sample("));
    for (period, minutes, hours) in [
        ("1h", 61, 2),
        ("5h", 301, 6),
        ("1d", 1441, 25),
        ("3d", 4321, 73),
        ("7d", 10_081, 169),
        ("30d", 721, 721),
        ("all", 1, 1),
    ] {
        for (group, buckets) in [("minute", minutes), ("hour", hours)] {
            let stats = stats(&mut client, &format!("?period={period}&group={group}"));
            let used = if buckets == hours { "hour" } else { group };
            assert_eq!(
                (stats["history"]["period"].as_str(), stats["history"]["group"].as_str()),
                (Some(period), Some(used))
            );
            let step = if used == "hour" { 3600 } else { 60 };
            let times: Vec<_> = column(&stats, "time").into_iter().flatten().collect();
            // the hour may have turned since the start
            assert!(
                times.len() == buckets || period == "all" && times.len() == 2,
                "{period} {group}: {}",
                times.len()
            );
            assert!(times[0].is_multiple_of(step) && times.windows(2).all(|pair| pair[1] - pair[0] == step));
            let last = *times.last().unwrap();
            let now = stats["time"].as_u64().unwrap();
            assert!(last <= now && now < last + step && now.abs_diff(unix_now()) < 5);
            for name in ["torrents", "peers", "seeders", "leechers", "completed", "announces", "scrapes"] {
                let column = column(&stats, name);
                assert_eq!(column.len(), times.len(), "{period} {group} {name}");
                assert!(column.last().unwrap().is_some());
            }
            let sum: u64 = column(&stats, "announces").into_iter().flatten().sum();
            assert_eq!(sum, 4, "{period} {group}");
        }
    }
    program.stop();
}

#[test]
fn what_is_left_out_is_a_day_by_the_minute_and_what_is_unknown_is_refused() {
    let place = Place::empty();
    let program = place.start(&[]);
    let mut client = program.client();
    for query in ["", "?", "?period=1d", "?group=minute", "?x=1&group=minute&y"] {
        let stats = stats(&mut client, query);
        assert_eq!(
            (&stats["history"]["period"], &stats["history"]["group"]),
            (&"1d".into(), &"minute".into())
        );
    }
    for (query, known) in [
        ("?period=2d", ["1h", "5h", "1d", "3d", "7d", "30d", "all"].join(", ")),
        ("?period=1d&group=day", "minute, hour".to_owned()),
        ("?period=%3Cscript%3E", "known are 1h".to_owned()),
    ] {
        let answer = program.client().ask(get(&format!("/stats.json{query}")));
        assert_eq!(answer.status, 400);
        assert_eq!(answer.field("content-type"), Some("text/plain; charset=utf-8"));
        assert!(answer.text().contains(&known), "{}", answer.text());
    }
    program.stop();
}

#[test]
fn the_page_is_one_answer_with_a_strict_policy_and_a_tag() {
    let place = Place::empty();
    let program = place.start(&[]);
    let mut client = program.client();
    let page = client.ask(get("/stats?period=7d&group=hour"));
    assert_eq!((page.status, page.field("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = page.field("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-") && !policy.contains("unsafe"));
    assert_eq!(page.field("x-content-type-options"), Some("nosniff"));
    for part in ["name=\"period\"", "name=\"group\"", "value=\"3d\"", "value=\"hour\""] {
        assert!(page.text().contains(part), "{part}");
    }
    assert!(!page.text().contains("src=\"") && !page.text().contains("@import"));
    let tag = page.field("etag").unwrap().to_owned();
    let again = client.send(format!("GET /stats HTTP/1.1\r\nHost: t\r\nIf-None-Match: {tag}\r\n\r\n")).head();
    assert_eq!((again.status, again.field("etag")), (304, Some(&*tag)));
    // nothing came behind it
    assert_eq!(client.ask(get("/health")).status, 200);
    program.stop();
}

/// Lines of a metric with their values.
fn metrics(client: &mut Client) -> Vec<(String, f64)> {
    let answer = client.ask(get("/metrics"));
    assert_eq!(answer.field("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let lines = answer.text().lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

#[test]
fn metrics_count_what_happens() {
    let place = Place::empty();
    let program = place.start(&[]);
    let mut client = program.client();
    fill(&mut client);
    client.ask(get("/nothing"));
    client.ask(get("/announce?info_hash=x"));
    let value = |metrics: &[(String, f64)], name: &str| {
        metrics.iter().find(|(found, _)| found == name).unwrap_or_else(|| panic!("no {name}: {metrics:?}")).1
    };
    until("all is counted", || {
        value(&metrics(&mut client), "tracker_peers{family=\"ipv4\",role=\"seeder\"}") == 2.0
    });
    let metrics = metrics(&mut client);
    for (name, expected) in [
        ("tracker_torrents", 2.0),
        ("tracker_peers{family=\"ipv4\",role=\"leecher\"}", 1.0),
        ("tracker_peers{family=\"ipv6\",role=\"seeder\"}", 0.0),
        ("tracker_announces_total", 5.0),
        ("tracker_scrapes_total", 1.0),
        ("tracker_completed_total", 1.0),
        ("tracker_failures_total", 1.0),
        ("tracker_requests_total{route=\"announce\",status=\"200\"}", 5.0),
        ("tracker_requests_total{route=\"other\",status=\"404\"}", 1.0),
        ("tracker_connections", 1.0),
        ("tracker_store_errors_total", 0.0),
        ("tracker_build_info{version=\"0.1.0\"}", 1.0),
    ] {
        assert_eq!(value(&metrics, name), expected, "{name}");
    }
    program.stop();
}

#[test]
fn statistics_are_shown_to_those_who_may_see_them() {
    let allowed = "(stats: (public: false))";
    let denied = "(stats: (public: false, allow: [\"192.0.2.0/24\"]))";
    let place = Place::config(denied);
    let mut program = place.start_configured(&[]);
    let look = |program: &Program| {
        let mut client = program.client();
        ["/stats", "/stats.json", "/metrics", "/health", "/stats.json?period=nonsense"]
            .map(|path| client.ask(get(path)).status)
    };
    assert_eq!(look(&program), [403, 403, 403, 200, 403]);
    assert_eq!(program.client().ask(announce(1, 1000, "")).status, 200);
    place.write("tracker.ron", allowed);
    program.reload();
    assert_eq!(look(&program), [200, 200, 200, 200, 400]);
    place.write("tracker.ron", denied);
    program.reload();
    assert_eq!(look(&program), [403, 403, 403, 200, 403]);
    program.stop();

    // behind a proxy it is the client that counts
    place.write("tracker.ron", "(http: (trusted_proxies: [\"127.0.0.1\"]), stats: (public: false))");
    let program = place.start_configured(&[]);
    let ask = |client: &str| {
        let request = format!("GET /stats.json HTTP/1.1\r\nHost: t\r\nX-Forwarded-For: {client}\r\n\r\n");
        program.client().ask(request).status
    };
    assert_eq!((ask("192.0.2.1"), ask("127.0.0.1"), ask("::1")), (403, 200, 200));
    program.stop();
}

#[test]
fn a_flood_of_statistics_does_not_keep_announces_waiting() {
    let place = Place::empty();
    let program = place.start(&["--workers", "1"]);
    // more than the socket holds, of an answer of half a megabyte, to a client that reads nothing
    let _greedy: Vec<_> = (0..50)
        .map(|_| {
            let mut client = Client::narrow(program.addr());
            client.send(get("/stats.json?period=7d").repeat(20));
            client
        })
        .collect();
    let mut client = program.client();
    for port in 1000..1100 {
        assert_eq!(client.announce(1, port, "&numwant=0").incomplete, i64::from(port) - 999);
    }
    program.stop();
}
