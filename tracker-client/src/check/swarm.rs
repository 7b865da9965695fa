//! Whether peers are told of each other, and no longer of who has gone.

use super::address;
use super::finding::Level;
use super::http;
use super::probe::{Probe, Topic, Wish};
use super::shape::{Peers, Shape};
use super::words::number;
use crate::answer::Announced;

/// Whoever wants so many is told of everybody in a small swarm.
const MANY: &str = "&numwant=200";

/// The second peer joins and is told of the first; the third does so as an old client.
pub(super) fn meet(probe: &mut Probe<'_>) {
    let topic = Topic { check: "swarm.told", asked: "second peer, started" };
    let wish = Wish::of(1, &format!("&compact=1&event=started{MANY}"));
    if let Some((announced, _)) = probe.announce(topic, &wish) {
        told(probe, topic, &announced);
        itself(probe, 1, &announced);
    }
    if probe.goes_on() {
        http::old(probe);
    }
}

/// Whether the first peer is among those that the second is told of.
fn told(probe: &mut Probe<'_>, topic: Topic, announced: &Announced) {
    let (first, own) = (probe.peers[0].port, probe.peers[1].port);
    if let Some(found) = announced.peers.iter().find(|peer| peer.port() == first) {
        probe.is_told = true;
        probe.ok(topic, format!("told of the first, at {found}"));
        address::handed_out(probe, found.ip());
        return;
    }
    let others: Vec<_> = announced.peers.iter().filter(|peer| peer.port() != own).collect();
    if !probe.is_alone() && others.len() >= 30 {
        let came = format!("told of {} others, too many to see", others.len());
        probe.find(topic, Level::Note, came, "name a torrent with few peers with --info-hash");
        return;
    }
    match others.as_slice() {
        [other] if probe.is_alone() => {
            let came = format!("told of {other}, but the first said that its port is {first}");
            let remedy = "hand out the port of the announce, in network byte order";
            probe.find(topic, Level::Wrong, came, remedy);
        }
        _ => {
            let came = format!("not told of the first, but of {}", number(others.len(), "other"));
            let remedy = "nobody finds anybody here: look at how announces are kept, and for how long";
            probe.find(topic, Level::Wrong, came, remedy);
        }
    }
}

/// Nobody is told of itself.
pub(super) fn itself(probe: &mut Probe<'_>, peer: usize, announced: &Announced) {
    let port = probe.peers[peer].port;
    let is_own = |ip: std::net::IpAddr| {
        probe.is_alone() || announced.external_ip.or(probe.local).is_none_or(|own| own == ip)
    };
    let topic = Topic { check: "swarm.itself", asked: "a peer about itself" };
    if announced.peers.iter().any(|found| found.port() == port && is_own(found.ip())) {
        let remedy = "leave out who asks: it is a wasted place, and clients try to call themselves";
        if !std::mem::replace(&mut probe.is_told_of_itself, true) {
            probe.find(topic, Level::Warning, "told of itself", remedy);
        }
    } else if peer == 1 {
        probe.ok(topic, "not told");
    }
}

/// Lists instead of the compact form.
pub(super) fn forms(probe: &mut Probe<'_>) {
    if !probe.goes_on() {
        return;
    }
    let first = probe.peers[0].port;
    let topic = Topic { check: "announce.list", asked: "compact=0" };
    if let Some((announced, response)) = probe.announce(topic, &Wish::of(1, &format!("&compact=0{MANY}"))) {
        let is_there = !probe.is_told || announced.peers.iter().any(|peer| peer.port() == first);
        match Shape::of(&response.body).peers {
            Peers::List { .. } if announced.unusable > 0 => {
                let came = format!("a list, {} of it without an address and port", announced.unusable);
                probe.find(
                    topic,
                    Level::Wrong,
                    came,
                    "ip is text and port a number in each of its dictionaries",
                );
            }
            _ if !is_there => {
                probe.find(
                    topic,
                    Level::Wrong,
                    "not told of the first peer",
                    "tell the same as in compact form",
                );
            }
            Peers::List { .. } => probe.ok(topic, "a list of dictionaries"),
            _ => probe.ok(topic, "compact all the same, which every client takes"),
        }
    }
    let topic = Topic { check: "announce.no_peer_id", asked: "compact=0, no_peer_id=1" };
    let wish = Wish::of(1, &format!("&compact=0&no_peer_id=1{MANY}"));
    if let Some((_, response)) = probe.announce(topic, &wish) {
        match Shape::of(&response.body).peers {
            Peers::List { ids: 1.. } => {
                probe.find(
                    topic,
                    Level::Note,
                    "a list with ids all the same",
                    "leave them out: they are half of the bytes",
                );
            }
            Peers::List { .. } => probe.ok(topic, "a list without ids"),
            _ => probe.ok(topic, "compact"),
        }
    }
}

/// As many peers as wanted.
pub(super) fn numbers(probe: &mut Probe<'_>) {
    let topic = Topic { check: "announce.numwant", asked: "numwant=0 and 1" };
    let mut given = [0; 2];
    for (wanted, given) in given.iter_mut().enumerate() {
        if !probe.goes_on() {
            return;
        }
        let Some((announced, _)) =
            probe.announce(topic, &Wish::of(0, &format!("&compact=1&numwant={wanted}")))
        else {
            return;
        };
        *given = announced.peers.len();
    }
    if given[0] > 0 || given[1] > 1 {
        let came = format!("{} and {}", number(given[0], "peer"), number(given[1], "peer"));
        probe.find(topic, Level::Warning, came, "give no more than wanted: clients have their reasons");
    } else {
        probe.ok(topic, format!("{} and {}", number(given[0], "peer"), number(given[1], "peer")));
    }
}

/// The second peer has it all.
pub(super) fn complete(probe: &mut Probe<'_>) {
    if !probe.goes_on() || !probe.joined.iter().any(|&(peer, _)| peer == 1) {
        return;
    }
    probe.peers[1].left = 0;
    let topic = Topic { check: "announce.completed", asked: "event=completed" };
    if probe.announce(topic, &Wish::of(1, "&compact=1&event=completed")).is_some() {
        probe.ok(topic, "taken");
    }
}

/// The second peer goes, and nobody is told of it any more.
pub(super) fn stop(probe: &mut Probe<'_>) {
    let is_in = probe.joined.iter().any(|&(peer, _)| peer == 1);
    if !probe.goes_on() || !is_in {
        return;
    }
    let topic = Topic { check: "swarm.stopped", asked: "event=stopped" };
    if probe.announce(topic, &Wish::of(1, "&event=stopped")).is_none() {
        return;
    }
    probe.joined.retain(|&(peer, _)| peer != 1);
    probe.shown.retain(|&(peer, _)| peer != 1);
    let Some((announced, _)) = probe.announce(topic, &Wish::of(0, &format!("&compact=1{MANY}"))) else {
        return;
    };
    let port = probe.peers[1].port;
    if probe.is_told && announced.peers.iter().any(|peer| peer.port() == port) {
        let remedy = "remove who stops: others try to call it in vain";
        probe.find(topic, Level::Wrong, "others are told of the peer still", remedy);
    } else {
        probe.ok(topic, "others are not told of it any more");
    }
}

/// Everybody else goes. That is tidiness, and finds out nothing.
pub(super) fn leave(probe: &mut Probe<'_>) {
    for (peer, addr) in std::mem::take(&mut probe.shown) {
        let request = probe.request(&probe.target(&Wish::of(peer, "&event=stopped&numwant=0")));
        if probe.ask(addr, &request).is_err() && !probe.goes_on() {
            return; // whoever is not there any more forgets them by itself
        }
    }
}
