//! The types that a key can have: read from RON and written as RON.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use ron::value::RawValue;

use super::source::{Fault, parse, read_section, trimmed};

/// A year: longer than anything here can sensibly take, and far from any overflow.
const LONGEST: Duration = Duration::from_secs(31_557_600);

/// A type that a key can have.
pub(super) trait Value: Sized {
    /// Reads the text of a value.
    fn read(raw: &str) -> Result<Self, Fault<'_>>;
    /// The value as text that reads as the same value.
    fn write(&self) -> String;
}

/// The texts of a list's members; none if it is no list.
pub(crate) fn parts(raw: &str) -> Vec<&str> {
    parse::<Vec<&RawValue>>(raw).unwrap_or_default().into_iter().map(trimmed).collect()
}

/// The keys of a section that is a key's value, `Some(...)` or not, with the texts of their values; none if it is no section.
pub(crate) fn inner(raw: &str) -> Vec<(&str, &str)> {
    let section = parse::<Option<&RawValue>>(raw).flatten().and_then(|inner| read_section(trimmed(inner)));
    section.map(|section| section.0).unwrap_or_default()
}

/// A text as RON.
pub(crate) fn string(text: &str) -> String {
    // serialisation of a text cannot fail
    ron::to_string(text).unwrap_or_default()
}

/// Reads a string and makes something of it.
pub(super) fn from_string<'a, T>(
    raw: &'a str,
    expected: &str,
    make: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, Fault<'a>> {
    let text: String = parse(raw).ok_or_else(|| Fault::expected(raw, expected))?;
    make(&text).map_err(|complaint| Fault::value(raw, complaint))
}

macro_rules! numbers {
    ($($type:ty),*) => {$(
        impl Value for $type {
            fn read(raw: &str) -> Result<Self, Fault<'_>> {
                let expected = || format!("a whole number from 0 to {}", <$type>::MAX);
                parse(raw).ok_or_else(|| Fault::expected(raw, expected()))
            }

            fn write(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

numbers!(u32, usize);

impl Value for bool {
    fn read(raw: &str) -> Result<Self, Fault<'_>> {
        parse(raw).ok_or_else(|| Fault::expected(raw, "true or false"))
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl Value for Duration {
    fn read(raw: &str) -> Result<Self, Fault<'_>> {
        from_string(raw, "a duration such as \"30m\"", |text| {
            let duration = humantime::parse_duration(text)
                .map_err(|_| "is not a duration, write it as \"30m\"".to_owned())?;
            if duration.subsec_nanos() != 0 {
                return Err("is not a whole number of seconds".to_owned());
            }
            if duration > LONGEST {
                return Err("is too long, at most \"1year\" is possible".to_owned());
            }
            Ok(duration)
        })
    }

    fn write(&self) -> String {
        string(&humantime::format_duration(*self).to_string())
    }
}

impl Value for SocketAddr {
    fn read(raw: &str) -> Result<Self, Fault<'_>> {
        from_string(raw, "an address with a port such as \"0.0.0.0:6969\"", |text| {
            let complaint = "is not an address with a port, write it as \"0.0.0.0:6969\" or \"[::]:6969\"";
            text.parse().map_err(|_| complaint.to_owned())
        })
    }

    fn write(&self) -> String {
        string(&self.to_string())
    }
}

impl Value for IpNet {
    fn read(raw: &str) -> Result<Self, Fault<'_>> {
        from_string(raw, "a range of addresses such as \"10.0.0.0/8\"", |text| {
            let one = |_| text.parse::<IpAddr>().map(IpNet::from);
            let complaint = "is not a range of addresses, write it as \"10.0.0.0/8\"";
            text.parse().or_else(one).map_err(|_| complaint.to_owned())
        })
    }

    fn write(&self) -> String {
        string(&self.to_string())
    }
}

impl Value for PathBuf {
    fn read(raw: &str) -> Result<Self, Fault<'_>> {
        from_string(raw, "a path in quotes", |text| match text {
            "" => Err("is not a path".to_owned()),
            _ if text.contains('\0') => Err("is not a path".to_owned()),
            _ => Ok(PathBuf::from(text)),
        })
    }

    fn write(&self) -> String {
        // nothing is lost: paths are read from text only
        string(&self.to_string_lossy())
    }
}

impl<T: Value> Value for Vec<T> {
    fn read(raw: &str) -> Result<Self, Fault<'_>> {
        let members: Vec<&RawValue> =
            parse(raw).ok_or_else(|| Fault::expected(raw, "a list in square brackets"))?;
        members.into_iter().map(|member| T::read(trimmed(member))).collect()
    }

    fn write(&self) -> String {
        format!("[{}]", self.iter().map(Value::write).collect::<Vec<_>>().join(", "))
    }
}

impl<T: Value> Value for Option<T> {
    fn read(raw: &str) -> Result<Self, Fault<'_>> {
        let inner: Option<&RawValue> = parse(raw).ok_or_else(|| Fault::expected(raw, "Some(...) or None"))?;
        inner.map(|inner| T::read(trimmed(inner))).transpose()
    }

    fn write(&self) -> String {
        self.as_ref().map_or("None".to_owned(), |value| format!("Some({})", value.write()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem<T: Value>(raw: &str) -> String {
        match T::read(raw) {
            Ok(_) => panic!("{raw} was read"),
            Err(fault) => fault.problem(),
        }
    }

    #[test]
    fn durations() {
        let seconds = |raw| Duration::read(raw).unwrap().as_secs();
        assert_eq!((seconds("\"1s\""), seconds("\"0s\""), seconds("\"1h 30m\"")), (1, 0, 5400));
        assert_eq!(problem::<Duration>("\"30x\""), "\"30x\" is not a duration, write it as \"30m\"");
        assert_eq!(problem::<Duration>("30"), "expected a duration such as \"30m\", found 30");
        assert_eq!(problem::<Duration>("\"30\""), "\"30\" is not a duration, write it as \"30m\"");
        assert_eq!(problem::<Duration>("\"-1s\""), "\"-1s\" is not a duration, write it as \"30m\"");
        assert_eq!(problem::<Duration>("\"1500ms\""), "\"1500ms\" is not a whole number of seconds");
        assert!(problem::<Duration>("\"2years\"").starts_with("\"2years\" is too long"));
        assert!(problem::<Duration>("\"99999999999999999999h\"").contains("is not a duration"));
    }

    #[test]
    fn numbers_and_truths() {
        assert_eq!(u32::read("1_000").unwrap(), 1000);
        for bad in ["-1", "4294967296", "1.5", "\"7\"", "None", "[1]", ""] {
            let expected = "expected a whole number from 0 to 4294967295, found ";
            assert!(problem::<u32>(bad).starts_with(expected), "{bad}");
        }
        assert_eq!(problem::<bool>("yes"), "expected true or false, found yes");
    }

    #[test]
    fn options_are_read_with_and_without_some() {
        let minute = Some(Duration::from_secs(60));
        for (raw, expected) in [("Some(\"1m\")", minute), ("\"1m\"", minute), ("None", None)] {
            assert_eq!(Option::<Duration>::read(raw).unwrap(), expected, "{raw}");
        }
        assert_eq!(
            problem::<Option<Duration>>("Some(\"x\")"),
            "\"x\" is not a duration, write it as \"30m\""
        );
        assert_eq!(problem::<Option<Duration>>("5"), "expected a duration such as \"30m\", found 5");
    }

    #[test]
    fn addresses_and_ranges() {
        let ranges = Vec::<IpNet>::read("[\"127.0.0.1\", \"::1\", \"10.0.0.0/8\",]").unwrap();
        assert_eq!(ranges.write(), "[\"127.0.0.1/32\", \"::1/128\", \"10.0.0.0/8\"]");
        assert!(problem::<Vec<IpNet>>("[\"::1\", \"10.0.0.0/33\"]").starts_with("\"10.0.0.0/33\" is not"));
        assert!(problem::<Vec<SocketAddr>>("\"[::]:1\"").starts_with("expected a list"));
        for bad in ["\"localhost:80\"", "\"0.0.0.0\"", "\"::1:80\"", "\"1.2.3.4:65536\"", "\"\""] {
            assert!(problem::<SocketAddr>(bad).starts_with(&format!("{bad} is not an address")), "{bad}");
        }
    }

    #[test]
    fn a_path_survives_quoting() {
        let path = PathBuf::from("a \"b\"\\\n");
        assert_eq!(PathBuf::read(&path.write()).unwrap(), path);
        assert_eq!(problem::<PathBuf>("\"\""), "\"\" is not a path");
    }
}
