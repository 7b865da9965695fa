//! A series against a model that counts second by second.

use proptest::prelude::*;

use super::tests::{T, announces, buckets, sample, series_of};
use super::*;

/// Second by second: the gauge in each, and what was counted in it.
#[derive(Default)]
struct Naive {
    seconds: Vec<(u64, u64, u64)>,
}

impl Naive {
    fn push(&mut self, sample: &Sample) {
        let begin = sample.time - u64::from(sample.over);
        if sample.over == 0 {
            self.seconds.push((sample.time, sample.peers, sample.announces));
        }
        for second in 0..u64::from(sample.over) {
            let until = |end: u64| sample.announces * end / u64::from(sample.over);
            self.seconds.push((begin + second, sample.peers, until(second + 1) - until(second)));
        }
    }

    /// The last gauge, the mean, and the sum of the bucket at `time`, if there is anything in it.
    fn bucket(&self, time: u64, step: u64) -> Option<(u64, f64, u64)> {
        let inside = || self.seconds.iter().filter(|second| (time..time + step).contains(&second.0));
        let last = inside().next_back()?.1;
        let mean = inside().map(|second| second.1 as f64).sum::<f64>() / inside().count() as f64;
        Some((last, mean, inside().map(|second| second.2).sum()))
    }
}

fn any_samples() -> impl Strategy<Value = Vec<Sample>> {
    // pauses, and samples of any length; the first begins in the middle of an hour
    let one = (prop_oneof![3 => Just(0), 1 => 1..9000_u64], 1..400_u32, 0..1000_u64, 0..100_000_u64);
    proptest::collection::vec(one, 1..40).prop_map(|steps| {
        let mut at = 1234;
        let samples = steps.into_iter().map(|(pause, over, gauge, count)| {
            at += pause + u64::from(over);
            sample(at, over, gauge, count)
        });
        samples.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn it_is_as_if_every_second_had_been_counted(samples in any_samples()) {
        let series = series_of(&samples);
        let mut naive = Naive::default();
        samples.iter().for_each(|sample| naive.push(sample));
        let now = samples.last().unwrap().time;
        let mut counted = 0;
        for grouping in Grouping::ALL {
            let columns = series.query(Period::Week, grouping, now);
            // where nothing can be there is nothing
            let first = columns.times.partition_point(|time| time + grouping.step() <= T);
            prop_assert!(columns.points[..first].iter().all(Option::is_none));
            for (&time, point) in columns.times[first..].iter().zip(&columns.points[first..]) {
                let expected = naive.bucket(time, grouping.step());
                prop_assert_eq!(point.is_some(), expected.is_some());
                let (Some(point), Some((last, mean, sum))) = (point, expected) else { continue };
                prop_assert_eq!(point.announces, sum);
                counted += point.announces;
                match grouping {
                    Grouping::Minute => prop_assert_eq!(point.peers, last),
                    Grouping::Hour => prop_assert!((point.peers as f64 - mean).abs() < 0.501, "{} {}", point.peers, mean),
                }
            }
        }
        let all: u64 = samples.iter().map(|sample| sample.announces).sum();
        prop_assert_eq!(counted, 2 * all, "no announce is lost");
    }

    #[test]
    fn a_sample_that_is_not_over_is_shown_as_if_it_were_pushed(samples in any_samples()) {
        let (live, before) = samples.split_last().unwrap();
        let series = series_of(before);
        let tail = series.with(live);
        let mut pushed = series.clone();
        pushed.push(live);
        for grouping in Grouping::ALL {
            let touched: Vec<_> = parts(live, grouping).map(|(time, _)| time).collect();
            let of = |series: &Series| {
                let columns = series.query(Period::Week, grouping, live.time);
                let pairs = columns.times.into_iter().zip(columns.points);
                pairs.filter(|(time, _)| touched.contains(time)).collect::<Vec<_>>()
            };
            prop_assert_eq!(of(&tail), of(&pushed));
            prop_assert!(buckets(&tail, grouping, live.time - T).len() <= touched.len(), "and nothing else is in it");
        }
    }

    #[test]
    fn hours_are_closed_with_all_that_was_counted(samples in any_samples(), every in 1..5_usize) {
        let mut series = Series::new();
        let mut written = Series::new();
        let (mut counted, mut covered) = (0, 0);
        for (n, sample) in samples.iter().enumerate() {
            series.push(sample);
            let is_last = n + 1 == samples.len();
            let now = if is_last { sample.time + HOUR } else { sample.time };
            if n % every == 0 || is_last {
                for hour in series.close_hours(now) {
                    prop_assert!(hour.time + HOUR <= now);
                    counted += hour.announces;
                    covered += hour.covered;
                    written.push_hour(&hour);
                }
            }
        }
        prop_assert_eq!(counted, samples.iter().map(|sample| sample.announces).sum::<u64>());
        prop_assert_eq!(covered, samples.iter().map(|sample| sample.over).sum::<u32>());
        let now = samples.last().unwrap().time - T;
        prop_assert_eq!(announces(&written, Grouping::Hour, now), announces(&series, Grouping::Hour, now));
    }
}
