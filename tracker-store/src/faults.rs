//! Where things can go wrong: every step of a change on disk passes here, so that tests can stop at each of them.

use std::io;

/// Passed before each step that a crash, or a full disk, can come before. Does nothing outside of this crate's tests.
#[cfg(not(test))]
#[inline]
pub(crate) fn step(_: &'static str) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub(crate) use injected::*;

#[cfg(test)]
mod injected {
    use std::cell::RefCell;
    use std::io;

    thread_local! {
        static PLAN: RefCell<Plan> = const { RefCell::new(Plan { passed: Vec::new(), fail_from: None }) };
    }

    struct Plan {
        passed: Vec<&'static str>,
        fail_from: Option<(usize, io::ErrorKind)>,
    }

    pub(crate) fn step(name: &'static str) -> io::Result<()> {
        PLAN.with_borrow_mut(|plan| {
            plan.passed.push(name);
            match plan.fail_from {
                Some((from, kind)) if plan.passed.len() > from => Err(kind.into()),
                _ => Ok(()),
            }
        })
    }

    /// Runs `work` with every step from number `from` on failing, on this thread; returns the steps that it passed or
    /// tried.
    pub(crate) fn failing_from<T>(
        from: Option<usize>,
        kind: io::ErrorKind,
        work: impl FnOnce() -> T,
    ) -> (T, Vec<&'static str>) {
        PLAN.set(Plan { passed: Vec::new(), fail_from: from.map(|from| (from, kind)) });
        let result = work();
        let plan = PLAN.replace(Plan { passed: Vec::new(), fail_from: None });
        (result, plan.passed)
    }
}
