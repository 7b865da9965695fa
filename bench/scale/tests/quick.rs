//! Both measurements run from end to end, with few peers and for a moment: what they show is not looked at closely.

use std::path::Path;
use std::process::Command;

fn run(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_scale"))
        .args(args)
        .output()
        .expect("the program that was just built");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
    text
}

/// The cells of the row that begins so, in the table that has such a head.
fn row<'t>(text: &'t str, table: &str, name: &str) -> Vec<&'t str> {
    let table = text.split("\n\n").find(|part| part.starts_with(&format!("| {table} |"))).expect(table);
    let row = table.lines().find(|line| line.starts_with(&format!("| {name} |"))).expect(name);
    row.trim_matches('|').split('|').map(str::trim).collect()
}

fn number(text: &str) -> u64 {
    text.replace(',', "").parse().expect(text)
}

#[test]
fn a_crowd_comes_announces_is_swept_and_written_down() {
    let place = tempfile::tempdir().unwrap();
    let document = place.path().join("page.md");
    std::fs::write(&document, "Before.\n<!-- crowd -->\n<!-- end of crowd -->\nAfter.\n").unwrap();
    let path = document.to_str().unwrap();
    let text = run(&["crowd", "--peers", "20000", "--seconds", "0.3", "--write", path]);
    assert_eq!(row(&text, "", "filling, all together")[1], "20,000");
    let filling = row(&text, "meanwhile", "filling, all together");
    assert!(number(filling[1]) >= 1 && number(filling[5]) >= 1, "{filling:?}");
    let stale = row(&text, "meanwhile", "all have gone stale at once");
    assert!(number(stale[3]) >= 15_000 && number(stale[4]) >= 3_000, "{stale:?}");
    let written = std::fs::read_to_string(&document).unwrap();
    assert!(written.starts_with("Before.\n") && written.ends_with("After.\n"));
    assert!(written.contains("| filling, all together | 20,000 |"), "{written}");
}

#[test]
fn sizes_are_measured_and_drawn() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().to_str().unwrap();
    let text = run(&["sizes", "--most", "10000", "--rounds", "1", "--announces", "1000", "--out", out]);
    assert!(text.contains("| one torrent: any peer asks for 50 |"), "{text}");
    let csv = std::fs::read_to_string(place.path().join("scale.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + 4 * 2 * 2 * 2 + 2, "{csv}");
    let plot = std::fs::read_to_string(Path::new(out).join("scale.svg")).unwrap();
    assert!(plot.starts_with("<svg") && plot.contains("Any peer announces, for 50 peers"));
}
