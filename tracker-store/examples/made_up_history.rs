//! Writes a made-up history into a data directory, to see what the statistics page makes of one:
//!
//!     cargo run --release -p tracker-store --example made_up_history -- DIR [--days 7] [--peers 20000] [--seed 1]
//!
//! It has a daily rhythm with its peak in the evening, quieter weekdays, slow growth, a flash crowd in the middle, and one
//! night of three hours in which the tracker was off. The same seed and end give the same history. A directory that has a
//! history already is left alone.

#![allow(missing_docs)]

use std::f64::consts::TAU;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Parser;
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use tracker_store::{DataDir, Hour, JournalFile, MINUTES_KEPT, Sample, Series};

const MINUTE: u64 = 60;
const DAY: u64 = 86_400;

/// Writes a made-up history into a data directory.
#[derive(Debug, Parser)]
struct Options {
    /// The data directory; it is made if it is not there
    dir: PathBuf,
    /// How many days back the history begins
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u64).range(1..=730))]
    days: u64,
    /// How many peers there are in the mean
    #[arg(long, default_value_t = 20_000)]
    peers: u32,
    /// Where chance begins
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// When it ends, in Unix seconds; now unless given
    #[arg(long)]
    end: Option<u64>,
}

/// A tracker's life, minute by minute.
struct Life {
    rng: Xoshiro256PlusPlus,
    /// What is not rhythm, and changes slowly.
    mood: f64,
    mean: f64,
    begin: u64,
    end: u64,
    completed: f64,
}

impl Life {
    /// Between -1 and 1, likely near 0.
    fn chance(&mut self) -> f64 {
        let mut draw = || f64::from(self.rng.next_u32()) / f64::from(u32::MAX) - 0.5;
        (draw() + draw() + draw()) / 1.5
    }

    /// The minute that ends at `time`; `None` if the tracker was off.
    fn minute(&mut self, time: u64) -> Option<Sample> {
        let days = time as f64 / DAY as f64;
        // how far from the middle of the weekend, in days; 1970 began on a Thursday
        let apart = ((days + 4.0 + 3.5) % 7.0 - 3.5).abs();
        let weekend = 1.0 / (1.0 + ((apart - 1.0) * 8.0).exp());
        let progress = (time - self.begin) as f64 / (self.end - self.begin).max(1) as f64;
        self.mood = 0.995 * self.mood + 0.006 * self.chance();
        let daily = 0.32 * (TAU * (days - 14.5 / 24.0)).sin() + 0.06 * (2.0 * TAU * (days - 0.1)).sin();
        let crowd = progress - 0.45;
        let crowd =
            if crowd > 0.0 { 0.7 * (-crowd * 14.0).exp() * (1.0 - (-crowd * 400.0).exp()) } else { 0.0 };
        let level = (1.0 + daily) * (1.0 + 0.12 * weekend) * (0.9 + 0.2 * progress);
        let noise = 1.0 + 0.004 * self.chance();
        let peers = self.mean * (level + self.mood + crowd) * noise;
        // who came with the crowd still downloads
        let seeders = peers * (0.62 - 0.25 * crowd - 0.04 * daily);
        let torrents = self.mean / 9.0 * (0.93 + 0.14 * progress + 0.05 * daily + 0.2 * self.mood);
        let completions = peers * (0.0006 + 0.002 * crowd) * (1.0 + 0.3 * self.chance());
        self.completed += completions.max(0.0);
        // each announces twice an hour, and when it comes, completes and goes
        let announces = (peers / 30.0 + 6.0 * completions) * (1.0 + 0.08 * self.chance());
        let scrapes = peers / 260.0 * (1.0 + 0.3 * self.chance());
        let was_off = (0.70..0.70 + 3.0 / 24.0 / 7.0).contains(&progress);
        let count = |value: f64| value.max(0.0).round() as u64;
        (!was_off).then(|| Sample {
            time,
            over: MINUTE as u32,
            torrents: count(torrents),
            peers: count(peers),
            seeders: count(seeders),
            leechers: count(peers) - count(seeders),
            completed: count(self.completed),
            announces: count(announces),
            scrapes: count(scrapes),
            errors: count(announces / 900.0),
        })
    }
}

fn run(options: &Options) -> Result<String, Box<dyn std::error::Error>> {
    let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let end = options.end.unwrap_or_else(now) / MINUTE * MINUTE;
    let begin = end.saturating_sub(options.days * DAY);
    let dir = DataDir::open(&options.dir)?;
    let mut is_empty = true;
    let (mut samples, _) = JournalFile::<Sample>::open(&dir, "history.ron", end, |_| is_empty = false)?;
    let (mut hours, _) = JournalFile::<Hour>::open(&dir, "history-hourly.ron", end, |_| is_empty = false)?;
    if !is_empty {
        return Err(format!("{} has a history already: name another directory", options.dir.display()).into());
    }
    let mut life = Life {
        rng: Xoshiro256PlusPlus::seed_from_u64(options.seed),
        mood: 0.0,
        mean: f64::from(options.peers),
        begin,
        end,
        completed: 0.0,
    };
    let mut series = Series::new();
    let (mut minutes, mut closed) = (Vec::new(), Vec::new());
    for time in (begin + MINUTE..=end).step_by(MINUTE as usize) {
        let Some(sample) = life.minute(time) else { continue };
        series.push(&sample);
        closed.extend(series.close_hours(time));
        if time + MINUTES_KEPT > end {
            minutes.push(sample);
        }
    }
    samples.append_all(&dir, &minutes, end)?;
    hours.append_all(&dir, &closed, end)?;
    Ok(format!("{}: {} minutes and {} hours", options.dir.display(), minutes.len(), closed.len()))
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("made_up_history: {error}");
            ExitCode::FAILURE
        }
    }
}
