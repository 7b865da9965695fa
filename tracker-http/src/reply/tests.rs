use std::net::Ipv4Addr;

use bip_bencode::{BDecodeOpt, BRefAccess, BencodeRef};
use proptest::prelude::*;

use super::*;

const PEERS: &[u8] = &[10, 0, 0, 1, 0x1a, 0xe1, 10, 0, 0, 2, 0, 80];
const PEERS6: &[u8] = &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x1a, 0xe1];

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = b"before ".to_vec();
    write(&mut out);
    out.split_off(7)
}

/// Decodes with sorted keys and nothing left over.
#[track_caller]
fn decoded(bytes: &[u8]) -> BencodeRef<'_> {
    match BencodeRef::decode(bytes, BDecodeOpt::new(10, true, true)) {
        Ok(value) => value,
        Err(error) => panic!("{}: {error}", bytes.escape_ascii()),
    }
}

fn keys(value: &BencodeRef<'_>) -> Vec<String> {
    let dict = value.dict().unwrap();
    dict.to_list().iter().map(|(key, _)| String::from_utf8(key.to_vec()).unwrap()).collect()
}

fn announced() -> Announced<'static> {
    Announced {
        complete: 3,
        downloaded: 20,
        incomplete: 1,
        interval: 1800,
        min_interval: 900,
        ..Announced::default()
    }
}

#[test]
fn the_least_that_is_said() {
    let bytes = written(|out| announce_compact(out, &announced()));
    assert_eq!(
        String::from_utf8_lossy(&bytes),
        "d8:completei3e10:downloadedi20e10:incompletei1e8:intervali1800e12:min intervali900e5:peers0:e"
    );
    decoded(&bytes);
}

#[test]
fn all_that_can_be_said() {
    for (ip, raw) in [
        (IpAddr::from([192, 0, 2, 7]), &[192, 0, 2, 7][..]),
        (
            IpAddr::from([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]),
            &[0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9],
        ),
    ] {
        let all = Announced {
            external_ip: Some(ip),
            warning: Some("this torrent is full"),
            peers: PEERS,
            peers6: PEERS6,
            ..announced()
        };
        let bytes = written(|out| announce_compact(out, &all));
        let value = decoded(&bytes);
        let expected = [
            "complete",
            "downloaded",
            "external ip",
            "incomplete",
            "interval",
            "min interval",
            "peers",
            "peers6",
            "warning message",
        ];
        assert_eq!(keys(&value), expected);
        // a lenient decoder may not mind the order: the bytes do
        let places: Vec<_> = expected
            .iter()
            .map(|key| {
                let key = format!("{}:{key}", key.len());
                bytes.windows(key.len()).position(|window| window == key.as_bytes()).unwrap()
            })
            .collect();
        assert!(places.is_sorted(), "{places:?}");
        let dict = value.dict().unwrap();
        assert_eq!(dict.lookup(b"external ip").unwrap().bytes().unwrap(), raw);
        assert_eq!(dict.lookup(b"peers").unwrap().bytes().unwrap(), PEERS);
        assert_eq!(dict.lookup(b"peers6").unwrap().bytes().unwrap(), PEERS6);
        assert_eq!(dict.lookup(b"warning message").unwrap().str().unwrap(), "this torrent is full");
    }
}

#[test]
fn dictionaries_of_both_families_in_one_list() {
    let all = Announced { peers: PEERS, peers6: PEERS6, ..announced() };
    let ids = [PeerId([b'a'; 20]), PeerId([b'b'; 20])];
    let ids6 = [PeerId([b'c'; 20])];
    let bytes = written(|out| announce_dictionaries(out, &all, Some((&ids, &ids6))));
    let value = decoded(&bytes);
    assert_eq!(keys(&value), ["complete", "downloaded", "incomplete", "interval", "min interval", "peers"]);
    let list = value.dict().unwrap().lookup(b"peers").unwrap().list().unwrap();
    let expected = [("10.0.0.1", b'a', 6881), ("10.0.0.2", b'b', 80), ("2001:db8::1", b'c', 6881)];
    assert_eq!(list.into_iter().count(), 3);
    for (peer, (ip, id, port)) in list.into_iter().zip(expected) {
        assert_eq!(keys(peer), ["ip", "peer id", "port"]);
        let dict = peer.dict().unwrap();
        assert_eq!(dict.lookup(b"ip").unwrap().str().unwrap(), ip);
        assert_eq!(dict.lookup(b"peer id").unwrap().bytes().unwrap(), [id; 20]);
        assert_eq!(dict.lookup(b"port").unwrap().int().unwrap(), port);
    }
    let bytes = written(|out| announce_dictionaries(out, &all, None));
    let value = decoded(&bytes);
    let list = value.dict().unwrap().lookup(b"peers").unwrap().list().unwrap();
    assert!(list.into_iter().all(|peer| keys(peer) == ["ip", "port"]));
    let none = written(|out| announce_dictionaries(out, &announced(), None));
    assert!(none.ends_with(b"5:peerslee"));
}

#[test]
fn failures() {
    let never = written(|out| failure(out, "info_hash is missing", Retry::Never));
    assert_eq!(never, b"d14:failure reason20:info_hash is missing8:retry in5:nevere");
    let later = written(|out| failure(out, "full", Retry::Minutes(30)));
    assert_eq!(later, b"d14:failure reason4:full8:retry ini30ee");
}

#[test]
fn scrapes() {
    let none = written(|out| {
        scrape_start(out);
        scrape_end(out, 900);
    });
    assert_eq!(none, b"d5:filesde5:flagsd20:min_request_intervali900eee");
    let (a, b) = (InfoHash([b'a'; 20]), InfoHash([b'b'; 20]));
    let two = written(|out| {
        scrape_start(out);
        scrape_file(out, &a, 1, 2, 3, 4);
        scrape_file(out, &b, 0, 0, 0, u32::MAX);
        scrape_end(out, 1);
    });
    let value = decoded(&two);
    assert_eq!(keys(&value), ["files", "flags"]);
    let files = value.dict().unwrap().lookup(b"files").unwrap().dict().unwrap();
    let file = files.lookup(&a.0).unwrap();
    assert_eq!(keys(file), ["complete", "downloaded", "downloaders", "incomplete"]);
    let number = |hash: InfoHash, key: &str| {
        files.lookup(&hash.0).unwrap().dict().unwrap().lookup(key.as_bytes()).unwrap().int().unwrap()
    };
    let found = ["complete", "downloaded", "downloaders", "incomplete"].map(|key| number(a, key));
    assert_eq!(found, [1, 2, 3, 4]);
    assert_eq!(number(b, "incomplete"), i64::from(u32::MAX));
}

proptest! {
    #[test]
    fn what_is_written_is_what_is_read(
        counts: [u32; 5],
        external_ip in proptest::option::of(any::<IpAddr>()),
        warning in proptest::option::of("[ -~]{0,40}"),
        peers in proptest::collection::vec(any::<[u8; 6]>(), 0..220),
        peers6 in proptest::collection::vec(any::<[u8; 18]>(), 0..20),
    ) {
        let announced = Announced {
            complete: counts[0],
            downloaded: counts[1],
            incomplete: counts[2],
            interval: counts[3],
            min_interval: counts[4],
            external_ip,
            warning: warning.as_deref(),
            peers: peers.as_flattened(),
            peers6: peers6.as_flattened(),
        };
        let bytes = written(|out| announce_compact(out, &announced));
        let value = decoded(&bytes);
        let dict = value.dict().unwrap();
        let names = ["complete", "downloaded", "incomplete", "interval", "min interval"];
        for (name, count) in names.into_iter().zip(counts) {
            prop_assert_eq!(dict.lookup(name.as_bytes()).unwrap().int(), Some(i64::from(count)));
        }
        prop_assert_eq!(dict.lookup(b"peers").unwrap().bytes(), Some(peers.as_flattened()));
        let found6 = dict.lookup(b"peers6").and_then(|value| value.bytes());
        prop_assert_eq!(found6, (!peers6.is_empty()).then_some(peers6.as_flattened()));
        prop_assert_eq!(dict.lookup(b"warning message").and_then(|value| value.str()), warning.as_deref());

        let bytes = written(|out| announce_dictionaries(out, &announced, None));
        let value = decoded(&bytes);
        let list = value.dict().unwrap().lookup(b"peers").unwrap().list().unwrap();
        let wanted = peers.iter().map(|&[a, b, c, d, ..]| IpAddr::V4(Ipv4Addr::new(a, b, c, d)));
        let wanted: Vec<_> = wanted.chain(peers6.iter().map(|peer| IpAddr::from(*peer.first_chunk::<16>().unwrap()))).collect();
        let found: Vec<IpAddr> = list
            .into_iter()
            .map(|peer| peer.dict().unwrap().lookup(b"ip").unwrap().str().unwrap().parse().unwrap())
            .collect();
        prop_assert_eq!(found, wanted);
    }
}
