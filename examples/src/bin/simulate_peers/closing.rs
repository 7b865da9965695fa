//! When the run is over: what is judged by all of it, and why some was not checked.

use std::time::Duration;

use examples::terminal::grouped;

use crate::checks::Check;
use crate::fairness;
use crate::simulation::Simulation;
use crate::view::seconds;

impl Simulation<'_> {
    /// Makes up the last checks.
    pub(crate) fn close(&mut self) {
        self.judge_fairness();
        self.say_why_not();
        let checks = &mut self.checks;
        let exact =
            if checks.bounded == 0 { 0.0 } else { 100.0 * checks.exact as f64 / checks.bounded as f64 };
        checks.note(Check::Counts, format!("of all counts {exact:.0} % could have one right value only"));
    }

    fn judge_fairness(&mut self) {
        for (record, &torrent) in self.truth.records.iter_mut().zip(&self.truth.torrent_of) {
            let certain = record.standing.certain;
            record.luck.turn(&self.truth.swarms[torrent as usize].luck, record.is_v6, certain, 0);
        }
        let outcome = fairness::judge(self.truth.records.iter().map(|record| &record.luck));
        let checks = &mut self.checks;
        if outcome.peers == 0 {
            let why = "too few answers had a choice to make: no torrent is much larger than an answer";
            checks.not_checked(Check::Fairness, why);
            return;
        }
        checks.add(Check::Fairness, outcome.handed_out as usize);
        let note = format!(
            "{} peers differ {:.3} times as much as by chance",
            grouped(outcome.peers),
            outcome.spread
        );
        checks.note(Check::Fairness, note);
        if let Some((peer, times, expected)) = outcome.favourite {
            let person = &self.crowd.people[peer as usize];
            let (addr, torrent) = (self.crowd.addr(person), self.crowd.name(person.torrent));
            checks.fail(Check::Fairness, || {
                format!("{addr} in torrent {torrent} was handed out {times} times, and should have been about {expected:.0}")
            });
        } else if outcome.is_uneven {
            checks.fail(Check::Fairness, || {
                format!(
                    "how often peers are handed out differs {:.2} times as much as by chance",
                    outcome.spread
                )
            });
        }
    }

    fn say_why_not(&mut self) {
        let timeout = seconds(self.truth.limits.timeout);
        let checks = &mut self.checks;
        for &check in &self.plan.skip {
            checks.not_checked(check, "left out by --skip");
        }
        if self.truth.deaths == 0 {
            let why = format!("nobody was silent for longer than the timeout of {timeout} in this run");
            checks.not_checked(Check::Dead, why);
        }
        if self.truth.records.iter().all(|record| record.gone.is_none()) {
            checks.not_checked(Check::Left, "nobody has left in this run");
        }
        if self.crowd.torrents.len() == 1 {
            checks.not_checked(Check::Torrents, "there is one torrent only");
        }
        if self.before.iter().all(Option::is_none) {
            checks
                .not_checked(Check::Completions, "how many there were before is not known without a scrape");
        }
        if let Some(why) = &self.no_scrape {
            checks.not_checked(Check::Scrapes, why);
            checks.not_checked(Check::Empty, why);
        }
        for (check, why) in [
            (Check::Address, "no answer has an external ip"),
            (Check::Ids, "no answer has ids of peers"),
            (Check::Seeders, "no seeder was given anybody"),
            (Check::Partial, "no seeder was given anybody"),
            (Check::Stopped, "nobody has left in this run"),
        ] {
            if checks.get(check).cases == 0 {
                checks.not_checked(check, why);
            }
        }
        if checks.get(Check::Empty).cases == 0 {
            let why = format!(
                "the tracker may count those who vanished for {timeout}, longer than this run goes on"
            );
            checks.not_checked(Check::Empty, why);
        }
        for &check in Check::all() {
            if checks.get(check).cases == 0 {
                checks.not_checked(check, "it did not come to it");
            }
        }
    }
}

/// Whether this run was long enough for its tracker's interval: a sentence if not.
pub(crate) fn too_short(interval: Option<u64>, length: Duration) -> Option<String> {
    let interval = Duration::from_secs(interval?);
    (interval * 2 > length).then(|| {
        let (interval, length) = (seconds(interval), seconds(length));
        format!("the tracker's interval is {interval}: in {length} few peers announce again; a short one shows more, see --help")
    })
}
