//! The wiring: the core, the server and what keeps house, in one crossbeam scope.

use std::net::{Ipv6Addr, SocketAddr};
use std::thread::available_parallelism;
use std::time::Duration;

use crossbeam::channel::{Receiver, RecvTimeoutError, bounded};
use parking_lot::Mutex;
use tracker_core::Tracker;
use tracker_http::{
    Access, Clock, Handle, ListenError, Proxies, Rules, Server, ServerError, Settings as HttpSettings,
    TrackerService,
};

use crate::config::{self, Config};
use crate::error::Error;
use crate::logging::{self, Logging};
use crate::pages::{Health, Pages};
use crate::reload::reload;
use crate::settings::Settings;
use crate::signals::{Signal, Signals};
use crate::{access, open_files};

/// The longest time between two sweeps; a tenth of the peer timeout if that is shorter.
const SWEEP: Duration = Duration::from_secs(10);

/// Serves until it is told to stop.
///
/// # Errors
/// What kept it from starting.
pub fn serve(mut settings: Settings) -> Result<(), Error> {
    let list = access::load(&settings.config)?;
    let log = Logging::start(&settings)?;
    let signals = Signals::install()?;
    // nothing is said before it is known that nothing is wrong
    let mut warnings = Vec::new();
    fit_connections(&mut settings, &mut warnings);
    let server = bind(&settings, &mut warnings)?;

    let tracker = Tracker::new(core_config(&settings.config)?);
    let access = Access::new(list);
    let health = Health::default();
    let service =
        TrackerService::new(&tracker, rules(&settings.config), &access).beside(Pages { health: &health });

    for addr in server.addrs() {
        logging::say(&format!("listening on http://{addr}"));
    }
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let handle = server.handle();
    let sweep = SWEEP.min(peer_timeout(&settings.config) / 10);
    let (stop, stopped) = bounded::<()>(0);
    let closer = signals.closer();
    let settings = Mutex::new(settings);
    let ended = crossbeam::scope(|scope| {
        server.spawn(scope, &service);
        scope.spawn(|_| keep_house(&tracker, &access, server.clock(), sweep, &stopped));
        scope.spawn(|_| {
            obey(signals, &handle, || put_in_force(&settings, &tracker, &access, server.clock(), &log));
            drop(stop);
        });
    });
    closer.close();
    match ended {
        Ok(()) => {
            tracing::info!("stopped");
            Ok(())
        }
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Does what the signals say, until it is to stop.
fn obey(signals: Signals, server: &Handle, reload: impl Fn()) {
    for signal in signals {
        match signal {
            Signal::Reload => reload(),
            Signal::Stop => {
                tracing::info!("stopping");
                server.stop();
                return;
            }
        }
    }
}

/// Reads the configuration again, and drops the torrents that are not allowed any more.
fn put_in_force(settings: &Mutex<Settings>, tracker: &Tracker, access: &Access, clock: Clock, log: &Logging) {
    let mut settings = settings.lock();
    let reloaded = match reload(&settings) {
        Ok(reloaded) => reloaded,
        Err(error) => return tracing::error!("nothing is reloaded: {error}"),
    };
    log.set_level(reloaded.settings.config.log.level);
    access.replace(reloaded.access);
    *settings = reloaded.settings;
    let dropped = drop_forbidden(tracker, access, clock);
    tracing::info!("reloaded; {dropped} torrents are not allowed any more");
    if !reloaded.waiting.is_empty() {
        tracing::warn!("these changes wait for a restart: {}", reloaded.waiting.join(", "));
    }
}

fn drop_forbidden(tracker: &Tracker, access: &Access, clock: Clock) -> u64 {
    let list = access.current();
    tracker.retain(clock.now(), |info_hash| list.permits(info_hash))
}

/// Sweeps every `period`, until the other end of `stopped` is dropped.
fn keep_house(tracker: &Tracker, access: &Access, clock: Clock, period: Duration, stopped: &Receiver<()>) {
    let mut seen = access.current();
    while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(period) {
        let expired = tracker.expire(clock.now());
        tracing::debug!("swept: {} peers and {} torrents have gone", expired.peers, expired.torrents);
        let current = access.current();
        if !std::sync::Arc::ptr_eq(&seen, &current) {
            // a request that was being answered while the list was replaced may have brought a torrent back
            drop_forbidden(tracker, access, clock);
            seen = current;
        }
    }
}

fn fit_connections(settings: &mut Settings, warnings: &mut Vec<String>) {
    let asked = settings.config.http.max_connections;
    // a worker has its poll, what wakes it, and a socket for each address
    let of_workers = workers(&settings.config) * (2 + settings.config.http.listen.len());
    match open_files::make_room(asked, open_files::RESERVE + of_workers) {
        Ok(room) if room.connections < asked => {
            warnings.push(format!(
                "http.max_connections is lowered from {asked} to {}: only {} files can be open",
                room.connections, room.limit
            ));
            settings.config.http.max_connections = room.connections;
        }
        Ok(_) => {}
        Err(error) => warnings.push(format!("the limit of open files cannot be read: {error}")),
    }
}

/// Listens on all addresses. Of those that are there by default, the IPv6 one goes where the machine has none.
fn bind(settings: &Settings, warnings: &mut Vec<String>) -> Result<Server, Error> {
    let config = &settings.config;
    let clock = Clock::start();
    let http = http_settings(config)?;
    let bind = |addrs: &[SocketAddr]| Server::bind(addrs, http.clone(), clock);
    let addrs = &config.http.listen;
    let refuse = |error: ServerError| match error {
        ServerError::Listen(ListenError { addr, why }) => {
            let at = addrs.iter().position(|&asked| asked == addr).unwrap_or(0);
            settings.refuse(&format!("http.listen[{at}]"), &why.to_string())
        }
        error @ ServerError::Poll(_) => Error::System(error.to_string()),
    };
    match bind(addrs) {
        Err(ServerError::Listen(error))
            if error.is_for_want_of_ipv6()
                && error.addr.ip() == Ipv6Addr::UNSPECIFIED
                && !settings.is_written("http.listen") =>
        {
            warnings.push(format!("{error}: serving IPv4 only"));
            let rest: Vec<_> = addrs.iter().copied().filter(|addr| *addr != error.addr).collect();
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
        ..tracker_core::Config::default()
    })
}

fn rules(config: &Config) -> Rules {
    let swarm = &config.swarm;
    Rules {
        interval: seconds(swarm.interval),
        min_interval: seconds(swarm.min_interval.unwrap_or(swarm.interval / 2)),
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
