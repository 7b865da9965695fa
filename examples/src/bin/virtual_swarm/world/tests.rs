use tracker_core::{Announce, PeerId};

use super::*;
use crate::figures::Shapes;
use crate::model::Arrivals;
use crate::network::{self, Home};
use crate::tally::Wrong;

fn run(model: &Model, policy: Policy, seed: u64) -> (Tally, Rounds) {
    println!("{} seed {seed}", policy.name());
    World::new(model, policy, seed).run(|_| ())
}

fn flash(peers: u32) -> Model {
    let arrivals = Arrivals::Flash;
    Model { peers, arrivals, torrents: 1, hours: 3.0, flash_decay: 300.0, ..Model::default() }
}

/// What a peer is told by the uniform policy, where everybody is there, is a random graph with a known distribution of degrees.
#[test]
fn uniform_answers_make_a_random_graph() {
    const PEERS: u32 = 2_000;
    const WANTED: u32 = 8;
    println!("seed 11");
    let (mut random, mut reply) = (Random::new(11, 0), AnnounceReply::new());
    let tracker = Tracker::new(Config::default());
    let mut edges = Vec::new();
    for numwant in [0, WANTED] {
        for peer in 0..PEERS {
            let addr = network::address(peer, Home { network: 0, subnet: peer % 300 });
            let announce = Announce {
                info_hash: tracker_core::InfoHash([7; 20]),
                peer_id: PeerId([1; 20]),
                addr,
                left: 1,
                event: Event::Started,
                numwant,
                want_ids: false,
                is_exempt: false,
            };
            tracker.announce(&announce, Seconds::new(1), &mut random.0, &mut reply).unwrap();
            edges.extend(
                reply.compact4().as_chunks::<6>().0.iter().map(|&compact| (peer, network::whose(compact).0)),
            );
        }
    }
    assert_eq!(edges.len() as u32, PEERS * WANTED);
    let mut named = vec![0_usize; PEERS as usize];
    edges.iter().for_each(|&(_, other)| named[other as usize] += 1);
    // how often a peer is named: binomial, with a mean of 8 and a variance of nearly 8
    let mean = named.iter().sum::<usize>() as f64 / f64::from(PEERS);
    let variance = named.iter().map(|&n| (n as f64 - mean).powi(2)).sum::<f64>() / f64::from(PEERS);
    let expected = 8.0 * (1.0 - 8.0 / 1999.0);
    // the deviation of a sample's variance is about the variance times the root of 2/n
    assert!((variance - expected).abs() < 5.0 * expected * (2.0 / f64::from(PEERS)).sqrt(), "{variance}");
    let told = Graph::new(PEERS as usize, &edges).shape(&mut random);
    // each pair equally likely, as many edges
    let drawn: Vec<_> =
        edges.iter().map(|_| (random.below(2_000) as u32, random.below(2_000) as u32)).collect();
    let drawn = Graph::new(PEERS as usize, &drawn).shape(&mut random);
    println!(
        "{} {:.4} {:.4}, {} {:.4} {:.4}",
        told.diameter, told.distance, told.clustering, drawn.diameter, drawn.distance, drawn.clustering
    );
    assert_eq!(told.largest, 1.0);
    assert!(told.diameter.abs_diff(drawn.diameter) <= 1);
    assert!((told.distance / drawn.distance - 1.0).abs() < 0.02);
    assert!((told.clustering - drawn.clustering).abs() < 0.002);
}

#[test]
fn a_uniform_overlay_is_like_a_random_graph_and_a_broken_one_is_seen_to_be_broken() {
    let model = Model { flash_decay: 1200.0, ..flash(5_000) };
    let (uniform, _) = run(&model, Policy::Uniform, 3);
    let shapes = Shapes::of(&uniform, 3);
    assert!(shapes.overlay.largest > 0.99, "{}", shapes.overlay.largest);
    let off = shapes.overlay.distance / shapes.random.distance - 1.0;
    // who comes later finds the first ones full, so that those of one time know each other a little better
    assert!(off.abs() < 0.1, "{off}");
    assert!(shapes.overlay.diameter.abs_diff(shapes.random.diameter) <= 2);
    let (broken, _) = run(&model, Policy::Broken, 3);
    let islands = Shapes::of(&broken, 3);
    assert!(islands.overlay.largest < 0.8, "{}", islands.overlay.largest);
    assert!(broken.unfinished + broken.gave_up > 4 * (uniform.unfinished + uniform.gave_up));
    assert!(broken.wrong.stale > 0);
}

#[test]
fn half_the_interval_leaves_half_the_dead_addresses() {
    let dead = |interval: u32| {
        let arrivals = Arrivals::Steady;
        let peer_timeout = interval + interval / 2;
        let model = Model {
            peers: 6_000,
            torrents: 20,
            arrivals,
            interval,
            peer_timeout,
            vanish: 0.5,
            ..Model::default()
        };
        let (tally, _) = run(&model, Policy::Uniform, 5);
        tally.dead as f64 / (tally.addresses - tally.dead) as f64
    };
    let ratio = dead(900) / dead(1800);
    assert!((0.42..0.6).contains(&ratio), "{ratio:.3} of them are left");
}

#[test]
fn nothing_is_wrong_and_everybody_is_accounted_for() {
    for policy in [Policy::Uniform, Policy::NearFirst] {
        let model = Model { peers: 4_000, torrents: 40, hours: 6.0, ..Model::default() };
        let (tally, rounds) = run(&model, policy, 7);
        assert_eq!(Wrong { compared: 0, ..tally.wrong }, Wrong::default());
        assert!(tally.wrong.compared > 5_000);
        assert_eq!(tally.arrived, 4_000);
        assert_eq!(tally.completion.len() as u64 + tally.gave_up, 4_000);
        assert_eq!(tally.unfinished, 0);
        // each that completed has received the content once, the others a part of it
        let volume = rounds.volume.all;
        assert!(volume > tally.completion.len() as f64 * 0.999 && volume < 4_000.0, "{volume}");
    }
}

#[test]
fn a_seed_decides_everything() {
    let model = flash(500);
    let of = |policy, seed| {
        let (tally, rounds) = run(&model, policy, seed);
        format!("{tally:?} {:?}", rounds.volume)
    };
    assert_eq!(of(Policy::NearFirst, 1), of(Policy::NearFirst, 1));
    assert_ne!(of(Policy::NearFirst, 1), of(Policy::NearFirst, 2));
    assert_ne!(of(Policy::NearFirst, 1), of(Policy::Uniform, 1));
}
