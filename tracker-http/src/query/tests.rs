use super::*;

const HASH: &[u8; 20] = b"\x01\x23\x45\x67\x89\xab\xcd\xef\x00\xff &+%=?azAZ";
const REQUIRED: &str = "info_hash=%01%23Eg%89%ab%cd%EF%00%ff%20%26+%25=?azAZ&peer_id=-qB4650-!()~*'<>;|\"Z";

/// A good announce with more behind it.
fn with(more: &str) -> String {
    format!("{REQUIRED}&{more}")
}

#[track_caller]
fn announced(query: &[u8]) -> AnnounceQuery<'_> {
    match parse_announce(query) {
        Ok(announce) => announce,
        Err(error) => panic!("{}: {error}", query.escape_ascii()),
    }
}

#[test]
fn a_bare_announce() {
    let announce = announced(REQUIRED.as_bytes());
    assert_eq!(announce.info_hash.0, *HASH);
    assert_eq!(announce.peer_id.0, *b"-qB4650-!()~*'<>;|\"Z");
    assert_eq!((announce.port, announce.left, announce.numwant), (0, u64::MAX, None));
    assert_eq!((announce.event, announce.compact, announce.no_peer_id), (Event::Regular, true, false));
    assert_eq!((announce.ip, announce.ipv4, announce.ipv6), (None, None, None));
}

#[test]
fn a_usual_announce() {
    let query = with(
        "port=6881&uploaded=0&downloaded=0&left=5&corrupt=0&key=1A&event=started&numwant=50&compact=1&no_peer_id=1\
         &supportcrypto=1&redundant=0&ip=10.0.0.1&ipv6=%5B::1%5D:80&ipv4=",
    );
    let announce = announced(query.as_bytes());
    assert_eq!((announce.port, announce.left, announce.numwant), (6881, 5, Some(50)));
    assert_eq!((announce.event, announce.compact, announce.no_peer_id), (Event::Started, true, true));
    assert_eq!(announce.ip, Some(&b"10.0.0.1"[..]));
    assert_eq!((announce.ipv4, announce.ipv6), (Some(&b""[..]), Some(&b"%5B::1%5D:80"[..])));
}

#[test]
fn every_byte_may_be_escaped_or_not() {
    let all: String = HASH.iter().map(|b| format!("%{b:02X}")).collect();
    let query = format!("peer_id={all}&info_hash={}", all.to_lowercase());
    assert_eq!(announced(query.as_bytes()).info_hash.0, *HASH);
    let raw = [b"peer_id=", &[0xfe; 20][..], b"&info_hash=", &[0x80; 20]].concat();
    assert_eq!(announced(&raw).peer_id.0, [0xfe; 20]);
    assert_eq!(announced(&raw).info_hash.0, [0x80; 20]);
}

#[test]
fn info_hashes_that_are_none() {
    let hex = "0123456789abcdefABCD0123456789abcdefABCD";
    for (info_hash, error) in [
        ("", QueryError::MissingInfoHash),
        ("info_hash", QueryError::MissingInfoHash),
        ("INFO_HASH=aaaaaaaaaaaaaaaaaaaa", QueryError::MissingInfoHash),
        ("info_hash=", QueryError::InfoHashLength(0)),
        ("info_hash=aaaaaaaaaaaaaaaaaaa", QueryError::InfoHashLength(19)),
        ("info_hash=aaaaaaaaaaaaaaaaaaaaa", QueryError::InfoHashLength(21)),
        ("info_hash=aaaaaaaaaaaaaaaaaaa%61a", QueryError::InfoHashLength(21)),
        ("info_hash=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaz", QueryError::InfoHashLength(40)),
        (&format!("info_hash={hex}"), QueryError::InfoHashHex),
        ("info_hash=aaaaaaaaaaaaaaaaaaaa&info_hash=aaaaaaaaaaaaaaaaaaaa", QueryError::InfoHashTwice),
        ("info_hash=%", QueryError::InfoHashEscape),
        ("info_hash=aaaaaaaaaaaaaaaaaaa%", QueryError::InfoHashEscape),
        ("info_hash=aaaaaaaaaaaaaaaaaaa%6", QueryError::InfoHashEscape),
        ("info_hash=aaaaaaaaaaaaaaaaaaaa%6g", QueryError::InfoHashEscape),
        ("info_hash=aaaaaaaaaaaaaaaaaaa%g6", QueryError::InfoHashEscape),
        ("info_hash=aaaaaaaaaaaaaaaaaaa%%61", QueryError::InfoHashEscape),
        ("info_hash=aaaaaaaaaaaaaaaaaaa%+1", QueryError::InfoHashEscape),
        // decoded once
        ("info_hash=%2541aaaaaaaaaaaaaaaaaaa", QueryError::InfoHashLength(22)),
    ] {
        for query in [format!("{info_hash}&peer_id=aaaaaaaaaaaaaaaaaaaa"), format!("peer_id=a&{info_hash}")] {
            assert_eq!(parse_announce(query.as_bytes()), Err(error), "{query}");
        }
    }
}

#[test]
fn peer_ids_that_are_none() {
    for (peer_id, error) in [
        ("", QueryError::MissingPeerId),
        ("peer_id", QueryError::MissingPeerId),
        ("peer_id=", QueryError::PeerIdLength(0)),
        ("peer_id=short", QueryError::PeerIdLength(5)),
        ("peer_id=0123456789012345678901234567890123456789", QueryError::PeerIdLength(40)),
        ("peer_id=aaaaaaaaaaaaaaaaaaa%zz", QueryError::PeerIdEscape),
        ("peer_id=aaaaaaaaaaaaaaaaaaaa&peer_id=a", QueryError::PeerIdLength(1)),
    ] {
        let query = format!("{peer_id}&info_hash=aaaaaaaaaaaaaaaaaaaa");
        assert_eq!(parse_announce(query.as_bytes()), Err(error), "{query}");
    }
    let query = "info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=a&peer_id=aaaaaaaaaaaaaaaaaaaa";
    assert_eq!(announced(query.as_bytes()).peer_id.0, [b'a'; 20]);
}

#[test]
fn ports() {
    for (port, expected) in [
        ("", Ok(0)),
        ("port", Ok(0)),
        ("port=0", Ok(0)),
        ("port=00", Ok(0)),
        ("port=1", Ok(1)),
        ("port=65535", Ok(65_535)),
        ("port=0006881", Ok(6881)),
        ("port=00000000000000000000000006881", Ok(6881)),
        ("port=%36881", Ok(6881)),
        ("port=%36%38%38%31", Ok(6881)),
        ("port=1&port=2", Ok(2)),
        ("port=x&port=2", Ok(2)),
        ("port=2&port=x", Err(QueryError::Port)),
        ("port=", Err(QueryError::Port)),
        ("port=65536", Err(QueryError::Port)),
        ("port=72417", Err(QueryError::Port)),
        ("port=18446744073709558497", Err(QueryError::Port)),
        ("port=-1", Err(QueryError::Port)),
        ("port=+1", Err(QueryError::Port)),
        ("port=%2B1", Err(QueryError::Port)),
        ("port=1%20", Err(QueryError::Port)),
        ("port=6881;left=0", Err(QueryError::Port)),
        ("port=68=81", Err(QueryError::Port)),
        ("port=%", Err(QueryError::Port)),
        ("port=%256881", Err(QueryError::Port)),
        ("port=abc", Err(QueryError::Port)),
    ] {
        assert_eq!(parse_announce(with(port).as_bytes()).map(|announce| announce.port), expected, "{port}");
    }
}

#[test]
fn only_zero_makes_a_seeder() {
    for (left, expected) in [
        ("left=0", 0),
        ("left=00", 0),
        ("left=%30", 0),
        ("left=1", 1),
        ("left=4294967296", 1 << 32),
        ("left=18446744073709551615", u64::MAX),
        ("left=18446744073709551616", u64::MAX),
        ("left=36893488147419103232", u64::MAX),
        ("left=-1", u64::MAX),
        ("left=-0", u64::MAX),
        ("left=", u64::MAX),
        ("left", u64::MAX),
        ("left=0x0", u64::MAX),
        ("left=0.0", u64::MAX),
        ("left=%", u64::MAX),
        ("left=0&left=7", 7),
        ("Left=0", u64::MAX),
    ] {
        assert_eq!(announced(with(left).as_bytes()).left, expected, "{left}");
    }
}

#[test]
fn numwant_is_lenient() {
    for (numwant, expected) in [
        ("numwant=0", Some(0)),
        ("numwant=200", Some(200)),
        ("numwant=%32", Some(2)),
        ("numwant=4294967295", Some(u32::MAX)),
        ("numwant=4294967296", Some(u32::MAX)),
        ("numwant=99999999999999999999999", Some(u32::MAX)),
        ("numwant=-1", None),
        ("numwant=", None),
        ("numwant=many", None),
        ("numwant=5&numwant=", None),
    ] {
        assert_eq!(announced(with(numwant).as_bytes()).numwant, expected, "{numwant}");
    }
}

#[test]
fn events() {
    for (event, expected) in [
        ("event=started", Event::Started),
        ("event=completed", Event::Completed),
        ("event=stopped", Event::Stopped),
        ("event=paused", Event::Paused),
        ("event=%73topped", Event::Stopped),
        ("event=%2573topped", Event::Regular),
        ("event=Stopped", Event::Regular),
        ("event=stopped%20", Event::Regular),
        ("event=stoppe", Event::Regular),
        ("event=empty", Event::Regular),
        ("event=", Event::Regular),
        ("event", Event::Regular),
        ("event=%", Event::Regular),
        ("event=started&event=paused", Event::Paused),
    ] {
        assert_eq!(announced(with(event).as_bytes()).event, expected, "{event}");
    }
}

#[test]
fn compact_unless_zero_and_ids_unless_one() {
    for (value, zero, one) in [
        ("0", true, false),
        ("1", false, true),
        ("%30", true, false),
        ("%31", false, true),
        ("", false, false),
        ("00", false, false),
        ("01", false, false),
        ("true", false, false),
        ("%2530", false, false),
    ] {
        let query = with(&format!("compact={value}&no_peer_id={value}"));
        let announce = announced(query.as_bytes());
        assert_eq!((announce.compact, announce.no_peer_id), (!zero, one), "{value}");
    }
}

#[test]
fn what_upsets_nothing() {
    let expected = announced(b"info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=bbbbbbbbbbbbbbbbbbbb&port=7&left=0");
    for query in [
        "left=0&port=7&peer_id=bbbbbbbbbbbbbbbbbbbb&info_hash=aaaaaaaaaaaaaaaaaaaa",
        "&&info_hash=aaaaaaaaaaaaaaaaaaaa&&peer_id=bbbbbbbbbbbbbbbbbbbb&port=7&left=0&&",
        "flag&=&==&x=&y=a=b&info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=bbbbbbbbbbbbbbbbbbbb&port=7&left=0&flag",
        "info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=bbbbbbbbbbbbbbbbbbbb&port=7&left=0&key=%&trackerid=%zz&x=%4",
        "info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=bbbbbbbbbbbbbbbbbbbb&port=7&left=0&x=1;left=9;port=8",
        "info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=bbbbbbbbbbbbbbbbbbbb&port=7&left=0&uploaded=x&downloaded=-1&corrupt",
        "info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=bbbbbbbbbbbbbbbbbbbb&port=7&left=0&info_hash",
    ] {
        assert_eq!(announced(query.as_bytes()), expected, "{query}");
    }
}

#[test]
fn scrapes() {
    let mut hashes = vec![InfoHash([9; 20])];
    let mut scrape =
        |query: &str, max| parse_scrape(query.as_bytes(), &mut hashes, max).map(|()| hashes.clone());
    let [a, b, c] = [b'a', b'b', b'c'].map(|b| InfoHash([b; 20]));
    let query = "info_hash=bbbbbbbbbbbbbbbbbbbb&x=y&info_hash=aaaaaaaaaaaaaaaaaaa%61&flag&info_hash=bbbbbbbbbbbbbbbbbbbb\
        &info_hash=cccccccccccccccccccc&";
    assert_eq!(scrape("", 9), Ok(vec![]));
    assert_eq!(scrape("info_hash&x=y", 9), Ok(vec![]));
    assert_eq!(scrape(query, 9), Ok(vec![b, a, c]));
    assert_eq!(scrape(query, 2), Ok(vec![b, a]));
    assert_eq!(scrape(&format!("{query}info_hash=a"), 1), Err(QueryError::InfoHashLength(1)));
    assert_eq!(scrape("info_hash=", 1), Err(QueryError::InfoHashLength(0)));
    assert_eq!(scrape("info_hash=%a", 1), Err(QueryError::InfoHashEscape));
    assert_eq!(scrape(&format!("info_hash={}", "0a".repeat(20)), 1), Err(QueryError::InfoHashHex));
}

#[test]
fn client_addresses() {
    for (raw, expected) in [
        ("10.1.2.3", Some(("10.1.2.3", None))),
        ("10.1.2.3:6881", Some(("10.1.2.3", Some(6881)))),
        ("10.1.2.3%3A6881", Some(("10.1.2.3", Some(6881)))),
        ("10.1.2.3:0", Some(("10.1.2.3", None))),
        ("2001:db8::1", Some(("2001:db8::1", None))),
        ("2001%3Adb8%3a%3A1", Some(("2001:db8::1", None))),
        ("[2001:db8::1]", Some(("2001:db8::1", None))),
        ("%5B2001:db8::1%5D:6881", Some(("2001:db8::1", Some(6881)))),
        ("::ffff:10.1.2.3", Some(("10.1.2.3", None))),
        ("[::ffff:10.1.2.3]:80", Some(("10.1.2.3", Some(80)))),
        ("", None),
        ("0.0.0.0", None),
        ("::", None),
        ("[::]:80", None),
        ("::ffff:0.0.0.0", None),
        ("localhost", None),
        ("example.com:80", None),
        ("10.1.2", None),
        ("10.1.2.256", None),
        ("10.1.2.3:", None),
        ("10.1.2.3:65536", None),
        ("[10.1.2.3]", None),
        ("+10.1.2.3", None),
        ("%ff", None),
        ("%", None),
    ] {
        let expected = expected.map(|(ip, port)| (ip.parse().unwrap(), port));
        assert_eq!(client_address(raw.as_bytes()), expected, "{raw}");
    }
    assert_eq!(client_address(&[b'1'; 1000]), None);
}

#[test]
fn failures_are_one_line_that_names_the_parameter() {
    for (error, name) in [
        (QueryError::MissingInfoHash, "info_hash"),
        (QueryError::InfoHashLength(3), "info_hash"),
        (QueryError::InfoHashHex, "info_hash"),
        (QueryError::InfoHashTwice, "info_hash"),
        (QueryError::InfoHashEscape, "info_hash"),
        (QueryError::MissingPeerId, "peer_id"),
        (QueryError::PeerIdLength(3), "peer_id"),
        (QueryError::PeerIdEscape, "peer_id"),
        (QueryError::Port, "port"),
    ] {
        let text = error.to_string();
        assert!(text.starts_with(name) && !text.contains('\n'), "{text}");
    }
}
