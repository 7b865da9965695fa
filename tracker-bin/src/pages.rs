//! What is served beside the tracker itself.

use std::net::IpAddr;

use parking_lot::Mutex;
use tracker_http::parser::Request;
use tracker_http::{Context, Reply, Service};

/// Whether everything works, and what does not.
#[derive(Debug, Default)]
pub struct Health {
    /// One sentence for each thing that does not work.
    troubles: Mutex<Vec<&'static str>>,
}

impl Health {
    /// Notes that something does not work.
    pub fn trouble(&self, what: &'static str) {
        let mut troubles = self.troubles.lock();
        if !troubles.contains(&what) {
            troubles.push(what);
        }
    }

    /// Notes that it works again.
    pub fn over(&self, what: &'static str) {
        self.troubles.lock().retain(|trouble| *trouble != what);
    }

    /// `{"status":"ok"}`, or `degraded` and why.
    fn json(&self) -> String {
        let troubles = self.troubles.lock();
        if troubles.is_empty() {
            return "{\"status\":\"ok\"}\n".to_owned();
        }
        format!("{{\"status\":\"degraded\",\"why\":\"{}\"}}\n", troubles.join("; "))
    }
}

/// `/health`, and the way from `/` to `/stats`.
#[derive(Debug)]
pub struct Pages<'a> {
    /// What `/health` shows.
    pub health: &'a Health,
}

impl Service for Pages<'_> {
    fn call(&self, request: &Request<'_>, _: IpAddr, _: &mut Context, reply: &mut Reply<'_>) {
        match request.path {
            b"/" => reply.send(302, "text/plain", &[("Location", "/stats")], b"see /stats\n"),
            b"/health" => {
                let body = self.health.json();
                reply.send(200, "application/json", &[("Cache-Control", "no-store")], body.as_bytes());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn troubles_come_and_go() {
        let health = Health::default();
        assert_eq!(health.json(), "{\"status\":\"ok\"}\n");
        health.trouble("the disk is full");
        health.trouble("the disk is full");
        health.trouble("it rains");
        assert_eq!(health.json(), "{\"status\":\"degraded\",\"why\":\"the disk is full; it rains\"}\n");
        health.over("the disk is full");
        health.over("it rains");
        assert_eq!(health.json(), "{\"status\":\"ok\"}\n");
    }
}
