//! Ten million peers at full speed, while sweeps and snapshots go on: how long announces take, and what memory is needed.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use examples::terminal::grouped;
use hdrhistogram::Histogram;
use tracker_core::{Config, Tracker};
use tracker_store::Store;

use crate::clocks;
use crate::life::{Life, pace};
use crate::population::{Population, Shape};
use crate::promise;
use crate::report::{Table, note, print, put_into, short};
use crate::stage::{Done, Stage, Time, Work};
use crate::tally::{LIMIT, Slow};

/// Beyond the timeout, so that all are stale.
const LONG: u64 = 3000;
const QUANTILES: [(&str, f64); 6] = [
    ("half", 0.5),
    ("99 %", 0.99),
    ("99.9 %", 0.999),
    ("99.99 %", 0.9999),
    ("99.999 %", 0.99999),
    ("99.9999 %", 0.999999),
];

/// What is asked for.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// IPv4 peers
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(1000..=30_000_000))]
    peers: u64,
    /// Torrents, among which the peers are spread by Zipf's law; a fifth as many as peers if it isn't said
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=9_000_000))]
    torrents: Option<u64>,
    /// Drops peer ids, as `peer_ids: false` does
    #[arg(long)]
    drop_ids: bool,
    /// How long each stage goes on that has no end of its own
    #[arg(long, default_value_t = 20.0, value_parser = seconds)]
    seconds: f64,
    /// Threads that announce
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
    threads: u8,
    /// What chance does is the same for the same seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where snapshots are written, in a folder that is removed after; the system's place for temporary files if it isn't said
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// Puts the tables into this document too
    #[arg(long, value_name = "PATH")]
    write: Option<PathBuf>,
    /// The place in it
    #[arg(long, value_name = "NAME", default_value = "crowd")]
    place: String,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.01..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("it must be a number from 0.01 to 86400".to_owned()),
    }
}

/// Runs all stages and shows what came of them.
pub(crate) fn run(options: &Options) -> io::Result<()> {
    let torrents = options.torrents.unwrap_or(options.peers / 5).min(options.peers);
    let population = Population { seed: options.seed, peers: options.peers, torrents, shape: Shape::Zipf };
    let place = match &options.dir {
        Some(dir) => tempfile::tempdir_in(dir),
        None => tempfile::tempdir(),
    }?;
    let (mut store, _, _) = Store::open(place.path(), 0).map_err(io::Error::other)?;
    let expected = promise::bytes(&population.sizes(), !options.drop_ids);
    let largest = population.sizes().iter().max().copied().unwrap_or(0);

    let lanes = u64::from(options.threads);
    let mut lives: Vec<_> = (0..lanes).map(|lane| Life::new(population, lane, lanes)).collect();
    let time = Time::new(pace(&population));
    let mut done = Vec::new();
    let touches = clocks::first_touches();
    let empty = clocks::resident();
    let config =
        Config { keep_peer_ids: !options.drop_ids, hash_key: key(options.seed), ..Config::default() };
    let tracker = Tracker::new(config);
    let mut memory = Memory { expected, peers: 0, torrents: 0, bytes: 0, at_end: 0 };
    for stage in stages(options) {
        if stage.name == STALE {
            time.jump(LONG);
        }
        note(&format!("{} …", stage.name));
        let result = match stage.work {
            // they go through the same announces, and no peer's time passes
            Work::Count(_) => stage.run(&tracker, &time, &mut lives.clone(), &mut store)?,
            _ => stage.run(&tracker, &time, &mut lives, &mut store)?,
        };
        if stage.work == Work::Fill {
            let totals = tracker.totals();
            memory.peers = totals.peers();
            memory.torrents = totals.torrents;
            memory.bytes = clocks::resident().saturating_sub(empty);
        }
        done.push(result);
    }
    memory.at_end = clocks::resident().saturating_sub(empty);

    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} peers in {} torrents, {} of them in the largest; peer ids {}; {} threads announce; seed {}.\n",
        grouped(options.peers),
        grouped(torrents),
        grouped(u64::from(largest)),
        if options.drop_ids { "dropped" } else { "kept" },
        options.threads,
        options.seed
    );
    text += &show_times(&done);
    text += &show_over(&done);
    text += &show_background(&done);
    text += &memory.show();
    text += &show_touches(touches);
    print(&text)?;
    for result in &done {
        print(&show_slowest(result))?;
    }
    if let Some(path) = &options.write {
        put_into(path, &options.place, &text)?;
    }
    Ok(())
}

const STALE: &str = "all have gone stale at once";

/// First both cores announce and two threads more want one; then each thread has a core of its own.
fn stages(options: &Options) -> Vec<Stage> {
    let length = Duration::from_secs_f64(options.seconds);
    let both = usize::from(options.threads);
    let stage =
        |name, work, announcers, sweeps, snapshots| Stage { name, work, announcers, sweeps, snapshots };
    vec![
        stage("nothing but arithmetic", Work::Count(length), both, false, false),
        stage("filling, all together", Work::Fill, both, true, true),
        stage("all together", Work::Live(length), both, true, true),
        stage("announces alone", Work::Live(length), both, false, false),
        stage("one announces, one sweeps", Work::Live(length), 1, true, false),
        stage("one announces, one writes", Work::Live(length), 1, false, true),
        stage(STALE, Work::Live(length), 1, true, false),
    ]
}

/// What the machine needs for fresh memory: an announce that is the first in some can't be faster.
fn show_touches(mut touches: Vec<Duration>) -> String {
    touches.sort_unstable();
    let [middle, most] = [touches[touches.len() / 2], touches[touches.len() - 1]].map(short);
    format!(
        "The first touch of fresh memory, in steps of 2 MB, took {middle} of CPU; the slowest of {} took {most}.\n",
        touches.len()
    )
}

fn key(seed: u64) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&crate::population::mix(seed).to_ne_bytes());
    key[8..].copy_from_slice(&crate::population::mix(!seed).to_ne_bytes());
    key
}

fn show_times(done: &[Done]) -> String {
    let mut head = vec!["", "announces", "a second", "time"];
    head.extend(QUANTILES.map(|(name, _)| name));
    head.push("the slowest");
    let mut table = Table::new(&head);
    for Done { stage, tally, took, .. } in done {
        let count = tally.clock.len();
        let rows: [(&str, &Histogram<u64>); 3] =
            [("clock", &tally.clock), ("own CPU", &tally.cpu), ("but for the scheduler", &tally.ours)];
        for (at, (name, times)) in rows.into_iter().enumerate() {
            let mut row = vec![String::new(); 3];
            if at == 0 {
                row = vec![
                    stage.name.to_owned(),
                    grouped(count),
                    format!("{:.2} M", count as f64 / took.as_secs_f64() / 1e6),
                ];
            }
            row.push(name.to_owned());
            row.extend(QUANTILES.map(|(_, at)| short(Duration::from_nanos(times.value_at_quantile(at)))));
            row.push(short(Duration::from_nanos(times.max())));
            table.row(&row);
        }
    }
    table.into_text() + "\n"
}

fn show_over(done: &[Done]) -> String {
    let limit = short(LIMIT);
    let mut table = Table::new(&[
        &format!("announces over {limit}"),
        "by the clock",
        "they worked",
        "had no core",
        "waited for a lock",
        &format!("still over {limit} but for the scheduler"),
        "of those with a page fault",
    ]);
    for Done { stage, tally, .. } in done {
        let over = tally.over;
        let counts = [over.clock, over.working, over.without_core, over.asleep, over.ours, over.faulted];
        let mut row = vec![stage.name.to_owned()];
        row.extend(counts.map(grouped));
        table.row(&row);
    }
    table.into_text() + "\n"
}

fn show_background(done: &[Done]) -> String {
    let head = [
        "meanwhile",
        "sweeps",
        "the longest",
        "peers gone",
        "torrents gone",
        "snapshots",
        "took",
        "of CPU",
        "MB",
    ];
    let mut table = Table::new(&head);
    for Done { stage, sweeps, snapshots, .. } in
        done.iter().filter(|done| done.stage.sweeps || done.stage.snapshots)
    {
        let mut row = vec![stage.name.to_owned()];
        if stage.sweeps {
            row.extend([
                grouped(sweeps.count),
                short(sweeps.longest),
                grouped(sweeps.expired.peers),
                grouped(sweeps.expired.torrents),
            ]);
        } else {
            row.resize(5, String::new());
        }
        if stage.snapshots {
            row.push(snapshots.len().to_string());
            let range = |least: Option<String>, most: Option<String>| match (least, most) {
                (Some(least), Some(most)) if least != most => format!("{least} to {most}"),
                (least, _) => least.unwrap_or_default(),
            };
            let took = || snapshots.iter().map(|one| one.took);
            row.push(range(took().min().map(short), took().max().map(short)));
            let cpu = || snapshots.iter().map(|one| one.cpu);
            row.push(range(cpu().min().map(short), cpu().max().map(short)));
            let bytes = || snapshots.iter().map(|one| one.saved.bytes / 1_000_000);
            row.push(range(bytes().min().map(grouped), bytes().max().map(grouped)));
        }
        row.resize(head.len(), String::new());
        table.row(&row);
    }
    table.into_text() + "\n"
}

/// The slowest, for whoever looks into them.
fn show_slowest(done: &Done) -> String {
    let mut text = format!("\n{}: the slowest of those that took over 100 µs\n\n", done.stage.name);
    let mut table = Table::new(&[
        "clock",
        "own CPU",
        "without a core",
        "taken by the host",
        "asleep",
        "others without a core, in that millisecond",
        "page faults",
    ]);
    for slow in &done.tally.slowest {
        let Slow { clock, cpu, without_core, others_without_core, faults, .. } = *slow;
        let times = [clock, cpu, without_core, slow.stolen(), slow.asleep(), others_without_core].map(short);
        let mut row = times.to_vec();
        row.push(faults.to_string());
        table.row(&row);
    }
    text += &table.into_text();
    text
}

/// What the process has more than before there was a tracker.
struct Memory {
    expected: std::ops::Range<f64>,
    peers: u64,
    torrents: u64,
    bytes: u64,
    at_end: u64,
}

impl Memory {
    fn show(&self) -> String {
        let mega = |bytes: f64| format!("{:.0} MB", bytes / 1e6);
        let mut table = Table::new(&["resident memory", ""]);
        let mut row = |name: &str, value: String| table.row(&[name, &value]);
        row("when all have come", mega(self.bytes as f64));
        row("promised", format!("{} to {}", mega(self.expected.start), mega(self.expected.end)));
        row("a peer, torrents and all", format!("{:.1} bytes", self.bytes as f64 / self.peers.max(1) as f64));
        row(
            "a torrent, peers and all",
            format!("{:.1} bytes", self.bytes as f64 / self.torrents.max(1) as f64),
        );
        row("at the end", mega(self.at_end as f64));
        table.into_text() + "\n"
    }
}
