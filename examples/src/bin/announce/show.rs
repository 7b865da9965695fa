//! The answer as a person reads it.

use std::fmt::Write;
use std::net::SocketAddr;

use examples::answer::{Announced, RetryIn, Scraped, ScrapedFile, one_line};
use examples::terminal::{grouped, seconds};
use examples::tracker_url::TrackerUrl;
use tracker_client::ask::Exchange;

use crate::torrent::Torrent;

/// How wide lists of peers are.
const WIDTH: usize = 96;
/// Torrents of a whole tracker that are shown.
const ROWS: usize = 30;

/// What was asked, and how it was answered.
pub(crate) struct About<'a> {
    pub(crate) tracker: &'a TrackerUrl,
    pub(crate) torrents: &'a [Torrent],
    pub(crate) exchange: &'a Exchange,
}

/// Lines of a name and a value.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn line(&mut self, name: &str, value: impl AsRef<str>) {
        // writing to a String cannot fail
        let _ = writeln!(self.0, "{name:<12}{}", value.as_ref());
    }

    fn count(&mut self, name: &str, count: Option<u64>) {
        self.line(name, number(count));
    }
}

pub(crate) fn announced(about: &About<'_>, announced: &Announced) -> String {
    let mut lines = begin(about);
    if refused(&mut lines, announced.failure.as_deref(), announced.retry_in) {
        return lines.0;
    }
    if let Some(warning) = &announced.warning {
        lines.line("warning", warning);
    }
    lines.count("seeders", announced.complete);
    lines.count("leechers", announced.incomplete);
    if announced.downloaded.is_some() {
        lines.count("completed", announced.downloaded);
    }
    if let Some(ip) = announced.external_ip {
        lines.line("you are", ip.to_string());
    }
    let again = match (announced.interval, announced.min_interval) {
        (Some(interval), Some(least)) => format!("in {}, not before {}", seconds(interval), seconds(least)),
        (Some(interval), None) => format!("in {}", seconds(interval)),
        (None, Some(least)) => format!("not before {}", seconds(least)),
        (None, None) => "the tracker does not say when".to_owned(),
    };
    lines.line("ask again", again);
    lines.line("peers", number_of_peers(announced));
    lines.0 + &peers(announced)
}

fn number_of_peers(announced: &Announced) -> String {
    if announced.lacks_peers {
        return "none, and no field for them either".to_owned();
    }
    let v4 = announced.peers.iter().filter(|peer| peer.is_ipv4()).count();
    let v6 = announced.peers.len() - v4;
    let mut text = match (v4, v6) {
        (0, 0) => "none".to_owned(),
        (v4, 0) => format!("{v4}, IPv4"),
        (0, v6) => format!("{v6}, IPv6"),
        (v4, v6) => format!("{}: {v4} IPv4, {v6} IPv6", v4 + v6),
    };
    if announced.unusable > 0 {
        let _ = write!(text, "; {} more without an address and port that could be used", announced.unusable);
    }
    text
}

/// The peers in columns, or one a line with their ids.
fn peers(announced: &Announced) -> String {
    let mut text = String::new();
    let names: Vec<String> = announced.peers.iter().map(SocketAddr::to_string).collect();
    let longest = names.iter().map(String::len).max().unwrap_or(0);
    if announced.ids.is_empty() {
        for row in names.chunks((WIDTH / (longest + 2)).max(1)) {
            let row: String = row.iter().map(|name| format!("  {name:<longest$}")).collect();
            let _ = writeln!(text, "{}", row.trim_end());
        }
        return text;
    }
    for (name, id) in names.iter().zip(&announced.ids) {
        let id = id.map_or("no id".to_owned(), |id| id.0.escape_ascii().to_string());
        let _ = writeln!(text, "  {name:<longest$}  {id}");
    }
    text
}

pub(crate) fn scraped(about: &About<'_>, scraped: &Scraped) -> String {
    let mut lines = begin(about);
    if refused(&mut lines, scraped.failure.as_deref(), scraped.retry_in) {
        return lines.0;
    }
    if let Some(interval) = scraped.min_request_interval {
        lines.line("ask again", format!("not before {}", seconds(interval)));
    }
    if let ([torrent], [file]) = (about.torrents, scraped.files.as_slice())
        && torrent.info_hash == file.info_hash
    {
        lines.count("seeders", file.complete);
        lines.count("leechers", file.incomplete);
        if file.downloaders.is_some() && file.downloaders != file.incomplete {
            lines.count("downloaders", file.downloaders);
        }
        lines.count("completed", file.downloaded);
        return lines.0;
    }
    lines.line("torrents", grouped(scraped.files.len() as u64));
    lines.0 + &files(about, scraped)
}

/// A table, the largest torrents first.
fn files(about: &About<'_>, scraped: &Scraped) -> String {
    let mut files: Vec<&ScrapedFile> = scraped.files.iter().collect();
    let peers = |file: &ScrapedFile| file.complete.unwrap_or(0).saturating_add(file.incomplete.unwrap_or(0));
    files.sort_by_key(|file| std::cmp::Reverse(peers(file)));
    let mut text = String::new();
    if !files.is_empty() {
        let _ = writeln!(
            text,
            "\n{:<40}  {:>10}  {:>10}  {:>10}",
            "info hash", "seeders", "leechers", "completed"
        );
    }
    for file in files.iter().take(ROWS) {
        let cells = [file.complete, file.incomplete, file.downloaded].map(number);
        let _ = writeln!(text, "{}  {:>10}  {:>10}  {:>10}", file.info_hash, cells[0], cells[1], cells[2]);
    }
    if files.len() > ROWS {
        let rest = grouped((files.len() - ROWS) as u64);
        let _ = writeln!(text, "and {rest} more with fewer peers: --json has them all");
    }
    let missing = about
        .torrents
        .iter()
        .filter(|torrent| !scraped.files.iter().any(|file| file.info_hash == torrent.info_hash));
    for torrent in missing {
        let _ = writeln!(text, "{}  unknown to this tracker", torrent.info_hash);
    }
    text
}

/// The request and the head of its answer, as they went over the wire.
pub(crate) fn heads(request: &str, answer: &[u8]) -> String {
    let mut text = String::new();
    for line in request.lines().filter(|line| !line.is_empty()) {
        let _ = writeln!(text, "> {line}");
    }
    for line in answer.split(|&byte| byte == b'\n').map(one_line).filter(|line| !line.is_empty()) {
        let _ = writeln!(text, "< {line}");
    }
    text + "\n"
}

fn begin(about: &About<'_>) -> Lines {
    let mut lines = Lines::default();
    lines.line("tracker", about.tracker.to_string());
    if let [torrent] = about.torrents {
        lines.line("torrent", torrent.info_hash.to_string());
        if let Some(name) = &torrent.name {
            lines.line("", name);
        }
    }
    let Exchange { addr, took, .. } = about.exchange;
    let bytes = grouped(about.exchange.response.body.len() as u64);
    lines.line("answer", format!("{bytes} bytes from {addr} in {:.1} ms", took.as_secs_f64() * 1e3));
    lines.0.push('\n');
    lines
}

/// Whether the tracker has refused, which is said then.
fn refused(lines: &mut Lines, failure: Option<&str>, retry_in: Option<RetryIn>) -> bool {
    let Some(failure) = failure else { return false };
    lines.line("refused", failure);
    match retry_in {
        Some(RetryIn::Never) => lines.line("ask again", "never: it would be the same"),
        Some(RetryIn::Minutes(minutes)) => {
            lines.line("ask again", format!("in {}", seconds(minutes.saturating_mul(60))));
        }
        None => {}
    }
    true
}

fn number(count: Option<u64>) -> String {
    count.map_or("not said".to_owned(), grouped)
}
