//! Dense arrays that grow without a copy of what is in them: a first array, and blocks behind it when it is full.

use std::ops::Range;

/// Entries of a first array at the most, and of a block: to copy so many is nothing that anybody would notice.
pub(crate) const BLOCK: usize = 4096;

/// The blocks behind a first array of [`BLOCK`] entries. Invariant: all but the last are full, and the last is not empty.
#[derive(Debug)]
pub(crate) struct Blocks<T>(Vec<Vec<T>>);

impl<T> Default for Blocks<T> {
    fn default() -> Self {
        Blocks(Vec::new())
    }
}

impl<T> Blocks<T> {
    pub(crate) fn len(&self) -> usize {
        self.0.last().map_or(0, |last| (self.0.len() - 1) * BLOCK + last.len())
    }

    /// The entry at `at`, counted from the beginning of the first array.
    pub(crate) fn get_mut(&mut self, at: usize) -> &mut T {
        &mut self.0[at / BLOCK - 1][at % BLOCK]
    }

    pub(crate) fn push(&mut self, entry: T) {
        match self.0.last_mut() {
            Some(block) if block.len() < BLOCK => block.push(entry),
            _ => {
                let mut block = Vec::with_capacity(BLOCK);
                block.push(entry);
                self.0.push(block);
            }
        }
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        let block = self.0.last_mut()?;
        let entry = block.pop();
        if block.is_empty() {
            self.0.pop();
        }
        entry
    }
}

/// All entries, those of the first array and those behind.
#[derive(Debug)]
pub(crate) struct Dense<'a, T> {
    first: &'a [T],
    rest: &'a [Vec<T>],
}

impl<T> Clone for Dense<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Dense<'_, T> {}

impl<'a, T> Dense<'a, T> {
    #[inline]
    pub(crate) fn new(first: &'a [T], rest: Option<&'a Blocks<T>>) -> Self {
        Dense { first, rest: rest.map_or(&[], |blocks| &blocks.0) }
    }

    /// The same first array, and what is behind it.
    pub(crate) fn with(self, rest: &'a Blocks<T>) -> Self {
        Dense { rest: &rest.0, ..self }
    }

    /// The whole in one piece, if there is nothing behind the first array.
    #[inline]
    pub(crate) fn as_slice(&self) -> Option<&'a [T]> {
        self.rest.is_empty().then_some(self.first)
    }

    pub(crate) fn len(&self) -> usize {
        let rest = self.rest.last().map_or(0, |last| (self.rest.len() - 1) * BLOCK + last.len());
        self.first.len() + rest
    }

    #[inline(always)]
    pub(crate) fn get(&self, at: usize) -> &'a T {
        if at < BLOCK { &self.first[at] } else { &self.rest[at / BLOCK - 1][at % BLOCK] }
    }

    /// The entries in `range`, a slice after the other; `range` must lie within what there is.
    pub(crate) fn slices(
        &self,
        range: Range<usize>,
    ) -> impl DoubleEndedIterator<Item = &'a [T]> + use<'a, T> {
        let Dense { first, rest } = *self;
        let blocks = if range.is_empty() { 0..0 } else { range.start / BLOCK..(range.end - 1) / BLOCK + 1 };
        blocks.map(move |number| {
            let block = if number == 0 { first } else { &rest[number - 1] };
            let begin = number * BLOCK;
            &block[range.start.saturating_sub(begin)..(range.end - begin).min(BLOCK)]
        })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &'a T> + use<'a, T> {
        self.slices(0..self.len()).flatten()
    }
}

/// How many entries of `size` bytes the array is to have room for that has to have room for `count`: as many as fit into
/// the memory that it takes anyway. Allocators that waste little have four sizes between a power of two and the next.
pub(crate) fn room_for(count: usize, size: usize) -> usize {
    let words = (count * size).div_ceil(8).max(2);
    let step = (1 << words.ilog2()) / 4;
    let step = step.max(2);
    words.div_ceil(step) * step * 8 / size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_one_array() {
        let first: Vec<usize> = (0..BLOCK).collect();
        let mut blocks = Blocks::default();
        let len = 3 * BLOCK + 17;
        for n in BLOCK..len {
            blocks.push(n);
            assert_eq!(blocks.len(), n + 1 - BLOCK);
        }
        let dense = Dense::new(&first, Some(&blocks));
        assert_eq!(dense.len(), len);
        assert!(dense.iter().copied().eq(0..len));
        assert!((0..len).all(|at| *dense.get(at) == at));
        for range in
            [0..0, 5..5, 0..BLOCK, 7..9, 4000..5000, BLOCK..BLOCK + 1, 100..len, len - 1..len, len..len]
        {
            assert!(dense.slices(range.clone()).flatten().copied().eq(range.clone()), "{range:?}");
        }
        for n in (BLOCK..len).rev() {
            *blocks.get_mut(n) += 1;
            assert_eq!(blocks.pop(), Some(n + 1));
        }
        assert!(blocks.pop().is_none() && blocks.0.is_empty());
    }

    #[test]
    fn room_fills_what_allocators_give() {
        let rooms = |size| {
            let mut rooms: Vec<usize> = (1..100).map(|count| room_for(count, size)).collect();
            rooms.dedup();
            rooms
        };
        assert_eq!(rooms(8)[..12], [2, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32]);
        assert_eq!(rooms(20)[..8], [1, 2, 3, 4, 5, 6, 8, 9]);
        for (count, size) in (1..5000).flat_map(|count| [8, 20].map(|size| (count, size))) {
            let room = room_for(count, size);
            assert!(room >= count && room <= count + count / 4 + 1, "{count} of {size}: {room}");
        }
    }
}
