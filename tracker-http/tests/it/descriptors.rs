//! A server that runs out of descriptors, in a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use tracker_http::Happening;

use crate::client::Client;
use crate::site::{announce, get, run};

/// Serves until its standard input is closed. It is run by the test below, with few descriptors.
#[test]
#[ignore = "the server's side of the other test"]
fn serve_until_stdin_is_closed() {
    run(|site| {
        println!("\nat {}", site.addr());
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        println!("\nfailed {}", site.happened(Happening::AcceptFailed));
    });
}

#[test]
fn a_server_out_of_descriptors_serves_those_it_has_and_goes_on_with_the_others() {
    const CLIENTS: u16 = 60;
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -n 40 && exec \"$0\" --exact --ignored --nocapture descriptors::serve_until_stdin_is_closed"])
        .arg(std::env::current_exe().unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut find = |name: &str| lines.find_map(|line| line.strip_prefix(name).map(str::to_owned)).unwrap();
    let addr: SocketAddr = find("at ").parse().unwrap();
    let mut clients: Vec<Client> = (1..=CLIENTS)
        .map(|port| {
            let mut client = Client::new(addr);
            client.send(announce(1, port).numwant(0).request());
            client
        })
        .collect();
    // those that are in hold their places, and are served on
    for _ in 0..3 {
        assert_eq!(clients[0].answer().status, 200);
        clients[0].send(get("/health")).answer();
        clients[0].send(announce(1, 1).request());
    }
    // each that goes lets another one in: without that, this would wait for ever
    for mut client in clients {
        assert_eq!(client.answer().bencode().int("complete"), 0);
    }
    let mut late = Client::new(addr);
    assert_eq!(late.tell(announce(1, 1).request()).counts(), (0, i64::from(CLIENTS), 0));
    drop((late, child.stdin.take()));
    let failed: u64 = find("failed ").parse().unwrap();
    assert!(failed > 0, "it never ran out of descriptors");
    assert!(failed < 1000, "it tried {failed} times");
    assert!(child.wait().unwrap().success());
}
