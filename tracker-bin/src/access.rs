//! The access list's file.

use tracker_core::{AccessList, AccessMode};

use crate::config::{Config, Mode};
use crate::error::Error;

impl From<Mode> for AccessMode {
    fn from(mode: Mode) -> AccessMode {
        match mode {
            Mode::Open => AccessMode::Open,
            Mode::Allow => AccessMode::Allow,
            Mode::Deny => AccessMode::Deny,
        }
    }
}

/// Reads the list that the settings ask for. With mode `Open` no file is touched.
///
/// # Errors
/// The file cannot be read, or a line of it is no info hash.
pub fn load(config: &Config) -> Result<AccessList, Error> {
    let (mode, path) = match (config.access.mode, &config.access.file) {
        (Mode::Open, _) | (_, None) => return Ok(AccessList::open()),
        (mode, Some(path)) => (mode, path),
    };
    let text =
        std::fs::read(path).map_err(|source| Error::AccessUnreadable { path: path.clone(), source })?;
    AccessList::parse(mode.into(), &text).map_err(|error| Error::AccessLine { path: path.clone(), error })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(mode: Mode, file: &std::path::Path) -> Config {
        let mut config = Config::default();
        config.access.mode = mode;
        config.access.file = Some(file.to_owned());
        config
    }

    #[test]
    fn a_list_is_read_only_when_it_means_something() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list");
        assert!(load(&config(Mode::Open, &path)).unwrap().is_empty());

        let sentence = load(&config(Mode::Deny, &path)).unwrap_err().to_string();
        assert!(sentence.starts_with(&format!("{}: cannot be read: ", path.display())), "{sentence}");
        assert!(sentence.ends_with(", check access.file"), "{sentence}");

        std::fs::write(&path, "# ours\n00112233445566778899aabbccddeeff00112233").unwrap();
        let list = load(&config(Mode::Deny, &path)).unwrap();
        assert_eq!((list.mode(), list.len()), (AccessMode::Deny, 1));
    }

    #[test]
    fn a_bad_line_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list");
        std::fs::write(&path, "\n\nxyz # what\n").unwrap();
        let sentence = load(&config(Mode::Allow, &path)).unwrap_err().to_string();
        let expected = ":3: \"xyz\" is not an info hash, expected 40 hexadecimal digits";
        assert_eq!(sentence, format!("{}{expected}", path.display()));
    }
}
