//! Few open files: less room for connections, and no harm beyond that.

use std::process::Stdio;

use crate::client::{Client, get};
use crate::place::Place;
use crate::program::{Program, until};

#[test]
fn the_bound_on_connections_is_lowered_with_a_warning_and_all_are_served_by_turns() {
    let place = Place::empty();
    let args = ["--listen", "127.0.0.1:0", "--workers", "2"];
    let mut program = Program::start(place.shell("ulimit -n 64;", &args, ""), 1);
    let warning = program.says("http.max_connections is lowered");
    assert!(warning.contains("WARN") && warning.contains("from 60000 to "), "{warning}");
    assert!(warning.ends_with(": only 64 files can be open"), "{warning}");
    // idle ones make room for those that come
    let mut clients = Vec::new();
    for port in 1000..1100 {
        let mut client = program.client();
        client.announce(1, port, "");
        clients.push(client);
    }
    // some that say nothing: they are not idle, so that others may be turned away, until they go
    let silent: Vec<_> = (0..100).map(|_| program.client()).collect();
    drop((clients, silent));
    until("a good request is answered", || {
        let mut client = program.client();
        client.try_ask(get("/health")).is_some_and(|answer| answer.status == 200)
    });
    assert_eq!(program.client().scrape(1)[2], 100);
    program.stop();
}

#[test]
fn the_soft_limit_is_raised_to_the_hard_one() {
    let place = Place::config("(http: (max_connections: 300))");
    let args = ["--config", "tracker.ron", "--listen", "127.0.0.1:0", "--workers", "1"];
    let mut program = Program::start(place.shell("ulimit -Sn 64; ulimit -Hn 1000;", &args, ""), 1);
    let mut clients: Vec<_> = (0..200).map(|_| program.client()).collect();
    for client in &mut clients {
        assert_eq!(client.ask(get("/health")).status, 200);
    }
    // all of them are open yet
    for client in &mut clients {
        assert_eq!(client.ask(get("/health")).status, 200);
    }
    assert!(!program.has_said("lowered"), "{:#?}", program.said);
    program.stop();
}

#[test]
#[cfg(target_os = "linux")]
fn who_comes_when_descriptors_have_run_out_is_served_when_there_are_some() {
    let program = Place::empty().start(&["--workers", "1"]);
    assert_eq!(program.client().ask(get("/health")).status, 200);
    // behind its back: it thinks that there is room
    let open = std::fs::read_dir(format!("/proc/{}/fd", program.pid())).unwrap();
    let highest =
        open.map(|fd| fd.unwrap().file_name().to_str().unwrap().parse::<u64>().unwrap()).max().unwrap();
    let limit = highest + 1 + 8;
    let resource = rlimit::Resource::NOFILE;
    rlimit::prlimit(program.pid() as i32, resource, Some((limit, limit)), None).unwrap();
    let ask = |_| {
        let mut client = Client::new(program.addr());
        client.send(get("/health"));
        client
    };
    let clients: Vec<_> = (0..40).map(ask).collect();
    // each that goes lets another come in
    for mut client in clients {
        assert_eq!(client.answer().status, 200);
    }
    // those that come all at once and stay silent, and go
    let silent: Vec<_> = (0..40).map(|_| program.client()).collect();
    drop(silent);
    assert_eq!(program.client().ask(get("/health")).status, 200);
    program.stop();
}

#[test]
fn where_not_even_the_start_fits_in_it_is_one_sentence() {
    let place = Place::empty();
    for limit in [4, 6, 8, 10, 12, 16, 20] {
        let args = ["--listen", "127.0.0.1:0", "--workers", "8"];
        let mut shell = place.shell(&format!("ulimit -n {limit};"), &args, "");
        let output = shell.stdout(Stdio::null()).output().unwrap();
        let said = String::from_utf8(output.stderr.clone()).unwrap();
        assert!(!output.status.success() && !said.contains("panicked"), "{limit}: {said}");
        assert!(said.lines().count() == 1 && said.starts_with("tracker: "), "{limit}: {said}");
    }
}
