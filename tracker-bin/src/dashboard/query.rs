//! What of the history is asked for.

use percent_encoding::percent_decode;
use tracker_store::{Grouping, Period, UnknownName};

/// The period and the grouping that a query asks for: a day by the minute unless it says otherwise. Other parameters mean
/// nothing; of one that is there twice the first counts.
pub(crate) fn wish(query: &[u8]) -> Result<(Period, Grouping), (&'static str, UnknownName)> {
    let value = |name: &str| {
        query.split(|&byte| byte == b'&').find_map(|parameter| {
            let mark = parameter.iter().position(|&byte| byte == b'=').unwrap_or(parameter.len());
            let (key, value) = parameter.split_at(mark);
            let value = value.strip_prefix(b"=").unwrap_or_default();
            (key == name.as_bytes()).then(|| percent_decode(value).decode_utf8_lossy().into_owned())
        })
    };
    let period = value("period").map_or(Ok(Period::Day), |name| name.parse());
    let grouping = value("group").map_or(Ok(Grouping::Minute), |name| name.parse());
    Ok((period.map_err(|error| ("period", error))?, grouping.map_err(|error| ("group", error))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_may_be_left_out_and_others_mean_nothing() {
        for (query, wanted) in [
            ("", (Period::Day, Grouping::Minute)),
            ("period=1h", (Period::Hour, Grouping::Minute)),
            ("group=hour", (Period::Day, Grouping::Hour)),
            ("group=hour&x=y&style=bar&&period=all&", (Period::All, Grouping::Hour)),
            ("period=5h&period=1h", (Period::FiveHours, Grouping::Minute)),
            ("per%69od=1h&period=%31%68", (Period::Hour, Grouping::Minute)),
        ] {
            assert_eq!(wish(query.as_bytes()), Ok(wanted), "{query}");
        }
    }

    #[test]
    fn what_is_not_known_is_shown_beside_what_is() {
        let complaint = |query: &str| {
            let (key, error) = wish(query.as_bytes()).unwrap_err();
            format!("{key} {error}")
        };
        assert_eq!(
            complaint("period=2d"),
            "period \"2d\" is not known, known are 1h, 5h, 1d, 3d, 7d, 30d, all"
        );
        assert_eq!(complaint("group=day"), "group \"day\" is not known, known are minute, hour");
        assert_eq!(complaint("period"), "period \"\" is not known, known are 1h, 5h, 1d, 3d, 7d, 30d, all");
        assert!(complaint("period=%0d%0a%22%ff").starts_with("period \"\\r\\n\\\"\u{fffd}\" is not"));
    }
}
