//! The settings in force: the defaults, the configuration file over them, the command line over both; checked, and
//! each with the place where it was written.

use std::collections::HashMap;
use std::path::Path;

use crate::cli::Options;
use crate::config::source::{line_of, one_line, read_file, read_section};
use crate::config::{Config, Fault, inner, parts, quote, rules, string, unknown};
use crate::error::{Error, Place};

/// Settings that are checked and ready to use.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The values. The wiring may fit them to the machine.
    pub config: Config,
    /// The values as they were loaded.
    pub(crate) asked: Config,
    /// What was typed: it is put over the file again when that is read again.
    pub options: Options,
    /// By key, as in `swarm.interval` or, for a member of a list, `http.listen[1]`.
    written: HashMap<String, Written>,
}

/// A value as it was written.
#[derive(Clone, Debug)]
struct Written {
    place: Place,
    text: String,
}

impl Settings {
    /// Reads the file that the options name, puts the options over it and checks the whole. Touches nothing else.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn load(options: Options) -> Result<Settings, Error> {
        match options.config.clone() {
            None => Settings::unread(options).finish(),
            Some(path) => match std::fs::read(&path) {
                Ok(bytes) => Settings::read(&path, &bytes, options),
                Err(source) => Err(Error::ConfigUnreadable { path, source }),
            },
        }
    }

    /// As [`Settings::load`], but the file has been read already: `bytes` are what is in it, `path` is what it is called
    /// where something is wrong with it.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn read(path: &Path, bytes: &[u8], options: Options) -> Result<Settings, Error> {
        let mut settings = Settings::unread(options);
        settings.take_file(path, bytes)?;
        settings.finish()
    }

    fn unread(options: Options) -> Settings {
        Settings { config: Config::default(), asked: Config::default(), options, written: HashMap::new() }
    }

    /// Puts the options over what was read, and checks the whole.
    fn finish(mut self) -> Result<Settings, Error> {
        self.take_options()?;
        match rules::check(&self.config, |key| self.is_written(key)) {
            Ok(()) => {
                self.asked = self.config.clone();
                Ok(self)
            }
            Err(broken) => Err(self.refuse(&broken.key, &broken.complaint)),
        }
    }

    /// Whether the value of a key, as in `http.listen`, comes from the file or the command line.
    pub fn is_written(&self, key: &str) -> bool {
        self.written.contains_key(key)
    }

    /// The error that blames a value for what came of it: `refuse("http.listen[0]", "is in use")`. The complaint
    /// stands behind the value as it was written; the place is the one where it was written.
    pub fn refuse(&self, key: &str, complaint: &str) -> Error {
        if let Some(Written { place, text }) = self.written.get(key) {
            return Error::Setting { place: place.clone(), problem: format!("{text} {complaint}") };
        }
        let value = self.config.value(key).or_else(|| {
            let (list, at) = key.strip_suffix(']')?.split_once('[')?;
            let list = self.config.value(list)?;
            parts(&list).get(at.parse::<usize>().ok()?).map(|part| (*part).to_owned())
        });
        let problem = format!("{} {complaint}", value.unwrap_or_default());
        Error::Setting { place: Place::Default { key: key.to_owned() }, problem }
    }

    fn take_file(&mut self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let syntax = |line, column, problem| Error::Syntax { path: path.to_owned(), line, column, problem };
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let good = &bytes[..error.valid_up_to()];
            let begin = good.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
            let line = good.iter().filter(|&&byte| byte == b'\n').count() + 1;
            let column = String::from_utf8_lossy(&good[begin..]).chars().count() + 1;
            syntax(line, column, format!("{:#04x} is not UTF-8 text", bytes[error.valid_up_to()]))
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim().is_empty() {
            return Err(syntax(1, 1, "the file is empty, write at least ()".to_owned()));
        }
        let sections = read_file(text).map_err(|error| {
            let at = error.span.end;
            syntax(at.line, at.col, explain(text, at.line, &error.code))
        })?;
        let place = |at: &str, key: &str| Place::File {
            path: path.to_owned(),
            line: line_of(text, at),
            key: key.to_owned(),
        };
        let refuse = |fault: &Fault<'_>| Error::Setting {
            // a key that does not exist may be of any length
            place: place(fault.at, &one_line(&fault.key, LONGEST_KEY)),
            problem: fault.problem(),
        };
        for (name, raw) in sections.0 {
            let Some(known) = self.config.keys(name) else {
                let names = self.config.section_names();
                return Err(refuse(&Fault::value(name, unknown(name, &names)).below(name)));
            };
            self.write_once(name, place(name, name), raw)?;
            let Some(entries) = read_section(raw) else {
                return Err(refuse(&Fault::expected(raw, "keys and values in parentheses").below(name)));
            };
            for (key, raw) in entries.0 {
                let full = format!("{name}.{key}");
                if !known.contains(&key) {
                    return Err(refuse(&Fault::value(key, unknown(key, known)).below(&full)));
                }
                self.config.set(name, key, raw).map_err(|fault| refuse(&fault))?;
                self.write_once(&full, place(raw, &full), raw)?;
                for (at, part) in parts(raw).into_iter().enumerate() {
                    self.write(&format!("{full}[{at}]"), place(part, &full), part);
                }
                for (key, raw) in inner(raw) {
                    let full = format!("{full}.{key}");
                    self.write(&full, place(raw, &full), raw);
                    for (at, part) in parts(raw).into_iter().enumerate() {
                        let full = format!("{full}[{at}]");
                        self.write(&full, place(part, &full), part);
                    }
                }
            }
        }
        Ok(())
    }

    fn take_options(&mut self) -> Result<(), Error> {
        let options = &self.options;
        let listed: Vec<_> = options.listen.iter().map(|text| string(text)).collect();
        let listen = (!listed.is_empty()).then(|| format!("[{}]", listed.join(", ")));
        let typed = [
            ("--listen", "http", "listen", listen),
            ("--workers", "http", "workers", options.workers.clone()),
            ("--data-dir", "store", "dir", options.data_dir.as_deref().map(string)),
            ("--log-level", "log", "level", options.log_level.as_deref().map(string)),
        ];
        for (name, section, key, raw) in typed {
            let Some(raw) = raw else { continue };
            let place = Place::Option { name };
            let refuse = |fault: Fault<'_>| Error::Setting { place: place.clone(), problem: fault.problem() };
            self.config.set(section, key, &raw).map_err(refuse)?;
            let full = format!("{section}.{key}");
            // what the file says of members has nothing to do with these
            self.written.retain(|key, _| !key.starts_with(&format!("{full}[")));
            self.write(&full, place.clone(), &raw);
            for (at, part) in parts(&raw).into_iter().enumerate() {
                self.write(&format!("{full}[{at}]"), place.clone(), part);
            }
        }
        Ok(())
    }

    fn write(&mut self, key: &str, place: Place, raw: &str) {
        self.written.insert(key.to_owned(), Written { place, text: quote(raw) });
    }

    /// Notes where a key was written, which it may be only once in a file.
    fn write_once(&mut self, key: &str, place: Place, raw: &str) -> Result<(), Error> {
        match self.written.get(key) {
            Some(Written { place: Place::File { line, .. }, .. }) => {
                let problem =
                    format!("{} is the second value of this key, the first is in line {line}", quote(raw));
                Err(Error::Setting { place, problem })
            }
            _ => {
                self.write(key, place, raw);
                Ok(())
            }
        }
    }
}

/// Bytes of a key, and of what the parser says, in a complaint.
const LONGEST_KEY: usize = 100;
const LONGEST_MESSAGE: usize = 250;

/// What the parser says, with the line that it says it about.
fn explain(text: &str, line: usize, error: &ron::Error) -> String {
    // it may have any part of the text in it
    let message = one_line(&error.to_string(), LONGEST_MESSAGE);
    let mut chars = message.chars();
    let message = chars.next().map_or(String::new(), |first| first.to_lowercase().chain(chars).collect());
    match text.lines().nth(line - 1).map(str::trim) {
        Some(found) if !found.is_empty() => format!("{message}, found {}", quote(found)),
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Level, Mode};

    fn typed(options: Options) -> Result<Settings, Error> {
        Settings::load(options)
    }

    fn written(text: &str) -> Result<Settings, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.ron");
        std::fs::write(&path, text).unwrap();
        let settings = typed(Options { config: Some(path.clone()), ..Options::default() });
        settings.map_err(|error| error.to_string().replace(path.to_str().unwrap(), "t.ron"))
    }

    #[test]
    fn nothing_written_is_the_defaults() {
        assert_eq!(typed(Options::default()).unwrap().config, Config::default());
        for text in ["()", "// all\n(\n)", "(http: (), log: ( ), /* x */)", "\u{feff}()"] {
            assert_eq!(written(text).unwrap().config, Config::default(), "{text}");
        }
    }

    #[test]
    fn complaints_have_line_key_and_value() {
        for (text, sentence) in [
            (
                "(\n swarm: (\n  /* interval: */ interval:\n   \"30x\", // here\n))",
                "t.ron:4: swarm.interval: \"30x\" is not a duration, write it as \"30m\"",
            ),
            (
                "(swarm: (\n intervall: \"1m\"))",
                "t.ron:2: swarm.intervall: intervall is an unknown key, did you mean interval?",
            ),
            ("(htp: ())", "t.ron:1: htp: htp is an unknown key, did you mean http?"),
            ("(http: 5)", "t.ron:1: http: expected keys and values in parentheses, found 5"),
            (
                "(http: (\ntls: (certificate: \"a\", privat_key: \"b\")))",
                "t.ron:2: http.tls.privat_key: privat_key is an unknown key, did you mean private_key?",
            ),
            (
                "(http: (\ntls: (certificate: 1)))",
                "t.ron:2: http.tls.certificate: expected a path in quotes, found 1",
            ),
            (
                "(http: (tls: Some((certificate: \"a\"))))",
                "t.ron:1: http.tls: (certificate: \"a\") has no private_key",
            ),
            (
                "(swarm: (\ninterval: \"1m\",\ninterval: \"2m\"))",
                "t.ron:3: swarm.interval: \"2m\" is the second value of this key, the first is in line 2",
            ),
            (
                "(log: (),\nlog: ())",
                "t.ron:2: log: () is the second value of this key, the first is in line 1",
            ),
            (
                "(http: (listen: [\n\"127.0.0.1:80\",\n\"127.0.0.1:80\"]))",
                "t.ron:3: http.listen: \"127.0.0.1:80\" is there twice",
            ),
            ("\n\n", "t.ron:1:1: the file is empty, write at least ()"),
        ] {
            assert_eq!(written(text).unwrap_err(), sentence);
        }
    }

    #[test]
    fn options_win_and_are_blamed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.ron");
        std::fs::write(
            &path,
            "(http: (listen: [\"0.0.0.0:1\", \"0.0.0.0:2\"], workers: 3), log: (level: \"off\"))",
        )
        .unwrap();
        let settings = typed(Options {
            config: Some(path),
            listen: vec!["[::1]:5".to_owned()],
            data_dir: Some("a \"b\"".to_owned()),
            log_level: Some("trace".to_owned()),
            ..Options::default()
        });
        let settings = settings.unwrap();
        assert_eq!(settings.config.http.listen, ["[::1]:5".parse().unwrap()]);
        assert_eq!((settings.config.http.workers, settings.config.log.level), (3, Level::Trace));
        assert_eq!(settings.config.store.dir.to_str(), Some("a \"b\""));
        let sentence = |key| settings.refuse(key, "is in use").to_string();
        assert_eq!(sentence("http.listen[0]"), "--listen: \"[::1]:5\" is in use");
        assert!(!settings.is_written("http.listen[1]"));
        assert!(sentence("http.workers").ends_with("t.ron:1: http.workers: 3 is in use"));
    }

    #[test]
    fn bad_options_are_named() {
        let sentence = |options| typed(options).unwrap_err().to_string();
        assert_eq!(
            sentence(Options { listen: vec!["6969".to_owned()], ..Options::default() }),
            "--listen: \"6969\" is not an address with a port, write it as \"0.0.0.0:6969\" or \"[::]:6969\""
        );
        let workers = |text: &str| sentence(Options { workers: Some(text.to_owned()), ..Options::default() });
        assert!(workers("many").starts_with("--workers: expected a whole number from 0 to"));
        assert!(workers("many").ends_with(", found many"));
        assert_eq!(workers("2000"), "--workers: 2000 is too many, at most 1024 are possible");
        let level = sentence(Options { log_level: Some("loud".to_owned()), ..Options::default() });
        assert!(
            level.starts_with("--log-level: expected \"off\"") && level.ends_with("found \"loud\""),
            "{level}"
        );
    }

    #[test]
    fn defaults_are_blamed_by_their_key() {
        let settings = typed(Options::default()).unwrap();
        assert_eq!(
            settings.refuse("http.listen[1]", "is in use").to_string(),
            "http.listen[1]: \"[::]:6969\" is in use"
        );
        assert_eq!(
            settings.refuse("store.dir", "is in use").to_string(),
            "store.dir: \"tracker-data\" is in use"
        );
    }

    #[test]
    fn syntax_errors_show_their_line() {
        let sentence = written("(\n swarm: (\n  interval \"1m\",\n ),\n)").unwrap_err();
        assert!(
            sentence.starts_with("t.ron:3:") && sentence.ends_with("found interval \"1m\","),
            "{sentence}"
        );
    }

    #[test]
    fn whatever_is_wrong_the_sentence_is_short() {
        let long = "p".repeat(10_000);
        for text in [
            format!("({long}swarm: intervXl:tls: ))"),
            format!("({long}: ())"),
            format!("(swarm: ({long}: 1))"),
            format!("(http: (tls: ({long}: 1)))"),
            format!("(swarm: (interval: {long}))"),
            format!("(swarm: (interval: \"{long}\"))"),
            format!("#![enable({long})] ()"),
        ] {
            let sentence = written(&text).unwrap_err();
            assert!(sentence.len() < 500, "{sentence}");
        }
    }

    #[test]
    fn every_key_is_read() {
        let settings = written(
            "(access: (mode: Deny, file: \"list\"), swarm: (min_interval: \"1s\", interval: \"1s\"))",
        );
        let config = settings.unwrap().config;
        assert_eq!((config.access.mode, config.access.file), (Mode::Deny, Some("list".into())));
        assert_eq!(config.swarm.min_interval, Some(config.swarm.interval));
    }
}
