//! `/metrics`: the Prometheus text format, version 0.0.4.

use std::fmt::{Display, Write};

use tracker_http::{Happening, ROUTES, STATUSES};

use crate::keeper::Keeping;
use crate::statistics::Statistics;

/// All metrics. Counters begin at 0 with the program, but for the completed downloads, which go on.
pub fn metrics(statistics: &Statistics<'_>, keeping: &Keeping) -> String {
    let figures = statistics.figures();
    let counters = statistics.counters();
    let totals = &figures.totals;
    let happened = |what| counters.happenings(what);
    let mut out = Text(String::with_capacity(8 << 10));

    let version = env!("CARGO_PKG_VERSION");
    out.family("tracker_build_info", GAUGE, "The version that runs.", [(labels(&[("version", version)]), 1)]);
    out.one("tracker_uptime_seconds", GAUGE, "Seconds since the start.", figures.uptime.as_secs_f64());
    out.one("tracker_torrents", GAUGE, "Torrents with at least one peer.", totals.torrents);
    out.one(
        "tracker_torrents_remembered",
        GAUGE,
        "Torrents without peers that are remembered for their completed downloads.",
        totals.remembered,
    );
    let peers = |family, role, count: u64| (labels(&[("family", family), ("role", role)]), count);
    out.family(
        "tracker_peers",
        GAUGE,
        "Peers by address family and by whether they have the complete download.",
        [
            peers("ipv4", "seeder", totals.v4.seeders),
            peers("ipv4", "leecher", totals.v4.leechers),
            peers("ipv6", "seeder", totals.v6.seeders),
            peers("ipv6", "leecher", totals.v6.leechers),
        ],
    );
    out.one("tracker_announces_total", COUNTER, "Announces answered.", figures.counted.announces);
    out.one("tracker_scrapes_total", COUNTER, "Scrapes answered.", figures.counted.scrapes);
    out.one("tracker_completed_total", COUNTER, "Downloads completed, over all starts.", figures.completed);
    out.one(
        "tracker_failures_total",
        COUNTER,
        "Announces and scrapes answered with a failure reason.",
        happened(Happening::Failure),
    );
    out.one(
        "tracker_refused_torrents_total",
        COUNTER,
        "Announces of new torrents refused for want of room (swarm.max_torrents).",
        totals.refused_torrents,
    );
    out.one(
        "tracker_refused_peers_total",
        COUNTER,
        "Peers not listed for want of room (swarm.max_peers_per_torrent).",
        totals.refused_peers,
    );
    out.one(
        "tracker_refused_by_address_total",
        COUNTER,
        "Peers not listed since their address has too many (limits.peers, limits.peers_per_torrent).",
        totals.refused_by_address,
    );
    out.one(
        "tracker_slowed_total",
        COUNTER,
        "Announces and scrapes answered with a longer interval, since their address asks too often (limits).",
        happened(Happening::Slowed),
    );
    out.one(
        "tracker_refused_requests_total",
        COUNTER,
        "Requests refused with status 429, since their address asks far too often (limits).",
        happened(Happening::Refused),
    );
    let answers = ROUTES.into_iter().flat_map(|route| STATUSES.map(|status| (route, status)));
    out.family(
        "tracker_requests_total",
        COUNTER,
        "Requests by route and status of the answer.",
        answers.filter_map(|(route, status)| {
            let count = counters.answers(route, status);
            // those that there may always be are there from the start
            (count > 0 || status == 200)
                .then(|| (labels(&[("route", route.name()), ("status", &status.to_string())]), count))
        }),
    );
    out.one("tracker_connections", GAUGE, "Connections open now.", figures.connections);
    out.one(
        "tracker_connections_accepted_total",
        COUNTER,
        "Connections accepted.",
        happened(Happening::Accepted),
    );
    let ended = [
        ("idle", Happening::IdleTooLong),
        ("made_room", Happening::MadeRoom),
        ("no_room", Happening::TooMany),
        ("over_rate", Happening::OverRate),
        ("over_connections", Happening::OverConnections),
        ("request_timeout", Happening::RequestTimeout),
        ("output_timeout", Happening::OutputTimeout),
    ];
    out.family(
        "tracker_connections_closed_total",
        COUNTER,
        "Connections closed by the tracker, by reason.",
        ended.map(|(reason, what)| (labels(&[("reason", reason)]), happened(what))),
    );
    out.one(
        "tracker_accept_errors_total",
        COUNTER,
        "Connections that could not be accepted, for want of descriptors or memory.",
        happened(Happening::AcceptFailed),
    );
    let handshakes = [("completed", Happening::TlsHandshake), ("failed", Happening::TlsHandshakeFailed)];
    out.family(
        "tracker_tls_handshakes_total",
        COUNTER,
        "TLS handshakes, by how they ended.",
        handshakes.map(|(result, what)| (labels(&[("result", result)]), happened(what))),
    );
    out.one(
        "tracker_panics_total",
        COUNTER,
        "Requests whose serving panicked.",
        happened(Happening::Panicked),
    );
    out.one("tracker_received_bytes_total", COUNTER, "Bytes received.", happened(Happening::BytesIn));
    out.one("tracker_sent_bytes_total", COUNTER, "Bytes sent.", happened(Happening::BytesOut));

    let kept = keeping.state();
    out.one("tracker_store_errors_total", COUNTER, "Writes to the data directory that failed.", kept.errors);
    out.one(
        "tracker_store_working",
        GAUGE,
        "1 if the last write to the data directory worked, 0 if it failed.",
        u8::from(kept.works()),
    );
    out.one(
        "tracker_store_dropped_samples_total",
        COUNTER,
        "Samples given up, since too many waited for the disk.",
        kept.dropped_samples,
    );
    if let Some(snapshot) = kept.snapshot {
        out.one(
            "tracker_snapshot_timestamp_seconds",
            GAUGE,
            "When the last snapshot of the swarms was begun.",
            snapshot.time,
        );
        out.one(
            "tracker_snapshot_duration_seconds",
            GAUGE,
            "How long the last snapshot took.",
            snapshot.took.as_secs_f64(),
        );
        out.one("tracker_snapshot_bytes", GAUGE, "Size of the last snapshot.", snapshot.saved.bytes);
        out.one("tracker_snapshot_peers", GAUGE, "Peers in the last snapshot.", snapshot.saved.peers);
    }
    out.0
}

const GAUGE: &str = "gauge";
const COUNTER: &str = "counter";

/// Text that is being written; writing to a String cannot fail.
struct Text(String);

impl Text {
    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help, [(String::new(), value)]);
    }

    fn family<V: Display>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        values: impl IntoIterator<Item = (String, V)>,
    ) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in values {
            let _ = writeln!(self.0, "{name}{labels} {value}");
        }
    }
}

/// `{family="ipv4",role="seeder"}`. Names and values are the program's own: nothing in them needs escaping.
fn labels(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    format!("{{{}}}", pairs.join(","))
}
