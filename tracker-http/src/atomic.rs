//! The atomics of [`room`](crate::room). Its model, `tests/room.rs`, has others under this name.

pub(crate) use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
