//! Whether the event loops go round: for a watchdog.

use std::sync::Arc;

use crate::server::Common;
use crate::slow::Mailbox;

/// Sees which workers are stuck. Made by [`Handle::watch`](crate::Handle::watch).
#[derive(Debug)]
pub struct Watch {
    common: Arc<Common>,
    /// The turns of each worker at the last look.
    seen: Vec<u64>,
}

impl Watch {
    pub(crate) fn new(common: Arc<Common>) -> Self {
        let mut watch = Watch { seen: vec![0; common.mailboxes.len()], common };
        watch.stuck();
        watch
    }

    /// The workers, counted from 0, that have ended no turn of their event loop since the last look, or since the watch was
    /// made. Each look wakes all of them, so that an idle worker has one turn until the next: leave them as long as
    /// any turn may take, some seconds on a busy machine.
    ///
    /// A worker that was not started, or has ended, is stuck as well. A server that is stopped is not to be watched.
    pub fn stuck(&mut self) -> Vec<usize> {
        let turns: Vec<u64> = self.common.counters.workers.iter().map(|tally| tally.turns()).collect();
        let stuck = (0..turns.len()).filter(|&worker| turns[worker] == self.seen[worker]).collect();
        self.seen = turns;
        self.common.mailboxes.iter().for_each(Mailbox::wake);
        stuck
    }
}
