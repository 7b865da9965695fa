//! The operations that are counted. Nothing in them is left to chance: seeds, keys and times are constants.

mod answers;
mod connections;
mod requests;
mod swarms;

use crate::surroundings;

/// How often each is carried out, so that what is left to a draw evens out. (Where a row is about a crowd of its own, that
/// many are enough too.)
pub(crate) const OPERATIONS: usize = 1000;

/// Takes rows, and does with them whatever it is made for.
pub(crate) trait Rows {
    /// A row whose operation can be carried out again and again; its argument counts up to [`OPERATIONS`].
    fn row(&mut self, name: &str, operation: impl FnMut(usize));

    /// A row whose operations leave traces: each is carried out once.
    fn once(&mut self, name: &str, operation: impl FnMut(usize));
}

/// All rows, in the order of a request's way.
pub(crate) fn all(rows: &mut impl Rows) {
    requests::rows(rows);
    swarms::rows(rows);
    answers::rows(rows);
    connections::rows(rows);
}

/// Carries out all rows, and writes to the standard output what the processor is, and then a line for each call of
/// [`counted_by_callgrind`]: how many operations there were, and the row's name.
pub(crate) fn announce_themselves() {
    println!("{}", surroundings::processor());
    all(&mut Counted);
}

struct Counted;

impl Rows for Counted {
    fn row(&mut self, name: &str, mut operation: impl FnMut(usize)) {
        // buffers get their size
        (0..OPERATIONS).for_each(&mut operation);
        self.once(name, operation);
    }

    fn once(&mut self, name: &str, mut operation: impl FnMut(usize)) {
        println!("{OPERATIONS} {name}");
        counted_by_callgrind(&mut operation);
    }
}

/// Callgrind knows it by its name: it counts from its beginning to its end, and then writes a file.
#[inline(never)]
fn counted_by_callgrind(operation: &mut dyn FnMut(usize)) {
    for n in 0..OPERATIONS {
        operation(n);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[derive(Default)]
    struct Names(HashSet<String>);

    impl Rows for Names {
        fn row(&mut self, name: &str, mut operation: impl FnMut(usize)) {
            (0..OPERATIONS).for_each(&mut operation);
            self.once(name, operation);
        }

        fn once(&mut self, name: &str, operation: impl FnMut(usize)) {
            assert!(!name.contains(": ") && name.trim() == name, "{name} can't be a line of the record");
            assert!(self.0.insert(name.to_owned()), "{name} is there twice");
            (0..OPERATIONS).for_each(operation);
        }
    }

    /// The operations look at what comes out of them.
    #[test]
    fn every_row_does_what_it_is_for_and_has_a_name_of_its_own() {
        let mut names = Names::default();
        all(&mut names);
        assert!(names.0.len() > 30, "{names:?}", names = names.0);
    }
}
