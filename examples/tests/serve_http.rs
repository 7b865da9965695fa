//! The program `serve_http`: the tracker and the routes beside it.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

fn get(addr: SocketAddr, target: &str) -> String {
    let mut stream = TcpStream::connect(addr).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_serves_both_and_ends_by_itself() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_serve_http"));
    command.args(["--listen", "127.0.0.1:0", "--seconds", "3"]).stdout(Stdio::piped());
    let mut program = Program(command.spawn().unwrap());
    let mut out = BufReader::new(program.0.stdout.take().unwrap());
    let mut first = String::new();
    out.read_line(&mut first).unwrap();
    assert!(first.contains("listening on http://127.0.0.1:") && first.contains("for 3 s"), "{first}");
    let addr = first.split("http://").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();

    let hash = "%01".repeat(20);
    let announced =
        get(addr, &format!("/announce?info_hash={hash}&peer_id=-XX0001-abcdefghijkl&port=6881&left=0"));
    assert!(announced.contains("8:completei1e"), "{announced}");
    let motd = get(addr, "/motd");
    assert!(motd.ends_with("hello 127.0.0.1, here are 1 peers in 1 torrents\n"), "{motd}");
    let swarms = get(addr, "/swarms");
    assert!(swarms.contains("Transfer-Encoding: chunked"), "{swarms}");
    let row = format!("{} {:>9} {:>9} {:>9}\n", "01".repeat(20), 1, 0, 0);
    assert!(swarms.contains(&row), "{swarms}");
    assert!(get(addr, "/nowhere").starts_with("HTTP/1.1 404"));

    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with("time is up: 1 peers, 1 torrents\n"), "{rest}");
    assert!(program.0.wait().unwrap().success());
}

#[test]
fn a_port_that_is_taken_is_a_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_serve_http"));
    let output = command.arg("--listen").arg(taken.local_addr().unwrap().to_string()).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), error.lines().count()), (Some(1), 1), "{error}");
    assert!(error.starts_with("serve_http: ") && error.contains("127.0.0.1"), "{error}");
}
