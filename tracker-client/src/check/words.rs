//! What trackers say in words, and numbers put into words.

/// Why a tracker has turned an announce down, as far as its words tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It serves chosen torrents.
    Torrent,
    /// It serves known users.
    User,
    /// It serves chosen clients.
    Client,
    /// It was asked too often.
    Pace,
    /// Something else.
    Other,
}

/// The meaning of a failure reason. The words are those of trackers in the field.
pub(super) fn refusal(reason: &str) -> Refusal {
    let reason = reason.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| reason.contains(word));
    if has(&["passkey", "pass key", "authkey", "log in", "login", "user not", "invalid user"]) {
        Refusal::User
    } else if has(&[
        "too often",
        "too frequent",
        "slow down",
        "flood",
        "rate limit",
        "too many requests",
        "too soon",
    ]) {
        Refusal::Pace
    } else if has(&["client is not", "client not", "banned client", "unknown client", "your client"]) {
        Refusal::Client
    } else if has(&[
        "not allowed",
        "not authorized",
        "not authorised",
        "unauthorized",
        "unauthorised",
        "unregistered",
        "not registered",
        "whitelist",
        "not found",
        "not exist",
        "unknown torrent",
        "unknown info",
        "no such torrent",
        "invalid torrent",
        "not served",
        "not tracked",
        "not track",
    ]) {
        Refusal::Torrent
    } else {
        Refusal::Other
    }
}

/// `1 peer`, `2 peers`
pub(super) fn number(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

/// Seconds in the largest unit that divides them.
pub(super) fn seconds(seconds: u64) -> String {
    match seconds {
        0 => "0 s".to_owned(),
        s if s % 3600 == 0 => format!("{} h", s / 3600),
        s if s % 60 == 0 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_of_trackers_are_told_apart() {
        for (reason, meaning) in [
            ("info_hash is not allowed: this tracker serves chosen torrents", Refusal::Torrent),
            ("Requested download is not authorized for use with this tracker.", Refusal::Torrent),
            ("Torrent not registered with this tracker.", Refusal::Torrent),
            ("unregistered torrent", Refusal::Torrent),
            ("Invalid passkey", Refusal::User),
            ("Your client is not on the whitelist", Refusal::Client),
            ("you announce too often", Refusal::Pace),
            ("database is down", Refusal::Other),
        ] {
            assert_eq!(refusal(reason), meaning, "{reason}");
        }
    }

    #[test]
    fn numbers_are_read_easily() {
        assert_eq!(
            [0, 59, 60, 90, 1800, 7200].map(seconds),
            ["0 s", "59 s", "1 min", "90 s", "30 min", "2 h"]
        );
        assert_eq!((number(1, "peer"), number(2, "peer")), ("1 peer".to_owned(), "2 peers".to_owned()));
    }
}
