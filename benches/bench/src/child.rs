//! A program's wall time and peak memory.
//!
//! Linux counts the memory that a process had before its `exec` into its peak: so a large harness would taint what it
//! starts. Hence a small process of ours stands between, started by name, and reports what its own child took.

use crate::arguments;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;
use wait4::Wait4;

/// What a program took.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Took {
    pub(crate) seconds: f64,
    /// Its largest resident set, in bytes.
    pub(crate) peak: f64,
}

/// Runs a program to its end, its stdout into `out`.
///
/// # Errors
/// With its stderr, when it fails.
pub(crate) fn run(command: &Command, out: &Path) -> Result<Took> {
    let itself = std::env::current_exe().context("where am I?")?;
    let mut between = Command::new(itself);
    between.args(["child", "--out"]).arg(out).arg("--");
    between.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => between.env(name, value),
            None => between.env_remove(name),
        };
    }
    let output = between
        .stdin(Stdio::null())
        .output()
        .context("cannot run")?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("{:?}: {}", command.get_program(), words.trim());
    }
    serde_json::from_slice(&output.stdout).context("the child's report")
}

/// The process between.
pub(crate) fn main(arguments: &arguments::Child) -> Result<()> {
    let (program, words) = arguments.command.split_first().context("no command")?;
    let out = File::create(&arguments.out)
        .with_context(|| format!("cannot create {}", arguments.out.display()))?;
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null()).stdout(out);
    let begin = Instant::now();
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let used = child.wait4().context("cannot wait for it")?;
    let seconds = begin.elapsed().as_secs_f64();
    if !used.status.success() {
        bail!("it ended with {}", used.status);
    }
    let took = Took {
        seconds,
        peak: used.rusage.maxrss as f64,
    };
    Ok(writeln!(io::stdout(), "{}", serde_json::to_string(&took)?)?)
}
