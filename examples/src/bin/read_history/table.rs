//! The history as a table.

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use examples::terminal::{grouped, seconds};
use tracker_store::{Columns, Point};

const NAMES: [&str; 8] =
    ["torrents", "peers", "seeders", "leechers", "completed", "announces", "scrapes", "errors"];

/// The latest rows; 0 for all.
pub(crate) fn text(columns: &Columns, rows: usize) -> String {
    let all = columns.times.len();
    let shown = if rows == 0 { all } else { rows.min(all) };
    let mut text = String::new();
    // writing to a String cannot fail
    let _ = write!(text, "{:<16}", format!("by the {}", columns.grouping));
    for name in NAMES {
        let _ = write!(text, " {name:>12}");
    }
    text.push('\n');
    if shown < all {
        let earlier = grouped((all - shown) as u64);
        let _ = writeln!(text, "{earlier} earlier rows are not shown: --rows 0 shows all");
    }
    let mut missing = 0;
    for (&time, point) in columns.times.iter().zip(&columns.points).skip(all - shown) {
        match point {
            Some(point) => {
                gap(&mut text, &mut missing, columns);
                let _ = write!(text, "{:<16}", moment(time));
                for value in values(point) {
                    let _ = write!(text, " {:>12}", grouped(value));
                }
                text.push('\n');
            }
            None => missing += 1,
        }
    }
    // the last bucket is seldom over yet
    if missing > 1 {
        gap(&mut text, &mut missing, columns);
    }
    text + &summary(columns)
}

/// A row for buckets without a sample.
fn gap(text: &mut String, missing: &mut u64, columns: &Columns) {
    if *missing > 0 {
        let length = seconds(*missing * columns.grouping.step());
        let _ = writeln!(text, "{:<16} {length} without a sample", "");
    }
    *missing = 0;
}

fn summary(columns: &Columns) -> String {
    let known =
        || columns.times.iter().zip(&columns.points).filter_map(|(time, point)| Some((*time, (*point)?)));
    let Some((time, most)) = known().max_by_key(|(_, point)| point.peers) else { return String::new() };
    let announces: u64 = known().map(|(_, point)| point.announces).sum();
    let completed = |point: Option<(u64, Point)>| point.map_or(0, |(_, point)| point.completed);
    // the first bucket's own are not known
    let completions = completed(known().next_back()).saturating_sub(completed(known().next()));
    format!(
        "\nmost peers: {} at {}; {} announces and {} completed downloads in all\n",
        grouped(most.peers),
        moment(time),
        grouped(announces),
        grouped(completions)
    )
}

fn values(point: &Point) -> [u64; 8] {
    [
        point.torrents,
        point.peers,
        point.seeders,
        point.leechers,
        point.completed,
        point.announces,
        point.scrapes,
        point.errors,
    ]
}

/// `2026-07-30 12:00`, in UTC.
pub(crate) fn moment(time: u64) -> String {
    let text =
        humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + Duration::from_secs(time)).to_string();
    text[..16].replace('T', " ")
}

#[cfg(test)]
mod tests {
    use tracker_store::Grouping;

    use super::*;

    #[test]
    fn rows_gaps_and_a_summary() {
        let point = |peers| Some(Point { peers, announces: 10, completed: peers, ..Point::default() });
        let points = vec![point(1000), None, None, point(2000), point(1500)];
        let times = (0..5).map(|n| 1_790_000_000 / 3600 * 3600 + n * 3600).collect();
        let columns = Columns { grouping: Grouping::Hour, times, points };
        let all = text(&columns, 0);
        let lines: Vec<&str> = all.lines().collect();
        assert!(lines[1].starts_with("2026-09-21 14:00            0        1,000 "), "{all}");
        assert!(lines[2].contains("2 h without a sample"), "{all}");
        assert_eq!(
            lines[6],
            "most peers: 2,000 at 2026-09-21 17:00; 30 announces and 500 completed downloads in all"
        );
        assert!(
            lines
                .iter()
                .take(5)
                .skip(1)
                .filter(|line| !line.contains("without"))
                .all(|line| line.len() == lines[0].len())
        );
        let two = text(&columns, 2);
        assert!(two.contains("3 earlier rows") && !two.contains("without"), "{two}");
    }
}
