//! The log: to the standard error, and to daily files if asked for.
//!
//! Nothing that happens to either ends the program or makes it wait: each is written by a thread of its own, and who
//! closes the standard error, or reads no more of it, loses lines and nothing else.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, fmt as format, reload};

use crate::config::{Format, Level};
use crate::error::Error;
use crate::settings::Settings;

/// How many daily files are kept.
const FILES: usize = 14;

impl From<Level> for LevelFilter {
    fn from(level: Level) -> LevelFilter {
        match level {
            Level::Off => LevelFilter::OFF,
            Level::Error => LevelFilter::ERROR,
            Level::Warn => LevelFilter::WARN,
            Level::Info => LevelFilter::INFO,
            Level::Debug => LevelFilter::DEBUG,
            Level::Trace => LevelFilter::TRACE,
        }
    }
}

/// The running log. Dropped, it writes out what waits to be written.
pub struct Logging {
    level: reload::Handle<LevelFilter, Registry>,
    writers: Vec<WorkerGuard>,
}

impl Logging {
    /// Starts the process's log as the settings say. Once per process: a second start changes nothing.
    ///
    /// # Errors
    /// The log file cannot be made.
    pub fn start(settings: &Settings) -> Result<Logging, Error> {
        let log = &settings.config.log;
        let mut writers = Vec::new();
        let file = match &log.file {
            Some(path) => {
                let refused = |why| settings.refuse("log.file", &format!("cannot be written: {why}"));
                let (writer, guard) = daily(path).map_err(refused)?;
                writers.push(guard);
                Some(layer(log.format, false, move || writer.clone()))
            }
            None => None,
        };
        let (writer, guard) = beside(io::stderr());
        writers.push(guard);
        let stderr = layer(log.format, io::stderr().is_terminal(), move || writer.clone());
        let (level, handle) = reload::Layer::new(LevelFilter::from(log.level));
        // fails only if there is a log already
        let _ = tracing_subscriber::registry().with(level).with(stderr).with(file).try_init();
        Ok(Logging { level: handle, writers })
    }

    /// Logs that much from now on.
    pub fn set_level(&self, level: Level) {
        // fails only if the log is gone
        let _ = self.level.reload(LevelFilter::from(level));
    }
}

impl fmt::Debug for Logging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logging").field("writers", &self.writers.len()).finish_non_exhaustive()
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        // it uses println! when the disk does not keep up
        for writer in self.writers.drain(..) {
            let _ = panic::catch_unwind(AssertUnwindSafe(|| drop(writer)));
        }
    }
}

/// Writes a line to the standard error for the user, whatever the log level.
pub fn say(line: &str) {
    let _ = Unfailing(io::stderr()).write_all(format!("{line}\n").as_bytes());
}

fn layer<S, W, M>(style: Format, ansi: bool, writer: M) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    M: Fn() -> W + Send + Sync + 'static,
    W: Write + 'static,
{
    let layer = format::layer().log_internal_errors(false).with_target(false).with_ansi(ansi);
    match style {
        Format::Text => layer.with_writer(writer).boxed(),
        Format::Json => layer.json().flatten_event(true).with_writer(writer).boxed(),
    }
}

/// `tracker.log` becomes `tracker.log.2026-11-23`, a new one at midnight UTC, written by a thread of its own.
fn daily(path: &Path) -> Result<(NonBlocking, WorkerGuard), String> {
    let name = path.file_name().and_then(|name| name.to_str()).ok_or("it names no file")?;
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    let builder = RollingFileAppender::builder().rotation(Rotation::DAILY);
    let builder = builder.filename_prefix(name).max_log_files(FILES);
    // the builder would look for old files first, and use eprintln! when there is no directory
    std::fs::create_dir_all(dir).map_err(|error| error.to_string())?;
    let built = panic::catch_unwind(|| builder.build(dir));
    let files = built.map_err(|_| "its directory cannot be read".to_owned())?.map_err(|error| {
        std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string)
    })?;
    Ok(beside(files))
}

/// Has a thread of its own write, so that nobody waits for it.
fn beside(writer: impl Write + Send + 'static) -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default().thread_name("log").finish(Unfailing(writer))
}

/// Takes all and says so, whatever becomes of it: a log that cannot be written has nobody to tell.
#[derive(Debug)]
struct Unfailing<W>(W);

impl<W: Write> Write for Unfailing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        // the daily files use eprintln!, which panics on a closed standard error, when a day's file cannot be made
        let _ = panic::catch_unwind(AssertUnwindSafe(|| self.0.write_all(bytes)));
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = panic::catch_unwind(AssertUnwindSafe(|| self.0.flush()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken;

    impl Write for Broken {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            assert!(bytes.len() < 4, "too long for it");
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }

    #[test]
    fn a_broken_or_panicking_writer_is_nobodys_problem() {
        let mut writer = Unfailing(Broken);
        assert_eq!(writer.write(b"abc").unwrap(), 3);
        assert_eq!(writer.write(b"abcd").unwrap(), 4);
        writer.flush().unwrap();
    }

    #[test]
    fn a_file_is_written_by_the_day() {
        let dir = tempfile::tempdir().unwrap();
        let (mut writer, guard) = daily(&dir.path().join("tracker.log")).unwrap();
        writer.write_all(b"hello\n").unwrap();
        drop(guard);
        let file = std::fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap();
        assert!(file.file_name().to_str().unwrap().starts_with("tracker.log.2"));
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "hello\n");
    }

    #[test]
    fn a_directory_that_is_a_file_is_refused_in_words() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let why = daily(&file.path().join("tracker.log")).unwrap_err();
        assert!(!why.is_empty() && !why.contains('\n'), "{why}");
        assert_eq!(daily(Path::new("..")).unwrap_err(), "it names no file");
    }
}
