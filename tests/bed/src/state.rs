//! What a bed has started, written down: so that it can be ended later, and nothing else with it.
//!
//! Invariant: a signal goes only to a process whose PID *and* start time are the noted ones. A PID alone may belong to
//! a stranger by now.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

/// The name of the state file in a bed's directory.
pub(crate) const FILE: &str = "state.json";

/// A process, named so that it cannot be mistaken for a later one with the same PID.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Process {
    /// What it is, for people: `cluster1/etcd`.
    pub name: String,
    /// Its process id.
    pub pid: u32,
    /// When it started, in clock ticks since boot (field 22 of `/proc/<pid>/stat`).
    pub start: u64,
}

/// A cluster that `bed up` has left running.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct ClusterEntry {
    /// Its name, which is also its context in the kubeconfig.
    pub name: String,
    /// Its administrator's kubeconfig.
    pub kubeconfig: PathBuf,
    /// The URL of its API server.
    pub server: String,
}

/// The state file.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct State {
    /// Who ends it all when it exits; none for a bed that a person has put up.
    pub owner: Option<Process>,
    /// Everything started, in the order of starting.
    pub processes: Vec<Process>,
    /// Clusters, for `bed env`.
    pub clusters: Vec<ClusterEntry>,
    /// The broker's URL, for `bed env`.
    pub broker: Option<String>,
}

impl Process {
    /// Names the running process `pid`; none when it is gone.
    #[must_use]
    pub fn running(name: &str, pid: u32) -> Option<Self> {
        Some(Self {
            name: name.to_owned(),
            pid,
            start: start_time(pid)?,
        })
    }

    /// Whether it still runs: this one, not another with its PID.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        start_time(self.pid) == Some(self.start)
    }

    /// Ends it at once, if it is still this one, and waits until it is gone.
    ///
    /// # Errors
    /// When it may not be ended, or is still there after ten seconds.
    pub fn end(&self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.is_alive() {
            signal(self.pid, Signal::KILL)
                .with_context(|| format!("cannot end {} (pid {})", self.name, self.pid))?;
            if Instant::now() > deadline {
                bail!("{} (pid {}) does not end", self.name, self.pid);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl State {
    /// Reads the state file of the bed in `dir`; none when there is none.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn read(dir: &Path) -> Result<Option<Self>> {
        let path = dir.join(FILE);
        match fs::read(&path) {
            Ok(bytes) => {
                Ok(Some(serde_json::from_slice(&bytes).with_context(|| {
                    format!("cannot read {}", path.display())
                })?))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Writes it whole or not at all: a reader never sees half a file.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn write(&self, dir: &Path) -> Result<()> {
        let path = dir.join(FILE);
        let partial = dir.join(format!("{FILE}.partial"));
        fs::write(&partial, serde_json::to_vec_pretty(self)?)
            .and_then(|()| fs::rename(&partial, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Ends everything in it that still runs, the last started first. Gives the names of what it ended.
    ///
    /// # Errors
    /// When something does not end; the rest is ended all the same.
    pub fn end_all(&self) -> Result<Vec<String>> {
        let mut ended = Vec::new();
        let mut failed = None;
        for process in self
            .processes
            .iter()
            .rev()
            .filter(|process| process.is_alive())
        {
            match process.end() {
                Ok(()) => ended.push(process.name.clone()),
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(ended), Err)
    }
}

/// The state file of a bed that is being built up: each start is written down at once.
#[derive(Debug)]
pub(crate) struct Record {
    dir: PathBuf,
    state: Mutex<State>,
}

impl Record {
    pub(crate) fn new(dir: &Path, owner: Option<Process>) -> Result<Self> {
        let state = State {
            owner,
            ..State::default()
        };
        state.write(dir)?;
        Ok(Self {
            dir: dir.to_owned(),
            state: Mutex::new(state),
        })
    }

    /// Notes a process that has just started, in place of an earlier one of the same name.
    pub(crate) fn started(&self, process: Process) -> Result<()> {
        let mut state = self.lock();
        state.processes.retain(|noted| noted.name != process.name);
        state.processes.push(process);
        state.write(&self.dir)
    }

    /// Changes anything else in it.
    pub(crate) fn update(&self, change: impl FnOnce(&mut State)) -> Result<()> {
        let mut state = self.lock();
        change(&mut state);
        state.write(&self.dir)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends `signal` to `pid`; a process that is already gone is no error.
pub(crate) fn signal(pid: u32, signal: Signal) -> Result<()> {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        bail!("{pid} is no process id");
    };
    match kill_process(pid, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(io::Error::from(error).into()),
    }
}

/// The start time of `pid`; none when it does not run (a zombie does not).
fn start_time(pid: u32) -> Option<u64> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Field 22 of `/proc/<pid>/stat`, counted behind the last `)`: the command's name, field 2, may hold spaces and `)`.
fn parse_stat(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn the_start_time_is_read_behind_a_hostile_command_name() {
        let stat = "7 (a) R 1) (b) S 1 7 7 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 4242 100 200";
        assert_eq!(parse_stat(stat), Some(4242));
        assert_eq!(parse_stat(&stat.replace(") S 1", ") Z 1")), None);
        assert_eq!(parse_stat("7 (a"), None);
    }

    #[test]
    fn a_process_with_a_noted_pid_but_another_start_time_is_left_alone() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let real = Process::running("sleep", child.id()).unwrap();
        let stranger = Process {
            start: real.start - 1,
            ..real.clone()
        };

        let state = State {
            processes: vec![stranger],
            ..State::default()
        };
        assert_eq!(state.end_all().unwrap(), Vec::<String>::new());
        assert!(child.try_wait().unwrap().is_none(), "a stranger was ended");

        let state = State {
            processes: vec![real],
            ..State::default()
        };
        assert_eq!(state.end_all().unwrap(), ["sleep"]);
        assert!(!child.wait().unwrap().success());
    }

    #[test]
    fn a_process_started_again_replaces_its_earlier_self_in_the_file() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(State::read(dir.path()).unwrap(), None);
        let record = Record::new(dir.path(), None).unwrap();
        for start in [1, 2] {
            record
                .started(Process {
                    name: "c/etcd".into(),
                    pid: 1,
                    start,
                })
                .unwrap();
        }
        let read = State::read(dir.path()).unwrap().unwrap();
        assert_eq!(
            read.processes
                .iter()
                .map(|process| process.start)
                .collect::<Vec<_>>(),
            [2]
        );
    }

    #[test]
    fn a_damaged_state_file_is_an_error_that_names_it() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), "{").unwrap();
        assert!(format!("{:#}", State::read(dir.path()).unwrap_err()).contains(FILE));
    }
}
