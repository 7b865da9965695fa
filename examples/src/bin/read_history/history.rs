//! The history in a data directory, which another process may have.

use std::error::Error;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use tracker_store::{Damage, Grouping, Period, Series, Store};

/// The two files of the history: see the documentation of `tracker-store`.
const FILES: [&str; 2] = ["history.ron", "history-hourly.ron"];
const HOUR: u64 = 3600;

/// Reads it. A store locks its directory and mends what is damaged, so it is opened on a copy.
pub(crate) fn read(dir: &Path, now: u64) -> Result<(Series, Vec<Damage>), Box<dyn Error>> {
    let copy = tempfile::tempdir()?;
    let mut found = false;
    for name in FILES {
        match fs::copy(dir.join(name), copy.path().join(name)) {
            Ok(_) => found = true,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(format!("{} cannot be read: {error}", dir.join(name).display()).into()),
        }
    }
    if !found {
        let dir = dir.display();
        return Err(format!("{dir} holds no {}: is it a tracker's data directory?", FILES[0]).into());
    }
    let (_, series, damage) = Store::open(copy.path(), now)?;
    Ok((series, damage))
}

/// Where the history ends, in Unix seconds: now, if the tracker is running; `None` if there is nothing in it.
pub(crate) fn end(series: &Series, now: u64) -> Option<u64> {
    let last = |period, grouping, end| {
        let columns = series.query(period, grouping, end);
        let known = columns.times.iter().zip(&columns.points).rev();
        known.clone().find(|(_, point)| point.is_some()).map(|(time, _)| *time)
    };
    let hour = last(Period::All, Grouping::Hour, now)?;
    if now < hour + 2 * HOUR {
        return Some(now);
    }
    // the minute, if it is still known
    Some(last(Period::FiveHours, Grouping::Minute, hour + HOUR - 1).unwrap_or(hour + HOUR - 1))
}

#[cfg(test)]
mod tests {
    use tracker_store::Sample;

    use super::*;

    #[test]
    fn it_ends_with_its_last_sample_or_now() {
        let mut series = Series::new();
        assert_eq!(end(&series, 1_000_000), None);
        series.push(&Sample { time: 1_000_020, over: 60, peers: 5, ..Sample::default() });
        assert_eq!(end(&series, 1_000_080), Some(1_000_080));
        assert_eq!(end(&series, 1_100_000), Some(1_000_020 / 60 * 60 - 60));
    }
}
