//! The answer as another program reads it.

use examples::answer::{Announced, RetryIn, Scraped};
use serde_json::{Map, Value, json};

use crate::show::About;

pub(crate) fn announced(about: &About<'_>, announced: &Announced) -> String {
    let mut answer = begin(about);
    failed(&mut answer, announced.failure.as_deref(), announced.retry_in);
    let peers: Vec<Value> = announced
        .peers
        .iter()
        .enumerate()
        .map(|(at, peer)| {
            let mut peer = json!({ "ip": peer.ip(), "port": peer.port() });
            if let Some(id) = announced.ids.get(at).copied().flatten() {
                peer["id"] = id.0.escape_ascii().to_string().into();
            }
            peer
        })
        .collect();
    let rest = [
        ("warning", json!(announced.warning)),
        ("complete", json!(announced.complete)),
        ("incomplete", json!(announced.incomplete)),
        ("downloaded", json!(announced.downloaded)),
        ("interval", json!(announced.interval)),
        ("min_interval", json!(announced.min_interval)),
        ("external_ip", json!(announced.external_ip)),
        ("peers", peers.into()),
    ];
    finish(answer, rest, announced.failure.is_some())
}

pub(crate) fn scraped(about: &About<'_>, scraped: &Scraped) -> String {
    let mut answer = begin(about);
    failed(&mut answer, scraped.failure.as_deref(), scraped.retry_in);
    let files: Vec<Value> = scraped
        .files
        .iter()
        .map(|file| {
            json!({
                "info_hash": file.info_hash.to_string(),
                "complete": file.complete,
                "incomplete": file.incomplete,
                "downloaded": file.downloaded,
                "downloaders": file.downloaders,
            })
        })
        .collect();
    let rest = [("min_request_interval", json!(scraped.min_request_interval)), ("files", files.into())];
    finish(answer, rest, scraped.failure.is_some())
}

/// Where there is no answer.
pub(crate) fn error(sentence: &str) -> String {
    line(&json!({ "error": sentence }))
}

fn begin(about: &About<'_>) -> Map<String, Value> {
    let mut answer = Map::new();
    answer.insert("tracker".to_owned(), about.tracker.to_string().into());
    if let [torrent] = about.torrents {
        answer.insert("info_hash".to_owned(), torrent.info_hash.to_string().into());
    }
    answer.insert("answered_by".to_owned(), about.exchange.addr.to_string().into());
    let micros = about.exchange.took.as_micros() as f64;
    answer.insert("milliseconds".to_owned(), (micros / 1e3).into());
    answer
}

fn failed(answer: &mut Map<String, Value>, failure: Option<&str>, retry_in: Option<RetryIn>) {
    let Some(failure) = failure else { return };
    answer.insert("failure".to_owned(), failure.into());
    let retry = match retry_in {
        Some(RetryIn::Never) => json!("never"),
        Some(RetryIn::Minutes(minutes)) => json!(minutes),
        None => Value::Null,
    };
    answer.insert("retry_in_minutes".to_owned(), retry);
}

/// After a failure nothing else counts.
fn finish<const N: usize>(
    mut answer: Map<String, Value>,
    rest: [(&str, Value); N],
    has_failed: bool,
) -> String {
    if !has_failed {
        answer.extend(rest.map(|(name, value)| (name.to_owned(), value)));
    }
    line(&Value::Object(answer))
}

fn line(value: &Value) -> String {
    format!("{value:#}\n")
}
