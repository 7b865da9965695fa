//! What was found wrong with a file, as a sentence for the operator.

use std::fmt;
use std::io;

use crate::read::{Tail, Tally};

/// What was found wrong with a file. `Display` is a sentence for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file's name.
    pub file: String,
    /// What is wrong with it.
    pub kind: DamageKind,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DamageKind {
    /// It ends amid a line, as after a crash: that line is cut off.
    Torn,
    /// It ends with a line that lacks only its line end: that is put behind it.
    Unended,
    /// Lines are lost, or there, or something that is no line.
    Corrupt {
        /// Lines that are lost, as far as can be told.
        lost: u64,
        /// Lines that are intact.
        kept: u64,
        /// Lines that were there twice, and count once.
        doubled: u64,
        /// The name of the copy that was put aside, or why there is none yet.
        aside: Result<String, String>,
        /// Whether its last line is there, of a snapshot; what was lost behind the last intact line is not counted.
        is_ended: bool,
    },
}

impl Damage {
    /// Of a file that goes on; `None` if nothing is wrong with it.
    pub(crate) fn of(
        file: &str,
        tally: &Tally,
        aside: impl FnOnce() -> io::Result<String>,
    ) -> Option<Damage> {
        let kind = if tally.is_damaged() {
            let Tally { lost, kept, doubled, .. } = *tally;
            let aside = aside().map_err(|error| error.to_string());
            DamageKind::Corrupt { lost, kept, doubled, aside, is_ended: true }
        } else {
            match tally.tail {
                Tail::Whole => return None,
                Tail::Torn(_) => DamageKind::Torn,
                Tail::Unended => DamageKind::Unended,
            }
        };
        Some(Damage { file: file.to_owned(), kind })
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = &self.file;
        match &self.kind {
            DamageKind::Torn => write!(f, "{file} ended amid a line, which is cut off: nothing else is lost"),
            DamageKind::Unended => write!(f, "{file} lacked its last line end: nothing is lost"),
            DamageKind::Corrupt { lost, kept, doubled, aside, is_ended } => {
                let (lines, are) = if *lost == 1 { ("line", "is") } else { ("lines", "are") };
                write!(f, "{file} is damaged: {lost} {lines} {are} lost, {kept} intact and kept")?;
                if *doubled > 0 {
                    write!(f, ", {doubled} were there twice")?;
                }
                if !is_ended {
                    f.write_str(", and its end is missing")?;
                }
                match aside {
                    Ok(name) => write!(f, "; the damaged file is kept as {name}"),
                    Err(error) => write!(f, "; it could not be copied aside yet: {error}"),
                }
            }
        }
    }
}
