//! What was meant by a name that does not exist.

/// The known name that is nearest to `name`, if one is near.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |candidate: &&str| edits(&name.to_lowercase(), candidate);
    let near = known.iter().copied().map(|candidate| (distance(&candidate), candidate)).min()?;
    // a third of the letters may be wrong
    (near.0 * 3 <= near.1.len().max(3)).then_some(near.1)
}

/// How many letters are to be added, left out or replaced to make `a` into `b` (Levenshtein).
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_if_one_is_near() {
        let known = ["interval", "min_interval", "max_numwant", "tls"];
        assert_eq!(nearest("intervall", &known), Some("interval"));
        assert_eq!(nearest("max-numwant", &known), Some("max_numwant"));
        assert_eq!(nearest("TLS", &known), Some("tls"));
        assert_eq!(nearest("colour", &known), None);
        assert_eq!(nearest("x", &[]), None);
    }

    #[test]
    fn edits_are_counted() {
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("abc", ""), 3);
        assert_eq!(edits("é", "e"), 1);
    }
}
