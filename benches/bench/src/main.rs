//! The measured comparisons: what the README claims, beside kubectl, kube-rs and client-go, on real parts.
//!
//! `make bench` builds everything for release and runs all of them; `make bench ONLY=latency` one. `BENCH_PODS=300`
//! makes it small, to try the harness; figures of such a run, or of a debug build, do not go to docs/benchmarks.md.
//!
//! | module | what it is |
//! |---|---|
//! | `measure` | one file a measurement: sets its scene, measures, gives rows |
//! | `scene` | a cluster with pods, a broker, syncers |
//! | `fleet` | twenty clusters' pods in a database, and what is asked of it |
//! | `paired`, `figure` | A B A B ..., medians and spread |
//! | `child`, `proxy`, `direct`, `consumer`, `pods` | what measurements are made of |
//! | `guards` | instruction counts beside the committed ones |
//! | `report`, `machine` | rows, goals, verdicts, docs/benchmarks.md |
//!
//! **Architecture invariant:** what is compared runs in turns, on the same machine, cluster and broker, minutes apart
//! at most; nothing is compared with a figure from somewhere else.

mod arguments;
mod child;
mod consumer;
mod direct;
mod figure;
mod fleet;
#[cfg(test)]
mod guarded;
mod guards;
mod machine;
mod measure;
mod paired;
mod pods;
mod proxy;
mod report;
mod scene;

use anyhow::Result;
use arguments::{Arguments, Command};
use clap::Parser;
use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Run(run) => measure::run(&run),
        Command::List => list(),
        Command::Guards(guards) => guards::main(&guards),
        Command::Child(child) => child::main(&child),
        Command::Viewer(viewer) => consumer::main(&viewer),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            progress(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn list() -> Result<()> {
    for measurement in &measure::ALL {
        writeln!(
            io::stdout(),
            "{:<12} {}",
            measurement.name,
            measurement.title
        )?;
    }
    Ok(())
}

/// One line on stderr; nothing can be done about a stderr that is gone.
fn progress(line: &str) {
    let _ = writeln!(io::stderr(), "bench: {line}");
}
