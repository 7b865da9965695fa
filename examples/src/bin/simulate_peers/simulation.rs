//! The run: the crowd comes, lives, says farewell; then what is left at the tracker is looked at.

use std::time::Duration;

use crate::checks::Checks;
use crate::crowd::{Crowd, Whose};
use crate::dice::Dice;
use crate::engine::{Ask, Clock};
use crate::figures::Figures;
use crate::opening::{Opening, SCRAPED_AT_ONCE, scrapes};
use crate::options::Plan;
use crate::peer::{Peer, Stage};
use crate::said::{Intervals, Said};
use crate::schedule::{Due, Schedule};
use crate::truth::{Limits, Seen, Truth};

/// Peers that can say farewell in a second.
const FAREWELLS: f64 = 6000.0;
/// The part of the crowd's time in which peers arrive.
const ARRIVALS: f64 = 0.8;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(crate) enum Phase {
    /// Peers come and go.
    Crowd,
    /// All that are there say `stopped`.
    Farewell,
    /// The tracker is given the time to forget those who vanished.
    Forgetting,
    /// Everything is scraped once more.
    LastScrape,
    Over,
}

/// When what ends, since the clock was started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// How long a download takes at full speed.
    pub(crate) pace: Duration,
    pub(crate) begin: Duration,
    /// From then on nobody vanishes, so that all can be forgotten before the end.
    pub(crate) vanish_until: Duration,
    pub(crate) farewell: Duration,
    pub(crate) end: Duration,
}

/// What is on its way on a line.
#[derive(Clone, Debug)]
pub(crate) enum Flight {
    Announce(Said, crate::peer::Event),
    Scrape(Vec<(u32, Seen)>),
}

#[derive(Debug)]
pub(crate) struct Simulation<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) crowd: &'a Crowd,
    pub(crate) clock: Clock,
    pub(crate) times: Times,
    pub(crate) phase: Phase,
    pub(crate) peers: Vec<Peer>,
    pub(crate) truth: Truth,
    pub(crate) checks: Checks,
    pub(crate) intervals: Intervals,
    pub(crate) before: Vec<Option<u64>>,
    pub(crate) no_scrape: Option<String>,
    pub(crate) schedule: Schedule,
    /// What is on its way on each line.
    pub(crate) flights: Vec<Option<Flight>>,
    /// What is to be asked, by the line.
    pub(crate) outbox: Vec<(usize, Ask)>,
    /// Whose the addresses in the latest answer are.
    pub(crate) whose: Vec<Whose>,
    pub(crate) dice: Dice,
    pub(crate) figures: Figures,
    next_scraped: u32,
}

impl<'a> Simulation<'a> {
    pub(crate) fn new(
        plan: &'a Plan,
        crowd: &'a Crowd,
        opening: &Opening<'_>,
        clock: Clock,
    ) -> Simulation<'a> {
        let interval = Duration::from_secs(opening.interval.unwrap_or(1800).clamp(1, 1 << 30));
        let timeout = plan.peer_timeout.unwrap_or(interval.mul_f64(1.5));
        let limits = Limits {
            timeout,
            sweep: plan.sweep.unwrap_or((timeout / 10).min(Duration::from_secs(10))),
            grace: plan.grace.unwrap_or((timeout / 8).min(Duration::from_secs(1))),
        };
        let times = Times::new(plan, interval, &limits, clock.now());
        let where_from = crowd.people.iter().map(|person| (person.torrent, crowd.addr(person).is_ipv6()));
        let mut simulation = Simulation {
            plan,
            crowd,
            clock,
            times,
            phase: Phase::Crowd,
            peers: vec![Peer::new(); crowd.people.len()],
            truth: Truth::new(limits, crowd.torrents.len(), where_from),
            checks: Checks::new(&plan.skip),
            intervals: Intervals::default(),
            before: opening.completed.clone(),
            no_scrape: opening.no_scrape.clone(),
            schedule: Schedule::default(),
            flights: vec![None; crowd.lines.len()],
            outbox: Vec::new(),
            whose: Vec::new(),
            dice: Dice::new(plan.seed, 2),
            figures: Figures::new(),
            next_scraped: 0,
        };
        let window = (times.farewell - times.begin).mul_f64(ARRIVALS);
        for (peer, person) in crowd.people.iter().enumerate() {
            simulation.schedule.put(times.begin + window.mul_f64(person.arrives), Due::Arrive(peer as u32));
        }
        if simulation.no_scrape.is_none() {
            simulation.schedule.put(times.begin + times.pace / 4, Due::Scrape);
        }
        simulation
    }

    /// Does all that is due, and goes on to the next phase when it is time. `is_quiet` says that nothing is on its way.
    pub(crate) fn advance(&mut self, is_quiet: bool) {
        let now = self.clock.now();
        self.run_due(now);
        let is_quiet = is_quiet && self.outbox.is_empty();
        match self.phase {
            Phase::Crowd if now >= self.times.farewell => {
                self.phase = Phase::Farewell;
                let window = self.times.end.saturating_sub(self.times.farewell).mul_f64(0.7);
                for peer in 0..self.peers.len() as u32 {
                    if self.peers[peer as usize].is_there() {
                        self.schedule.put(now + window.mul_f64(self.dice.unit()), Due::Leave(peer));
                    }
                }
            }
            Phase::Farewell if now >= self.times.end || is_quiet && self.is_deserted() => {
                self.phase = Phase::Forgetting;
            }
            Phase::Forgetting if is_quiet || now >= self.times.end + self.plan.patience => {
                let forgotten_at = self.truth.all_forgotten_at();
                if now > forgotten_at || forgotten_at > self.times.end + Duration::from_secs(1) {
                    self.phase = Phase::LastScrape;
                    if self.no_scrape.is_none() {
                        self.outbox.extend(scrapes(self.crowd.torrents.len()).map(|ask| (0, ask)));
                    }
                }
            }
            Phase::LastScrape if is_quiet => self.phase = Phase::Over,
            _ => {}
        }
    }

    /// Whether everybody who was there has left or vanished.
    fn is_deserted(&self) -> bool {
        self.peers.iter().all(|peer| !peer.is_there() && peer.stage != Stage::Leaving)
    }

    /// Does what is due at `now`.
    pub(crate) fn run_due(&mut self, now: Duration) {
        while let Some((at, due)) = self.schedule.take(now) {
            match due {
                Due::Arrive(peer) => self.arrive(peer, now),
                Due::Announce(peer, announces) => {
                    if self.peers[peer as usize].announces == announces {
                        self.figures.late(now.saturating_sub(at));
                        self.announce(peer);
                    }
                }
                Due::Progress(peer, paces) => self.complete(peer, paces, now),
                Due::Leave(peer) => self.leave(peer, now),
                Due::Expire(peer) => {
                    let again = self.truth.expire(peer, now);
                    self.put(again, Due::Expire(peer));
                }
                Due::Scrape => self.scrape_next(now),
            }
        }
    }

    pub(crate) fn put(&mut self, at: Option<Duration>, due: Due) {
        if let Some(at) = at {
            self.schedule.put(at, due);
        }
    }

    /// Has the peer announce, now or as soon as it has an answer to what it asked before.
    fn announce(&mut self, peer: u32) {
        let state = &mut self.peers[peer as usize];
        if state.event().is_none() {
            return;
        }
        if std::mem::replace(&mut state.is_busy, true) {
            state.is_owing = true;
            return;
        }
        let line = usize::from(self.crowd.people[peer as usize].line);
        self.outbox.push((line, Ask::Announce(peer)));
    }

    fn arrive(&mut self, peer: u32, now: Duration) {
        if self.phase != Phase::Crowd {
            return;
        }
        let person = &self.crowd.people[peer as usize];
        self.figures.arrived += 1;
        self.peers[peer as usize].arrive(person);
        let stays = if person.habits.is_first_seeder { person.seeds } else { person.stays };
        self.put(self.later(now, stays), Due::Leave(peer));
        self.announce(peer);
    }

    fn complete(&mut self, peer: u32, paces: u32, now: Duration) {
        let state = &mut self.peers[peer as usize];
        if state.stage != Stage::Downloading || state.paces != paces {
            return;
        }
        let person = &self.crowd.people[peer as usize];
        state.complete(person);
        self.figures.completed += u64::from(state.stage == Stage::Seeding);
        self.put(self.later(now, person.seeds), Due::Leave(peer));
        self.announce(peer);
    }

    fn leave(&mut self, peer: u32, now: Duration) {
        let state = &mut self.peers[peer as usize];
        if !state.is_there() {
            return;
        }
        let person = &self.crowd.people[peer as usize];
        state.leave(person, person.habits.vanishes && now < self.times.vanish_until, now);
        if state.stage == Stage::Leaving {
            self.announce(peer);
        }
    }

    /// So many downloads at full speed later; `None` if never.
    fn later(&self, now: Duration, downloads: f64) -> Option<Duration> {
        downloads.is_finite().then(|| now + self.times.pace.mul_f64(downloads))
    }

    fn scrape_next(&mut self, now: Duration) {
        if self.phase >= Phase::Farewell {
            return;
        }
        let torrents = self.crowd.torrents.len() as u32;
        let first = self.next_scraped;
        let count = SCRAPED_AT_ONCE.min(torrents - first);
        self.next_scraped = (first + count) % torrents;
        let line = self.dice.below(self.crowd.lines.len() as u64) as usize;
        self.outbox.push((line, Ask::Scrape { first, count: count as u16 }));
        // each torrent as seldom as peers announce, within reason
        let seconds = self.intervals.min_interval.unwrap_or(1).max(1) as f64;
        let round = Duration::from_secs_f64(seconds).max(self.times.pace / 2).min(self.plan.length / 4);
        self.schedule.put(now + round.mul_f64(f64::from(count) / f64::from(torrents)), Due::Scrape);
    }
}

impl Times {
    fn new(plan: &Plan, interval: Duration, limits: &Limits, begin: Duration) -> Times {
        let end = begin + plan.length;
        let half_second = Duration::from_millis(500);
        let farewell = Duration::from_secs_f64(f64::from(plan.peers) / FAREWELLS).min(plan.length / 4);
        let farewell = end - (farewell + half_second).min(plan.length / 3);
        let forgetting = limits.timeout + limits.sweep + limits.grace + half_second;
        let fits = forgetting < plan.length.mul_f64(0.45);
        Times {
            pace: plan.pace.unwrap_or(interval.min(plan.length / 8)),
            begin,
            vanish_until: if fits { farewell.min(end - forgetting) } else { farewell },
            farewell,
            end,
        }
    }
}
