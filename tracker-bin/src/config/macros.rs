//! How the sections and choices are declared.

use super::source::Fault;

/// What every section can do.
pub(super) trait Section {
    /// What the section is for.
    fn docs(&self) -> &'static [&'static str];
    /// The keys in their order.
    fn keys(&self) -> &'static [&'static str];
    /// Takes the text of a key's value; nothing happens when there is no such key.
    fn set<'a>(&mut self, key: &str, raw: &'a str) -> Result<(), Fault<'a>>;
    /// The keys with their documentation and values, in their order.
    fn entries(&self) -> Vec<Entry>;
}

/// A key, to be printed.
pub(super) struct Entry {
    pub(super) key: &'static str,
    /// Line by line, each with the blank that it has in the source.
    pub(super) docs: &'static [&'static str],
    /// As RON.
    pub(super) value: String,
}

/// Declares a section: its keys with their documentation, types and defaults.
macro_rules! section {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident {
            $($(#[doc = $key_doc:literal])* $key:ident: $type:ty = $default:expr,)*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            $($(#[doc = $key_doc])* pub $key: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                $name { $($key: $default,)* }
            }
        }

        impl Section for $name {
            fn docs(&self) -> &'static [&'static str] {
                &[$($doc),*]
            }

            fn keys(&self) -> &'static [&'static str] {
                &[$(stringify!($key)),*]
            }

            fn set<'a>(&mut self, key: &str, raw: &'a str) -> Result<(), Fault<'a>> {
                match key {
                    $(stringify!($key) => self.$key = Value::read(raw)?,)*
                    _ => {}
                }
                Ok(())
            }

            fn entries(&self) -> Vec<Entry> {
                vec![$(Entry {
                    key: stringify!($key),
                    docs: &[$($key_doc),*],
                    value: Value::write(&self.$key),
                }),*]
            }
        }
    };
}

/// Declares a choice between names: `choice!(Name: First => "First", …)`. The names are read as they are written
/// here, with their quotes if they have any.
macro_rules! choice {
    (
        $(#[doc = $doc:literal])*
        pub enum $name:ident {
            $($(#[doc = $variant_doc:literal])* $variant:ident = $text:literal,)*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[doc = $variant_doc])* $variant,)*
        }

        impl Value for $name {
            fn read(raw: &str) -> Result<Self, Fault<'_>> {
                match raw {
                    $($text => Ok($name::$variant),)*
                    _ => Err(Fault::expected(raw, one_of(&[$($text),*]))),
                }
            }

            fn write(&self) -> String {
                match self {
                    $($name::$variant => $text.to_owned(),)*
                }
            }
        }
    };
}

pub(super) use {choice, section};

/// `A, B or C`.
pub(super) fn one_of(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
