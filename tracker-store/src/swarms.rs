//! The swarms on disk: a snapshot of all torrents and their peers, and the one before it.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use tracker_core::{Imported, InfoHash, Seconds, SwarmData, Tracker};

use crate::damage::{Damage, DamageKind};
use crate::dir::DataDir;
use crate::error::{Obstacle, StoreError};
use crate::line::{self, Line, Record};
use crate::read::{self, Tail, Tally, Verdict};
use crate::replacement::Replacement;
use crate::swarm_line::Swarm;

const CURRENT: &str = "swarms.ron";
const OLDER: &str = "swarms.ron.1";

/// The format's version.
const VERSION: u32 = 1;

/// Peers in a line at most: what a torrent has more goes into further lines.
const LINE_PEERS: usize = 65_536;

/// The first line. Of a later format no more need be the same than the version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Swarms {
    pub(crate) version: u32,
    /// When the snapshot was begun, in Unix seconds: peers' ages are counted from then.
    #[serde(default)]
    pub(crate) time: u64,
    /// Downloads completed until then, a running total.
    #[serde(default)]
    pub(crate) completed: u64,
}

impl Swarms {
    pub(crate) fn new(time: u64, completed: u64) -> Swarms {
        Swarms { version: VERSION, time, completed }
    }
}

impl Record for Swarms {
    const NAME: &'static str = "Swarms";
}

/// The last line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct End {
    /// How many lines there are before it.
    lines: u64,
    /// CRC-32 of all of them, line ends left out, in hexadecimal.
    checksum: String,
}

impl Record for End {
    const NAME: &'static str = "End";
}

impl End {
    fn fits(&self, lines: u64, hasher: &crc32fast::Hasher) -> bool {
        self.lines == lines && self.checksum == format!("{:08x}", hasher.clone().finalize())
    }
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Saved {
    /// Torrents, those without peers that are remembered for their completions too.
    pub torrents: u64,
    /// Peers.
    pub peers: u64,
    /// Bytes.
    pub bytes: u64,
}

/// What was found and put into the tracker.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Loaded {
    /// When the snapshot was taken, in Unix seconds; `None` if there is none.
    pub time: Option<u64>,
    /// Downloads completed until then.
    pub completed: u64,
    /// Peers that were put in.
    pub peers: u64,
    /// Peers that were not, since they have not been heard of for too long or were known already.
    pub skipped: u64,
    /// Torrents for which the tracker had no room.
    pub refused_torrents: u64,
    /// Lines that came from the older snapshot, since they were missing from the current one.
    pub from_older: u64,
    /// What was wrong.
    pub damage: Vec<Damage>,
}

/// Writes all swarms to disk. `clock` is the tracker's time, and the snapshot is given up when `goes_on` says so.
pub(crate) fn save(
    dir: &DataDir,
    tracker: &Tracker,
    time: u64,
    completed: u64,
    clock: impl Fn() -> Seconds,
    goes_on: impl Fn() -> bool,
) -> io::Result<Saved> {
    let mut writer = Writer::begin(dir, time)?;
    writer.line(&Swarms::new(time, completed))?;
    let begin = clock();
    let mut waiting = SwarmData::default();
    for shard in 0..tracker.shards() {
        // ages are those at the time in the first line, as far as peers are that old
        let since = clock() - begin;
        let mut written = Ok(());
        tracker.export(shard, clock(), |part| {
            if written.is_err() {
                return;
            }
            let joins = part.info_hash == waiting.info_hash
                && waiting.peers.len() + part.peers.len() <= LINE_PEERS
                && writer.has_waiting;
            if joins {
                waiting.peers.extend_from_slice(&part.peers);
                waiting.downloaded = part.downloaded;
            } else {
                written = writer.swarm(&waiting, since);
                waiting.clone_from(part);
                writer.has_waiting = true;
            }
            if !goes_on() {
                written = Err(io::ErrorKind::Interrupted.into());
            }
        });
        written?;
        writer.swarm(&waiting, since)?;
    }
    writer.finish()
}

/// A snapshot that is being written.
struct Writer<'d> {
    dir: &'d DataDir,
    /// When it was begun, in Unix seconds.
    time: u64,
    out: Replacement<'d>,
    lines: Lines,
    has_waiting: bool,
    last: InfoHash,
    saved: Saved,
}

impl<'d> Writer<'d> {
    fn begin(dir: &'d DataDir, time: u64) -> io::Result<Self> {
        Ok(Writer {
            dir,
            time,
            out: Replacement::begin(dir, CURRENT)?,
            lines: Lines::default(),
            has_waiting: false,
            last: InfoHash::default(),
            saved: Saved::default(),
        })
    }

    /// Writes the swarm that waits, if one does.
    fn swarm(&mut self, swarm: &SwarmData, since: u32) -> io::Result<()> {
        if !std::mem::take(&mut self.has_waiting) {
            return Ok(());
        }
        self.saved.torrents += u64::from(self.saved.torrents == 0 || self.last != swarm.info_hash);
        self.saved.peers += swarm.peers.len() as u64;
        self.last = swarm.info_hash;
        self.line(&Swarm::new(swarm, since))
    }

    fn line<R: Record>(&mut self, record: &R) -> io::Result<()> {
        let text = self.lines.add(record)?;
        self.saved.bytes += text.len() as u64;
        self.out.write(text.as_bytes())
    }

    fn finish(mut self) -> io::Result<Saved> {
        let text = self.lines.end()?;
        self.saved.bytes += text.len() as u64;
        self.out.write(text.as_bytes())?;
        let Writer { dir, out, saved, time, .. } = self;
        // looked through now, not when it was written: a damaged file must not take the place of a good one
        let older = if is_good(dir, CURRENT) {
            Some(OLDER)
        } else {
            match dir.put_aside(CURRENT, time) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => None,
            }
        };
        out.commit(older)?;
        dir.sync()?;
        Ok(saved)
    }
}

/// The lines of a snapshot, one after the other.
#[derive(Default)]
pub(crate) struct Lines {
    /// The line that is being made.
    text: String,
    /// Lines made.
    made: u64,
    hasher: crc32fast::Hasher,
}

impl Lines {
    /// The next line, with its end.
    pub(crate) fn add<R: Record>(&mut self, record: &R) -> io::Result<&str> {
        self.text.clear();
        line::write(&mut self.text, self.made, record).map_err(io::Error::other)?;
        self.hasher.update(self.text.trim_end().as_bytes());
        self.made += 1;
        Ok(&self.text)
    }

    /// The last line.
    pub(crate) fn end(&mut self) -> io::Result<&str> {
        let checksum = format!("{:08x}", self.hasher.clone().finalize());
        self.add(&End { lines: self.made, checksum })
    }
}

/// Puts the swarms on disk into `tracker`, at its time `now`, which is `wall` in Unix seconds.
///
/// Where the current snapshot is damaged, its intact lines count, and torrents that are missing from it come from the
/// older one.
pub(crate) fn load(dir: &DataDir, tracker: &Tracker, now: Seconds, wall: u64) -> Result<Loaded, StoreError> {
    let mut loaded = Loaded::default();
    for name in [CURRENT, OLDER] {
        refuse_newer(dir, name)?;
    }
    let is_whole = read_into(dir, CURRENT, tracker, now, wall, &mut loaded)?;
    if !is_whole {
        read_into(dir, OLDER, tracker, now, wall, &mut loaded)?;
    }
    Ok(loaded)
}

/// Returns whether all that was in the file is in the tracker now.
fn read_into(
    dir: &DataDir,
    name: &str,
    tracker: &Tracker,
    now: Seconds,
    wall: u64,
    loaded: &mut Loaded,
) -> Result<bool, StoreError> {
    let unreadable = |source| StoreError::new(dir.path(), Obstacle::Read { file: name.to_owned(), source });
    let file = match File::open(dir.file(name)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(unreadable(error)),
    };
    // for a file whose first line is lost
    let mut taken = unix(file.metadata().and_then(|data| data.modified()).map_err(unreadable)?);
    let mut time = None;
    let mut last = None;
    let mut newest = VERSION;
    let Scan { tally, is_ended, is_whole } = scan(buffered(file), |entry| {
        let line = match entry {
            Entry::Head(header) => {
                newest = newest.max(header.version);
                taken = header.time;
                time = Some(header.time);
                loaded.completed = loaded.completed.max(header.completed);
                return true;
            }
            Entry::Swarm(line) => line,
        };
        let swarm = line.record::<Swarm>().and_then(|swarm| swarm.data(wall.saturating_sub(taken)));
        let Some(swarm) = swarm else { return false };
        if name == OLDER {
            // a torrent of several lines is known from its first one on
            if last != Some(swarm.info_hash) && tracker.scrape(&swarm.info_hash).is_some() {
                return true;
            }
            last = Some(swarm.info_hash);
            loaded.from_older += 1;
        }
        let Imported { peers, skipped, refused_torrents } = tracker.import(&swarm, now);
        loaded.peers += peers;
        loaded.skipped += skipped;
        loaded.refused_torrents += refused_torrents;
        true
    })
    .map_err(unreadable)?;
    refuse_later(dir, name, newest)?;
    loaded.time = loaded.time.or(time).or(Some(taken));
    if !is_whole {
        let Tally { lost, kept, doubled, .. } = tally;
        let aside = dir.put_aside(name, wall).map_err(|error| error.to_string());
        let kind = DamageKind::Corrupt { lost, kept, doubled, aside, is_ended };
        loaded.damage.push(Damage { file: name.to_owned(), kind });
    }
    Ok(is_whole)
}

/// Whether the file is there, and as it was written.
fn is_good(dir: &DataDir, name: &str) -> bool {
    let scanned = File::open(dir.file(name)).and_then(|file| scan(buffered(file), |_| true));
    scanned.is_ok_and(|scan| scan.is_whole)
}

/// A look at the first line, before anything is done.
fn refuse_newer(dir: &DataDir, name: &str) -> Result<(), StoreError> {
    let Ok(file) = File::open(dir.file(name)) else { return Ok(()) };
    let mut newest = VERSION;
    let first = BufReader::new(io::Read::take(file, 1 << 10));
    // what cannot be read is found out, and blamed, by who needs it
    let _ = read::read(first, Some(0), |line, _| {
        newest = newest.max(line.record::<Swarms>().map_or(0, |header| header.version));
        Verdict::Good
    });
    refuse_later(dir, name, newest)
}

fn refuse_later(dir: &DataDir, name: &str, found: u32) -> Result<(), StoreError> {
    if found <= VERSION {
        return Ok(());
    }
    Err(StoreError::new(dir.path(), Obstacle::Newer { file: name.to_owned(), found, known: VERSION }))
}

/// What a line of a snapshot is.
pub(crate) enum Entry<'a> {
    Head(Swarms),
    /// A torrent, unless the line holds something else.
    Swarm(&'a Line<'a>),
}

/// What was found in a snapshot.
pub(crate) struct Scan {
    pub(crate) tally: Tally,
    /// Whether its last line is there.
    is_ended: bool,
    /// Whether it is as it was written.
    pub(crate) is_whole: bool,
}

fn buffered(file: File) -> BufReader<File> {
    BufReader::with_capacity(256 << 10, file)
}

/// Reads a snapshot through.
pub(crate) fn scan(reader: impl BufRead, mut visit: impl FnMut(Entry<'_>) -> bool) -> io::Result<Scan> {
    let mut hasher = crc32fast::Hasher::new();
    let (mut is_ended, mut fits) = (false, false);
    let mut lines = 0;
    let tally = read::read(reader, Some(0), |line, bytes| {
        let is_known = if line.number == 0 {
            line.record::<Swarms>().is_some_and(|header| visit(Entry::Head(header)))
        } else if let Some(end) = line.record::<End>() {
            (fits, is_ended) = (end.fits(lines, &hasher) && !is_ended, true);
            return if end.lines == line.number { Verdict::GoodAndLast } else { Verdict::Good };
        } else {
            visit(Entry::Swarm(line))
        };
        // nothing comes after the end
        fits = false;
        hasher.update(bytes);
        lines += 1;
        if is_known { Verdict::Good } else { Verdict::Unknown }
    })?;
    let is_whole = fits && !tally.is_damaged() && tally.tail == Tail::Whole;
    Ok(Scan { tally, is_ended, is_whole })
}

fn unix(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
