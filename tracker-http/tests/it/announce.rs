//! The table of `GET /announce`, the form of its answers, and failures.

use std::collections::BTreeMap;

use tracker_core::{Config, PeerState};
use tracker_http::Rules;

use crate::bencode::Value;
use crate::site::{Query, Setup, Site, announce, escape, get, hash, local, run};

/// The sentence of a failure; it must say never to try again, and register nobody.
#[track_caller]
fn refused(site: &Site<'_>, query: &Query) -> String {
    let before = site.tracker.totals();
    let failure = site.tell(query);
    assert_eq!(failure.keys(), ["failure reason", "retry in"]);
    assert_eq!(failure.text("retry in"), "never");
    assert_eq!(site.tracker.totals(), before);
    let reason = failure.text("failure reason");
    assert!(reason.len() > 20 && !reason.contains(['\r', '\n']), "{reason:?}");
    reason.to_owned()
}

/// Who is stored in torrent 1 after one announce: port and state.
#[track_caller]
fn stored_after(query: &Query) -> Option<(u16, PeerState)> {
    let mut found = None;
    run(|site| {
        site.tell(query).ports();
        found = site.stored(hash(1)).first().map(|(addr, state, _)| (addr.port(), *state));
    });
    found
}

#[test]
fn an_answer_has_its_headers_and_keys_and_no_more() {
    run(|site| {
        site.tell(&announce(1, 1).seeding());
        let answer = site.connect().ask(announce(1, 2).request());
        let names: Vec<&str> = answer.fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!((answer.status, &names[..]), (200, &["Content-Type", "Content-Length"][..]));
        let reply = answer.bencode();
        let keys =
            ["complete", "downloaded", "external ip", "incomplete", "interval", "min interval", "peers"];
        assert_eq!(reply.keys(), keys);
        assert_eq!(reply.counts(), (1, 1, 0));
        assert_eq!((reply.int("interval"), reply.int("min interval")), (1800, 900));
        assert_eq!(reply.bytes("external ip"), [127, 0, 0, 1]);
        assert_eq!(reply.peers(), [local(1)]);
    });
}

#[test]
fn intervals_are_those_of_the_rules() {
    let rules = Rules { interval: 4_000_000_000, min_interval: 7, ..Rules::default() };
    Setup { rules, ..Setup::default() }.run(|site| {
        let reply = site.tell(&announce(1, 1));
        assert_eq!((reply.int("interval"), reply.int("min interval")), (4_000_000_000, 7));
        assert_eq!(reply.bytes("peers"), b"");
    });
}

#[test]
fn info_hash_must_be_there_once_and_be_20_bytes() {
    run(|site| {
        let good = announce(1, 1);
        let hex: String = hash(1).iter().map(|byte| format!("{byte:02x}")).collect();
        for bad in [
            good.clone().without("info_hash"),
            good.clone().with("info_hash", ""),
            good.clone().with("info_hash", escape(&hash(1)[..19])),
            good.clone().with("info_hash", escape(&[&hash(1)[..], b"x"].concat())),
            good.clone().with("info_hash", &hex),
            good.clone().with("info_hash", escape(hex.as_bytes())),
            good.clone().with("info_hash", escape(&hash(1)).replace('%', "%25")),
            good.clone().with("info_hash", "aaaaaaaaaaaaaaaaaaa%g0"),
            good.clone().with("info_hash", "aaaaaaaaaaaaaaaaaaa%"),
            good.clone().with("info_hash", "aaaaaaaaaaaaaaaaaaaa%2"),
            good.clone().with("key", format!("1&info_hash={}", escape(&hash(1)))),
            good.clone().with("key", "1&info_hash=aaaaaaaaaaaaaaaaaaaa"),
        ] {
            assert!(refused(site, &bad).contains("info_hash"), "{bad:?}");
        }
        for target in ["/announce", "/announce?", "/announce?info_hash"] {
            let failure = site.connect().tell(get(target));
            assert!(failure.text("failure reason").contains("info_hash"), "{target}");
        }
    });
}

#[test]
fn peer_id_must_be_20_bytes() {
    run(|site| {
        let good = announce(1, 1);
        for bad in [
            good.clone().without("peer_id"),
            good.clone().with("peer_id", ""),
            good.clone().with("peer_id", "-TT0001-12345678901"),
            good.clone().with("peer_id", "-TT0001-1234567890123"),
            good.clone().with("peer_id", "-TT0001-12345678901%zz"),
        ] {
            assert!(refused(site, &bad).contains("peer_id"), "{bad:?}");
        }
    });
}

#[test]
fn ports_from_1_to_65535_are_stored() {
    for port in [1, 80, 6881, 65_535] {
        assert_eq!(stored_after(&announce(1, port)), Some((port, PeerState::Leecher)));
    }
    assert_eq!(stored_after(&announce(1, 1).with("port", "%36881")), Some((6881, PeerState::Leecher)));
}

#[test]
fn port_0_or_none_is_answered_with_peers_but_not_stored() {
    for query in [announce(1, 0), announce(1, 1).without("port")] {
        run(|site| {
            site.tell(&announce(1, 7));
            let reply = site.tell(&query);
            assert_eq!((reply.ports(), reply.counts()), (vec![7], (0, 1, 0)));
            assert_eq!(site.stored(hash(1)).len(), 1);
            assert_eq!(site.tell(&query.clone().with("info_hash", escape(&hash(2)))).counts(), (0, 0, 0));
            assert_eq!(site.tracker.totals().torrents, 1);
        });
    }
}

#[test]
fn any_other_port_is_a_failure() {
    run(|site| {
        for port in ["65536", "-1", "", "x", "6881x", "99999999999999999999999", "4294974177", "+6881", "%zz"]
        {
            assert!(refused(site, &announce(1, 1).with("port", port)).contains("port"), "{port}");
        }
    });
}

#[test]
fn only_a_literal_0_left_is_a_seeder() {
    for left in ["0", "%30", "00"] {
        assert_eq!(stored_after(&announce(1, 1).with("left", left)), Some((1, PeerState::Seeder)), "{left}");
    }
    for left in [
        "1",
        "-1",
        "-0",
        "",
        "x",
        "0x0",
        "4294967296",
        "18446744073709551615",
        "18446744073709551616",
        "340282366920938463463374607431768211456",
    ] {
        assert_eq!(stored_after(&announce(1, 1).with("left", left)), Some((1, PeerState::Leecher)), "{left}");
    }
    assert_eq!(stored_after(&announce(1, 1).without("left")), Some((1, PeerState::Leecher)));
}

#[test]
fn transfer_counters_are_never_a_reason_to_fail() {
    for value in ["", "-5", "x", "%", "%zz", "999999999999999999999999"] {
        let mut query = announce(1, 1);
        for name in ["uploaded", "downloaded", "corrupt", "redundant"] {
            query = query.with(name, value);
        }
        assert_eq!(stored_after(&query), Some((1, PeerState::Leecher)), "{value}");
    }
    assert!(stored_after(&announce(1, 1).without("uploaded").without("downloaded")).is_some());
}

#[test]
fn events_are_four_and_all_others_are_regular() {
    let after = |event: &str| {
        let mut counts = (0, 0, 0);
        run(|site| {
            site.tell(&announce(1, 1));
            counts = site.tell(&announce(1, 1).seeding().event(event)).counts();
        });
        counts
    };
    assert_eq!(after("completed"), (1, 0, 1));
    assert_eq!(after("%63ompleted"), (1, 0, 1));
    assert_eq!(after("stopped"), (0, 0, 0));
    for regular in ["started", "paused", "", "Completed", "complete", "completed2", "none", "%2563ompleted"] {
        assert_eq!(after(regular), (1, 0, 0), "{regular}");
    }
}

#[test]
fn numwant_is_bounded_and_garbage_is_the_default() {
    let rules = Rules { default_numwant: 3, max_numwant: 5, ..Rules::default() };
    Setup { rules, ..Setup::default() }.run(|site| {
        for port in 1..=9 {
            site.tell(&announce(1, port));
        }
        let given = |numwant: &str| site.tell(&announce(1, 1).numwant(numwant)).peers().len();
        assert_eq!(site.tell(&announce(1, 1)).peers().len(), 3);
        for (numwant, peers) in [
            ("0", 0),
            ("1", 1),
            ("5", 5),
            ("6", 5),
            ("200", 5),
            ("4294967296", 5),
            ("4294967297", 5),
            ("99999999999999999999999", 5),
            ("-1", 3),
            ("", 3),
            ("x", 3),
            ("2x", 3),
            ("%32", 2),
        ] {
            assert_eq!(given(numwant), peers, "{numwant}");
        }
    });
}

#[test]
fn compact_0_is_a_list_of_dictionaries_with_ids() {
    run(|site| {
        site.tell(&announce(1, 1).with("peer_id", "%00%FFodd%20id%26%25+%2B~-------"));
        let reply = site.tell(&announce(1, 2).with("compact", 0));
        let [peer] = reply.get("peers").unwrap().list() else { panic!("{reply:?}") };
        assert_eq!(peer.keys(), ["ip", "peer id", "port"]);
        assert_eq!((peer.text("ip"), peer.int("port")), ("127.0.0.1", 1));
        assert_eq!(peer.bytes("peer id"), b"\x00\xffodd id&%++~-------");
        let reply = site.tell(&announce(1, 2).with("compact", "%30").with("no_peer_id", 1));
        assert_eq!(reply.get("peers").unwrap().list()[0].keys(), ["ip", "port"]);
        let reply = site.tell(&announce(1, 2).with("compact", 0).with("no_peer_id", 0));
        assert_eq!(reply.get("peers").unwrap().list()[0].keys(), ["ip", "peer id", "port"]);
        let alone = site.tell(&announce(2, 2).with("compact", 0));
        assert_eq!(alone.get("peers"), Some(&Value::List(Vec::new())));
    });
}

#[test]
fn ids_that_are_not_kept_are_left_out() {
    let config = Config { keep_peer_ids: false, ..Config::default() };
    Setup { config, ..Setup::default() }.run(|site| {
        site.tell(&announce(1, 1));
        let reply = site.tell(&announce(1, 2).with("compact", 0));
        assert_eq!(reply.get("peers").unwrap().list()[0].keys(), ["ip", "port"]);
    });
}

#[test]
fn anything_but_compact_0_is_compact() {
    run(|site| {
        site.tell(&announce(1, 1));
        for compact in ["1", "", "2", "00", "false", "0x", "-0"] {
            let reply = site.tell(&announce(1, 2).with("compact", compact));
            assert_eq!(reply.bytes("peers"), [127, 0, 0, 1, 0, 1], "{compact}");
        }
        assert_eq!(site.tell(&announce(1, 2)).bytes("peers"), [127, 0, 0, 1, 0, 1]);
    });
}

#[test]
fn addresses_in_the_query_are_ignored() {
    run(|site| {
        let liar =
            announce(1, 9).with("ip", "10.0.0.1").with("ipv4", "10.0.0.2:5").with("ipv6", "2001:db8::1");
        let reply = site.tell(&liar);
        assert_eq!(reply.bytes("external ip"), [127, 0, 0, 1]);
        assert_eq!(site.stored(hash(1)).iter().map(|peer| peer.0).collect::<Vec<_>>(), [local(9)]);
    });
}

#[test]
fn what_is_not_known_upsets_nothing_in_any_order() {
    let (info_hash, id) = (escape(&hash(1)), "-TT0001-000000000001");
    for target in [
        format!("/announce?info_hash={info_hash}&peer_id={id}&port=1&left=0&"),
        format!("/announce?&&left=0&&port=1&peer_id={id}&info_hash={info_hash}&&"),
        format!(
            "/announce?key=a=b&left=0&trackerid=&x&supportcrypto=1&port=1&cryptoport=5&peer_id={id}&info_hash={info_hash}"
        ),
        format!("/announce?=&=x&&a%ZZ=%&left=0&requirecrypto&port=1&peer_id={id}&info_hash={info_hash}&%"),
        format!("/announce?left=0&port=1&peer_id={id}&info_hash={info_hash}&info_hash2=x&INFO_HASH=x&?x=y?#"),
        format!(
            "/announce?left=0&port=1&peer_id={id}&info_hash={info_hash}&\u{e9}=\u{20ac}!()~*'<>;|\"^`{{}}\\[]"
        ),
    ] {
        run(|site| {
            site.connect().tell(get(&target)).ports();
            let expected = (local(1), PeerState::Seeder, *b"-TT0001-000000000001");
            assert_eq!(site.stored(hash(1)), [expected], "{target}");
        });
    }
}

#[test]
fn a_semicolon_is_no_separator_and_a_plus_is_no_space() {
    run(|site| {
        let id = "+;~!()*'<>|\"-1234567";
        site.tell(&announce(1, 1).with("peer_id", id).with("left", "1;left=0")).ports();
        let expected = (local(1), PeerState::Leecher, *b"+;~!()*'<>|\"-1234567");
        assert_eq!(site.stored(hash(1)), [expected]);
    });
}

#[test]
fn escapes_of_either_case_of_all_bytes_or_of_none_are_alike() {
    let id = "-TT0001-abcXYZ~_.-09";
    let upper = escape(id.as_bytes());
    let forms =
        [id.to_owned(), upper.clone(), upper.to_lowercase(), id.replace('~', "%7e").replace('X', "%58")];
    run(|site| {
        for (port, form) in (1..).zip(&forms) {
            let info_hash = if port % 2 == 0 { escape(&hash(1)) } else { escape(&hash(1)).to_lowercase() };
            site.tell(&announce(1, port).with("peer_id", form).with("info_hash", info_hash));
        }
        let stored = site.stored(hash(1));
        assert_eq!(stored.len(), forms.len());
        assert!(stored.iter().all(|peer| peer.2 == id.as_bytes()));
    });
}

#[test]
fn raw_bytes_beyond_ascii_are_taken_as_they_are() {
    run(|site| {
        let mut request = b"GET /announce?info_hash=".to_vec();
        request.extend_from_slice(&[0xff; 20]);
        request.extend_from_slice(
            b"&peer_id=-TT0001-\x80\x81\xfe\xff\xc3\x28********&port=5 HTTP/1.1\r\nHost: t\r\n\r\n",
        );
        site.connect().tell(&request);
        let expected = (local(5), PeerState::Leecher, *b"-TT0001-\x80\x81\xfe\xff\xc3\x28******");
        // two bytes too many above: a failure, and the right length is stored
        assert_eq!(site.stored([0xff; 20]), []);
        let right = request.iter().position(|&b| b == b'*').unwrap();
        request.drain(right..right + 2);
        site.connect().tell(&request);
        assert_eq!(site.stored([0xff; 20]), [expected]);
    });
}

#[test]
fn head_gets_the_headers_and_registers_nobody() {
    run(|site| {
        site.tell(&announce(1, 1).seeding());
        let before = site.tracker.totals();
        let mut client = site.connect();
        for query in [announce(1, 2), announce(1, 1).event("stopped"), announce(2, 3), announce(1, 1)] {
            let head = client.send(query.request().replacen("GET", "HEAD", 1)).answer_to_head();
            assert_eq!((head.status, head.field("content-type")), (200, Some("text/plain")));
            assert!(head.field("content-length").is_some_and(|length| length.parse::<u32>().unwrap() > 50));
        }
        assert_eq!(site.tracker.totals(), before);
        let failure = client.send("HEAD /announce HTTP/1.1\r\nHost: t\r\n\r\n").answer_to_head();
        assert_eq!(failure.status, 200);
        // what follows is the answer to GET and no body of HEAD
        let port_0 = client.ask(announce(1, 0).request());
        let head = client.send(announce(1, 0).request().replacen("GET", "HEAD", 1)).answer_to_head();
        let names = |fields: &[(String, String)]| fields.iter().cloned().collect::<BTreeMap<_, _>>();
        assert_eq!(names(&head.fields), names(&port_0.fields));
    });
}
