//! The same announce, written as other clients write it.

use super::finding::Level;
use super::probe::{Probe, Topic, Wish, escaped};

/// What many clients send beside the usual, and one thing that none does.
const UNKNOWN: &str =
    "&key=1A2B3C4D&supportcrypto=1&requirecrypto=0&corrupt=0&redundant=0&trackerid=&no_such_thing&&azver=3";

/// Each of them has to lead to the same swarm.
pub(super) fn spellings(probe: &mut Probe<'_>) {
    let lower = lower(&escaped(&probe.hash));
    let every: String = probe.hash.iter().map(|byte| format!("%{byte:02X}")).collect();
    same(probe, Topic { check: "query.lower_case", asked: "escapes as %ab" }, Some(lower), "");
    same(probe, Topic { check: "query.every_byte", asked: "every byte escaped" }, Some(every), "");
    same(probe, Topic { check: "query.unknown", asked: "parameters of other clients" }, None, UNKNOWN);
}

fn same(probe: &mut Probe<'_>, topic: Topic, hash: Option<String>, more: &str) {
    if !probe.goes_on() {
        return;
    }
    let wish = Wish { peer: 1, hash, more: format!("&compact=1&numwant=200{more}") };
    let Some((announced, _)) = probe.announce(topic, &wish) else { return };
    let first = probe.peers[0].port;
    if probe.is_told && !announced.peers.iter().any(|peer| peer.port() == first) {
        let remedy = "decode every escape, in either case, before anything is compared";
        probe.find(topic, Level::Wrong, "another swarm than before", remedy);
    } else {
        probe.ok(topic, "the same");
    }
}

/// The same text with the digits of its escapes in lower case.
fn lower(text: &str) -> String {
    let mut digits = 0;
    let change = |char: char| match char {
        '%' => {
            digits = 2;
            char
        }
        _ if digits > 0 => {
            digits -= 1;
            char.to_ascii_lowercase()
        }
        _ => char,
    };
    text.chars().map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_escapes_change_their_case() {
        assert_eq!(lower("AB%AB%0FXY%ff"), "AB%ab%0fXY%ff");
    }
}
