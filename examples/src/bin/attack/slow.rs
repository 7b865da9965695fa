//! Holding on to what one has.

use crate::crowd::{self, Held};
use crate::floods::TORRENT;
use crate::mode::Attacker;
use crate::requests::{announce, get};

/// Bytes written at a time by those that do not read.
const GULP: usize = 64 << 10;
/// As small as the system has them.
const NARROW: usize = 4096;

/// Says `text` byte by byte, and its last `again` bytes over and over.
fn drip(attacker: &mut Attacker<'_>, text: &[u8], again: usize) {
    crowd::hold(attacker, None, |held, tally| {
        held.hear(tally)?;
        held.say(text, again, 1, tally)
    });
}

pub(crate) fn drip_heads(attacker: &mut Attacker<'_>) {
    let head = "GET /announce?info_hash=x HTTP/1.1\r\nHost: 127.0.0.1\r\nX: y\r\n";
    drip(attacker, head.as_bytes(), "X: y\r\n".len());
}

pub(crate) fn drip_bodies(attacker: &mut Attacker<'_>) {
    let head = "POST /announce HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60000\r\n\r\n";
    // the head at once: the body is what drips
    let head_length = head.len();
    let text = [head.as_bytes(), b"y"].concat();
    crowd::hold(attacker, None, |held, tally| {
        held.hear(tally)?;
        held.say(&text, 1, if held.has_said(head_length) { 1 } else { head_length }, tally)
    });
}

pub(crate) fn hold(attacker: &mut Attacker<'_>) {
    crowd::hold(attacker, None, Held::hear);
}

pub(crate) fn unread(attacker: &mut Attacker<'_>) {
    let plan = attacker.plan;
    let peers = get(&announce(&plan.announce, &TORRENT, &TORRENT, 6881, "&numwant=200&compact=0"));
    let all = get(plan.scrape.trim_end_matches(['?', '&']));
    let requests =
        [get("/stats"), all, get("/stats.json?period=all"), get("/metrics"), peers.repeat(50)].concat();
    crowd::hold(attacker, Some(NARROW), |held, tally| held.say(&requests, requests.len(), GULP, tally));
}
