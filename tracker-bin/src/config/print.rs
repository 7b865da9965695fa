//! The configuration as a file that explains itself.

use std::fmt::Write;

use super::Config;

/// The settings as RON with the documentation of each key as comments. It reads as the same settings.
pub fn print(config: &Config) -> String {
    let mut text = String::from("(\n");
    for (name, section) in config.sections() {
        comment(&mut text, "    ", section.docs());
        line(&mut text, format_args!("    {name}: ("));
        for entry in section.entries() {
            comment(&mut text, "        ", entry.docs);
            line(&mut text, format_args!("        {}: {},", entry.key, entry.value));
        }
        line(&mut text, format_args!("    ),"));
    }
    text.push_str(")\n");
    text
}

fn comment(text: &mut String, indent: &str, docs: &[&str]) {
    docs.iter().for_each(|doc| line(text, format_args!("{indent}//{doc}")));
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // writing to a String cannot fail
    let _ = writeln!(text, "{line}");
}
