//! One started program: it can be killed, frozen, thawed and started again on the same port and data.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::spawner::{Lifetime, spawn};
use crate::state::{Process, Record, signal};

/// How long a component may take until it answers: far more than it needs, so that a busy machine is no failure.
const READY: Duration = Duration::from_secs(120);

/// How often it is asked meanwhile.
const POLL: Duration = Duration::from_millis(25);

/// How much of its log an error shows.
const TAIL_LINES: usize = 30;

type Probe = Box<dyn Fn() -> Result<()> + Send + Sync>;

/// What is started, and how one knows that it is ready.
pub(crate) struct Program {
    /// `cluster1/etcd`; also names the log.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) log: PathBuf,
    /// Succeeds when the component answers.
    pub(crate) ready: Probe,
}

/// A started program. It ends when this is dropped, unless the bed was left running for a person.
pub struct Component {
    program: Program,
    lifetime: Lifetime,
    record: Arc<Record>,
    child: Mutex<Option<Child>>,
}

impl Component {
    /// Starts it and waits until it is ready.
    pub(crate) fn start(program: Program, lifetime: Lifetime, record: Arc<Record>) -> Result<Self> {
        let component = Self {
            program,
            lifetime,
            record,
            child: Mutex::new(None),
        };
        component.restart()?;
        Ok(component)
    }

    /// Its name: `cluster1/etcd`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.program.name
    }

    /// The file with all that it has printed, over all its starts.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.program.log
    }

    /// Its process id; none while it is killed.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.lock().as_ref().map(Child::id)
    }

    /// Its resident memory in bytes; none while it is killed.
    #[must_use]
    pub fn memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()?)).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
    }

    /// Kills it as a power cut would (SIGKILL), and returns when it is gone. Nothing happens if it does not run.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn kill_9(&self) -> Result<()> {
        let mut child = self.lock();
        if let Some(running) = child.as_mut() {
            running
                .kill()
                .and_then(|()| running.wait())
                .with_context(|| format!("cannot kill {}", self.name()))?;
        }
        *child = None;
        Ok(())
    }

    /// Freezes it (SIGSTOP): its sockets stay open and nobody answers.
    ///
    /// # Errors
    /// When it does not run.
    pub fn stop(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on after [`Component::stop`] (SIGCONT).
    ///
    /// # Errors
    /// When it does not run.
    pub fn cont(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// Starts it, again if it runs, on the same port and data, and returns when it is ready.
    ///
    /// # Errors
    /// When it ends or stays silent; the error shows the end of its log.
    pub fn restart(&self) -> Result<()> {
        self.kill_9()?;
        self.launch()?;
        self.wait_ready()
    }

    /// Starts it without waiting for it.
    ///
    /// # Errors
    /// When the program cannot be run.
    pub fn launch(&self) -> Result<()> {
        let mut child = self.lock();
        if child.is_some() {
            bail!("{} runs already", self.name());
        }
        let log = File::options().create(true).append(true).open(self.log());
        let log = log.with_context(|| format!("cannot open {}", self.log().display()))?;
        let mut command = self.lifetime.command(&self.program.path);
        command
            .args(&self.program.args)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let started = spawn(command)?;
        let process = Process::running(self.name(), started.id());
        *child = Some(started);
        // None: it has ended already, which wait_ready reports with its log.
        process.map_or(Ok(()), |process| self.record.started(process))
    }

    /// Waits until it answers.
    ///
    /// # Errors
    /// When it ends or stays silent; the error shows the end of its log.
    pub fn wait_ready(&self) -> Result<()> {
        let deadline = Instant::now() + READY;
        loop {
            let Err(why) = (self.program.ready)() else {
                return Ok(());
            };
            let ended = match self.lock().as_mut() {
                Some(child) => child.try_wait()?.map(|status| status.to_string()),
                None => Some("a kill from elsewhere".to_owned()),
            };
            if let Some(status) = ended {
                bail!("{} ended with {status}\n{}", self.name(), tail(self.log()));
            }
            if Instant::now() > deadline {
                bail!(
                    "{} is not ready after {READY:?}: {why:#}\n{}",
                    self.name(),
                    tail(self.log())
                );
            }
            thread::sleep(POLL);
        }
    }

    fn signal(&self, which: Signal) -> Result<()> {
        match self.lock().as_ref() {
            Some(child) => {
                signal(child.id(), which).with_context(|| format!("cannot signal {}", self.name()))
            }
            None => bail!("{} does not run", self.name()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Component {
    fn drop(&mut self) {
        if self.lifetime == Lifetime::Owned {
            let _: Result<()> = self.kill_9();
        }
    }
}

impl std::fmt::Debug for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Component")
            .field("name", &self.name())
            .field("pid", &self.pid())
            .finish_non_exhaustive()
    }
}

/// The last lines of a log, under its name. A log may be large: only its end is read.
fn tail(log: &Path) -> String {
    let text = read_end(log, 16 * 1024).unwrap_or_else(|error| error.to_string());
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(TAIL_LINES);
    format!(
        "--- the end of {}\n{}",
        log.display(),
        lines[from..].join("\n")
    )
}

fn read_end(path: &Path, bytes: u64) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let start = file.metadata()?.len().saturating_sub(bytes);
    file.seek(SeekFrom::Start(start))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    Ok(String::from_utf8_lossy(&end).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(dir: &Path, script: &str, ready: Probe) -> Program {
        Program {
            name: "test/sh".into(),
            path: "sh".into(),
            args: vec!["-c".into(), script.into()],
            log: dir.join("sh.log"),
            ready,
        }
    }

    fn start(dir: &Path, script: &str, ready: Probe) -> Result<Component> {
        let record = Arc::new(Record::new(dir, None)?);
        Component::start(program(dir, script, ready), Lifetime::Owned, record)
    }

    #[test]
    fn a_component_that_ends_at_once_is_reported_with_the_end_of_its_log() {
        let dir = tempfile::tempdir().unwrap();
        let error = start(
            dir.path(),
            "seq 100; echo port taken >&2; exit 3",
            Box::new(|| bail!("not yet")),
        )
        .unwrap_err();
        let text = format!("{error:#}");
        assert!(
            text.contains("exit status: 3") && text.ends_with("port taken"),
            "{text}"
        );
        assert!(
            text.contains("\n100\n") && !text.contains("\n50\n"),
            "{text}"
        );
    }

    #[test]
    fn it_is_ready_when_the_probe_says_so_and_starts_again_after_a_kill() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("sh.log");
        let lines = move || fs::read_to_string(&log).unwrap_or_default().lines().count();
        let seen = lines;
        let component = start(
            dir.path(),
            "echo up; exec sleep 60",
            Box::new(move || if seen() > 0 { Ok(()) } else { bail!("silent") }),
        )
        .unwrap();
        let first = component.pid().unwrap();
        component.stop().unwrap();
        component.cont().unwrap();
        component.kill_9().unwrap();
        component.kill_9().unwrap();
        assert!(component.pid().is_none() && component.stop().is_err());
        component.restart().unwrap();
        assert_ne!(component.pid().unwrap(), first);
    }

    #[test]
    fn a_dropped_component_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let component = start(dir.path(), "exec sleep 60", Box::new(|| Ok(()))).unwrap();
        let process = Process::running("sh", component.pid().unwrap()).unwrap();
        drop(component);
        assert!(!process.is_alive());
    }
}
