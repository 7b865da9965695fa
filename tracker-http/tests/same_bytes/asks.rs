//! Requests to the tracker: those that clients make, and every mixture of what may be in them.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::wire::{Ask, Field, Param};
use crate::world::HASHES;

/// How a request is written down: as most clients do, or any way.
pub(crate) fn taste() -> BoxedStrategy<Vec<u8>> {
    prop_oneof![2 => Just(Vec::new()), 1 => vec(any::<u8>(), 1..80)].boxed()
}

pub(crate) fn any_ask() -> BoxedStrategy<Ask> {
    let usual = prop_oneof![4 => sound_ask(), 1 => sound_scrape()];
    let wild_scrape = prop_oneof![2 => wild_query(), 1 => scrape_query(0..2), 1 => scrape_query(4..9)];
    let odd = prop_oneof![
        3 => (wild_query(), client_fields()).prop_map(|(query, fields)| get("/announce", query, fields)),
        1 => (wild_scrape, client_fields()).prop_map(|(query, fields)| get("/scrape", query, fields)),
    ];
    let path = prop_oneof![
        4 => Just("/announce"),
        2 => Just("/scrape"),
        1 => select(&["/", "/announce/", "/Announce", "/announc", "/stats", "announce", "*", "/\u{e9}#"][..]),
    ];
    let query = prop_oneof![3 => announce_query(), 1 => wild_query(), 1 => scrape_query(0..4)];
    let wild = (method(), path, query, version(), fields(), body()).prop_map(
        |(method, path, query, version, mut fields, (of_body, body))| {
            fields.extend(of_body);
            let (method, version, path) = (method.to_owned(), version.to_owned(), path.to_owned());
            Ask { method, path, query, version, fields, body }
        },
    );
    prop_oneof![3 => usual, 3 => odd, 4 => wild].boxed()
}

/// An announce as clients make them.
pub(crate) fn sound_ask() -> BoxedStrategy<Ask> {
    (announce_query(), client_fields()).prop_map(|(query, fields)| get("/announce", query, fields)).boxed()
}

/// A scrape as clients make them.
pub(crate) fn sound_scrape() -> BoxedStrategy<Ask> {
    (scrape_query(1..4), client_fields()).prop_map(|(query, fields)| get("/scrape", query, fields)).boxed()
}

fn get(path: &str, query: Vec<Param>, fields: Vec<Field>) -> Ask {
    let (method, version) = ("GET".to_owned(), "HTTP/1.1".to_owned());
    Ask { method, path: path.to_owned(), query, version, fields, body: Vec::new() }
}

fn of(key: &str, value: impl Into<Vec<u8>>) -> Param {
    Param::Of(key.to_owned(), value.into())
}

fn hash() -> BoxedStrategy<Vec<u8>> {
    prop_oneof![8 => select(&HASHES[..]), 1 => any::<[u8; 20]>()].prop_map(Vec::from).boxed()
}

fn peer_id() -> BoxedStrategy<Vec<u8>> {
    let tail = prop_oneof![vec(select(&b"0aZ-.~!"[..]), 12), vec(any::<u8>(), 12)];
    let client = select(&["-qB5000-", "-TR4030-", "-lt0D80-", "A2-1-36-"][..]);
    (client, tail).prop_map(|(client, tail)| [client.as_bytes(), &tail].concat()).boxed()
}

/// Each key once, in an order as clients have it.
fn announce_query() -> BoxedStrategy<Vec<Param>> {
    let number = || prop_oneof![2 => Just(0_u64), 2 => 1..100_000_u64, 1 => any::<u64>()];
    let port = prop_oneof![4 => 6881..6889_u16, 1 => any::<u16>()];
    let event =
        proptest::option::of(select(&["started", "completed", "stopped", "paused", "", "update"][..]));
    let numwant = proptest::option::of(
        prop_oneof![4 => 0..210_u64, 1 => 1_u64 << 32..(1 << 32) + 9, 1 => any::<u64>()],
    );
    let compact = proptest::option::weighted(0.8, prop_oneof![3 => Just("1"), 1 => Just("0")]);
    let flags = (compact, prop::bool::weighted(0.3), any::<bool>());
    let ip = proptest::option::weighted(0.2, (select(&["ip", "ipv4", "ipv6"][..]), address()));
    (hash(), peer_id(), port, [number(), number(), number()], event, numwant, flags, ip)
        .prop_map(
            |(hash, id, port, [uploaded, downloaded, left], event, numwant, (compact, no_id, key), ip)| {
                let mut query = vec![of("info_hash", hash), of("peer_id", id), of("port", port.to_string())];
                query.push(of("uploaded", uploaded.to_string()));
                query.push(of("downloaded", downloaded.to_string()));
                query.push(of("left", left.to_string()));
                query.extend(key.then(|| of("key", "5F3A0b1c")));
                query.extend(event.map(|event| of("event", event)));
                query.extend(numwant.map(|numwant| of("numwant", numwant.to_string())));
                query.extend(compact.map(|compact| of("compact", compact)));
                query.extend(no_id.then(|| of("no_peer_id", "1")));
                query.extend(ip.map(|(key, address)| of(key, address)));
                query.push(of("supportcrypto", "1"));
                query
            },
        )
        .boxed()
}

fn address() -> BoxedStrategy<String> {
    let usual = [
        "203.0.113.44",
        "203.0.113.44:7000",
        "203.0.113.44:0",
        "2001:db8::44",
        "[2001:db8::44]",
        "[2001:db8::44]:7000",
        "::ffff:203.0.113.44",
        "[203.0.113.44]",
        "0.0.0.0",
        "224.0.0.1",
        "::",
        "fe80::1",
        "tracker.example",
        "203.0.113.044",
        "",
    ];
    select(usual.to_vec()).prop_map(str::to_owned).boxed()
}

fn scrape_query(count: std::ops::Range<usize>) -> BoxedStrategy<Vec<Param>> {
    vec(hash(), count)
        .prop_map(|hashes| hashes.into_iter().map(|hash| of("info_hash", hash)).collect())
        .boxed()
}

/// Any keys with any values, in any order.
fn wild_query() -> BoxedStrategy<Vec<Param>> {
    let twenty = || {
        let wrong = prop_oneof![
            vec(any::<u8>(), 0..44),
            vec(any::<u8>(), 40),
            "[0-9a-fA-F]{40}".prop_map(String::into_bytes)
        ];
        prop_oneof![10 => hash(), 1 => wrong]
    };
    let edges = [
        "0",
        "1",
        "00",
        "007",
        "80",
        "65535",
        "65536",
        "4294967295",
        "4294967296",
        "18446744073709551615",
        "18446744073709551616",
        "000000000000001",
        "000000000006881",
        "0000000000000080",
        "00000000000000000000000000000001",
        "-1",
        "+1",
        " 1",
        "1.5",
        "1e3",
        "0x1",
        "",
    ];
    let number = || {
        let edge = select(edges.to_vec()).prop_map(str::to_owned);
        prop_oneof![2 => edge, 1 => "[0-9]{1,22}", 1 => "0{0,17}[0-9]{1,4}"]
    };
    let bit = || select(&["0", "1", "", "00", "01", "true", "2"][..]);
    let events = ["started", "completed", "stopped", "paused", "empty", "Started", "starte", "startedd", ""];
    let key = "[a-z_]{0,18}|info_hash2|Info_Hash|xinfo_hash|ports|por|lefts|uploaded|downloaded|corrupt|trackerid|key";
    let raw = [
        "",
        "key",
        "=",
        "=1",
        "a=b=c",
        "port=%",
        "port=%3",
        "left=%30%",
        "info_hash=%zz",
        "peer_id=%4",
        "info_hash",
        "peer_id",
        "event=%73topped",
        "compact=%30",
        "no_peer_id=%31",
        "port=%36881",
        "ip=%zz",
        ";left=0",
    ];
    let pair = prop_oneof![
        3 => (select(&["left", "numwant", "port", "downloaded"][..]), number())
            .prop_map(|(key, value)| of(key, value)),
        1 => (key, number()).prop_map(|(key, value)| of(&key, value)),
        1 => (select(&["compact", "no_peer_id"][..]), bit()).prop_map(|(key, value)| of(key, value)),
        1 => select(events.to_vec()).prop_map(|event| of("event", event)),
        1 => twenty().prop_map(|id| of("peer_id", id)),
        1 => (select(&["ip", "ipv4", "ipv6"][..]), address()).prop_map(|(key, value)| of(key, value)),
        1 => select(raw.to_vec()).prop_map(|raw| Param::Raw(raw.to_owned())),
    ]
    .boxed();
    let hashes = prop_oneof![
        10 => vec(twenty(), 1),
        1 => vec(twenty(), 0..6)
    ];
    let wild = (hashes, proptest::option::weighted(0.9, twenty()), vec(pair.clone(), 0..8)).prop_map(
        |(hashes, id, pairs)| {
            let mut all: Vec<Param> = hashes.into_iter().map(|hash| of("info_hash", hash)).collect();
            all.extend(id.map(|id| of("peer_id", id)));
            all.extend(pairs);
            all
        },
    );
    let near = (announce_query(), vec(pair, 1..4)).prop_map(|(sound, pairs)| [sound, pairs].concat());
    prop_oneof![wild, near].prop_shuffle().boxed()
}

fn method() -> BoxedStrategy<&'static str> {
    prop_oneof![
        6 => Just("GET"),
        3 => Just("HEAD"),
        1 => select(&["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT"][..]),
        1 => select(&["get", "BREW", "G", "GETS", "HEADER", "", "G(T"][..]),
    ]
    .boxed()
}

fn version() -> BoxedStrategy<&'static str> {
    let rare = [
        "HTTP/1.2",
        "HTTP/1.9",
        "HTTP/2.0",
        "HTTP/0.9",
        "HTTP/2",
        "HTTP/1",
        "HTTP/1.10",
        "http/1.1",
        "HTTP/1.1 x",
        "ICY/1.1",
        "",
    ];
    prop_oneof![8 => Just("HTTP/1.1"), 6 => Just("HTTP/1.0"), 1 => select(rare.to_vec())].boxed()
}

/// The header lines of clients.
fn client_fields() -> BoxedStrategy<Vec<Field>> {
    let all = [
        ("User-Agent", "qBittorrent/5.0.1"),
        ("User-Agent", "Transmission/4.0.3"),
        ("Accept", "*/*"),
        ("Accept", "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"),
        ("Accept-Encoding", "gzip"),
        ("Accept-Encoding", "deflate, gzip, br, zstd"),
        ("Content-type", "application/x-www-form-urlencoded"),
        ("Want-Digest", "SHA-512;q=1, SHA-256;q=1, SHA;q=0.1"),
        ("X-Forwarded-For", "198.51.100.1"),
        ("Upgrade", "h2c"),
        ("Cookie", "a=\u{e9}\tb"),
        ("Expect", "100-continue"),
        ("!#$%&'*+-.^_`|~0aZ", ""),
        ("Connexion", "close"),
        ("Connections", "close"),
    ];
    let connection =
        ["close", "keep-alive", "Keep-Alive", "closed", "TE, Close", "keep-alive ,\tTE", "TE,KEEP-ALIVE", ""];
    let connection = proptest::option::weighted(0.5, select(connection.to_vec()));
    (vec(select(all.to_vec()), 0..6), connection, any::<Index>())
        .prop_map(|(some, connection, host)| {
            let mut fields: Vec<Field> = some
                .into_iter()
                .chain(connection.map(|value| ("Connection", value)))
                .map(|(name, value)| Field::Of(name.to_owned(), value.to_owned()))
                .collect();
            let at = host.index(fields.len() + 1);
            fields.insert(at, Field::Of("Host".to_owned(), "tracker:6969".to_owned()));
            fields
        })
        .boxed()
}

fn fields() -> BoxedStrategy<Vec<Field>> {
    let rare: [&[u8]; 19] = [
        b"Host: other",
        b"Host:",
        b"Connection: close",
        b"connection:keep-alive",
        b"Connection: foo ,Close, bar",
        b"X : y",
        b": y",
        b"X",
        b"X y: z",
        b" folded",
        b"X: \0",
        b"X: a\rb",
        b"X: a\r",
        b"X(: a",
        b"\xe9: a",
        b"X: \xe9\x7f",
        b"Expect: more",
        b"Content-Length: 0",
        b"X:\t",
    ];
    // neighbours of letters and digits, and what ends a name elsewhere
    let odd_byte = prop_oneof![select(&b"@[`{/:;,\"()=\x7f\x80"[..]), any::<u8>()];
    let odd_name = ("[a-zA-Z-]{0,18}", odd_byte, "[a-zA-Z-]{0,3}").prop_map(|(name, byte, rest)| {
        [name.as_bytes(), &[byte], rest.as_bytes(), b": of any length"].concat()
    });
    let rare = prop_oneof![2 => select(rare.to_vec()).prop_map(Vec::from), 1 => odd_name];
    let rare = prop_oneof![6 => Just(Vec::new()), 1 => vec(rare, 1..3)];
    let no_host = prop::bool::weighted(0.05);
    (client_fields(), rare, no_host)
        .prop_map(|(mut fields, rare, no_host)| {
            if no_host {
                fields.retain(|field| !matches!(field, Field::Of(name, _) if name == "Host"));
            }
            fields.extend(rare.into_iter().map(Field::Raw));
            fields
        })
        .prop_shuffle()
        .boxed()
}

/// Header lines about a body, and the body.
fn body() -> BoxedStrategy<(Vec<Field>, Vec<u8>)> {
    let line = |text: String| Field::Raw(text.into_bytes());
    let expect = prop::bool::weighted(0.3);
    let sized = (vec(any::<u8>(), 0..50), select(&["", "0", "00"][..]))
        .prop_map(move |(body, zeros)| (vec![line(format!("Content-Length: {zeros}{}", body.len()))], body));
    let chunk = (vec(any::<u8>(), 1..20), select(&["", ";a=b", " ", ";x=\"\t\""][..]), any::<[bool; 2]>());
    let trailer = select(&["", "", "", "A: b\r\n", "A\nB\n"][..]);
    let chunked = (vec(chunk, 0..3), trailer, select(&["0\r\n", "0\n", "00;z\r\n"][..])).prop_map(
        move |(chunks, trailer, last)| {
            let mut body = Vec::new();
            for (data, extension, [upper, short]) in chunks {
                let size = if upper { format!("{:X}", data.len()) } else { format!("0{:x}", data.len()) };
                let end = if short { "\n" } else { "\r\n" };
                body.extend(
                    [size.as_bytes(), extension.as_bytes(), end.as_bytes(), &data, end.as_bytes()].concat(),
                );
            }
            body.extend(format!("{last}{trailer}\r\n").bytes());
            (vec![line("Transfer-Encoding: Chunked".to_owned())], body)
        },
    );
    let wrong = [
        "Content-Length: +1",
        "Content-Length: ",
        "Content-Length: 18446744073709551616",
        "Content-Length: 1, 1",
        "Content-Length: 65537",
        "Content-Length: 1\r\nContent-Length: 1",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 3",
        "Transfer-Encoding: chunked",
    ];
    let wrong = (select(wrong.to_vec()), "[0-9a-f;\r\n x]{0,12}")
        .prop_map(move |(field, body)| (vec![line(field.to_owned())], body.into_bytes()));
    let some = prop_oneof![2 => sized, 2 => chunked, 1 => wrong];
    let some = (some, expect).prop_map(move |((mut fields, body), expects)| {
        fields.extend(expects.then(|| line("Expect: 100-continue".to_owned())));
        (fields, body)
    });
    prop_oneof![3 => Just((Vec::new(), Vec::new())), 1 => some].boxed()
}
