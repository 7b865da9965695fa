//! A tracker's URL taken apart, and the queries for it.

use std::fmt;
use std::net::IpAddr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use url::{Host, Url};

/// What is escaped in a query: all but the unreserved characters of RFC 3986. An info hash is bytes, not text.
pub const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Parameters that are an announce's own, not the tracker's.
const ANNOUNCED: [&str; 10] = [
    "info_hash",
    "peer_id",
    "port",
    "uploaded",
    "downloaded",
    "left",
    "event",
    "numwant",
    "compact",
    "no_peer_id",
];

/// A tracker that is asked over HTTP, with TLS or without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackerUrl {
    url: Url,
    host: Host,
    port: u16,
}

/// Why a URL is not one of a tracker that can be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It cannot be taken apart.
    #[error("\"{0}\" is not a URL: {1}, such as http://tracker.example:6969/announce")]
    Broken(String, url::ParseError),
    /// `udp`
    #[error("{0} is a UDP tracker, and only HTTP trackers can be asked")]
    Udp(String),
    /// `ws` or `wss`
    #[error(
        "{0} is a tracker for browsers (WebTorrent, over WebSocket), and only HTTP trackers can be asked"
    )]
    WebSocket(String),
    /// Another scheme, or no host.
    #[error("{0} is not a URL of an HTTP tracker, such as http://tracker.example:6969/announce")]
    Other(String),
    /// There is no scrape by convention (BEP 48).
    #[error("{0} cannot be scraped: by convention only a URL whose last part begins with \"announce\" can")]
    NoScrape(String),
}

impl TrackerUrl {
    /// Reads a URL. Without a scheme it is taken for `http`, without a path for `/announce`.
    ///
    /// # Errors
    /// It is none, or neither `http` nor `https`.
    pub fn parse(text: &str) -> Result<TrackerUrl, UrlError> {
        let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let mut url = Url::parse(&full).map_err(|error| UrlError::Broken(text.to_owned(), error))?;
        match url.scheme() {
            "http" | "https" => {}
            "udp" => return Err(UrlError::Udp(text.to_owned())),
            "ws" | "wss" => return Err(UrlError::WebSocket(text.to_owned())),
            _ => return Err(UrlError::Other(text.to_owned())),
        }
        let host = url.host().map(|host| host.to_owned()).ok_or_else(|| UrlError::Other(text.to_owned()))?;
        if url.path() == "/" {
            url.set_path("/announce");
        }
        url.set_fragment(None);
        let port = url.port_or_known_default().unwrap_or(80);
        Ok(TrackerUrl { url, host, port })
    }

    /// Whether it is asked over TLS.
    pub fn is_secure(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The tracker that a redirect leads to: `place` is what its `Location` says, in whole or in part, perhaps with the
    /// parameters of the announce that was redirected.
    ///
    /// # Errors
    /// There is none that can be asked.
    pub fn redirected(&self, place: &str) -> Result<TrackerUrl, UrlError> {
        let url = self.url.join(place).map_err(|error| UrlError::Broken(place.to_owned(), error))?;
        let Some(query) = url.query() else { return TrackerUrl::parse(url.as_str()) };
        let name = |pair: &str| pair.split('=').next().unwrap_or_default().to_owned();
        let own: Vec<&str> =
            query.split('&').filter(|pair| !ANNOUNCED.contains(&name(pair).as_str())).collect();
        let own = own.join("&");
        let mut bare = url.clone();
        bare.set_query((!own.is_empty()).then_some(own.as_str()));
        TrackerUrl::parse(bare.as_str())
    }

    /// Its host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Its address, if that is written in it.
    pub fn ip(&self) -> Option<IpAddr> {
        match self.host {
            Host::Ipv4(ip) => Some(ip.into()),
            Host::Ipv6(ip) => Some(ip.into()),
            Host::Domain(_) => None,
        }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The value of the `Host` header.
    pub fn host_header(&self) -> String {
        self.url.port().map_or_else(|| self.host.to_string(), |port| format!("{}:{port}", self.host))
    }

    /// The request target that announces, ready to have parameters put behind it: it ends with `?` or `&`.
    pub fn announce_target(&self) -> String {
        with_query(self.url.path(), self.url.query())
    }

    /// The request target that scrapes, likewise: `announce` in the last part of the path becomes `scrape`.
    ///
    /// # Errors
    /// There is none.
    pub fn scrape_target(&self) -> Result<String, UrlError> {
        let path = self.url.path();
        let (folder, last) = path.rsplit_once('/').unwrap_or_default();
        if last.starts_with("scrape") {
            return Ok(with_query(path, self.url.query()));
        }
        let rest = last.strip_prefix("announce").ok_or_else(|| UrlError::NoScrape(self.to_string()))?;
        Ok(with_query(&format!("{folder}/scrape{rest}"), self.url.query()))
    }
}

impl fmt::Display for TrackerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

/// Appends `name=value&`, its value escaped.
pub fn push(query: &mut String, name: &str, value: impl AsRef<[u8]>) {
    query.push_str(name);
    query.push('=');
    query.extend(percent_encode(value.as_ref(), ESCAPED));
    query.push('&');
}

fn with_query(path: &str, query: Option<&str>) -> String {
    match query {
        Some(query) if !query.is_empty() => format!("{path}?{}&", query.trim_end_matches('&')),
        _ => format!("{path}?"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_trackers() {
        let url = TrackerUrl::parse("http://Tracker.Example:6969/x/announce.php?passkey=a%20b#top").unwrap();
        assert_eq!((url.host_header().as_str(), url.port()), ("tracker.example:6969", 6969));
        assert_eq!(url.announce_target(), "/x/announce.php?passkey=a%20b&");
        assert_eq!(url.scrape_target().unwrap(), "/x/scrape.php?passkey=a%20b&");
        let url = TrackerUrl::parse("[::1]:80").unwrap();
        assert_eq!((url.host_header().as_str(), url.announce_target().as_str()), ("[::1]", "/announce?"));
        assert_eq!(url.ip(), Some("::1".parse().unwrap()));
        assert_eq!(TrackerUrl::parse("localhost:6969").unwrap().port(), 6969);
        assert_eq!(TrackerUrl::parse("http://t/scrape").unwrap().scrape_target().unwrap(), "/scrape?");
    }

    #[test]
    fn https_has_a_port_of_its_own() {
        let url = TrackerUrl::parse("https://t/announce").unwrap();
        assert_eq!((url.is_secure(), url.port(), url.host_header().as_str()), (true, 443, "t"));
        let url = TrackerUrl::parse("http://t/announce").unwrap();
        assert_eq!((url.is_secure(), url.port()), (false, 80));
    }

    #[test]
    fn redirects_lead_to_a_tracker_without_the_parameters_of_the_announce() {
        let url = TrackerUrl::parse("http://t:1/a/announce?key=1").unwrap();
        for (place, whole) in [
            ("https://u/announce?info_hash=%01&peer_id=x&key=2&left=0", "https://u/announce?key=2"),
            ("/b/announce?info_hash=%01", "http://t:1/b/announce"),
            ("announce.php", "http://t:1/a/announce.php"),
        ] {
            assert_eq!(url.redirected(place).unwrap().to_string(), whole);
        }
        assert!(matches!(url.redirected("udp://u:1"), Err(UrlError::Udp(_))));
    }

    #[test]
    fn what_cannot_be_asked_is_told_in_a_sentence() {
        for (text, part) in [
            ("ftp://t/announce", "not a URL of an HTTP tracker"),
            ("udp://t:80", "UDP"),
            ("wss://t", "WebTorrent"),
            ("http://", "is not a URL"),
            ("http://t:99999/", "is not a URL"),
        ] {
            let error = TrackerUrl::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let error = TrackerUrl::parse("http://t/a/b").unwrap().scrape_target().unwrap_err();
        assert!(error.to_string().contains("cannot be scraped"));
    }

    #[test]
    fn every_byte_survives_the_escaping() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut query = String::new();
        push(&mut query, "v", &bytes);
        assert!(query.bytes().all(|byte| byte.is_ascii_graphic()));
        let value = query.strip_prefix("v=").unwrap().strip_suffix('&').unwrap();
        assert_eq!(percent_encoding::percent_decode_str(value).collect::<Vec<_>>(), bytes);
        assert!(query.contains("-.") && query.contains('~') && !query.contains('+'));
    }
}
