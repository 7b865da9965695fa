//! The table beside a naive one, and what is said of it.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{IpAddr, TcpStream};
use std::time::{Duration, Instant};

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::*;
use crate::{Clock, NotFound, Server, Settings};

fn quota(requests_per_second: u32, burst: u32, connections: u32) -> Quota {
    Quota { requests_per_second, burst, connections, exempt: Vec::new() }
}

fn key(n: u32) -> Key {
    IpAddr::from(n.to_be_bytes()).into()
}

fn table(quota: &Quota) -> Table {
    Table::new(quota).unwrap()
}

/// One set of eight places.
fn tiny(quota: &Quota) -> Table {
    Table::with_size(quota, 1, 1).unwrap()
}

/// Says the same as a table by other means: tokens that are there instead of spent ones, and entries in a map.
struct Naive {
    rate: i128,
    burst: i128,
    connections: u32,
    capacity: usize,
    accounts: BTreeMap<Key, Account>,
    births: u64,
}

struct Account {
    /// Thousandths, below 0 in debt.
    tokens: i128,
    heard: u64,
    open: u32,
    birth: u64,
}

impl Naive {
    fn account(&mut self, key: Key, now: u64) -> &mut Account {
        if !self.accounts.contains_key(&key) && self.accounts.len() == self.capacity {
            let oldest = self.accounts.iter().min_by_key(|(_, account)| (account.open > 0, account.heard));
            let oldest = *oldest.unwrap().0;
            self.accounts.remove(&oldest);
        }
        let new = || {
            self.births += 1;
            Account { tokens: self.burst, heard: now, open: 0, birth: self.births }
        };
        let account = self.accounts.entry(key).or_insert_with(new);
        let elapsed = i128::from(now.saturating_sub(account.heard));
        account.tokens = self.burst.min(account.tokens + elapsed * self.rate);
        if now + 10_000 < account.heard || now > account.heard {
            account.heard = now;
        }
        account
    }

    fn ask(&mut self, key: Key, now: u64) -> Verdict {
        let (rate, burst) = (self.rate, self.burst);
        let account = self.account(key, now);
        match account.tokens {
            tokens if tokens >= 1000 => {
                account.tokens -= 1000;
                Verdict::Served
            }
            tokens if tokens - 1000 >= -burst => {
                account.tokens -= 1000;
                Verdict::Slowed
            }
            tokens => {
                let waits = (1..).find(|seconds| tokens + 1000 * seconds * rate >= 1000).unwrap();
                Verdict::Refused { retry_after: u32::try_from(waits).unwrap() }
            }
        }
    }

    fn enter(&mut self, key: Key, now: u64) -> Result<u64, Turned> {
        let (burst, connections) = (self.burst, self.connections);
        let account = self.account(key, now);
        if account.tokens - 1000 < -burst {
            return Err(Turned::Rate);
        }
        if account.open == connections {
            return Err(Turned::Connections);
        }
        account.open += 1;
        Ok(account.birth)
    }

    fn leave(&mut self, key: Key, birth: u64) {
        if let Some(account) = self.accounts.get_mut(&key).filter(|account| account.birth == birth) {
            account.open -= 1;
        }
    }
}

/// Does the same to both; `step` says how the time goes on.
fn agrees(
    seed: u64,
    table: &Table,
    naive: &mut Naive,
    keys: u32,
    mut step: impl FnMut(u64, &mut Xoshiro256PlusPlus) -> u64,
) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut open = Vec::new();
    let mut now = 1_000_000;
    for round in 0..4000 {
        now = step(now, &mut rng);
        // some ask much more than others
        let number = rng.next_u32() % keys;
        let key = key(number.min(rng.next_u32() % keys));
        match rng.next_u32() % 20 {
            0..12 => assert_eq!(table.ask(key, now), naive.ask(key, now), "seed {seed}, round {round}"),
            12..17 => match (table.enter(key, now), naive.enter(key, now)) {
                (Ok(Some(ticket)), Ok(birth)) => open.push((key, ticket, birth)),
                (ours, theirs) => {
                    assert_eq!(ours.map(|_| ()), theirs.map(|_| ()), "seed {seed}, round {round}");
                }
            },
            _ if open.is_empty() => {}
            _ => {
                let (key, ticket, birth) = open.swap_remove(rng.next_u32() as usize % open.len());
                table.leave(key, ticket);
                naive.leave(key, birth);
            }
        }
        let account = naive.accounts.get(&key);
        assert_eq!(table.knows(key), account.is_some(), "seed {seed}, round {round}");
        let open = account.map_or(0, |account| account.open.into());
        assert_eq!(table.open(key), open, "seed {seed}, round {round}");
    }
    for (key, ticket, _) in open {
        table.leave(key, ticket);
    }
    assert!((0..keys).all(|n| table.open(key(n)) == 0), "seed {seed}");
}

fn naive(quota: &Quota, capacity: usize) -> Naive {
    Naive {
        rate: quota.requests_per_second.into(),
        burst: i128::from(quota.burst) * 1000,
        connections: quota.connections,
        capacity,
        accounts: BTreeMap::new(),
        births: 0,
    }
}

#[test]
fn a_large_table_agrees_with_a_naive_one_wherever_the_clock_jumps() {
    for seed in 0..60 {
        let quota = quota(1 + seed as u32 * 7, 1 + seed as u32 % 9, 1 + seed as u32 % 5);
        let step = |now: u64, rng: &mut Xoshiro256PlusPlus| match rng.next_u32() % 200 {
            0..80 => now,
            80..180 => now + u64::from(rng.next_u32() % 5),
            180..190 => now + u64::from(rng.next_u32() % 3000),
            190..198 => now.saturating_sub(u64::from(rng.next_u32() % 9000)),
            198 => now + 3_600_000,
            _ => now.saturating_sub(3_600_000),
        };
        agrees(seed, &table(&quota), &mut naive(&quota, usize::MAX), 40, step);
    }
}

#[test]
fn a_full_set_agrees_with_a_naive_one_on_whom_it_forgets() {
    for seed in 0..60 {
        let quota = quota(1 + seed as u32 * 7, 1 + seed as u32 % 9, 1 + seed as u32 % 5);
        // always another moment, so that it is plain who is the oldest
        let step = |now: u64, rng: &mut Xoshiro256PlusPlus| now + 1 + u64::from(rng.next_u32() % 20);
        agrees(seed, &tiny(&quota), &mut naive(&quota, 8), 12 + seed as u32 % 20, step);
    }
}

#[test]
fn who_has_no_open_connection_is_forgotten_first_and_of_those_the_oldest() {
    let table = tiny(&quota(10, 10, 10));
    let tickets: Vec<_> = (0..7).map(|n| table.enter(key(n), n.into()).unwrap().unwrap()).collect();
    table.ask(key(7), 1000);
    // the eighth is the youngest, and the only one without a connection
    table.ask(key(8), 2000);
    assert!(!table.knows(key(7)) && (0..7).chain([8]).all(|n| table.knows(key(n))));
    // several without: the oldest of them
    table.leave(key(3), tickets[3]);
    table.leave(key(5), tickets[5]);
    table.ask(key(3), 2500);
    table.ask(key(9), 3000);
    assert!(!table.knows(key(5)) && [0, 1, 2, 3, 4, 6, 8, 9].iter().all(|&n| table.knows(key(n))));
    // none without: the oldest of all, and its connection does not count when it is back
    for n in [3, 8, 9] {
        table.enter(key(n), 4000).unwrap();
    }
    table.ask(key(10), 5000);
    assert!(!table.knows(key(0)));
    table.enter(key(0), 6000).unwrap();
    assert_eq!(table.open(key(0)), 1);
    table.leave(key(0), tickets[0]);
    assert_eq!(table.open(key(0)), 1);
}

#[test]
fn requests_are_served_slowed_and_refused_and_a_flood_gets_the_permitted_rate() {
    let table = table(&quota(100, 50, 0));
    let verdicts: Vec<_> = (0..150).map(|_| table.ask(key(1), 0)).collect();
    assert!(verdicts[..50].iter().all(|&verdict| verdict == Verdict::Served));
    assert!(verdicts[50..100].iter().all(|&verdict| verdict == Verdict::Slowed));
    assert!(verdicts[100..].iter().all(|&verdict| verdict == Verdict::Refused { retry_after: 1 }));
    assert_eq!(table.enter(key(1), 0), Err(Turned::Rate));
    // a thousand a second, for ten minutes: every tenth is served, with the warning
    let taken = (1..=600_000).filter(|&now| table.ask(key(1), now) == Verdict::Slowed).count();
    assert_eq!(taken, 60_000);
    // it stops: in a second all debt is paid, and in another half all is as at first
    assert_eq!(table.ask(key(1), 600_000 + 490), Verdict::Slowed);
    assert_eq!(table.ask(key(1), 600_000 + 530), Verdict::Served);
    assert_eq!(table.enter(key(1), 600_000 + 530), Ok(None));
    let again = (0..100).filter(|_| table.ask(key(1), 602_000) == Verdict::Served).count();
    assert_eq!(again, 50);
    // nobody else has noticed
    assert_eq!(table.ask(key(2), 602_000), Verdict::Served);
}

#[test]
fn refusals_say_when_all_is_well_again() {
    let table = table(&quota(3, 40, 0));
    assert!((0..80).all(|_| !matches!(table.ask(key(1), 0), Verdict::Refused { .. })));
    assert_eq!(table.ask(key(1), 0), Verdict::Refused { retry_after: 14 });
    assert_eq!(table.ask(key(1), 14_000), Verdict::Served);
}

#[test]
fn zero_turns_a_limit_off() {
    let half = Quota { burst: 0, ..quota(1, 0, 0) };
    assert!([quota(0, 5, 0), half, quota(0, 0, 0)].iter().all(|quota| Table::new(quota).is_none()));
    let unrated = table(&quota(0, 1, 2));
    assert!((0..1000).all(|_| unrated.ask(key(1), 0) == Verdict::Served));
    let tickets = [(); 2].map(|()| unrated.enter(key(1), 0).unwrap().unwrap());
    assert_eq!(unrated.enter(key(1), 0), Err(Turned::Connections));
    tickets.iter().for_each(|&ticket| unrated.leave(key(1), ticket));
    assert_eq!(unrated.open(key(1)), 0);
    // once too often
    unrated.leave(key(1), tickets[0]);
    assert_eq!(unrated.open(key(1)), 0);
    let unbounded = table(&quota(1, 1, 0));
    assert!((0..10_000).all(|_| unbounded.enter(key(1), 0) == Ok(None)));
}

#[test]
fn the_largest_limits_do_not_overflow() {
    let table = table(&quota(u32::MAX, u32::MAX, u32::MAX));
    for now in [0, 1, u64::MAX, 5, u64::MAX / 2, 0] {
        assert_eq!(table.ask(key(1), now), Verdict::Served);
        let ticket = table.enter(key(1), now).unwrap().unwrap();
        table.leave(key(1), ticket);
    }
}

#[test]
fn an_account_is_an_ipv4_address_or_an_ipv6_network_of_64_bits() {
    let key = |ip: &str| Key::from(ip.parse::<IpAddr>().unwrap());
    assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff:ffff:ffff:ffff"));
    assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
    assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
    assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    let apart =
        ["::1", "0.0.0.0", "255.255.255.255", "0:0:0:1::", "::ffff:0:0:0", "ffff:fffe::", "192.0.2.1"];
    let apart: std::collections::BTreeSet<_> = apart.iter().map(|ip| key(ip)).collect();
    // ::1 and ::ffff:0:0:0 are of one network
    assert_eq!(apart.len(), 6);
    // and none of them is taken for an empty place
    let table = tiny(&quota(1, 1, 1));
    assert!(apart.iter().all(|&key| !table.knows(key)));
}

#[test]
fn many_threads_take_exactly_what_there_is() {
    let table = table(&quota(1, 1000, 500));
    let counts: Vec<_> = std::thread::scope(|scope| {
        let work = || {
            let mut counts = [0; 4];
            for _ in 0..1000 {
                match table.ask(key(1), 7) {
                    Verdict::Served => counts[0] += 1,
                    Verdict::Slowed => counts[1] += 1,
                    Verdict::Refused { .. } => counts[2] += 1,
                }
                counts[3] += usize::from(table.enter(key(2), 7).is_ok());
            }
            counts
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let sum = |at: usize| counts.iter().map(|counts| counts[at]).sum::<usize>();
    assert_eq!([sum(0), sum(1), sum(2), sum(3)], [1000, 1000, 6000, 500]);
}

#[test]
fn many_threads_that_come_go_and_are_forgotten_leave_nothing_behind() {
    let table = tiny(&quota(1_000_000, 1_000_000, 3));
    std::thread::scope(|scope| {
        for seed in 0..8 {
            let table = &table;
            scope.spawn(move || {
                let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
                let mut open = std::collections::VecDeque::new();
                for now in 0..20_000 {
                    let key = key(rng.next_u32() % 20);
                    if let Ok(Some(ticket)) = table.enter(key, now) {
                        open.push_back((key, ticket));
                    }
                    assert!(table.open(key) <= 3, "seed {seed}");
                    if open.len() > 4 {
                        let (key, ticket) = open.pop_front().unwrap();
                        table.leave(key, ticket);
                    }
                }
                open.into_iter().for_each(|(key, ticket)| table.leave(key, ticket));
            });
        }
    });
    assert!((0..20).all(|n| table.open(key(n)) == 0));
}

#[test]
fn five_thousand_clients_behind_one_address_never_meet_the_defaults() {
    const CLIENTS: usize = 5000;
    const INTERVAL: u64 = 30 * 60 * 1000;
    // each has so many torrents, announces them one after the other, and leaves the connection open for a minute
    const TORRENTS: u64 = 5;
    const OPEN: u64 = 60 * 1000;
    let table = table(&Quota::default());
    for seed in 0..3 {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let nat = key(seed as u32);
        let mut due: BTreeMap<(u64, usize), Option<Ticket>> = BTreeMap::new();
        for client in 0..CLIENTS {
            due.insert((rng.next_u64() % INTERVAL, client), None);
        }
        let mut most = 0;
        // three hours
        while let Some(((now, client), ticket)) = due.pop_first() {
            if now > 3 * 2 * INTERVAL {
                break;
            }
            if let Some(ticket) = ticket {
                table.leave(nat, ticket);
                continue;
            }
            let ticket = table.enter(nat, now).unwrap();
            most = most.max(table.open(nat));
            for torrent in 0..TORRENTS {
                assert_eq!(table.ask(nat, now + torrent * 20), Verdict::Served, "seed {seed}");
            }
            due.insert((now + OPEN, CLIENTS + client), ticket);
            // clients keep to the interval give or take a tenth
            due.insert((now + INTERVAL * 9 / 10 + rng.next_u64() % (INTERVAL / 5), client), None);
        }
        assert!(most > 100, "seed {seed}: {most} connections at the most");
    }
}

#[test]
fn the_table_has_an_entry_for_each_of_65536_addresses_and_never_one_more() {
    assert_eq!(CAPACITY, 65_536);
    let table = table(&quota(1, 10, 0));
    for n in 0..200_000 {
        assert_eq!(table.ask(key(n), n.into()), Verdict::Served);
    }
    let known = (0..200_000).filter(|&n| table.knows(key(n))).count();
    assert!(known <= CAPACITY && known > CAPACITY * 9 / 10, "{known}");
}

#[test]
fn proxies_and_exempt_addresses_are_told_apart_from_others() {
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    let proxies = Proxies { trusted: vec!["127.0.0.1/32".parse().unwrap()], ..Proxies::default() };
    let quota = Quota { exempt: vec!["127.0.0.0/8".parse().unwrap()], ..quota(1, 1, 1) };
    let gate = Gate::new(&quota, &proxies);
    // what is both is a proxy: its clients are not exempt
    assert_eq!(gate.enter(ip("127.0.0.1"), 0), Ok(Standing::Proxy));
    assert_eq!(gate.enter(ip("127.0.0.2"), 0), Ok(Standing::Exempt));
    let limited = gate.enter(ip("192.0.2.1"), 0).unwrap();
    assert!(matches!(limited, Standing::Limited(Some(_))));
    assert_eq!(gate.enter(ip("192.0.2.1"), 0), Err(Turned::Connections));
    let judge = |standing, client| gate.judge(standing, ip(client), 0);
    for _ in 0..10 {
        assert_eq!(judge(Standing::Exempt, "192.0.2.9"), Judgement::EXEMPT);
        assert_eq!(judge(Standing::Proxy, "127.0.0.1"), Judgement::EXEMPT);
        assert_eq!(judge(Standing::Proxy, "127.0.0.9"), Judgement::EXEMPT);
    }
    let verdicts: [Verdict; 3] = std::array::from_fn(|_| judge(Standing::Proxy, "192.0.2.1").verdict);
    assert_eq!(verdicts, [Verdict::Served, Verdict::Slowed, Verdict::Refused { retry_after: 2 }]);
    assert_eq!(judge(limited, "192.0.2.1").verdict, verdicts[2]);
    gate.leave(ip("192.0.2.1"), limited);
    assert_eq!(gate.enter(ip("192.0.2.1"), 1000).map(|_| ()), Ok(()));
    // without limits there is no table, and yet it is known who is exempt
    let unlimited = Quota { requests_per_second: 0, connections: 0, ..quota };
    let open = Gate::new(&unlimited, &proxies);
    assert_eq!(open.enter(ip("192.0.2.1"), 0), Ok(Standing::Limited(None)));
    assert!(!open.judge(Standing::Limited(None), ip("192.0.2.1"), 0).is_exempt);
    assert!(open.judge(Standing::Proxy, ip("127.0.0.1"), 0).is_exempt);
}

#[test]
fn a_server_that_has_stopped_has_let_everybody_go() {
    let settings = Settings { workers: 2, quota: quota(1000, 1000, 30), ..Settings::default() };
    let server = Server::bind(&["127.0.0.1:0".parse().unwrap()], settings, Clock::start()).unwrap();
    let ip = IpAddr::from([127, 0, 0, 1]);
    let handle = server.handle();
    std::thread::scope(|scope| {
        scope.spawn(|| server.run(&NotFound));
        let connect = |_| TcpStream::connect(server.addrs()[0]).unwrap();
        let mut streams: Vec<_> = (0..30).map(connect).collect();
        for (at, stream) in streams.iter_mut().enumerate() {
            // idle, amid a request, and silent ones
            match at % 3 {
                0 => {
                    stream.write_all(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n").unwrap();
                    assert!(stream.read(&mut [0; 1000]).unwrap() > 0);
                }
                1 => stream.write_all(b"GET / HT").unwrap(),
                _ => {}
            }
        }
        let begin = Instant::now();
        while handle.counters().open_connections() < 30 {
            assert!(begin.elapsed() < Duration::from_secs(20), "not all are in");
            std::thread::yield_now();
        }
        assert_eq!(server.gate().open(ip), 30);
        assert_eq!(server.gate().enter(ip, 0), Err(Turned::Connections));
        handle.stop();
    });
    assert_eq!(server.gate().open(ip), 0);
}
