//! Instruction counts: what makes a step slower is noticed on any machine, however busy.
//!
//! The tests whose names have `guards::` in them are run one by one under callgrind, which counts while their function
//! `guarded_section` runs. Counts are committed (benches/guards.json), for each profile its own; more than the margin
//! above is a failure. They depend a little on the processor, because some libraries choose their code by it.

use crate::arguments::Guards;
use crate::progress;
use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// By how much a count may differ, in percent.
const MARGIN: f64 = 5.0;

/// The committed file: profile, guard, instructions.
type Figures = BTreeMap<String, BTreeMap<String, u64>>;

/// Counts, and compares or writes.
pub(crate) fn main(arguments: &Guards) -> Result<()> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        ensure!(
            !arguments.required,
            "valgrind is not installed, and the guards are required"
        );
        progress(
            "SKIPPED: the guards need valgrind, which is not installed (GUARDS_REQUIRED=true makes this an error)",
        );
        return Ok(());
    }
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    let counted = count(profile)?;
    ensure!(!counted.is_empty(), "no test has guards:: in its name");
    let mut figures = read(&arguments.figures)?;
    if arguments.update {
        figures.insert(profile.to_owned(), counted);
        fs::write(
            &arguments.figures,
            format!("{}\n", serde_json::to_string_pretty(&figures)?),
        )?;
        progress(&format!("{} is written", arguments.figures.display()));
        return Ok(());
    }
    let committed = figures.remove(profile).unwrap_or_default();
    let failures = compare(&counted, &committed);
    ensure!(
        failures.is_empty(),
        "{}; if that is meant: make guards UPDATE=1",
        failures.join("; ")
    );
    progress(&format!("{} guards hold", counted.len()));
    Ok(())
}

fn read(path: &Path) -> Result<Figures> {
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).with_context(|| path.display().to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Figures::default()),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

/// What is wrong, a line each.
fn compare(counted: &BTreeMap<String, u64>, committed: &BTreeMap<String, u64>) -> Vec<String> {
    let mut failures = Vec::new();
    for (name, now) in counted {
        let Some(then) = committed.get(name) else {
            failures.push(format!("{name} has no committed figure"));
            continue;
        };
        let percent = (*now as f64 / *then as f64 - 1.0) * 100.0;
        let line = format!("{name}: {now} instructions, committed {then} ({percent:+.1} %)");
        progress(&line);
        // Not a number fails, too.
        if percent.is_nan() || percent > MARGIN {
            failures.push(line);
        } else if percent < -MARGIN {
            progress(&format!(
                "{name} is better: make guards UPDATE=1 keeps it so"
            ));
        }
    }
    let gone = committed.keys().filter(|name| !counted.contains_key(*name));
    failures.extend(gone.map(|name| format!("{name} was not counted")));
    failures
}

fn count(profile: &str) -> Result<BTreeMap<String, u64>> {
    let mut counted = BTreeMap::new();
    for program in test_programs(profile)? {
        for test in guards(&program)? {
            let (_, name) = test.rsplit_once("::").unwrap_or(("", &test));
            let instructions = under_callgrind(&program, &test).with_context(|| test.clone())?;
            progress(&format!("{name}: {instructions} instructions"));
            counted.insert(name.to_owned(), instructions);
        }
    }
    Ok(counted)
}

/// What cargo says of a thing that it built.
#[derive(Deserialize, Serialize)]
struct Artifact {
    executable: Option<PathBuf>,
    target: Target,
}

#[derive(Deserialize, Serialize)]
struct Target {
    kind: Vec<String>,
    name: String,
}

/// The test programs of this workspace that may have guards: unit tests, built as `cargo test` builds them.
fn test_programs(profile: &str) -> Result<Vec<PathBuf>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args([
        "test",
        "--workspace",
        "--no-run",
        "--quiet",
        "--message-format=json",
    ]);
    if profile == "release" {
        command.arg("--release");
    }
    let output = command.output().context("cannot run cargo")?;
    ensure!(
        output.status.success(),
        "the tests cannot be built: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout)?;
    let artifacts = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Artifact>(line).ok());
    let units = artifacts.filter(|one| {
        let kind = one.target.kind.first().map(String::as_str);
        matches!(
            (kind, one.target.name.as_str()),
            (Some("lib"), "mqtt_informer") | (Some("bin"), "bench")
        )
    });
    // A program that is no test is built, too; its tests are asked for in vain.
    Ok(units
        .filter_map(|one| one.executable)
        .filter(|path| path.parent().is_some_and(|dir| dir.ends_with("deps")))
        .collect())
}

fn guards(program: &Path) -> Result<Vec<String>> {
    let output = Command::new(program)
        .args(["--list", "guards::"])
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let names = text.lines().filter_map(|line| line.strip_suffix(": test"));
    Ok(names
        .filter(|name| name.contains("guards::") && !name.contains("guards::tests"))
        .map(str::to_owned)
        .collect())
}

fn under_callgrind(program: &Path, test: &str) -> Result<u64> {
    let out = tempfile::NamedTempFile::new()?;
    let output = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--collect-atstart=no",
            "--toggle-collect=*guarded_section*",
        ])
        .arg(format!("--callgrind-out-file={}", out.path().display()))
        .arg(program)
        .args(["--exact", test, "--test-threads=1"])
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() || !said.contains("1 passed") {
        bail!("{said}{}", String::from_utf8_lossy(&output.stderr));
    }
    let text = fs::read_to_string(out.path())?;
    let total = text.lines().find_map(|line| {
        line.strip_prefix("totals: ")
            .or(line.strip_prefix("summary: "))
    });
    let instructions = total.context("callgrind counted nothing")?.trim().parse()?;
    ensure!(
        instructions > 0,
        "guarded_section was not found: nothing was counted"
    );
    Ok(instructions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_the_margin_new_and_gone_are_failures_and_less_is_none() {
        let figures = |list: &[(&str, u64)]| {
            list.iter()
                .map(|(name, count)| ((*name).to_owned(), *count))
                .collect()
        };
        let committed = figures(&[
            ("same", 100),
            ("worse", 100),
            ("better", 100),
            ("gone", 100),
        ]);
        let counted = figures(&[("same", 104), ("worse", 106), ("better", 50), ("new", 1)]);
        let failures = compare(&counted, &committed);
        assert_eq!(failures.len(), 3, "{failures:?}");
        for (failure, name) in failures.iter().zip(["new", "worse", "gone"]) {
            assert!(failure.starts_with(name), "{failures:?}");
        }
    }
}
