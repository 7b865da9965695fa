//! What an announce, a selection and a sweep cost: `cargo bench -p tracker-core`.

use divan::Bencher;
use divan::counter::ItemsCount;
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use tracker_core::{
    Announce, AnnounceReply, Config, Event, InfoHash, PeerAddr, PeerId, Seconds, Selection, Tracker,
};

fn main() {
    divan::main();
}

const MILLION: u32 = 1_000_000;

fn announce(torrent: u32, peer: u32, numwant: u32) -> Announce {
    let mut info_hash = InfoHash::default();
    info_hash.0[..4].copy_from_slice(&torrent.to_be_bytes());
    Announce {
        info_hash,
        peer_id: PeerId([b'x'; 20]),
        addr: PeerAddr::new([10, (peer >> 16) as u8, (peer >> 8) as u8, peer as u8].into(), 6881),
        left: u64::from(peer % 3),
        event: Event::Regular,
        numwant,
        want_ids: false,
        is_exempt: false,
    }
}

/// Peers dealt out to the torrents in turn.
fn filled(torrents: u32, peers: u32, selection: Selection) -> Tracker {
    let config = Config { keep_peer_ids: false, selection, ..Config::default() };
    let tracker = Tracker::new(config);
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut reply = AnnounceReply::new();
    for peer in 0..peers {
        let _ = tracker.announce(&announce(peer % torrents, peer, 0), Seconds::new(0), &mut rng, &mut reply);
    }
    tracker
}

/// Known peers announce again, in random order.
fn refresh(bencher: Bencher<'_, '_>, tracker: &Tracker, torrents: u32, peers: u32, numwant: u32) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
    let mut reply = AnnounceReply::new();
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| {
        let peer = rng.next_u32() % peers;
        let _ = tracker.announce(
            &announce(peer % torrents, peer, numwant),
            Seconds::new(1),
            &mut rng,
            &mut reply,
        );
        reply.len()
    });
}

/// A refresh without peers in the answer, in one swarm of so many.
#[divan::bench(args = [1, 10, 60, 1000, 100_000], sample_size = 1000)]
fn announce_into_a_swarm(bencher: Bencher<'_, '_>, peers: u32) {
    refresh(bencher, &filled(1, peers, Selection::Uniform), 1, peers, 0);
}

/// A refresh and 50 peers, in one swarm of so many.
#[divan::bench(args = [1, 10, 60, 120, 1000, 100_000], sample_size = 1000)]
fn announce_for_50(bencher: Bencher<'_, '_>, peers: u32) {
    refresh(bencher, &filled(1, peers, Selection::Uniform), 1, peers, 50);
}

/// As above, 200 peers.
#[divan::bench(args = [150, 1000, 100_000], sample_size = 1000)]
fn announce_for_200(bencher: Bencher<'_, '_>, peers: u32) {
    refresh(bencher, &filled(1, peers, Selection::Uniform), 1, peers, 200);
}

/// Near ones first, of a swarm that lies in one region.
#[divan::bench(args = [60, 1000, 100_000], sample_size = 100)]
fn announce_for_50_near_first(bencher: Bencher<'_, '_>, peers: u32) {
    refresh(bencher, &filled(1, peers, Selection::NearFirst), 1, peers, 50);
}

/// A million torrents of one peer, and of a thousand over fifty thousand torrents of twenty.
#[divan::bench(args = [50_000, 1_000_000], sample_size = 1000)]
fn announce_over_torrents(bencher: Bencher<'_, '_>, torrents: u32) {
    refresh(bencher, &filled(torrents, MILLION, Selection::Uniform), torrents, MILLION, 50);
}

/// A sweep that finds nobody stale; the cost is that of a peer.
#[divan::bench(args = [1, 50_000, 1_000_000], sample_count = 10)]
fn sweep_of_a_million_fresh_peers(bencher: Bencher<'_, '_>, torrents: u32) {
    let tracker = filled(torrents, MILLION, Selection::Uniform);
    bencher.counter(ItemsCount::new(MILLION)).bench_local(|| tracker.expire(Seconds::new(1)));
}

/// A sweep that removes everybody; the cost is that of a peer.
#[divan::bench(args = [1, 50_000, 1_000_000], sample_count = 3, sample_size = 1)]
fn sweep_of_a_million_stale_peers(bencher: Bencher<'_, '_>, torrents: u32) {
    bencher
        .counter(ItemsCount::new(MILLION))
        .with_inputs(|| filled(torrents, MILLION, Selection::Uniform))
        .bench_local_refs(|tracker| tracker.expire(Seconds::new(2700)));
}
