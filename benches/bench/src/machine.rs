//! On what it was measured.

use std::fs;
use std::process::Command;

/// One line each.
pub(crate) fn describe() -> Vec<String> {
    let threads = std::thread::available_parallelism().map_or(0, usize::from);
    let processor =
        field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".into());
    let memory = field("/proc/meminfo", "MemTotal").unwrap_or_default();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kib: f64 = memory.trim_end_matches(" kB").parse().unwrap_or_default();
    vec![
        format!(
            "{processor}, {threads} threads, {:.0} GB of memory",
            kib / 1e6
        ),
        format!("Linux {}, {}", kernel.trim(), std::env::consts::ARCH),
        format!(
            "Kubernetes {} and kubectl of the same version",
            bed::KUBERNETES
        ),
        mosquitto().unwrap_or_else(|| "mosquitto".into()),
        format!(
            "mqtt-informer {} at {}",
            env!("CARGO_PKG_VERSION"),
            commit()
        ),
    ]
}

/// The value behind the first `name` of a file of lines `name : value`.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn mosquitto() -> Option<String> {
    // It has no flag for its version alone: its help begins with it, and ends with an error code.
    let output = Command::new(bed::mosquitto().ok()?)
        .arg("-h")
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().next().map(str::to_owned)
}

fn commit() -> String {
    let words = ["describe", "--always", "--dirty", "--abbrev=10"];
    let output = Command::new("git").args(words).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.ok()
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| "an unknown commit".into())
}
