//! The wiring: the core, the server and what keeps house, in one crossbeam scope.

use std::net::{Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::available_parallelism;
use std::time::Duration;

use crossbeam::channel::{bounded, unbounded};
use crossbeam::thread::Scope;
use parking_lot::Mutex;
use tracker_core::Tracker;
use tracker_http::{
    Access, Clock, Handle, ListenError, Proxies, Quota, Rules, Server, ServerError, Settings as HttpSettings,
    Tls, TrackerService,
};
use tracker_store::{Grouping, Period, Series, Store, StoreError};

use crate::certificates::Loaded;
use crate::config::{self, Config};
use crate::dashboard::{Json, Page};
use crate::error::Error;
use crate::housekeeping::Housekeeping;
use crate::keeper::{self, Keeper, Keeping};
use crate::logging::{self, Logging};
use crate::pages::{Health, Pages};
use crate::reload::reload;
use crate::settings::Settings;
use crate::signals::{Signal, Signals};
use crate::statistics::{Statistics, unix_now};
use crate::supervisor::{Reports, Supervisor};
use crate::visibility::Visibility;
use crate::{access, certificates, huge_pages, open_files};

/// The longest time between two sweeps; a tenth of the peer timeout if that is shorter.
const SWEEP: Duration = Duration::from_secs(10);

/// Serves until it is told to stop.
///
/// # Errors
/// What kept it from starting.
pub fn serve(mut settings: Settings) -> Result<(), Error> {
    let list = access::load(&settings.config)?;
    let loaded = certificates::load(settings.config.http.tls.as_ref())?;
    let log = Logging::start(&settings)?;
    let signals = Signals::install()?;
    // nothing is said before it is known that nothing is wrong
    let mut notes = Notes::default();
    let supervisor = Supervisor::from_env().unwrap_or_else(|problem| {
        notes.warn(problem);
        Supervisor::default()
    });
    fit_connections(&mut settings, &mut notes);
    let tls = match loaded {
        Some(Loaded { certificate, warnings }) => {
            warnings.into_iter().for_each(|warning| notes.warn(warning));
            Some(Tls::new(certificate).map_err(|error| Error::System(error.to_string()))?)
        }
        None => None,
    };
    let server = bind(&settings, tls.as_ref(), &mut notes)?;
    let clock = server.clock();
    let access = Access::new(list);
    let tracker = Tracker::new(core_config(&settings.config)?);
    let (mut store, series, completed) = restore(&settings, &tracker, &access, clock, &mut notes)?;

    let handle = server.handle();
    let statistics = Statistics::new(&tracker, handle.clone(), clock, series, completed);
    let (health, keeping) = (Health::default(), Keeping::default());
    let visibility = Visibility::new(settings.config.stats.clone());
    let config = settings.config.clone();
    let pages = Pages {
        health: &health,
        statistics: &statistics,
        keeping: &keeping,
        visibility: &visibility,
        sample_every: config.store.sample_every,
        page: Page::new(),
        json: Json::default(),
    };
    let service = TrackerService::new(&tracker, rules(&config), &access).beside(pages);
    let housekeeping = Housekeeping {
        tracker: &tracker,
        access: &access,
        statistics: &statistics,
        clock,
        sweep_every: SWEEP.min(peer_timeout(&config) / 10),
        sample_every: config.store.sample_every,
    };
    let keeper = Keeper {
        tracker: &tracker,
        statistics: &statistics,
        clock,
        snapshot_every: config.store.snapshot_every,
        keeping: &keeping,
        health: &health,
        complained: Mutex::new(None),
    };

    for addr in server.addrs() {
        logging::say(&format!("listening on http://{addr}"));
    }
    for addr in server.secure_addrs() {
        logging::say(&format!("listening on https://{addr}"));
    }
    supervisor.ready();
    notes.log();
    if huge_pages::are_on() {
        tracing::debug!("huge pages are left on");
    }
    let (stop, stopped) = bounded::<()>(0);
    let (taken, samples) = unbounded();
    let is_stopping = AtomicBool::new(false);
    let closer = signals.closer();
    let settings = Mutex::new(settings);
    let ended = crossbeam::scope(|scope| {
        server.spawn(scope, &service);
        let stop_server = handle.clone();
        let reports = Reports::new(&supervisor, &handle, &statistics);
        let start = || -> Result<(), Error> {
            spawn(scope, "housekeeping", || housekeeping.run(&stopped, &{ taken }, reports))?;
            spawn(scope, "keeper", || keeper.run(&mut store, &samples, &is_stopping))?;
            spawn(scope, "signals", || {
                obey(signals, &handle, &supervisor, || {
                    put_in_force(&settings, &housekeeping, &visibility, tls.as_ref(), &log);
                });
                is_stopping.store(true, Relaxed);
                drop(stop);
            })
        };
        // without one of them there is nobody to end the others
        start().inspect_err(|_| stop_server.stop())
    });
    closer.close();
    match ended {
        Ok(started) => {
            started?;
            // nobody announces any more
            keeper.finish(&mut store);
            tracing::info!("stopped");
            Ok(())
        }
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn spawn<'env>(scope: &Scope<'env>, name: &str, work: impl FnOnce() + Send + 'env) -> Result<(), Error> {
    let spawned = scope.builder().name(name.to_owned()).spawn(move |_| work());
    spawned.map(drop).map_err(|error| Error::System(format!("thread {name} cannot be started: {error}")))
}

/// What is to be logged when it is known that nothing keeps the tracker from starting.
#[derive(Debug, Default)]
struct Notes {
    warnings: Vec<String>,
    news: Vec<String>,
}

impl Notes {
    fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    fn log(self) {
        self.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        self.news.iter().for_each(|news| tracing::info!("{news}"));
    }
}

/// Opens the store, and puts the swarms in it into the tracker. Returns the history and how many downloads were
/// completed before.
fn restore(
    settings: &Settings,
    tracker: &Tracker,
    access: &Access,
    clock: Clock,
    notes: &mut Notes,
) -> Result<(Store, Series, u64), Error> {
    let refuse = |error: StoreError| settings.refuse("store.dir", &error.complaint());
    let wall = unix_now();
    let (store, series, damage) = Store::open(&settings.config.store.dir, wall).map_err(refuse)?;
    let loaded = store.load_swarms(tracker, clock.now(), wall).map_err(refuse)?;
    for damage in damage.iter().chain(&loaded.damage) {
        notes.warn(keeper::describe(&store, damage));
    }
    if loaded.from_older > 0 {
        notes.warn(format!("{} torrents come from the snapshot before the last one", loaded.from_older));
    }
    if loaded.refused_torrents > 0 {
        let refused = loaded.refused_torrents;
        notes.warn(format!("swarm.max_torrents leaves no room for {refused} torrents of the snapshot"));
    }
    let list = access.current();
    let dropped = tracker.retain(clock.now(), |info_hash| list.permits(info_hash));
    if let Some(time) = loaded.time {
        let age = humantime::format_duration(Duration::from_secs(wall.saturating_sub(time)));
        let torrents = tracker.totals().torrents;
        let mut news =
            format!("{} peers of {torrents} torrents are back from a snapshot {age} old", loaded.peers);
        if loaded.skipped > 0 {
            news += &format!("; {} have gone meanwhile", loaded.skipped);
        }
        if dropped > 0 {
            news += &format!("; {dropped} torrents are not allowed any more");
        }
        notes.news.push(news);
    }
    let past = series.query(Period::All, Grouping::Hour, wall).points;
    let sampled = past.iter().flatten().map(|point| point.completed).max().unwrap_or(0);
    Ok((store, series, loaded.completed.max(sampled)))
}

/// Does what the signals say, until it is to stop.
fn obey(signals: Signals, server: &Handle, supervisor: &Supervisor, reload: impl Fn()) {
    for signal in signals {
        match signal {
            Signal::Reload => {
                supervisor.reloading();
                reload();
                supervisor.ready();
            }
            Signal::Stop => {
                tracing::info!("stopping");
                supervisor.stopping();
                server.stop();
                return;
            }
        }
    }
}

/// Reads the configuration again, and drops the torrents that are not allowed any more.
fn put_in_force(
    settings: &Mutex<Settings>,
    housekeeping: &Housekeeping<'_>,
    visibility: &Visibility,
    tls: Option<&Tls>,
    log: &Logging,
) {
    let mut settings = settings.lock();
    let reloaded = match reload(&settings) {
        Ok(reloaded) => reloaded,
        Err(error) => return tracing::error!("nothing is reloaded: {error}"),
    };
    log.set_level(reloaded.settings.config.log.level);
    visibility.replace(reloaded.settings.config.stats.clone());
    housekeeping.access.replace(reloaded.access);
    if let (Some(tls), Some(Loaded { certificate, warnings })) = (tls, reloaded.certificate) {
        tls.replace(certificate);
        warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    }
    *settings = reloaded.settings;
    let dropped = housekeeping.drop_forbidden();
    tracing::info!("reloaded; {dropped} torrents are not allowed any more");
    if !reloaded.waiting.is_empty() {
        tracing::warn!("these changes wait for a restart: {}", reloaded.waiting.join(", "));
    }
}

fn fit_connections(settings: &mut Settings, notes: &mut Notes) {
    let asked = settings.config.http.max_connections;
    // a worker has its poll, what wakes it, and a socket for each address
    let (plain, secure) = addresses(&settings.config);
    let of_workers = workers(&settings.config) * (2 + plain.len() + secure.len());
    match open_files::make_room(asked, open_files::RESERVE + of_workers) {
        Ok(room) if room.connections < asked => {
            notes.warn(format!(
                "http.max_connections is lowered from {asked} to {}: only {} files can be open",
                room.connections, room.limit
            ));
            settings.config.http.max_connections = room.connections;
        }
        Ok(_) => {}
        Err(error) => notes.warn(format!("the limit of open files cannot be read: {error}")),
    }
}

/// The addresses without TLS, and those with it.
fn addresses(config: &Config) -> (&[SocketAddr], &[SocketAddr]) {
    let listen = &config.http.listen;
    match &config.http.tls {
        None => (listen, &[]),
        Some(tls) if tls.listen.is_empty() => (&[], listen),
        Some(tls) => (listen, &tls.listen),
    }
}

/// Listens on all addresses. Of those that are there by default, the IPv6 one goes where the machine has none.
fn bind(settings: &Settings, tls: Option<&Tls>, notes: &mut Notes) -> Result<Server, Error> {
    let config = &settings.config;
    let clock = Clock::start();
    let http = http_settings(config)?;
    let bind = |config: &Config| {
        let (plain, secure) = addresses(config);
        match tls {
            None => Server::bind(plain, http.clone(), clock),
            Some(tls) => Server::bind_tls(plain, secure, tls, http.clone(), clock),
        }
    };
    let addrs = &config.http.listen;
    let refuse = |error: ServerError| match error {
        ServerError::Listen(ListenError { addr, why }) => {
            let position = |addrs: &[SocketAddr]| addrs.iter().position(|&asked| asked == addr);
            let secure = config.http.tls.as_ref().and_then(|tls| position(&tls.listen));
            let key = match (position(addrs), secure) {
                (None, Some(at)) => format!("http.tls.listen[{at}]"),
                (at, _) => format!("http.listen[{}]", at.unwrap_or(0)),
            };
            settings.refuse(&key, &why.to_string())
        }
        error @ ServerError::Poll(_) => Error::System(error.to_string()),
    };
    match bind(config) {
        Err(ServerError::Listen(error))
            if error.is_for_want_of_ipv6()
                && error.addr.ip() == Ipv6Addr::UNSPECIFIED
                && !settings.is_written("http.listen") =>
        {
            notes.warn(format!("{error}: serving IPv4 only"));
            let mut rest = config.clone();
            rest.http.listen.retain(|addr| *addr != error.addr);
            bind(&rest).map_err(refuse)
        }
        bound => bound.map_err(refuse),
    }
}

fn http_settings(config: &Config) -> Result<HttpSettings, Error> {
    let http = &config.http;
    Ok(HttpSettings {
        workers: workers(config),
        keep_alive: http.keep_alive,
        request_timeout: http.request_timeout,
        max_connections: http.max_connections,
        proxies: Proxies {
            trusted: http.trusted_proxies.clone(),
            header: match http.forwarded_header {
                config::ForwardedHeader::Any => tracker_http::ForwardedHeader::Any,
                config::ForwardedHeader::XForwardedFor => tracker_http::ForwardedHeader::XForwardedFor,
                config::ForwardedHeader::XRealIp => tracker_http::ForwardedHeader::XRealIp,
                config::ForwardedHeader::Forwarded => tracker_http::ForwardedHeader::Forwarded,
            },
        },
        quota: Quota {
            requests_per_second: config.limits.requests_per_second,
            burst: config.limits.burst,
            connections: config.limits.connections,
            exempt: config.limits.exempt.clone(),
        },
        seed: u64::from_ne_bytes(random()?),
        ..HttpSettings::default()
    })
}

fn workers(config: &Config) -> usize {
    match config.http.workers {
        0 => available_parallelism().map_or(1, usize::from),
        workers => workers,
    }
}

fn core_config(config: &Config) -> Result<tracker_core::Config, Error> {
    let swarm = &config.swarm;
    Ok(tracker_core::Config {
        hash_key: random()?,
        peer_timeout: seconds(peer_timeout(config)),
        keep_peer_ids: swarm.peer_ids,
        selection: match swarm.selection {
            config::Selection::Uniform => tracker_core::Selection::Uniform,
            config::Selection::NearFirst => tracker_core::Selection::NearFirst,
        },
        max_torrents: swarm.max_torrents,
        max_peers_per_torrent: swarm.max_peers_per_torrent,
        remember_torrents: swarm.remember_torrents,
        max_peers_per_address: config.limits.peers as usize,
        max_peers_per_address_and_torrent: config.limits.peers_per_torrent as usize,
        ..tracker_core::Config::default()
    })
}

fn rules(config: &Config) -> Rules {
    let swarm = &config.swarm;
    let (interval, timeout) = (seconds(swarm.interval), seconds(peer_timeout(config)));
    Rules {
        interval,
        min_interval: seconds(swarm.min_interval.unwrap_or(swarm.interval / 2)),
        // midway, so that whoever keeps to it is known yet when it returns
        long_interval: (interval + timeout.saturating_sub(interval).div_ceil(2)).max(interval + 1),
        default_numwant: swarm.default_numwant,
        max_numwant: swarm.max_numwant,
        max_scrape: swarm.max_scrape as usize,
        full_scrape: swarm.full_scrape,
        client_ip: match swarm.client_ip {
            config::ClientIp::Source => tracker_http::ClientIp::Source,
            config::ClientIp::Query => tracker_http::ClientIp::Query,
        },
    }
}

fn peer_timeout(config: &Config) -> Duration {
    config.swarm.peer_timeout.unwrap_or(config.swarm.interval * 3 / 2)
}

/// Whole seconds, rounded up, so that nothing becomes 0.
fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs() + u64::from(duration.subsec_nanos() > 0)).unwrap_or(u32::MAX)
}

fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::System(format!("no random numbers can be had: {error}")))?;
    Ok(bytes)
}
