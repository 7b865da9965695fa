//! Saying what is not so.

use std::net::{IpAddr, Ipv4Addr};

use examples::answer::Announced;

use crate::floods;
use crate::line::{Answer, Line};
use crate::mode::Attacker;
use crate::requests::{announce, below, escaped, get, get_with};
use crate::tally::Tally;

/// The torrent that addresses are lied about in.
const TORRENT: [u8; 20] = *b"lies about addresses";
const ID: [u8; 20] = *b"-AT0001-attacker0002";
/// Who asks whether the lies are believed.
const WITNESS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 1, 1));
/// Lies between two questions of the witness.
const QUESTION: u64 = 50;

/// One of every special range (RFC 6890), and some that are somebody's.
const ADDRESSES: [&str; 30] = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.255",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "8.8.8.8",
    "::",
    "::1",
    "::ffff:192.0.2.1",
    "64:ff9b::1",
    "100::1",
    "2001:db8::1",
    "2002:c000:201::1",
    "fc00::1",
    "fe80::1",
    "ff02::1",
];
const PORTS: [u16; 7] = [1, 22, 25, 53, 80, 443, 6881];

pub(crate) fn lies(attacker: &mut Attacker<'_>) {
    let (addr, from) = attacker.way();
    let base = attacker.plan.announce.clone();
    let (mut line, mut witness) = (None, None);
    let mut told = 0;
    while attacker.pace.goes_on(1) {
        let ip = ADDRESSES[below(&mut attacker.rng, ADDRESSES.len())];
        let port = PORTS[below(&mut attacker.rng, PORTS.len())];
        let key = ["ip", "ipv4", "ipv6"][below(&mut attacker.rng, 3)];
        let (name, quoted) =
            (escaped(ip.as_bytes()), if ip.contains(':') { format!("\"[{ip}]\"") } else { ip.to_owned() });
        let lines = match below(&mut attacker.rng, 4) {
            0 => format!("X-Forwarded-For: {ip}\r\n"),
            1 => format!("X-Real-IP: {ip}\r\n"),
            2 => format!("Forwarded: for={quoted}\r\n"),
            _ => format!("X-Forwarded-For: 1.2.3.4, {ip}, garbage\r\nForwarded: for=_hidden;by={quoted}\r\n"),
        };
        let target = announce(&base, &TORRENT, &ID, port, &format!("&{key}={name}"));
        Line::ask(&mut line, (addr, from), &[get_with(&target, &lines)], &mut attacker.tally);
        told += 1;
        if told % QUESTION == 0 {
            let question = get(&announce(&base, &TORRENT, b"-AT0001-witness00000", 1, "&numwant=200"));
            let answer = Line::ask(&mut witness, (addr, Some(WITNESS)), &[question], &mut attacker.tally);
            believed(answer, &[from.unwrap_or(WITNESS), WITNESS, addr.ip()], &mut attacker.tally);
        }
    }
}

/// Counts who is handed out and is nobody that has announced.
fn believed(answer: Option<Answer>, known: &[IpAddr], tally: &mut Tally) {
    let Some(Ok(Announced { peers, .. })) = answer.map(|answer| Announced::read(&answer.body)) else {
        return;
    };
    for peer in peers.iter().filter(|peer| !known.contains(&peer.ip())) {
        tally.believed += 1;
        tally.note(format!("{peer} is handed out"));
    }
}

/// Each has this in it, so that it is recognized where it comes out.
const MARK: &str = "attack!";
const STRINGS: [&str; 10] = [
    "<script>attack!</script>",
    "\"><img src=x onerror=attack!>",
    "attack!\r\nX-Injected: yes\r\n\r\nattack!",
    "attack!\n2026-01-01T00:00:00Z  INFO all is well",
    "\x1b[31mattack!\x1b[0m\x1b]0;attack!\x07",
    "\"},{\"attack!\":\"\\",
    "attack!\"} 1\ntracker_attack 1\n{a=\"",
    "attack!\0\x01\x02\x7f",
    "attack! \u{202e}gnp.exe \u{feff}\u{2028}",
    "%s%n%x attack! ${jndi:x} {{7*7}} '; DROP TABLE peers;--",
];
/// Where strings might come out.
const PAGES: [&str; 5] = ["/stats", "/stats.json", "/metrics", "/health", "/"];

pub(crate) fn strings(attacker: &mut Attacker<'_>) {
    let way = attacker.way();
    let (base, scrape) = (attacker.plan.announce.clone(), attacker.plan.scrape.clone());
    let mut line = None;
    let mut said = 0;
    while attacker.pace.goes_on(1) {
        let text = STRINGS[below(&mut attacker.rng, STRINGS.len())];
        let enough = format!("{text:~<20}");
        let twenty = &enough.as_bytes()[..20];
        // as far as it can stand in a header line
        let tame: String = text.chars().filter(|c| !c.is_control()).collect();
        let value = escaped(text.as_bytes());
        let (request, by_protocol) = match below(&mut attacker.rng, 9) {
            // what the protocol hands on as it is: length first, bytes behind
            0 => (get(&announce(&base, twenty, twenty, 1, "&compact=0")), true),
            1 => (
                get(&announce(&base, &floods::TORRENT, twenty, 1, &format!("&key={value}&event={value}"))),
                true,
            ),
            2 => (get(&format!("{scrape}info_hash={}", escaped(twenty))), true),
            3 => (get(&format!("{base}info_hash={value}&peer_id={value}&port={value}&left={value}")), false),
            4 => (get(&format!("/stats.json?period={value}&group={value}")), false),
            5 => (get(&format!("/{value}?{value}")), false),
            6 => (
                get_with(
                    "/stats",
                    &format!("User-Agent: {tame}\r\nReferer: {tame}\r\nIf-None-Match: {tame}\r\n"),
                ),
                false,
            ),
            7 => (
                format!("GET /{text} HTTP/1.1\r\nHost: {text}\r\nX-{text}: {text}\r\n\r\n").into_bytes(),
                false,
            ),
            _ => (format!("{tame} / HTTP/1.1\r\nHost: {tame}\r\n\r\n").into_bytes(), false),
        };
        let answer = Line::ask(&mut line, way, &[request], &mut attacker.tally);
        if let Some(answer) = answer {
            judge(&answer, by_protocol, &mut attacker.tally);
        }
        // what comes behind a line end in it would be another request
        line = None;
        said += 1;
        if said % 100 == 0 {
            for page in PAGES {
                if let Some(answer) = Line::ask(&mut line, way, &[get(page)], &mut attacker.tally) {
                    judge(&answer, false, &mut attacker.tally);
                }
            }
        }
    }
}

/// Whether a string has come out where it does harm: as a header, as a control byte, or anywhere in what a browser or a program
/// takes for more than text.
fn judge(answer: &Answer, by_protocol: bool, tally: &mut Tally) {
    let head = String::from_utf8_lossy(&answer.head).to_ascii_lowercase();
    let mut is_bad = head.contains("x-injected") || head.contains(MARK);
    if !by_protocol {
        let is_text =
            head.contains("content-type: text/plain\r") || head.contains("text/plain; charset=utf-8\r");
        let has_mark = memchr::memmem::find(&answer.body, MARK.as_bytes()).is_some();
        is_bad |= has_mark && !is_text;
        is_bad |= answer.body.iter().any(|byte| byte.is_ascii_control() && *byte != b'\n');
    }
    if is_bad {
        tally.echoed += 1;
        tally.note([&answer.head[..], &answer.body].concat());
    }
}
