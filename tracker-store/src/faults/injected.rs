//! Steps that fail because a test wants them to.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Write};

thread_local! {
    static PLAN: RefCell<Plan> = const { RefCell::new(Plan { passed: Vec::new(), fails: None, has_failed: false }) };
}

/// Whether a step fails, by its number and its name.
type Fails = Box<dyn Fn(usize, &str) -> bool>;

struct Plan {
    passed: Vec<&'static str>,
    fails: Option<(Fails, io::ErrorKind)>,
    has_failed: bool,
}

pub(crate) fn step(name: &'static str) -> io::Result<()> {
    PLAN.with_borrow_mut(|plan| {
        let number = plan.passed.len();
        plan.passed.push(name);
        match &plan.fails {
            Some((fails, kind)) if fails(number, name) => {
                plan.has_failed = true;
                Err((*kind).into())
            }
            _ => Ok(()),
        }
    })
}

/// Where this is the first step that fails, half of the bytes are written.
pub(crate) fn write(name: &'static str, file: &mut File, bytes: &[u8]) -> io::Result<usize> {
    let is_first = PLAN.with_borrow(|plan| !plan.has_failed);
    match step(name) {
        Ok(()) => file.write(bytes),
        Err(error) if is_first => file.write_all(&bytes[..bytes.len() / 2]).and(Err(error)),
        Err(error) => Err(error),
    }
}

/// Runs `work`, on this thread, with those steps failing that `fails` says by their number and name; returns the steps
/// that it passed or tried.
pub(crate) fn failing<T>(
    fails: impl Fn(usize, &str) -> bool + 'static,
    kind: io::ErrorKind,
    work: impl FnOnce() -> T,
) -> (T, Vec<&'static str>) {
    let fails: Fails = Box::new(fails);
    PLAN.set(Plan { passed: Vec::new(), fails: Some((fails, kind)), has_failed: false });
    let result = work();
    let plan = PLAN.replace(Plan { passed: Vec::new(), fails: None, has_failed: false });
    (result, plan.passed)
}

/// Runs `work` with every step from number `from` on failing: as a process that dies, or a disk that stays full.
pub(crate) fn failing_from<T>(
    from: usize,
    kind: io::ErrorKind,
    work: impl FnOnce() -> T,
) -> (T, Vec<&'static str>) {
    failing(move |number, _| number >= from, kind, work)
}
