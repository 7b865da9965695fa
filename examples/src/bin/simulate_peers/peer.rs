//! A peer's life: what it has, how fast it gets the rest, and what it has to tell the tracker.
//!
//! The download is a fluid: its speed is the peer's own, as long as it knows [`ENOUGH`] sources, and less in proportion where it knows
//! fewer. A seeder counts as one, another peer that downloads as [`OTHER`]. A peer knows those that it was told of, the
//! older ones count half with each answer; and it gets to know those that were told of it, since they connect to it.

use std::time::Duration;

use crate::crowd::{Person, Torrent};
use crate::said::AsksAs;
use crate::truth::{Group, Groups};

/// With so many sources a peer is as fast as it can be.
const ENOUGH: f64 = 4.0;
/// What a peer that downloads itself is worth as a source.
pub(crate) const OTHER: f64 = 0.4;
/// What a partial seed wants.
const PART: f64 = 0.6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Absent,
    Downloading,
    /// Has the part that it wants (BEP 21).
    PartialSeed,
    Seeding,
    /// Is about to say `stopped`.
    Leaving,
    Left,
    Vanished,
}

/// What a peer announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Started,
    Regular,
    Completed,
    Paused,
    Stopped,
}

#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) stage: Stage,
    /// Whether an announce waits for its turn or is on its way.
    pub(crate) is_busy: bool,
    /// Whether it has to announce at once when it is not busy any more.
    pub(crate) is_owing: bool,
    /// The number of its last announce.
    pub(crate) announces: u32,
    /// The number of the last change of its pace.
    pub(crate) paces: u32,
    has_started: bool,
    completions_to_tell: u8,
    stops_to_tell: u8,
    /// The part that it has.
    done: f64,
    /// What it gains in a second.
    rate: f64,
    since: Duration,
    sources: f64,
}

impl Peer {
    pub(crate) fn new() -> Peer {
        Peer {
            stage: Stage::Absent,
            is_busy: false,
            is_owing: false,
            announces: 0,
            paces: 0,
            has_started: false,
            completions_to_tell: 0,
            stops_to_tell: 0,
            done: 0.0,
            rate: 0.0,
            since: Duration::ZERO,
            sources: 0.0,
        }
    }

    pub(crate) fn arrive(&mut self, person: &Person) {
        let is_complete = person.habits.is_first_seeder;
        self.stage = if is_complete { Stage::Seeding } else { Stage::Downloading };
        self.done = f64::from(u8::from(is_complete));
    }

    pub(crate) fn is_there(&self) -> bool {
        matches!(self.stage, Stage::Downloading | Stage::PartialSeed | Stage::Seeding)
    }

    /// What it is worth to others as a source.
    pub(crate) fn worth(&self) -> f64 {
        match self.stage {
            Stage::Seeding => 1.0,
            Stage::PartialSeed | Stage::Downloading => OTHER,
            Stage::Absent | Stage::Leaving | Stage::Left | Stage::Vanished => 0.0,
        }
    }

    /// What it says next; `None` if nothing.
    pub(crate) fn event(&self) -> Option<Event> {
        let event = match self.stage {
            Stage::Absent | Stage::Left | Stage::Vanished => return None,
            _ if !self.has_started => Event::Started,
            _ if self.completions_to_tell > 0 => Event::Completed,
            Stage::Leaving => Event::Stopped,
            Stage::PartialSeed => Event::Paused,
            Stage::Downloading | Stage::Seeding => Event::Regular,
        };
        Some(event)
    }

    /// Whether an announce of `event` says that nothing is left.
    pub(crate) fn is_complete(&self, event: Event) -> bool {
        self.done >= 1.0 && !(event == Event::Started && self.completions_to_tell > 0)
    }

    /// What the tracker counts it as from such an announce on.
    pub(crate) fn groups(&self, event: Event, person: &Person, is_v6: bool) -> Groups {
        if event == Event::Stopped || person.port == 0 {
            return 0;
        }
        let peer = Group::of_family(false, is_v6).bit();
        match self.asks_as(event) {
            AsksAs::Seeder => peer | Group::Complete.bit(),
            AsksAs::PartialSeed => peer | Group::Incomplete.bit(),
            AsksAs::Downloader => peer | Group::Incomplete.bit() | Group::of_family(true, is_v6).bit(),
        }
    }

    pub(crate) fn asks_as(&self, event: Event) -> AsksAs {
        match event {
            _ if self.is_complete(event) => AsksAs::Seeder,
            Event::Paused => AsksAs::PartialSeed,
            _ => AsksAs::Downloader,
        }
    }

    /// `event` was announced, and answered. Returns whether something else is to be said at once.
    pub(crate) fn tell(&mut self, event: Event) -> bool {
        match event {
            Event::Started => self.has_started = true,
            Event::Completed => self.completions_to_tell = self.completions_to_tell.saturating_sub(1),
            Event::Stopped => {
                self.stops_to_tell = self.stops_to_tell.saturating_sub(1);
                if self.stops_to_tell == 0 {
                    self.stage = Stage::Left;
                }
            }
            Event::Regular | Event::Paused => {}
        }
        self.is_owing |= self.completions_to_tell > 0 || self.stops_to_tell > 0;
        std::mem::take(&mut self.is_owing)
    }

    /// How many bytes it says are left.
    pub(crate) fn left(&self, event: Event, torrent: &Torrent, starts_blank: bool) -> u64 {
        if self.is_complete(event) {
            0
        } else if starts_blank && event == Event::Started {
            i64::MAX as u64
        } else {
            ((torrent.bytes as f64 * (1.0 - self.done.min(0.999_999))) as u64).max(1)
        }
    }

    /// How many bytes it has.
    pub(crate) fn downloaded(&self, torrent: &Torrent) -> u64 {
        (torrent.bytes as f64 * self.done) as u64
    }

    /// Whether it knows too few others.
    pub(crate) fn is_starving(&self) -> bool {
        self.stage == Stage::Downloading && self.sources < ENOUGH
    }

    /// It was told of sources worth so much. Returns when it has what it wants.
    pub(crate) fn meet(
        &mut self,
        worth: f64,
        person: &Person,
        pace: Duration,
        now: Duration,
    ) -> Option<Duration> {
        let sources = self.sources / 2.0 + worth;
        self.change(sources, person, pace, now)
    }

    /// Somebody was told of it, and connects to it.
    pub(crate) fn be_met(
        &mut self,
        worth: f64,
        person: &Person,
        pace: Duration,
        now: Duration,
    ) -> Option<Duration> {
        if !self.is_starving() || worth == 0.0 {
            return None;
        }
        self.change(self.sources + worth, person, pace, now)
    }

    fn change(&mut self, sources: f64, person: &Person, pace: Duration, now: Duration) -> Option<Duration> {
        if self.stage != Stage::Downloading {
            return None;
        }
        self.advance(now);
        self.sources = sources;
        self.rate = person.speed / pace.as_secs_f64() * (sources / ENOUGH).min(1.0);
        self.paces += 1;
        if self.rate <= 0.0 {
            return None;
        }
        let wanted = if person.habits.wants_part { PART } else { 1.0 };
        Some(now + Duration::from_secs_f64(((wanted - self.done).max(0.0) / self.rate).min(1e6)))
    }

    fn advance(&mut self, now: Duration) {
        let elapsed = now.saturating_sub(self.since).as_secs_f64();
        self.done = (self.done + self.rate * elapsed).min(0.999_999);
        self.since = now;
    }

    /// It has what it wants.
    pub(crate) fn complete(&mut self, person: &Person) {
        self.rate = 0.0;
        if person.habits.wants_part {
            self.done = PART;
            self.stage = Stage::PartialSeed;
        } else {
            self.done = 1.0;
            self.stage = Stage::Seeding;
            self.completions_to_tell = 1 + u8::from(person.habits.completes_twice);
        }
    }

    /// It leaves, and says so, or does not.
    pub(crate) fn leave(&mut self, person: &Person, vanishes: bool, now: Duration) {
        self.advance_if_downloading(now);
        if vanishes {
            self.stage = Stage::Vanished;
        } else if !self.has_started && !self.is_busy {
            self.stage = Stage::Left; // nobody has heard of it
        } else {
            self.stage = Stage::Leaving;
            self.stops_to_tell = 1 + u8::from(person.habits.stops_twice);
        }
    }

    fn advance_if_downloading(&mut self, now: Duration) {
        if self.stage == Stage::Downloading {
            self.advance(now);
        }
        self.rate = 0.0;
    }
}

#[cfg(test)]
mod tests;
