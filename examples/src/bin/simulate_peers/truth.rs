//! What the tracker must know, from what it was told and has answered.
//!
//! The tracker carries a request out at some moment between its being sent and its being answered. So a peer is *certainly*
//! a seeder from the answer to its announce on until it begins to say something else, and *possibly* one from the beginning of
//! the announce on until the next is answered; likewise where it is silent: it is certainly there until shortly before the timeout,
//! and possibly until the sweep after it. An answer is right if its counts lie between what was certain all the time from its request
//! to it, and what was possible at some time then. Where nothing is on its way, the two are the same.

use std::time::Duration;

use crate::fairness::Luck;

/// Sets of [`Group`]s, as bits.
pub(crate) type Groups = u8;

/// What a peer can be counted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// `complete`
    Complete,
    /// `incomplete`
    Incomplete,
    /// Peers that seeders are told of, in IPv4 and in IPv6.
    Downloader4,
    Downloader6,
    /// Peers at all.
    Peer4,
    Peer6,
}

const GROUPS: usize = 6;

impl Group {
    pub(crate) const fn bit(self) -> Groups {
        1 << self as u8
    }

    /// Downloaders, or all peers, of a family.
    pub(crate) const fn of_family(downloaders: bool, is_v6: bool) -> Group {
        match (downloaders, is_v6) {
            (true, false) => Group::Downloader4,
            (true, true) => Group::Downloader6,
            (false, false) => Group::Peer4,
            (false, true) => Group::Peer6,
        }
    }
}

/// What a peer is, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Standing {
    pub(crate) certain: Groups,
    pub(crate) possible: Groups,
}

/// What is known of a peer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    pub(crate) standing: Standing,
    /// When it first announced.
    pub(crate) first_sent: Option<Duration>,
    /// When the last announce was sent that was answered.
    surely_heard: Duration,
    /// When the tracker may have heard of it last.
    maybe_heard: Duration,
    /// Its announce is on its way since then.
    on_its_way: Option<Duration>,
    /// Until then an announce that got no answer may still arrive.
    doubt_until: Duration,
    /// When its `stopped` was answered.
    pub(crate) gone: Option<Duration>,
    /// Since when it is known to be no downloader, a seeder or a partial seed.
    pub(crate) seeder_since: Option<Duration>,
    pub(crate) partial_since: Option<Duration>,
    pub(crate) luck: Luck,
    pub(crate) is_v6: bool,
    /// The last answer that it was in.
    given: u32,
    may_count: bool,
    does_count: bool,
    is_watched: bool,
}

/// Peers of a torrent in one group.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    certain: u32,
    possible: u32,
    /// How often one became uncertain, in all, and how often one became possible.
    lost: u32,
    gained: u32,
}

/// A torrent's peers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Swarm {
    counts: [Count; GROUPS],
    /// Changes of what is certain.
    changes: u32,
    /// Completions that have certainly, and possibly, been counted.
    completions: (u32, u32),
    pub(crate) luck: crate::fairness::Odds,
}

/// What was known when a request was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) at: Duration,
    counts: [Count; GROUPS],
    changes: u32,
    completed: u32,
}

/// Times that decide when a silent peer is forgotten.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) timeout: Duration,
    pub(crate) sweep: Duration,
    pub(crate) grace: Duration,
}

/// Everything that is known.
#[derive(Debug)]
pub(crate) struct Truth {
    pub(crate) limits: Limits,
    pub(crate) records: Vec<Record>,
    pub(crate) swarms: Vec<Swarm>,
    pub(crate) torrent_of: Vec<u32>,
    /// Peers that have been silent for too long, so far.
    pub(crate) deaths: u64,
    /// The number of the answer that is looked at.
    pub(crate) answers: u32,
}

impl Truth {
    /// `peers` has the torrent of each, and whether it is on IPv6.
    pub(crate) fn new(limits: Limits, torrents: usize, peers: impl Iterator<Item = (u32, bool)>) -> Truth {
        let (torrent_of, records) =
            peers.map(|(torrent, is_v6)| (torrent, Record { is_v6, ..Record::default() })).unzip();
        Truth { limits, records, swarms: vec![Swarm::default(); torrents], torrent_of, deaths: 0, answers: 0 }
    }

    /// The peer begins to announce that it is in these groups; with `completes` that it has just completed. Returns what was
    /// known then of the others.
    pub(crate) fn begin(&mut self, peer: u32, target: Groups, completes: bool, now: Duration) -> Seen {
        let record = &mut self.records[peer as usize];
        record.first_sent.get_or_insert(now);
        record.on_its_way = Some(now);
        let standing = record.standing;
        if completes && standing.certain & Group::Complete.bit() == 0 {
            // once for a peer that says it again since it got no answer; again for one that may have been forgotten, or of
            // which an older announce may arrive yet
            if !record.may_count || record.does_count || now < record.doubt_until {
                self.swarms[self.torrent_of[peer as usize] as usize].completions.1 += 1;
            }
            record.may_count = true;
        }
        let next = Standing { certain: standing.certain & target, possible: standing.possible | target };
        self.stand(peer, next);
        let mut seen = self.look(self.torrent_of[peer as usize], now);
        for (group, count) in seen.counts.iter_mut().enumerate() {
            count.certain -= u32::from(next.certain >> group & 1);
            count.possible -= u32::from(next.possible >> group & 1);
        }
        seen
    }

    /// What is known now.
    pub(crate) fn look(&self, torrent: u32, now: Duration) -> Seen {
        let swarm = &self.swarms[torrent as usize];
        Seen { at: now, counts: swarm.counts, changes: swarm.changes, completed: swarm.completions.0 }
    }

    /// The announce that [began](Truth::begin) at `sent` has been answered. Says when the peer is to be looked at
    /// [again](Truth::expire), if it isn't already.
    pub(crate) fn settle(
        &mut self,
        peer: u32,
        target: Groups,
        completes: bool,
        sent: Duration,
        now: Duration,
    ) -> Option<Duration> {
        let limits = self.limits;
        let record = &mut self.records[peer as usize];
        record.on_its_way = None;
        record.maybe_heard = now;
        let is_doubtful = now < record.doubt_until;
        let possible = if is_doubtful { record.standing.possible | target } else { target };
        let is_late = now.saturating_sub(sent) + limits.grace > limits.timeout;
        let certain = if is_doubtful || is_late { 0 } else { target };
        record.surely_heard = sent;
        if completes && record.may_count && !record.does_count {
            record.does_count = true;
            self.swarms[self.torrent_of[peer as usize] as usize].completions.0 += 1;
        }
        let is_certain = |group: Group| certain & group.bit() != 0;
        let downloads = is_certain(Group::Downloader4) || is_certain(Group::Downloader6);
        set(&mut record.seeder_since, is_certain(Group::Complete), now);
        set(&mut record.partial_since, is_certain(Group::Incomplete) && !downloads, now);
        if target == 0 && !is_doubtful {
            record.gone.get_or_insert(now);
        }
        self.stand(peer, Standing { certain, possible });
        self.watch(peer)
    }

    /// The announce has got no answer: the tracker may have heard it, or may hear it yet.
    pub(crate) fn doubt(&mut self, peer: u32, now: Duration) -> Option<Duration> {
        let record = &mut self.records[peer as usize];
        record.on_its_way = None;
        record.doubt_until = now + Duration::from_secs(5);
        record.maybe_heard = record.doubt_until;
        (record.seeder_since, record.partial_since) = (None, None);
        let standing = Standing { certain: 0, ..record.standing };
        self.stand(peer, standing);
        self.watch(peer)
    }

    fn watch(&mut self, peer: u32) -> Option<Duration> {
        let record = &mut self.records[peer as usize];
        if record.is_watched || record.standing.possible == 0 {
            return None;
        }
        record.is_watched = true;
        Some(self.forgotten_from(peer))
    }

    /// When the tracker may forget the peer at the soonest.
    fn forgotten_from(&self, peer: u32) -> Duration {
        self.records[peer as usize].surely_heard + self.limits.timeout.saturating_sub(self.limits.grace)
    }

    /// Looks whether the tracker may have, or must have, forgotten the peer. Says when to look again.
    pub(crate) fn expire(&mut self, peer: u32, now: Duration) -> Option<Duration> {
        let Limits { timeout, sweep, grace } = self.limits;
        let soonest = self.forgotten_from(peer);
        let record = &self.records[peer as usize];
        let standing = record.standing;
        if standing.possible == 0 {
            self.records[peer as usize].is_watched = false;
            return None;
        }
        if standing.certain != 0 && now < soonest {
            return Some(soonest);
        }
        let latest = record.maybe_heard + timeout + sweep + grace;
        if record.on_its_way.is_some() || now < latest {
            self.stand(peer, Standing { certain: 0, ..standing });
            return Some(latest.max(now + timeout / 8));
        }
        self.deaths += 1;
        self.records[peer as usize].is_watched = false;
        self.stand(peer, Standing::default());
        None
    }

    /// The peer is in the answer that is looked at; false if it was found there before.
    pub(crate) fn mark(&mut self, peer: u32) -> bool {
        std::mem::replace(&mut self.records[peer as usize].given, self.answers) != self.answers
    }

    /// Whether nobody may hand the peer out in an answer to a request of `sent`, since it had been silent for too long.
    pub(crate) fn silence(&self, peer: u32, sent: Duration) -> Option<Duration> {
        let record = &self.records[peer as usize];
        let silent = sent.checked_sub(record.maybe_heard)?;
        let is_dead = record.on_its_way.is_none() && silent > self.limits.timeout + self.limits.grace;
        is_dead.then_some(silent)
    }

    /// When the last peer of a torrent must have been forgotten, if nobody announces any more. Only for peers that were there.
    pub(crate) fn all_forgotten_at(&self) -> Duration {
        let Limits { timeout, sweep, grace } = self.limits;
        let last = self.records.iter().filter(|record| record.standing.possible != 0);
        last.map(|record| record.maybe_heard + timeout + sweep + grace).max().unwrap_or_default()
    }

    /// How many peers of a group there were at the least, and at the most, from `seen` to now; those in `plus` beside.
    pub(crate) fn bounds(&self, torrent: u32, seen: &Seen, group: Group, plus: Groups) -> (u32, u32) {
        let (then, now) =
            (&seen.counts[group as usize], &self.swarms[torrent as usize].counts[group as usize]);
        let plus = u32::from(plus & group.bit() != 0);
        let lost = now.lost.wrapping_sub(then.lost);
        let gained = now.gained.wrapping_sub(then.gained);
        (then.certain.saturating_sub(lost) + plus, then.possible + gained + plus)
    }

    /// How many completions there were at the least and at the most.
    pub(crate) fn completions(&self, torrent: u32, seen: &Seen) -> (u32, u32) {
        (seen.completed, self.swarms[torrent as usize].completions.1)
    }

    /// How many peers of a group, the asker left out, were certainly there from `seen` to now; `None` if they were not the
    /// same ones all the time.
    pub(crate) fn steady(&self, torrent: u32, seen: &Seen, group: Group) -> Option<u32> {
        let swarm = &self.swarms[torrent as usize];
        (swarm.changes == seen.changes).then_some(seen.counts[group as usize].certain)
    }

    fn stand(&mut self, peer: u32, next: Standing) {
        let record = &mut self.records[peer as usize];
        let before = std::mem::replace(&mut record.standing, next);
        if before == next {
            return;
        }
        let swarm = &mut self.swarms[self.torrent_of[peer as usize] as usize];
        if before.certain != next.certain {
            swarm.changes = swarm.changes.wrapping_add(1);
            record.luck.turn(&swarm.luck, record.is_v6, before.certain, next.certain);
        }
        for (group, count) in swarm.counts.iter_mut().enumerate() {
            let bit = |groups: Groups| u32::from(groups >> group & 1);
            count.certain = count.certain + bit(next.certain) - bit(before.certain);
            count.possible = count.possible + bit(next.possible) - bit(before.possible);
            count.lost = count.lost.wrapping_add(bit(before.certain & !next.certain));
            count.gained = count.gained.wrapping_add(bit(next.possible & !before.possible));
        }
    }
}

fn set(since: &mut Option<Duration>, is_so: bool, now: Duration) {
    match (is_so, &since) {
        (false, _) => *since = None,
        (true, None) => *since = Some(now),
        (true, Some(_)) => {}
    }
}

#[cfg(test)]
mod tests;
