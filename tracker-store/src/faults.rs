//! Where things can go wrong: every step of a change on disk passes here, so that tests can stop at each of them.

#[cfg(test)]
pub(crate) use injected::*;
#[cfg(not(test))]
pub(crate) use passed::*;

#[cfg(not(test))]
mod passed {
    use std::fs::File;
    use std::io::{self, Write};

    /// Passed before each step that a crash, or a full disk, can come before. Does nothing outside of this crate's
    /// tests.
    #[inline]
    pub(crate) fn step(_: &'static str) -> io::Result<()> {
        Ok(())
    }

    /// Writes what goes in one call.
    #[inline]
    pub(crate) fn write(_: &'static str, file: &mut File, bytes: &[u8]) -> io::Result<usize> {
        file.write(bytes)
    }
}

#[cfg(test)]
mod deaths;
#[cfg(test)]
mod injected;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod shortages;
