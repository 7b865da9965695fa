//! What the operating system asks of the running program.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator;

use crate::error::Error;

/// A wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM or SIGINT: end in an orderly way. A second one ends the process at once, and is never seen here.
    Stop,
    /// SIGHUP: read the configuration and its lists again.
    Reload,
}

/// The signals as they come: an iterator that blocks until the next one, and ends when it is [closed](Closer).
#[derive(Debug)]
pub struct Signals(iterator::Signals);

/// Ends the iteration from another thread.
#[derive(Clone, Debug)]
pub struct Closer(iterator::Handle);

impl Signals {
    /// Catches the signals from now on. To be called before anybody is told that the program is ready.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn install() -> Result<Signals, Error> {
        Signals::try_install().map_err(Error::Signals)
    }

    fn try_install() -> io::Result<Signals> {
        // before anything else catches one of them: a signal that only the flag has seen would be lost
        let signals = iterator::Signals::new([SIGTERM, SIGINT, SIGHUP])?;
        let stopping = Arc::new(AtomicBool::new(false));
        for signal in [SIGTERM, SIGINT] {
            // in this order: the first signal finds the flag down and raises it, the second finds it up
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stopping))?;
            flag::register(signal, Arc::clone(&stopping))?;
        }
        Ok(Signals(signals))
    }

    /// What ends the iteration.
    pub fn closer(&self) -> Closer {
        Closer(self.0.handle())
    }
}

impl Closer {
    /// Ends the iteration.
    pub fn close(&self) {
        self.0.close();
    }
}

impl Iterator for Signals {
    type Item = Signal;

    fn next(&mut self) -> Option<Signal> {
        self.0.forever().next().map(|signal| if signal == SIGHUP { Signal::Reload } else { Signal::Stop })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // one test: signals are the whole process's
    #[test]
    fn signals_come_in_and_a_closer_ends_them() {
        let mut signals = Signals::install().unwrap();
        signal_hook::low_level::raise(SIGHUP).unwrap();
        assert_eq!(signals.next(), Some(Signal::Reload));
        signal_hook::low_level::raise(SIGTERM).unwrap();
        assert_eq!(signals.next(), Some(Signal::Stop));
        let closer = signals.closer();
        let waiting = std::thread::spawn(move || signals.next());
        closer.close();
        assert_eq!(waiting.join().unwrap(), None);
    }
}
