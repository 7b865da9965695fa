//! Bytes that come and go in pieces of any size, read as they are on the wire while others are written.

use std::io::Read;

use proptest::prelude::*;
use tracker_http::Happening;

use crate::client::Client;
use crate::keep_alive::{is_answer_to, mixed};
use crate::shared::Shelf;
use crate::site::{announce, get, run};

#[test]
fn a_pipeline_may_be_cut_anywhere() {
    use rand_core::{Rng, SeedableRng};
    const SEED: u64 = 7;
    println!("seed {SEED}");
    let mut rng = rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(SEED);
    run(|site| {
        let whole: String = (0..300).map(mixed).collect();
        for _ in 0..8 {
            let mut client = site.connect();
            let mut rest = whole.as_bytes();
            let mut reader = crate::client::Client::over(client.stream.try_clone().unwrap());
            std::thread::scope(|scope| {
                scope.spawn(move || {
                    for n in 0..300 {
                        let answer = if n % 7 == 3 { reader.answer_to_head() } else { reader.answer() };
                        is_answer_to(n, &answer);
                    }
                });
                while !rest.is_empty() {
                    let largest = [1, 3, 40, 700, 5000][rng.next_u32() as usize % 5];
                    let (part, more) = rest.split_at((1 + rng.next_u32() as usize % largest).min(rest.len()));
                    client.send(part);
                    rest = more;
                }
            });
        }
    });
}

/// A request that leaves its connection open.
fn request() -> impl Strategy<Value = String> {
    let length = prop_oneof![
        2 => 0..200_usize,
        2 => 4000..4200_usize,
        2 => 16_300..16_500_usize,
        2 => 0..100_000_usize,
        2 => 200_000..700_000_usize,
    ];
    let method = prop_oneof![9 => Just("GET"), 1 => Just("HEAD")];
    let page = (method, length, any::<bool>()).prop_map(|(method, length, is_old)| match is_old {
        false => format!("{method} /page/{length} HTTP/1.1\r\nHost: t\r\n\r\n"),
        true => format!("{method} /page/{length} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
    });
    prop_oneof![
        4 => (1..50_u16).prop_map(|port| announce(1, port).numwant(0).request()),
        1 => Just(get("/nothing")),
        5 => page,
    ]
}

/// Everything that a server says to `bytes` that come in such pieces, read in such pieces.
fn answers(shares: bool, is_thin: bool, bytes: &[u8], sent: &[usize], read: &[usize]) -> Vec<u8> {
    let mut answers = Vec::new();
    Shelf { shares, ..Shelf::new() }.run(|site| {
        let mut client = if is_thin { Client::thin(site.addr()) } else { site.connect() };
        let mut reader = client.stream.try_clone().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut rest = bytes;
                for &size in sent.iter().cycle() {
                    let (piece, behind) = rest.split_at(size.min(rest.len()));
                    client.send(piece);
                    rest = behind;
                    if rest.is_empty() {
                        break;
                    }
                }
                // refused where the server has closed already
                let _ = client.stream.shutdown(std::net::Shutdown::Write);
            });
            let mut buffer = vec![0; 1 << 20];
            for &size in read.iter().cycle() {
                let more = reader.read(&mut buffer[..size]).unwrap();
                answers.extend_from_slice(&buffer[..more]);
                if more == 0 {
                    break;
                }
            }
        });
        site.wait_for("it is closed", || site.open() == 0);
        assert_eq!(site.happened(Happening::BytesOut), answers.len() as u64);
    });
    answers
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn sharing_gives_the_bytes_that_sending_gives(
        requests in proptest::collection::vec(request(), 1..12),
        last in proptest::option::of(0..700_000_usize),
        is_thin: bool,
        sent in proptest::collection::vec(1..400_usize, 1..20),
        read in proptest::collection::vec(prop_oneof![500..2000_usize, 10_000..1_000_000_usize], 1..20),
    ) {
        let mut bytes = requests.concat();
        if let Some(length) = last {
            bytes += &format!("GET /page/{length} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
        }
        let shared = answers(true, is_thin, bytes.as_bytes(), &sent, &read);
        let sent = answers(false, false, bytes.as_bytes(), &[bytes.len()], &[1 << 20]);
        prop_assert_eq!(shared.len(), sent.len());
        let differs = shared.iter().zip(&sent).position(|(shared, sent)| shared != sent);
        prop_assert_eq!(differs, None);
    }
}
