//! That the parser agrees with the plain rules on any query.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;
use crate::query::naive;

/// Bytes, each of them escaped or not.
fn value(bytes: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (bytes, any::<u64>(), any::<bool>()).prop_map(|(bytes, escaped, upper)| {
        let mut value = Vec::new();
        for (at, byte) in bytes.into_iter().enumerate() {
            match byte {
                b'&' | b'%' => value.extend(format!("%{byte:02x}").bytes()),
                _ if escaped >> (at % 64) & 1 == 0 => value.push(byte),
                _ if upper => value.extend(format!("%{byte:02X}").bytes()),
                _ => value.extend(format!("%{byte:02x}").bytes()),
            }
        }
        value
    })
}

fn query() -> impl Strategy<Value = Vec<u8>> {
    let bytes = |length| value(proptest::collection::vec(any::<u8>(), length));
    let text = |pattern: &'static str| value(pattern.prop_map(String::into_bytes));
    let pair = |key: &'static str, value: BoxedStrategy<Vec<u8>>| {
        value.prop_map(move |value| [key.as_bytes(), b"=", &value].concat()).boxed()
    };
    let twenty = prop_oneof![20 => bytes(20..=20), 1 => bytes(0..=41), 1 => bytes(40..=40)].boxed();
    let number = prop_oneof![
        4 => text("[0-9]{1,5}"),
        1 => text("[0-9]{0,25}"),
        1 => text("0{0,20}[0-9]{1,3}"),
        1 => text("[-+ 0-9a-z=;]{0,6}"),
    ]
    .boxed();
    let any = prop_oneof![text("[01]{0,2}"), text("[!-~]{0,9}"), bytes(0..=8)].boxed();
    let event = text("(started|completed|stopped|paused|empty|start|)").boxed();
    let key = prop_oneof![
        Just("left"),
        Just("numwant"),
        Just("port"),
        Just("uploaded"),
        Just("por"),
        Just("lefts"),
        Just("")
    ];
    let noise = "[-!-$'-~%=&]{0,12}".prop_map(String::into_bytes);
    let other = prop_oneof![
        6 => (key, number.clone()).prop_map(|(key, value)| [key.as_bytes(), b"=", &value].concat()),
        2 => pair("event", event),
        1 => pair("compact", any.clone()),
        1 => pair("no_peer_id", any.clone()),
        1 => pair("ip", any.clone()),
        1 => pair("ipv4", any.clone()),
        1 => pair("ipv6", any),
        2 => noise,
        1 => pair("peer_id", twenty.clone()),
    ]
    .boxed();
    let required = prop_oneof![
        12 => (pair("info_hash", twenty.clone()), pair("peer_id", twenty.clone())).prop_map(|(a, b)| vec![a, b]),
        1 => Just(Vec::new()),
        1 => (pair("info_hash", twenty.clone()), pair("info_hash", twenty)).prop_map(|(a, b)| vec![a, b]),
    ];
    (required, proptest::collection::vec(other, 0..8))
        .prop_map(|(mut all, others)| {
            all.extend(others);
            all
        })
        .prop_shuffle()
        .prop_map(|all| all.join(&b'&'))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn an_announce_is_what_the_model_says(query in query()) {
        prop_assert_eq!(parse_announce(&query), naive::announce(&query), "{}", query.escape_ascii());
    }

    #[test]
    fn also_when_it_is_broken(mut query in query(), at: prop::sample::Index, byte in prop_oneof![Just(b'%'), Just(b'&'), Just(b'='), any::<u8>()]) {
        if !query.is_empty() {
            let at = at.index(query.len());
            query[at] = byte;
        }
        prop_assert_eq!(parse_announce(&query), naive::announce(&query), "{}", query.escape_ascii());
    }

    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        prop_assert_eq!(parse_announce(&bytes), naive::announce(&bytes));
        let mut hashes = Vec::new();
        let scraped = parse_scrape(&bytes, &mut hashes, 3).map(|()| hashes);
        prop_assert_eq!(scraped, naive::scrape(&bytes, 3));
        let _ = client_address(&bytes);
    }

    #[test]
    fn addresses_come_back(ip: [u8; 4], ip6: [u8; 16], port: u16) {
        let v4 = Ipv4Addr::from(ip);
        let leads_somewhere = |ip| PeerAddr::new(ip, 1).reach() != Reach::Nowhere;
        let expected = leads_somewhere(v4.into()).then_some((IpAddr::V4(v4), (port > 0).then_some(port)));
        prop_assert_eq!(client_address(format!("{v4}:{port}").as_bytes()), expected);
        let v6 = IpAddr::from(ip6);
        prop_assert_eq!(client_address(format!("{v6}").as_bytes()).map(|found| found.0), leads_somewhere(v6).then(|| v6.to_canonical()));
    }
}
