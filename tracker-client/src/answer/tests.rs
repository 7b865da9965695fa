use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use tracker_http::reply;

use super::*;

#[test]
fn what_the_tracker_writes_is_read() {
    let written = reply::Announced {
        complete: 3,
        downloaded: 9,
        incomplete: 4,
        interval: 1800,
        min_interval: 900,
        external_ip: Some("2001:db8::7".parse().unwrap()),
        warning: Some("soon"),
        peers: &[10, 0, 0, 1, 0x1a, 0xe1, 10, 0, 0, 2, 0, 0],
        peers6: &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 80],
    };
    let peers: Vec<SocketAddr> =
        ["10.0.0.1:6881", "[2001:db8::5]:80"].iter().map(|addr| addr.parse().unwrap()).collect();
    let expected = Announced {
        complete: Some(3),
        incomplete: Some(4),
        downloaded: Some(9),
        interval: Some(1800),
        min_interval: Some(900),
        external_ip: written.external_ip,
        warning: Some("soon".to_owned()),
        peers,
        unusable: 1,
        ..Announced::default()
    };
    let mut body = Vec::new();
    reply::announce_compact(&mut body, &written);
    assert_eq!(Announced::read(&body).unwrap(), expected);

    let ids = [PeerId(*b"-XX0001-abcdefghijkl"), PeerId::default()];
    body.clear();
    reply::announce_dictionaries(&mut body, &written, Some((&ids, &[])));
    let expected = Announced { ids: vec![Some(ids[0]), None], ..expected };
    assert_eq!(Announced::read(&body).unwrap(), expected);

    body.clear();
    reply::failure(&mut body, "no", reply::Retry::Minutes(30));
    let failed = Announced::read(&body).unwrap();
    assert_eq!((failed.failure.as_deref(), failed.retry_in), (Some("no"), Some(RetryIn::Minutes(30))));
    let failed = Scraped::read(&body).unwrap();
    assert_eq!((failed.failure.as_deref(), failed.retry_in), (Some("no"), Some(RetryIn::Minutes(30))));
    body.clear();
    reply::failure(&mut body, "no", reply::Retry::Never);
    assert_eq!(Announced::read(&body).unwrap().retry_in, Some(RetryIn::Never));
}

#[test]
fn scrapes_are_read() {
    let (one, two) = (InfoHash([1; 20]), InfoHash([2; 20]));
    let mut body = Vec::new();
    reply::scrape_start(&mut body);
    reply::scrape_file(&mut body, &one, 1, 2, 3, 4);
    reply::scrape_file(&mut body, &two, 0, 0, 0, 0);
    reply::scrape_end(&mut body, 900);
    let scraped = Scraped::read(&body).unwrap();
    assert_eq!(scraped.min_request_interval, Some(900));
    assert_eq!(scraped.files.len(), 2);
    assert_eq!(
        scraped.files[0],
        ScrapedFile {
            info_hash: one,
            complete: Some(1),
            downloaded: Some(2),
            downloaders: Some(3),
            incomplete: Some(4)
        }
    );
    assert_eq!(Scraped::read(b"d5:filesdee").unwrap().files, []);
    assert!(Scraped::read(b"d5:filesd2:abdeee").is_err());
}

#[test]
fn other_trackers_are_understood() {
    // opentracker, aquatic with its CRLF, one with unsorted keys and text where numbers belong
    let answer = Announced::read(
        b"d8:completei1e10:downloadedi0e10:incompletei2e8:intervali1752e12:min intervali876e5:peers0:e",
    )
    .unwrap();
    assert_eq!((answer.complete, answer.incomplete, answer.interval), (Some(1), Some(2), Some(1752)));
    assert!(!answer.lacks_peers);
    assert!(Announced::read(b"d8:intervali60e5:peers6:\x7f\0\0\x01\x0d\x0ae\r\n").is_ok());
    assert!(Announced::read(b"d8:intervali60e5:peers6:\x7f\0\0\x01\x0d\x0ae").is_ok(), "a port of CRLF");
    let answer = Announced::read(b"d5:peers0:8:intervali-5e8:complete1:x8:retry in2:10e").unwrap();
    assert_eq!((answer.interval, answer.complete, answer.retry_in), (None, None, Some(RetryIn::Minutes(10))));
    let named = b"d5:peersld2:ip11:example.org4:porti1eed2:ip3:::14:porti70000eed2:ip3:::14:porti7eeee";
    let answer = Announced::read(named).unwrap();
    assert_eq!((answer.peers.len(), answer.unusable), (1, 2));
    assert!(Announced::read(b"de").unwrap().lacks_peers);
}

#[test]
fn what_is_no_answer_is_described() {
    for (body, part) in [
        (&b""[..], "empty"),
        (b"\r\n", "empty"),
        (b" <!DOCTYPE html><html>", "HTML"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"{\"interval\":1}", "JSON"),
        (b"<?xml version", "XML"),
        (b"d8:intervali60e5:peers6:abc", "cut off"),
        (b"d8:intervali60e5:peers5:abcdee", "cut off"),
        (b"d5:peersi1ee", "neither"),
        (b"i5e", "not a dictionary"),
        (b"\x1b[2Jtorrent \0not\n found", "begins with \"[2Jtorrent  not  found\""),
        (&[b'l'; 200], "not bencode"),
    ] {
        let error = Announced::read(body).unwrap_err().to_string();
        assert!(error.contains(part) && !error.contains(char::is_control), "{error:?} for {part:?}");
    }
}

#[test]
fn no_bytes_upset_it() {
    let seed = 11;
    println!("seed {seed}");
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let good: [&[u8]; 3] = [
        b"d8:completei3e11:external ip4:abcd8:intervali60e5:peers12:abcdefabcdef6:peers618:abcdefghijklmnopqrse",
        b"d5:peersld2:ip9:127.0.0.17:peer id20:abcdefghijklmnopqrst4:porti6881eeee",
        b"d5:filesd20:abcdefghijklmnopqrstd8:completei1e10:incompletei2eee5:flagsd20:min_request_intervali9eee",
    ];
    for round in 0..5_000 {
        let mut bytes = good[round % 3].to_vec();
        for _ in 0..1 + rng.next_u32() % 5 {
            let at = rng.next_u32() as usize % bytes.len();
            bytes[at] = b"deil:0129-\xff\0"[rng.next_u32() as usize % 12];
        }
        bytes.truncate(rng.next_u32() as usize % (bytes.len() + 1) + bytes.len() / 2);
        if let Err(error) = Announced::read(&bytes).and(Scraped::read(&bytes).map(|_| ())) {
            assert!(!error.to_string().contains('\n'));
        }
    }
}
