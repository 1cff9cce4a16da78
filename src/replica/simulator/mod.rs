//! The deterministic simulator: publishers and reflectors in a hostile world of virtual time.
//!
//! One seed is one run in one thread: `SEED=7 cargo test simulator` repeats one, `SEEDS=200000` runs more than usual
//! (`FROM` names the first). `TRACE=1` tells every event, for one seed; `MUTANT=NoHeartbeat TABLE=1` how a mutant dies.
//! A failure names its seed. What is checked stands in `judge`, what goes wrong in `plan` and `faults`.

mod backings;
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
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
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
fn simulate(seed: u64, mutant: Option<Mutant>) -> Result<(), String> {
    let mut world = World::new(seed);
    world.describe();
    DELTAS.set(world.plan.deltas);
    let run = AssertUnwindSafe(|| mutants::run_as(mutant, || world.run()));
    let result = catch_unwind(run).unwrap_or_else(|_| Err("panicked".to_owned()));
    DELTAS.set(false);
    result
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Does something for each of many on all cores; what it returns, in order.
fn on_all_cores<T: Sync, R: Send>(of: &[T], run: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let at = next.fetch_add(1, Ordering::Relaxed)
                    && at < of.len()
                {
                    let result = run(&of[at]);
                    results.lock().unwrap().push((at, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

#[test]
fn copies_are_true_whatever_happens() {
    let seeds: Vec<u64> = match number("SEED") {
        Some(seed) => vec![seed],
        None => {
            let first = number("FROM").unwrap_or(0);
            (first..first + number("SEEDS").unwrap_or(2_000)).collect()
        }
    };
    let failed = AtomicUsize::new(0);
    let results = on_all_cores(&seeds, |seed| {
        if failed.load(Ordering::Relaxed) > 20 {
            return None;
        }
        let failure = simulate(*seed, None).err()?;
        failed.fetch_add(1, Ordering::Relaxed);
        Some(format!("SEED={seed}: {failure}"))
    });
    let failures: Vec<String> = results.into_iter().flatten().collect();
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
}

/// Within so many seeds every broken rule has to be noticed; most are within a few, and a writer that is stuck and heard
/// within 1,300.
const MUTANT_SEEDS: u64 = 2_000;

#[test]
fn every_broken_rule_is_noticed() {
    let only = std::env::var("MUTANT").ok();
    let named = |mutant: &Mutant| {
        only.as_ref()
            .is_none_or(|only| format!("{mutant:?}") == *only)
    };
    let mutants: Vec<Mutant> = Mutant::ALL.iter().copied().filter(named).collect();
    let limit = number("SEEDS").unwrap_or(MUTANT_SEEDS);
    let killed = on_all_cores(&mutants, |mutant| {
        let failure = |seed| Some((seed, simulate(seed, Some(*mutant)).err()?));
        (0..limit).find_map(failure)
    });
    let mut table = String::new();
    let mut survivors = 0;
    for (mutant, killed) in mutants.iter().zip(killed) {
        let name = format!("{mutant:?}");
        survivors += u32::from(killed.is_none());
        let words = killed.map_or("SURVIVED".to_owned(), |(seed, failure)| {
            format!("{seed:>4}  {failure}")
        });
        table += &format!("{name:<32} {words}\n");
    }
    if std::env::var_os("TABLE").is_some() {
        let _ = write!(std::io::stderr(), "{table}");
    }
    assert_eq!(survivors, 0, "\n{table}");
}
