//! A part of an index: a small set of positions, searched from its beginning to its end, a byte of each one's hash first.
//!
//! So it needs no places that are free, as a hash table does, and takes little more than five bytes a position.

use crate::dense::room_for;

/// Entries of a group.
const WIDTH: usize = 8;

/// Every byte's lowest bit.
const ONES: u64 = 0x0101_0101_0101_0101;

/// Some entries: a byte of each one's hash, 0 where there is none, and its position. Aligned to nothing, since some allocators
/// ask for more bytes where they have to align, so that an array that fills a size of theirs gets the next one.
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    tags: [u8; WIDTH],
    at: [[u8; 4]; WIDTH],
}

impl Group {
    /// The highest bit of the byte of each entry with this tag: of the first one exactly, of one behind it perhaps also where
    /// the tag is the one next to it. So a tag of 1 would not be told from none, and there is no such tag.
    #[inline(always)]
    fn having(&self, tag: u8) -> u64 {
        let differing = u64::from_le_bytes(self.tags) ^ (u64::from(tag) * ONES);
        differing.wrapping_sub(ONES) & !differing & (ONES << 7)
    }

    fn len(&self) -> usize {
        self.having(0).trailing_zeros() as usize / 8
    }
}

/// The entries of some of the hashes, in no order. Invariant: all groups but the last are full, and the last is not empty.
#[derive(Debug, Default)]
pub(crate) struct Part(Vec<Group>);

/// Where an entry of a part is: the group, and the place in it.
pub(crate) type Place = (usize, usize);

impl Part {
    pub(crate) fn with_capacity(entries: usize) -> Self {
        Part(Vec::with_capacity(room_for(entries.div_ceil(WIDTH), size_of::<Group>())))
    }

    /// The position with this hash that `is_it`.
    #[inline(always)]
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let tag = tag(hash);
        for group in &self.0 {
            let mut having = group.having(tag);
            while having != 0 {
                let at = u32::from_ne_bytes(group.at[having.trailing_zeros() as usize / 8 % WIDTH]);
                if is_it(at) {
                    return Some(at);
                }
                having &= having - 1;
            }
        }
        None
    }

    /// Where the position `at` is.
    #[inline]
    pub(crate) fn place(&self, hash: u64, at: u32) -> Option<Place> {
        let tag = tag(hash);
        for (number, group) in self.0.iter().enumerate() {
            let mut having = group.having(tag);
            while having != 0 {
                let place = having.trailing_zeros() as usize / 8 % WIDTH;
                if group.at[place] == at.to_ne_bytes() {
                    return Some((number, place));
                }
                having &= having - 1;
            }
        }
        None
    }

    pub(crate) fn push(&mut self, hash: u64, at: u32) {
        if let Some(last) = self.0.last_mut()
            && last.tags[WIDTH - 1] == 0
        {
            let place = last.len();
            (last.tags[place], last.at[place]) = (tag(hash), at.to_ne_bytes());
            return;
        }
        let groups = self.0.len();
        if groups == self.0.capacity() {
            self.0.reserve_exact(room_for(groups + 1 + groups / 2, size_of::<Group>()) - groups);
        }
        let mut group = Group::default();
        (group.tags[0], group.at[0]) = (tag(hash), at.to_ne_bytes());
        self.0.push(group);
    }

    /// Takes out the position `at`; false where it is not in. The last entry takes its place.
    pub(crate) fn remove(&mut self, hash: u64, at: u32) -> bool {
        let Some((number, place)) = self.place(hash, at) else { return false };
        let Some(&last) = self.0.last() else { return false };
        let len = last.len();
        let group = &mut self.0[number];
        (group.tags[place], group.at[place]) = (last.tags[len - 1], last.at[len - 1]);
        if len == 1 {
            self.0.pop();
            // seldom, so that few removals copy
            if self.0.len() * 4 <= self.0.capacity() {
                self.0.shrink_to(room_for(self.0.len() + 1, size_of::<Group>()));
            }
        } else if let Some(last) = self.0.last_mut() {
            last.tags[len - 1] = 0;
        }
        true
    }

    /// Puts `at` in the place of the position that is there.
    pub(crate) fn set(&mut self, (number, place): Place, at: u32) {
        self.0[number].at[place] = at.to_ne_bytes();
    }

    pub(crate) fn len(&self) -> usize {
        self.0.last().map_or(0, |last| (self.0.len() - 1) * WIDTH + last.len())
    }

    /// How many entries there is memory for.
    #[cfg(test)]
    pub(crate) fn room(&self) -> usize {
        self.0.capacity() * WIDTH
    }

    pub(crate) fn positions(&self) -> impl Iterator<Item = u32> {
        self.0.iter().flat_map(|group| group.at.into_iter().take(group.len()).map(u32::from_ne_bytes))
    }
}

/// Of the bits that pick neither a shard nor a part.
#[inline(always)]
fn tag(hash: u64) -> u8 {
    ((hash >> 56) as u8).max(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Few different tags, so that most of them are shared; one of them is 0, which is no tag.
    fn hash(at: u32) -> u64 {
        u64::from(at % 5) << 56
    }

    #[test]
    fn is_dense_whatever_comes_and_goes() {
        let mut part = Part::default();
        let mut expected = Vec::new();
        for n in 0..100 {
            part.push(hash(n), n);
            expected.push(n);
            if n % 3 == 0 {
                let at = expected.swap_remove(n as usize / 2);
                assert!(part.remove(hash(at), at));
            }
            assert!(part.positions().eq(expected.iter().copied()), "{n}");
            assert_eq!(part.len(), expected.len());
        }
        for n in 0..100 {
            let found = part.find(hash(n), |at| at == n);
            assert_eq!(found, expected.contains(&n).then_some(n));
            assert_eq!(part.remove(hash(n), n), found.is_some());
            assert!(part.0.capacity() <= 4 * part.0.len() + 4, "memory is given back");
        }
        assert!(part.find(0, |_| true).is_none() && part.len() == 0);
    }

    #[test]
    fn no_tag_finds_a_free_place() {
        for free in 0..WIDTH {
            for tag in 2..=255 {
                let mut group = Group { tags: [tag; WIDTH], at: [[0; 4]; WIDTH] };
                group.tags[free..].fill(0);
                assert_eq!((group.having(tag).count_ones() as usize, group.len()), (free, free));
            }
        }
    }
}
