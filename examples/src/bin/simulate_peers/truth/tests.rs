use super::*;

const LEECHER: Groups = Group::Incomplete.bit() | Group::Downloader4.bit() | Group::Peer4.bit();
const SEEDER: Groups = Group::Complete.bit() | Group::Peer4.bit();

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn truth(peers: usize) -> Truth {
    let limits = Limits { timeout: at(8), sweep: at(1), grace: at(1) };
    Truth::new(limits, 1, std::iter::repeat_n((0, false), peers))
}

#[test]
fn counts_are_exact_where_nothing_is_on_its_way() {
    let mut truth = truth(3);
    let mut seen = truth.begin(0, LEECHER, false, at(1));
    assert_eq!(truth.bounds(0, &seen, Group::Incomplete, LEECHER), (1, 1));
    truth.settle(0, LEECHER, false, at(1), at(2));
    seen = truth.begin(1, SEEDER, false, at(2));
    assert_eq!(truth.bounds(0, &seen, Group::Incomplete, SEEDER), (1, 1));
    assert_eq!(truth.bounds(0, &seen, Group::Complete, SEEDER), (1, 1));
}

#[test]
fn what_is_on_its_way_may_have_happened_or_not() {
    let mut truth = truth(3);
    truth.begin(0, LEECHER, false, at(1));
    truth.settle(0, LEECHER, false, at(1), at(1));
    let seen = truth.look(0, at(2));
    truth.begin(0, SEEDER, true, at(2));
    assert_eq!(truth.bounds(0, &seen, Group::Incomplete, 0), (0, 1));
    assert_eq!(truth.bounds(0, &seen, Group::Complete, 0), (0, 1));
    assert_eq!(truth.completions(0, &seen), (0, 1));
    truth.settle(0, SEEDER, true, at(2), at(3));
    // still so for a request that was sent before
    assert_eq!(truth.bounds(0, &seen, Group::Complete, 0), (0, 1));
    let seen = truth.look(0, at(3));
    assert_eq!(truth.bounds(0, &seen, Group::Complete, 0), (1, 1));
    assert_eq!(truth.completions(0, &seen), (1, 1));
    assert_eq!(truth.records[0].seeder_since, Some(at(3)));
}

#[test]
fn a_completion_counts_once_however_often_it_is_said() {
    let mut truth = truth(1);
    truth.begin(0, LEECHER, false, at(1));
    truth.settle(0, LEECHER, false, at(1), at(1));
    truth.begin(0, SEEDER, true, at(2));
    truth.doubt(0, at(2));
    for again in [8, 9] {
        truth.begin(0, SEEDER, true, at(again));
        truth.settle(0, SEEDER, true, at(again), at(again));
    }
    let seen = truth.look(0, at(9));
    assert_eq!(truth.completions(0, &seen), (1, 1));
}

#[test]
fn while_a_lost_announce_may_arrive_nothing_is_certain() {
    let mut truth = truth(1);
    truth.begin(0, LEECHER, false, at(1));
    truth.doubt(0, at(2));
    for again in [3, 4] {
        // the lost one may make it a leecher in between
        truth.begin(0, SEEDER, true, at(again));
        truth.settle(0, SEEDER, true, at(again), at(again));
    }
    let seen = truth.look(0, at(4));
    assert_eq!(truth.completions(0, &seen), (1, 2));
    assert_eq!(truth.bounds(0, &seen, Group::Incomplete, 0), (0, 1));
    assert_eq!(truth.bounds(0, &seen, Group::Complete, 0), (0, 1));
}

#[test]
fn the_silent_are_certain_then_possible_then_gone() {
    let mut truth = truth(1);
    truth.begin(0, LEECHER, false, at(1));
    assert_eq!(truth.settle(0, LEECHER, false, at(1), at(2)), Some(at(8)));
    let bounds = |truth: &Truth| truth.bounds(0, &truth.look(0, at(0)), Group::Incomplete, 0);
    assert_eq!(bounds(&truth), (1, 1));
    assert_eq!(truth.all_forgotten_at(), at(12));
    assert_eq!(truth.expire(0, at(8)), Some(at(12)));
    assert_eq!(bounds(&truth), (0, 1));
    assert_eq!((truth.silence(0, at(11)), truth.silence(0, at(12))), (None, Some(at(10))));
    assert_eq!(truth.expire(0, at(12)), None);
    assert_eq!((bounds(&truth), truth.deaths), ((0, 0), 1));
}

#[test]
fn who_has_left_is_gone_at_once() {
    let mut truth = truth(1);
    truth.begin(0, SEEDER, false, at(1));
    truth.settle(0, SEEDER, false, at(1), at(1));
    truth.begin(0, 0, false, at(2));
    truth.settle(0, 0, false, at(2), at(3));
    let seen = truth.look(0, at(3));
    assert_eq!(truth.bounds(0, &seen, Group::Complete, 0), (0, 0));
    assert_eq!((truth.records[0].gone, truth.records[0].seeder_since), (Some(at(3)), None));
}

#[test]
fn only_answers_during_which_nothing_changed_are_steady() {
    let mut truth = truth(2);
    truth.begin(0, LEECHER, false, at(1));
    truth.settle(0, LEECHER, false, at(1), at(1));
    let seen = truth.begin(1, LEECHER, false, at(2));
    assert_eq!(truth.steady(0, &seen, Group::Peer4), Some(1));
    truth.begin(0, SEEDER, true, at(3));
    assert_eq!(truth.steady(0, &seen, Group::Peer4), None);
}
