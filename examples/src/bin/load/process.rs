//! What another process has used, from `/proc`.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

/// What a process has used since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// CPU time, exactly.
    pub(crate) cpu: Duration,
    /// How long its threads were ready to run while others had the core.
    pub(crate) waited: Duration,
    /// Ticks of the clock that found it in its own code, and in the kernel's.
    user: u64,
    system: u64,
    /// Bytes of memory now.
    pub(crate) resident: u64,
}

impl Usage {
    pub(crate) fn of(pid: u32) -> io::Result<Usage> {
        let folder = Path::new("/proc").join(pid.to_string());
        let (user, system) =
            ticks(&fs::read_to_string(folder.join("stat"))?).ok_or(io::ErrorKind::InvalidData)?;
        let (mut cpu, mut waited) = (0, 0);
        for task in fs::read_dir(folder.join("task"))? {
            // a thread may end meanwhile
            let times = fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
            let mut times = times.split(' ').map(|nanos| nanos.parse().unwrap_or(0));
            cpu += times.next().unwrap_or(0);
            waited += times.next().unwrap_or(0);
        }
        let status = fs::read_to_string(folder.join("status"))?;
        let [cpu, waited] = [cpu, waited].map(Duration::from_nanos);
        Ok(Usage { cpu, waited, user, system, resident: resident(&status).unwrap_or(0) })
    }

    /// CPU time since `before`, and the part of it that was spent in the kernel.
    pub(crate) fn since(&self, before: &Usage) -> (Duration, Duration) {
        let all = self.cpu.saturating_sub(before.cpu);
        let user = self.user.saturating_sub(before.user);
        let system = self.system.saturating_sub(before.system);
        // the ticks are too coarse for anything but the ratio
        (all, all.mul_f64(system as f64 / (user + system).max(1) as f64))
    }
}

/// `utime` and `stime` of `/proc/PID/stat`: the 14th and 15th field, counted behind the name, which may hold anything.
fn ticks(stat: &str) -> Option<(u64, u64)> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_the_right_ones() {
        let stat = "12 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 111 222 13 14";
        assert_eq!(ticks(stat), Some((111, 222)));
        assert_eq!(resident("VmHWM:\t 9 kB\nVmRSS:\t    1234 kB\n"), Some(1234 << 10));
        assert_eq!((ticks(""), resident("")), (None, None));
    }

    #[test]
    fn this_process_uses_time() {
        let before = Usage::of(std::process::id()).unwrap();
        let mut spent = Duration::ZERO;
        while spent.is_zero() {
            spent = Usage::of(std::process::id()).unwrap().since(&before).0;
        }
        assert!(before.resident > 100_000);
        assert!(Usage::of(u32::MAX).is_err());
    }
}
