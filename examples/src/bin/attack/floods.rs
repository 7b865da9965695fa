//! Asking too much.

use std::net::{IpAddr, Ipv4Addr};

use rand_core::Rng;

use crate::line::Line;
use crate::mode::Attacker;
use crate::requests::{announce, below, get, get_with, random, scrape};

/// Requests on their way at once.
const DEPTH: u64 = 8;
/// Torrents in a scrape: about as many as 8 KiB of target hold.
const SCRAPED: usize = 110;
/// Addresses that many come from.
const ADDRESSES: u16 = 500;

/// The torrent that the floods are about.
pub(crate) const TORRENT: [u8; 20] = *b"the one under attack";
const ID: [u8; 20] = *b"-AT0001-attacker0001";

pub(crate) fn flood(attacker: &mut Attacker<'_>) {
    let request = get(&announce(&attacker.plan.announce, &TORRENT, &ID, 6881, "&numwant=200"));
    let requests = vec![request; DEPTH as usize];
    let mut line = None;
    while attacker.pace.goes_on(DEPTH) {
        Line::ask(&mut line, attacker.way(), &requests, &mut attacker.tally);
    }
}

pub(crate) fn one_shot(attacker: &mut Attacker<'_>) {
    let target = announce(&attacker.plan.announce, &TORRENT, &ID, 6881, "&numwant=200");
    let request = [get_with(&target, "Connection: close\r\n")];
    while attacker.pace.goes_on(1) {
        Line::ask(&mut None, attacker.way(), &request, &mut attacker.tally);
    }
}

pub(crate) fn hashes(attacker: &mut Attacker<'_>) {
    let mut line = None;
    while attacker.pace.goes_on(1) {
        let info_hash: [u8; 20] = random(&mut attacker.rng);
        let request = [get(&announce(&attacker.plan.announce, &info_hash, &ID, 6881, "&event=started"))];
        Line::ask(&mut line, attacker.way(), &request, &mut attacker.tally);
    }
}

pub(crate) fn peers(attacker: &mut Attacker<'_>) {
    let mut line = None;
    while attacker.pace.goes_on(1) {
        let (port, id) = (attacker.rng.next_u32() as u16, random::<20>(&mut attacker.rng));
        let request = [get(&announce(&attacker.plan.announce, &TORRENT, &id, port, "&event=completed"))];
        Line::ask(&mut line, attacker.way(), &request, &mut attacker.tally);
    }
}

pub(crate) fn many(attacker: &mut Attacker<'_>) {
    while attacker.pace.goes_on(1) {
        let nth = below(&mut attacker.rng, ADDRESSES.into()) as u16;
        let [high, low] = nth.to_be_bytes();
        let from = IpAddr::V4(Ipv4Addr::new(127, 1, high, low));
        let target = announce(&attacker.plan.announce, &TORRENT, &ID, nth + 1, "&numwant=200");
        let request = [get_with(&target, "Connection: close\r\n")];
        Line::ask(&mut None, (attacker.plan.addr, Some(from)), &request, &mut attacker.tally);
    }
}

pub(crate) fn scrapes(attacker: &mut Attacker<'_>) {
    let mut line = None;
    while attacker.pace.goes_on(1) {
        let hashes: Vec<[u8; 20]> = (0..SCRAPED).map(|_| random(&mut attacker.rng)).collect();
        let request = [get(&scrape(&attacker.plan.scrape, hashes.into_iter()))];
        Line::ask(&mut line, attacker.way(), &request, &mut attacker.tally);
    }
}
