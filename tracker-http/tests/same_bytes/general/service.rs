//! What the tracker says, as dictionaries of `bip_bencode`. Queries are read by the plain rules of `naive.rs`.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use bip_bencode::{BMutAccess, BencodeMut, ben_bytes, ben_int, ben_map};
use percent_encoding::percent_decode;
use rand_xoshiro::Xoshiro256PlusPlus;
use tracker_core::{Announce, AnnounceReply, Counts, Event, InfoHash, Outcome, PeerAddr, Reach};
use tracker_http::query::{AnnounceQuery, QueryError};
use tracker_http::{ClientIp, Rules};

use super::Head;
use crate::world::World;

#[path = "../../../src/query/naive.rs"]
mod naive;

pub(super) fn announce(world: &World, asker: IpAddr, rng: &mut Xoshiro256PlusPlus, head: &Head) -> Vec<u8> {
    let query = match naive::announce(&head.query) {
        Ok(query) => query,
        Err(error) => return failure(&error.to_string(), ben_bytes!("never")),
    };
    if !world.permits(&query.info_hash) {
        let reason = "info_hash is not allowed: this tracker serves only chosen torrents";
        return failure(reason, ben_bytes!("never"));
    }
    let Rules { default_numwant, max_numwant, client_ip, .. } = world.rules;
    let source = PeerAddr::new(asker, query.port);
    let (addr, beside) = if client_ip == ClientIp::Query { believed(&query, source) } else { (source, None) };
    let mut announce = Announce {
        info_hash: query.info_hash,
        peer_id: query.peer_id,
        addr,
        left: query.left,
        event: query.event,
        numwant: query.numwant.unwrap_or(default_numwant).min(max_numwant),
        want_ids: !query.compact && !query.no_peer_id,
        is_exempt: asker.is_loopback(),
    };
    let mut reply = AnnounceReply::new();
    let outcome = if head.method == "HEAD" {
        announce.addr = PeerAddr::new(addr.ip(), 0);
        announce.event = Event::Regular;
        world.tracker.announce(&announce, world.now(), rng, &mut reply)
    } else {
        // the completion counts once
        let event = if query.event == Event::Completed { Event::Regular } else { query.event };
        let other = beside.map(|addr| Announce { addr, event, numwant: 0, ..announce });
        let other = other.map(|other| world.tracker.announce(&other, world.now(), rng, &mut reply));
        match other {
            Some(Err(error)) => Err(error),
            _ => world.tracker.announce(&announce, world.now(), rng, &mut reply),
        }
    };
    match outcome {
        Ok(outcome) => peers(world, &query, addr.ip(), outcome, &reply),
        Err(_) => {
            let reason = "info_hash is new, and this tracker is full: try another tracker, or later";
            failure(reason, ben_int!(30))
        }
    }
}

fn peers(
    world: &World,
    query: &AnnounceQuery<'_>,
    external_ip: IpAddr,
    outcome: Outcome,
    reply: &AnnounceReply,
) -> Vec<u8> {
    let Rules { interval, min_interval, long_interval, .. } = world.rules;
    let (interval, min_interval, warning) = match outcome {
        Outcome::Done | Outcome::Unreachable => (interval, min_interval, None),
        Outcome::SwarmFull => (
            interval,
            min_interval,
            Some(
                "this torrent has as many peers as this tracker keeps: you are told of others, but not listed",
            ),
        ),
        Outcome::AddressFull => (
            long_interval.max(interval).max(min_interval),
            interval.max(min_interval),
            Some(
                "your address has as many peers as this tracker keeps of one: you are told of others, but not listed",
            ),
        ),
    };
    let mut answer = ben_map! {
        "complete" => ben_int!(reply.counts.complete.into()),
        "downloaded" => ben_int!(reply.counts.downloaded.into()),
        "external ip" => ben_bytes!(octets(external_ip)),
        "incomplete" => ben_int!(reply.counts.incomplete.into()),
        "interval" => ben_int!(interval.into()),
        "min interval" => ben_int!(min_interval.into())
    };
    if let Some(warning) = warning {
        insert(&mut answer, "warning message", ben_bytes!(warning));
    }
    if query.compact {
        let of_family = |is_v4: bool| -> Vec<u8> {
            let peers = reply.peers().filter(|peer| peer.ip().is_ipv4() == is_v4);
            peers.flat_map(|peer| [octets(peer.ip()), peer.port().to_be_bytes().to_vec()].concat()).collect()
        };
        insert(&mut answer, "peers", ben_bytes!(of_family(true)));
        if reply.peers().any(|peer| peer.ip().is_ipv6()) {
            insert(&mut answer, "peers6", ben_bytes!(of_family(false)));
        }
    } else {
        let mut list = BencodeMut::new_list();
        let mut ids = reply.ids4().iter().chain(reply.ids6());
        for peer in reply.peers() {
            let ip = peer.ip().to_string();
            let mut one = ben_map! { "ip" => ben_bytes!(ip), "port" => ben_int!(peer.port().into()) };
            if !query.no_peer_id && world.tracker.config().keep_peer_ids {
                let id = ids.next().expect("an id for each");
                insert(&mut one, "peer id", ben_bytes!(id.0.to_vec()));
            }
            list.list_mut().expect("a list").push(one);
        }
        insert(&mut answer, "peers", list);
    }
    answer.encode()
}

/// The answer to a scrape; `None` if it is of the whole tracker.
pub(super) fn scrape(world: &World, head: &Head) -> Option<Vec<u8>> {
    let mut hashes = match naive::scrape(&head.query, world.rules.max_scrape) {
        Err(error) => return Some(failure(&error.to_string(), ben_bytes!("never"))),
        Ok(hashes) if !hashes.is_empty() => hashes,
        Ok(_) if world.rules.full_scrape => return None,
        Ok(_) => {
            let reason =
                "info_hash is missing: this tracker is not scraped as a whole, ask for single torrents";
            return Some(failure(reason, ben_bytes!("never")));
        }
    };
    hashes.sort();
    let counts = |hash| if world.permits(hash) { world.tracker.scrape(hash) } else { None };
    let files = hashes.iter().map(|hash| (*hash, counts(hash).unwrap_or_default()));
    Some(files_and_flags(world, files))
}

pub(super) fn scrape_all(world: &World) -> Vec<u8> {
    let mut files = Vec::new();
    world.tracker.scrape_all(|hash, counts| files.push((*hash, counts)));
    files.retain(|(hash, _)| world.permits(hash));
    files_and_flags(world, files.into_iter())
}

fn files_and_flags(world: &World, all: impl Iterator<Item = (InfoHash, Counts)>) -> Vec<u8> {
    let mut files = BencodeMut::new_dict();
    for (hash, counts) in all {
        let file = ben_map! {
            "complete" => ben_int!(counts.complete.into()),
            "downloaded" => ben_int!(counts.downloaded.into()),
            "downloaders" => ben_int!((counts.incomplete - counts.partial).into()),
            "incomplete" => ben_int!(counts.incomplete.into())
        };
        files.dict_mut().expect("a dictionary").insert(hash.0.to_vec().into(), file);
    }
    let flags = ben_map! { "min_request_interval" => ben_int!(world.rules.min_interval.into()) };
    ben_map! { "files" => files, "flags" => flags }.encode()
}

fn failure(reason: &str, retry_in: BencodeMut<'_>) -> Vec<u8> {
    ben_map! { "failure reason" => ben_bytes!(reason), "retry in" => retry_in }.encode()
}

fn insert<'a>(map: &mut BencodeMut<'a>, key: &'static str, value: BencodeMut<'a>) {
    map.dict_mut().expect("a dictionary").insert(key.as_bytes().into(), value);
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

/// Where a client is that is believed, and where else.
fn believed(query: &AnnounceQuery<'_>, source: PeerAddr) -> (PeerAddr, Option<PeerAddr>) {
    let said: Vec<PeerAddr> = [query.ip, query.ipv4, query.ipv6]
        .into_iter()
        .flatten()
        .filter_map(|raw| address(&percent_decode(raw).collect::<Vec<u8>>(), source.port()))
        .filter(|addr| addr.reach() != Reach::Nowhere)
        .collect();
    let first = |is_v4: bool| said.iter().copied().find(|addr| addr.ip().is_ipv4() == is_v4);
    let is_v4 = source.ip().is_ipv4();
    (first(is_v4).unwrap_or(source), first(!is_v4))
}

/// `ADDR`, `ADDR:PORT`, `[ADDR]` or `[ADDR]:PORT`; who accepts no connections does so nowhere.
fn address(text: &[u8], port: u16) -> Option<PeerAddr> {
    let text = std::str::from_utf8(text).ok()?;
    if let Ok(addr) = text.parse::<SocketAddr>() {
        let own = if port == 0 || addr.port() == 0 { port } else { addr.port() };
        return Some(PeerAddr::new(addr.ip(), own));
    }
    let bracketed = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let ip = match bracketed {
        Some(text) => text.parse::<Ipv6Addr>().ok()?.into(),
        None => text.parse::<IpAddr>().ok()?,
    };
    Some(PeerAddr::new(ip, port))
}
