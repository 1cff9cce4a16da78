//! Programs that Debian has: found, or installed with apt-get.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::binaries::progress;

/// What `find` finds, if need be after the package was installed. One at a time: apt-get allows no more.
pub(crate) fn ensure(package: &str, find: impl Fn() -> Option<PathBuf>) -> Result<PathBuf> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = find() {
        return Ok(found);
    }
    install(package).with_context(|| {
        format!(
            "{package} is missing and cannot be installed: install the package `{package}` yourself"
        )
    })?;
    find()
        .with_context(|| format!("apt-get has installed {package}, but its programs are not there"))
}

fn install(package: &str) -> Result<()> {
    let begin = Instant::now();
    progress(&format!("installing {package} with apt-get ..."));
    apt(&["update", "-qq"])?;
    apt(&["install", "-y", "-qq", "--no-install-recommends", package])?;
    progress(&format!(
        "installing {package}: {:.1} s",
        begin.elapsed().as_secs_f64()
    ));
    Ok(())
}

fn apt(args: &[&str]) -> Result<()> {
    let mut command = if rustix::process::geteuid().is_root() {
        Command::new("apt-get")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "--preserve-env=DEBIAN_FRONTEND,RUNLEVEL", "apt-get"]);
        sudo
    };
    // Runlevel 1: the package must not start a service of its own on its usual port.
    command
        .args(args)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("RUNLEVEL", "1")
        .stdin(Stdio::null());
    let output = command
        .output()
        .context("cannot run apt-get (as root, or through sudo without a password)")?;
    if !output.status.success() {
        bail!(
            "apt-get {}: {}",
            args.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

/// Finds a program on PATH, or where Debian keeps daemons that are not on a user's PATH.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    env::split_paths(&path)
        .chain(more)
        .map(|dir| dir.join(program))
        .find(|file| file.is_file())
}
