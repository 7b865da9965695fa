//! What the system knows of a thread: its share of a core, what it waited for a core, its page faults; and of the
//! process: its memory.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use rustix::time::{ClockId, clock_gettime};

/// How long the calling thread has had a core. While another thread has it, this stands still.
#[inline]
pub(crate) fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// A thread as the scheduler knows it.
#[derive(Debug)]
pub(crate) struct Scheduled(File);

impl Scheduled {
    /// The calling thread's number, for [`Scheduled::thread`].
    pub(crate) fn number() -> i32 {
        rustix::thread::gettid().as_raw_pid()
    }

    /// A thread of this process.
    pub(crate) fn thread(number: i32) -> io::Result<Self> {
        File::open(format!("/proc/self/task/{number}/schedstat")).map(Scheduled)
    }

    /// How long it was ready to run and had no core, up to when it got its last.
    pub(crate) fn waited(&self) -> Duration {
        let mut text = [0; 80];
        let read = self.0.read_at(&mut text, 0).unwrap_or(0);
        let text = std::str::from_utf8(&text[..read]).unwrap_or_default();
        let nanos = text.split_ascii_whitespace().nth(1).and_then(|nanos| nanos.parse().ok());
        Duration::from_nanos(nanos.unwrap_or(0))
    }
}

/// Events in the life of the calling thread.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Events {
    /// Page faults that needed no disk.
    pub(crate) faults: u64,
    /// How often it went to sleep.
    pub(crate) sleeps: u64,
}

pub(crate) fn events() -> Events {
    getrusage(UsageWho::RUSAGE_THREAD).map_or_else(
        |_| Events::default(),
        |usage| Events {
            faults: usage.minor_page_faults().unsigned_abs(),
            sleeps: usage.voluntary_context_switches().unsigned_abs(),
        },
    )
}

/// Bytes of memory that the process has.
pub(crate) fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// How long the first touches of fresh memory take, one in each piece that may become a huge page.
pub(crate) fn first_touches() -> Vec<Duration> {
    const PIECE: usize = 2 << 20;
    // as the system gives it: zeros that nobody has written
    let mut memory = vec![0_u8; 64 * PIECE];
    let touches = memory.chunks_mut(PIECE).map(|piece| {
        let begin = cpu();
        *std::hint::black_box(&mut piece[0]) = 1;
        cpu() - begin
    });
    touches.collect()
}

/// From now on the calling thread is the last where there are more threads to run than cores, like the one that writes
/// snapshots for the program.
pub(crate) fn give_way() {
    let _ = rustix::process::setpriority_process(None, 10);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_a_thread_goes_while_it_works() {
        let begin = cpu();
        let mut sum = 0_u64;
        while cpu() - begin < Duration::from_millis(2) {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(sum > 0);
        assert!(Scheduled::thread(Scheduled::number()).is_ok());
        assert!(resident() > 1 << 20);
    }
}
