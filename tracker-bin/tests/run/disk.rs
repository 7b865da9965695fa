//! A data directory that fails in ways other than a full disk: something else stands where it was, or where one of its files was.

use crate::client::{get, hex};
use crate::place::Place;
use crate::program::{Program, until};

const FAST: &str = "(store: (sample_every: \"1s\", snapshot_every: \"1s\"))";
const DATA: &str = "tracker-data";

/// Announces ten peers of a torrent, who are counted.
#[track_caller]
fn serves(program: &Program, torrent: u8) {
    let mut client = program.client();
    for port in 1000..1010 {
        client.announce(torrent, port, "");
    }
    assert_eq!(client.scrape(torrent), [0, 0, 10]);
}

/// Has the program meet `trouble` while it runs, serve all the same and say so, and catch up when it is `over`.
#[track_caller]
fn is_caught_up_with(trouble: impl FnOnce(&Place), over: impl FnOnce(&Place)) {
    let place = Place::config(FAST);
    let mut program = place.start_configured(&[]);
    serves(&program, 1);
    until("there are snapshots", || place.path("tracker-data/swarms.ron.1").exists());
    trouble(&place);
    serves(&program, 2);
    program.says("could not be written: ");
    until("it says so", || program.client().ask(get("/health")).text_contains("degraded"));
    serves(&program, 3);
    over(&place);
    program.says("the data directory can be written to again");
    until("it is well again", || program.client().ask(get("/health")).text_contains("\"ok\""));
    until("the snapshot has all", || place.read("tracker-data/swarms.ron").contains(&hex(3)));
    program.signal("KILL");
    program.end();
    let program = place.start_configured(&[]);
    for torrent in 1..=3 {
        assert_eq!(program.client().scrape(torrent), [0, 0, 10]);
    }
    program.stop();
}

#[test]
fn a_file_stands_where_the_directory_was() {
    is_caught_up_with(
        |place| {
            std::fs::rename(place.path(DATA), place.path("away")).unwrap();
            place.write(DATA, "in the way");
        },
        |place| {
            std::fs::remove_file(place.path(DATA)).unwrap();
            std::fs::rename(place.path("away"), place.path(DATA)).unwrap();
        },
    );
}

#[test]
fn a_directory_stands_where_the_snapshot_was() {
    is_caught_up_with(
        |place| {
            // a snapshot is written beside and put in its place, where there must be no directory with something in it
            let dir = place.path("tracker-data/swarms.ron");
            until("the directory is in the place", || {
                let _ = std::fs::remove_file(&dir);
                std::fs::create_dir(&dir).is_ok() && std::fs::write(dir.join("x"), "").is_ok()
            });
            until("it stays there", || {
                // the one that was there may have become the one before
                let _ = std::fs::create_dir_all(&dir).and_then(|()| std::fs::write(dir.join("x"), ""));
                let before = place.path("tracker-data/swarms.ron.1");
                let _ = std::fs::create_dir_all(&before).and_then(|()| std::fs::write(before.join("x"), ""));
                let _ = std::fs::remove_file(&before);
                dir.is_dir() && before.is_dir()
            });
        },
        |place| {
            for name in ["swarms.ron", "swarms.ron.1"] {
                std::fs::remove_dir_all(place.path(&format!("tracker-data/{name}"))).unwrap();
            }
        },
    );
}

#[cfg(unix)]
#[test]
fn the_directory_may_not_be_written_to_any_more() {
    use std::os::unix::fs::PermissionsExt;
    let set = |place: &Place, mode| {
        std::fs::set_permissions(place.path(DATA), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let place = Place::empty();
    std::fs::create_dir(place.path(DATA)).unwrap();
    set(&place, 0o500);
    if std::fs::File::create(place.path("tracker-data/try")).is_ok() {
        println!("skipped: this user may write everywhere");
        return;
    }
    is_caught_up_with(|place| set(place, 0o500), |place| set(place, 0o700));
}
