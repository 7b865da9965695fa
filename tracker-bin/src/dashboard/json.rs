//! `/stats.json`: the current figures, and the history of a period.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::Serialize;
use tracker_http::{Counters, Happening};
use tracker_store::{Grouping, HOURS_KEPT, MINUTES_KEPT, Period};

use super::rendered::Tail;
use crate::statistics::{Figures, Statistics, unix_now};

/// An answer is given again for so long: with the age of the figures in it, less than a second in all.
const FRESH: Duration = Duration::from_millis(500);

/// Makes the answers, and keeps each for a moment: however many ask, it is made twice a second at the most.
#[derive(Debug, Default)]
pub struct Json {
    made: Mutex<[Option<Made>; Period::ALL.len() * Grouping::ALL.len()]>,
}

#[derive(Debug)]
struct Made {
    at: Duration,
    body: Arc<[u8]>,
}

/// The members before the history.
#[derive(Serialize)]
struct Head {
    name: &'static str,
    version: &'static str,
    time: u64,
    uptime: u64,
    torrents: u64,
    peers: u64,
    seeders: u64,
    leechers: u64,
    completed: u64,
    announces_per_second: f64,
    scrapes_per_second: f64,
    connections: usize,
    limited: Limited,
    sample_every: u64,
    kept: Kept,
}

/// What the limits per address have done since the start.
#[derive(Serialize)]
struct Limited {
    slowed: u64,
    refused: u64,
    over_rate: u64,
    over_connections: u64,
}

/// For how many seconds the history is kept.
#[derive(Serialize)]
struct Kept {
    minute: u64,
    hour: u64,
}

impl Json {
    /// The answer for a period and a grouping. `sample_every` is shown in it.
    pub fn body(
        &self,
        statistics: &Statistics<'_>,
        period: Period,
        grouping: Grouping,
        sample_every: Duration,
    ) -> Arc<[u8]> {
        let grouping = grouping.within(period);
        let figures = statistics.figures();
        let slot = period as usize * Grouping::ALL.len() + grouping as usize;
        // one worker makes it and the others wait: less work for all of them
        let mut made = self.made.lock();
        match &made[slot] {
            Some(made) if figures.uptime.saturating_sub(made.at) < FRESH => Arc::clone(&made.body),
            _ => {
                let body: Arc<[u8]> = write(statistics, &figures, period, grouping, sample_every).into();
                made[slot] = Some(Made { at: figures.uptime, body: Arc::clone(&body) });
                body
            }
        }
    }
}

fn limited(counters: &Counters) -> Limited {
    Limited {
        slowed: counters.happenings(Happening::Slowed),
        refused: counters.happenings(Happening::Refused),
        over_rate: counters.happenings(Happening::OverRate),
        over_connections: counters.happenings(Happening::OverConnections),
    }
}

fn write(
    statistics: &Statistics<'_>,
    figures: &Figures,
    period: Period,
    grouping: Grouping,
    sample_every: Duration,
) -> Vec<u8> {
    let running = statistics.running_sample();
    let now = unix_now();
    let rate = |rate: f64| (rate * 100.0).round() / 100.0;
    let head = Head {
        name: "tracker",
        version: env!("CARGO_PKG_VERSION"),
        time: now,
        uptime: figures.uptime.as_secs(),
        torrents: figures.totals.torrents,
        peers: figures.totals.peers(),
        seeders: figures.totals.seeders(),
        leechers: figures.totals.leechers(),
        completed: figures.completed,
        announces_per_second: rate(figures.announces_per_second),
        scrapes_per_second: rate(figures.scrapes_per_second),
        connections: figures.connections,
        limited: limited(statistics.counters()),
        sample_every: sample_every.as_secs(),
        kept: Kept { minute: MINUTES_KEPT, hour: HOURS_KEPT },
    };
    // a struct of numbers and constants, written to memory
    let mut out = serde_json::to_vec(&head).unwrap_or_else(|_| b"{}".to_vec());
    out.pop();
    let step = grouping.step();
    let history = format!(",\"history\":{{\"period\":\"{period}\",\"group\":\"{grouping}\",\"step\":{step},");
    out.extend_from_slice(history.as_bytes());
    let past = statistics.past();
    let tail = Tail::of(&past.series, &running);
    let range = past.series.range(period, grouping, now);
    past.rendered.write(&mut out, &past.series, range, &tail);
    drop(past);
    out.extend_from_slice(b"}}\n");
    out
}
