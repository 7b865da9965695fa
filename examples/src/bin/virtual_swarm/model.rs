//! The model: every choice in it is a parameter with a name; [`parameters`](crate::parameters) has their reasons.

use clap::ValueEnum;

/// How peers arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Arrivals {
    /// Many torrents; more peers in the evening than at dawn
    Daily,
    /// Many torrents, always as many peers an hour
    Steady,
    /// One new torrent that everybody wants at once
    Flash,
}

impl Arrivals {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Arrivals::Daily => "daily",
            Arrivals::Steady => "steady",
            Arrivals::Flash => "flash",
        }
    }
}

/// Who is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Policy {
    /// The core's default: every peer equally likely
    Uniform,
    /// The core's other one: up to half the answer from the asker's surroundings
    NearFirst,
    /// Always the torrent's first peers, to see what the simulator makes of it
    Broken,
}

impl Policy {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Policy::Uniform => "uniform",
            Policy::NearFirst => "near-first",
            Policy::Broken => "broken",
        }
    }
}

/// A class of capacities, in Mbit/s.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Class {
    pub(crate) share: f64,
    pub(crate) down: f64,
    pub(crate) up: f64,
}

/// All that a run depends on, but its seed and its policy. Times are in seconds, the content is in MiB.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) peers: u32,
    pub(crate) hours: f64,
    pub(crate) arrivals: Arrivals,
    pub(crate) flash_decay: f64,
    pub(crate) daily_swing: f64,
    pub(crate) torrents: u32,
    pub(crate) popularity: f64,
    pub(crate) networks: u32,
    pub(crate) subnets: u32,
    pub(crate) network_sizes: f64,
    pub(crate) classes: [Class; 3],
    pub(crate) publisher_up: f64,
    pub(crate) size: f64,
    pub(crate) pieces: f64,
    pub(crate) interval: u32,
    pub(crate) peer_timeout: u32,
    pub(crate) jitter: u32,
    pub(crate) sweep: u32,
    pub(crate) numwant: u32,
    pub(crate) connections: u32,
    pub(crate) vanish: f64,
    pub(crate) nat: f64,
    pub(crate) impatient: f64,
    pub(crate) patience: f64,
    pub(crate) seeding: f64,
    pub(crate) slots: u32,
    pub(crate) round: u32,
}

impl Default for Model {
    fn default() -> Self {
        Model {
            peers: 1_000_000,
            hours: 24.0,
            arrivals: Arrivals::Daily,
            flash_decay: 20.0 * 60.0,
            daily_swing: 0.5,
            torrents: 10_000,
            popularity: 1.0,
            networks: 1_000,
            subnets: 20_000,
            network_sizes: 1.0,
            classes: [
                Class { share: 0.3, down: 25.0, up: 5.0 },
                Class { share: 0.5, down: 100.0, up: 20.0 },
                Class { share: 0.2, down: 500.0, up: 100.0 },
            ],
            publisher_up: 200.0,
            size: 1024.0,
            pieces: 1024.0,
            interval: 30 * 60,
            peer_timeout: 45 * 60,
            jitter: 10,
            sweep: 10,
            numwant: 50,
            connections: 50,
            vanish: 0.25,
            nat: 0.4,
            impatient: 0.1,
            patience: 15.0 * 60.0,
            seeding: 2.5 * 3600.0,
            slots: 4,
            round: 10,
        }
    }
}

impl Model {
    /// A peer opens connections until it has so many.
    pub(crate) fn opens_to(&self) -> u32 {
        self.connections.div_ceil(2)
    }

    /// A leecher with fewer connections asks the tracker again after the minimal interval.
    pub(crate) fn few(&self) -> u32 {
        self.connections.div_ceil(10)
    }

    pub(crate) fn min_interval(&self) -> u32 {
        self.interval / 2
    }

    /// Milliseconds after which the whole is looked at again: 144 times a run, and twenty times while a flash decays.
    pub(crate) fn look(&self) -> u32 {
        let seconds = match self.arrivals {
            Arrivals::Flash => self.flash_decay / 20.0,
            Arrivals::Daily | Arrivals::Steady => self.hours * 3600.0 / 144.0,
        };
        (seconds * 1000.0) as u32
    }

    /// When the overlay is looked at, in milliseconds: at the same time with every seed, when there are many leechers.
    pub(crate) fn overlay_at(&self) -> u32 {
        let seconds = match self.arrivals {
            Arrivals::Flash => (self.flash_decay / 4.0).min(self.hours * 900.0),
            Arrivals::Daily | Arrivals::Steady => self.hours * 2700.0,
        };
        (seconds * 1000.0) as u32
    }

    /// A capacity in Mbit/s as a share of the content in a second.
    pub(crate) fn rate(&self, mbits: f64) -> f32 {
        (mbits * 1e6 / 8.0 / (self.size * 1024.0 * 1024.0)) as f32
    }
}
