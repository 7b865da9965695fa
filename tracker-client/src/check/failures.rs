//! What is said to a client that asks wrongly.

use super::finding::Level;
use super::probe::{NO_ANSWER, Probe, Topic, escaped};
use crate::answer::Announced;

/// Without an info hash, and with one that is too short.
pub(super) fn failures(probe: &mut Probe<'_>) {
    let short = format!("info_hash={}&", escaped(&probe.hash[..19]));
    said(probe, Topic { check: "failure.missing", asked: "announce without info_hash" }, "");
    said(probe, Topic { check: "failure.short", asked: "info_hash of 19 bytes" }, &short);
}

fn said(probe: &mut Probe<'_>, topic: Topic, hash: &str) {
    if !probe.goes_on() {
        return;
    }
    let peer = probe.peers[0].clone();
    let request = probe.request(&probe.announce_with(hash, &peer, "&compact=1"));
    let response = match probe.ask(probe.addr, &request) {
        Ok(response) => response,
        Err(error) => {
            probe.find(topic, Level::Warning, error.to_string(), NO_ANSWER);
            return;
        }
    };
    let failure = Announced::read(&response.body).map(|announced| announced.failure);
    let status = response.status;
    match failure {
        Ok(Some(reason)) if status == 200 && reason.chars().any(char::is_alphabetic) => {
            probe.ok(topic, format!("turned down: \"{reason}\""));
        }
        Ok(Some(_)) if status == 200 => {
            probe.find(
                topic,
                Level::Warning,
                "turned down without words",
                "say in failure reason what is wrong",
            );
        }
        Ok(None) if status == 200 => {
            let remedy = "turn it down with a failure reason: a client's mistake is not found otherwise";
            probe.find(topic, Level::Wrong, "answered as if it were right", remedy);
        }
        Err(error) if status == 200 => {
            probe.find(
                topic,
                Level::Warning,
                error.to_string(),
                "answer with a dictionary that has a failure reason",
            );
        }
        _ => {
            let came = format!("status {status} {}", response.reason());
            let remedy =
                "answer with status 200 and a failure reason: Transmission shows only the status otherwise";
            probe.find(topic, Level::Warning, came.trim_end(), remedy);
        }
    }
}
