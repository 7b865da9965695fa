//! What is TLS's own: versions, resumption, protocols, certificates that change, and what is no TLS at all. That HTTP is the
//! same over it is for `tests/secure`.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, HandshakeKind, SupportedProtocolVersion};
use tracker_http::{Certificate, Happening, Route, TlsError};

use crate::client::Client;
use crate::pki;
use crate::site::{Setup, Site, announce, get, run};

const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// A client of one version that remembers nothing yet.
fn client(version: &'static SupportedProtocolVersion) -> ClientConfig {
    pki::trusting(pki::first().cert.der(), &[version])
}

fn hello(config: &Arc<ClientConfig>) -> Vec<u8> {
    let mut hello = Vec::new();
    pki::connection(config).write_tls(&mut hello).unwrap();
    hello
}

/// The server closes the connection, and says nothing but an alert if that.
#[track_caller]
fn is_turned_away(client: &mut Client) {
    let mut said = Vec::new();
    // a reset is as good
    let _ = client.stream.read_to_end(&mut said);
    assert!(said.is_empty() || said[0] == 0x15, "{}", said.escape_ascii());
}

#[test]
fn both_versions_are_served_pipelined_and_kept_alive() {
    run(|site| {
        for (version, ports) in VERSIONS.into_iter().zip([1..=40, 41..=80_u16]) {
            let mut client = Client::secure(site.secure_addr(), &Arc::new(client(version)));
            let requests = ports.clone().map(|port| announce(1, port).numwant(0).request());
            client.send(requests.collect::<String>());
            for port in ports {
                assert_eq!(client.answer().bencode().counts(), (0, i64::from(port), 0));
            }
            assert_eq!(client.tls.as_ref().unwrap().protocol_version(), Some(version.version));
            client.half_close().is_closed();
        }
        assert_eq!(site.happened(Happening::TlsHandshake), 2);
        assert_eq!(site.happened(Happening::TlsHandshakeFailed), 0);
    });
}

#[test]
fn a_session_is_resumed_by_any_worker_and_whatever_the_certificate_is_by_then() {
    let mut setup = Setup::default();
    setup.settings.workers = 4;
    setup.run(|site| {
        for version in VERSIONS {
            let config = Arc::new(client(version));
            for round in 0..12 {
                if round == 8 {
                    site.tls.replace(pki::certificate(&pki::make()));
                }
                let mut client = Client::secure(site.secure_addr(), &config);
                client.tell(announce(1, 1).request());
                let kind = client.tls.as_ref().unwrap().handshake_kind();
                let expected = if round == 0 { HandshakeKind::Full } else { HandshakeKind::Resumed };
                assert_eq!(kind, Some(expected), "{version:?}, round {round}");
            }
            site.tls.replace(pki::certificate(pki::first()));
        }
    });
}

#[test]
fn http_1_1_is_the_protocol_that_is_agreed_on() {
    run(|site| {
        let offer = |protocols: &[&str]| {
            let mut config = client(&TLS13);
            config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
            let mut client = Client::secure(site.secure_addr(), &Arc::new(config));
            let shaken = client.shake_hands();
            let agreed = client.tls.as_ref().unwrap().alpn_protocol().map(<[u8]>::to_vec);
            shaken.map(|()| agreed).map_err(|error| error.to_string())
        };
        assert_eq!(offer(&[]), Ok(None));
        assert_eq!(offer(&["http/1.1"]), Ok(Some(b"http/1.1".to_vec())));
        assert_eq!(offer(&["h2", "http/1.1"]), Ok(Some(b"http/1.1".to_vec())));
        let refused = offer(&["h2"]).unwrap_err();
        assert!(refused.contains("NoApplicationProtocol"), "{refused}");
        assert_eq!(site.happened(Happening::TlsHandshakeFailed), 1);
    });
}

#[test]
fn another_certificate_is_for_new_connections_and_touches_no_open_one() {
    run(|site| {
        let mut open = Client::secure(site.secure_addr(), &Arc::new(client(&TLS13)));
        let mut begun = Client::secure(site.secure_addr(), &Arc::new(client(&TLS12)));
        assert_eq!(open.tell(announce(1, 1).request()).counts(), (0, 1, 0));
        let second = pki::make();
        site.tls.replace(pki::certificate(&second));
        let trusting = Arc::new(pki::trusting(second.cert.der(), rustls::ALL_VERSIONS));
        let mut new = Client::secure(site.secure_addr(), &trusting);
        assert_eq!(new.tell(announce(1, 2).request()).counts(), (0, 2, 0));
        // who trusts the first one only says so, which is counted
        assert!(begun.shake_hands().unwrap_err().to_string().contains("certificate"));
        drop(begun);
        site.wait_for("it is counted", || site.happened(Happening::TlsHandshakeFailed) == 1);
        assert_eq!(open.tell(announce(1, 3).request()).counts(), (0, 3, 0));
    });
}

#[test]
fn http_where_tls_is_spoken_is_told_so_at_once_and_the_other_way_round() {
    run(|site| {
        for request in [announce(1, 1).request(), "P".to_owned(), get("/x").repeat(3000)] {
            let mut client = Client::new(site.secure_addr());
            client.send(request);
            let answer = client.answer();
            assert!(answer.status == 400 && answer.closes(), "{answer:?}");
            assert!(answer.body.ends_with(b"use https:// in the place of http://\n"), "{answer:?}");
            client.is_closed();
        }
        assert_eq!(site.counts_of(|counters| counters.answers(Route::Other, 400)), 3);
        assert_eq!(site.happened(Happening::TlsHandshakeFailed), 3);
        let mut client = site.connect();
        client.send(hello(&pki::client()));
        assert_eq!(client.answer().status, 400);
        client.is_closed();
        assert_eq!(site.happened(Happening::RequestTimeout), 0);
    });
}

#[test]
fn what_is_no_tls_is_turned_away_at_once() {
    run(|site| {
        let mut damaged = hello(&pki::client());
        damaged[5] ^= 0x40;
        let http2_only = b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00".to_vec();
        let garbage = [
            b"\0".repeat(100),
            b"\r\n\r\n".to_vec(),
            b"\x80\x2e\x01\x03\x01".to_vec(), // SSL 2
            b"\x13BitTorrent protocol".to_vec(),
            b"\x17\x03\x03\x00\x01x".to_vec(), // data before a handshake
            b"\x15\x03\x03\x00\x02\x02\x28".to_vec(), // an alert
            b"\x16\x03\x01\xff\xff".to_vec(),  // longer than a record may be
            http2_only,
            damaged,
        ];
        for (at, bytes) in garbage.iter().enumerate() {
            let mut client = Client::new(site.secure_addr());
            client.send(bytes);
            is_turned_away(&mut client);
            drop(client);
            let failed = at as u64 + 1;
            site.wait_for("it is counted", || site.happened(Happening::TlsHandshakeFailed) == failed);
        }
        site.wait_for("all are gone", || site.open() == 0);
        assert_eq!(site.happened(Happening::RequestTimeout), 0);
    });
}

#[test]
fn a_handshake_may_end_after_any_byte() {
    run(|site| {
        for version in VERSIONS {
            let config = Arc::new(client(version));
            let hello = hello(&config);
            for end in 0..hello.len() {
                let mut client = Client::new(site.secure_addr());
                client.send(&hello[..end]);
                match end % 3 {
                    0 => client.reset(),
                    1 => drop(client),
                    _ => {
                        client.half_close();
                        is_turned_away(&mut client);
                    }
                }
            }
        }
        site.wait_for("all are gone", || site.open() == 0);
        assert_eq!(site.happened(Happening::TlsHandshake), 0);
        site.serves();
    });
}

#[test]
fn a_handshake_and_requests_may_come_byte_by_byte() {
    run(|site| {
        for version in VERSIONS {
            let mut client = Client::secure(site.secure_addr(), &Arc::new(client(version)));
            let mut tls = client.tls.take().unwrap();
            tls.writer().write_all(announce(1, 1).request().as_bytes()).unwrap();
            // the request goes out with the end of the handshake
            while tls.is_handshaking() || tls.wants_write() {
                let mut bytes = Vec::new();
                while tls.wants_write() {
                    tls.write_tls(&mut bytes).unwrap();
                }
                for byte in bytes {
                    client.send([byte]);
                }
                if tls.is_handshaking() {
                    tls.read_tls(&mut client.stream).unwrap();
                    tls.process_new_packets().unwrap();
                }
            }
            client.tls = Some(tls);
            assert_eq!(client.answer().bencode().counts(), (0, 1, 0));
        }
        assert_eq!(site.happened(Happening::TlsHandshake), 2);
    });
}

#[test]
fn records_and_their_pieces_may_be_cut_anywhere() {
    const SEED: u64 = 11;
    println!("seed {SEED}");
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(SEED);
    let mut size = move |largest: usize| 1 + rng.next_u32() as usize % largest;
    run(|site| {
        for version in VERSIONS {
            let mut client = Client::secure(site.secure_addr(), &Arc::new(client(version)));
            client.shake_hands().unwrap();
            let ports = 1..=300;
            let whole: String = ports.clone().map(|port| announce(2, port).numwant(0).request()).collect();
            let (mut rest, mut wire) = (whole.as_bytes(), Vec::new());
            let tls = client.tls.as_mut().unwrap();
            while !rest.is_empty() {
                let largest = [3, 90, 4000][size(3) - 1];
                let (record, more) = rest.split_at(size(largest).min(rest.len()));
                tls.writer().write_all(record).unwrap();
                while tls.wants_write() {
                    tls.write_tls(&mut wire).unwrap();
                }
                rest = more;
            }
            let mut rest = &wire[..];
            while !rest.is_empty() {
                let largest = [2, 700, 60_000][size(3) - 1];
                let (piece, more) = rest.split_at(size(largest).min(rest.len()));
                client.stream.write_all(piece).unwrap();
                rest = more;
            }
            for port in ports {
                let (_, incomplete, _) = client.answer().bencode().counts();
                assert!(incomplete == i64::from(port) || incomplete == 300);
            }
        }
    });
}

#[test]
fn all_that_came_is_carried_out_though_the_client_closes_without_a_word_and_reads_nothing() {
    run(|site| {
        for is_polite in [false, true] {
            let ports = 1..=3000;
            let mut client = Client::secure(site.secure_addr(), &pki::client());
            client.send(announce(3, 1).request());
            client.answer();
            client.send(ports.map(|port| announce(3, port).numwant(0).request()).collect::<String>());
            if is_polite {
                client.half_close();
            }
            // what has not come by then is thrown away with the answers that nobody has read
            site.wait_for("all have come", || client.unsent() == 0);
            drop(client);
            site.wait_for("all have announced", || site.counts(3) == (0, 3000, 0));
            let mut client = Client::secure(site.secure_addr(), &pki::client());
            let stopped = (1..=3000).map(|port| announce(3, port).event("stopped").request());
            client.send(stopped.collect::<String>());
            site.wait_for("all have come", || client.unsent() == 0);
            drop(client);
            site.wait_for("all have stopped", || site.counts(3) == (0, 0, 0));
        }
        site.wait_for("all are gone", || site.open() == 0);
    });
}

#[test]
fn what_is_damaged_on_the_way_ends_the_connection_and_what_came_before_counts() {
    run(|site| {
        let mut client = Client::secure(site.secure_addr(), &pki::client());
        client.shake_hands().unwrap();
        let tls = client.tls.as_mut().unwrap();
        let mut wire = Vec::new();
        for port in [1, 2] {
            tls.writer().write_all(announce(4, port).numwant(0).request().as_bytes()).unwrap();
            tls.write_tls(&mut wire).unwrap();
        }
        *wire.last_mut().unwrap() ^= 1;
        client.stream.write_all(&wire).unwrap();
        // the alert may come before the answer
        let mut rest = Vec::new();
        client.stream.read_to_end(&mut rest).unwrap();
        assert_eq!(site.counts(4), (0, 1, 0));
        assert_eq!(site.happened(Happening::TlsHandshakeFailed), 0);
    });
}

/// Clients that go away after so many steps: the hello, the end of the handshake, requests, some of the answers.
fn goes_after(site: &Site<'_>, steps: usize, config: &Arc<ClientConfig>) -> Client {
    let mut client = Client::secure(site.secure_addr(), config);
    if steps == 0 {
        return client;
    }
    if steps == 1 {
        client.tls.as_mut().unwrap().write_tls(&mut client.stream).unwrap();
        return client;
    }
    client.shake_hands().unwrap();
    if steps > 2 {
        client.send(announce(5, 1).request().repeat(200));
    }
    if steps > 3 {
        client.fill(1000);
    }
    client
}

#[test]
fn a_client_may_go_at_any_point_in_any_way() {
    run(|site| {
        for version in VERSIONS {
            let config = Arc::new(client(version));
            for steps in 0..5 {
                goes_after(site, steps, &config).reset();
                drop(goes_after(site, steps, &config));
                let mut client = goes_after(site, steps, &config);
                client.stream.shutdown(std::net::Shutdown::Write).unwrap();
                let _ = client.stream.read_to_end(&mut Vec::new());
            }
        }
        site.wait_for("all are gone", || site.open() == 0);
        site.serves();
    });
}

#[test]
fn the_time_of_the_first_request_begins_with_accept_and_holds_for_the_handshake() {
    let mut setup = Setup::default();
    setup.settings.request_timeout = Duration::from_millis(300);
    setup.run(|site| {
        let hello = hello(&pki::client());
        let mut silent = Client::new(site.secure_addr());
        let mut half = Client::new(site.secure_addr());
        half.send(&hello[..hello.len() / 2]);
        let mut answered = Client::new(site.secure_addr());
        answered.send(&hello);
        let mut idle = Client::secure(site.secure_addr(), &pki::client());
        idle.shake_hands().unwrap();
        // with whom one can talk is told why
        assert_eq!(idle.answer().status, 408);
        idle.is_closed();
        for client in [&mut silent, &mut half] {
            is_turned_away(client);
        }
        let mut said = Vec::new();
        let _ = answered.stream.read_to_end(&mut said);
        assert_eq!(said[0], 0x16);
        site.wait_for("all are gone", || site.open() == 0);
        assert_eq!(site.happened(Happening::RequestTimeout), 4);
        assert_eq!(site.counts_of(|counters| counters.answers(Route::Other, 408)), 1);
    });
}

#[test]
fn a_stop_answers_what_is_complete_and_says_that_it_is_over() {
    let mut client = None;
    let mut idle = None;
    run(|site| {
        let mut open = Client::secure(site.secure_addr(), &pki::client());
        open.tell(announce(1, 1).request());
        let mut shaking = Client::new(site.secure_addr());
        shaking.send(hello(&pki::client()));
        let mut busy = Client::secure(site.secure_addr(), &pki::client());
        busy.send(announce(1, 2).request());
        busy.fill(100);
        (client, idle) = (Some(busy), Some(open));
        site.server.handle().stop();
        is_gone_or_flight(&mut shaking);
    });
    let mut client = client.unwrap();
    client.answer();
    client.is_closed();
    idle.unwrap().is_closed();
}

fn is_gone_or_flight(client: &mut Client) {
    let mut said = Vec::new();
    let _ = client.stream.read_to_end(&mut said);
    assert!(said.is_empty() || said[0] == 0x16, "{}", said.escape_ascii());
}

#[test]
fn keys_of_every_kind_are_read_and_their_faults_told_apart() {
    for algorithm in [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519] {
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        let made = rcgen::CertificateParams::new(["t".to_owned()]).unwrap().self_signed(&key).unwrap();
        let read = |key: &str| Certificate::from_pem(made.pem().as_bytes(), key.as_bytes());
        let chain: Vec<_> = [made.der().to_vec()].into();
        assert_eq!(read(&key.serialize_pem()).unwrap().chain().collect::<Vec<_>>(), chain);
        let other = rcgen::KeyPair::generate_for(algorithm).unwrap();
        assert_eq!(read(&other.serialize_pem()).unwrap_err(), TlsError::Mismatch);
    }
}
