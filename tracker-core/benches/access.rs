//! What an access list of a million torrents costs: `cargo bench -p tracker-core --bench access`.

use divan::Bencher;
use divan::counter::ItemsCount;
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use tracker_core::{AccessList, AccessMode, InfoHash};

fn main() {
    divan::main();
}

const MILLION: usize = 1_000_000;

fn hashes() -> Vec<InfoHash> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    let mut hash = || {
        let mut hash = InfoHash::default();
        rng.fill_bytes(&mut hash.0);
        hash
    };
    (0..MILLION).map(|_| hash()).collect()
}

/// Reading the text of the list.
#[divan::bench]
fn parse(bencher: Bencher<'_, '_>) {
    let text: String = hashes().iter().map(|hash| format!("{hash}\n")).collect();
    bencher
        .counter(ItemsCount::new(MILLION))
        .bench(|| AccessList::parse(AccessMode::Allow, text.as_bytes()).expect("a list of info hashes"));
}

/// A thousand look-ups, of so many different hashes in turn: those of a thousand stay in the cache.
#[divan::bench(args = [1_000, MILLION])]
fn permits(bencher: Bencher<'_, '_>, different: usize) {
    let hashes = hashes();
    let list = AccessList::from_hashes(AccessMode::Allow, hashes.clone());
    let mut asked = hashes[..different].iter().cycle();
    bencher
        .counter(ItemsCount::new(1000_usize))
        .bench_local(|| asked.by_ref().take(1000).filter(|hash| list.permits(hash)).count());
}
