//! Every key: what it means, its type and its default. The documentation is what `--print-config` prints.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::macros::{Entry, Section, choice, one_of, section};
use super::source::{Fault, read_section};
use super::suggest::nearest;
use super::value::Value;

/// The whole configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// `http`
    pub http: Http,
    /// `swarm`
    pub swarm: Swarm,
    /// `limits`
    pub limits: Limits,
    /// `access`
    pub access: Access,
    /// `stats`
    pub stats: Stats,
    /// `store`
    pub store: Store,
    /// `log`
    pub log: Log,
}

impl Config {
    pub(super) fn sections(&self) -> [(&'static str, &dyn Section); 7] {
        [
            ("http", &self.http),
            ("swarm", &self.swarm),
            ("limits", &self.limits),
            ("access", &self.access),
            ("stats", &self.stats),
            ("store", &self.store),
            ("log", &self.log),
        ]
    }

    fn section(&mut self, name: &str) -> Option<&mut dyn Section> {
        match name {
            "http" => Some(&mut self.http),
            "swarm" => Some(&mut self.swarm),
            "limits" => Some(&mut self.limits),
            "access" => Some(&mut self.access),
            "stats" => Some(&mut self.stats),
            "store" => Some(&mut self.store),
            "log" => Some(&mut self.log),
            _ => None,
        }
    }

    /// The sections' names.
    pub(crate) fn section_names(&self) -> Vec<&'static str> {
        self.sections().iter().map(|(name, _)| *name).collect()
    }

    /// The keys of a section; `None` if there is no such section.
    pub(crate) fn keys(&self, section: &str) -> Option<&'static [&'static str]> {
        self.sections().iter().find(|(name, _)| *name == section).map(|(_, section)| section.keys())
    }

    /// Takes the text of a value for `section.key`, both of which exist.
    pub(crate) fn set<'a>(&mut self, section: &str, key: &str, raw: &'a str) -> Result<(), Fault<'a>> {
        match self.section(section) {
            Some(found) => found.set(key, raw).map_err(|fault| fault.below(&format!("{section}.{key}"))),
            None => Ok(()),
        }
    }

    /// The value of a key as RON, as in `swarm.interval`.
    pub(crate) fn value(&self, key: &str) -> Option<String> {
        self.values().into_iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The keys whose values differ, as in `swarm.interval`.
    pub(crate) fn differences(&self, other: &Config) -> Vec<String> {
        let pairs = self.values().into_iter().zip(other.values());
        pairs.filter(|(ours, theirs)| ours.1 != theirs.1).map(|(ours, _)| ours.0).collect()
    }

    /// All keys and their values as RON.
    fn values(&self) -> Vec<(String, String)> {
        let entries = |(name, section): (&str, &dyn Section)| {
            section
                .entries()
                .into_iter()
                .map(|entry| (format!("{name}.{}", entry.key), entry.value))
                .collect()
        };
        self.sections().into_iter().flat_map::<Vec<_>, _>(entries).collect()
    }
}

section! {
    /// The HTTP server.
    pub struct Http {
        /// The addresses to serve on. Port 0 takes any free port.
        listen: Vec<SocketAddr> = vec![
            (Ipv4Addr::UNSPECIFIED, 6969).into(),
            (Ipv6Addr::UNSPECIFIED, 6969).into(),
        ],
        /// How many threads serve connections, at most 1024; 0: one per core.
        workers: usize = 0,
        /// How long a connection may be idle before it is closed; "0s" turns keep-alive off.
        keep_alive: Duration = Duration::from_secs(60),
        /// How long a request may take to come in.
        request_timeout: Duration = Duration::from_secs(10),
        /// How many connections are open at the same time; fewer if the limit of open files is lower.
        max_connections: usize = 60_000,
        /// Addresses, or ranges of them, whose forwarding header is believed: your proxies.
        trusted_proxies: Vec<IpNet> = Vec::new(),
        /// The header that your proxy writes: Any, XForwardedFor, XRealIp or Forwarded.
        /// Any takes X-Forwarded-For, else X-Real-IP, else Forwarded.
        forwarded_header: ForwardedHeader = ForwardedHeader::Any,
        /// Some((certificate: "cert.pem", private_key: "key.pem")): all of `listen` is TLS.
        /// With `listen: ["[::]:6943"]` in it only that is, and `listen` stays plain.
        /// SIGHUP reads both files again.
        tls: Option<Tls> = None,
    }
}

section! {
    /// What peers are told, and how much is kept.
    pub struct Swarm {
        /// How often a client is asked to announce.
        interval: Duration = Duration::from_secs(30 * 60),
        /// How often a client may announce at most; None: half of interval.
        min_interval: Option<Duration> = None,
        /// After how long without an announce a peer is forgotten; None: one and a half times interval.
        peer_timeout: Option<Duration> = None,
        /// How many peers a client is given that does not say how many it wants.
        default_numwant: u32 = 50,
        /// How many peers a client is given at most.
        max_numwant: u32 = 200,
        /// How many torrents one scrape may ask for.
        max_scrape: u32 = 100,
        /// Whether a scrape with no info hash is answered with all torrents.
        full_scrape: bool = false,
        /// Whose word is taken for a client's address: Source (the connection's) or Query (also ip=, ipv4=, ipv6=).
        client_ip: ClientIp = ClientIp::Source,
        /// Which peers are given: Uniform (any) or NearFirst (from the asker's own network first).
        selection: Selection = Selection::Uniform,
        /// Whether peer ids are kept for compact=0 answers; false saves 20 bytes a peer.
        peer_ids: bool = true,
        /// How many torrents can have peers at the same time; 0: no bound.
        max_torrents: usize = 10_000_000,
        /// How many peers a torrent can have; 0: no bound of its own.
        max_peers_per_torrent: usize = 0,
        /// How many torrents without peers are remembered for their completions.
        remember_torrents: usize = 1_000_000,
    }
}

section! {
    /// What one IPv4 address or IPv6 /64 may do; 0 turns a limit off.
    pub struct Limits {
        /// Requests a second, in the long run. Beyond, answers have a longer interval and a warning, then refusals follow.
        requests_per_second: u32 = 100,
        /// Requests at once, and as many again with the warning; 0 turns the limit on requests off.
        burst: u32 = 1000,
        /// Open connections; further ones are closed at once.
        connections: u32 = 1000,
        /// Peers in one torrent.
        peers_per_torrent: u32 = 500,
        /// Peers in all torrents together.
        peers: u32 = 100_000,
        /// Addresses, or ranges of them, that are never limited. Trusted proxies are not either.
        exempt: Vec<IpNet> = loopback(),
    }
}

section! {
    /// Which torrents are served.
    pub struct Access {
        /// Open: all; Allow: only those in file; Deny: all but those in file.
        mode: Mode = Mode::Open,
        /// A file with one info hash a line, 40 hexadecimal digits; # starts a comment.
        file: Option<PathBuf> = None,
    }
}

section! {
    /// Who sees /stats, /stats.json and /metrics. /health is for everybody.
    pub struct Stats {
        /// Whether everybody does.
        public: bool = true,
        /// Addresses, or ranges of them, that do when not everybody does.
        allow: Vec<IpNet> = loopback(),
    }
}

section! {
    /// History and snapshots on disk.
    pub struct Store {
        /// The directory, relative to the working directory.
        dir: PathBuf = PathBuf::from("tracker-data"),
        /// How often a sample of the statistics is kept.
        sample_every: Duration = Duration::from_secs(60),
        /// How often the swarms are written down: a crash costs no more than that.
        snapshot_every: Duration = Duration::from_secs(5 * 60),
    }
}

section! {
    /// The log, on the standard error.
    pub struct Log {
        /// "off", "error", "warn", "info", "debug" or "trace".
        level: Level = Level::Info,
        /// Text or Json.
        format: Format = Format::Text,
        /// Some("tracker.log"): also daily files, tracker.log.2026-01-31 and so on, of which 14 are kept.
        file: Option<PathBuf> = None,
    }
}

fn loopback() -> Vec<IpNet> {
    vec![
        Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8).into(),
        Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128).into(),
    ]
}

choice! {
    /// The forwarding header that a trusted proxy is believed.
    pub enum ForwardedHeader {
        /// `X-Forwarded-For`, else `X-Real-IP`, else `Forwarded`.
        Any = "Any",
        /// `X-Forwarded-For` only.
        XForwardedFor = "XForwardedFor",
        /// `X-Real-IP` only.
        XRealIp = "XRealIp",
        /// `Forwarded` (RFC 7239) only.
        Forwarded = "Forwarded",
    }
}

choice! {
    /// Whose word is taken for a client's address.
    pub enum ClientIp {
        /// The connection's.
        Source = "Source",
        /// The client's own, if it gives one.
        Query = "Query",
    }
}

choice! {
    /// Which peers are given.
    pub enum Selection {
        /// Any, each as likely as the others.
        Uniform = "Uniform",
        /// From the asker's own network first.
        NearFirst = "NearFirst",
    }
}

choice! {
    /// Which torrents are served.
    pub enum Mode {
        /// All.
        Open = "Open",
        /// The ones on the list.
        Allow = "Allow",
        /// All but the ones on the list.
        Deny = "Deny",
    }
}

choice! {
    /// How the log is written.
    pub enum Format {
        /// For people.
        Text = "Text",
        /// A JSON object a line.
        Json = "Json",
    }
}

choice! {
    /// How much is logged.
    pub enum Level {
        /// Nothing.
        Off = "\"off\"",
        /// What went wrong.
        Error = "\"error\"",
        /// What may go wrong.
        Warn = "\"warn\"",
        /// What happens now and then.
        Info = "\"info\"",
        /// What happens to a connection.
        Debug = "\"debug\"",
        /// Everything.
        Trace = "\"trace\"",
    }
}

section! {
    /// TLS.
    pub struct Tls {
        /// The certificate chain, a PEM file, the server's own certificate first.
        certificate: PathBuf = PathBuf::new(),
        /// Its private key, a PEM file.
        private_key: PathBuf = PathBuf::new(),
        /// The addresses that are TLS; none: all of http.listen.
        listen: Vec<SocketAddr> = Vec::new(),
    }
}

impl Value for Tls {
    fn read(raw: &str) -> Result<Self, Fault<'_>> {
        let expected = "(certificate: \"cert.pem\", private_key: \"key.pem\")";
        let entries = read_section(raw).ok_or_else(|| Fault::expected(raw, expected))?.0;
        let mut tls = Tls::default();
        for &(key, value) in &entries {
            if !tls.keys().contains(&key) {
                return Err(Fault::value(key, unknown(key, tls.keys())).below(key));
            }
            tls.set(key, value).map_err(|fault| fault.below(key))?;
        }
        for needed in ["certificate", "private_key"] {
            if !entries.iter().any(|(key, _)| *key == needed) {
                return Err(Fault::value(raw, format!("has no {needed}")));
            }
        }
        Ok(tls)
    }

    fn write(&self) -> String {
        let entries = self.entries().into_iter().map(|entry| format!("{}: {}", entry.key, entry.value));
        format!("({})", entries.collect::<Vec<_>>().join(", "))
    }
}

/// The complaint about a key that does not exist.
pub(crate) fn unknown(key: &str, known: &[&str]) -> String {
    match nearest(key, known) {
        Some(near) => format!("is an unknown key, did you mean {near}?"),
        None => format!("is an unknown key, known are {}", one_of(known).replace(" or ", " and ")),
    }
}
