//! Requests as what they mean, and the many ways to write each of them down.

use std::fmt;

/// A request before it is written.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<Param>,
    pub(crate) version: String,
    pub(crate) fields: Vec<Field>,
    /// As it goes out.
    pub(crate) body: Vec<u8>,
}

#[derive(Clone)]
pub(crate) enum Param {
    /// A key, and the bytes that its value is for.
    Of(String, Vec<u8>),
    /// As it stands in the query.
    Raw(String),
}

impl fmt::Debug for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Param::Of(key, value) => write!(f, "{key} = {}", value.escape_ascii()),
            Param::Raw(text) => write!(f, "{text:?}"),
        }
    }
}

#[derive(Clone)]
pub(crate) enum Field {
    Of(String, String),
    /// A whole line, without its end.
    Raw(Vec<u8>),
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Field::Of(name, value) => write!(f, "{name}: {value}"),
            Field::Raw(line) => write!(f, "\"{}\"", line.escape_ascii()),
        }
    }
}

/// Decides how things are written that can be written in several ways: each byte decides one, and 0 is for what most clients do.
pub(crate) struct Taste<'t> {
    bytes: std::iter::Cycle<std::slice::Iter<'t, u8>>,
}

impl<'t> Taste<'t> {
    pub(crate) fn new(bytes: &'t [u8]) -> Self {
        Taste { bytes: bytes.iter().cycle() }
    }

    fn next(&mut self) -> u8 {
        self.bytes.next().copied().unwrap_or(0)
    }

    fn one_in(&mut self, count: u8) -> bool {
        self.next() % count == count - 1
    }

    fn choose<'c>(&mut self, choices: &[&'c str]) -> &'c str {
        choices[usize::from(self.next()) % choices.len()]
    }
}

impl Ask {
    pub(crate) fn write(&self, mut taste: Taste<'_>) -> Vec<u8> {
        let taste = &mut taste;
        let mut out = Vec::new();
        if taste.one_in(10) {
            out.extend(taste.choose(&["\r\n", "\n", "\r\n\r\n"]).bytes());
        }
        let query = query(&self.query, taste);
        let mut front = "";
        if self.path.starts_with('/') && taste.one_in(8) {
            front = taste.choose(&["http://t", "HTTP://tracker:6969", "https://[::1]:80"]);
        }
        let is_detached =
            front.is_empty() && self.path == "/announce" && !query.is_empty() && taste.one_in(8);
        out.extend(format!("{} {front}{}", self.method, self.path).bytes());
        if !query.is_empty() {
            out.extend(if is_detached { " ?" } else { "?" }.bytes());
            out.extend(query);
        }
        out.extend(format!(" {}", self.version).bytes());
        line_end(&mut out, taste);
        for field in &self.fields {
            match field {
                Field::Raw(line) => out.extend(line),
                Field::Of(name, value) => {
                    let name = match taste.next() % 4 {
                        0 | 1 => name.clone(),
                        2 => name.to_ascii_lowercase(),
                        _ => name.to_ascii_uppercase(),
                    };
                    let before = taste.choose(&[" ", " ", "", "\t", " \t  "]);
                    let behind = taste.choose(&["", "", " ", "\t "]);
                    out.extend(format!("{name}:{before}{value}{behind}").bytes());
                }
            }
            line_end(&mut out, taste);
        }
        line_end(&mut out, taste);
        out.extend(&self.body);
        out
    }
}

fn line_end(out: &mut Vec<u8>, taste: &mut Taste<'_>) {
    out.extend(if taste.one_in(4) { "\n" } else { "\r\n" }.bytes());
}

fn query(params: &[Param], taste: &mut Taste<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    for (at, param) in params.iter().enumerate() {
        if at > 0 {
            out.extend(if taste.one_in(12) { "&&" } else { "&" }.bytes());
        }
        match param {
            Param::Raw(text) => out.extend(text.bytes()),
            Param::Of(key, value) => {
                out.extend(key.bytes());
                out.push(b'=');
                value.iter().for_each(|&byte| write_byte(&mut out, byte, taste));
            }
        }
    }
    if taste.one_in(12) {
        out.push(b'&');
    }
    out
}

/// A byte of a value, escaped if it has to be, or if the taste is for it.
fn write_byte(out: &mut Vec<u8>, byte: u8, taste: &mut Taste<'_>) {
    let must = matches!(byte, 0..=b' ' | 0x7f | b'%' | b'&');
    let need_not = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let otherwise = taste.one_in(4);
    if !must && need_not != otherwise {
        return out.push(byte);
    }
    let escaped = format!("%{byte:02X}");
    out.extend(escaped.chars().map(|c| if taste.one_in(3) { c.to_ascii_lowercase() } else { c } as u8));
}
