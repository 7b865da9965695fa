//! A tracker with peers in it, made the same as often as it is wanted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use tracker_core::{
    AccessList, AccessMode, Announce, AnnounceReply, Config, Event, InfoHash, PeerAddr, PeerId, Seconds,
    Tracker,
};
use tracker_http::parser::Limits;
use tracker_http::{Access, ClientIp, Rules, Settings};

/// Torrents that there may be. All bytes that have to be escaped are in the first two, and none in the third.
pub(crate) const HASHES: [[u8; 20]; 4] = [
    // the one of the transcripts of clients
    *b"\xb2\x1f\xfb\xbe\x87y\x83\xb8G\xc7\x88X\xc30X\x7f\x9d\x1d\xd9V",
    *b"\0%&= +#?;/\x7f\xff\r\n\t'\"<%5",
    *b"-all-plain.letters~_",
    *b"no peers of this one",
];

/// How a tracker is set up.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) seed: u64,
    /// How many peers the first torrents have.
    pub(crate) crowds: [u16; 3],
    /// Whether limits of requests are so small that requests reach them.
    pub(crate) is_narrow: bool,
    pub(crate) keep_alive: bool,
    pub(crate) believes_queries: bool,
    pub(crate) full_scrape: bool,
    pub(crate) keep_peer_ids: bool,
    /// Whether torrents and peers are bounded.
    pub(crate) is_bounded: bool,
    /// One that is not served.
    pub(crate) denied: Option<[u8; 20]>,
    pub(crate) numwant: u32,
    pub(crate) intervals: [u32; 2],
}

impl Setup {
    pub(crate) fn limits(&self) -> Limits {
        if self.is_narrow {
            Limits { target: 400, head: 500, fields: 12, body: 40 }
        } else {
            Limits::default()
        }
    }

    pub(crate) fn settings(&self) -> Settings {
        let keep_alive = Duration::from_secs(u64::from(self.keep_alive));
        Settings { limits: self.limits(), seed: self.seed, keep_alive, ..Settings::default() }
    }
}

pub(crate) struct World {
    pub(crate) setup: Setup,
    pub(crate) rules: Rules,
    pub(crate) tracker: Tracker,
    pub(crate) access: Access,
}

impl World {
    pub(crate) fn new(setup: &Setup) -> Self {
        let bound = |count| if setup.is_bounded { count } else { 0 };
        let tracker = Tracker::new(Config {
            shards: 2,
            keep_peer_ids: setup.keep_peer_ids,
            max_torrents: bound(3),
            max_peers_per_torrent: bound(20),
            max_peers_per_address_and_torrent: bound(1),
            ..Config::default()
        });
        let list = setup.denied.map_or(AccessList::open(), |hash| {
            AccessList::from_hashes(AccessMode::Deny, vec![InfoHash(hash)])
        });
        let [interval, min_interval] = setup.intervals;
        let rules = Rules {
            interval,
            min_interval,
            long_interval: interval * 2,
            default_numwant: setup.numwant,
            max_numwant: setup.numwant * 2,
            max_scrape: 5,
            full_scrape: setup.full_scrape,
            client_ip: if setup.believes_queries { ClientIp::Query } else { ClientIp::Source },
        };
        let world = World { setup: setup.clone(), rules, tracker, access: Access::new(list) };
        world.populate();
        world
    }

    pub(crate) fn now(&self) -> Seconds {
        Seconds::new(5000)
    }

    pub(crate) fn permits(&self, hash: &InfoHash) -> bool {
        self.setup.denied != Some(hash.0)
    }

    fn populate(&self) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(self.setup.seed);
        let mut reply = AnnounceReply::new();
        for (hash, count) in HASHES.into_iter().zip(self.setup.crowds) {
            for at in 0..count {
                let ip: IpAddr = if at % 3 == 0 {
                    Ipv6Addr::new(0x2001, 0xdb8, at, 0, 0, 0, 0, 1).into()
                } else {
                    Ipv4Addr::from_bits(0xcb00_7100 + u32::from(at)).into()
                };
                let announce = Announce {
                    info_hash: InfoHash(hash),
                    peer_id: PeerId([b'a' + (at % 26) as u8; 20]),
                    addr: PeerAddr::new(ip, 6881 + at),
                    left: u64::from(at % 5),
                    event: if at % 7 == 1 { Event::Paused } else { Event::Completed },
                    numwant: 0,
                    want_ids: false,
                    is_exempt: false,
                };
                // what there is no room for is left out
                let _ = self.tracker.announce(&announce, self.now(), &mut rng, &mut reply);
            }
        }
    }
}
