//! Memory in small pages only: swarms are spread over more of it than they fill, and the rest of a huge page costs as much.

/// Asks the kernel for no huge pages from now on, neither where the allocator wants them nor where every program gets
/// them; unless `MIMALLOC_ALLOW_THP` is in the environment, which mimalloc obeys itself. To be called before much is
/// allocated. That it can't be done is no error: see [`are_on`].
#[cfg(target_os = "linux")]
pub fn turn_off() {
    if std::env::var_os("MIMALLOC_ALLOW_THP").is_none() {
        // refused where a filter of system calls does
        let _ = rustix::thread::disable_transparent_huge_pages(true);
    }
}

/// Whether this process may get huge pages, where the system has them.
#[cfg(target_os = "linux")]
pub fn are_on() -> bool {
    rustix::thread::transparent_huge_pages_are_disabled().is_ok_and(|disabled| !disabled)
}

/// Other systems have no such switch for a process.
#[cfg(not(target_os = "linux"))]
pub fn turn_off() {}

/// Not known of other systems.
#[cfg(not(target_os = "linux"))]
pub fn are_on() -> bool {
    false
}
