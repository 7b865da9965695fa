//! Requests that were written before the clock started, one behind the other.

use std::ops::Range;

/// The requests of one source address, sent in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ring {
    bytes: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
    next: usize,
    /// Whether the first one comes after the last one.
    pub(crate) repeats: bool,
}

impl Ring {
    /// Adds what `write` appends as a request.
    pub(crate) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    /// Takes the next requests, `most` at most: where they lie, and how many they are. Several lie side by side, so that
    /// one write sends them all.
    #[inline]
    pub(crate) fn take(&mut self, most: usize) -> (Range<usize>, usize) {
        if self.next == self.ends.len() && self.repeats {
            self.next = 0;
        }
        let count = most.min(self.ends.len() - self.next);
        if count == 0 {
            return (0..0, 0);
        }
        let start = if self.next == 0 { 0 } else { self.ends[self.next - 1] };
        self.next += count;
        (start..self.ends[self.next - 1], count)
    }

    /// The bytes of a range that was taken.
    #[inline]
    pub(crate) fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.bytes[range]
    }

    #[cfg(test)]
    pub(crate) fn requests(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.bytes[start..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_come_in_order_and_again() {
        let mut ring = Ring { repeats: true, ..Ring::default() };
        for word in ["a", "bb", "ccc"] {
            ring.push(|out| out.extend_from_slice(word.as_bytes()));
        }
        let mut take = |most| {
            let (range, count) = ring.take(most);
            (String::from_utf8(ring.bytes(range).to_vec()).unwrap(), count)
        };
        assert_eq!(take(2), ("abb".to_owned(), 2));
        assert_eq!(take(2), ("ccc".to_owned(), 1));
        assert_eq!(take(8), ("abbccc".to_owned(), 3));
        ring.repeats = false;
        assert_eq!(ring.take(1), (0..0, 0));
        assert_eq!(Ring { repeats: true, ..Ring::default() }.take(3), (0..0, 0));
    }
}
