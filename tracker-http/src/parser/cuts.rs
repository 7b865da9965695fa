//! Any bytes, whole and cut anywhere.

use proptest::prelude::*;

use super::*;

/// Requests over the whole grammar, with much that is unusual in them, and some that is wrong.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let end = prop_oneof![4 => Just("\r\n"), 1 => Just("\n")];
    let empty = prop_oneof![4 => Just(""), 1 => Just("\r\n"), 1 => Just("\n\r\n")];
    let method = prop_oneof![6 => Just("GET"), 1 => Just("HEAD"), 1 => Just("POST"), 1 => "[A-Z]{1,3}".prop_map(|_| "TRACE")];
    let target = prop_oneof![
        4 => "/(announce|scrape|)(\\?[!-~]{0,60})?",
        1 => "/announce \\?[!-~]{0,20}",
        1 => "https?://[a-z:0-9]{0,9}[!-~]{0,20}",
        1 => "[!-~\u{80}-\u{7ff}]{1,20}",
        1 => "/[ -~]{0,20}",
    ];
    let version = prop_oneof![8 => Just("HTTP/1.1"), 2 => Just("HTTP/1.0"), 1 => Just("HTTP/1.2"), 1 => Just("HTTP/2.0")];
    let field = prop_oneof![
        2 => Just("Connection: keep-alive".to_owned()),
        1 => Just("connection:close".to_owned()),
        1 => Just("Content-Length: 17".to_owned()),
        1 => Just("Transfer-Encoding: chunked".to_owned()),
        1 => Just("Expect: 100-continue".to_owned()),
        6 => "[!#-'*-.0-9A-Z^-z|~]{1,17}:[\t -~\u{80}-\u{7ff}]{0,30}",
    ];
    let fields = proptest::collection::vec((field, end.clone()), 0..6);
    let host = prop_oneof![8 => Just("Host: t"), 1 => Just("HOST:")];
    (empty, method, target, version, end.clone(), (host, end.clone()), fields, end).prop_map(
        |(empty, method, target, version, line_end, (host, host_end), fields, end)| {
            let mut text = format!("{empty}{method} {target} {version}{line_end}{host}{host_end}");
            fields.iter().for_each(|(field, end)| text += &format!("{field}{end}"));
            (text + end).into_bytes()
        },
    )
}

/// That a message is accepted whole, partial before its end, and the same in parts; or refused in all ways.
fn same_in_parts(bytes: &[u8], limits: &Limits) -> Result<(), TestCaseError> {
    let whole = parse(bytes, limits);
    let mut searched = 0;
    for end in 0..=bytes.len() {
        let (part, before) = (&bytes[..end], searched);
        let at_once = parse(part, limits);
        let resumed = parse_resumed(part, &mut searched, limits);
        prop_assert_eq!(at_once, resumed, "{} after {}", part.escape_ascii(), before);
        match (at_once, whole) {
            (Ok(Status::Complete(request)), _) => {
                prop_assert_eq!((request.head_len, searched), (end, 0));
                prop_assert_eq!(whole, at_once);
                return Ok(());
            }
            (Ok(Status::Partial), _) => prop_assert_eq!(searched, end),
            // once refused, always refused
            (Err(_), _) => {
                prop_assert!(whole.is_err(), "{}", part.escape_ascii());
                return Ok(());
            }
        }
    }
    prop_assert_eq!(whole, Ok(Status::Partial));
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        same_in_parts(&bytes, &Limits::default())?;
        let behind = [&b"GET / HTTP/1.1\r\nHost: t\r\n"[..], &bytes].concat();
        same_in_parts(&behind, &Limits::default())?;
    }

    #[test]
    fn every_cut_of_a_message(bytes in message()) {
        same_in_parts(&bytes, &Limits::default())?;
    }

    #[test]
    fn every_cut_of_a_broken_message(
        mut bytes in message(),
        at: prop::sample::Index,
        new in prop_oneof![Just(b'\r'), Just(b'\n'), Just(b' '), Just(b':'), Just(0), any::<u8>()],
        insert: bool,
    ) {
        let at = at.index(bytes.len());
        if insert { bytes.insert(at, new) } else { bytes[at] = new }
        same_in_parts(&bytes, &Limits::default())?;
    }

    #[test]
    fn every_cut_with_small_limits(bytes in message(), target in 0..40_usize, head in 0..80_usize, fields in 0..6_usize) {
        same_in_parts(&bytes, &Limits { target, head, fields, body: 16 })?;
    }

    /// What is recognised by its shape is what the grammar says.
    #[test]
    fn the_usual_line_is_no_other(bytes in message(), target in 0..100_usize) {
        let limits = Limits { target, ..Limits::default() };
        if let Some((usual, length)) = usual_line(&bytes, &limits) {
            prop_assert_eq!(bytes[length - 1], b'\n');
            prop_assert!(!bytes[..length - 1].contains(&b'\n'));
            prop_assert_eq!(request_line(strip_cr(&bytes[..length - 1]), &limits), Ok(usual));
        }
    }

    #[test]
    fn what_lies_behind_changes_nothing(bytes in message(), more in proptest::collection::vec(any::<u8>(), 1..50)) {
        if let Ok(Status::Complete(request)) = parse(&bytes, &Limits::default()) {
            let longer = [&bytes[..], &more].concat();
            prop_assert_eq!(parse(&longer, &Limits::default()), Ok(Status::Complete(request)));
        }
    }
}
