//! What there is now, and how it came to be: the figures that pages show, and the samples that are kept.

use std::time::{Duration, SystemTime};

use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use tracker_core::{Totals, Tracker};
use tracker_http::{Clock, Counters, Handle, Happening, ROUTES, Route, STATUSES};
use tracker_store::{Hour, Sample, Series};

use crate::dashboard::Rendered;

#[cfg(test)]
mod tests;

/// Figures are counted anew when they are older than this.
const FRESH: Duration = Duration::from_millis(250);
/// Rates are means over so long, or a little longer.
const RATE: Duration = Duration::from_secs(10);
/// Marks that rates are taken from, one a second.
const MARKS: usize = 12;

/// The statistics of a running tracker, shared by all threads.
#[derive(Debug)]
pub struct Statistics<'a> {
    tracker: &'a Tracker,
    server: Handle,
    clock: Clock,
    /// Downloads completed before this start.
    completed_before: u64,
    now: Mutex<Now>,
    past: RwLock<Past>,
}

/// What there is at a moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Since the start.
    pub uptime: Duration,
    /// Torrents and peers.
    pub totals: Totals,
    /// Downloads completed, over all starts.
    pub completed: u64,
    /// Open connections.
    pub connections: usize,
    /// What has been counted since the start.
    pub counted: Counted,
    /// Announces a second, of late.
    pub announces_per_second: f64,
    /// Scrapes a second, of late.
    pub scrapes_per_second: f64,
}

/// Requests since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Announces answered, failures among them.
    pub announces: u64,
    /// Scrapes answered, failures among them.
    pub scrapes: u64,
    /// Requests refused with a status of 400 or more, and announces and scrapes answered with a failure.
    pub errors: u64,
}

impl Counted {
    fn of(counters: &Counters) -> Counted {
        let refused = STATUSES.iter().filter(|status| **status >= 400);
        let of_status = |&status| ROUTES.iter().map(|&route| counters.answers(route, status)).sum::<u64>();
        Counted {
            announces: counters.requests(Route::Announce),
            scrapes: counters.requests(Route::Scrape),
            errors: refused.map(of_status).sum::<u64>() + counters.happenings(Happening::Failure),
        }
    }
}

#[derive(Debug)]
struct Now {
    figures: Figures,
    /// Older figures, the oldest first, from which rates are taken.
    marks: std::collections::VecDeque<(Duration, Counted)>,
    /// When the last sample was taken: by the server's clock, and in Unix seconds.
    sampled: (Duration, u64),
    /// What it has counted.
    sampled_counts: Counted,
}

/// The samples of the past, and the text that has been made of them.
#[derive(Debug)]
pub struct Past {
    /// The samples.
    pub series: Series,
    /// Their text.
    pub rendered: Rendered,
}

impl<'a> Statistics<'a> {
    /// Statistics that go on where `series` ends, after `completed` downloads.
    pub fn new(tracker: &'a Tracker, server: Handle, clock: Clock, series: Series, completed: u64) -> Self {
        let wall = unix_now();
        let past = Past { rendered: Rendered::of(&series, wall), series };
        let now = Now {
            figures: Figures::default(),
            marks: [(Duration::ZERO, Counted::default())].into(),
            sampled: (clock.elapsed(), wall),
            sampled_counts: Counted::default(),
        };
        let statistics = Statistics {
            tracker,
            server,
            clock,
            completed_before: completed,
            now: Mutex::new(now),
            past: RwLock::new(past),
        };
        statistics.count(&mut statistics.now.lock());
        statistics
    }

    /// What there is now, give or take a quarter of a second.
    pub fn figures(&self) -> Figures {
        let mut now = self.now.lock();
        if self.clock.elapsed() > now.figures.uptime + FRESH {
            self.count(&mut now);
        }
        now.figures
    }

    /// What the server has counted, in all detail.
    pub fn counters(&self) -> &Counters {
        self.server.counters()
    }

    /// The sample that would be taken now; it covers what has been since the last one.
    pub fn running_sample(&self) -> Sample {
        let figures = self.figures();
        let now = self.now.lock();
        // to the end of this second, so that it is never empty
        self.sample(&now, &figures, unix_now() + 1)
    }

    /// Takes a sample, to be kept, and returns it with the hours that have ended with it.
    pub fn take_sample(&self) -> (Sample, Vec<Hour>) {
        self.take_sample_at(unix_now())
    }

    /// The same where the wall clock shows `wall`, in Unix seconds.
    fn take_sample_at(&self, wall: u64) -> (Sample, Vec<Hour>) {
        let sample = {
            let mut now = self.now.lock();
            self.count(&mut now);
            let sample = self.sample(&now, &now.figures, wall);
            now.sampled = (now.figures.uptime, wall);
            now.sampled_counts = now.figures.counted;
            sample
        };
        let mut past = self.past.write();
        let Past { series, rendered } = &mut *past;
        series.push(&sample);
        let closed = series.close_hours(sample.time);
        rendered.update(series, &sample);
        (sample, closed)
    }

    /// The samples of the past. To be held no longer than it takes to copy from them.
    pub fn past(&self) -> RwLockReadGuard<'_, Past> {
        self.past.read()
    }

    fn count(&self, now: &mut Now) {
        let uptime = self.clock.elapsed();
        let totals = self.tracker.totals();
        let counted = Counted::of(self.server.counters());
        let due = now.marks.back().is_none_or(|(at, _)| uptime.saturating_sub(*at) >= Duration::from_secs(1));
        if due {
            now.marks.push_back((uptime, counted));
        }
        while now.marks.len() > MARKS || now.marks.get(1).is_some_and(|(at, _)| *at + RATE <= uptime) {
            now.marks.pop_front();
        }
        let (since, before) = now.marks.front().copied().unwrap_or_default();
        let seconds = uptime.saturating_sub(since).as_secs_f64().max(1.0);
        now.figures = Figures {
            uptime,
            totals,
            completed: self.completed_before + totals.completed,
            connections: self.server.counters().open_connections(),
            counted,
            announces_per_second: (counted.announces - before.announces) as f64 / seconds,
            scrapes_per_second: (counted.scrapes - before.scrapes) as f64 / seconds,
        };
    }

    /// What `figures` say of the time since the last sample, which ends at `wall`, in Unix seconds.
    fn sample(&self, now: &Now, figures: &Figures, wall: u64) -> Sample {
        let (sampled, sampled_wall) = now.sampled;
        let before = now.sampled_counts;
        let measured = self.clock.elapsed().saturating_sub(sampled).as_secs_f64();
        let apart = wall as f64 - sampled_wall as f64;
        // samples follow each other without gap or overlap, unless the wall clock has jumped
        let over = if (apart - measured).abs() < 2.0 { apart.max(0.0) } else { measured.round() };
        let Figures { totals, counted, completed, .. } = figures;
        Sample {
            time: wall,
            over: over as u32,
            torrents: totals.torrents,
            peers: totals.peers(),
            seeders: totals.seeders(),
            leechers: totals.leechers(),
            completed: *completed,
            announces: counted.announces.saturating_sub(before.announces),
            scrapes: counted.scrapes.saturating_sub(before.scrapes),
            errors: counted.errors.saturating_sub(before.errors),
        }
    }
}

/// The wall clock's time since 1970; zero where it is set to before that.
pub fn wall_clock() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// The wall clock's time in Unix seconds.
pub fn unix_now() -> u64 {
    wall_clock().as_secs()
}
