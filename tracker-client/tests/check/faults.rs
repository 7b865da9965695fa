//! One fault each.

use std::time::{Duration, Instant};

use tracker_client::check::{Finding, Level, MOST_REQUESTS, Options, Report, check};

use crate::fake::{Fake, Fault};

/// Long enough for any answer, and short where one is waited for in vain.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(1500);

pub(crate) fn options() -> Options {
    Options { timeout: TIMEOUT, ..Options::default() }
}

/// What is not as it should be, apart from what cannot be otherwise on loopback.
pub(crate) fn found(report: &Report) -> Vec<(&'static str, Level)> {
    let is_of_loopback =
        |finding: &&Finding| finding.check == "swarm.address" && finding.level == Level::Note;
    let bad = report.findings.iter().filter(|finding| finding.level > Level::Ok && !is_of_loopback(finding));
    bad.map(|finding| (finding.check, finding.level)).collect()
}

#[track_caller]
fn finds(fault: Fault, expected: &[(&'static str, Level)]) -> Report {
    let fake = Fake::start(fault);
    let report = check(&fake.url(), &options()).unwrap();
    assert_eq!(found(&report), expected, "{fault:?}: {report:#?}");
    assert!(report.requests <= MOST_REQUESTS && fake.asked() <= report.requests as usize, "{fault:?}");
    for finding in &report.findings {
        assert!(!finding.asked.is_empty() && !finding.came.is_empty(), "{finding:?}");
        assert!(!finding.came.ends_with('.') || finding.came.ends_with("\"."), "{finding:?}");
    }
    report
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    let fake = Fake::start(Fault::Nothing);
    let report = check(&fake.url(), &options()).unwrap();
    assert_eq!(found(&report), [], "{report:#?}");
    assert!(report.findings.len() > 25, "{report:#?}");
    assert_eq!((fake.asked(), fake.members()), (report.requests as usize, 0), "all have left");
}

#[test]
fn what_is_no_tracker_is_one_finding() {
    for (fault, level, part) in [
        (Fault::IsNotFound, Level::Wrong, "404"),
        (Fault::IsAWebPage, Level::Wrong, "HTML"),
        (Fault::IsOutOfOrder, Level::Wrong, "database is down"),
        (Fault::ServesChosenTorrents, Level::Note, "not authorized"),
        (Fault::WantsAPasskey, Level::Note, "passkey"),
        (Fault::SaysTooMuchLength, Level::Wrong, "closed the connection before the end"),
    ] {
        let report = finds(fault, &[("announce", level)]);
        let finding = report.findings.iter().find(|finding| finding.check == "announce").unwrap();
        assert!(finding.came.contains(part), "{finding:?}");
    }
    finds(Fault::RefusesWithStatus403, &[("announce", Level::Note), ("announce.status", Level::Warning)]);
}

#[test]
fn a_tracker_of_chosen_torrents_is_told_how_to_be_checked() {
    let fake = Fake::start(Fault::ServesChosenTorrents);
    let report = check(&fake.url(), &options()).unwrap();
    let finding = report.findings.iter().find(|finding| finding.check == "announce").unwrap();
    assert!(finding.remedy.unwrap().contains("--info-hash"), "{finding:?}");
    // what needs no torrent is asked all the same
    for check in ["http.keep_alive", "http.head", "failure.missing"] {
        assert!(report.findings.iter().any(|finding| finding.check == check), "{check}: {report:#?}");
    }
    let named = Options { info_hash: Some("ab".repeat(20).parse().unwrap()), ..options() };
    let report = check(&fake.url(), &named).unwrap();
    assert_eq!(found(&report), [("announce", Level::Wrong)], "{report:#?}");
}

#[test]
fn how_the_answer_is_written() {
    use Level::{Note, Warning, Wrong};
    for (fault, check, level) in [
        (Fault::Compresses, "announce.encoding", Wrong),
        (Fault::SaysTooLittleLength, "announce.length", Wrong),
        (Fault::DoesNotSort, "announce.keys", Warning),
        (Fault::EndsWithALine, "announce.trailing", Warning),
        (Fault::ListsByDefault, "announce.peers", Warning),
        (Fault::LeavesOutNoPeers, "announce.peers", Wrong),
        (Fault::SendsEmptyPeers6, "announce.peers6", Warning),
        (Fault::HasNoInterval, "announce.interval", Wrong),
        (Fault::HasAnIntervalOf(59), "announce.interval", Warning),
        (Fault::HasAnIntervalOf(86_401), "announce.interval", Warning),
        (Fault::HasAMinIntervalOf(1801), "announce.min_interval", Warning),
        (Fault::HasNoCounts, "announce.counts", Warning),
        (Fault::Warns, "announce.warning", Note),
    ] {
        finds(fault, &[(check, level)]);
    }
    for fault in [Fault::HasAnIntervalOf(60), Fault::HasAnIntervalOf(86_400), Fault::HasAMinIntervalOf(1800)]
    {
        finds(fault, &[]);
    }
}

#[test]
fn who_is_told_of_whom() {
    use Level::{Note, Warning, Wrong};
    for (fault, check, level) in [
        (Fault::TellsOfNobody, "swarm.told", Wrong),
        (Fault::SwapsPorts, "swarm.told", Wrong),
        (Fault::TellsOfItself, "swarm.itself", Warning),
        (Fault::HandsOutAnotherAddress, "swarm.address", Wrong),
        (Fault::IsBehindAProxy, "swarm.address", Warning),
        (Fault::ListsWithoutAddresses, "announce.list", Wrong),
        (Fault::ListsIdsAnyway, "announce.no_peer_id", Note),
        (Fault::IgnoresNumwant, "announce.numwant", Warning),
        (Fault::KeepsTheStopped, "swarm.stopped", Wrong),
    ] {
        finds(fault, &[(check, level)]);
    }
}

#[test]
fn spellings_of_other_clients() {
    for (fault, check) in [
        (Fault::UpperCaseOnly, "query.lower_case"),
        (Fault::LettersAsTheyAre, "query.every_byte"),
        (Fault::RefusesTheUnknown, "query.unknown"),
    ] {
        finds(fault, &[(check, Level::Wrong)]);
    }
}

#[test]
fn the_http_around_it() {
    use Level::{Note, Warning, Wrong};
    for (fault, check, level) in [
        (Fault::ChunksForAll, "http.1_0", Wrong),
        (Fault::StaysOpenForAll, "http.1_0", Warning),
        (Fault::WantsHostAsWritten, "http.header_case", Wrong),
        (Fault::ClosesSilently, "http.keep_alive", Warning),
        (Fault::ClosesAlways, "http.keep_alive", Note),
        (Fault::ForgetsWhatIsAhead, "http.pipelining", Warning),
        (Fault::AnswersBackwards, "http.pipelining", Wrong),
        (Fault::SendsABodyToHead, "http.head", Note),
        (Fault::KnowsNoHead, "http.head", Note),
    ] {
        finds(fault, &[(check, level)]);
    }
}

#[test]
fn mistakes_of_clients() {
    let both = |level| [("failure.missing", level), ("failure.short", level)];
    finds(Fault::TakesAnyHash, &both(Level::Wrong));
    finds(Fault::Answers400WithoutAHash, &both(Level::Warning));
    finds(Fault::RefusesWithoutWords, &both(Level::Warning));
}

#[test]
fn scrapes() {
    use Level::{Note, Warning};
    for (fault, check, level) in [
        (Fault::HasNoScrape, "scrape", Note),
        (Fault::ScrapesNothing, "scrape", Warning),
        (Fault::ScrapesOne, "scrape.several", Warning),
        (Fault::CountsWrongly, "scrape.counts", Warning),
        (Fault::ScrapesTheKnownOnly, "scrape.several", Note),
        (Fault::ScrapesTheUnknown, "scrape.several", Warning),
        (Fault::CountsNoCompletions, "scrape.completed", Warning),
    ] {
        finds(fault, &[(check, level)]);
    }
}

#[test]
fn lists_that_are_refused_are_no_great_loss() {
    let both = [("announce.list", Level::Warning), ("announce.no_peer_id", Level::Warning)];
    finds(Fault::RefusesLists, &both);
}

#[test]
fn what_a_tracker_says_is_quoted_in_one_line_of_bounded_length() {
    let report = finds(Fault::ShoutsAtLength, &[("announce", Level::Wrong)]);
    let came = &report.findings.iter().find(|finding| finding.check == "announce").unwrap().came;
    assert!(came.chars().count() <= 301 && !came.chars().any(char::is_control), "{came:?}");
    assert!(came.contains("[2J"), "{came:?}");
}

#[test]
fn who_limits_the_pace_is_left_alone() {
    let report = finds(Fault::LimitsItsPace, &[("announce.no_peer_id", Level::Note)]);
    assert!(report.requests < 15, "{report:#?}");
}

#[test]
fn who_falls_silent_is_given_up() {
    let fake = Fake::start(Fault::FallsSilent);
    let options = Options { timeout: Duration::from_millis(200), ..options() };
    let begin = Instant::now();
    let report = check(&fake.url(), &options).unwrap();
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    assert!(report.requests < 12 && report.worst() == Level::Wrong, "{report:#?}");
}
