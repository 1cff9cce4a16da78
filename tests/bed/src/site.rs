//! A bed that belongs to a process: usually one for all tests of a test binary.
//!
//! How it ends: a bed that is dropped ends what it has started and removes its directory. A static is never dropped,
//! and a killed process drops nothing: then the kernel ends the components (`spawner`), and a shell that waits for the
//! end of a pipe that only we hold open removes the directory. What is left even so (the machine lost power, the shell
//! was killed), the next bed sweeps up: it ends what the left state file names and removes the directory.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result, anyhow};
use tempfile::TempDir;

use crate::binaries::{Binaries, progress};
use crate::broker::{Broker, BrokerSetup};
use crate::cluster::{Cluster, Ground};
use crate::pki::Authority;
use crate::postgres::Postgres;
use crate::spawner::Lifetime;
use crate::state::{Process, Record, State};

const PREFIX: &str = "mqtt-informer-bed-";

/// Removes a directory when its stdin ends. Components that die at the same moment may still write: hence the retries.
const REAPER: &str = "cat >/dev/null; for i in 1 2 3 4 5 6 7 8 9; do rm -rf -- \"$1\" 2>/dev/null && exit; sleep 1; done";

/// The place where clusters and brokers are started, each when it is first asked for.
#[derive(Debug)]
pub struct Bed {
    clusters: Mutex<HashMap<String, Slot>>,
    postgres: Mutex<Option<Arc<Postgres>>>,
    ground: GroundOf,
    next: AtomicUsize,
    // Behind everything that writes into it.
    dir: PathBuf,
    temporary: Option<TempDir>,
    reaper: Option<Child>,
}

type Slot = Arc<Mutex<Option<Arc<Cluster>>>>;

struct GroundOf(Ground);

impl std::fmt::Debug for GroundOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.binaries.dir().to_string_lossy())
    }
}

impl Bed {
    /// The bed of this process, for all its threads. Tests on it must keep to namespaces of their own, and leave its
    /// clusters running.
    ///
    /// # Errors
    /// When the programs cannot be built; each caller is told the same.
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<Result<Bed, String>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| Self::start().map_err(|error| format!("{error:#}")));
        shared.as_ref().map_err(|error| anyhow!("{error}"))
    }

    /// A bed with nothing in it yet. Builds the programs, if this machine has not got them.
    ///
    /// # Errors
    /// When the programs cannot be built or no directory can be made.
    pub fn start() -> Result<Self> {
        let binaries = Binaries::ensure()?;
        let roots = roots();
        for root in &roots {
            sweep(root);
        }
        let root = roots.first().context("no directory for temporary files")?;
        let temporary = tempfile::Builder::new().prefix(PREFIX).tempdir_in(root);
        let mut temporary = temporary
            .with_context(|| format!("cannot create a directory in {}", root.display()))?;
        let dir = temporary.path().to_owned();
        let owner = Process::running("owner", std::process::id());
        let ground = Ground::new(binaries, Lifetime::Owned, Record::new(&dir, owner)?)?;
        let keep = env::var_os("BED_KEEP").is_some();
        temporary.disable_cleanup(keep);
        let reaper = if keep { None } else { Some(reaper(&dir)?) };
        if keep {
            fs::write(dir.join("keep"), "")?;
            progress(&format!("BED_KEEP is set: {} stays", dir.display()));
        }
        Ok(Self {
            clusters: Mutex::default(),
            postgres: Mutex::default(),
            ground: GroundOf(ground),
            next: AtomicUsize::new(1),
            dir,
            temporary: Some(temporary),
            reaper,
        })
    }

    /// Where everything of it lies; logs are `<cluster>/<component>.log`.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The built programs.
    #[must_use]
    pub fn binaries(&self) -> &Binaries {
        &self.ground.0.binaries
    }

    /// The authority that signs for its API servers and brokers.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.ground.0.authority
    }

    /// The cluster of that name, shared by all who ask: `cluster1`, `cluster2`, `hub`. The first who asks starts it,
    /// without controllers.
    ///
    /// # Errors
    /// When it does not come up; the error shows the end of its log.
    pub fn cluster(&self, name: &str) -> Result<Arc<Cluster>> {
        // One lock per name: who waits for cluster1 does not hold up cluster2.
        let slot = Arc::clone(
            self.clusters
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(name.to_owned())
                .or_default(),
        );
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cluster) = &*slot {
            return Ok(Arc::clone(cluster));
        }
        let cluster = Arc::new(Cluster::start(
            name,
            &self.dir.join(name),
            self.ground.0.clone(),
        )?);
        *slot = Some(Arc::clone(&cluster));
        Ok(cluster)
    }

    /// A cluster of the caller's own, to do harm to. It ends when it is dropped.
    ///
    /// # Errors
    /// When it does not come up; the error shows the end of its log.
    pub fn private_cluster(&self, name: &str) -> Result<Cluster> {
        let unique = format!("{name}-{}", self.next.fetch_add(1, Ordering::Relaxed));
        Cluster::start(name, &self.dir.join(unique), self.ground.0.clone())
    }

    /// A broker of the caller's own. It ends when it is dropped.
    ///
    /// # Errors
    /// When mosquitto cannot be installed or does not come up; the error shows the end of its log.
    pub fn broker(&self, setup: &BrokerSetup) -> Result<Broker> {
        let name = format!("broker-{}", self.next.fetch_add(1, Ordering::Relaxed));
        let ground = &self.ground.0;
        let authority = Arc::clone(&ground.authority);
        Broker::start(
            &name,
            &self.dir.join(&name),
            setup,
            authority,
            (ground.lifetime, Arc::clone(&ground.record)),
        )
    }

    /// A PostgreSQL, shared by all who ask: keep to a [`Postgres::database`] of your own, and leave it running.
    ///
    /// # Errors
    /// When it cannot be installed or does not come up; the error shows the end of its log.
    pub fn postgres(&self) -> Result<Arc<Postgres>> {
        let mut slot = self.postgres.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(postgres) = &*slot {
            return Ok(Arc::clone(postgres));
        }
        let postgres = Arc::new(self.private_postgres()?);
        *slot = Some(Arc::clone(&postgres));
        Ok(postgres)
    }

    /// A PostgreSQL of the caller's own, to do harm to. It ends when it is dropped.
    ///
    /// # Errors
    /// When it cannot be installed or does not come up; the error shows the end of its log.
    pub fn private_postgres(&self) -> Result<Postgres> {
        let name = format!("postgres-{}", self.next.fetch_add(1, Ordering::Relaxed));
        let ground = &self.ground.0;
        Postgres::start(
            &name,
            &self.dir.join(&name),
            (ground.lifetime, Arc::clone(&ground.record)),
        )
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        drop(
            self.postgres
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        // Who still holds a cluster keeps it running; its directory goes all the same.
        self.clusters
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        drop(self.temporary.take());
        if let Some(mut reaper) = self.reaper.take() {
            drop(reaper.stdin.take());
            let _: std::io::Result<_> = reaper.wait();
        }
    }
}

impl Ground {
    pub(crate) fn new(binaries: Binaries, lifetime: Lifetime, record: Record) -> Result<Self> {
        let authority = Arc::new(Authority::new("bed")?);
        Ok(Self {
            binaries,
            authority,
            lifetime,
            record: Arc::new(record),
        })
    }
}

/// Where beds may lie: in memory if possible, since etcd writes much and nothing of it is of value.
pub(crate) fn roots() -> Vec<PathBuf> {
    let memory = PathBuf::from("/dev/shm");
    let writable = tempfile::tempfile_in(&memory).is_ok();
    writable
        .then_some(memory)
        .into_iter()
        .chain([env::temp_dir()])
        .collect()
}

/// Ends and removes what a bed has left whose owner is gone.
fn sweep(root: &Path) {
    let Ok(entries) = fs::read_dir(root) else {
        return;
    };
    for dir in entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX))
    {
        let dir = dir.path();
        let Ok(Some(state)) = State::read(&dir) else {
            continue;
        };
        // Without an owner it is a person's; with a living one, another test's.
        if state.owner.as_ref().is_none_or(Process::is_alive) {
            continue;
        }
        match state.end_all() {
            Ok(ended) if !ended.is_empty() => {
                progress(&format!(
                    "ended what {} had left: {}",
                    dir.display(),
                    ended.join(", ")
                ));
            }
            Ok(_) => {}
            Err(error) => progress(&format!("{error:#}")),
        }
        if !dir.join("keep").exists() {
            // The bed's own shell may be at the same work: what is gone is gone.
            let _: std::io::Result<()> = fs::remove_dir_all(&dir);
        }
    }
}

/// Starts the shell that removes `dir` when this process is gone. Its own group: a Ctrl-C is for us, not for it.
fn reaper(dir: &Path) -> Result<Child> {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new("sh");
    command
        .args(["-c", REAPER, "bed-reaper"])
        .arg(dir)
        .current_dir("/")
        .process_group(0);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().context("cannot run sh")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_behind(root: &Path, owner: Option<Process>, orphan: &Process) -> PathBuf {
        let dir = root.join(format!(
            "{PREFIX}{}",
            owner.as_ref().map_or(0, |owner| owner.start)
        ));
        fs::create_dir(&dir).unwrap();
        State {
            owner,
            processes: vec![orphan.clone()],
            ..State::default()
        }
        .write(&dir)
        .unwrap();
        dir
    }

    #[test]
    fn the_sweep_ends_what_a_dead_owner_left_and_touches_no_other_bed() {
        let root = tempfile::tempdir().unwrap();
        let mut orphan = Command::new("sleep").arg("60").spawn().unwrap();
        let noted = Process::running("orphan", orphan.id()).unwrap();
        let me = Process::running("owner", std::process::id()).unwrap();

        let living = left_behind(root.path(), Some(me.clone()), &noted);
        let a_persons = left_behind(root.path(), None, &noted);
        sweep(root.path());
        assert!(living.exists() && a_persons.exists() && orphan.try_wait().unwrap().is_none());

        let dead = left_behind(
            root.path(),
            Some(Process {
                start: me.start + 1,
                ..me
            }),
            &noted,
        );
        sweep(root.path());
        assert!(living.exists() && a_persons.exists() && !dead.exists());
        assert!(!orphan.wait().unwrap().success());
    }

    #[test]
    fn the_directory_goes_when_the_pipe_does() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("bed");
        fs::create_dir(&dir).unwrap();
        let mut reaper = reaper(&dir).unwrap();
        assert!(dir.exists());
        drop(reaper.stdin.take());
        reaper.wait().unwrap();
        assert!(!dir.exists());
    }
}
