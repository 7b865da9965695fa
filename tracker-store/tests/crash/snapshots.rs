//! The swarms, harmed.

use std::fs;
use std::path::Path;

use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use tracker_store::{DamageKind, Loaded, Store};

use crate::oracle::{Torrents, held, intact, lines, torrent};
use crate::scene::{self, CLOCK, COMPLETED, Case, LATER, OLDER_TORRENTS, TIME, TORRENTS};

/// A snapshot and the one before it, as written, and what is in them.
struct Scene {
    place: tempfile::TempDir,
    store: Store,
    current: Vec<u8>,
    older: Vec<u8>,
    /// The info hash in each line of `current`.
    hashes: Vec<Option<[u8; 20]>>,
    in_current: Torrents,
    in_older: Torrents,
}

impl Scene {
    fn new() -> Scene {
        let place = scene::place();
        let files = scene::write(place.path(), 1, 1);
        let (store, _, damage) = Store::open(place.path(), TIME).unwrap();
        assert_eq!(damage, []);
        let [current, older] = ["swarms.ron", "swarms.ron.1"].map(|name| files[name].clone());
        let [in_current, in_older] =
            [&current, &older].map(|bytes| lines(bytes).filter_map(torrent).collect::<Torrents>());
        assert_eq!((in_current.len() as u32, in_older.len() as u32), (TORRENTS, OLDER_TORRENTS));
        let peers = || in_current.values().flat_map(|torrent| &torrent.peers);
        assert!(peers().any(|peer| peer.0.ip().is_ipv6()) && peers().any(|peer| peer.0.ip().is_ipv4()));
        let mut ids = peers().flat_map(|peer| peer.1).collect::<Vec<_>>();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 256, "ids of all bytes");
        let hashes = lines(&current).map(|line| torrent(line).map(|(hash, _)| hash)).collect();
        Scene { place, store, current, older, hashes, in_current, in_older }
    }

    fn path(&self) -> &Path {
        self.place.path()
    }

    fn load(&self) -> (Torrents, Loaded) {
        let tracker = scene::tracker();
        let loaded = self.store.load_swarms(&tracker, CLOCK, TIME + LATER).unwrap();
        (held(&tracker), loaded)
    }

    /// Loads `bad`, with a good older snapshot or without one, and sees what comes of it.
    fn check(&mut self, bad: &[u8], intact: &[bool], has_older: bool, is_saved_too: bool) {
        scene::put(self.path(), "swarms.ron", bad);
        let _ = fs::remove_file(self.path().join("swarms.ron.1"));
        if has_older {
            scene::put(self.path(), "swarms.ron.1", &self.older);
        }
        let (there, loaded) = self.load();

        let total = intact.len();
        for hash in self.hashes.iter().zip(intact).filter_map(|(hash, stands)| hash.filter(|_| *stands)) {
            assert_eq!(there.get(&hash), Some(&self.in_current[&hash]), "{hash:x?} stands in the file");
        }
        for (hash, torrent) in &there {
            let is_of_older = has_older && self.in_older.get(hash) == Some(torrent);
            assert!(
                is_of_older || self.in_current.get(hash) == Some(torrent),
                "{hash:x?} was never like that"
            );
        }
        let is_damaged = bad != self.current;
        if has_older && is_damaged {
            for hash in self.in_older.keys() {
                assert!(there.contains_key(hash), "{hash:x?} is in the older one");
            }
        }

        let copies = scene::take_copies(self.path());
        if is_damaged {
            assert_eq!((loaded.damage.len(), copies.len()), (1, 1));
            assert_eq!(loaded.damage[0].file, "swarms.ron");
            let DamageKind::Corrupt { lost, kept, aside, is_ended, .. } = &loaded.damage[0].kind else {
                panic!("{}", loaded.damage[0]);
            };
            assert_eq!(&copies[aside.as_ref().unwrap()], bad, "the copy is what was found");
            assert!(*is_ended || !intact[total - 1]);
            assert!(*kept as usize >= intact.iter().filter(|stands| **stands).count());
            assert!(!*is_ended || (lost + kept) as usize == total, "{lost} lost, {kept} kept of {total}");
        } else {
            assert_eq!((loaded.damage.len(), copies.len(), loaded.from_older), (0, 0, 0));
        }
        assert_eq!(loaded.time, Some(TIME));
        let known = if intact[0] { COMPLETED } else { COMPLETED - 100 };
        assert!(loaded.completed >= known || !intact[0] && !has_older, "{}", loaded.completed);

        if is_saved_too {
            self.save_and_load_again(bad, has_older, &there);
        }
    }

    fn save_and_load_again(&mut self, bad: &[u8], has_older: bool, there: &Torrents) {
        let tracker = scene::tracker();
        self.store.load_swarms(&tracker, CLOCK, TIME + LATER).unwrap();
        self.store.save_swarms(&tracker, TIME + LATER, COMPLETED, || CLOCK, || true).unwrap();
        let older = fs::read(self.path().join("swarms.ron.1")).ok();
        let expected =
            if bad == self.current { Some(&self.current) } else { has_older.then_some(&self.older) };
        assert_eq!(older.as_ref(), expected, "a damaged file never becomes the older one");
        assert_eq!(
            scene::take_copies(self.path()).len(),
            usize::from(bad != self.current),
            "one copy, not two"
        );

        let tracker = scene::tracker();
        let loaded = self.store.load_swarms(&tracker, CLOCK, TIME + LATER).unwrap();
        assert_eq!((loaded.damage.len(), loaded.from_older, loaded.completed), (0, 0, COMPLETED));
        assert!(held(&tracker) == *there, "mended for good");
    }
}

fn cut_everywhere(has_older: bool) {
    let mut scene = Scene::new();
    let current = scene.current.clone();
    // a line stands from its last byte on, its line end left out
    let ends: Vec<_> = (0..current.len()).filter(|at| current[*at] == b'\n').collect();
    for at in 0..=current.len() {
        // within a line both are tried in turn, for a quick test of what is not optimised; around its end both are
        let is_near_end = ends.iter().any(|end| at.abs_diff(*end) <= 1);
        if cfg!(debug_assertions) && !is_near_end && (at % 2 == 0) != has_older {
            continue;
        }
        let _case = Case("a cut snapshot", at as u64);
        // what is written after is the same within a line
        let is_saved_too = at % 97 < 2 || at == current.len();
        let intact: Vec<_> = ends.iter().map(|end| *end <= at).collect();
        scene.check(&current[..at], &intact, has_older, is_saved_too);
    }
}

#[test]
fn a_snapshot_survives_a_cut_at_any_byte_with_the_one_before_it() {
    cut_everywhere(true);
}

#[test]
fn a_snapshot_survives_a_cut_at_any_byte_alone() {
    cut_everywhere(false);
}

#[test]
fn a_snapshot_survives_thousands_of_harms() {
    let mut scene = Scene::new();
    let current = scene.current.clone();
    for seed in 0..2000 {
        let _case = Case("a snapshot", seed);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let bad = scene::harm(&current, &mut rng);
        let intact = intact(&current, &bad);
        scene.check(&bad, &intact, seed % 3 != 0, seed % 5 == 0);
    }
}
