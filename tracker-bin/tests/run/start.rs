//! Starting: what is said when it is ready, and what keeps it from that.

use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

use crate::client::{Client, get};
use crate::place::{Place, sentence};

const TWO: [&str; 4] = ["--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0"];

#[test]
fn each_address_is_announced_once_whatever_the_workers_and_the_log_level() {
    for level in ["off", "error", "info", "trace"] {
        let place = Place::empty();
        let program = place.start(&[&TWO[..], &["--workers", "3", "--log-level", level]].concat());
        let addrs = program.addrs.clone();
        assert!(addrs[0].port() != 0 && addrs[1].port() != 0 && addrs[0] != addrs[1], "{addrs:?}");
        for &addr in &addrs {
            // at once, without another try
            assert_eq!(Client::new(addr).announce(1, 1000, "").incomplete, 1);
        }
        let said = program.stop();
        let ready = said.iter().filter(|line| line.contains("listening on"));
        assert_eq!(ready.count(), 2, "{said:#?}");
        if level == "off" {
            let ready = addrs.iter().map(|addr| format!("listening on http://{addr}"));
            assert_eq!(said, ready.collect::<Vec<_>>());
        }
    }
}

#[test]
fn ipv6_has_its_brackets_and_carries_ipv6_only() {
    if TcpListener::bind("[::1]:0").is_err() {
        println!("skipped: this machine has no ::1");
        return;
    }
    let place = Place::empty();
    let program = place.start(&["--listen", "[::1]:0", "--log-level", "off"]);
    let addr = program.addr();
    assert_eq!(program.said, [format!("listening on http://[::1]:{}", addr.port())]);
    let answer = Client::new(addr).ask(crate::client::announce(1, 1000, ""));
    assert_eq!(answer.told().incomplete, 1);

    // the same port of the other family is free
    let all = place.start(&["--listen", "[::]:0", "--data-dir", "other"]);
    let v4 = SocketAddr::from(([127, 0, 0, 1], all.addr().port()));
    assert!(Client::try_new(v4).is_none());
    all.stop();
    program.stop();
}

#[test]
fn an_address_of_the_file_is_served_and_an_option_takes_the_place_of_all_of_them() {
    let place = Place::config("(http: (listen: [\"127.0.0.1:0\"], workers: 1))");
    let program = crate::program::Program::start(place.command(&["--config", "tracker.ron"]), 1);
    assert_eq!(program.client().ask(get("/health")).status, 200);
    program.stop();
    place.write("tracker.ron", "(http: (listen: [\"192.0.2.1:1\"]))");
    place.start_configured(&[]).stop();
}

/// Whoever holds the port, the address is refused, by the option and by the file alike, and nothing is said before.
#[track_caller]
fn refused(taken: SocketAddr) {
    let place =
        Place::config(&format!("(http: (\n listen: [\n  \"127.0.0.1:0\",\n  \"{taken}\"],\n workers: 2))"));
    let problem =
        format!("\"{taken}\" is in use: stop the program that listens there, or choose another port");
    let addr = taken.to_string();
    // first an address that is free: it must not be called ready
    let options = ["--listen", "127.0.0.1:0", "--listen", &addr, "--workers", "3"];
    assert_eq!(place.refusal(&options), format!("--listen: {problem}"));
    let file = ["--config", "tracker.ron"];
    assert_eq!(place.refusal(&file), format!("tracker.ron:4: http.listen: {problem}"));
    // and no warning, though there is something to warn of
    let output = place.shell("ulimit -n 200;", &file, "").output().unwrap();
    assert_eq!(sentence(&output), format!("tracker.ron:4: http.listen: {problem}"));
}

#[test]
fn a_port_of_another_program_is_refused() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    refused(other.local_addr().unwrap());
}

#[test]
fn a_port_that_its_holder_would_share_is_refused() {
    let other = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    other.set_reuse_port(true).unwrap();
    other.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    other.listen(1).unwrap();
    refused(other.local_addr().unwrap().as_socket().unwrap());
}

#[test]
fn a_port_of_another_tracker_is_refused_and_that_one_serves_on() {
    let place = Place::empty();
    let first = place.start(&[]);
    refused(first.addr());
    let clients: Vec<_> = (0..20).map(|_| first.client()).collect();
    for mut client in clients {
        assert_eq!(client.ask(get("/health")).status, 200);
    }
    first.stop();
}

#[test]
fn every_address_includes_those_that_are_taken() {
    let first = Place::empty().start(&[]);
    refused(SocketAddr::from(([0, 0, 0, 0], first.addr().port())));
}

#[test]
fn an_address_that_this_machine_does_not_have_is_refused() {
    for addr in ["192.0.2.1:0", "[2001:db8::1]:0"] {
        let place = Place::config(&format!("(\n\nhttp: (listen: [\"{addr}\"]))"));
        let ours = ["--listen", "127.0.0.1:0", "--listen", addr];
        let problem = format!("\"{addr}\" is no address of this machine");
        let lacks = format!("\"{addr}\" cannot be listened on, since this machine lacks its address family");
        let sentence = place.refusal(&ours);
        assert!(
            sentence == format!("--listen: {problem}") || sentence == format!("--listen: {lacks}"),
            "{sentence}"
        );
        let sentence = place.refusal(&["--config", "tracker.ron"]);
        assert!(sentence.starts_with(&format!("tracker.ron:3: http.listen: \"{addr}\" ")), "{sentence}");
    }
}

#[test]
fn a_privileged_port_is_refused_to_others() {
    let address = "127.0.0.1:81";
    if TcpListener::bind(address).is_ok() {
        println!("skipped: this user may listen on privileged ports");
        return;
    }
    let sentence = Place::empty().refusal(&["--listen", address]);
    assert!(sentence.starts_with("--listen: \"127.0.0.1:81\" may not be listened on: "), "{sentence}");
}

#[test]
fn a_log_file_that_cannot_be_written_is_refused() {
    let place = Place::with(&[("tracker.ron", "(log: (\nfile: \"tracker.ron/a.log\"))")]);
    let sentence = place.refusal(&["--config", "tracker.ron", "--listen", "127.0.0.1:0"]);
    let begin = "tracker.ron:2: log.file: \"tracker.ron/a.log\" cannot be written: ";
    assert!(sentence.starts_with(begin), "{sentence}");
}

#[test]
fn nothing_is_written_beside_the_data_directory() {
    let place = Place::empty();
    let program = place.start(&[]);
    program.client().announce(1, 1000, "");
    program.stop();
    assert_eq!(place.names(), ["tracker-data"]);
}
