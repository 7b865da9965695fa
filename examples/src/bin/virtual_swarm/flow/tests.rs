use super::*;
use crate::model::Class;

/// Seconds until the last of `leechers` has everything from one seeder and from each other.
fn last_completion(leechers: u32, seeder_up: f64, up: f64, down: f64, pieces: f64) -> f64 {
    let classes = [Class { share: 1.0, down, up }; 3];
    let model = Model { classes, pieces, connections: 50, ..Model::default() };
    let (mut peers, mut torrents, mut rounds) =
        (Peers::new(model.connections), Torrents::new(1), Rounds::new(7));
    for peer in 0..=leechers {
        peers.enter(None);
        let is_seeder = peer == 0;
        peers.of_mut(peer).flags = flag::ALIVE | if is_seeder { flag::SEEDER } else { 0 };
        peers.of_mut(peer).have = if is_seeder { 1.0 } else { 0.0 };
        peers.of_mut(peer).up = model.rate(if is_seeder { seeder_up } else { up });
        peers.of_mut(peer).down = model.rate(down);
        torrents.take_part(&mut peers, peer);
        for other in 0..peer {
            torrents.connect(&mut peers, peer, other, model.connections);
        }
    }
    let mut last = 0.0_f64;
    let mut left = leechers;
    for round in 0.. {
        rounds.run(&mut peers, &mut torrents, 0, &model);
        for (peer, after) in rounds.completions.clone() {
            last = last.max(f64::from(round * model.round) + f64::from(after) / 1000.0);
            peers.set(peer, flag::SEEDER);
            torrents.disconnect(&mut peers, peer, true);
            left -= 1;
        }
        if left == 0 {
            break;
        }
        assert!(round < 100_000, "{left} are never done");
    }
    let sent = rounds.volume.all;
    assert!((sent - f64::from(leechers)).abs() < 0.01 * f64::from(leechers), "{sent} contents were sent");
    last
}

/// The shortest time in which a fluid can get to all (Kumar and Ross, Peer-Assisted File Distribution, 2006).
fn limit(leechers: f64, seeder_up: f64, up: f64, down: f64) -> f64 {
    let content = 1024.0 * 1024.0 * 1024.0 * 8.0 / 1e6;
    let together = leechers * content / (seeder_up + leechers * up);
    (content / seeder_up).max(content / down).max(together)
}

#[test]
fn one_seeder_and_one_leecher_are_as_fast_as_the_slower_line() {
    for (up, down) in [(10.0, 50.0), (100.0, 16.0), (3.0, 3.0)] {
        let took = last_completion(1, up, 1.0, down, 1024.0);
        assert!((took / limit(1.0, up, 1.0, down) - 1.0).abs() < 0.001, "{took} s");
    }
}

#[test]
fn a_seeder_alone_gives_each_its_share() {
    // who cannot send is served by the seeder alone, four at a time
    let took = last_completion(20, 100.0, 0.0, 100.0, 1024.0);
    assert!((took / limit(20.0, 100.0, 0.0, 100.0) - 1.0).abs() < 0.02, "{took} s");
}

#[test]
fn completion_comes_near_the_fluid_limit() {
    // bound by the seeder's line, by all lines together, by the leechers' own
    for (leechers, seeder, up, down) in
        [(40, 10.0, 10.0, 100.0), (40, 100.0, 10.0, 100.0), (30, 100.0, 50.0, 20.0)]
    {
        let took = last_completion(leechers, seeder, up, down, 16_384.0);
        let share = took / limit(f64::from(leechers), seeder, up, down);
        assert!((0.99..1.15).contains(&share), "{leechers} leechers: {share:.3} of the limit");
    }
}
