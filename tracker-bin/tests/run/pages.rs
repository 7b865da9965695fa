//! What is served beside the tracker itself.

use crate::client::{Client, get};
use crate::place::Place;

#[test]
fn every_path_has_its_answer_on_one_connection() {
    let place = Place::empty();
    let program = place.start(&[]);
    let mut client = program.client();
    let health = client.ask(get("/health"));
    assert_eq!((health.status, health.field("content-type")), (200, Some("application/json")));
    let json: serde_json::Value = serde_json::from_str(health.text()).unwrap();
    assert_eq!(json["status"], "ok");
    assert_eq!(client.ask(get("/health?from=a+supervisor")).status, 200);

    let root = client.ask(get("/"));
    assert_eq!((root.status, root.field("location")), (302, Some("/stats")));
    for path in ["/favicon.ico", "/nothing", "/announce/", "/Health", "/health/", "//", "/../health"] {
        assert_eq!(client.ask(get(path)).status, 404, "{path}");
    }
    program.stop();
}

#[test]
fn head_is_answered_as_get_without_the_body() {
    let place = Place::empty();
    let program = place.start(&[]);
    let mut client = program.client();
    for path in ["/health", "/", "/favicon.ico", "/nothing"] {
        let full = client.ask(get(path));
        let head = client.send(get(path).replace("GET", "HEAD")).head();
        assert_eq!((head.status, &head.fields), (full.status, &full.fields), "{path}");
    }
    // nothing came behind the last one
    assert_eq!(client.ask(get("/health")).status, 200);
    program.stop();
}

#[test]
fn other_methods_are_told_so() {
    let place = Place::empty();
    let program = place.start(&[]);
    let mut client = program.client();
    for method in ["POST", "OPTIONS", "DELETE", "PUT"] {
        for path in ["/health", "/", "/announce", "/nothing"] {
            let answer =
                client.ask(format!("{method} {path} HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nok"));
            assert_eq!((answer.status, answer.field("allow")), (405, Some("GET, HEAD")), "{method} {path}");
        }
    }
    program.stop();
}

#[test]
fn what_is_no_request_is_refused_and_closed() {
    let place = Place::empty();
    let program = place.start(&[]);
    for (nonsense, status) in [
        ("nonsense\r\n\r\n", 400),
        ("GET / HTTP/3.0\r\n\r\n", 505),
        ("BREW / HTTP/1.1\r\nHost: t\r\n\r\n", 501),
    ] {
        let mut client = program.client();
        let answer = client.ask(nonsense);
        assert_eq!((answer.status, answer.field("connection")), (status, Some("close")));
        client.is_gone();
    }
    assert_eq!(Client::new(program.addr()).ask(get("/health")).status, 200);
    program.stop();
}
