//! How long it takes to judge a request: `cargo bench -p tracker-http --bench quota`.

use std::net::IpAddr;

use divan::{Bencher, black_box};
use tracker_http::quota::{Key, Quota, Table};

fn main() {
    divan::main();
}

fn table(quota: &Quota) -> Table {
    Table::new(quota).expect("something is limited")
}

fn ip(n: u32) -> IpAddr {
    IpAddr::from((n.wrapping_mul(0x9e37_79b9)).to_be_bytes())
}

/// A request of one of so many addresses, each within its limit.
#[divan::bench(args = [1, 1000, 50_000])]
fn served(bencher: Bencher<'_, '_>, addresses: u32) {
    let table = table(&Quota::default());
    let mut n = 0;
    bencher.bench_local(|| {
        n += 1;
        table.ask(Key::from(black_box(ip(n % addresses))), u64::from(n) * 10)
    });
}

/// A request of an address that has asked far too much.
#[divan::bench]
fn refused(bencher: Bencher<'_, '_>) {
    let table = table(&Quota { requests_per_second: 1, burst: 1, ..Quota::default() });
    bencher.bench_local(|| table.ask(Key::from(black_box(ip(1))), 0));
}

/// A request of an address that was never heard of, for whom another is forgotten.
#[divan::bench]
fn new(bencher: Bencher<'_, '_>) {
    let table = table(&Quota::default());
    let mut n = 0;
    bencher.bench_local(|| {
        n += 1;
        table.ask(Key::from(black_box(ip(n))), u64::from(n))
    });
}

/// A connection that comes and goes.
#[divan::bench(args = [1, 50_000])]
fn connection(bencher: Bencher<'_, '_>, addresses: u32) {
    let table = table(&Quota::default());
    let mut n = 0;
    bencher.bench_local(|| {
        n += 1;
        let key = Key::from(black_box(ip(n % addresses)));
        if let Ok(Some(ticket)) = table.enter(key, u64::from(n)) {
            table.leave(key, ticket);
        }
    });
}

/// As many threads as there are cores, on addresses of their own.
#[divan::bench(threads = 0)]
fn served_on_all_cores(bencher: Bencher<'_, '_>) {
    let table = table(&Quota::default());
    bencher.with_inputs(|| Key::from(ip(rand()))).bench_values(|key| table.ask(key, 0));
}

/// Any number; different ones on different threads.
fn rand() -> u32 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0) as u32 % 1000
}
