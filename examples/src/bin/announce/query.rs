//! The request, as it goes over the wire.

use examples::tracker_url::{TrackerUrl, UrlError, push};

use crate::options::Options;
use crate::torrent::Torrent;

/// The whole request, its empty line included.
pub(crate) fn request(
    options: &Options,
    tracker: &TrackerUrl,
    torrents: &[Torrent],
) -> Result<String, UrlError> {
    let target =
        if options.scrape { scrape(tracker, torrents)? } else { announce(options, tracker, torrents) };
    Ok(format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: announce/{}\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        target.trim_end_matches(['&', '?']),
        tracker.host_header(),
        env!("CARGO_PKG_VERSION"),
    ))
}

fn scrape(tracker: &TrackerUrl, torrents: &[Torrent]) -> Result<String, UrlError> {
    let mut target = tracker.scrape_target()?;
    for torrent in torrents {
        push(&mut target, "info_hash", torrent.info_hash.0);
    }
    Ok(target)
}

fn announce(options: &Options, tracker: &TrackerUrl, torrents: &[Torrent]) -> String {
    let mut target = tracker.announce_target();
    for torrent in torrents {
        push(&mut target, "info_hash", torrent.info_hash.0);
    }
    push(&mut target, "peer_id", &options.peer_id);
    let numbers = [
        ("port", options.port.into()),
        ("uploaded", options.uploaded),
        ("downloaded", options.downloaded),
        ("left", options.left),
    ];
    for (name, number) in numbers {
        push(&mut target, name, number.to_string());
    }
    push(&mut target, "compact", if options.no_compact { "0" } else { "1" });
    let others = [
        ("event", options.event.map(|event| event.name().to_owned())),
        ("numwant", options.numwant.map(|number| number.to_string())),
        ("ip", options.ip.clone()),
        ("key", options.key.clone()),
    ];
    for (name, value) in others {
        if let Some(value) = value {
            push(&mut target, name, value);
        }
    }
    target
}
