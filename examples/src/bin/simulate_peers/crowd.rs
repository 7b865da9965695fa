//! Who comes when, to what, and as what: all of it made from the seed, before anything is asked.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::clients::{CLIENTS, Client};
use crate::dice::Dice;
use crate::options::{Arrivals, MOST_ON_V6, Plan};

/// A torrent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Torrent {
    pub(crate) info_hash: [u8; 20],
    pub(crate) bytes: u64,
}

/// A peer in one torrent: what is settled about it before it arrives.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Person {
    pub(crate) torrent: u32,
    /// The connection that it uses, whose address it has.
    pub(crate) line: u16,
    /// 0 if it does not listen.
    pub(crate) port: u16,
    pub(crate) client: u8,
    pub(crate) id: [u8; 20],
    pub(crate) key: u32,
    /// From 0, the beginning, to 1, when the last peers arrive.
    pub(crate) arrives: f64,
    /// Downloads at full speed in the time that one takes by the [pace](crate::options::Plan::pace).
    pub(crate) speed: f64,
    /// How long it seeds, in downloads at full speed; infinite if to the end of the run.
    pub(crate) seeds: f64,
    /// How long it stays at all, seen from its arrival: infinite but for those who give up.
    pub(crate) stays: f64,
    pub(crate) habits: Habits,
}

/// What not everybody does.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub(crate) struct Habits {
    /// It has the complete download when it arrives.
    pub(crate) is_first_seeder: bool,
    /// It leaves without a word.
    pub(crate) vanishes: bool,
    /// It says `stopped` twice.
    pub(crate) stops_twice: bool,
    /// It says `completed` twice.
    pub(crate) completes_twice: bool,
    /// It wants a part only, and is a partial seed when it has that (BEP 21).
    pub(crate) wants_part: bool,
    /// It has room for few others, and asks for so many only; 0 if it asks as its client does.
    pub(crate) wants_few: u8,
    /// It asks again before the interval is over where it knows too few peers.
    pub(crate) is_eager: bool,
}

/// Everybody.
#[derive(Clone, Debug)]
pub(crate) struct Crowd {
    pub(crate) torrents: Vec<Torrent>,
    pub(crate) people: Vec<Person>,
    /// The address of each connection.
    pub(crate) lines: Vec<IpAddr>,
    by_torrent: HashMap<(u64, u32), u32>,
    by_addr: HashMap<u64, u32>,
}

/// Whose address it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// That of a peer of this torrent.
    Here(u32),
    /// That of a peer of other torrents only.
    Elsewhere(u32),
    Nobodys,
}

impl Crowd {
    /// The crowd of a plan's seed. The same numbers of peers, torrents and connections, the same arrivals and the same share that
    /// vanishes make the same crowd.
    pub(crate) fn new(plan: &Plan) -> Crowd {
        let mut dice = Dice::new(plan.seed, 1);
        let lines = lines(plan);
        let v4 = lines.iter().filter(|ip| ip.is_ipv4()).count() as u64;
        let mut crowd = Crowd {
            torrents: torrents(plan.torrents, &mut dice),
            people: Vec::with_capacity(plan.peers as usize),
            by_torrent: HashMap::with_capacity(plan.peers as usize),
            by_addr: HashMap::with_capacity(plan.peers as usize),
            lines,
        };
        let v6 = crowd.lines.len() as u64 - v4;
        let share_of_v6 = match (v4, v6) {
            (0, _) => 1.0,
            (_, 0) => 0.0,
            _ => (f64::from(MOST_ON_V6) / f64::from(plan.peers)).min(0.25),
        };
        let shares = Client::shares();
        let mut sum = 0.0;
        let zipf: Vec<f64> = (1..=plan.torrents)
            .map(|rank| {
                sum += f64::from(rank).powf(-0.9);
                sum
            })
            .collect();
        while crowd.people.len() < plan.peers as usize {
            let n = crowd.people.len() as u32;
            let torrent = if n < plan.torrents { n } else { dice.weighted(&zipf) as u32 };
            let mut person = Person::new(torrent, plan, &shares, &mut dice);
            if n < plan.torrents {
                // nobody could ever complete without it
                person.habits = Habits { is_first_seeder: true, ..Habits::default() };
                (person.arrives, person.seeds) = (dice.unit() * 0.02, f64::INFINITY);
                (person.stays, person.port) = (f64::INFINITY, 1);
            }
            let on_v6 = dice.chance(share_of_v6) && crowd.people.len() < MOST_ON_V6 as usize * 4;
            person.line = (if on_v6 { v4 + dice.below(v6) } else { dice.below(v4.max(1)) }) as u16;
            crowd.admit(person, &mut dice);
        }
        crowd
    }

    /// Takes somebody in, at an address that nobody else has, or for a client that is there with another torrent.
    fn admit(&mut self, mut person: Person, dice: &mut Dice) {
        let n = self.people.len() as u32;
        if person.port != 0 {
            let twin = self.people.last().filter(|_| dice.chance(0.08) && n > self.torrents.len() as u32);
            if let Some(twin) = twin.filter(|twin| twin.port != 0 && twin.torrent != person.torrent) {
                (person.line, person.port, person.client) = (twin.line, twin.port, twin.client);
                (person.id, person.key) = (twin.id, twin.key);
            } else {
                let ip = self.lines[usize::from(person.line)];
                person.port = popular_port(dice);
                while key(ip, person.port).is_none_or(|key| self.by_addr.contains_key(&key)) {
                    person.port = dice.below(65_535) as u16 + 1;
                }
            }
            if let Some(key) = key(self.lines[usize::from(person.line)], person.port) {
                self.by_addr.entry(key).or_insert(n);
                if self.by_torrent.contains_key(&(key, person.torrent)) {
                    return;
                }
                self.by_torrent.insert((key, person.torrent), n);
            }
        }
        self.people.push(person);
    }

    /// The address of a peer, as the tracker has to see it.
    pub(crate) fn addr(&self, person: &Person) -> SocketAddr {
        SocketAddr::new(self.lines[usize::from(person.line)], person.port)
    }

    /// How a torrent is called in messages: by the begin of its info hash.
    pub(crate) fn name(&self, torrent: u32) -> String {
        let info_hash = &self.torrents[torrent as usize].info_hash;
        info_hash[..4].iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "…"
    }

    /// Who is meant by an address in an answer about a torrent.
    pub(crate) fn whose(&self, addr: SocketAddr, torrent: u32) -> Whose {
        let Some(key) = key(addr.ip(), addr.port()) else { return Whose::Nobodys };
        match (self.by_torrent.get(&(key, torrent)), self.by_addr.get(&key)) {
            (Some(&peer), _) => Whose::Here(peer),
            (None, Some(&peer)) => Whose::Elsewhere(peer),
            (None, None) => Whose::Nobodys,
        }
    }
}

impl Person {
    fn new(torrent: u32, plan: &Plan, shares: &[f64], dice: &mut Dice) -> Person {
        let client = dice.weighted(shares) as u8;
        let is_first_seeder = dice.chance(0.02);
        Person {
            torrent,
            line: 0,
            port: u16::from(!dice.chance(0.02)), // the real one comes with the address
            client,
            id: CLIENTS[usize::from(client)].id(dice),
            key: dice.word() as u32,
            arrives: arrival(plan.arrivals, dice),
            speed: dice.pick(&[2.0, 1.0, 1.0, 0.4]) * (0.8 + 0.4 * dice.unit()),
            seeds: if dice.chance(0.1) { f64::INFINITY } else { 0.2 + dice.exponential(1.5) },
            stays: if dice.chance(0.05) { 0.1 + dice.exponential(1.0) } else { f64::INFINITY },
            habits: Habits {
                is_first_seeder,
                vanishes: dice.chance(plan.vanish),
                stops_twice: dice.chance(0.05),
                completes_twice: dice.chance(0.03),
                wants_part: !is_first_seeder && dice.chance(0.05),
                wants_few: if dice.chance(0.1) { 1 + dice.below(6) as u8 } else { 0 },
                is_eager: dice.chance(0.1),
            },
        }
    }
}

/// Where in the window of arrivals somebody comes.
fn arrival(arrivals: Arrivals, dice: &mut Dice) -> f64 {
    loop {
        let at = match arrivals {
            Arrivals::Flash => dice.exponential(0.15),
            Arrivals::Steady => return dice.unit(),
            Arrivals::Daily => {
                let at = dice.unit();
                let share = 0.5 - 0.45 * (at * 4.0 * std::f64::consts::PI).cos();
                if !dice.chance(share) {
                    continue;
                }
                at
            }
        };
        if at < 1.0 {
            return at;
        }
    }
}

fn torrents(count: u32, dice: &mut Dice) -> Vec<Torrent> {
    let mut torrents: Vec<Torrent> = (0..count)
        .map(|_| {
            let mut info_hash = [0; 20];
            dice.fill(&mut info_hash);
            Torrent { info_hash, bytes: 1 << (20 + dice.below(16)) }
        })
        .collect();
    // all that has a meaning in a query, in one hash
    torrents[0].info_hash[..12].copy_from_slice(b"%&=+ #?;/\0\xff%");
    torrents
}

/// The addresses: those of IPv4 in networks of eight, eight of them in a larger one.
fn lines(plan: &Plan) -> Vec<IpAddr> {
    let both = plan.targets.len() == 2;
    let connections = plan.connections.min(plan.peers).max(plan.targets.len() as u32);
    let mut lines = Vec::new();
    for target in &plan.targets {
        let share = match (both, target.addr.is_ipv6()) {
            (false, _) => connections,
            (true, true) => (connections / 4).max(1),
            (true, false) => connections - (connections / 4).max(1),
        };
        lines.extend((0..share).map(|n| match target.addr {
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
            SocketAddr::V4(_) => {
                Ipv4Addr::new(127, 10 + (n / 64) as u8, (n / 8 % 8) as u8, 1 + (n % 8) as u8).into()
            }
        }));
    }
    lines.sort(); // IPv4 first
    lines
}

fn popular_port(dice: &mut Dice) -> u16 {
    if dice.chance(0.3) {
        dice.pick(&[6881, 6882, 6889, 51_413, 8999])
    } else {
        dice.below(65_535) as u16 + 1
    }
}

fn key(ip: IpAddr, port: u16) -> Option<u64> {
    match ip {
        _ if port == 0 => None,
        IpAddr::V4(ip) => Some(u64::from(ip.to_bits()) << 16 | u64::from(port)),
        IpAddr::V6(Ipv6Addr::LOCALHOST) => Some(1 << 63 | u64::from(port)),
        IpAddr::V6(_) => None,
    }
}

#[cfg(test)]
mod tests;
