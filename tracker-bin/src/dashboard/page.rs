//! `/stats`: one page, put together when the program starts, with everything that it needs in it.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const HTML: &str = include_str!("../../assets/stats.html");
const STYLES: [&str; 2] =
    [include_str!("../../assets/vendor/uplot/uPlot.min.css"), include_str!("../../assets/stats.css")];
const CHARTS: [&str; 1] = [include_str!("../../assets/vendor/uplot/uPlot.iife.min.js")];
/// In this order: each uses those before it.
const SCRIPTS: [&str; 11] = [
    include_str!("../../assets/stats/format.js"),
    include_str!("../../assets/stats/columns.js"),
    include_str!("../../assets/stats/theme.js"),
    include_str!("../../assets/stats/figures.js"),
    include_str!("../../assets/stats/shapes.js"),
    include_str!("../../assets/stats/chart.js"),
    include_str!("../../assets/stats/legend.js"),
    include_str!("../../assets/stats/zoom.js"),
    include_str!("../../assets/stats/table.js"),
    include_str!("../../assets/stats/loading.js"),
    include_str!("../../assets/stats/page.js"),
];

/// The page, and what is said about it.
#[derive(Debug)]
pub struct Page {
    /// UTF-8 text.
    pub html: Arc<[u8]>,
    /// A strong validator (RFC 9110 §8.8.3), quotes included: another build of the page has another one.
    pub etag: String,
    /// The value of `Content-Security-Policy`: nothing but what is in the page runs, and it talks to its own server only.
    pub policy: String,
}

impl Page {
    /// Puts the page together.
    pub fn new() -> Page {
        let mut html = HTML.to_owned();
        let mut embed = |place: &str, parts: &[&str]| {
            let text = parts.iter().map(|part| without_comments(part)).collect::<Vec<_>>().join("\n");
            debug_assert_eq!(html.matches(place).count(), 1, "{place}");
            html = html.replacen(place, &text, 1);
            format!("'sha256-{}'", STANDARD.encode(Sha256::digest(&text)))
        };
        let style = embed("/*STYLE*/", &STYLES);
        let charts = embed("/*UPLOT*/", &CHARTS);
        let script = embed("/*SCRIPT*/", &SCRIPTS);
        let etag = Sha256::digest(&html)[..12].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        Page {
            html: html.into_bytes().into(),
            etag: format!("\"{etag}\""),
            policy: format!(
                "default-src 'none'; script-src {charts} {script}; style-src {style}; img-src data:; \
                 connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            ),
        }
    }

    /// Whether a client that sends these values of `If-None-Match` has the page already (RFC 9110 §13.1.2).
    pub fn is_known<'v>(&self, mut if_none_match: impl Iterator<Item = &'v [u8]>) -> bool {
        if_none_match.any(|value| {
            value
                .split(|&byte| byte == b',')
                .map(<[u8]>::trim_ascii)
                .any(|tag| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == self.etag.as_bytes())
        })
    }
}

/// A script or a style without the lines that are comments: these are for who reads the source.
fn without_comments(text: &str) -> String {
    let is_comment = |line: &&str| {
        let line = line.trim();
        line.starts_with("// ") || line.starts_with("/* ") && line.ends_with(" */")
    };
    text.lines().filter(|line| !is_comment(line)).collect::<Vec<_>>().join("\n")
}

impl Default for Page {
    fn default() -> Self {
        Page::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands between `<tag>` and `</tag>`, each time.
    fn inside<'h>(html: &'h str, tag: &str) -> Vec<&'h str> {
        html.split(&format!("<{tag}>"))
            .skip(1)
            .map(|rest| rest.split(&format!("</{tag}>")).next().unwrap())
            .collect()
    }

    #[test]
    fn all_that_is_inline_is_named_by_the_policy_and_nothing_else_is_there() {
        let page = Page::new();
        let html = std::str::from_utf8(&page.html).unwrap();
        let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
        let scripts: Vec<_> = inside(html, "script").into_iter().map(hash).collect();
        let styles: Vec<_> = inside(html, "style").into_iter().map(hash).collect();
        assert_eq!((scripts.len(), styles.len()), (2, 1));
        assert!(page.policy.contains(&format!(
            "script-src {}; style-src {};",
            scripts.join(" "),
            styles.join(" ")
        )));
        assert!(!page.policy.contains("unsafe") && !page.policy.contains("http"));
        for forbidden in
            ["<script ", "<link rel=\"stylesheet", " onclick=", " onload=", " style=\"", "<img", "<iframe"]
        {
            let markup =
                html.split("<script>").next().unwrap().to_owned() + html.rsplit("</script>").next().unwrap();
            assert!(!markup.contains(forbidden), "{forbidden}");
        }
    }

    #[test]
    fn it_stays_small() {
        assert!(Page::new().html.len() < 120_000, "{} bytes", Page::new().html.len());
    }

    #[test]
    fn choices_are_in_it_as_served() {
        let page = Page::new();
        let html = std::str::from_utf8(&page.html).unwrap();
        let options = |name: &str| {
            let select =
                html.split(&format!("name=\"{name}\"")).nth(1).unwrap().split("</select>").next().unwrap();
            let values = select.split("value=\"").skip(1);
            values.map(|rest| rest.split('"').next().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(options("period"), tracker_store::Period::ALL.map(tracker_store::Period::name));
        assert_eq!(options("group"), tracker_store::Grouping::ALL.map(tracker_store::Grouping::name));
    }

    #[test]
    fn who_has_it_is_known_by_its_tag() {
        let page = Page::new();
        let known = |value: &str| page.is_known(std::iter::once(value.as_bytes()));
        assert!(known(&page.etag) && known("*") && known(&format!("\"x\", W/{}", page.etag)));
        assert!(!known("\"x\"") && !known("") && !known(page.etag.trim_matches('"')));
        assert!(!page.is_known(std::iter::empty()));
    }
}
