//! The access list in force, which may be replaced while requests are served.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Release};

use parking_lot::Mutex;
use tracker_core::{AccessList, AccessMode};

use crate::service::Context;

/// Holds the [`AccessList`] in force. Workers keep a reference of their own, and look here only when the list has changed.
#[derive(Debug)]
pub struct Access {
    list: Mutex<Arc<AccessList>>,
    generation: AtomicU64,
}

impl Access {
    /// Puts `list` in force.
    pub fn new(list: AccessList) -> Self {
        // contexts begin at generation 0
        Access { list: Mutex::new(Arc::new(list)), generation: AtomicU64::new(1) }
    }

    /// Puts another list in force. Torrents that are not permitted any more are to be dropped by
    /// [`Tracker::retain`](tracker_core::Tracker::retain) then; a request that is being answered may still add one, so they
    /// are to be dropped once more a little later.
    pub fn replace(&self, list: AccessList) {
        *self.list.lock() = Arc::new(list);
        self.generation.fetch_add(1, Release);
    }

    /// The list in force.
    pub fn current(&self) -> Arc<AccessList> {
        Arc::clone(&self.list.lock())
    }

    /// The list in force, by way of a worker's own reference; `None` if everything is permitted.
    #[inline]
    pub(crate) fn of<'c>(&self, context: &'c mut Context) -> Option<&'c AccessList> {
        let generation = self.generation.load(Acquire);
        if context.access.0 != generation {
            context.access = (generation, self.current());
        }
        let list = &*context.access.1;
        (list.mode() != AccessMode::Open).then_some(list)
    }
}

impl Default for Access {
    fn default() -> Self {
        Access::new(AccessList::open())
    }
}
