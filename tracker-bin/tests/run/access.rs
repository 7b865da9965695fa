//! Access lists, end to end.

use crate::client::{announce, hex};
use crate::place::Place;

const REASON: &str = "info_hash is not allowed: this tracker serves only chosen torrents";

#[test]
fn what_is_not_allowed_is_refused_for_good_and_shows_nothing() {
    // in every form that a list may have
    let list = format!("\u{feff}# ours\r\n\r\n \t{}  # one\n{}", hex(0xab).to_uppercase(), hex(2));
    for (mode, allowed, other) in [("Allow", [0xab, 2], [3, 4]), ("Deny", [3, 4], [0xab, 2])] {
        let place = Place::with(&[
            ("tracker.ron", &format!("(access: (mode: {mode}, file: \"list\"))")),
            ("list", &list),
        ]);
        let program = place.start_configured(&[]);
        let mut client = program.client();
        for byte in allowed {
            assert_eq!(client.announce(byte, 1000, "").incomplete, 1);
            assert_eq!(client.scrape(byte), [0, 0, 1]);
        }
        for byte in other {
            // on the same connection, which stays open
            let refused = client.ask(announce(byte, 1000, ""));
            assert_eq!(refused.failure(), (REASON.to_owned(), "never".to_owned()));
            assert_eq!(client.scrape(byte), [0, 0, 0]);
        }
        program.stop();
    }
}

#[test]
fn an_empty_list_allows_nothing_and_denies_nothing() {
    for (mode, is_served) in [("Allow", false), ("Deny", true)] {
        let config = format!("(access: (mode: {mode}, file: \"list\"))");
        let place = Place::with(&[("tracker.ron", &config), ("list", "# none\n")]);
        let program = place.start_configured(&[]);
        let answer = program.client().ask(announce(1, 1000, ""));
        assert_eq!(!answer.text_contains("failure reason"), is_served);
        program.stop();
    }
}

#[test]
fn a_list_is_not_looked_at_by_an_open_tracker() {
    let place =
        Place::with(&[("tracker.ron", "(access: (mode: Open, file: \"list\"))"), ("list", "nonsense")]);
    let program = place.start_configured(&[]);
    assert_eq!(program.client().announce(1, 1000, "").incomplete, 1);
    program.stop();
}
