//! Inputs made of others: a simple stand-in for what libFuzzer does, the same on every machine for a seed.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// No input is made longer than so many bytes.
const LONGEST: usize = 4 << 10;

/// Makes inputs of a corpus and a dictionary.
#[derive(Debug)]
pub struct Mutator<'c> {
    corpus: &'c [Vec<u8>],
    words: &'c [Vec<u8>],
    rng: Xoshiro256PlusPlus,
}

impl<'c> Mutator<'c> {
    /// A mutator that draws from `seed`.
    pub fn new(corpus: &'c [Vec<u8>], words: &'c [Vec<u8>], seed: u64) -> Self {
        Mutator { corpus, words, rng: Xoshiro256PlusPlus::seed_from_u64(seed) }
    }

    /// The next input: one of the corpus, changed once or some times.
    pub fn next_input(&mut self) -> Vec<u8> {
        let mut bytes = self.any().to_vec();
        for _ in 0..1 << self.below(4) {
            self.change(&mut bytes);
        }
        bytes.truncate(LONGEST);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let (from, to) = self.range(bytes.len());
        match self.below(9) {
            0 if from < bytes.len() => bytes[from] ^= 1 << self.below(8),
            1 if from < bytes.len() => bytes[from] = self.rng.next_u64() as u8,
            2 => bytes.insert(from, self.rng.next_u64() as u8),
            3 => drop(bytes.drain(from..to)),
            4 => {
                let copy = bytes[from..to].to_vec();
                let at = self.below(bytes.len() + 1);
                bytes.splice(at..at, copy);
            }
            // the beginning of one, the end of another
            5 => {
                let other = self.any();
                let (_, at) = self.range(other.len());
                bytes.truncate(from);
                bytes.extend_from_slice(&other[at..]);
            }
            6 if !self.words.is_empty() => {
                let word = &self.words[self.below(self.words.len())];
                bytes.splice(from..from, word.iter().copied());
            }
            7 if !self.words.is_empty() => {
                let word = &self.words[self.below(self.words.len())];
                let end = bytes.len().min(from + word.len());
                bytes.splice(from..end, word.iter().copied());
            }
            _ => bytes.truncate(to),
        }
    }

    fn any(&mut self) -> &'c [u8] {
        match self.corpus.len() {
            0 => &[],
            inputs => &self.corpus[self.below(inputs)],
        }
    }

    /// Two places in order, mostly near to each other.
    fn range(&mut self, length: usize) -> (usize, usize) {
        let from = self.below(length + 1);
        let longest = if self.below(8) == 0 { length - from } else { (length - from).min(16) };
        (from, from + self.below(longest + 1))
    }

    /// A number below `end`, which is not 0.
    fn below(&mut self, end: usize) -> usize {
        (self.rng.next_u64() % end as u64) as usize
    }
}

/// The words of a dictionary of libFuzzer's: lines of `"word"` or `name="word"`, with `\\`, `\"` and `\x00` in them, and
/// comments that begin with `#`.
///
/// # Errors
/// The line that is something else.
pub fn words(dictionary: &str) -> Result<Vec<Vec<u8>>, String> {
    let lines = dictionary.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| word(line).ok_or_else(|| format!("{line} is no word"))).collect()
}

fn word(line: &str) -> Option<Vec<u8>> {
    let (_, quoted) = line.split_once('"')?;
    let mut rest = quoted.strip_suffix('"')?.bytes();
    let mut word = Vec::new();
    while let Some(byte) = rest.next() {
        word.push(match byte {
            b'"' => return None,
            b'\\' => match rest.next()? {
                b'x' => {
                    let digits = [rest.next()?, rest.next()?];
                    u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
                }
                escaped => escaped,
            },
            _ => byte,
        });
    }
    Some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_sequence_of_inputs() {
        let corpus = [b"one input".to_vec(), b"another".to_vec()];
        let inputs = |seed| {
            let mut mutator = Mutator::new(&corpus, &[], seed);
            (0..100).map(|_| mutator.next_input()).collect::<Vec<_>>()
        };
        assert_eq!(inputs(1), inputs(1));
        assert_ne!(inputs(1), inputs(2));
        let mut distinct = inputs(1);
        distinct.sort();
        distinct.dedup();
        assert!(distinct.len() > 60, "{}", distinct.len());
    }

    #[test]
    fn nothing_makes_something_and_nothing_gets_too_long() {
        let words = [vec![b'w'; LONGEST]];
        let mut mutator = Mutator::new(&[], &words, 1);
        let inputs: Vec<_> = (0..1000).map(|_| mutator.next_input()).collect();
        assert!(inputs.iter().any(|input| input.len() == LONGEST));
        assert!(inputs.iter().all(|input| input.len() <= LONGEST));
    }

    #[test]
    fn dictionaries_are_those_of_libfuzzer() {
        let text = "# words\n\nhost=\"Host: \"\n\"\\x0d\\x0A\"\n\"a\\\\\\\"#\"";
        assert_eq!(words(text).unwrap(), [&b"Host: "[..], b"\r\n", b"a\\\"#"]);
        for bad in ["host", "\"", "\"\\x0\"", "\"a\"b\""] {
            assert!(words(bad).is_err(), "{bad}");
        }
    }
}
