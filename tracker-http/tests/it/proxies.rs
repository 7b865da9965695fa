//! Who a client is: behind proxies, and where it is believed. And which torrents are served.

use std::net::{IpAddr, SocketAddr};

use tracker_core::{AccessList, AccessMode, InfoHash};
use tracker_http::{ClientIp, ForwardedHeader, Proxies, Rules};

use crate::bencode::Value;
use crate::client::Client;
use crate::site::{Setup, Site, announce, get, hash, local, run, scrape};

fn behind(trusted: &[&str], header: ForwardedHeader) -> Setup {
    let mut setup = Setup::default();
    setup.settings.proxies =
        Proxies { trusted: trusted.iter().map(|net| net.parse().unwrap()).collect(), header };
    setup
}

/// The address that the tracker takes the client for.
fn seen(reply: &Value) -> IpAddr {
    match reply.bytes("external ip") {
        &[a, b, c, d] => [a, b, c, d].into(),
        ip => <[u8; 16]>::try_from(ip).unwrap().into(),
    }
}

#[track_caller]
fn check(setup: Setup, cases: &[(&str, &str)]) {
    setup.run(|site| {
        // one connection: each request is judged alone
        let mut client = site.connect();
        for (port, (fields, expected)) in (1..).zip(cases) {
            let reply = client.tell(announce(port as u8, port).request_with(fields));
            assert_eq!(seen(&reply), expected.parse::<IpAddr>().unwrap(), "{fields}");
            let addr = SocketAddr::new(expected.parse().unwrap(), port);
            assert_eq!(site.stored(hash(port as u8))[0].0, addr, "{fields}");
        }
    });
}

#[test]
fn a_trusted_proxy_is_believed_from_the_right() {
    check(
        behind(&["127.0.0.0/8", "10.0.0.0/8"], ForwardedHeader::Any),
        &[
            ("", "127.0.0.1"),
            ("X-Forwarded-For: 203.0.113.9\r\n", "203.0.113.9"),
            ("X-Forwarded-For: 1.1.1.1, 203.0.113.9, 10.1.2.3\r\n", "203.0.113.9"),
            ("X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 203.0.113.9,10.1.2.3\r\n", "203.0.113.9"),
            ("X-Forwarded-For: 10.9.9.9, 10.1.2.3\r\n", "127.0.0.1"),
            ("X-Forwarded-For: 203.0.113.9, nonsense\r\n", "127.0.0.1"),
            ("x-forwarded-for: 2001:db8::7\r\n", "2001:db8::7"),
            ("X-Forwarded-For: [2001:db8::7]:443\r\n", "2001:db8::7"),
            ("X-Forwarded-For: ::ffff:203.0.113.9\r\n", "203.0.113.9"),
            ("X-Real-IP: 203.0.113.9\r\n", "203.0.113.9"),
            ("X-Real-IP: 198.51.100.1\r\nX-Forwarded-For: 203.0.113.9\r\n", "203.0.113.9"),
            (
                "Forwarded: for=192.0.2.60;proto=http, for=\"[2001:db8:cafe::17]:4711\"\r\n",
                "2001:db8:cafe::17",
            ),
            ("Forwarded: For=\"203.0.113.9:80\"\r\n", "203.0.113.9"),
            ("X-Forwarded-For: \r\n", "127.0.0.1"),
            ("X-Forwarded-For: \u{e9}\r\n", "127.0.0.1"),
            // and the next request without the header is the proxy's own again
            ("", "127.0.0.1"),
        ],
    );
}

#[test]
fn only_the_header_that_the_proxy_writes_is_believed() {
    let all = "X-Forwarded-For: 203.0.113.1\r\nX-Real-IP: 203.0.113.2\r\nForwarded: for=203.0.113.3\r\n";
    for (header, expected) in [
        (ForwardedHeader::Any, "203.0.113.1"),
        (ForwardedHeader::XForwardedFor, "203.0.113.1"),
        (ForwardedHeader::XRealIp, "203.0.113.2"),
        (ForwardedHeader::Forwarded, "203.0.113.3"),
    ] {
        check(behind(&["127.0.0.1/32"], header), &[(all, expected)]);
    }
    check(
        behind(&["127.0.0.1/32"], ForwardedHeader::XRealIp),
        &[("X-Forwarded-For: 203.0.113.1\r\n", "127.0.0.1")],
    );
}

#[test]
fn nobody_else_is_believed() {
    let liar = "X-Forwarded-For: 203.0.113.9\r\nX-Real-IP: 203.0.113.9\r\nForwarded: for=203.0.113.9\r\n";
    check(Setup::default(), &[(liar, "127.0.0.1")]);
    check(behind(&["10.0.0.0/8", "::1/128"], ForwardedHeader::Any), &[(liar, "127.0.0.1")]);
    let mut setup = behind(&["127.0.0.2/32"], ForwardedHeader::Any);
    setup.is_dual = true;
    setup.run(|site| {
        let request = announce(1, 1).request_with(liar);
        assert_eq!(seen(&Client::from("127.0.0.2", site.addr()).tell(&request)).to_string(), "203.0.113.9");
        assert_eq!(seen(&Client::from("127.0.0.3", site.addr()).tell(&request)).to_string(), "127.0.0.3");
        assert_eq!(seen(&Client::new(site.addr6()).tell(&request)).to_string(), "::1");
    });
}

fn believing() -> Setup {
    let rules = Rules { client_ip: ClientIp::Query, ..Rules::default() };
    Setup { rules, is_dual: true, ..Setup::default() }
}

/// The addresses stored in torrent 1 after an announce with these parameters behind it.
#[track_caller]
fn stored_with(site: &Site<'_>, server: SocketAddr, more: &str) -> Vec<String> {
    let target = format!("{}&{more}", announce(1, 7).target());
    let mut client = Client::new(server);
    client.tell(get(&target)).peers();
    let stored = site.stored(hash(1)).iter().map(|peer| peer.0.to_string()).collect();
    // and `stopped` takes all of it back
    assert_eq!(client.tell(get(&format!("{target}&event=stopped"))).peers(), []);
    assert_eq!(site.stored(hash(1)), [], "{more}");
    stored
}

#[test]
fn where_clients_are_believed_they_name_their_own_addresses() {
    believing().run(|site| {
        for (more, expected) in [
            ("x=y", &["127.0.0.1:7"][..]),
            ("ip=192.0.2.1", &["192.0.2.1:7"]),
            ("ip=192%2e0.2.1", &["192.0.2.1:7"]),
            ("ipv4=192.0.2.1", &["192.0.2.1:7"]),
            ("ipv4=192.0.2.1:99", &["192.0.2.1:99"]),
            ("ip=::ffff:192.0.2.1", &["192.0.2.1:7"]),
            ("ipv6=2001:db8::1", &["127.0.0.1:7", "[2001:db8::1]:7"]),
            ("ipv6=%5B2001%3Adb8%3A%3A1%5D%3A99", &["127.0.0.1:7", "[2001:db8::1]:99"]),
            ("ipv6=[2001:db8::1]", &["127.0.0.1:7", "[2001:db8::1]:7"]),
            ("ipv4=192.0.2.1&ipv6=2001:db8::1", &["192.0.2.1:7", "[2001:db8::1]:7"]),
            ("ip=host.example", &["127.0.0.1:7"]),
            ("ip=0.0.0.0&ipv6=::", &["127.0.0.1:7"]),
            ("ip=&ipv4=x&ipv6=%zz", &["127.0.0.1:7"]),
            ("ip=192.0.2.1:0", &["192.0.2.1:7"]),
            ("ip=192.0.2.256", &["127.0.0.1:7"]),
            ("ip=224.0.0.1", &["127.0.0.1:7"]),
            ("ip=255.255.255.255", &["127.0.0.1:7"]),
            ("ip=169.254.1.1&ipv6=fe80::1", &["127.0.0.1:7"]),
            ("ipv6=ff02::1", &["127.0.0.1:7"]),
        ] {
            assert_eq!(stored_with(site, site.addr(), more), expected, "{more}");
        }
        for (more, expected) in [
            ("x=y", &["[::1]:7"][..]),
            ("ipv6=2001:db8::1", &["[2001:db8::1]:7"]),
            ("ipv4=192.0.2.1", &["192.0.2.1:7", "[::1]:7"]),
        ] {
            assert_eq!(stored_with(site, site.addr6(), more), expected, "{more}");
        }
    });
}

#[test]
fn nobody_is_told_of_an_address_that_it_cannot_connect_to() {
    let reaches = [
        ("203.0.113.1", true),
        ("2001:db8::1", true),
        ("10.0.0.1", false),
        ("172.16.0.1", false),
        ("192.168.0.1", false),
        ("100.64.0.1", false),
        ("127.0.0.9", false),
        ("fd00::1", false),
        ("::1", false),
    ];
    let nowhere = ["0.0.0.0", "224.0.0.1", "255.255.255.255", "169.254.0.1", "::", "fe80::1", "ff02::1"];
    behind(&["127.0.0.1/32"], ForwardedHeader::Any).run(|site| {
        let mut client = site.connect();
        let mut ask = |ip: &str, port: u16| {
            let request = announce(1, port).request_with(&format!("X-Forwarded-For: {ip}\r\n"));
            let mut peers: Vec<_> = client.tell(&request).peers().iter().map(SocketAddr::ip).collect();
            peers.sort_unstable();
            peers
        };
        for ip in reaches.iter().map(|(ip, _)| *ip).chain(nowhere) {
            ask(ip, 6881);
        }
        // whoever asks from elsewhere or from nearby, or from where nobody gets to
        for (asker, is_elsewhere) in
            [("198.51.100.7", true), ("2001:db8::7", true), ("10.9.9.9", false), ("fe80::7", false)]
        {
            let expected = reaches.iter().filter(|(_, is_global)| *is_global || !is_elsewhere);
            let mut expected: Vec<IpAddr> = expected.map(|(ip, _)| ip.parse().unwrap()).collect();
            expected.sort_unstable();
            // with port 0 it leaves no trace
            assert_eq!(ask(asker, 0), expected, "{asker}");
        }
    });
}

#[test]
fn a_believed_client_is_counted_and_answered_once() {
    believing().run(|site| {
        let both = |event: &str, left: u32| {
            format!("{}&ipv6=2001:db8::1&event={event}", announce(1, 7).with("left", left).target())
        };
        let reply = site.connect().tell(get(&both("started", 9)));
        assert_eq!(reply.counts(), (0, 2, 0));
        assert_eq!(site.connect().tell(get(&both("completed", 0))).counts(), (2, 0, 1));
        assert_eq!(seen(&reply).to_string(), "127.0.0.1");
        let head = get(&both("stopped", 0)).replacen("GET", "HEAD", 1);
        site.connect().send(head).answer_to_head();
        assert_eq!(site.tracker.totals().peers(), 2);
        // without a port nobody is stored, under no address
        site.connect()
            .tell(get(&format!("{}&ipv4=192.0.2.1:5&ipv6=[2001:db8::1]:5", announce(2, 0).target())));
        assert_eq!(site.stored(hash(2)), []);
    });
}

fn list(mode: AccessMode, torrents: &[u8]) -> AccessList {
    AccessList::from_hashes(mode, torrents.iter().map(|&n| InfoHash(hash(n))).collect())
}

#[track_caller]
fn is_refused(site: &Site<'_>, torrent: u8) -> bool {
    let reply = site.tell(&announce(torrent, 1));
    match reply.get("failure reason") {
        None => false,
        Some(_) => {
            assert!(reply.text("failure reason").contains("info_hash") && reply.text("retry in") == "never");
            true
        }
    }
}

#[test]
fn lists_say_which_torrents_are_served_and_may_be_replaced() {
    run(|site| {
        let mut client = site.connect();
        client.tell(announce(1, 1).request());
        client.tell(announce(2, 2).request());
        site.access.replace(list(AccessMode::Allow, &[1, 3]));
        assert_eq!([1, 2, 3, 4].map(|torrent| is_refused(site, torrent)), [false, true, false, true]);
        // on an open connection as well, and what is not allowed scrapes as zeros though it is still there
        assert!(client.tell(announce(2, 2).request()).get("failure reason").is_some());
        let reply = client.tell(get(&scrape(&[1, 2])));
        assert_eq!((reply.file(&hash(1)).counts(), reply.file(&hash(2)).counts()), ((0, 1, 0), (0, 0, 0)));
        assert_eq!(site.stored(hash(2))[0].0, local(2));
        site.access.replace(list(AccessMode::Deny, &[1, 3]));
        assert_eq!([1, 2, 3, 4].map(|torrent| is_refused(site, torrent)), [true, false, true, false]);
        site.access.replace(list(AccessMode::Allow, &[]));
        assert!(is_refused(site, 1));
        site.access.replace(AccessList::open());
        assert_eq!([1, 2, 3, 4].map(|torrent| is_refused(site, torrent)), [false; 4]);
    });
}

#[test]
fn a_full_scrape_shows_only_what_is_allowed() {
    let rules = Rules { full_scrape: true, ..Rules::default() };
    Setup { rules, ..Setup::default() }.run(|site| {
        for torrent in 1..=5 {
            site.tell(&announce(torrent, 1));
        }
        site.access.replace(list(AccessMode::Deny, &[2, 4]));
        let reply = site.connect().tell(get("/scrape"));
        let shown: Vec<u8> = reply.get("files").unwrap().dict().keys().map(|key| key[19]).collect();
        assert_eq!(shown, [1, 3, 5]);
    });
}
