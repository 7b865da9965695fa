//! What the program does instead of serving.

use std::process::{Command, Stdio};

use crate::place::{Place, text};

#[test]
fn the_manual_page_and_the_completions_are_printed_and_nothing_else_happens() {
    let place = Place::empty();
    let page = place.run(&["man"]);
    assert!(page.status.success() && page.stderr.is_empty(), "{}", text(&page.stderr));
    assert!(text(&page.stdout).contains(".SH \"EXIT STATUS\""));
    for (shell, part) in
        [("bash", "complete -F"), ("zsh", "#compdef tracker"), ("fish", "complete -c tracker")]
    {
        let script = place.run(&["completions", shell]);
        assert!(script.status.success() && script.stderr.is_empty(), "{}", text(&script.stderr));
        assert!(text(&script.stdout).contains(part), "{shell}");
    }
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn a_word_that_is_none_of_them_is_refused_in_one_sentence() {
    let place = Place::empty();
    for (args, part) in [
        (&["mann"][..], "did you mean man?"),
        (&["completions"], "<SHELL>"),
        (&["completions", "ksh"], "bash"),
        (&["--listen", "127.0.0.1:0", "man"], "--listen"),
    ] {
        let sentence = place.refusal(args);
        assert!(sentence.contains(part), "{sentence}");
    }
}

/// Whether a shell is there, and takes the script without a word.
fn takes(shell: &str, check: &[&str], script: &std::path::Path) {
    let shell_is_there = Command::new(shell)
        .args(["-c", "true"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !shell_is_there {
        println!("skipped: there is no {shell}");
        return;
    }
    let output = Command::new(shell).args(check).arg(script).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{shell}: {}", text(&output.stderr));
}

#[test]
fn the_shells_take_their_completions() {
    let place = Place::empty();
    for (shell, check) in
        [("bash", &["-n"][..]), ("zsh", &["-n"]), ("fish", &["--no-config", "--no-execute"])]
    {
        let script = place.run(&["completions", shell]).stdout;
        place.write(shell, script);
        takes(shell, check, &place.path(shell));
    }
}
