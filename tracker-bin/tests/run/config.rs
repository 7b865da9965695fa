//! The settings: what is refused and how, what is printed and read again.

use std::path::Path;

use crate::place::{Place, text};

/// `tracker.ron` with `body` from line 2 on is refused, by the check and by the start alike.
#[track_caller]
fn refused(body: &str, line: usize, key: &str, problem: &str) {
    let place = Place::config(&format!("(\n{body}\n)\n"));
    let sentence = place.refusal(&["--config", "tracker.ron", "--check-config"]);
    assert_eq!(sentence, format!("tracker.ron:{line}: {key}: {problem}"));
    assert_eq!(place.refusal(&["--config", "tracker.ron"]), sentence);
    assert_eq!(place.refusal(&["--config", "tracker.ron", "--print-config"]), sentence);
    assert_eq!(place.names(), ["tracker.ron"]);
}

#[test]
fn unknown_keys() {
    refused(
        "swarm: (\n  intervall: \"30m\"),",
        3,
        "swarm.intervall",
        "intervall is an unknown key, did you mean interval?",
    );
    refused("swarn: (),", 2, "swarn", "swarn is an unknown key, did you mean swarm?");
    let known = "known are mode and file";
    refused("access: (\n\ncolour: 1)", 4, "access.colour", &format!("colour is an unknown key, {known}"));
}

#[test]
fn wrong_types() {
    let number = "expected a whole number from 0 to 4294967295, found";
    refused("swarm: (default_numwant: \"50\")", 2, "swarm.default_numwant", &format!("{number} \"50\""));
    refused("swarm: (default_numwant: -1)", 2, "swarm.default_numwant", &format!("{number} -1"));
    refused(
        "swarm: (interval: 1800)",
        2,
        "swarm.interval",
        "expected a duration such as \"30m\", found 1800",
    );
    refused("swarm: (full_scrape: \"yes\")", 2, "swarm.full_scrape", "expected true or false, found \"yes\"");
    refused(
        "swarm: (selection: Random)",
        2,
        "swarm.selection",
        "expected Uniform or NearFirst, found Random",
    );
    refused("http: (listen: 6969)", 2, "http.listen", "expected a list in square brackets, found 6969");
    let header = "expected Any, XForwardedFor, XRealIp or Forwarded, found \"Any\"";
    refused("http: (forwarded_header: \"Any\")", 2, "http.forwarded_header", header);
    refused("access: (file: 7)", 2, "access.file", "expected a path in quotes, found 7");
    refused("swarm: [1, 2]", 2, "swarm", "expected keys and values in parentheses, found [1, 2]");
}

#[test]
fn bad_durations() {
    for bad in ["30x", "30", "", "soon", "-1m"] {
        let problem = format!("\"{bad}\" is not a duration, write it as \"30m\"");
        refused(
            &format!("swarm: (\n// interval: \"1m\"\ninterval: \"{bad}\")"),
            4,
            "swarm.interval",
            &problem,
        );
    }
    refused(
        "http: (keep_alive: \"x\")",
        2,
        "http.keep_alive",
        "\"x\" is not a duration, write it as \"30m\"",
    );
    refused(
        "swarm: (min_interval: Some(\"x\"))",
        2,
        "swarm.min_interval",
        "\"x\" is not a duration, write it as \"30m\"",
    );
}

#[test]
fn bad_ranges_and_addresses() {
    let problem = "is not a range of addresses, write it as \"10.0.0.0/8\"";
    for key in ["http.trusted_proxies", "limits.exempt", "stats.allow"] {
        let (section, name) = key.split_once('.').unwrap();
        let body = format!("{section}: ({name}: [\"10.0.0.1\",\n\"10.0.0.0/33\"])");
        refused(&body, 3, key, &format!("\"10.0.0.0/33\" {problem}"));
    }
    let problem = "is not an address with a port, write it as \"0.0.0.0:6969\" or \"[::]:6969\"";
    for bad in ["localhost:6969", "0.0.0.0", "1.2.3.4.5:1", "[::1:6969", "0.0.0.0:65536"] {
        refused(&format!("http: (listen: [\"{bad}\"])"), 2, "http.listen", &format!("\"{bad}\" {problem}"));
    }
}

#[test]
fn what_does_not_fit_together() {
    refused("swarm: (interval: \"0s\")", 2, "swarm.interval", "\"0s\" is zero, expected at least \"1s\"");
    let problem = "\"10m\" is shorter than swarm.interval, \"30m\" by default";
    refused("swarm: (\npeer_timeout: \"10m\")", 3, "swarm.peer_timeout", problem);
    let problem = "\"59s\" is shorter than swarm.interval, \"1m\"";
    refused(
        "swarm: (peer_timeout: Some(\"59s\"),\ninterval: \"60s\")",
        2,
        "swarm.peer_timeout",
        &format!("Some({}) {}", "\"59s\"", &problem[6..]),
    );
    let problem = "\"31m\" is longer than swarm.interval, \"30m\" by default";
    refused("swarm: (min_interval: \"31m\")", 2, "swarm.min_interval", problem);
    let problem = "300 is more than swarm.max_numwant, 200 by default";
    refused("swarm: (\n\ndefault_numwant: 300)", 4, "swarm.default_numwant", problem);
    let problem = "20 is less than swarm.default_numwant, 50 by default";
    refused("swarm: (\n\nmax_numwant: 20)", 4, "swarm.max_numwant", problem);
    for mode in ["Allow", "Deny"] {
        let problem = format!("{mode} needs a list, write its name as access.file");
        refused(&format!("access: (mode: {mode})"), 2, "access.mode", &problem);
    }
    let problem =
        "expected \"off\", \"error\", \"warn\", \"info\", \"debug\" or \"trace\", found \"verbose\"";
    refused("log: (level: \"verbose\")", 2, "log.level", problem);
    refused("http: (workers: 100000)", 2, "http.workers", "100000 is too many, at most 1024 are possible");
    let problem = "\"127.0.0.1:80\" overlaps with \"0.0.0.0:80\", which is there too";
    refused("http: (listen: [\"0.0.0.0:80\", \n\"127.0.0.1:80\"])", 3, "http.listen", problem);
    let problem = "\"224.0.0.1:80\" is no address of this machine";
    refused("http: (listen: [\"224.0.0.1:80\"])", 2, "http.listen", problem);
    refused("http: (listen: [])", 2, "http.listen", "[] is empty, expected at least one address");
}

#[test]
fn bad_options() {
    let place = Place::empty();
    for (args, parts) in [
        (&["--listen", "6969"][..], &["--listen: \"6969\" is not an address"][..]),
        (&["--workers", "many"], &["--workers: expected a whole number", "found many"]),
        (&["--workers", "-1"], &["--workers: expected a whole number", "found -1"]),
        (&["--log-level", "loud"], &["--log-level: expected \"off\"", "found \"loud\""]),
        (&["--data-dir", ""], &["--data-dir: \"\" is not a path"]),
        (&["--lissten", "x"], &["--lissten", "did you mean --listen?"]),
        (&["--config"], &["--config"]),
        (&["tracker.ron"], &["tracker.ron"]),
    ] {
        let sentence = place.refusal(args);
        assert!(parts.iter().all(|part| sentence.contains(part)), "{sentence}");
    }
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn files_that_cannot_be_read() {
    let place = Place::config("(access: (mode: Deny, file: \"list\"))");
    let sentence = place.refusal(&["--config", "nothing.ron"]);
    assert!(sentence.starts_with("nothing.ron: cannot be read: ") && sentence.ends_with(", check --config"));
    let sentence = place.refusal(&["--config", "tracker.ron", "--check-config"]);
    assert!(sentence.starts_with("list: cannot be read: ") && sentence.ends_with(", check access.file"));
    let sentence = Place::config("(swarm: (interval \"1m\"))").refusal(&["--config", "tracker.ron"]);
    assert!(sentence.starts_with("tracker.ron:1:"), "{sentence}");
    let sentence = Place::config("").refusal(&["--config", "tracker.ron"]);
    assert_eq!(sentence, "tracker.ron:1:1: the file is empty, write at least ()");
    let place = Place::empty();
    place.write("tracker.ron", b"(\n\xff)");
    let sentence = place.refusal(&["--config", "tracker.ron"]);
    assert_eq!(sentence, "tracker.ron:2:1: 0xff is not UTF-8 text");
}

#[test]
fn the_access_list_is_checked() {
    let config = "(access: (mode: Allow, file: \"list\"))";
    let place = Place::with(&[("tracker.ron", config), ("list", "# ours\n\nxyz\n")]);
    let sentence = place.refusal(&["--config", "tracker.ron", "--check-config"]);
    assert_eq!(sentence, "list:3: \"xyz\" is not an info hash, expected 40 hexadecimal digits");
    assert_eq!(place.refusal(&["--config", "tracker.ron"]), sentence);
}

const OTHER: &str = r#"(
    http: (listen: ["127.0.0.1:0", "[::1]:7000"], workers: 3, keep_alive: "0s", request_timeout: "1s",
        max_connections: 5, trusted_proxies: ["10.0.0.0/8", "::1"], forwarded_header: XRealIp),
    swarm: (interval: "1h 1s", min_interval: "15m", peer_timeout: Some("2h"), default_numwant: 1, max_numwant: 2,
        max_scrape: 3, full_scrape: true, client_ip: Query, selection: NearFirst, peer_ids: false,
        max_torrents: 4, max_peers_per_torrent: 5, remember_torrents: 6),
    limits: (requests_per_second: 1, burst: 2, connections: 3, peers_per_torrent: 4, peers: 0, exempt: []),
    access: (mode: Deny, file: "a \"list\""),
    stats: (public: false, allow: ["192.168.0.0/16"]),
    store: (dir: "some where", sample_every: "2s", snapshot_every: "3s"),
    log: (level: "trace", format: Json, file: Some("a.log")),
)"#;

#[test]
fn what_is_printed_reads_as_the_same() {
    for config in ["()", OTHER] {
        let place = Place::config(config);
        let first = place.run(&["--config", "tracker.ron", "--print-config", "--workers", "7"]);
        assert!(first.status.success() && first.stderr.is_empty(), "{}", text(&first.stderr));
        let printed = text(&first.stdout);
        assert!(printed.contains("workers: 7,") && printed.contains("// "));
        place.write("again.ron", &printed);
        let again = place.run(&["--config", "again.ron", "--print-config"]);
        assert_eq!(text(&again.stdout), printed);
        assert_eq!(place.names(), ["again.ron", "tracker.ron"]);
    }
}

/// The settings as the library sees them.
fn settings(file: Option<&Path>) -> tracker_bin::config::Config {
    let options = tracker_bin::cli::Options { config: file.map(Into::into), ..Default::default() };
    tracker_bin::settings::Settings::load(options).unwrap().config
}

#[test]
fn printed_and_read_settings_are_equal() {
    let place = Place::config(OTHER);
    let path = place.path("tracker.ron");
    let other = settings(Some(&path));
    let fresh = tracker_bin::config::Config::default();
    assert_ne!(other.swarm, fresh.swarm);
    for config in [fresh, other] {
        std::fs::write(&path, tracker_bin::config::print(&config)).unwrap();
        assert_eq!(settings(Some(&path)), config);
    }
    assert_eq!(settings(None), tracker_bin::config::Config::default());
}

#[test]
fn every_key_is_documented() {
    let page = include_str!("../../../docs/configuration.md");
    let printed = tracker_bin::config::print(&tracker_bin::config::Config::default());
    let mut comments = 0;
    let mut keys = 0;
    for line in printed.lines().map(str::trim) {
        match line.split_once(':') {
            _ if line.starts_with("//") => comments += 1,
            Some((key, value)) => {
                assert!(comments > 0, "{key} has no documentation");
                comments = 0;
                keys += 1;
                assert!(page.contains(&format!("`{key}`")), "docs/configuration.md lacks {key}");
                let default = value.trim().trim_end_matches(',');
                let row = page.lines().any(|row| row.starts_with(&format!("| `{key}` | `{default}`")));
                assert!(
                    row || default == "(",
                    "docs/configuration.md gives {key} another default than {default}"
                );
            }
            None => {}
        }
    }
    assert_eq!(keys, 7 + 37);
}

#[test]
fn a_check_says_nothing_when_all_is_well_and_touches_nothing() {
    let config = "(access: (mode: Allow, file: \"list\"), log: (file: \"t.log\"), store: (dir: \"d\"))";
    let place = Place::with(&[("tracker.ron", config), ("list", "")]);
    let output = place.run(&["--config", "tracker.ron", "--check-config"]);
    assert_eq!((output.status.code(), output.stdout.len(), output.stderr.len()), (Some(0), 0, 0));
    assert_eq!(place.names(), ["list", "tracker.ron"]);
}

#[test]
fn help_and_version_are_printed() {
    let place = Place::empty();
    let version = place.run(&["--version"]);
    assert!(version.status.success());
    assert_eq!(text(&version.stdout), format!("tracker {}\n", env!("CARGO_PKG_VERSION")));
    let help = text(&place.run(&["--help"]).stdout);
    let options = [
        "--config",
        "--listen",
        "--data-dir",
        "--workers",
        "--log-level",
        "--print-config",
        "--check-config",
    ];
    assert!(options.iter().all(|option| help.contains(option)), "{help}");
}
