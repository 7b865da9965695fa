//! How far back and how finely a series is asked for.

use std::fmt;
use std::str::FromStr;

/// For how many seconds samples are kept by the minute: 7 days.
pub const MINUTES_KEPT: u64 = 7 * DAY;
/// For how many seconds hours are kept: 2 years.
pub const HOURS_KEPT: u64 = 2 * 365 * DAY;

pub(crate) const MINUTE: u64 = 60;
pub(crate) const HOUR: u64 = 3600;
pub(crate) const DAY: u64 = 24 * HOUR;
/// A period longer than this is always shown by the hour.
const LONGEST_BY_MINUTE: u64 = 7 * DAY;

/// How far back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    /// `1h`
    Hour,
    /// `5h`
    FiveHours,
    /// `1d`
    Day,
    /// `3d`
    ThreeDays,
    /// `7d`
    Week,
    /// `30d`
    Month,
    /// `all`: as long as anything is known.
    All,
}

impl Period {
    /// All of them, the shortest first.
    pub const ALL: [Period; 7] = [
        Period::Hour,
        Period::FiveHours,
        Period::Day,
        Period::ThreeDays,
        Period::Week,
        Period::Month,
        Period::All,
    ];

    /// As it is written in a query, such as `1d`.
    pub const fn name(self) -> &'static str {
        match self {
            Period::Hour => "1h",
            Period::FiveHours => "5h",
            Period::Day => "1d",
            Period::ThreeDays => "3d",
            Period::Week => "7d",
            Period::Month => "30d",
            Period::All => "all",
        }
    }

    /// In seconds; of [`Period::All`] the longest that it can be.
    pub const fn seconds(self) -> u64 {
        match self {
            Period::Hour => HOUR,
            Period::FiveHours => 5 * HOUR,
            Period::Day => DAY,
            Period::ThreeDays => 3 * DAY,
            Period::Week => 7 * DAY,
            Period::Month => 30 * DAY,
            Period::All => HOURS_KEPT,
        }
    }
}

/// How samples are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grouping {
    /// `minute`
    Minute,
    /// `hour`
    Hour,
}

impl Grouping {
    /// Both.
    pub const ALL: [Grouping; 2] = [Grouping::Minute, Grouping::Hour];

    /// As it is written in a query.
    pub const fn name(self) -> &'static str {
        match self {
            Grouping::Minute => "minute",
            Grouping::Hour => "hour",
        }
    }

    /// The seconds of a bucket. Buckets begin at multiples of it, in Unix time.
    pub const fn step(self) -> u64 {
        match self {
            Grouping::Minute => MINUTE,
            Grouping::Hour => HOUR,
        }
    }

    /// The grouping that `period` is shown by where this one is asked for: more than 7 days, and all, by the hour.
    pub const fn within(self, period: Period) -> Grouping {
        if period.seconds() > LONGEST_BY_MINUTE { Grouping::Hour } else { self }
    }

    pub(crate) const fn start(self, time: u64) -> u64 {
        time - time % self.step()
    }
}

/// A name that is none of a period or a grouping. `Display` lists those that there are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" is not known, known are {}", name.escape_debug(), known.join(", "))]
pub struct UnknownName {
    /// What was asked for.
    pub name: String,
    /// What there is.
    pub known: Vec<&'static str>,
}

impl FromStr for Period {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let known = || Period::ALL.map(Period::name).to_vec();
        let found = Period::ALL.into_iter().find(|period| period.name() == name);
        found.ok_or_else(|| UnknownName { name: name.to_owned(), known: known() })
    }
}

impl FromStr for Grouping {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let known = || Grouping::ALL.map(Grouping::name).to_vec();
        let found = Grouping::ALL.into_iter().find(|grouping| grouping.name() == name);
        found.ok_or_else(|| UnknownName { name: name.to_owned(), known: known() })
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Grouping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_shown() {
        for period in Period::ALL {
            assert_eq!(period.to_string().parse(), Ok(period));
        }
        for grouping in Grouping::ALL {
            assert_eq!(grouping.to_string().parse(), Ok(grouping));
        }
        let error = "2d\n".parse::<Period>().unwrap_err();
        assert_eq!(error.to_string(), r#""2d\n" is not known, known are 1h, 5h, 1d, 3d, 7d, 30d, all"#);
        assert_eq!(
            "Hour".parse::<Grouping>().unwrap_err().to_string(),
            r#""Hour" is not known, known are minute, hour"#
        );
    }
}
