//! Holds an answer against what is known.

use std::net::SocketAddr;
use std::time::Duration;

use examples::answer::{Announced, Scraped, ScrapedFile};

use crate::checks::{Check, Checks};
use crate::crowd::{Crowd, Whose};
use crate::said::{AsksAs, Intervals, Said};
use crate::truth::{Group, Groups, Seen, Truth};

/// So many peers are to be handed out at the least, if there are as many and as many are wanted.
const FEW: u32 = 10;

/// Everything that an answer is judged by.
#[derive(Debug)]
pub(crate) struct Judge<'a> {
    pub(crate) crowd: &'a Crowd,
    pub(crate) truth: &'a mut Truth,
    pub(crate) checks: &'a mut Checks,
    pub(crate) intervals: &'a mut Intervals,
    /// Whose the addresses in the answer to an announce are.
    pub(crate) whose: &'a [Whose],
    /// Completions that the tracker knew of each torrent before the run, where it said so.
    pub(crate) before: &'a [Option<u64>],
}

impl Judge<'_> {
    /// An answer to an announce. It must be called before the peer's announce is [settled](Truth::settle).
    pub(crate) fn announced(&mut self, said: &Said, answer: &Announced) {
        let torrent = self.crowd.people[said.peer as usize].torrent;
        self.intervals(answer);
        self.wording(said, answer);
        let counts = [
            (Check::Counts, "complete", answer.complete, Some(Group::Complete)),
            (Check::Counts, "incomplete", answer.incomplete, Some(Group::Incomplete)),
            (Check::Completions, "downloaded", answer.downloaded, None),
        ];
        for (check, name, count, group) in counts {
            let Some(count) = count else { continue };
            self.count(check, torrent, &said.seen, name, count, group, said.groups);
        }
        if said.stops {
            let given = answer.peers.len();
            self.checks.expect(Check::Stopped, given == 0, || {
                format!("{}: stopped was answered with {given} peers", said.place(self.crowd))
            });
            return;
        }
        self.truth.answers += 1;
        for at in 0..answer.peers.len() {
            self.handed_out(said, &answer.peers, at);
        }
        for check in
            [Check::Strangers, Check::Itself, Check::Twice, Check::Dead, Check::Left, Check::Torrents]
        {
            self.checks.add(check, answer.peers.len());
        }
        self.amount(said, torrent, answer);
        self.chances(said, torrent);
    }

    /// An answer to a scrape of one torrent.
    pub(crate) fn scraped(&mut self, torrent: u32, seen: &Seen, file: &ScrapedFile) {
        let counts = [
            (Check::Scrapes, "complete", file.complete, Some(Group::Complete)),
            (Check::Scrapes, "incomplete", file.incomplete, Some(Group::Incomplete)),
            (Check::Completions, "downloaded", file.downloaded, None),
        ];
        for (check, name, count, group) in counts {
            match count {
                Some(count) => self.count(check, torrent, seen, name, count, group, 0),
                None => self.checks.expect(Check::Valid, false, || {
                    format!("torrent {}: a scrape has no {name}", self.crowd.name(torrent))
                }),
            }
        }
        let Some(count) = file.downloaders.filter(|_| !self.checks.is_skipped(Check::Partial)) else {
            return;
        };
        let v4 = self.truth.bounds(torrent, seen, Group::Downloader4, 0);
        let v6 = self.truth.bounds(torrent, seen, Group::Downloader6, 0);
        self.between(Check::Scrapes, torrent, seen, "downloaders", count, (v4.0 + v6.0, v4.1 + v6.1));
    }

    /// An answer to a scrape of several.
    pub(crate) fn scrape(&mut self, asked: &[(u32, Seen)], answer: &Scraped) {
        for (torrent, seen) in asked {
            let info_hash = self.crowd.torrents[*torrent as usize].info_hash;
            match answer.files.iter().find(|file| file.info_hash.0 == info_hash) {
                Some(file) => self.scraped(*torrent, seen, file),
                None => {
                    // a tracker need not name torrents that it does not know
                    let certain =
                        |is_v6| self.truth.bounds(*torrent, seen, Group::of_family(false, is_v6), 0).0;
                    let is_known = certain(false) + certain(true) > 0;
                    self.checks.expect(Check::Scrapes, !is_known, || {
                        format!("torrent {}: a scrape leaves it out", self.crowd.name(*torrent))
                    });
                }
            }
        }
    }

    fn intervals(&mut self, answer: &Announced) {
        let known = *self.intervals;
        let (interval, min_interval) = (answer.interval, answer.min_interval);
        let first = *self.intervals.interval.get_or_insert(interval.unwrap_or(0));
        let is_there = interval.is_some_and(|interval| interval > 0);
        self.checks.expect(Check::Interval, is_there && interval == Some(first), || match interval {
            None | Some(0) => "an answer has no interval".into(),
            Some(interval) => format!("an interval of {interval} s after others of {first} s"),
        });
        if known.interval.is_none() {
            self.intervals.min_interval = min_interval;
        } else {
            self.checks.expect(Check::Interval, min_interval == known.min_interval, || {
                let text =
                    |seconds: Option<u64>| seconds.map_or("none".into(), |seconds| format!("{seconds} s"));
                format!(
                    "a min interval of {} after others of {}",
                    text(min_interval),
                    text(known.min_interval)
                )
            });
        }
        self.checks
            .expect(Check::Interval, min_interval <= interval, || "min interval is above interval".into());
    }

    /// What does not depend on others.
    fn wording(&mut self, said: &Said, answer: &Announced) {
        let person = &self.crowd.people[said.peer as usize];
        let ip = self.crowd.addr(person).ip();
        let missing = [
            ("peers", answer.lacks_peers),
            ("complete", answer.complete.is_none()),
            ("incomplete", answer.incomplete.is_none()),
        ];
        let missing = missing.iter().find(|(_, is_missing)| *is_missing);
        self.checks.expect(Check::Valid, missing.is_none() && answer.unusable == 0, || match missing {
            Some((name, _)) => format!("{}: the answer has no {name}", said.place(self.crowd)),
            None => {
                format!("{}: {} peers have no address or no port", said.place(self.crowd), answer.unusable)
            }
        });
        if let Some(external) = answer.external_ip {
            self.checks.expect(Check::Address, external == ip, || {
                format!("{}: its external ip is said to be {external}", said.place(self.crowd))
            });
        }
        if said.wants_ids {
            for ((addr, id), whose) in answer.peers.iter().zip(&answer.ids).zip(self.whose) {
                let (Some(id), &Whose::Here(peer)) = (id, whose) else { continue };
                self.checks.expect(Check::Ids, id.0 == self.crowd.people[peer as usize].id, || {
                    format!("{}: {addr} is given with another id than it has", said.place(self.crowd))
                });
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn count(
        &mut self,
        check: Check,
        torrent: u32,
        seen: &Seen,
        name: &str,
        count: u64,
        group: Option<Group>,
        plus: Groups,
    ) {
        if let Some(group) = group {
            let bounds = self.truth.bounds(torrent, seen, group, plus);
            self.between(check, torrent, seen, name, count, bounds);
        } else if let Some(before) = self.before[torrent as usize] {
            let bounds = self.truth.completions(torrent, seen);
            match count.checked_sub(before) {
                Some(count) => self.between(check, torrent, seen, name, count, bounds),
                None => self.checks.expect(check, false, || {
                    format!("torrent {}: downloaded fell from {before} to {count}", self.crowd.name(torrent))
                }),
            }
        }
    }

    fn between(
        &mut self,
        check: Check,
        torrent: u32,
        seen: &Seen,
        name: &str,
        count: u64,
        (low, high): (u32, u32),
    ) {
        let is_right = (u64::from(low)..=u64::from(high)).contains(&count);
        self.checks.exact += u64::from(low == high);
        self.checks.bounded += 1;
        self.checks.expect(check, is_right, || {
            let due = if low == high { format!("{low}") } else { format!("{low} to {high}") };
            let (at, torrent) = (seen.at.as_secs_f64(), self.crowd.name(torrent));
            format!("torrent {torrent} after {at:.2} s: {name} is {count}, and should be {due}")
        });
    }

    /// One peer of an answer.
    fn handed_out(&mut self, said: &Said, peers: &[SocketAddr], at: usize) {
        let crowd = self.crowd;
        let addr = peers[at];
        let place = || said.place(crowd);
        let is_twice = match self.whose[at] {
            Whose::Here(peer) => !self.truth.mark(peer),
            Whose::Elsewhere(_) | Whose::Nobodys => peers[..at].contains(&addr),
        };
        if is_twice {
            self.checks.fail(Check::Twice, || format!("{}: {addr} is in the answer twice", place()));
        }
        let person = &crowd.people[said.peer as usize];
        if crowd.addr(person) == addr {
            self.checks.fail(Check::Itself, || format!("{}: it is given itself", place()));
            return;
        }
        let peer = match self.whose[at] {
            Whose::Here(peer) => peer,
            Whose::Elsewhere(other) => {
                let other = crowd.name(crowd.people[other as usize].torrent);
                let what = || format!("{}: {addr} is given, a peer of torrent {other}", place());
                return self.checks.fail(Check::Torrents, what);
            }
            Whose::Nobodys => {
                let what = || format!("{}: {addr} is given, which never announced", place());
                return self.checks.fail(Check::Strangers, what);
            }
        };
        let record = &self.truth.records[peer as usize];
        let sent = said.seen.at;
        if record.first_sent.is_none() {
            // the client may be there with another torrent
            let other = match crowd.whose(addr, u32::MAX) {
                Whose::Elsewhere(other) if self.truth.records[other as usize].first_sent.is_some() => other,
                _ => peer,
            };
            if other != peer {
                let other = crowd.name(crowd.people[other as usize].torrent);
                let what = || format!("{}: {addr} is given, which is in torrent {other} only", place());
                return self.checks.fail(Check::Torrents, what);
            }
            let what = || format!("{}: {addr} is given before it has announced", place());
            return self.checks.fail(Check::Strangers, what);
        }
        if record.gone.is_some_and(|gone| gone < sent) {
            let what = || format!("{}: {addr} is given, which has said stopped", place());
            return self.checks.fail(Check::Left, what);
        }
        if let Some(silent) = self.truth.silence(peer, sent) {
            let (silent, timeout) = (silent.as_secs_f64(), self.truth.limits.timeout.as_secs_f64());
            let what = || {
                format!(
                    "{}: {addr} is given, silent for {silent:.1} s: the timeout is {timeout:.1} s",
                    place()
                )
            };
            return self.checks.fail(Check::Dead, what);
        }
        let was = |since: Option<Duration>| since.is_some_and(|since| since < sent);
        let (is_seeder, is_partial) = (was(record.seeder_since), was(record.partial_since));
        match said.asks_as {
            AsksAs::Seeder => {
                self.checks.expect(Check::Seeders, !is_seeder, || {
                    format!("{}: a seeder is given {addr}, a seeder", place())
                });
                self.checks.expect(Check::Partial, !is_partial, || {
                    format!("{}: a seeder is given {addr}, a partial seed", place())
                });
            }
            AsksAs::PartialSeed => self.checks.expect(Check::Partial, !is_seeder && !is_partial, || {
                let what = if is_seeder { "a seeder" } else { "a partial seed" };
                format!("{}: a partial seed is given {addr}, {what}", place())
            }),
            AsksAs::Downloader => {}
        }
    }

    /// Neither too many nor too few.
    fn amount(&mut self, said: &Said, torrent: u32, answer: &Announced) {
        let given = answer.peers.len() as u32;
        if let Some(numwant) = said.numwant {
            self.checks.expect(Check::Numwant, given <= numwant, || {
                format!("{}: {numwant} peers were wanted, {given} are given", said.place(self.crowd))
            });
        }
        let downloaders = said.asks_as != AsksAs::Downloader;
        let [v4, v6] = [false, true]
            .map(|is_v6| self.truth.bounds(torrent, &said.seen, Group::of_family(downloaders, is_v6), 0).0);
        let due = (v4 + v6).min(said.numwant.unwrap_or(FEW)).min(FEW);
        if due > 0 {
            self.checks.expect(Check::Enough, given >= due, || {
                let there = v4 + v6;
                format!(
                    "{}: {given} peers are given, though there are {there} for it",
                    said.place(self.crowd)
                )
            });
        }
    }

    /// Takes down who was handed out, and who could have been.
    fn chances(&mut self, said: &Said, torrent: u32) {
        let asker = self.truth.records[said.peer as usize].standing.certain;
        let downloaders = said.asks_as != AsksAs::Downloader;
        for is_v6 in [false, true] {
            let group = Group::of_family(downloaders, is_v6);
            let Some(others) = self.truth.steady(torrent, &said.seen, group) else { return };
            let truth = &mut self.truth;
            let mut handed_out = 0;
            for whose in self.whose {
                let &Whose::Here(peer) = whose else { continue };
                let record = &mut truth.records[peer as usize];
                if record.standing.certain & group.bit() != 0 && peer != said.peer {
                    record.luck.take();
                    handed_out += 1;
                }
            }
            // where nobody is there, nothing is to be chosen from
            let odds = &mut truth.swarms[torrent as usize].luck;
            let chance = odds.note(downloaders, is_v6, handed_out.min(others), others);
            if asker & group.bit() != 0 {
                truth.records[said.peer as usize].luck.pass(chance);
            }
        }
    }
}
