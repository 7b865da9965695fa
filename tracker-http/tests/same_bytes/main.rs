//! The way on which requests are served, made for speed, says the same bytes as a general one that is written for
//! obviousness: for whatever clients send, however it is cut, and however they write down what they mean.
//!
//! `PROPTEST_CASES=20000 cargo test --release -p tracker-http --test same_bytes` looks for longer.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod asks;
mod general;
mod grammar;
mod rewriting;
mod wire;
mod world;

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tracker_http::{Conversation, TrackerService};

use crate::general::{Answer, General, Kind};
use crate::grammar::{Case, case};
use crate::world::World;

/// How what is sent is cut.
#[derive(Clone, Debug)]
enum Cut {
    Whole,
    Requests,
    /// In pieces of so many bytes, over and over.
    Pieces(Vec<u16>),
}

impl Cut {
    fn pieces(&self, messages: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let all = messages.concat();
        match self {
            Cut::Whole => vec![all],
            Cut::Requests => messages.to_vec(),
            Cut::Pieces(lengths) => {
                // what is very long is not looked at for every byte of it
                let least = all.len() / 4000 + 1;
                let (mut rest, mut pieces) = (&all[..], Vec::new());
                for &length in lengths.iter().cycle() {
                    if rest.is_empty() {
                        break;
                    }
                    let (piece, behind) = rest.split_at(usize::from(length).max(least).min(rest.len()));
                    pieces.push(piece.to_vec());
                    rest = behind;
                }
                pieces
            }
        }
    }
}

/// As many cases as are set, or else a number that takes some seconds without optimization.
fn cases(usual: u32) -> ProptestConfig {
    let config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_some() {
        config
    } else {
        ProptestConfig { cases: usual, ..config }
    }
}

/// Talks as the case has it, both ways, and returns the answers of each connection, which are the same.
fn talk(case: &Case, cut: &Cut) -> Result<Vec<Vec<Answer>>, TestCaseError> {
    let (fast, plain) = (World::new(&case.setup), World::new(&case.setup));
    let service = TrackerService::new(&fast.tracker, fast.rules.clone(), &fast.access);
    let mut connections = Vec::new();
    for talk in &case.talks {
        let mut conversation = Conversation::new(&service, talk.asker, &case.setup.settings());
        conversation.context_mut().now = fast.now();
        let mut general = General::new(&plain, talk.asker);
        let mut answers = Vec::new();
        for piece in cut.pieces(&talk.messages(&case.setup)) {
            let mut found = Vec::new();
            conversation.feed(&piece, &mut found);
            let expected = general.feed(&piece);
            let bytes: Vec<u8> = expected.iter().flat_map(|answer| answer.bytes.iter().copied()).collect();
            prop_assert!(
                found == bytes,
                "to {cut:?} {}\n\nfast:\n{}\n\nplain:\n{}\n",
                piece.escape_ascii(),
                found.escape_ascii(),
                bytes.escape_ascii()
            );
            prop_assert_eq!(conversation.is_closed(), general.is_closed());
            answers.extend(expected);
        }
        let replies = answers.iter().filter(|answer| answer.kind == Kind::Reply).count();
        prop_assert_eq!(conversation.requests(), replies as u64);
        connections.push(answers);
    }
    prop_assert_eq!(fast.tracker.totals(), plain.tracker.totals());
    Ok(connections)
}

/// What does not depend on how requests are cut: all but whether a client was seen to wait, and which of its faults was seen
/// first.
fn essence(connections: Vec<Vec<Answer>>) -> Vec<Vec<Answer>> {
    let essential = |mut answer: Answer| match answer.kind {
        Kind::Interim => None,
        Kind::Reply => Some(answer),
        Kind::Refusal => {
            answer.bytes.clear();
            Some(answer)
        }
    };
    connections.into_iter().map(|answers| answers.into_iter().filter_map(essential).collect()).collect()
}

proptest! {
    #![proptest_config(cases(700))]

    #[test]
    fn whatever_is_asked_the_answers_are_those_of_the_plain_way(case in case()) {
        talk(&case, &Cut::Whole)?;
    }
}

proptest! {
    #![proptest_config(cases(130))]

    #[test]
    fn however_it_is_cut_the_answers_are_the_same(case in case(), lengths in vec(1..300_u16, 1..20)) {
        let whole = essence(talk(&case, &Cut::Whole)?);
        for cut in [Cut::Requests, Cut::Pieces(vec![1]), Cut::Pieces(lengths)] {
            prop_assert_eq!(&essence(talk(&case, &cut)?), &whole, "{:?}", cut);
        }
    }
}

/// The grammar would be worth little if something never came of it, or if all that came of it were refusals.
#[test]
fn every_kind_of_answer_is_among_those_compared() {
    let mut found: BTreeMap<&str, usize> = KINDS.iter().map(|&kind| (kind, 0)).collect();
    let (mut replies, mut refusals, mut long, mut of_head) = (0, 0, 0, 0);
    let mut runner = TestRunner::deterministic();
    for _ in 0..600 {
        let case = case().new_tree(&mut runner).unwrap().current();
        for answer in talk(&case, &Cut::Requests).unwrap().concat() {
            let text: String = answer.bytes.iter().copied().map(char::from).collect();
            for (kind, count) in &mut found {
                *count += usize::from(text.contains(kind));
            }
            replies += usize::from(answer.kind == Kind::Reply);
            refusals += usize::from(answer.kind == Kind::Refusal);
            of_head += usize::from(answer.kind == Kind::Reply && text.ends_with("\r\n\r\n"));
            let (_, body) = text.split_once("\r\n\r\n").unwrap();
            long += usize::from(body.chars().count() > 999);
        }
    }
    println!(
        "{replies} replies, {of_head} without a body, {long} of 1000 bytes, {refusals} refusals: {found:#?}"
    );
    assert!(found.values().all(|&count| count > 0), "{found:#?}");
    assert!(replies > 2 * refusals && of_head > 50 && long > 20);
}

/// What tells answers apart: headers, keys, and what users are told.
const KINDS: &[&str] = &[
    "HTTP/1.1 100 Continue",
    "HTTP/1.1 404 ",
    "HTTP/1.1 405 ",
    "Connection: keep-alive",
    "Connection: close",
    "Transfer-Encoding: chunked",
    "e11:external ip4:",
    "e11:external ip16:",
    "5:peers0:",
    "6:peers6",
    "5:peersld2:ip",
    "7:peer id20:",
    "11:downloadersi",
    "your address has as many",
    "this torrent has as many",
    // failures
    "info_hash is missing: announce",
    "info_hash is missing: this tracker",
    "info_hash must be 20 bytes",
    "info_hash must be the 20 raw bytes",
    "info_hash is given twice",
    "info_hash has a %",
    "info_hash is not allowed",
    "info_hash is new",
    "peer_id is missing",
    "peer_id must be",
    "peer_id has a %",
    "port must be",
    // refusals
    "the request line is not",
    "the request target is empty",
    "the request target is too long",
    "this server speaks",
    "the method is not",
    "a header line does not begin",
    "a header line has a control",
    "the header is too large",
    "the request must have one Host",
    "Content-Length must be",
    "Transfer-Encoding cannot be",
    "the only Transfer-Encoding",
    "the request body is too large",
    "the chunked request body is malformed",
];
