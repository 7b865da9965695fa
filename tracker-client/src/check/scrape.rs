//! The counts, asked for by themselves.

use super::finding::Level;
use super::probe::{NO_ANSWER, Probe, Topic};
use crate::answer::{Scraped, ScrapedFile};
use crate::tracker_url::push;

const TOPIC: Topic = Topic { check: "scrape", asked: "scrape" };

/// While three are there and nobody has completed.
pub(super) fn before(probe: &mut Probe<'_>) {
    if !probe.goes_on() {
        return;
    }
    let own = probe.hash;
    let Some(scraped) = scrape(probe, &[own], TOPIC) else { return };
    let Some(file) = find(&scraped, own) else {
        probe.find(
            TOPIC,
            Level::Warning,
            "the torrent is not in the answer",
            "answer for each torrent that is asked for",
        );
        return;
    };
    let came = match scraped.min_request_interval {
        Some(interval) => format!("{}; ask again after {}", shown(file), super::words::seconds(interval)),
        None => shown(file),
    };
    let (complete, incomplete) = (file.complete, file.incomplete);
    probe.downloaded = file.downloaded;
    probe.ok(TOPIC, came);
    let topic = Topic { check: "scrape.counts", asked: "complete, incomplete" };
    if complete.is_none() || incomplete.is_none() {
        probe.find(
            topic,
            Level::Warning,
            "not both there",
            "send complete, incomplete and downloaded (BEP 48)",
        );
    } else if probe.is_alone() {
        let mut members: Vec<usize> = probe.joined.iter().map(|&(peer, _)| peer).collect();
        members.sort_unstable();
        members.dedup();
        let least = members.len() as u64;
        // a peer that has shown itself over both families may count twice
        let most = probe.joined.len() as u64;
        if complete == Some(0) && incomplete.is_some_and(|count| (least..=most).contains(&count)) {
            probe.ok(topic, "right");
        } else {
            let came = format!("{}, though {least} are there that have not completed", shown(file));
            probe.find(topic, Level::Warning, came, "count who is there: clients judge a swarm by it");
        }
    }
}

/// After the second has completed; with a torrent that nobody has.
pub(super) fn after(probe: &mut Probe<'_>) {
    let Some(downloaded) = probe.downloaded.filter(|_| probe.goes_on()) else { return };
    let own = probe.hash;
    let mut unknown = own;
    for byte in &mut unknown[10..] {
        *byte ^= 0xa5;
    }
    let topic = Topic { check: "scrape.several", asked: "scrape of two torrents" };
    let Some(scraped) = scrape(probe, &[own, unknown], topic) else { return };
    let completed = Topic { check: "scrape.completed", asked: "downloaded after completed" };
    match find(&scraped, own).and_then(|file| file.downloaded) {
        Some(now) if now > downloaded => probe.ok(completed, format!("{now}, was {downloaded}")),
        Some(now) => {
            let remedy = "count event=completed: clients show how often a torrent was downloaded";
            probe.find(completed, Level::Warning, format!("{now}, as before"), remedy);
        }
        None => {
            let remedy = "answer for each torrent that is asked for, not for one of them";
            probe.find(topic, Level::Warning, "the first is not in the answer", remedy);
            return;
        }
    }
    match find(&scraped, unknown) {
        None => {
            let remedy =
                "answer with zeros for a torrent that nobody has: rTorrent takes its absence for an error";
            probe.find(topic, Level::Note, "the one that nobody has is not in the answer", remedy);
        }
        Some(file)
            if [file.complete, file.incomplete, file.downloaded]
                .iter()
                .all(|count| count.unwrap_or(0) == 0) =>
        {
            probe.ok(topic, "both, with zeros for the one that nobody has");
        }
        Some(file) => {
            let came = format!("{} for a torrent that nobody has", shown(file));
            probe.find(topic, Level::Warning, came, "answer with zeros for a torrent that nobody has");
        }
    }
}

fn scrape(probe: &mut Probe<'_>, hashes: &[[u8; 20]], topic: Topic) -> Option<Scraped> {
    let mut target = match probe.url.scrape_target() {
        Ok(target) => target,
        Err(error) => {
            probe.find(topic, Level::Note, error.to_string(), "");
            return None;
        }
    };
    for hash in hashes {
        push(&mut target, "info_hash", hash);
    }
    let request = probe.request(target.trim_end_matches('&'));
    let response = match probe.ask(probe.addr, &request) {
        Ok(response) => response,
        Err(error) => {
            probe.find(topic, Level::Warning, error.to_string(), NO_ANSWER);
            return None;
        }
    };
    match Scraped::read(&response.body) {
        Ok(Scraped { failure: Some(reason), .. }) => {
            probe.find(
                topic,
                Level::Note,
                format!("turned down: \"{reason}\""),
                "clients show no counts then",
            );
            None
        }
        _ if response.status != 200 => {
            let came = format!("status {} {}", response.status, response.reason());
            let remedy = "clients show no counts then: serve it beside announce (BEP 48) if you can";
            probe.find(topic, Level::Note, came.trim_end(), remedy);
            None
        }
        Ok(scraped) => Some(scraped),
        Err(error) => {
            probe.find(topic, Level::Warning, error.to_string(), "answer as BEP 48 says, or with status 404");
            None
        }
    }
}

fn find(scraped: &Scraped, hash: [u8; 20]) -> Option<&ScrapedFile> {
    scraped.files.iter().find(|file| file.info_hash.0 == hash)
}

fn shown(file: &ScrapedFile) -> String {
    let count = |count: Option<u64>| count.map_or("none".to_owned(), |count| count.to_string());
    let [complete, incomplete, downloaded] = [file.complete, file.incomplete, file.downloaded].map(count);
    format!("complete {complete}, incomplete {incomplete}, downloaded {downloaded}")
}
