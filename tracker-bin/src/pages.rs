//! What is served beside the tracker itself.

use std::net::IpAddr;
use std::time::Duration;

use parking_lot::Mutex;
use tracker_http::parser::Request;
use tracker_http::{Context, Reply, Route, Service};

use crate::dashboard::{Json, Page, metrics, wish};
use crate::keeper::Keeping;
use crate::statistics::Statistics;
use crate::visibility::Visibility;

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

/// `/health`, the statistics, and the way from `/` to them.
#[derive(Debug)]
pub struct Pages<'a> {
    /// What `/health` shows.
    pub health: &'a Health,
    /// What the others show.
    pub statistics: &'a Statistics<'a>,
    /// How the data directory fares, for metrics.
    pub keeping: &'a Keeping,
    /// Who sees them.
    pub visibility: &'a Visibility,
    /// How often samples are taken, which the page says.
    pub sample_every: Duration,
    /// `/stats`
    pub page: Page,
    /// `/stats.json`
    pub json: Json,
}

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Said with all of them: what is what it is called, and no other site is told of it.
const NOSNIFF: (&str, &str) = ("X-Content-Type-Options", "nosniff");
const NO_REFERRER: (&str, &str) = ("Referrer-Policy", "no-referrer");
/// It is old a second later.
const NO_STORE: (&str, &str) = ("Cache-Control", "no-store");
/// It may be kept, and is to be asked for by its tag.
const NO_CACHE: (&str, &str) = ("Cache-Control", "no-cache");

impl Service for Pages<'_> {
    fn call(&self, request: &Request<'_>, client: IpAddr, _: &mut Context, reply: &mut Reply<'_>) {
        let route = match request.path {
            b"/" => return reply.send(302, "text/plain", &[("Location", "/stats")], b"see /stats\n"),
            b"/health" => Route::Health,
            b"/stats" | b"/stats.json" => Route::Stats,
            b"/metrics" => Route::Metrics,
            _ => return,
        };
        reply.route(route);
        if reply.is_unread() {
            return reply.text(|_| ());
        }
        match (request.path, route) {
            (_, Route::Health) => {
                reply.send(200, JSON, &[NO_STORE, NOSNIFF], self.health.json().as_bytes());
            }
            _ if !self.visibility.permits(client) => {
                reply.send(403, TEXT, &[NO_STORE, NOSNIFF], b"statistics are not shown to this address\n");
            }
            (_, Route::Metrics) => {
                let body = metrics(self.statistics, self.keeping);
                reply.send(200, METRICS, &[NO_STORE, NOSNIFF], body.as_bytes());
            }
            (b"/stats", _) => self.page(request, reply),
            _ => self.json(request, reply),
        }
    }
}

impl Pages<'_> {
    fn page(&self, request: &Request<'_>, reply: &mut Reply<'_>) {
        let Page { html, etag, policy } = &self.page;
        if self.page.is_known(request.header("if-none-match")) {
            return reply.send(304, "", &[NO_CACHE, ("ETag", etag)], b"");
        }
        let extra = [NO_CACHE, ("ETag", etag), ("Content-Security-Policy", policy), NOSNIFF, NO_REFERRER];
        reply.share(200, "text/html; charset=utf-8", &extra, html.clone());
    }

    fn json(&self, request: &Request<'_>, reply: &mut Reply<'_>) {
        match wish(request.query.unwrap_or_default()) {
            Ok((period, grouping)) => {
                let body = self.json.body(self.statistics, period, grouping, self.sample_every);
                reply.share(200, JSON, &[NO_STORE, NOSNIFF], body);
            }
            Err((parameter, error)) => {
                reply.send(400, TEXT, &[NO_STORE, NOSNIFF], format!("{parameter} {error}\n").as_bytes());
            }
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
