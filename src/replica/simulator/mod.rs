//! The deterministic simulator: publishers and reflectors in a hostile world of virtual time.
//!
//! One seed is one run in one thread: `SEED=7 cargo test simulator` repeats one, `SEEDS=200000` runs more than usual.
//! A failure names its seed. What is checked stands in `judge`, what goes wrong in `plan` and `faults`.

mod faults;
mod judge;
mod ledger;
mod network;
mod plan;
mod rng;
mod sources;
mod truth;
mod viewers;
mod world;

use super::mutants::{self, Mutant};
use crate::protocol::compress::UnpackError;
use bytes::Bytes;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use world::World;

thread_local! {
    static DELTAS: Cell<bool> = const { Cell::new(false) };
}

/// The hash of keys that a simulation wants in one bucket, or equal.
pub(super) fn hostile_hash(key: &[u8]) -> Option<u64> {
    match key {
        [1, b'b', rest @ ..] => Some(rest.iter().map(|byte| u64::from(*byte)).sum()),
        [1, b'e', ..] => Some(42),
        _ => None,
    }
}

/// Whether deltas are those of the simulator: applied to a wrong value they yield garbage, not an error.
pub(super) fn hostile_deltas() -> bool {
    DELTAS.get()
}

/// What turns `old` into `new`.
pub(super) fn delta(old: &[u8], new: &[u8]) -> Option<Bytes> {
    let difference = || old.iter().zip(new).map(|(old, new)| old ^ new).collect();
    (old.len() == new.len()).then(difference)
}

/// Applies a delta.
pub(super) fn apply(old: &[u8], delta: &[u8]) -> Result<Bytes, UnpackError> {
    self::delta(old, delta).ok_or(UnpackError::Corrupt)
}

/// One run, perhaps with a broken rule. A panic is a failure too.
fn simulate(seed: u64, mutant: Option<Mutant>) -> (Result<(), String>, u64) {
    let mut world = World::new(seed);
    DELTAS.set(world.plan.deltas);
    let run = AssertUnwindSafe(|| mutants::run_as(mutant, || world.run()));
    let result = catch_unwind(run).unwrap_or_else(|_| Err("panicked".to_owned()));
    DELTAS.set(false);
    (result, world.events)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs many seeds on all cores; the failures, lowest seed first.
fn run_many(seeds: std::ops::Range<u64>) -> (Vec<(u64, String)>, u64) {
    let (next, events) = (AtomicU64::new(seeds.start), AtomicU64::new(0));
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end || failures.lock().unwrap().len() > 20 {
                        break;
                    }
                    let (result, took) = simulate(seed, None);
                    events.fetch_add(took, Ordering::Relaxed);
                    if let Err(failure) = result {
                        failures.lock().unwrap().push((seed, failure));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    (failures, events.into_inner())
}

#[test]
fn copies_are_true_whatever_happens() {
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEEDS").unwrap_or(2_000),
    };
    let (failures, _) = run_many(seeds);
    let words: Vec<String> = failures.iter().map(|(seed, failure)| format!("SEED={seed}: {failure}")).collect();
    assert!(failures.is_empty(), "\n{}\n", words.join("\n"));
}
