//! What has come of the requests.

use examples::answer::{Announced, Scraped, one_line};
use hdrhistogram::Histogram;

use crate::loss::Loss;

/// Nanoseconds that a histogram tells apart from more.
const LONGEST: u64 = 60_000_000_000;

/// How closely bodies are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Whether it is a failure.
    Glance,
    /// All of an answer to an announce, that is to have so many peers at most.
    Announce(usize),
    /// All of an answer to a scrape.
    Scrape,
}

/// Counts.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    /// Requests answered, failures and statuses other than 200 among them.
    pub(crate) answers: u64,
    /// By [`Loss`].
    pub(crate) losses: [u64; Loss::ALL.len()],
    /// Bytes of answers, their heads included.
    pub(crate) bytes: u64,
    /// Connections made.
    pub(crate) connections: u64,
    /// Peers in answers, if they were looked at closely.
    pub(crate) peers: u64,
    /// Answers that came compressed and were not looked at.
    pub(crate) compressed: u64,
    /// In nanoseconds.
    pub(crate) latency: Histogram<u64>,
    /// What the first one that was refused was told, and the like.
    pub(crate) example: Option<(Loss, String)>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Tally {
            answers: 0,
            losses: [0; Loss::ALL.len()],
            bytes: 0,
            connections: 0,
            peers: 0,
            compressed: 0,
            latency: Histogram::new_with_bounds(1, LONGEST, 3).expect("the bounds are those of a histogram"),
            example: None,
        }
    }

    pub(crate) fn reset(&mut self) {
        let mut latency = std::mem::replace(self, Tally::new()).latency;
        latency.reset();
        self.latency = latency;
    }

    /// Adds the counts of another run.
    pub(crate) fn add(&mut self, other: &Tally) {
        self.answers += other.answers;
        self.bytes += other.bytes;
        self.connections += other.connections;
        self.peers += other.peers;
        self.compressed += other.compressed;
        for (sum, losses) in self.losses.iter_mut().zip(other.losses) {
            *sum += losses;
        }
        self.latency.add(&other.latency).expect("both have the same bounds");
        if self.example.is_none() {
            self.example.clone_from(&other.example);
        }
    }

    /// All that did not go as it should.
    pub(crate) fn errors(&self) -> u64 {
        self.losses.iter().sum()
    }

    #[inline]
    pub(crate) fn lose(&mut self, loss: Loss, count: u64) {
        self.losses[loss as usize] += count;
    }

    /// Counts an answer: its head and body, how long it took, and how closely it is to be looked at.
    #[inline]
    pub(crate) fn answer(&mut self, status: u16, bytes: usize, body: &[u8], took: u64, look: Look) {
        self.answers += 1;
        self.bytes += bytes as u64;
        self.latency.saturating_record(took);
        if status != 200 {
            self.wrong(Loss::Status, |_| format!("{status} {}", start(body)), body);
        } else if body.starts_with(b"d14:failure reason") {
            let reason = |body: &[u8]| Announced::read(body).ok().and_then(|answer| answer.failure);
            self.wrong(Loss::Failure, |body| reason(body).unwrap_or_default(), body);
        } else if look != Look::Glance {
            self.look(body, look);
        } else if body.first() != Some(&b'd') && !is_compressed(body) {
            self.wrong(Loss::Body, start, body);
        }
    }

    fn look(&mut self, body: &[u8], look: Look) {
        if is_compressed(body) {
            self.compressed += 1;
            return;
        }
        let wrong = match look {
            Look::Glance => None,
            Look::Announce(numwant) => match Announced::read(body) {
                Ok(answer) => {
                    self.peers += answer.peers.len() as u64;
                    if answer.peers.len() > numwant {
                        Some("more peers than were asked for".to_owned())
                    } else if answer.interval.is_none() {
                        Some("no interval".to_owned())
                    } else {
                        None
                    }
                }
                Err(error) => Some(error.to_string()),
            },
            Look::Scrape => match Scraped::read(body) {
                // one that nobody is in may be left out
                Ok(answer) if answer.files.len() > 1 => Some("more torrents than were asked for".to_owned()),
                Ok(_) => None,
                Err(error) => Some(error.to_string()),
            },
        };
        if let Some(wrong) = wrong {
            self.wrong(Loss::Body, |_| wrong, body);
        }
    }

    #[cold]
    fn wrong(&mut self, loss: Loss, say: impl FnOnce(&[u8]) -> String, body: &[u8]) {
        self.losses[loss as usize] += 1;
        self.example.get_or_insert_with(|| (loss, say(body)));
    }
}

fn is_compressed(body: &[u8]) -> bool {
    body.starts_with(&[0x1f, 0x8b])
}

fn start(body: &[u8]) -> String {
    one_line(&body[..body.len().min(200)]).chars().take(60).collect()
}
