//! `GET /scrape`, of some torrents and of all.

use tracker_http::Rules;

use crate::site::{Setup, announce, escape, get, hash, run, scrape};

fn with_full_scrape() -> Setup {
    Setup { rules: Rules { full_scrape: true, ..Rules::default() }, ..Setup::default() }
}

#[test]
fn every_torrent_asked_for_is_there_once_and_an_unknown_one_with_zeros() {
    run(|site| {
        site.tell(&announce(1, 1).seeding());
        site.tell(&announce(1, 2));
        site.tell(&announce(3, 3).seeding().event("completed"));
        let reply = site.scrape(&[3, 9, 1, 3, 1]);
        assert_eq!(reply.keys(), ["files", "flags"]);
        assert_eq!(reply.get("flags").unwrap().int("min_request_interval"), 900);
        let files = reply.get("files").unwrap().dict();
        assert_eq!(files.keys().map(|key| key[19]).collect::<Vec<_>>(), [1, 3, 9]);
        for file in files.values() {
            assert_eq!(file.keys(), ["complete", "downloaded", "downloaders", "incomplete"]);
        }
        assert_eq!(reply.file(&hash(1)).counts(), (1, 1, 0));
        assert_eq!(reply.file(&hash(3)).counts(), (1, 0, 1));
        assert_eq!(reply.file(&hash(9)).counts(), (0, 0, 0));
        // asking makes no torrent
        assert_eq!(site.tracker.totals().torrents, 2);
    });
}

#[test]
fn only_the_first_of_many_are_answered() {
    let rules = Rules { max_scrape: 3, min_interval: 77, ..Rules::default() };
    Setup { rules, ..Setup::default() }.run(|site| {
        let reply = site.scrape(&[9, 9, 8, 9, 7, 6, 5]);
        let files = reply.get("files").unwrap().dict();
        assert_eq!(files.keys().map(|key| key[19]).collect::<Vec<_>>(), [7, 8, 9]);
        assert_eq!(reply.get("flags").unwrap().int("min_request_interval"), 77);
    });
}

#[test]
fn a_wrong_length_is_a_failure_wherever_it_stands() {
    let rules = Rules { max_scrape: 1, ..Rules::default() };
    Setup { rules, ..Setup::default() }.run(|site| {
        let good = escape(&hash(1));
        for bad in ["", "x", &good[..57], &format!("{good}x"), &"a".repeat(40), "%zz"] {
            for target in [
                format!("/scrape?info_hash={bad}"),
                format!("/scrape?info_hash={good}&info_hash={good}&info_hash={bad}"),
            ] {
                let failure = site.connect().tell(get(&target));
                assert!(failure.text("failure reason").contains("info_hash"), "{target}");
                assert_eq!(failure.text("retry in"), "never");
            }
        }
    });
}

#[test]
fn other_parameters_are_passed_over() {
    run(|site| {
        site.tell(&announce(1, 1));
        let target = format!("/scrape?&x&key=a=b&info_hash={}&%&compact=1&", escape(&hash(1)).to_lowercase());
        assert_eq!(site.connect().tell(get(&target)).file(&hash(1)).counts(), (0, 1, 0));
    });
}

#[test]
fn the_whole_tracker_is_shown_only_where_that_is_on() {
    run(|site| {
        for target in ["/scrape", "/scrape?", "/scrape?x=1"] {
            let failure = site.connect().tell(get(target));
            assert!(failure.text("failure reason").contains("info_hash"), "{target}");
            assert_eq!(failure.text("retry in"), "never");
        }
    });
}

#[test]
fn a_full_scrape_is_chunked_and_the_connection_goes_on() {
    with_full_scrape().run(|site| {
        let mut client = site.connect();
        let empty = client.ask(get("/scrape"));
        assert_eq!(empty.field("transfer-encoding"), Some("chunked"));
        assert!(empty.bencode().get("files").unwrap().dict().is_empty());
        for torrent in 0..200 {
            client.tell(announce(torrent, 1).seeding().request());
        }
        client.tell(announce(5, 1).event("stopped").request());
        client.tell(announce(7, 2).seeding().event("completed").request());
        client.tell(announce(7, 2).seeding().event("stopped").request());
        client.tell(announce(7, 1).event("stopped").request());
        // pipelined, with requests before and behind it
        let batch = [get("/x"), get("/scrape"), scrape_one(), get("/scrape"), get("/y")].concat();
        client.send(batch);
        assert_eq!(client.answer().status, 404);
        let all = client.answer().bencode();
        assert_eq!(client.answer().bencode().file(&hash(9)).counts(), (1, 0, 0));
        assert_eq!(client.answer().bencode(), all);
        assert_eq!(client.answer().status, 404);
        let files = all.get("files").unwrap().dict();
        // whatever max_scrape is; the one that nobody is left of is gone, but remembered if it was completed
        assert_eq!(files.len(), 199);
        assert_eq!(all.file(&hash(7)).counts(), (0, 0, 1));
        assert_eq!(all.get("flags").unwrap().int("min_request_interval"), 900);
    });
}

fn scrape_one() -> String {
    get(&scrape(&[9]))
}

#[test]
fn a_full_scrape_of_many_torrents_is_whole_and_sorted() {
    with_full_scrape().run(|site| {
        let mut client = site.connect();
        const TORRENTS: usize = 20_000;
        // 96 bytes each in the answer: about 2 MB
        for batch in (0..TORRENTS).collect::<Vec<_>>().chunks(100) {
            let request = |n: &usize| {
                let info_hash = format!("{:020}", n * 7919 % TORRENTS);
                announce(0, 1).with("info_hash", info_hash).request()
            };
            client.send(batch.iter().map(request).collect::<String>());
            batch.iter().for_each(|_| assert_eq!(client.answer().status, 200));
        }
        let answer = client.ask(get("/scrape"));
        assert!(answer.body.len() > 1 << 20);
        // the decoder checks that the keys ascend
        assert_eq!(answer.bencode().get("files").unwrap().dict().len(), TORRENTS);
        let mut old = site.connect();
        let until_close = old.ask("GET /scrape HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assert_eq!(until_close.field("transfer-encoding"), None);
        assert_eq!(until_close.field("content-length"), None);
        assert!(until_close.closes());
        assert_eq!(until_close.body, answer.body);
        // more than 64 KiB with a length
        let many: String = (0..150).map(|n| format!("&info_hash={n:020}")).collect();
        assert_eq!(client.tell(get(&format!("/scrape?{many}"))).get("files").unwrap().dict().len(), 100);
    });
}

#[test]
fn a_full_scrape_closes_where_the_client_asks_for_it() {
    with_full_scrape().run(|site| {
        site.tell(&announce(1, 1));
        let mut client = site.connect();
        let answer = client.ask("GET /scrape HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
        assert!(answer.closes() && answer.bencode().file(&hash(1)).counts() == (0, 1, 0));
        client.is_closed();
        let mut head = site.connect();
        let answer = head.send("HEAD /scrape HTTP/1.1\r\nHost: t\r\n\r\n").answer_to_head();
        assert_eq!((answer.status, answer.field("transfer-encoding")), (200, Some("chunked")));
        assert_eq!(head.ask(get("/x")).status, 404);
        let answer = head.send("HEAD /scrape HTTP/1.0\r\n\r\n").answer_to_head();
        assert!(answer.closes());
        head.is_closed();
    });
}

#[test]
fn a_long_head_that_the_limits_allow_is_streamed_too() {
    let mut setup = with_full_scrape();
    setup.settings.limits.target = 64 << 10;
    setup.run(|site| {
        site.tell(&announce(1, 1));
        let reply = site.connect().tell(get(&format!("/scrape?pad={}", "x".repeat(20_000))));
        assert_eq!(reply.file(&hash(1)).counts(), (0, 1, 0));
    });
}
