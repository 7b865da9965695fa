//! The series as text, in blocks that are made once, so that an answer is put together by copying.

use std::collections::BTreeMap;
use std::ops::Range as Numbers;

use tracker_store::{Grouping, HOURS_KEPT, MINUTES_KEPT, Point, Range, Sample, Series};

/// Buckets in a block.
const BLOCK: u64 = 64;

/// The columns of the series, in the order in which they stand in an answer.
pub(super) const COLUMNS: [&str; 9] =
    ["time", "torrents", "peers", "seeders", "leechers", "completed", "announces", "scrapes", "covered"];

/// The text of those buckets that are over, each number with a comma behind it.
#[derive(Debug, Default)]
pub struct Rendered {
    minutes: BTreeMap<u64, Block>,
    hours: BTreeMap<u64, Block>,
}

/// The text of [`BLOCK`] buckets, column after column.
#[derive(Debug)]
struct Block {
    text: Box<[u8]>,
    ends: [u32; COLUMNS.len()],
}

type Bucket = (u64, Option<Point>);

impl Rendered {
    /// The text of a series, of buckets before `now`.
    pub fn of(series: &Series, now: u64) -> Rendered {
        let mut rendered = Rendered::default();
        for grouping in Grouping::ALL {
            rendered.fill(series, grouping, now);
        }
        rendered
    }

    /// Takes in that `series` has got `sample`.
    pub fn update(&mut self, series: &Series, sample: &Sample) {
        for grouping in Grouping::ALL {
            let size = BLOCK * grouping.step();
            let begin = sample.time.saturating_sub(u64::from(sample.over));
            // after the wall clock was set back these are not the last ones
            for block in begin / size..=sample.time / size {
                self.blocks_mut(grouping).remove(&block);
            }
            self.fill(series, grouping, sample.time);
        }
    }

    /// Writes the columns of a range, each with its name, as members of a JSON object. `tail` has the buckets that are not
    /// over, as they are now: those from its first one on come from it.
    pub(super) fn write(&self, out: &mut Vec<u8>, series: &Series, range: Range, tail: &Tail) {
        let segments = self.segments(series, range, tail);
        for (column, name) in COLUMNS.into_iter().enumerate() {
            out.extend_from_slice(if column == 0 { b"\"" } else { b",\"" });
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":[");
            for segment in &segments {
                match segment {
                    Segment::Text(block) => out.extend_from_slice(block.column(column)),
                    Segment::Buckets(buckets) => write_numbers(out, column, buckets.iter().copied()),
                    Segment::Gap(times) if column == 0 => {
                        write_numbers(out, column, times.times().map(|time| (time, None)));
                    }
                    Segment::Gap(_) => out.extend_from_slice(&NULLS),
                }
            }
            // the comma behind the last number
            out.pop();
            out.push(b']');
        }
    }

    /// What the columns of a range are put together from.
    fn segments(&self, series: &Series, range: Range, tail: &Tail) -> Vec<Segment<'_>> {
        let step = range.grouping.step();
        let size = BLOCK * step;
        // buckets before this are over
        let over = tail.first(range.grouping).clamp(range.first, range.last);
        let buckets = |series: &Series, first: u64, end: u64| match first < end {
            true => Segment::Buckets(series.points(Range { first, last: end - step, ..range }).collect()),
            false => Segment::Buckets(Vec::new()),
        };
        let whole = range.first.div_ceil(size)..over / size;
        if whole.is_empty() {
            return vec![buckets(series, range.first, over), buckets(&tail.series, over, range.last + step)];
        }
        let blocks = self.blocks(range.grouping);
        let mut segments = vec![buckets(series, range.first, whole.start * size)];
        segments.extend(whole.clone().map(|number| {
            let times = Range { first: number * size, last: (number + 1) * size - step, ..range };
            match blocks.get(&number) {
                Some(block) => Segment::Text(block),
                // what a clock that jumped has left out
                None if series.points(times).any(|(_, point)| point.is_some()) => {
                    buckets(series, times.first, times.last + step)
                }
                None => Segment::Gap(times),
            }
        }));
        segments.push(buckets(series, whole.end * size, over));
        segments.push(buckets(&tail.series, over, range.last + step));
        segments
    }

    /// Makes the text of all blocks that are over and kept, as far as it is not there.
    fn fill(&mut self, series: &Series, grouping: Grouping, now: u64) {
        let kept = match grouping {
            Grouping::Minute => MINUTES_KEPT,
            Grouping::Hour => HOURS_KEPT,
        };
        let size = BLOCK * grouping.step();
        // before the first sample there is nothing to be written down
        let first = series.range(tracker_store::Period::All, Grouping::Hour, now).first;
        let wanted = now.saturating_sub(kept).max(first) / size..now / size;
        let blocks = self.blocks_mut(grouping);
        blocks.retain(|block, _| wanted.contains(block));
        for block in wanted {
            blocks.entry(block).or_insert_with(|| Block::of(series, grouping, block));
        }
    }

    fn blocks(&self, grouping: Grouping) -> &BTreeMap<u64, Block> {
        match grouping {
            Grouping::Minute => &self.minutes,
            Grouping::Hour => &self.hours,
        }
    }

    fn blocks_mut(&mut self, grouping: Grouping) -> &mut BTreeMap<u64, Block> {
        match grouping {
            Grouping::Minute => &mut self.minutes,
            Grouping::Hour => &mut self.hours,
        }
    }
}

/// A part of all columns.
enum Segment<'a> {
    Text(&'a Block),
    Buckets(Vec<Bucket>),
    /// A block in which there was no tracker.
    Gap(Range),
}

/// A column of a gap but the first one.
static NULLS: [u8; 5 * BLOCK as usize] = {
    let mut nulls = [0; 5 * BLOCK as usize];
    let mut at = 0;
    while at < nulls.len() {
        nulls[at] = b"null,"[at % 5];
        at += 1;
    }
    nulls
};

/// The buckets that are not over.
#[derive(Debug)]
pub(super) struct Tail {
    series: Series,
    begin: u64,
}

impl Tail {
    /// Those that `running` lies in: a sample that is not over either.
    pub(super) fn of(series: &Series, running: &Sample) -> Tail {
        let begin = running.time.saturating_sub(u64::from(running.over));
        Tail { series: series.with(running), begin }
    }

    fn first(&self, grouping: Grouping) -> u64 {
        self.begin - self.begin % grouping.step()
    }
}

impl Block {
    fn of(series: &Series, grouping: Grouping, block: u64) -> Block {
        let step = grouping.step();
        let Numbers { start, end } = block * BLOCK * step..(block + 1) * BLOCK * step;
        let buckets: Vec<Bucket> =
            series.points(Range { grouping, first: start, last: end - step }).collect();
        let mut text = Vec::new();
        let ends = std::array::from_fn(|column| {
            write_numbers(&mut text, column, buckets.iter().copied());
            text.len() as u32
        });
        Block { text: text.into(), ends }
    }

    fn column(&self, column: usize) -> &[u8] {
        let begin = column.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[begin as usize..self.ends[column] as usize]
    }
}

/// Writes one number of each bucket, with a comma behind it.
fn write_numbers(out: &mut Vec<u8>, column: usize, buckets: impl Iterator<Item = Bucket>) {
    let mut digits = itoa::Buffer::new();
    for (time, point) in buckets {
        let number = match point {
            _ if column == 0 => Some(time),
            Some(point) => Some(match column {
                1 => point.torrents,
                2 => point.peers,
                3 => point.seeders,
                4 => point.leechers,
                5 => point.completed,
                6 => point.announces,
                7 => point.scrapes,
                _ => point.covered,
            }),
            None => None,
        };
        match number {
            Some(number) => out.extend_from_slice(digits.format(number).as_bytes()),
            None => out.extend_from_slice(b"null"),
        }
        out.push(b',');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracker_store::Period;

    fn sample(time: u64, over: u32) -> Sample {
        Sample {
            time,
            over,
            torrents: 1,
            peers: time % 997,
            announces: 7,
            completed: time / 60,
            ..Sample::default()
        }
    }

    /// What `write` gives, read as JSON.
    fn written(rendered: &Rendered, series: &Series, range: Range, running: &Sample) -> serde_json::Value {
        let mut out = b"{".to_vec();
        rendered.write(&mut out, series, range, &Tail::of(series, running));
        out.push(b'}');
        serde_json::from_slice(&out).unwrap_or_else(|error| panic!("{error}: {}", out.escape_ascii()))
    }

    /// The same from the series itself.
    fn expected(series: &Series, range: Range, running: &Sample) -> serde_json::Value {
        let mut all = series.clone();
        all.push(running);
        let buckets: Vec<_> = all.points(range).collect();
        let column = |get: fn(&Point) -> u64| -> serde_json::Value {
            buckets.iter().map(|(_, point)| point.as_ref().map(get)).collect::<Vec<_>>().into()
        };
        serde_json::json!({
            "time": buckets.iter().map(|(time, _)| *time).collect::<Vec<_>>(),
            "torrents": column(|point| point.torrents),
            "peers": column(|point| point.peers),
            "seeders": column(|point| point.seeders),
            "leechers": column(|point| point.leechers),
            "completed": column(|point| point.completed),
            "announces": column(|point| point.announces),
            "scrapes": column(|point| point.scrapes),
            "covered": column(|point| point.covered),
        })
    }

    #[test]
    fn copied_text_is_what_the_series_says() {
        let begin = 1_790_000_000;
        let mut series = Series::new();
        let mut rendered = Rendered::of(&series, begin);
        let mut time = begin;
        // gaps, several a minute, one that takes an hour and a half, and a clock that is set back and forth
        for n in 0..1500_u64 {
            let (step, over) = match n % 100 {
                7 => (7200, 60),
                20 => (20, 20),
                55 => (5400, 5400),
                _ => (60, 60),
            };
            time += step;
            match n {
                700 => time -= 30_000,
                900 => time += 100_000,
                _ => {}
            }
            let sample = sample(time, over);
            series.push(&sample);
            rendered.update(&series, &sample);
            if n % 97 != 0 && n < 1499 {
                continue;
            }
            let running = Sample { time: time + n % 90 + 1, over: (n % 90 + 1) as u32, ..sample };
            for period in Period::ALL {
                for grouping in Grouping::ALL {
                    let range = series.range(period, grouping, time + n % 90);
                    let expected = expected(&series, range, &running);
                    assert_eq!(
                        written(&rendered, &series, range, &running),
                        expected,
                        "{n} {period} {grouping}"
                    );
                    let fresh = Rendered::of(&series, time);
                    assert_eq!(
                        written(&fresh, &series, range, &running),
                        expected,
                        "{n} {period} {grouping}"
                    );
                }
            }
        }
        assert!(rendered.minutes.len() > 20 && !rendered.hours.is_empty());
    }

    #[test]
    fn the_first_moment_has_one_bucket_at_least() {
        let now = 1_790_000_000;
        let series = Series::new();
        let rendered = Rendered::of(&series, now);
        let running = sample(now + 1, 1);
        let range = series.range(Period::Hour, Grouping::Minute, now);
        let json = written(&rendered, &series, range, &running);
        assert_eq!(json["time"].as_array().unwrap().len(), 61);
        assert_eq!(json["torrents"][60], 1);
        assert!(json["torrents"].as_array().unwrap()[..60].iter().all(serde_json::Value::is_null));
    }
}
