//! The query of an announce or a scrape.

use tracker_http::query::{AnnounceQuery, QueryError, client_address, parse_announce, parse_scrape};

#[path = "../../../tracker-http/src/query/naive.rs"]
mod naive;

/// Any query is what the plain rules say, and all that is wrong with it is one line. An address that is found in it is one
/// that can be connected to, and reads as the same when it is written again.
pub fn query(data: &[u8]) {
    let announce = parse_announce(data);
    assert_eq!(announce, naive::announce(data), "{}", data.escape_ascii());
    match announce {
        Ok(query) => [query.ip, query.ipv4, query.ipv6].into_iter().flatten().for_each(address),
        Err(error) => sentence(error),
    }

    let max = data.len() % 5;
    let mut hashes = vec![tracker_core::InfoHash([0xee; 20]); 3];
    let scraped = parse_scrape(data, &mut hashes, max);
    assert!(hashes.len() <= max.max(hashes.len() * usize::from(scraped.is_err())));
    assert_eq!(scraped.map(|()| hashes), naive::scrape(data, max), "{}", data.escape_ascii());
    scraped.err().into_iter().for_each(sentence);
    address(data);
}

fn sentence(error: QueryError) {
    let sentence = error.to_string();
    assert!(!sentence.is_empty() && !sentence.contains(char::is_control), "{sentence:?}");
}

fn address(raw: &[u8]) {
    let Some((ip, port)) = client_address(raw) else { return };
    assert!(!ip.is_unspecified() && ip == ip.to_canonical() && port != Some(0), "{ip} {port:?}");
    let again = match port {
        Some(port) => std::net::SocketAddr::new(ip, port).to_string(),
        None => ip.to_string(),
    };
    assert_eq!(client_address(again.as_bytes()), Some((ip, port)));
}
