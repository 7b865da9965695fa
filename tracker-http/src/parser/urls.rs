//! Targets held against an independent reader of URLs, the `url` crate, as far as both have rules for them.

use proptest::prelude::*;
use url::Url;

use super::*;

proptest! {
    #[test]
    fn absolute_targets_are_taken_apart_as_urls_are(
        host in "[a-z][a-z0-9]{0,9}(\\.[a-z]{2,5})?|127\\.0\\.0\\.1|\\[::1\\]",
        port in proptest::option::of(1024..u16::MAX),
        path in proptest::option::of("(/[a-z0-9._~-]{1,8}){1,3}/?"),
        query in proptest::option::of("[a-zA-Z0-9%=&+?/:;,._~-]{0,40}"),
    ) {
        let mut target = format!("http://{host}");
        port.inspect(|port| target += &format!(":{port}"));
        path.inspect(|path| target += path);
        query.inspect(|query| target += &format!("?{query}"));
        // a URL's dots move between directories; a request's path is taken as it is
        prop_assume!(!target.contains("/.") && !target.contains("/%2e"));
        let url = Url::parse(&target).expect("a URL");

        let text = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let Ok(Status::Complete(request)) = parse(text.as_bytes(), &Limits::default()) else {
            panic!("{target} was not accepted");
        };
        prop_assert_eq!(request.path, url.path().as_bytes());
        prop_assert_eq!(request.query, url.query().map(str::as_bytes));
    }
}
