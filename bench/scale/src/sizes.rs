//! What an announce costs in trackers of very different size.

use std::hint::black_box;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use examples::terminal::grouped;
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use tracker_core::{AnnounceReply, Config, Event, Seconds, Tracker};

use crate::clocks;
use crate::plot;
use crate::population::{Population, Shape};
use crate::report::{Table, note, print, put_into};

/// Peers that announce again and again where all is to be in the caches.
const FEW: u64 = 1000;
const BATCH: usize = 64;
/// Torrents at the most.
const MOST_TORRENTS: u64 = 2_000_000;
/// Bytes of a line of the caches, and of memory for a peer: what is read beside is as large as a tracker of 20 peers a torrent.
const LINE: usize = 64;
const PEER: u64 = 12;
pub(crate) const NUMWANTS: [u32; 2] = [0, 50];

/// What is asked for.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Peers of the largest tracker; the smallest has a thousand, and each other ten times as many as the one before
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(10_000..=30_000_000))]
    most: u64,
    /// Rounds, in each of which all sizes take turns
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u16).range(1..=1000))]
    rounds: u16,
    /// Announces of a size in each round
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(1000..))]
    announces: u32,
    /// What chance does is the same for the same seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Writes scale.csv and scale.svg into this folder
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Puts the table into this document too
    #[arg(long, value_name = "PATH")]
    write: Option<PathBuf>,
    /// The place in it
    #[arg(long, value_name = "NAME", default_value = "sizes")]
    place: String,
}

/// How peers are spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Spread {
    One,
    Twenty,
    Zipf,
    Alone,
}

impl Spread {
    pub(crate) const ALL: [Spread; 4] = [Spread::One, Spread::Twenty, Spread::Zipf, Spread::Alone];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Spread::One => "one torrent",
            Spread::Twenty => "20 a torrent",
            Spread::Zipf => "Zipf, a fifth as many torrents",
            Spread::Alone => "one a torrent",
        }
    }

    fn population(self, peers: u64, seed: u64) -> Population {
        let (peers, torrents, shape) = match self {
            Spread::One => (peers, 1, Shape::Even),
            Spread::Twenty => (peers, peers / 20, Shape::Even),
            Spread::Zipf => (peers, peers / 5, Shape::Zipf),
            Spread::Alone => (peers.min(MOST_TORRENTS), peers.min(MOST_TORRENTS), Shape::Even),
        };
        Population { seed, peers, torrents, shape }
    }
}

/// Who announces.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Who {
    /// Any of those who are in.
    Anybody,
    /// The same few again and again.
    Few,
}

impl Who {
    pub(crate) const ALL: [Who; 2] = [Who::Anybody, Who::Few];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Who::Anybody => "any peer",
            Who::Few => "the same thousand",
        }
    }
}

/// Announces of known peers, all alike but for the size of the tracker.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) spread: Spread,
    pub(crate) who: Who,
    pub(crate) numwant: u32,
    pub(crate) points: Vec<Point>,
}

#[derive(Debug)]
pub(crate) struct Point {
    pub(crate) peers: u64,
    pub(crate) torrents: u64,
    /// Nanoseconds of CPU, the median of the rounds.
    pub(crate) nanos: f64,
    /// How many times what it costs at the smallest size, within a round; the median.
    pub(crate) ratio: f64,
}

/// All that was measured.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) lines: Vec<Line>,
    /// Peers, and the nanoseconds of a read from a random place in as much memory as they take.
    pub(crate) reads: Vec<(u64, f64)>,
}

/// Measures, and shows what came of it.
pub(crate) fn run(options: &Options) -> io::Result<()> {
    let mut lines = Vec::new();
    for spread in Spread::ALL {
        note(&format!("{} …", spread.name()));
        lines.extend(measure(spread, options));
    }
    note("memory …");
    let reads = sizes(options.most).into_iter().map(|peers| (peers, read(peers, options))).collect();
    let measured = Measured { lines, reads };
    let text = format!(
        "Known peers; medians of {} rounds of {} announces in which all sizes took turns; seed {}.\n\n{}",
        options.rounds,
        grouped(options.announces.into()),
        options.seed,
        table(&measured)
    );
    print(&text)?;
    if let Some(folder) = &options.out {
        write_files(folder, &measured)?;
    }
    if let Some(path) = &options.write {
        put_into(path, &options.place, &text)?;
    }
    Ok(())
}

fn sizes(most: u64) -> Vec<u64> {
    std::iter::successors(Some(1000), |size| Some(size * 10)).take_while(|size| *size <= most).collect()
}

fn measure(spread: Spread, options: &Options) -> Vec<Line> {
    let populations: Vec<_> =
        sizes(options.most).into_iter().map(|peers| spread.population(peers, options.seed)).collect();
    let trackers: Vec<_> = populations.iter().map(filled).collect();
    let mut lines = Vec::new();
    let kinds = NUMWANTS.into_iter().flat_map(|numwant| Who::ALL.map(|who| (numwant, who)));
    for (numwant, who) in kinds {
        let mut rounds = vec![Vec::new(); trackers.len()];
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(options.seed);
        // the first round fills the caches, and is not counted
        for round in 0..=options.rounds {
            for ((population, tracker), nanos) in populations.iter().zip(&trackers).zip(&mut rounds) {
                let took = announce(population, tracker, who, numwant, options.announces, &mut rng);
                if round > 0 {
                    nanos.push(took);
                }
            }
        }
        let points = populations.iter().zip(&rounds).map(|(population, nanos)| Point {
            peers: population.peers,
            torrents: population.torrents,
            nanos: median(nanos.clone()),
            ratio: median(nanos.iter().zip(&rounds[0]).map(|(nanos, least)| nanos / least).collect()),
        });
        lines.push(Line { spread, who, numwant, points: points.collect() });
    }
    lines
}

fn filled(population: &Population) -> Tracker {
    let tracker = Tracker::new(Config { keep_peer_ids: false, ..Config::default() });
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(population.seed);
    let mut reply = AnnounceReply::new();
    for peer in 0..population.peers {
        let announce = population.announce(peer, Event::Started, is_seeder(peer), 0);
        let outcome = tracker.announce(&announce, Seconds::new(0), &mut rng, &mut reply);
        debug_assert!(outcome.is_ok(), "there are fewer torrents than may be");
    }
    tracker
}

fn is_seeder(peer: u64) -> bool {
    peer.is_multiple_of(3)
}

/// Nanoseconds of CPU that an announce takes on average.
fn announce(
    population: &Population,
    tracker: &Tracker,
    who: Who,
    numwant: u32,
    announces: u32,
    rng: &mut Xoshiro256PlusPlus,
) -> f64 {
    let mut reply = AnnounceReply::new();
    let mut batch = Vec::with_capacity(BATCH);
    let among = if who == Who::Few { FEW.min(population.peers) } else { population.peers };
    let (mut took, mut done) = (Duration::ZERO, 0);
    while done < announces {
        batch.clear();
        batch.extend((0..BATCH).map(|_| {
            let peer = below(among, rng);
            population.announce(peer, Event::Regular, is_seeder(peer), numwant)
        }));
        let begin = clocks::cpu();
        for announce in &batch {
            let _ = black_box(tracker.announce(announce, Seconds::new(1), rng, &mut reply));
        }
        took += clocks::cpu() - begin;
        done += BATCH as u32;
    }
    took.as_nanos() as f64 / f64::from(done)
}

fn below(limit: u64, rng: &mut Xoshiro256PlusPlus) -> u64 {
    ((u128::from(rng.next_u64()) * u128::from(limit)) >> 64) as u64
}

/// Nanoseconds of a read from a random place of as much memory as so many peers take, each of which says where the next is.
fn read(peers: u64, options: &Options) -> f64 {
    let lines = (peers * PEER) as usize / LINE;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(options.seed);
    // one ring of all lines (Sattolo's algorithm)
    let mut order: Vec<usize> = (0..lines).collect();
    for at in (1..lines).rev() {
        order.swap(at, below(at as u64, &mut rng) as usize);
    }
    let mut memory = vec![[0_u64; LINE / 8]; lines];
    for (line, next) in memory.iter_mut().zip(order) {
        line[0] = next as u64;
    }
    let mut at = 0;
    let rounds = (0..=options.rounds).map(|_| {
        let begin = clocks::cpu();
        for _ in 0..options.announces {
            at = memory[at][0] as usize;
        }
        (clocks::cpu() - begin).as_nanos() as f64 / f64::from(options.announces)
    });
    let took = median(rounds.skip(1).collect());
    black_box(at);
    took
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn table(measured: &Measured) -> String {
    let peers: Vec<_> =
        measured.reads.iter().map(|(peers, _)| format!("{} peers", grouped(*peers))).collect();
    let mut head = vec!["ns of CPU (times the smallest)".to_owned()];
    head.extend(peers);
    let mut table = Table::new(&head);
    for Line { spread, who, numwant, points } in &measured.lines {
        let asks = if *numwant == 0 { "asks for nobody".to_owned() } else { format!("asks for {numwant}") };
        let mut row = vec![format!("{}: {} {asks}", spread.name(), who.name())];
        row.extend(points.iter().map(|Point { nanos, ratio, .. }| format!("{nanos:.0} ({ratio:.1})")));
        table.row(&row);
    }
    let mut row = vec!["one read from a random place of as much memory".to_owned()];
    let least = measured.reads.first().map_or(1.0, |(_, nanos)| *nanos);
    row.extend(measured.reads.iter().map(|(_, nanos)| format!("{nanos:.1} ({:.0})", nanos / least)));
    table.row(&row);
    table.into_text()
}

fn write_files(folder: &Path, measured: &Measured) -> io::Result<()> {
    let mut csv = "spread,who,numwant,peers,torrents,nanos,ratio\n".to_owned();
    for Line { spread, who, numwant, points } in &measured.lines {
        for Point { peers, torrents, nanos, ratio } in points {
            csv += &format!(
                "\"{}\",{},{numwant},{peers},{torrents},{nanos:.1},{ratio:.3}\n",
                spread.name(),
                who.name()
            );
        }
    }
    for (peers, nanos) in &measured.reads {
        csv += &format!("memory,a read,,{peers},,{nanos:.2},\n");
    }
    std::fs::write(folder.join("scale.csv"), csv)?;
    plot::draw(measured, &folder.join("scale.svg")).map_err(|error| io::Error::other(error.to_string()))
}
