//! A configuration file.

use std::path::Path;

use tracker_bin::cli::Options;
use tracker_bin::config::print;
use tracker_bin::settings::Settings;

/// What is accepted is printed so that it is accepted again, as the same settings and the same text. What is refused is
/// refused with one line that names the file.
pub fn config(data: &[u8]) {
    match Settings::read(Path::new("t.ron"), data, Options::default()) {
        Err(error) => {
            let sentence = error.to_string();
            assert!(sentence.starts_with("t.ron:") || !sentence.contains("t.ron"), "{sentence:?}");
            assert!(!sentence.contains(char::is_control), "{sentence:?}");
            assert!(sentence.len() < 600, "{sentence:?}");
        }
        Ok(settings) => {
            let text = print(&settings.config);
            let again = match Settings::read(Path::new("t.ron"), text.as_bytes(), Options::default()) {
                Ok(again) => again,
                Err(error) => panic!("{error} in what was printed:\n{text}"),
            };
            assert_eq!(again.config, settings.config, "{text}");
            assert_eq!(print(&again.config), text);
        }
    }
}
