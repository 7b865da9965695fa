//! What is said in the end.

use std::fmt::Write;
use std::time::Duration;

use examples::terminal::grouped;
use serde_json::{Map, Value, json};

use crate::crowd::Crowd;
use crate::engine::Ended;
use crate::loss::Loss;
use crate::options::{Fill, Mode, Options, Target};
use crate::process::Usage;
use crate::tally::Tally;

/// From this share of a core on it is said to be the bottleneck.
const BUSY: f64 = 0.95;
const PERCENTILES: [(&str, f64); 4] = [("p50", 50.0), ("p90", 90.0), ("p99", 99.0), ("p99.9", 99.9)];

/// What was measured.
#[derive(Debug, Default)]
pub(crate) struct Report {
    tally: Option<Tally>,
    took: Duration,
    idle: Duration,
    pub(crate) gave_up: bool,
    overdue: u64,
    /// Connections that were still there after a while without requests.
    pub(crate) open: Option<u64>,
    /// What the server's process had used before and after.
    pub(crate) server: Option<(Usage, Usage)>,
}

impl Report {
    /// Adds what one run has come to.
    pub(crate) fn add(&mut self, tally: &Tally, ended: Ended) {
        self.took(ended);
        match &mut self.tally {
            None => self.tally = Some(tally.clone()),
            Some(sum) => sum.add(tally),
        }
    }

    /// Adds a run whose counts come later.
    pub(crate) fn took(&mut self, ended: Ended) {
        self.took += ended.took;
        self.idle += ended.idle;
        self.overdue += ended.overdue;
        self.gave_up |= ended.gave_up;
    }

    pub(crate) fn answers(&self) -> u64 {
        self.tally.as_ref().map_or(0, |tally| tally.answers)
    }

    /// The errors in a line.
    pub(crate) fn losses(&self) -> String {
        let Some(tally) = &self.tally else { return "none".to_owned() };
        let kinds = Loss::ALL.into_iter().filter(|&loss| tally.losses[loss as usize] > 0);
        let kinds: Vec<String> =
            kinds.map(|loss| format!("{} {}", grouped(tally.losses[loss as usize]), loss.text())).collect();
        if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") }
    }

    pub(crate) fn text(&self, options: &Options, target: &Target, crowd: &Crowd) -> String {
        let mut text = String::new();
        // writing to a String cannot fail
        let _ = writeln!(text, "{}\n{}\n", target.url, what(options, crowd));
        let Some(tally) = &self.tally else { return text };
        let mut line = |name: &str, value: String| {
            let _ = writeln!(text, "{name:<14}{value}");
        };
        let seconds = self.took.as_secs_f64();
        let answers = tally.answers as f64;
        let rate = grouped((answers / seconds) as u64);
        let kind = if options.scrape && options.fill != Fill::Only { "scrapes" } else { "announces" };
        line(kind, format!("{rate} a second: {} in {seconds:.2} s", grouped(tally.answers)));
        let mut latencies: Vec<String> = PERCENTILES
            .map(|(name, at)| format!("{name} {}", micros(tally.latency.value_at_percentile(at))))
            .into();
        latencies.push(format!("max {}", micros(tally.latency.max())));
        line("latency", latencies.join(", "));
        let peers = if options.check && !options.scrape {
            format!(", {:.1} peers", tally.peers as f64 / answers.max(1.0))
        } else {
            String::new()
        };
        let megabytes = tally.bytes as f64 / seconds / 1e6;
        line(
            "answers",
            format!("{:.0} bytes each{peers}, {megabytes:.1} MB/s", tally.bytes as f64 / answers.max(1.0)),
        );
        if tally.connections > 0 {
            line("connections", format!("{} made", grouped(tally.connections)));
        }
        line("errors", self.losses());
        if let Some((loss, example)) = &tally.example {
            line("", format!("such as \"{example}\" ({})", loss.name().replace('_', " ")));
        }
        if tally.compressed > 0 {
            line(
                "",
                format!("{} answers came compressed and were not looked into", grouped(tally.compressed)),
            );
        }
        if options.mode != Mode::OneShot && tally.losses[Loss::Closed as usize] > tally.answers / 4 {
            line("", "the server seems to close after each answer: try --mode one-shot".to_owned());
        }
        if self.overdue > 0 {
            line("", format!("{} more were due, and no connection was free", grouped(self.overdue)));
        }
        if self.gave_up {
            line("", "given up: too many errors, or too little time".to_owned());
        }
        if let Some(server) = self.server(answers) {
            line(
                "server's CPU",
                format!(
                    "{:.2} µs a request: {:.2} user, {:.2} system",
                    server.each, server.user, server.system
                ),
            );
            let waited = match (server.waited * 100.0).round() {
                0.0 => String::new(),
                waited => format!(", and waited for it {waited} % of the time"),
            };
            line("", format!("{:.1} % of a core{waited}", server.share * 100.0));
            line("its memory", format!("{:.1} MiB", server.resident as f64 / f64::from(1 << 20)));
            if let Some(open) = self.open {
                line(
                    "",
                    format!(
                        "{} bytes for each of {} idle connections",
                        server.grown / open.max(1),
                        grouped(open)
                    ),
                );
            }
        }
        let own = self.own_share();
        line(
            "this program",
            format!("had work {:.0} % of the time{}", own * 100.0, self.bottleneck(own, answers)),
        );
        text
    }

    pub(crate) fn json(&self, options: &Options, target: &Target, crowd: &Crowd) -> String {
        let mut all = Map::new();
        let mut put = |name: &str, value: Value| all.insert(name.to_owned(), value);
        put("url", target.url.to_string().into());
        put("mode", mode(options.mode).into());
        put("depth", options.depth().into());
        put("connections", options.connections().into());
        put("torrents", crowd.torrents.into());
        put("peers", crowd.peers.into());
        put("zipf", crowd.is_zipf().into());
        put("numwant", options.numwant.into());
        put("scrape", options.scrape.into());
        put("seed", options.seed.into());
        if let Some(tally) = &self.tally {
            let seconds = self.took.as_secs_f64();
            let answers = tally.answers as f64;
            put("seconds", seconds.into());
            put("answers", tally.answers.into());
            put("answers_per_second", (answers / seconds).into());
            let mut latency = Map::new();
            for (name, at) in PERCENTILES {
                latency.insert(name.to_owned(), (tally.latency.value_at_percentile(at) as f64 / 1e3).into());
            }
            latency.insert("max".to_owned(), (tally.latency.max() as f64 / 1e3).into());
            put("latency_us", latency.into());
            put("bytes", tally.bytes.into());
            put("connections_made", tally.connections.into());
            put(
                "errors",
                Loss::ALL
                    .iter()
                    .map(|&loss| (loss.name().to_owned(), Value::from(tally.losses[loss as usize])))
                    .collect::<Map<_, _>>()
                    .into(),
            );
            put("example", json!(tally.example.as_ref().map(|(_, example)| example)));
            put("gave_up", self.gave_up.into());
            if let Some(rate) = options.rate {
                put("rate", rate.into());
                put("overdue", self.overdue.into());
            }
            if let Some(open) = self.open {
                put("connections_open", open.into());
            }
            if options.check {
                put("peers_per_answer", (tally.peers as f64 / answers.max(1.0)).into());
                put("compressed", tally.compressed.into());
            }
            if let Some(server) = self.server(answers) {
                put("server_cpu_us", server.each.into());
                put("server_user_us", server.user.into());
                put("server_system_us", server.system.into());
                put("server_share_of_core", server.share.into());
                put("server_waited_for_core", server.waited.into());
                put("server_resident_bytes", server.resident.into());
                put("server_grown_bytes", server.grown.into());
            }
            put("own_share_of_time", self.own_share().into());
        }
        format!("{:#}\n", Value::Object(all))
    }

    /// The share of the time in which there was something to do here.
    fn own_share(&self) -> f64 {
        1.0 - self.idle.as_secs_f64() / self.took.as_secs_f64().max(1e-9)
    }

    fn bottleneck(&self, own: f64, answers: f64) -> &'static str {
        match self.server(answers) {
            Some(server) if server.share >= BUSY => ": the server was the bottleneck",
            Some(server) if server.share + server.waited >= BUSY => {
                ": others took the core that the server needed"
            }
            _ if own >= BUSY => ": it was the bottleneck, the server may take more",
            _ => "",
        }
    }

    fn server(&self, answers: f64) -> Option<Server> {
        let (before, after) = self.server?;
        let (all, system) = after.since(&before);
        let each = |time: Duration| time.as_secs_f64() * 1e6 / answers.max(1.0);
        Some(Server {
            each: each(all),
            user: each(all.saturating_sub(system)),
            system: each(system),
            share: all.as_secs_f64() / self.took.as_secs_f64().max(1e-9),
            waited: after.waited.saturating_sub(before.waited).as_secs_f64()
                / self.took.as_secs_f64().max(1e-9),
            resident: after.resident,
            grown: after.resident.saturating_sub(before.resident),
        })
    }
}

/// Microseconds of CPU time for a request, and the like.
struct Server {
    each: f64,
    user: f64,
    system: f64,
    /// Of a core.
    share: f64,
    /// The share of the time in which it was ready to run, and others had the core.
    waited: f64,
    resident: u64,
    /// Bytes of memory more than before.
    grown: u64,
}

fn what(options: &Options, crowd: &Crowd) -> String {
    let mode = match options.mode {
        Mode::Pipelined => format!("{} {} deep", mode(options.mode), options.depth()),
        other => mode(other).to_owned(),
    };
    let pace = options.rate.map_or_else(String::new, |rate| format!(", {} a second", grouped(rate.into())));
    let spread = if crowd.is_zipf() { " after Zipf" } else { "" };
    format!(
        "{mode}{pace}, {} connections, {} peers in {} torrents{spread}, numwant {}, seed {}",
        grouped(options.connections() as u64),
        grouped(crowd.peers),
        grouped(crowd.torrents),
        options.numwant,
        options.seed
    )
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::KeepAlive => "keep-alive",
        Mode::Pipelined => "pipelined",
        Mode::OneShot => "one-shot",
    }
}

/// Nanoseconds in the unit that is easiest to read.
fn micros(nanos: u64) -> String {
    let micros = nanos as f64 / 1e3;
    if micros < 10_000.0 { format!("{micros:.0} µs") } else { format!("{:.1} ms", micros / 1e3) }
}
