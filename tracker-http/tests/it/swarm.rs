//! Identity, partial seeds, who is handed out, both address families, and what is full.

use std::collections::HashMap;
use std::net::SocketAddr;

use tracker_core::{Config, PeerState};
use tracker_http::Rules;

use crate::client::Client;
use crate::site::{Setup, announce, escape, get, hash, local, run};

#[test]
fn a_peer_is_its_address_and_port_whatever_its_id() {
    run(|site| {
        site.tell(&announce(1, 1));
        site.tell(&announce(1, 1).with("peer_id", "-XX0001-other-------"));
        assert_eq!(site.counts(1), (0, 1, 0));
        site.tell(&announce(1, 2));
        site.tell(&announce(2, 1));
        Client::from("127.0.0.2", site.addr()).tell(announce(1, 1).request());
        assert_eq!((site.counts(1), site.counts(2)), ((0, 3, 0), (0, 1, 0)));
        assert_eq!(site.tracker.totals().peers(), 4);
    });
}

#[test]
fn left_moves_a_peer_to_the_seeders_and_back() {
    run(|site| {
        let mut client = site.connect();
        assert_eq!(client.tell(announce(1, 1).request()).counts(), (0, 1, 0));
        assert_eq!(client.tell(announce(1, 1).seeding().request()).counts(), (1, 0, 0));
        assert_eq!(client.tell(announce(1, 1).without("left").request()).counts(), (0, 1, 0));
    });
}

#[test]
fn a_completion_counts_once_and_only_with_nothing_left() {
    run(|site| {
        let completed = |port: u16| announce(1, port).event("completed");
        assert_eq!(site.tell(&completed(1)).counts(), (0, 1, 0));
        assert_eq!(site.tell(&completed(1).without("left")).counts(), (0, 1, 0));
        assert_eq!(site.tell(&completed(1).seeding()).counts(), (1, 0, 1));
        assert_eq!(site.tell(&completed(1).seeding()).counts(), (1, 0, 1));
        // an unknown peer that says so was none of the seeders
        assert_eq!(site.tell(&completed(2).seeding()).counts(), (2, 0, 2));
        // nobody can have port 0 in a swarm
        assert_eq!(site.tell(&completed(0).seeding()).counts(), (2, 0, 2));
        assert_eq!(site.tracker.totals().completed, 2);
    });
}

#[test]
fn stopped_removes_a_peer_and_is_answered_with_no_peers() {
    run(|site| {
        site.tell(&announce(1, 1));
        site.tell(&announce(1, 2));
        let gone = site.tell(&announce(1, 1).event("stopped").numwant(50));
        assert_eq!((gone.peers(), gone.counts()), (vec![], (0, 1, 0)));
        let again = site.tell(&announce(1, 1).event("stopped"));
        assert_eq!((again.peers(), again.counts()), (vec![], (0, 1, 0)));
        let dictionaries = site.tell(&announce(1, 3).event("stopped").with("compact", 0));
        assert!(dictionaries.get("peers").unwrap().list().is_empty());
        assert_eq!(site.stored(hash(1)).iter().map(|peer| peer.0).collect::<Vec<_>>(), [local(2)]);
    });
}

#[test]
fn completions_outlive_the_peers() {
    run(|site| {
        site.tell(&announce(1, 1));
        site.tell(&announce(1, 1).seeding().event("completed"));
        site.tell(&announce(1, 1).seeding().event("stopped"));
        assert_eq!(site.counts(1), (0, 0, 1));
        assert_eq!(site.tell(&announce(1, 2)).counts(), (0, 1, 1));
        let totals = site.tracker.totals();
        assert_eq!((totals.torrents, totals.remembered), (1, 0));
    });
}

#[test]
fn a_silent_peer_is_handed_to_nobody_though_nothing_sweeps() {
    let config = Config { peer_timeout: 1, ..Config::default() };
    Setup { config, ..Setup::default() }.run(|site| {
        site.tell(&announce(1, 1));
        // the tracker's seconds have no event: this ends as soon as the peer is stale
        site.wait_for("peer 1 grows stale", || site.tell(&announce(1, 2)).peers().is_empty());
        assert!(site.server.clock().now().whole() >= 1);
        assert_eq!(site.tell(&announce(1, 3)).ports(), [2]);
    });
}

#[test]
fn partial_seeds_are_leechers_for_others_and_want_only_leechers() {
    run(|site| {
        site.tell(&announce(1, 1).seeding());
        site.tell(&announce(1, 2));
        let paused = announce(1, 3).event("paused");
        let reply = site.tell(&paused);
        assert_eq!((reply.counts(), reply.ports()), ((1, 2, 0), vec![2]));
        site.tell(&announce(1, 4).event("paused"));
        assert_eq!(site.tell(&paused).ports(), [2]);
        assert_eq!(site.tell(&announce(1, 2)).ports(), [1, 3, 4]);
        let scrape = site.scrape(&[1]);
        assert_eq!(scrape.file(&hash(1)).int("downloaders"), 1);
        assert_eq!(scrape.file(&hash(1)).counts(), (1, 3, 0));
        assert_eq!(site.stored(hash(1))[2].1, PeerState::PartialSeed);
        // until an announce without it
        assert_eq!(site.tell(&announce(1, 3)).ports(), [1, 2, 4]);
        assert_eq!(site.scrape(&[1]).file(&hash(1)).int("downloaders"), 2);
    });
}

#[test]
fn a_seeder_is_handed_no_seeders() {
    run(|site| {
        site.tell(&announce(1, 1).seeding());
        site.tell(&announce(1, 2).seeding());
        site.tell(&announce(1, 3));
        assert_eq!(site.tell(&announce(1, 1).seeding()).ports(), [3]);
        assert_eq!(site.tell(&announce(1, 3)).ports(), [1, 2]);
    });
}

#[test]
fn nobody_is_handed_himself_and_all_others_equally_often() {
    Setup::default().run(|site| {
        let mut client = site.connect();
        for port in 1..=40 {
            client.tell(announce(1, port).request());
        }
        // churn: the first ones and some others go, and new ones come
        for port in [1, 2, 3, 17, 40] {
            client.tell(announce(1, port).event("stopped").request());
            client.tell(announce(1, 100 + port).request());
        }
        let mut seen: HashMap<u16, u32> = HashMap::new();
        const ASKED: u32 = 2000;
        for _ in 0..ASKED {
            let ports = client.tell(announce(1, 20).numwant(10).request()).ports();
            assert_eq!(ports.len(), 10);
            assert!(ports.windows(2).all(|pair| pair[0] < pair[1]), "one is handed out twice: {ports:?}");
            ports.iter().for_each(|&port| *seen.entry(port).or_default() += 1);
        }
        assert!(!seen.contains_key(&20));
        assert_eq!(seen.len(), 39);
        // each is drawn with p = 10/39: a deviation of six standard deviations does not happen
        let p = 10.0 / 39.0;
        let (mean, bound) = (f64::from(ASKED) * p, 6.0 * (f64::from(ASKED) * p * (1.0 - p)).sqrt());
        for (port, times) in seen {
            assert!((f64::from(times) - mean).abs() < bound, "{port} was handed out {times} times");
        }
    });
}

#[test]
fn both_families_meet_and_the_own_one_comes_first() {
    let setup = Setup { is_dual: true, ..Setup::default() };
    setup.run(|site| {
        let told6 = |query: &crate::site::Query| Client::new(site.addr6()).tell(query.request());
        let v6 = |port: u16| SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], port));
        let first = site.tell(&announce(1, 1));
        assert_eq!(first.get("peers6"), None);
        let reply = told6(&announce(1, 2));
        assert_eq!(reply.bytes("external ip"), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!((reply.peers(), reply.counts()), (vec![local(1)], (0, 2, 0)));
        assert_eq!(reply.get("peers6"), None);
        let reply = site.tell(&announce(1, 1));
        assert_eq!((reply.bytes("peers"), reply.peers()), (&b""[..], vec![v6(2)]));
        let keys = reply.keys();
        assert_eq!(&keys[keys.len() - 2..], ["peers", "peers6"]);
        // the same port of the other family is another peer
        told6(&announce(1, 1));
        site.tell(&announce(1, 3));
        assert_eq!(site.counts(1), (0, 4, 0));
        for _ in 0..20 {
            assert_eq!(site.tell(&announce(1, 1).numwant(1)).peers(), [local(3)]);
            assert_eq!(told6(&announce(1, 1).numwant(1)).peers(), [v6(2)]);
            assert_eq!(site.tell(&announce(1, 1).numwant(2)).peers().len(), 2);
        }
        let list = site.tell(&announce(1, 1).with("compact", 0));
        assert_eq!(list.get("peers6"), None);
        assert_eq!(list.peers().len(), 3);
        assert_eq!(list.get("peers").unwrap().list()[2].text("ip"), "::1");
        assert_eq!(site.tracker.totals().v6.leechers, 2);
    });
}

#[test]
fn an_ipv4_client_of_an_ipv6_socket_does_not_exist() {
    // IPV6_V6ONLY: the pair shares nothing
    Setup { is_dual: true, ..Setup::default() }.run(|site| {
        let mapped: SocketAddr = format!("[::ffff:127.0.0.1]:{}", site.addr6().port()).parse().unwrap();
        assert!(std::net::TcpStream::connect(mapped).is_err());
    });
}

#[test]
fn a_full_tracker_refuses_new_torrents_for_half_an_hour() {
    let config = Config { max_torrents: 2, ..Config::default() };
    Setup { config, ..Setup::default() }.run(|site| {
        site.tell(&announce(1, 1));
        site.tell(&announce(2, 1));
        let full = site.tell(&announce(3, 1));
        assert_eq!(full.keys(), ["failure reason", "retry in"]);
        assert_eq!(full.int("retry in"), 30);
        assert!(full.text("failure reason").contains("full"));
        assert_eq!(site.tell(&announce(1, 2)).ports(), [1]);
        assert_eq!(site.tracker.totals().refused_torrents, 1);
        site.tell(&announce(2, 1).event("stopped"));
        assert_eq!(site.tell(&announce(3, 1)).counts(), (0, 1, 0));
    });
}

#[test]
fn a_full_torrent_is_answered_with_peers_and_a_warning() {
    let config = Config { max_peers_per_torrent: 2, ..Config::default() };
    Setup { config, ..Setup::default() }.run(|site| {
        site.tell(&announce(1, 1));
        assert_eq!(site.tell(&announce(1, 2)).get("warning message"), None);
        for compact in [0, 1] {
            let reply = site.tell(&announce(1, 3).with("compact", compact));
            assert!(reply.text("warning message").contains("not listed"));
            assert_eq!(reply.get("failure reason"), None);
            assert_eq!((reply.ports(), reply.counts()), (vec![1, 2], (0, 2, 0)));
        }
        // who is in is served on, and room that is made is taken
        assert_eq!(site.tell(&announce(1, 2).seeding()).get("warning message"), None);
        site.tell(&announce(1, 1).event("stopped"));
        assert_eq!(site.tell(&announce(1, 3)).get("warning message"), None);
        assert_eq!(site.counts(1), (1, 1, 0));
    });
}

#[test]
fn every_answer_is_selected_afresh() {
    let rules = Rules { max_numwant: 1, ..Rules::default() };
    Setup { rules, ..Setup::default() }.run(|site| {
        let mut client = site.connect();
        for port in 1..=20 {
            client.tell(announce(1, port).request());
        }
        let one = announce(1, 1).request();
        let answers: std::collections::HashSet<u16> =
            (0..100).map(|_| client.tell(&one).ports()[0]).collect();
        assert!(answers.len() > 5, "{answers:?}");
    });
}

#[test]
fn old_clients_put_a_space_before_the_query() {
    run(|site| {
        let target = announce(1, 4).target().replacen('?', " ?", 1);
        assert_eq!(site.connect().tell(get(&target)).counts(), (0, 1, 0));
        let absolute = format!(
            "http://tracker.example:6969/announce?info_hash={}&peer_id=-TT0001-000000000005&port=5",
            escape(&hash(1))
        );
        assert_eq!(site.connect().tell(get(&absolute)).ports(), [4]);
    });
}
