//! The HTTP around the answers.

use std::time::Duration;

use super::finding::Level;
use super::probe::{NO_ANSWER, Probe, Topic, Wish};
use super::swarm;
use crate::answer::Announced;
use crate::ask::AskError;
use crate::connection::Response;
use crate::response::Body;

/// How long a tracker may take to close a connection that was to be closed.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// The third peer joins over HTTP/1.0.
pub(super) fn old(probe: &mut Probe<'_>) {
    let topic = Topic { check: "http.1_0", asked: "announce over HTTP/1.0" };
    let target = probe.target(&Wish::of(2, "&compact=1&event=started&numwant=200"));
    let request = probe.request_with("GET", &target, "HTTP/1.0", "");
    probe.shows(2, probe.addr);
    let asked = probe.connect(probe.addr, 1).and_then(|mut connection| {
        connection.send(request.as_bytes())?;
        let response = connection.receive()?;
        Ok((response, connection.wait_for_close(PATIENCE.min(probe.options.timeout)).1))
    });
    let (response, has_closed) = match asked {
        Ok(asked) => asked,
        Err(error) => {
            probe.find(topic, Level::Wrong, error.to_string(), NO_ANSWER);
            return;
        }
    };
    let is_chunked = response.framing == Body::Chunked;
    let Some((announced, _)) = probe.understand(topic, response) else { return };
    probe.joins(2, probe.addr);
    swarm::itself(probe, 2, &announced);
    if is_chunked {
        let remedy = "send no Transfer-Encoding to a client of HTTP/1.0, which knows none";
        probe.find(topic, Level::Wrong, "a chunked answer", remedy);
    } else if !has_closed {
        let remedy = "close after the answer unless the client asks for keep-alive: it waits for the end";
        probe.find(topic, Level::Warning, "answered, but the connection stays open", remedy);
    } else {
        probe.ok(topic, "answered and closed");
    }
}

/// Header names in another case.
pub(super) fn headers(probe: &mut Probe<'_>) {
    if !probe.goes_on() {
        return;
    }
    let topic = Topic { check: "http.header_case", asked: "headers as hOST:" };
    let target = probe.target(&Wish::of(0, "&compact=1"));
    let request = format!(
        "GET {target} HTTP/1.1\r\nhOST: {}\r\nACCEPT: */*\r\ncOnNeCtIoN: cLoSe\r\n\r\n",
        probe.url.host_header()
    );
    if probe.announce_as(topic, probe.addr, &request).is_some() {
        probe.ok(topic, "the same");
    }
}

/// Two requests one after the other over one connection, then two at once.
pub(super) fn keep_alive(probe: &mut Probe<'_>) {
    if !probe.goes_on() {
        return;
    }
    let topic = Topic { check: "http.keep_alive", asked: "two requests, one connection" };
    let first = probe.target(&Wish::of(0, "&compact=1&numwant=200"));
    let second = probe.target(&Wish::of(1, "&compact=1&numwant=200"));
    let first = probe.request_with("GET", &first, "HTTP/1.1", "");
    let last = probe.request_with("GET", &second, "HTTP/1.1", "Connection: close\r\n");
    probe.shows(0, probe.addr);
    probe.shows(1, probe.addr);
    let mut closes = false;
    let asked = probe.connect(probe.addr, 2).and_then(|mut connection| {
        connection.send(first.as_bytes())?;
        closes = connection.receive()?.closes;
        if !closes {
            connection.send(last.as_bytes())?;
            connection.receive()?;
        }
        Ok(())
    });
    match asked {
        Ok(()) if closes => {
            let came = "closed after the first answer, as it says";
            probe.find(
                topic,
                Level::Note,
                came,
                "every announce costs a connection: allow keep-alive if you can",
            );
            return;
        }
        Ok(()) => probe.ok(topic, "both answered"),
        Err(error) => {
            let remedy = "say Connection: close where the connection ends with an answer";
            probe.find(topic, Level::Warning, error.to_string(), remedy);
            return;
        }
    }
    pipeline(probe, &format!("{first}{last}"));
}

fn pipeline(probe: &mut Probe<'_>, both: &str) {
    let topic = Topic { check: "http.pipelining", asked: "two requests at once" };
    let mut answers: Vec<Response> = Vec::new();
    let asked: Result<(), AskError> = probe.connect(probe.addr, 2).and_then(|mut connection| {
        connection.send(both.as_bytes())?;
        for _ in 0..2 {
            answers.push(connection.receive()?);
        }
        Ok(())
    });
    if let Err(error) = asked {
        let which = ["neither is answered", "only the first is answered"][answers.len().min(1)];
        let remedy =
            "read on behind a request where the next one begins: libtorrent sends its goodbyes like this";
        probe.find(topic, Level::Warning, format!("{which}: {error}"), remedy);
        return;
    }
    let is_told_of = |answer: usize, peer: usize| {
        let announced = Announced::read(&answers[answer].body).unwrap_or_default();
        announced.peers.iter().any(|found| found.port() == probe.peers[peer].port)
    };
    // the first is told of the second, and not of itself
    if probe.is_told && !is_told_of(0, 1) && is_told_of(0, 0) {
        let remedy = "answer in the order of the requests: a client knows them by nothing else";
        probe.find(topic, Level::Wrong, "answered in another order", remedy);
    } else {
        probe.ok(topic, "both answered, in order");
    }
}

/// What has no body has none.
pub(super) fn head(probe: &mut Probe<'_>) {
    if !probe.goes_on() {
        return;
    }
    let topic = Topic { check: "http.head", asked: "HEAD" };
    let target = probe.target(&Wish::of(0, "&compact=1"));
    let request = probe.request_with("HEAD", &target, "HTTP/1.1", "Connection: close\r\n");
    let asked = probe.connect(probe.addr, 1).and_then(|mut connection| {
        connection.send(request.as_bytes())?;
        let response = connection.receive_head()?;
        Ok((response, connection.wait_for_close(PATIENCE.min(probe.options.timeout)).0))
    });
    match asked {
        Ok((_, body @ 1..)) => {
            let remedy = "send the header only: what follows is taken for the next answer";
            probe.find(topic, Level::Note, format!("a body of {body} bytes"), remedy);
        }
        Ok((response, _)) if response.status == probe.status => {
            probe.ok(topic, format!("{} without a body", response.status));
        }
        Ok((response, _)) => {
            let came = format!("status {} {}", response.status, response.reason());
            probe.find(topic, Level::Note, came.trim_end(), "");
        }
        Err(error) => probe.find(topic, Level::Note, error.to_string(), ""),
    }
}
