use clap::Parser;

use super::*;
use crate::options::Options;

fn plan(args: &str) -> Plan {
    Options::try_parse_from(["simulate_peers"].into_iter().chain(args.split(' '))).unwrap().plan().unwrap()
}

#[test]
fn the_same_seed_makes_the_same_crowd() {
    let args = "http://127.0.0.1:1/announce http://[::1]:1/announce --peers 3000 --seed";
    let [one, same, other] = ["5", "5", "6"].map(|seed| Crowd::new(&plan(&format!("{args} {seed}"))));
    assert_eq!((&one.torrents, &one.people, &one.lines), (&same.torrents, &same.people, &same.lines));
    assert_ne!(one.people, other.people);
    assert_ne!(one.torrents, other.torrents);
}

#[test]
fn everybody_is_known_by_address_and_torrent() {
    let crowd =
        Crowd::new(&plan("http://127.0.0.1:1/announce http://[::1]:1/announce --peers 5000 --seed 3"));
    assert_eq!(crowd.people.len(), 5000);
    let mut twins = 0;
    for (n, person) in crowd.people.iter().enumerate() {
        if person.port != 0 {
            assert_eq!(crowd.whose(crowd.addr(person), person.torrent), Whose::Here(n as u32));
            twins += u32::from(crowd.whose(crowd.addr(person), u32::MAX) != Whose::Elsewhere(n as u32));
        }
    }
    assert!((200..600).contains(&twins), "{twins} clients have a second torrent");
    let on_v6 = crowd.people.iter().filter(|person| crowd.addr(person).is_ipv6()).count();
    assert!((1000..1500).contains(&on_v6), "{on_v6} of 5000 peers are on IPv6");
    assert_eq!(crowd.whose("192.0.2.1:80".parse().unwrap(), 0), Whose::Nobodys);
}

#[test]
fn each_torrent_has_a_seeder_that_stays_and_sizes_differ() {
    let crowd = Crowd::new(&plan("--peers 2000 --torrents 50 --seed 1 --arrivals flash"));
    let mut sizes = vec![0; 50];
    crowd.people.iter().for_each(|person| sizes[person.torrent as usize] += 1);
    assert!(sizes[0] > 200 && sizes[49] < 40 && sizes.iter().all(|&size| size > 0), "{sizes:?}");
    for (n, person) in crowd.people.iter().take(50).enumerate() {
        assert_eq!((person.torrent, person.habits.is_first_seeder), (n as u32, true));
        assert!(person.seeds.is_infinite() && !person.habits.vanishes && person.port != 0);
    }
    let early = crowd.people.iter().filter(|person| person.arrives < 0.15).count();
    assert!(early > 1200, "{early} of 2000 peers are there at once");
}
