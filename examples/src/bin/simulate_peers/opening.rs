//! Before the crowd comes: what the tracker knows already of its torrents, and which interval it gives.

use std::time::Duration;

use examples::answer::{Announced, Scraped};

use crate::clients::{CLIENTS, Facts, write_to};
use crate::connection::{Answer, Trouble};
use crate::crowd::Crowd;
use crate::engine::{Ask, Engine, Talk};
use crate::options::{Plan, Target};

/// Torrents that are scraped at a time.
pub(crate) const SCRAPED_AT_ONCE: u32 = 10;
/// How often the tracker may fail to answer until it is given up.
const ATTEMPTS: u32 = 4;

/// What is known then.
#[derive(Debug)]
pub(crate) struct Opening<'a> {
    crowd: &'a Crowd,
    target: &'a Target,
    again: Vec<Ask>,
    failures: u32,
    error: Option<OpeningError>,
    pub(crate) interval: Option<u64>,
    /// Why nothing can be scraped.
    pub(crate) no_scrape: Option<String>,
    /// Completions of each torrent.
    pub(crate) completed: Vec<Option<u64>>,
    peers: u64,
}

/// Why nothing can begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpeningError {
    #[error("http://{host}{path} does not answer as a tracker: {what}")]
    NoTracker { host: String, path: String, what: String },
    #[error("the tracker refuses to serve the torrents: {0}")]
    Refused(String),
    #[error(
        "the tracker still knows {peers} peers of seed {seed}: wait until it has forgotten them, or take another --seed"
    )]
    Populated { peers: u64, seed: u64 },
    #[error("the system's event queue fails: {0}")]
    Poll(#[from] std::io::Error),
}

impl<'a> Opening<'a> {
    /// Asks, and waits for the answers.
    pub(crate) fn run(
        plan: &'a Plan,
        crowd: &'a Crowd,
        engine: &mut Engine,
    ) -> Result<Opening<'a>, OpeningError> {
        let target = &plan.targets[0];
        let line = crowd.lines.iter().position(|ip| ip.is_ipv4() == target.addr.is_ipv4()).unwrap_or(0);
        let mut opening = Opening {
            crowd,
            target,
            again: Vec::new(),
            failures: 0,
            error: None,
            interval: None,
            no_scrape: None,
            completed: vec![None; crowd.torrents.len()],
            peers: 0,
        };
        if target.scrape.is_some() {
            opening.again.extend(scrapes(crowd.torrents.len()));
        } else {
            opening.no_scrape = Some("the URL does not end in announce, so there is none of a scrape".into());
        }
        // at last, since it may leave something behind
        opening.again.push(Ask::Probe);
        loop {
            for ask in opening.again.drain(..) {
                engine.submit(line, ask);
            }
            if engine.is_quiet() {
                break;
            }
            engine.turn(Duration::from_millis(50), &mut opening)?;
            if let Some(error) = opening.error.take() {
                return Err(error);
            }
        }
        if opening.peers > 0 {
            return Err(OpeningError::Populated { peers: opening.peers, seed: plan.seed });
        }
        Ok(opening)
    }

    fn heard(&mut self, ask: Ask, answer: &Answer) -> Result<(), String> {
        if let Ask::Scrape { first, count } = ask {
            let scraped = match Scraped::read(&answer.body) {
                Ok(scraped) if answer.status == 200 => scraped,
                Ok(_) => {
                    return self
                        .is_not_scraped(format!("a scrape is answered with status {}", answer.status));
                }
                Err(error) => return self.is_not_scraped(format!("a scrape: {error}")),
            };
            if let Some(failure) = scraped.failure {
                return self.is_not_scraped(format!("a scrape is refused: {failure}"));
            }
            for torrent in first..first + u32::from(count) {
                let info_hash = self.crowd.torrents[torrent as usize].info_hash;
                let file = scraped.files.iter().find(|file| file.info_hash.0 == info_hash);
                let completed = file.map_or(Some(0), |file| file.downloaded);
                self.completed[torrent as usize] = completed;
                self.peers +=
                    file.map_or(0, |file| file.complete.unwrap_or(0) + file.incomplete.unwrap_or(0));
            }
            return Ok(());
        }
        if answer.status != 200 {
            return Err(format!("status {}", answer.status));
        }
        let announced = Announced::read(&answer.body).map_err(|error| error.to_string())?;
        if let Some(failure) = announced.failure {
            self.error = Some(OpeningError::Refused(failure));
        }
        self.interval = announced.interval;
        Ok(())
    }

    fn is_not_scraped(&mut self, why: String) -> Result<(), String> {
        self.no_scrape.get_or_insert(why);
        Ok(())
    }
}

impl Talk for Opening<'_> {
    fn compose(&mut self, _: usize, ask: Ask, _: Duration, request: &mut Vec<u8>) -> bool {
        match ask {
            Ask::Scrape { first, count } => write_scrape(request, self.crowd, self.target, first, count),
            Ask::Probe | Ask::Announce(_) => {
                let client = &CLIENTS[0];
                let facts = Facts {
                    info_hash: &self.crowd.torrents[0].info_hash,
                    id: b"-SP0001-probing-only",
                    key: 0,
                    port: 9, // discard
                    uploaded: 0,
                    downloaded: 0,
                    left: 1,
                    event: Some("stopped"),
                    numwant: Some(0),
                };
                client.write(request, &self.target.announce, &self.target.host, &facts);
            }
        }
        true
    }

    fn hear(&mut self, _: usize, ask: Ask, answer: Result<Answer, Trouble>) {
        let heard = answer.map_err(|trouble| trouble.to_string()).and_then(|answer| self.heard(ask, &answer));
        let Err(what) = heard else { return };
        self.failures += 1;
        if self.failures < ATTEMPTS {
            self.again.push(ask);
            return;
        }
        let (host, path) = (self.target.host.clone(), self.target.announce.clone());
        self.error.get_or_insert(OpeningError::NoTracker { host, path, what });
    }
}

/// Scrapes of so many torrents.
pub(crate) fn scrapes(torrents: usize) -> impl Iterator<Item = Ask> {
    let torrents = torrents as u32;
    (0..torrents).step_by(SCRAPED_AT_ONCE as usize).map(move |first| {
        let count = SCRAPED_AT_ONCE.min(torrents - first) as u16;
        Ask::Scrape { first, count }
    })
}

/// Appends a request that scrapes so many torrents; nothing where there is nothing to be scraped by.
pub(crate) fn write_scrape(out: &mut Vec<u8>, crowd: &Crowd, target: &Target, first: u32, count: u16) {
    let Some(path) = &target.scrape else { return };
    write_to(out, format_args!("GET {path}"));
    for (n, torrent) in crowd.torrents[first as usize..][..usize::from(count)].iter().enumerate() {
        write_to(out, format_args!("{}info_hash=", if n == 0 { '?' } else { '&' }));
        for byte in torrent.info_hash {
            write_to(out, format_args!("%{byte:02X}"));
        }
    }
    write_to(out, format_args!(" HTTP/1.1\r\nHost: {}\r\nUser-Agent: simulate_peers\r\n\r\n", target.host));
}
