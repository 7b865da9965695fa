//! How much memory is promised for so many peers in torrents of such sizes.
//!
//! docs/performance.md has figures for swarms of one size. What lies between is put together from what they consist of.

use std::ops::Range;

/// A torrent, its first two peers among it: 82 bytes where there is one, which is what a million of them take.
const TORRENT: f64 = 82.0;
/// Peers that a torrent has in place.
const IN_PLACE: u32 = 2;
/// A peer in an array: 8 bytes, and up to a fifth more for room to grow. At 20 a torrent that makes 12 to 14 in all.
const IN_ARRAY: Range<f64> = 8.0..9.9;
/// A peer's place in an index: 5 bytes a place, of which between a half and seven eighths are taken.
const IN_INDEX: Range<f64> = 5.7..10.0;
const INDEXED_FROM: u32 = 192;
/// A peer's id: 20 bytes, with room to grow; and what a torrent needs to have some.
const ID: Range<f64> = 20.0..25.0;
const IDS_OF_TORRENT: Range<f64> = 48.0..80.0;

/// From so many bytes to so many.
pub(crate) fn bytes(sizes: &[u32], keeps_ids: bool) -> Range<f64> {
    let mut sum = 0.0..0.0;
    for &size in sizes.iter().filter(|&&size| size > 0) {
        let mut add = |each: Range<f64>, count: u32| {
            sum.start += each.start * f64::from(count);
            sum.end += each.end * f64::from(count);
        };
        add(TORRENT..TORRENT, 1);
        add(IN_ARRAY, if size > IN_PLACE { size } else { 0 });
        add(IN_INDEX, if size >= INDEXED_FROM { size } else { 0 });
        add(IDS_OF_TORRENT, u32::from(keeps_ids));
        add(ID, if keeps_ids { size } else { 0 });
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_swarms_of_one_size_it_is_what_the_documents_say() {
        let of = |size: u32, keeps_ids| {
            let all = bytes(&[size; 100], keeps_ids);
            all.start / 100.0 / f64::from(size)..all.end / 100.0 / f64::from(size)
        };
        assert!(of(20, false).contains(&12.1) && of(20, false).end <= 14.1, "{:?}", of(20, false));
        assert!(of(20, true).contains(&38.8), "{:?}", of(20, true));
        assert!((81.0..83.0).contains(&of(1, false).start));
    }
}
