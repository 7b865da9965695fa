//! Looking at sixteen bytes at once.
//!
//! Names and values in requests are short and of ever changing length: a loop that goes byte by byte spends most of
//! its time on branches that were predicted wrongly.

pub(crate) use wide::u8x16 as Block;

/// How many bytes a block has.
pub(crate) const LANES: usize = 16;

/// The lanes whose byte is that one: all bits set there, and none elsewhere, as in all that follow.
#[inline(always)]
pub(crate) fn equal(block: Block, byte: u8) -> Block {
    block.simd_eq(Block::splat(byte))
}

/// The lanes whose byte is at most that.
#[inline(always)]
pub(crate) fn at_most(block: Block, byte: u8) -> Block {
    block.min(Block::splat(byte)).simd_eq(block)
}

/// Where the first byte is that passes a test; [`LANES`] if none does. Without a branch.
#[inline(always)]
pub(crate) fn first(block: &[u8; LANES], test: impl Fn(Block) -> Block) -> usize {
    (test(Block::new(*block)).to_bitmask() | 1 << LANES).trailing_zeros() as usize
}

/// Where in any number of bytes the first is that passes a test.
#[inline(always)]
pub(crate) fn find(bytes: &[u8], test: impl Fn(Block) -> Block) -> Option<usize> {
    let mut at = 0;
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        match first(block, &test) {
            LANES => at += LANES,
            found => return Some(at + found),
        }
    }
    let rest = &bytes[at..];
    let mut block = [0; LANES];
    block[..rest.len()].copy_from_slice(rest);
    let found = first(&block, test);
    (found < rest.len()).then_some(at + found)
}

/// Whether any byte passes a test. Looks at all of them, whatever it finds.
#[inline(always)]
pub(crate) fn any(bytes: &[u8], test: impl Fn(Block) -> Block) -> bool {
    let Some(last) = bytes.last_chunk::<LANES>() else { return find(bytes, test).is_some() };
    // the last block overlaps its neighbour, which costs less than going byte by byte
    let mut found = test(Block::new(*last));
    for block in bytes.as_chunks::<LANES>().0 {
        found |= test(Block::new(*block));
    }
    found.any()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{LANES, any, at_most, equal, find, first};

    #[test]
    fn bytes_are_judged_exactly_and_apart() {
        for limit in 0..=255 {
            for byte in 0..=255 {
                for at in 0..LANES {
                    let mut block = [limit ^ 0x55; LANES];
                    block[at] = byte;
                    let expect =
                        |test: &dyn Fn(u8) -> bool| block.iter().position(|&b| test(b)).unwrap_or(LANES);
                    assert_eq!(first(&block, |b| equal(b, limit)), expect(&|b| b == limit));
                    assert_eq!(first(&block, |b| at_most(b, limit)), expect(&|b| b <= limit));
                    assert_eq!(first(&block, |b| !at_most(b, limit)), expect(&|b| b > limit));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn the_first_is_found(bytes in proptest::collection::vec(0..40_u8, 0..80), byte in 0..40_u8) {
            let found = bytes.iter().position(|&b| b == byte);
            prop_assert_eq!(find(&bytes, |block| equal(block, byte)), found);
            prop_assert_eq!(any(&bytes, |block| equal(block, byte)), found.is_some());
        }
    }
}
