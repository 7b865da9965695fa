//! The tracker's counts against the simulation's own.

use crate::peers::flag;
use crate::queue::Millis;
use crate::world::World;

/// What a torrent's counts may be.
#[derive(Clone, Copy, Debug, Default)]
struct Bounds {
    seeders: (u32, u32),
    leechers: (u32, u32),
}

/// Compares the counts of all torrents. A peer that vanished is counted until a sweep after its timeout, so for a few seconds
/// both is right.
pub(crate) fn compare(world: &mut World<'_>, now: Millis) {
    let peers = &world.peers;
    let mut bounds = vec![Bounds::default(); world.torrents.len()];
    let mut add = |peer: u32, surely: bool| {
        let bounds = &mut bounds[peers.torrent[peer as usize] as usize];
        let range = if peers.is(peer, flag::SEEDER) { &mut bounds.seeders } else { &mut bounds.leechers };
        range.0 += u32::from(surely);
        range.1 += 1;
    };
    for peer in 0..peers.len() as u32 {
        if peers.is(peer, flag::ALIVE) {
            add(peer, true);
        }
    }
    let timeout = world.model.peer_timeout * 1000;
    let swept = timeout + (world.model.sweep.max(world.model.round) + 1) * 1000;
    for (_, peer) in peers.gone().take_while(|&(at, _)| now - at <= swept) {
        let age = now - peers.heard[peer as usize];
        if peers.is(peer, flag::VANISHES) && age <= swept {
            add(peer, age < timeout - 1000);
        }
    }
    let (mut wrong, mut in_all) = (0, (0, 0));
    for (torrent, bounds) in bounds.iter().enumerate() {
        let counts = world.tracker.scrape(&world.torrents.hash[torrent]).unwrap_or_default();
        let is_within = |(from, to): (u32, u32), count: u32| (from..=to).contains(&count);
        let is_right = is_within(bounds.seeders, counts.complete)
            && is_within(bounds.leechers, counts.incomplete)
            && counts.downloaded == world.torrents.completed[torrent];
        wrong += u64::from(!is_right);
        in_all.0 += u64::from(counts.complete);
        in_all.1 += u64::from(counts.incomplete);
    }
    let totals = world.tracker.totals();
    let completed: u64 = world.torrents.completed.iter().map(|&n| u64::from(n)).sum();
    let is_right = (totals.seeders(), totals.leechers(), totals.completed) == (in_all.0, in_all.1, completed);
    world.tally.wrong.counts += wrong + u64::from(!is_right);
    world.tally.wrong.compared += bounds.len() as u64 + 1;
}
