//! Trackers that have moved, and what cannot be asked at all.

use std::net::TcpListener;

use tracker_client::ask::AskError;
use tracker_client::check::{CheckError, Level, check};

use crate::fake::{Fake, Fault};
use crate::faults::{found, options};

#[test]
fn a_few_redirects_are_followed_with_a_note_each() {
    let real = Fake::start(Fault::Nothing);
    let second = Fake::start(Fault::MovesTo(real.addr));
    let first = Fake::start(Fault::MovesTo(second.addr));
    let report = check(&format!("{}?key=7", first.url()), &options()).unwrap();
    assert_eq!(found(&report), [("redirect", Level::Note); 2], "{report:#?}");
    assert_eq!(report.url, format!("{}?key=7", real.url()), "without the parameters of the announce");
    assert_eq!((first.asked(), second.asked(), real.members()), (1, 1, 0));
}

#[test]
fn redirects_end() {
    let second = Fake::start(Fault::MovesToUdp);
    let error = check(&second.url(), &options()).unwrap_err();
    assert!(matches!(error, CheckError::Moved(..)), "{error}");
    assert!(error.to_string().contains("UDP"), "{error}");
    // in a circle
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let looped = Fake::start(Fault::MovesTo(free));
    let error = check(&looped.url(), &options()).unwrap_err();
    assert!(matches!(error, CheckError::Ask(AskError::Refused(addr)) if addr == free), "{error}");
    let chain = [3, 2, 1, 0].iter().fold(vec![Fake::start(Fault::Nothing)], |mut chain, _| {
        let next = chain.last().unwrap().addr;
        chain.push(Fake::start(Fault::MovesTo(next)));
        chain
    });
    let error = check(&chain.last().unwrap().url(), &options()).unwrap_err();
    assert!(matches!(error, CheckError::Redirects(_)), "{error}");
    assert_eq!(chain[0].asked(), 0);
}

#[test]
fn what_cannot_be_asked_is_one_sentence() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (url, part) in [
        (format!("http://{closed}/announce"), "the connection was refused"),
        (format!("http://{}/announce", "x".repeat(300)), "cannot be found"),
        ("udp://127.0.0.1:1".to_owned(), "UDP"),
        ("wss://127.0.0.1:1".to_owned(), "WebTorrent"),
        ("http://".to_owned(), "is not a URL"),
    ] {
        let error = check(&url, &options()).unwrap_err().to_string();
        assert!(error.contains(part) && !error.contains('\n'), "{error}");
    }
}
