//! The first announce: whether there is a tracker at all, and how its answer is written.

use std::time::Instant;

use super::finding::Level;
use super::probe::{NO_ANSWER, Probe, Topic, Wish};
use super::shape::{Peers, Shape};
use super::words::{Refusal, refusal, seconds};
use super::{CheckError, Options};
use crate::answer::{Announced, one_line};
use crate::ask::AskError;
use crate::connection::Response;
use crate::tracker_url::TrackerUrl;

/// An announce more often than this costs everybody more than it finds.
const SHORTEST: u64 = 60;
/// Who comes less often is forgotten by most trackers meanwhile.
const LONGEST: u64 = 86_400;

const TOPIC: Topic = Topic { check: "announce", asked: "announce, started" };

/// How it went.
#[derive(Debug)]
pub(super) enum First {
    /// The first peer is in a swarm.
    Taken,
    /// A tracker answers, and does not want this torrent.
    Refused,
    /// Ask there.
    Moved(TrackerUrl),
    /// What answers is no tracker, or none that could be understood.
    Useless,
}

/// Lets the first peer join.
pub(super) fn first(probe: &mut Probe<'_>) -> Result<First, CheckError> {
    let request = probe.request(&probe.target(&Wish::of(0, "&event=started")));
    probe.shows(0, probe.addr);
    let (response, took, extra) = match exchange(probe, &request) {
        Ok(done) => done,
        Err(error) => {
            probe.find(TOPIC, Level::Wrong, error.to_string(), NO_ANSWER);
            return Ok(First::Useless);
        }
    };
    probe.status = response.status;
    if let (301 | 302 | 303 | 307 | 308, Some(place)) = (response.status, response.header("location")) {
        return moved(probe, &response, &one_line(place));
    }
    if extra > 0 {
        let topic = Topic { check: "announce.length", asked: "length of the answer" };
        let came = format!("{extra} bytes more than its header says");
        probe.find(topic, Level::Wrong, came, "Content-Length is the number of bytes in the body");
        return Ok(First::Useless);
    }
    if !is_plain(probe, &response) {
        return Ok(First::Useless);
    }
    if let Ok(Announced { failure: Some(reason), .. }) = Announced::read(&response.body) {
        return Ok(refused(probe, &response, &reason));
    }
    let Some((announced, response)) = probe.understand(TOPIC, response) else {
        return Ok(First::Useless);
    };
    probe.joins(0, probe.addr);
    probe.external = announced.external_ip;
    let came = format!("200, a dictionary of {} bytes in {:.1} ms", response.body.len(), took);
    probe.ok(TOPIC, came);
    form(probe, &response.body);
    intervals(probe, &announced);
    counts(probe, &announced);
    if let Some(warning) = &announced.warning {
        let topic = Topic { check: "announce.warning", asked: "warning message" };
        probe.find(topic, Level::Note, format!("the tracker warns: \"{warning}\""), "");
    }
    Ok(First::Taken)
}

/// The answer, how many milliseconds it took, and how many bytes came behind it, until the connection's end.
fn exchange(probe: &mut Probe<'_>, request: &str) -> Result<(Response, f64, usize), AskError> {
    let begin = Instant::now();
    let mut connection = probe.connect(probe.addr, 1)?;
    probe.local = connection.local_addr().ok().map(|addr| addr.ip().to_canonical());
    connection.send(request.as_bytes())?;
    let response = connection.receive()?;
    let took = begin.elapsed().as_secs_f64() * 1e3;
    let (extra, _) = connection.wait_for_close(super::http::PATIENCE.min(probe.options.timeout));
    Ok((response, took, extra))
}

fn moved(probe: &mut Probe<'_>, response: &Response, place: &str) -> Result<First, CheckError> {
    let next =
        probe.url.redirected(place).map_err(|error| CheckError::Moved(probe.url.to_string(), error))?;
    let topic = Topic { check: "redirect", asked: TOPIC.asked };
    let came = format!("status {}: moved to {next}", response.status);
    probe.find(topic, Level::Note, came, "put the new address into torrents: not every client follows");
    Ok(First::Moved(next))
}

/// Whether the answer can be read as it is.
fn is_plain(probe: &mut Probe<'_>, response: &Response) -> bool {
    let coding = response.header("content-encoding").map(one_line).filter(|coding| coding != "identity");
    let coding = coding.or_else(|| response.body.starts_with(&[0x1f, 0x8b]).then(|| "gzip".to_owned()));
    let Some(coding) = coding else { return true };
    let topic = Topic { check: "announce.encoding", asked: "announce without Accept-Encoding" };
    let came = format!("the answer is compressed ({coding}), though nobody asked for that");
    probe.find(
        topic,
        Level::Wrong,
        came,
        "compress only where the client's Accept-Encoding allows it, or never",
    );
    false
}

fn refused(probe: &mut Probe<'_>, response: &Response, reason: &str) -> First {
    let came = format!("turned down: \"{reason}\"");
    let Options { info_hash, .. } = probe.options;
    let (level, remedy) = match (refusal(reason), info_hash) {
        (Refusal::Torrent, None) => {
            (Level::Note, "it serves chosen torrents: name one of them with --info-hash to check the rest")
        }
        (Refusal::Torrent, Some(_)) => (
            Level::Wrong,
            "this torrent is not on the tracker's list: put it there, or name another with --info-hash",
        ),
        (Refusal::User, _) => (
            Level::Note,
            "it serves known users: give the URL with your passkey, as it stands in a torrent of yours",
        ),
        (Refusal::Client, _) => (Level::Note, "it serves chosen clients only, which this is none of"),
        (Refusal::Pace, _) => (Level::Note, "it limits how often it is asked: try again later"),
        (Refusal::Other, _) => (Level::Wrong, ""),
    };
    probe.find(TOPIC, level, came, remedy);
    if response.status != 200 {
        let topic = Topic { check: "announce.status", asked: "status of a refusal" };
        let came = format!("status {} {}", response.status, response.reason());
        let remedy = "answer with status 200: clients such as Transmission show only the status otherwise";
        probe.find(topic, Level::Warning, came.trim_end(), remedy);
    }
    if refusal(reason) == Refusal::Pace { First::Useless } else { First::Refused }
}

/// Keys, blanks, and how peers are written.
fn form(probe: &mut Probe<'_>, body: &[u8]) {
    let shape = Shape::of(body);
    let topic = Topic { check: "announce.keys", asked: "keys of the answer" };
    if shape.is_sorted {
        probe.ok(topic, "sorted");
    } else {
        probe.find(
            topic,
            Level::Warning,
            "not sorted",
            "sort them as bytes (BEP 3): strict clients refuse others",
        );
    }
    if shape.trailing > 0 {
        let topic = Topic { check: "announce.trailing", asked: "end of the answer" };
        let came = format!("{} bytes of blanks behind the dictionary", shape.trailing);
        probe.find(topic, Level::Warning, came, "end with the dictionary: strict clients refuse more");
    }
    let topic = Topic { check: "announce.peers", asked: "peers, compact not said" };
    match shape.peers {
        Peers::Compact(_) => probe.ok(topic, "a string (BEP 23)"),
        Peers::List { .. } => {
            let remedy =
                "answer in compact form unless compact=0 is asked for: it takes a tenth of the bytes";
            probe.find(topic, Level::Warning, "a list of dictionaries", remedy);
        }
        Peers::Missing | Peers::Other => {
            let remedy =
                "always send peers, if only an empty string: rTorrent and Transmission fail without it";
            probe.find(topic, Level::Wrong, "there is no peers", remedy);
        }
    }
    if shape.peers6 == Peers::Compact(0) {
        let topic = Topic { check: "announce.peers6", asked: "peers6" };
        let remedy = "leave it out where there are none: rTorrent 0.9.8 overlooks peers otherwise";
        probe.find(topic, Level::Warning, "there, and empty", remedy);
    }
}

fn intervals(probe: &mut Probe<'_>, announced: &Announced) {
    let topic = Topic { check: "announce.interval", asked: "interval" };
    match announced.interval {
        None => probe.find(topic, Level::Wrong, "not there", "send it: clients refuse the answer, or guess"),
        Some(interval) if interval < SHORTEST => {
            let remedy = "half an hour is usual: below a minute, most clients wait longer anyway";
            probe.find(topic, Level::Warning, seconds(interval), remedy);
        }
        Some(interval) if interval > LONGEST => {
            let remedy = "half an hour is usual: more than a day is too long to hear of new peers";
            probe.find(topic, Level::Warning, seconds(interval), remedy);
        }
        Some(interval) => probe.ok(topic, seconds(interval)),
    }
    let topic = Topic { check: "announce.min_interval", asked: "min interval" };
    match (announced.min_interval, announced.interval) {
        (None, _) => probe.find(topic, Level::Note, "not there, and need not be", ""),
        (Some(least), Some(interval)) if least > interval => {
            let came = format!("{}, longer than interval", seconds(least));
            probe.find(
                topic,
                Level::Warning,
                came,
                "it is the shortest time that is allowed: make it interval at most",
            );
        }
        (Some(least), _) => probe.ok(topic, seconds(least)),
    }
}

fn counts(probe: &mut Probe<'_>, announced: &Announced) {
    let topic = Topic { check: "announce.counts", asked: "complete, incomplete" };
    match (announced.complete, announced.incomplete) {
        (Some(complete), Some(incomplete)) => {
            probe.ok(topic, format!("{complete} and {incomplete}"));
        }
        _ => {
            let remedy = "send both: clients show them, and judge a swarm by them";
            probe.find(topic, Level::Warning, "not both there", remedy);
        }
    }
}
