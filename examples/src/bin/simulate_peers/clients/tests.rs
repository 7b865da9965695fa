use tracker_core::Event;
use tracker_http::query::parse_announce;

use super::*;

#[test]
fn every_client_is_understood_whatever_bytes_it_has() {
    let mut dice = Dice::new(7, 0);
    println!("seed 7");
    for client in CLIENTS {
        for _ in 0..200 {
            let mut info_hash = [0; 20];
            dice.fill(&mut info_hash);
            let id = client.id(&mut dice);
            let facts = Facts {
                info_hash: &info_hash,
                id: &id,
                key: dice.word() as u32,
                port: dice.word() as u16,
                uploaded: 1,
                downloaded: 2,
                left: 1 << 32,
                event: Some("completed"),
                numwant: client.numwant,
            };
            let mut request = Vec::new();
            client.write(&mut request, "/announce", "127.0.0.1:6969", &facts);
            let line = request.split(|&byte| byte == b'\r').next().unwrap();
            let query = line.strip_prefix(b"GET /announce?").unwrap().strip_suffix(b" HTTP/1.1").unwrap();
            let read = parse_announce(query).unwrap();
            assert_eq!((read.info_hash.0, read.peer_id.0), (info_hash, id));
            assert_eq!((read.port, read.left, read.event), (facts.port, facts.left, Event::Completed));
            assert_eq!((read.numwant, read.compact), (client.numwant, !client.wants_ids()));
            assert!(request.ends_with(b"\r\n\r\n"));
        }
    }
}

#[test]
fn shares_are_of_a_hundred() {
    assert_eq!(Client::shares().last(), Some(&100.0));
}
