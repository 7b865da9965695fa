//! What the crowd says, and hears.

use std::time::Duration;

use examples::answer::{Announced, Scraped};

use crate::checks::Check;
use crate::clients::{CLIENTS, Facts};
use crate::connection::{Answer, Trouble};
use crate::crowd::Whose;
use crate::engine::{Ask, Talk};
use crate::judge::Judge;
use crate::opening::write_scrape;
use crate::options::Target;
use crate::peer::Event;
use crate::said::Said;
use crate::schedule::Due;
use crate::simulation::{Flight, Phase, Simulation};
use crate::truth::Group;

impl Talk for Simulation<'_> {
    fn compose(&mut self, line: usize, ask: Ask, waited: Duration, request: &mut Vec<u8>) -> bool {
        self.figures.late(waited);
        let now = self.clock.now();
        self.run_due(now);
        let flight = match ask {
            Ask::Announce(peer) => match self.announce_now(peer, now, line, request) {
                Some((said, event)) => Flight::Announce(said, event),
                None => return false,
            },
            Ask::Scrape { first, count } => {
                write_scrape(request, self.crowd, self.target(line), first, count);
                let torrents = first..first + u32::from(count);
                Flight::Scrape(torrents.map(|torrent| (torrent, self.truth.look(torrent, now))).collect())
            }
            Ask::Probe => return false,
        };
        self.flights[line] = Some(flight);
        true
    }

    fn hear(&mut self, line: usize, _: Ask, answer: Result<Answer, Trouble>) {
        let now = self.clock.now();
        self.run_due(now);
        let heard = match self.flights[line].take() {
            Some(Flight::Announce(said, event)) => {
                let heard = self.hear_announce(&said, event, answer, now);
                if heard.is_none() {
                    self.try_again(said.peer, now);
                }
                heard
            }
            Some(Flight::Scrape(asked)) => self.hear_scrape(&asked, answer, now),
            None => return,
        };
        self.figures.errors += u64::from(heard.is_none());
    }
}

impl Simulation<'_> {
    fn target(&self, line: usize) -> &Target {
        let is_v6 = self.crowd.lines[line].is_ipv6();
        let fits = |target: &&Target| target.addr.is_ipv6() == is_v6;
        self.plan.targets.iter().find(fits).expect("a line has the family of a target")
    }

    fn announce_now(
        &mut self,
        peer: u32,
        now: Duration,
        line: usize,
        request: &mut Vec<u8>,
    ) -> Option<(Said, Event)> {
        let person = &self.crowd.people[peer as usize];
        let torrent = &self.crowd.torrents[person.torrent as usize];
        let client = &CLIENTS[usize::from(person.client)];
        let state = &mut self.peers[peer as usize];
        let Some(event) = state.event() else {
            state.is_busy = false; // it has vanished while it waited
            return None;
        };
        state.announces += 1;
        state.is_owing = false;
        let name = match event {
            Event::Started => Some("started"),
            Event::Completed => Some("completed"),
            Event::Paused => Some("paused"),
            Event::Stopped => Some("stopped"),
            Event::Regular => None,
        };
        let numwant = client.numwant.map(|usual| match (event, person.habits.wants_few) {
            (Event::Stopped, _) => 0,
            (_, 0) => usual,
            (_, few) => u32::from(few),
        });
        let groups = state.groups(event, person, self.crowd.lines[line].is_ipv6());
        let facts = Facts {
            info_hash: &torrent.info_hash,
            id: &person.id,
            key: person.key,
            port: person.port,
            uploaded: state.downloaded(torrent) / 2,
            downloaded: state.downloaded(torrent),
            left: state.left(event, torrent, client.starts_blank),
            event: name,
            numwant,
        };
        let asks_as = state.asks_as(event);
        let completes = event == Event::Completed && groups != 0;
        let target = self.target(line);
        client.write(request, &target.announce, &target.host, &facts);
        let said = Said {
            peer,
            groups,
            asks_as,
            completes,
            stops: event == Event::Stopped,
            numwant,
            wants_ids: client.wants_ids(),
            seen: self.truth.begin(peer, groups, completes, now),
        };
        Some((said, event))
    }

    /// `None` if the announce has to be made again.
    fn hear_announce(
        &mut self,
        said: &Said,
        event: Event,
        answer: Result<Answer, Trouble>,
        now: Duration,
    ) -> Option<()> {
        let answer = self.take_answer(answer, said.seen.at, now)?;
        let announced = match Announced::read(&answer.body) {
            Ok(announced) => announced,
            Err(error) => {
                self.checks.expect(Check::Valid, false, || error.to_string());
                return None;
            }
        };
        self.checks.expect(Check::Accepted, announced.failure.is_none(), || {
            announced.failure.clone().unwrap_or_default()
        });
        if announced.failure.is_some() {
            return None;
        }
        self.figures.announces += 1;
        self.figures.handed_out += announced.peers.len() as u64;
        let torrent = self.crowd.people[said.peer as usize].torrent;
        self.whose.clear();
        self.whose.extend(announced.peers.iter().map(|&addr| self.crowd.whose(addr, torrent)));
        let mut judge = Judge {
            crowd: self.crowd,
            truth: &mut self.truth,
            checks: &mut self.checks,
            intervals: &mut self.intervals,
            whose: &self.whose,
            before: &self.before,
        };
        judge.announced(said, &announced);
        let again = self.truth.settle(said.peer, said.groups, said.completes, said.seen.at, now);
        self.put(again, Due::Expire(said.peer));
        self.meet(said.peer, now);
        self.announce_next(said.peer, event, &announced, now);
        Some(())
    }

    fn hear_scrape(
        &mut self,
        asked: &[(u32, crate::truth::Seen)],
        answer: Result<Answer, Trouble>,
        now: Duration,
    ) -> Option<()> {
        let sent = asked.first()?.1.at;
        let answer = self.take_answer(answer, sent, now)?;
        self.figures.scrapes += 1;
        let scraped = match Scraped::read(&answer.body) {
            Ok(scraped) if scraped.failure.is_none() => scraped,
            Ok(scraped) => {
                self.checks.fail(Check::Accepted, || scraped.failure.unwrap_or_default());
                return None;
            }
            Err(error) => {
                self.checks.expect(Check::Valid, false, || error.to_string());
                return None;
            }
        };
        let mut judge = Judge {
            crowd: self.crowd,
            truth: &mut self.truth,
            checks: &mut self.checks,
            intervals: &mut self.intervals,
            whose: &[],
            before: &self.before,
        };
        judge.scrape(asked, &scraped);
        if self.phase == Phase::LastScrape {
            self.look_for_leftovers(asked, &scraped);
        }
        Some(())
    }

    fn look_for_leftovers(&mut self, asked: &[(u32, crate::truth::Seen)], scraped: &Scraped) {
        for (torrent, seen) in asked {
            let most: u32 = [Group::Complete, Group::Incomplete]
                .map(|group| self.truth.bounds(*torrent, seen, group, 0).1)
                .iter()
                .sum();
            let torrents = &self.crowd.torrents;
            let file =
                scraped.files.iter().find(|file| file.info_hash.0 == torrents[*torrent as usize].info_hash);
            let Some(file) = file.filter(|_| most == 0) else { continue };
            let counted = file.complete.unwrap_or(0) + file.incomplete.unwrap_or(0);
            self.checks.expect(Check::Empty, counted == 0, || {
                format!(
                    "torrent {}: {counted} peers are counted when all have left",
                    self.crowd.name(*torrent)
                )
            });
        }
    }

    /// The answer, if it is one of HTTP.
    fn take_answer(
        &mut self,
        answer: Result<Answer, Trouble>,
        sent: Duration,
        now: Duration,
    ) -> Option<Answer> {
        let at = sent.as_secs_f64();
        match answer {
            Err(Trouble::NotHttp(what)) => {
                self.checks.expect(Check::Valid, false, || format!("after {at:.2} s {what}"));
                None
            }
            Err(trouble) => {
                self.checks.expect(Check::Answered, false, || format!("after {at:.2} s: {trouble}"));
                None
            }
            Ok(answer) => {
                self.checks.expect(Check::Answered, true, String::new);
                self.figures.answered(now.saturating_sub(sent));
                let status = answer.status;
                self.checks
                    .expect(Check::Valid, status == 200, || format!("after {at:.2} s: status {status}"));
                (status == 200).then_some(answer)
            }
        }
    }

    /// The peer gets to know those that it was told of, and they it.
    fn meet(&mut self, peer: u32, now: Duration) {
        let own_worth = self.peers[peer as usize].worth();
        let pace = self.times.pace;
        let mut worth = 0.0;
        for at in 0..self.whose.len() {
            let Whose::Here(other) = self.whose[at] else { continue };
            let person = &self.crowd.people[other as usize];
            let state = &mut self.peers[other as usize];
            worth += state.worth();
            let done_at = state.be_met(own_worth, person, pace, now);
            let paces = state.paces;
            self.put(done_at, Due::Progress(other, paces));
        }
        let state = &mut self.peers[peer as usize];
        let done_at = state.meet(worth, &self.crowd.people[peer as usize], pace, now);
        let paces = state.paces;
        self.put(done_at, Due::Progress(peer, paces));
    }

    /// What comes after an announce that was answered.
    fn announce_next(&mut self, peer: u32, event: Event, announced: &Announced, now: Duration) {
        let jitter = 1.0 + 0.04 * self.dice.unit();
        let state = &mut self.peers[peer as usize];
        state.is_busy = false;
        if state.tell(event) {
            self.schedule.put(now, Due::Announce(peer, state.announces));
            return;
        }
        if !state.is_there() {
            return;
        }
        let interval = announced.interval.unwrap_or(1800).clamp(1, 1 << 30) as f64;
        let min_interval = announced.min_interval.map_or(interval, |seconds| seconds.max(1) as f64);
        let is_eager = self.crowd.people[peer as usize].habits.is_eager && state.is_starving();
        let wait = if is_eager { min_interval.max(interval / 2.0).min(interval) } else { interval };
        let at = now + Duration::from_secs_f64(wait * jitter);
        self.schedule.put(at, Due::Announce(peer, state.announces));
    }

    /// An announce has failed: nobody knows whether the tracker has heard it.
    fn try_again(&mut self, peer: u32, now: Duration) {
        let again = self.truth.doubt(peer, now);
        self.put(again, Due::Expire(peer));
        let state = &mut self.peers[peer as usize];
        state.is_busy = false;
        if self.phase < Phase::Forgetting {
            let wait = (self.times.pace / 4).clamp(Duration::from_millis(300), Duration::from_secs(5));
            self.schedule.put(now + wait, Due::Announce(peer, state.announces));
        }
    }
}
