//! A directory in which the program runs.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::program::Program;

pub(crate) struct Place {
    pub(crate) dir: TempDir,
}

impl Place {
    /// A directory with these files.
    pub(crate) fn with(files: &[(&str, &str)]) -> Place {
        let place = Place { dir: tempfile::tempdir().unwrap() };
        for (name, text) in files {
            place.write(name, text);
        }
        place
    }

    pub(crate) fn empty() -> Place {
        Place::with(&[])
    }

    /// A directory with a `tracker.ron`.
    pub(crate) fn config(text: &str) -> Place {
        Place::with(&[("tracker.ron", text)])
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// What is in a file; nothing if it is not there.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// The names in the directory.
    pub(crate) fn names(&self) -> Vec<String> {
        self.names_in("")
    }

    /// The names in a directory below it.
    pub(crate) fn names_in(&self, dir: &str) -> Vec<String> {
        let name =
            |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        let mut names: Vec<_> = std::fs::read_dir(self.path(dir)).unwrap().map(name).collect();
        names.sort();
        names
    }

    pub(crate) fn command<A: AsRef<OsStr>>(&self, args: &[A]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tracker"));
        command.args(args).current_dir(self.dir.path()).stdin(Stdio::null());
        command
    }

    /// The program started by a shell after `prologue`, such as `ulimit -n 64;`, with `redirections` such as `2>&-`.
    pub(crate) fn shell(&self, prologue: &str, args: &[&str], redirections: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{prologue} exec \"$0\" \"$@\" {redirections}")]);
        command.arg(env!("CARGO_BIN_EXE_tracker")).args(args);
        command.current_dir(self.dir.path()).stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// The one sentence with which the program ends.
    #[track_caller]
    pub(crate) fn refusal(&self, args: &[&str]) -> String {
        sentence(&self.run(args))
    }

    /// Starts the program, with two workers and on a free port of 127.0.0.1 unless `args` say otherwise, and waits until
    /// it is ready.
    #[track_caller]
    pub(crate) fn start(&self, args: &[&str]) -> Program {
        let mut args = args.to_vec();
        if !args.contains(&"--listen") {
            args.extend(["--listen", "127.0.0.1:0"]);
        }
        if !args.contains(&"--workers") {
            args.extend(["--workers", "2"]);
        }
        let addresses = args.iter().filter(|arg| **arg == "--listen").count();
        Program::start(self.command(&args), addresses)
    }

    /// [Starts](Place::start) the program with the file `tracker.ron`.
    #[track_caller]
    pub(crate) fn start_configured(&self, args: &[&str]) -> Program {
        self.start(&[&["--config", "tracker.ron"], args].concat())
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The one sentence with which the program has ended.
#[track_caller]
pub(crate) fn sentence(output: &Output) -> String {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(text(&output.stdout), "");
    assert!(stderr.ends_with('\n') && stderr.lines().count() == 1, "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    stderr.strip_prefix("tracker: ").expect("who says it").trim_end().to_owned()
}
