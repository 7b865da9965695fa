use super::*;
use crate::period::DAY;

/// The begin of an hour.
pub(super) const T: u64 = 1_790_000_000 / HOUR * HOUR;

/// A sample of which gauges are `gauge` and counters `count`, taken `at` seconds after `T`.
pub(super) fn sample(at: u64, over: u32, gauge: u64, count: u64) -> Sample {
    Sample {
        time: T + at,
        over,
        torrents: gauge,
        peers: gauge * 10,
        seeders: gauge * 4,
        leechers: gauge * 6,
        completed: gauge,
        announces: count,
        scrapes: count / 2,
        errors: count / 3,
    }
}

pub(super) fn series_of(samples: &[Sample]) -> Series {
    let mut series = Series::new();
    samples.iter().for_each(|sample| series.push(sample));
    series
}

/// The buckets that are there, as seconds after `T`.
pub(super) fn buckets(series: &Series, grouping: Grouping, at: u64) -> Vec<(u64, Point)> {
    let columns = series.query(Period::Week, grouping, T + at);
    let pairs = columns.times.into_iter().zip(columns.points);
    pairs.filter_map(|(time, point)| point.map(|point| (time - T, point))).collect()
}

pub(super) fn announces(series: &Series, grouping: Grouping, at: u64) -> Vec<(u64, u64)> {
    buckets(series, grouping, at).into_iter().map(|(time, point)| (time, point.announces)).collect()
}

#[test]
fn a_minute_has_the_gauges_of_its_last_sample_and_the_sum_of_its_counters() {
    let series = series_of(&[sample(10, 10, 1, 5), sample(40, 30, 9, 6), sample(60, 20, 3, 7)]);
    let minutes = buckets(&series, Grouping::Minute, 60);
    let expected = Point {
        torrents: 3,
        peers: 30,
        seeders: 12,
        leechers: 18,
        completed: 3,
        announces: 18,
        scrapes: 8,
        errors: 5,
        covered: 60,
    };
    assert_eq!(minutes, [(0, expected)], "a sample at the end of a minute is in that minute");
}

#[test]
fn an_hour_has_the_mean_over_time_and_the_last_running_total() {
    // a quarter at 100 torrents, three quarters at 20
    let series = series_of(&[sample(900, 900, 100, 1), sample(3600, 2700, 20, 2)]);
    let hours = buckets(&series, Grouping::Hour, 3600);
    assert_eq!(hours.len(), 1);
    assert_eq!((hours[0].1.torrents, hours[0].1.peers, hours[0].1.completed), (40, 400, 20));
    assert_eq!(hours[0].1.announces, 3);
    let hour = series.hours[&T];
    assert_eq!((hour.covered, hour.torrents.min, hour.torrents.max), (3600, 20, 100));
}

#[test]
fn a_sample_of_five_minutes_fills_five_minutes() {
    let series = series_of(&[sample(300, 300, 7, 52)]);
    let minutes = buckets(&series, Grouping::Minute, 300);
    assert_eq!(minutes.iter().map(|(time, _)| *time).collect::<Vec<_>>(), [0, 60, 120, 180, 240]);
    assert!(minutes.iter().all(|(_, point)| point.torrents == 7));
    assert_eq!(minutes.iter().map(|(_, point)| point.announces).sum::<u64>(), 52);
    assert!(minutes.iter().all(|(_, point)| (10..=11).contains(&point.announces)), "evenly");
}

#[test]
fn a_sample_between_two_minutes_or_hours_is_split_in_proportion() {
    let series = series_of(&[sample(3630, 60, 7, 60)]);
    assert_eq!(announces(&series, Grouping::Minute, 3630), [(3540, 30), (3600, 30)]);
    assert_eq!(announces(&series, Grouping::Hour, 3630), [(0, 30), (3600, 30)]);
    let series = series_of(&[sample(3601, 4, 7, 60)]);
    assert_eq!(announces(&series, Grouping::Hour, 3630), [(0, 45), (3600, 15)]);
}

#[test]
fn where_no_sample_is_there_is_a_gap() {
    let series = series_of(&[sample(60, 60, 1, 1), sample(240, 60, 0, 0)]);
    let columns = series.query(Period::Hour, Grouping::Minute, T + 299);
    let there: Vec<_> = columns.points.iter().rev().take(5).map(Option::is_some).collect();
    assert_eq!(there, [false, true, false, false, true], "nothing is not zero");
    let zero = Point { covered: 60, ..Point::default() };
    assert_eq!(columns.points[columns.points.len() - 2], Some(zero), "zero is not nothing");
}

#[test]
fn each_period_has_as_many_buckets_as_it_takes() {
    let series = series_of(&[sample(60, 60, 1, 1)]);
    let lengths = [
        (Period::Hour, 61, 2),
        (Period::FiveHours, 301, 6),
        (Period::Day, 1441, 25),
        (Period::ThreeDays, 4321, 73),
        (Period::Week, 10_081, 169),
        (Period::Month, 721, 721),
    ];
    // whatever the second, in the first of a bucket and in the last
    for now in [T, T + 1, T + 59, T + 60, T + 3599] {
        for (period, minutes, hours) in lengths {
            for (grouping, length) in [(Grouping::Minute, minutes), (Grouping::Hour, hours)] {
                let range = series.range(period, grouping, now);
                assert_eq!(range.times().len(), length, "{period} by the {grouping}");
                let used = if period == Period::Month { Grouping::Hour } else { grouping };
                assert_eq!(range.grouping, used, "{period}");
                assert!((range.last..range.last + used.step()).contains(&now));
                let times: Vec<_> = range.times().collect();
                assert!(times.windows(2).all(|pair| pair[1] - pair[0] == used.step()));
                assert_eq!((times[0], times[times.len() - 1]), (range.first, range.last));
                assert_eq!(series.query(period, grouping, now).points.len(), length);
            }
        }
    }
}

#[test]
fn all_begins_with_the_first_sample_and_two_years_back_at_most() {
    let all = |series: &Series, now| series.range(Period::All, Grouping::Minute, now);
    assert_eq!(all(&Series::new(), T + 5).times().collect::<Vec<_>>(), [T], "and now, where there is none");
    let one = series_of(&[sample(60, 60, 1, 1)]);
    assert_eq!(
        all(&one, T + 3 * HOUR).times().collect::<Vec<_>>(),
        [T, T + HOUR, T + 2 * HOUR, T + 3 * HOUR]
    );
    assert_eq!(all(&one, T + 5 * HOURS_KEPT).times().len(), 1, "what is older does not count");
    assert_eq!(all(&one, T + HOURS_KEPT).times().len(), HOURS);
    assert_eq!(all(&one, T - 7 * DAY).times().len(), 1, "a clock that went back");
    assert_eq!(all(&one, 0).times().len(), 1);
    assert_eq!(one.query(Period::All, Grouping::Minute, u64::MAX).times.len(), 1);
}

#[test]
fn no_more_is_kept_than_is_shown() {
    let mut series = Series::new();
    for hour in 0..HOURS as u64 + 50 {
        series.push_hour(&Hour { time: T + hour * HOUR, covered: 3600, ..Hour::default() });
    }
    assert_eq!((series.hours.len(), *series.hours.keys().next().unwrap()), (HOURS, T + 50 * HOUR));
    for minute in 1..=MINUTES as u64 + 50 {
        series.push(&sample(minute * 60, 60, 1, 1));
    }
    assert_eq!((series.minutes.len(), *series.minutes.keys().next().unwrap()), (MINUTES, T + 50 * 60));
}

#[test]
fn a_clock_that_was_wrong_costs_nothing_that_is_right() {
    let mut series = Series::new();
    let far = 20 * 365 * DAY;
    for minute in 1..=2 * MINUTES as u64 {
        series.push(&sample(far + minute * 60, 60, 1, 1));
    }
    for minute in 1..=2 * MINUTES as u64 {
        series.push(&sample(minute * 60, 60, 1, 1));
    }
    let now = 2 * MINUTES as u64 * 60;
    let week = series.query(Period::Week, Grouping::Minute, T + now - 1);
    assert!(week.points.iter().all(Option::is_some), "a week that is right follows a week that is not");
    assert_eq!(buckets(&series, Grouping::Hour, now - 1).len(), 169);
}

#[test]
fn a_clock_that_jumps_makes_a_gap_or_adds_up() {
    let back = series_of(&[sample(600, 60, 5, 10), sample(120, 60, 6, 10), sample(600, 60, 7, 10)]);
    assert_eq!(announces(&back, Grouping::Minute, 600), [(60, 10), (540, 20)]);
    assert_eq!(buckets(&back, Grouping::Minute, 600)[1].1.torrents, 7, "the last one counts");
    let forth = series_of(&[sample(60, 60, 5, 10), sample(7200 + 60, 60, 6, 10)]);
    assert_eq!(announces(&forth, Grouping::Hour, 7300), [(0, 10), (7200, 10)]);
}

#[test]
pub(super) fn samples_that_make_no_sense_cost_little() {
    let mut series = Series::new();
    for time in [0, 1, 59, HOUR, T, u64::MAX - 1, u64::MAX] {
        for over in [0, 1, u32::MAX] {
            let odd = Sample { time, over, announces: u64::MAX, completed: u64::MAX, ..Sample::default() };
            series.push(&odd);
            series.push_again(&odd);
            let _ = series.with(&odd).query(Period::Week, Grouping::Minute, time);
            let hour = Hour { time, covered: over, announces: u64::MAX, ..Hour::default() };
            series.push_hour(&hour);
            for now in [0, T, u64::MAX] {
                for period in Period::ALL {
                    assert!(series.query(period, Grouping::Hour, now).times.len() <= HOURS);
                }
            }
        }
    }
    assert!(series.minutes.len() <= MINUTES && series.hours.len() <= HOURS && series.open.len() <= HOURS);
    let (samples, hours) = series.records();
    assert!(samples.count() <= MINUTES && hours.count() <= HOURS);
    let _ = series.close_hours(u64::MAX);
}

#[test]
fn an_hour_that_does_not_begin_with_one_hides_no_other() {
    let mut series = Series::new();
    for time in [T + 7, T + HOUR] {
        series.push_hour(&Hour { time, covered: 60, announces: 1, ..Hour::default() });
    }
    assert_eq!(announces(&series, Grouping::Hour, 2 * HOUR), [(0, 1), (HOUR, 1)]);
}

#[test]
fn each_hour_is_closed_once_and_then_only_what_came_after() {
    let mut series = series_of(&[sample(3600, 3600, 5, 36)]);
    assert_eq!(series.close_hours(T + HOUR - 1), [], "it is not over");
    let closed = series.close_hours(T + HOUR);
    assert_eq!((closed.len(), closed[0].time, closed[0].covered, closed[0].announces), (1, T, 3600, 36));
    assert_eq!(series.close_hours(T + HOUR), []);
    // the clock has gone back a little
    series.push(&sample(3600, 60, 8, 4));
    series.push(&sample(3660, 60, 8, 4));
    let after = series.close_hours(T + HOUR + 60);
    assert_eq!((after.len(), after[0].covered, after[0].announces, after[0].peers.mean), (1, 60, 4, 80.0));
    assert_eq!(announces(&series, Grouping::Hour, HOUR + 60), [(0, 40), (HOUR, 4)], "both are in the hour");
    let last = series.close_hours(T + 2 * HOUR);
    assert_eq!((last.len(), last[0].time, last[0].covered), (1, T + HOUR, 60));
    assert_eq!(Series::new().close_hours(0), []);
    let mut first = Series::new();
    first.push(&Sample { time: 60, over: 60, ..Sample::default() });
    assert_eq!(
        (first.close_hours(100), first.close_hours(HOUR).len()),
        (vec![], 1),
        "at the beginning of time"
    );
}

#[test]
fn hours_that_are_written_down_do_not_count_again() {
    let mut series = Series::new();
    series.push_hour(&Hour { time: T, covered: 3600, announces: 60, ..Hour::default() });
    series.push_again(&sample(60, 60, 1, 1));
    series.push_again(&sample(3660, 120, 1, 2));
    assert_eq!(announces(&series, Grouping::Hour, 2 * HOUR), [(0, 60), (HOUR, 1)]);
    assert_eq!(announces(&series, Grouping::Minute, 2 * HOUR), [(0, 1), (3540, 1), (3600, 1)]);
    let closed = series.close_hours(T + 2 * HOUR);
    assert_eq!(closed.iter().map(|hour| (hour.time, hour.announces)).collect::<Vec<_>>(), [(T + HOUR, 1)]);
}

#[test]
fn what_a_lost_file_is_made_again_from_is_the_same() {
    let mut series = Series::new();
    for minute in 1..=150 {
        series.push(&sample(minute * 60, 60, minute, minute));
    }
    series.close_hours(T + 150 * 60);
    let (samples, hours) = series.records();
    let mut again = Series::new();
    hours.for_each(|hour| again.push_hour(&hour));
    samples.for_each(|sample| again.push_again(&sample));
    for grouping in Grouping::ALL {
        assert_eq!(buckets(&again, grouping, 9000), buckets(&series, grouping, 9000));
    }
}
