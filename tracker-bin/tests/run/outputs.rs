//! Nobody reads what it says, or it cannot be written: that ends nothing.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;

use crate::client::{Client, get, hex};
use crate::place::Place;
use crate::program::{Program, until};

/// Has it say much, of which nothing can be read: it serves all the same, and stops in an orderly way.
#[track_caller]
fn goes_on(mut program: Program, place: &Place) {
    let mut client = program.client();
    for (config, is_allowed) in [("(access: (mode: Allow, file: \"list\"))", false), ("()", true)] {
        place.write("tracker.ron", "(broken");
        program.signal("HUP");
        place.write("tracker.ron", config);
        until("it has reloaded", || {
            program.signal("HUP");
            client.ask(crate::client::announce(1, 1000, "")).text_contains("failure") != is_allowed
        });
    }
    assert_eq!(Client::new(program.addr()).ask(get("/health")).status, 200);
    client.ask("nonsense\r\n\r\n");
    program.signal("TERM");
    assert_eq!(program.end().code(), Some(0));
}

const CONFIG: &str = "(swarm: (interval: \"1s\", peer_timeout: \"1s\"))";

#[test]
fn the_standard_error_is_closed_while_it_runs() {
    for level in ["info", "trace"] {
        let place = Place::with(&[("tracker.ron", CONFIG), ("list", &hex(7))]);
        let args = ["--config", "tracker.ron", "--listen", "127.0.0.1:0", "--log-level", level];
        let mut child = place.command(&args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let addr = line.trim_end().strip_prefix("listening on http://").unwrap().parse().unwrap();
        goes_on(Program::adopt(child, addr), &place);
    }
}

#[test]
fn nobody_reads_on_from_the_standard_error() {
    // a complaint names the file by its long name, so that a few of them fill the pipe
    let place = Place::empty();
    let mut path = place.dir.path().to_owned();
    for _ in 0..14 {
        path.push("d".repeat(250));
        std::fs::create_dir(&path).unwrap();
    }
    let file = path.join("tracker.ron");
    std::fs::write(&file, CONFIG).unwrap();
    let args = ["--config", file.to_str().unwrap(), "--listen", "127.0.0.1:0", "--log-level", "trace"];
    let mut child = place.command(&args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    let addr = line.trim_end().strip_prefix("listening on http://").unwrap().parse().unwrap();
    let mut program = Program::adopt(child, addr);
    std::fs::write(&file, "(broken").unwrap();
    for _ in 0..100 {
        program.signal("HUP");
        assert_eq!(program.client().ask(get("/health")).status, 200);
    }
    // and it still obeys
    std::fs::write(&file, "(access: (mode: Allow, file: \"list\"))").unwrap();
    place.write("list", "");
    let mut client = program.client();
    until("it has reloaded", || {
        program.signal("HUP");
        client.ask(crate::client::announce(1, 1000, "")).text_contains("failure")
    });
    program.signal("TERM");
    assert_eq!(program.end().code(), Some(0));
    drop(stderr);
}

#[test]
fn outputs_are_closed_from_the_start() {
    for (nth, closed) in ["2>&-", ">&-", "<&- >&- 2>&-"].into_iter().enumerate() {
        let place = Place::with(&[("tracker.ron", CONFIG), ("list", &hex(7))]);
        // it cannot say where it listens: an address that is nobody else's
        let ip = [127, 77, std::process::id() as u8, nth as u8 + 1];
        let free = TcpListener::bind(SocketAddr::from((ip, 0)));
        let Ok(addr) = free.and_then(|free| free.local_addr()) else {
            println!("skipped: this machine has one loopback address only");
            return;
        };
        let listen = addr.to_string();
        let args = ["--config", "tracker.ron", "--listen", &listen, "--log-level", "trace"];
        let mut shell = place.shell("", &args, closed);
        let child = shell.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let program = Program::adopt(child, addr);
        until("it listens", || Client::try_new(addr).is_some());
        goes_on(program, &place);
    }
}

#[test]
fn a_refusal_is_the_same_when_nobody_reads_it() {
    let place = Place::empty();
    for closed in ["2>&-", ">&- 2>&-"] {
        let output = place.shell("", &["--listen", "nonsense"], closed).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
    }
    let output = place.shell("", &["--print-config"], ">&-").output().unwrap();
    assert!(!String::from_utf8(output.stderr).unwrap().contains("panicked"));
}

#[test]
fn directories_are_removed_while_it_runs() {
    let log = "log: (level: \"trace\", file: \"logs/tracker.log\")";
    let place = Place::with(&[
        ("tracker.ron", &format!("(swarm: (interval: \"1s\", peer_timeout: \"1s\"), {log})")),
        ("list", &hex(7)),
    ]);
    let program = place.start_configured(&["--data-dir", "data"]);
    std::fs::remove_dir_all(place.path("logs")).unwrap();
    // not there in this version
    let _ = std::fs::remove_dir_all(place.path("data"));
    goes_on(program, &place);
}

#[test]
fn the_working_directory_is_removed_while_it_runs() {
    let place = Place::config("(log: (file: \"tracker.log\"))");
    let mut program = place.start_configured(&[]);
    drop(place);
    program.client().announce(1, 1000, "");
    program.signal("HUP");
    program.says("nothing is reloaded: tracker.ron: cannot be read: ");
    assert_eq!(program.client().scrape(1), [0, 0, 1]);
    program.stop();
}

#[test]
fn a_full_disk_under_the_log_is_nobodys_problem() {
    let place = Place::with(&[("list", &hex(7))]);
    // every write to it fails as on a full disk
    if !std::path::Path::new("/dev/full").exists() {
        println!("skipped: this machine has no /dev/full");
        return;
    }
    let args = ["--config", "tracker.ron", "--listen", "127.0.0.1:0", "--log-level", "trace"];
    place.write("tracker.ron", CONFIG);
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = place.command(&["--print-config"]).stdout(full.try_clone().unwrap()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("tracker: cannot write to the standard output: "), "{said}");
    // where the log is the disk, nobody learns the port: it ends well all the same
    let child = place.command(&args).stdout(Stdio::null()).stderr(full).spawn().unwrap();
    let pid = child.id();
    let mut program = Program::adopt(child, ([127, 0, 0, 1], 1).into());
    until("it catches signals", || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(caught.trim(), 16).unwrap() & 1 << 14 != 0
    });
    program.signal("TERM");
    assert_eq!(program.end().code(), Some(0));
}
