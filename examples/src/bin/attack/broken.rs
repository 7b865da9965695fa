//! What is no HTTP, or ends where it should not.

use std::net::SocketAddr;

use rand_core::Rng;

use crate::floods::TORRENT;
use crate::hello::{client_hello, record};
use crate::line::Line;
use crate::mode::Attacker;
use crate::requests::{announce, below, get, get_with, random, scrape};

const POST: &str = "POST /announce HTTP/1.1\r\nHost: 127.0.0.1\r\n";

/// Sends `bytes` on a connection of their own, and takes what comes of them.
fn throw(attacker: &mut Attacker<'_>, bytes: &[u8]) {
    let (addr, from) = attacker.way();
    let Some(mut line) = Line::open(addr, from, &mut attacker.tally) else { return };
    // what is refused early is not taken to its end
    line.send(bytes, &mut attacker.tally);
    line.rest(&mut attacker.tally);
}

/// Requests that are fine, none of them a HEAD, whose answers could not be told apart.
fn good(attacker: &mut Attacker<'_>) -> Vec<u8> {
    let (plan, rng) = (attacker.plan, &mut attacker.rng);
    match below(rng, 6) {
        0 => get(&announce(&plan.announce, &TORRENT, &TORRENT, 6881, "&numwant=50")),
        1 => get(&scrape(&plan.scrape, [TORRENT, random(rng)].into_iter())),
        2 => get("/stats.json?period=1d&group=hour"),
        3 => get("/stats"),
        4 => format!("{POST}Content-Length: 5\r\n\r\nhello").into_bytes(),
        _ => format!("{POST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n").into_bytes(),
    }
}

pub(crate) fn garbage(attacker: &mut Attacker<'_>) {
    while attacker.pace.goes_on(1) {
        let mut bytes = good(attacker);
        let rng = &mut attacker.rng;
        if below(rng, 3) == 0 {
            bytes = vec![0; below(rng, 3000)];
            rng.fill_bytes(&mut bytes);
        } else {
            for _ in 0..=below(rng, 5) {
                let at = below(rng, bytes.len());
                match below(rng, 3) {
                    0 => bytes[at] = rng.next_u32() as u8,
                    1 => bytes.insert(at, rng.next_u32() as u8),
                    _ => drop(bytes.remove(at)),
                }
            }
        }
        throw(attacker, &bytes);
    }
}

pub(crate) fn oversize(attacker: &mut Attacker<'_>) {
    let x = |count: usize| "x".repeat(count);
    let whole = |lines: &str| get_with("/announce", lines);
    let shapes: [Vec<u8>; 14] = [
        get(&format!("/announce?x={}", x(9_000))),
        get(&format!("/{}", x(1 << 20))),
        x(100_000).into_bytes(),
        format!("{} / HTTP/1.1\r\n\r\n", x(100_000)).into_bytes(),
        whole(&format!("X: {}\r\n", x(20_000))),
        whole(&format!("{}: x\r\n", x(20_000))),
        whole(&"X: y\r\n".repeat(101)),
        whole(&"a:\r\n".repeat(10_000)),
        whole(&format!("X: {}\r\n", " ".repeat(20_000))),
        format!("{POST}Content-Length: 99999999999999999999\r\n\r\n").into_bytes(),
        format!("{POST}Content-Length: 70000\r\n\r\n{}", x(70_000)).into_bytes(),
        b"\r\n".repeat(50_000),
        get("/announce?info_hash=x").repeat(1_000),
        get(&format!("/announce?{}", "&".repeat(8_000))),
    ];
    for shape in shapes.iter().cycle() {
        if !attacker.pace.goes_on(1) {
            return;
        }
        throw(attacker, shape);
    }
}

pub(crate) fn chunks(attacker: &mut Attacker<'_>) {
    let long = "y".repeat(70_000);
    let bodies = [
        "ffffffffffffffff\r\nx".to_owned(),
        "10000000000000000\r\nx".to_owned(),
        "-1\r\nx".to_owned(),
        "0x5\r\nhello\r\n0\r\n\r\n".to_owned(),
        " 5\r\nhello\r\n0\r\n\r\n".to_owned(),
        "5\r\nhelloX\r\n0\r\n\r\n".to_owned(),
        "5\nhello\n0\n\n".to_owned(),
        "\r\n".to_owned(),
        format!("5;{long}\r\nhello\r\n0\r\n\r\n"),
        format!("0\r\nTrailer: {long}\r\n\r\n"),
        format!("0\r\n{}\r\n", "T: x\r\n".repeat(10_000)),
        "1\r\nx\r\n".repeat(70_000),
        format!("11170\r\n{long}\r\n0\r\n\r\n"),
        "0".repeat(70_000),
    ];
    let codings = [
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n",
        "Transfer-Encoding: \x0bchunked\r\n",
    ];
    while attacker.pace.goes_on(1) {
        let body = &bodies[below(&mut attacker.rng, bodies.len())];
        // most with the head that is fine
        let coding = codings[below(&mut attacker.rng, 2 * codings.len()).saturating_sub(codings.len())];
        throw(attacker, format!("{POST}{coding}\r\n{body}{}", "GET / HTTP/1.1\r\n\r\n").as_bytes());
    }
}

pub(crate) fn tls(attacker: &mut Attacker<'_>) {
    while attacker.pace.goes_on(1) {
        match attacker.plan.tls {
            Some(addr) if attacker.rng.next_u32() & 3 > 0 => shake_hands(attacker, addr),
            _ => {
                let hello = client_hello(&mut attacker.rng);
                throw(attacker, &hello);
            }
        }
    }
}

/// Begins a handshake and does not end it, or does not begin one. What comes back need not be HTTP.
fn shake_hands(attacker: &mut Attacker<'_>, addr: SocketAddr) {
    let (_, from) = attacker.way();
    let hello = client_hello(&mut attacker.rng);
    let bytes = match below(&mut attacker.rng, 6) {
        0 => get("/health"),
        1 => hello[..below(&mut attacker.rng, hello.len())].to_vec(),
        2 => record(22, &random::<512>(&mut attacker.rng)),
        3 => record(23, &random::<512>(&mut attacker.rng)),
        4 => [hello, record(22, &random::<64>(&mut attacker.rng))].concat(),
        // the server does its part of the work, and nothing is done with it
        _ => hello,
    };
    let tally = &mut attacker.tally;
    let Some(mut line) = Line::open(addr, from, tally) else { return };
    line.send(&bytes, tally);
    if attacker.rng.next_u32() & 1 == 0 {
        match line.read(tally) {
            Ok(0) => tally.closed += 1,
            Ok(_) => {}
            Err(_) => tally.late += 1,
        }
    }
    line.reset();
}

pub(crate) fn resets(attacker: &mut Attacker<'_>) {
    while attacker.pace.goes_on(1) {
        let request = good(attacker);
        let (addr, from) = attacker.way();
        let Some(mut line) = Line::open(addr, from, &mut attacker.tally) else { continue };
        let cut = below(&mut attacker.rng, 2 * request.len()).min(request.len());
        line.send(&request[..cut], &mut attacker.tally);
        // half of those that are complete are reset within the answer
        if cut == request.len() && attacker.rng.next_u32() & 1 == 0 && line.read(&mut attacker.tally).is_ok()
        {
            let is_http = line.input().is_empty() || line.input().starts_with(b"HTTP/1.1 ");
            attacker.tally.odd += u64::from(!is_http);
        }
        line.reset();
    }
}
