//! The text of a configuration taken apart into keys and the text of their values, with `ron` doing the reading, so
//! that whatever is wrong with a value can be said with its place and as it was written.

use std::fmt;

use ron::extensions::Extensions;
use ron::value::RawValue;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// What is wrong with a part of the text.
#[derive(Debug)]
pub(crate) struct Fault<'a> {
    /// The part, a slice of the text that was read.
    pub(crate) at: &'a str,
    /// Below which key, as in `swarm.interval`.
    pub(crate) key: String,
    /// What is wrong.
    pub(crate) why: Why,
}

/// What is wrong with a value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It is not even of the type: what is expected instead.
    Expected(String),
    /// It cannot be used: a sentence's end such as `is zero`.
    Value(String),
}

impl<'a> Fault<'a> {
    /// The text is not of the type.
    pub(crate) fn expected(at: &'a str, what: impl Into<String>) -> Fault<'a> {
        Fault { at, key: String::new(), why: Why::Expected(what.into()) }
    }

    /// The text cannot be used.
    pub(crate) fn value(at: &'a str, complaint: impl Into<String>) -> Fault<'a> {
        Fault { at, key: String::new(), why: Why::Value(complaint.into()) }
    }

    /// The same fault, seen from one level further out.
    pub(crate) fn below(mut self, key: &str) -> Fault<'a> {
        self.key = if self.key.is_empty() { key.to_owned() } else { format!("{key}.{}", self.key) };
        self
    }

    /// The sentence without its place: the text as it was written, and what is wrong with it.
    pub(crate) fn problem(&self) -> String {
        let found = quote(self.at);
        match &self.why {
            Why::Expected(what) => format!("expected {what}, found {found}"),
            Why::Value(complaint) => format!("{found} {complaint}"),
        }
    }
}

/// The text on one line, cut after 80 bytes.
pub(crate) fn quote(text: &str) -> String {
    let line = one_line(text, 80);
    if line.is_empty() { "nothing".to_owned() } else { line }
}

/// The text on one line, without control characters, cut after so many bytes.
pub(crate) fn one_line(text: &str, longest: usize) -> String {
    let mut line = String::new();
    for char in text.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        if line.len() > longest {
            line.push_str("...");
            break;
        }
        if char.is_control() { line.extend(char.escape_default()) } else { line.push(char) }
    }
    line
}

/// `(key: value, …)`, in the order of the text.
#[derive(Debug)]
pub(crate) struct Entries<'a>(pub(crate) Vec<(&'a str, &'a str)>);

/// RON as it is written here: `"15m"` is read where `Some("15m")` is meant.
pub(crate) fn options() -> ron::Options {
    ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME)
}

/// Reads a value of a simple type. `None` if the text is of another.
pub(crate) fn parse<'a, T: Deserialize<'a>>(raw: &'a str) -> Option<T> {
    options().from_str(raw).ok()
}

/// The text of a value without the blanks and comments around it.
pub(crate) fn trimmed(raw: &RawValue) -> &str {
    raw.trim().get_ron()
}

/// The keys and values of a whole file. Everything in it is valid RON then, down to the last value.
pub(crate) fn read_file(text: &str) -> Result<Entries<'_>, ron::error::SpannedError> {
    let mut ron = ron::Deserializer::from_str_with_options(text, &options())?;
    if !Extensions::IMPLICIT_SOME.contains(ron.extensions()) {
        // the others change how a value is to be read that is taken out of its file
        let problem = "no extension but implicit_some can be enabled".to_owned();
        return Err(ron.span_error(ron::Error::Message(problem)));
    }
    let entries = Entries::deserialize(&mut ron).map_err(|error| ron.span_error(error))?;
    ron.end().map_err(|error| ron.span_error(error))?;
    Ok(entries)
}

/// The keys and values of a section. `None` if the value is something else.
pub(crate) fn read_section(raw: &str) -> Option<Entries<'_>> {
    match parse::<()>(raw) {
        Some(()) => Some(Entries(Vec::new())),
        None => parse(raw),
    }
}

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // the name is never seen: with none, ron reads any `(key: value)`
        deserializer.deserialize_struct("", &[], EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("keys and values in parentheses")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            entries.push((key, trimmed(map.next_value::<&RawValue>()?)));
        }
        Ok(Entries(entries))
    }
}

struct Key<'a>(&'a str);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
                Ok(Key(key))
            }
        }
        deserializer.deserialize_identifier(KeyVisitor)
    }
}

/// The line, from 1, on which `part` begins. `part` is a slice of `text`.
pub(crate) fn line_of(text: &str, part: &str) -> usize {
    let offset = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    let before = &text.as_bytes()[..offset.min(text.len())];
    before.iter().filter(|&&byte| byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_slices_of_the_text_without_comments() {
        let text = "// head (\n(\n  a /* x: */ : /* \" */ \"1 // )\" // tail\n  , b: (c: [1,\n 2] /* /* nested */ */), // \n d: r#\"\"(\"#\n // end\n)\n// foot";
        let entries = read_file(text).unwrap().0;
        let lines: Vec<_> = entries
            .iter()
            .map(|&(key, value)| (line_of(text, key), key, line_of(text, value), value))
            .collect();
        let expected = [
            (3, "a", 3, "\"1 // )\""),
            (4, "b", 4, "(c: [1,\n 2] /* /* nested */ */)"),
            (6, "d", 6, "r#\"\"(\"#"),
        ];
        assert_eq!(lines, expected);
        assert_eq!(read_section(entries[1].1).unwrap().0, [("c", "[1,\n 2]")]);
        assert!(read_section("()").unwrap().0.is_empty());
        assert!(read_section("( /* none */ )").unwrap().0.is_empty());
        assert!(read_section("5").is_none());
    }

    #[test]
    fn syntax_errors_have_the_files_position() {
        for (text, line) in
            [("", 1), ("(\n http: (\n  a: 1\n  b: 2))", 4), ("(a: \"x)\n", 1), ("(\n)\nx", 3), ("(a: )", 1)]
        {
            let error = read_file(text).unwrap_err();
            assert_eq!(error.span.end.line, line, "{text:?} {error}");
            assert!(!error.code.to_string().contains('\n'));
        }
        assert!(read_file("#![enable(implicit_some)]\n(a: 1)").is_ok());
        assert!(read_file("#![enable(unwrap_variant_newtypes)]\n(a: Some(b: 1))").is_err());
    }

    #[test]
    fn a_quote_is_one_short_line() {
        assert_eq!(quote("(a: 1,\n   b:\t2)"), "(a: 1, b: 2)");
        assert_eq!(quote("\u{1b}[2J"), "\\u{1b}[2J");
        assert_eq!(quote(""), "nothing");
        assert!(quote(&"x".repeat(1000)).len() < 100);
    }
}
