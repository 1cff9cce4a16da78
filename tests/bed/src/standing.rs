//! A bed that a person has put up, and that stands until the same person takes it down.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::binaries::{Binaries, progress};
use crate::broker::{Broker, BrokerSetup};
use crate::cluster::{Cluster, Ground};
use crate::site::roots;
use crate::spawner::Lifetime;
use crate::state::{Record, State};

/// A bed that was found standing, or has just been put up.
#[derive(Debug)]
pub struct Standing {
    dir: PathBuf,
    state: State,
}

impl Standing {
    /// Puts up the clusters `full` (with controllers, nodes and the fixtures) and `bare`, and a broker; all of it goes
    /// on when this process is gone. A bed that stands already is given back as it is.
    ///
    /// # Errors
    /// When a part does not come up (then nothing is left running), or when a bed stands that has lost a part.
    pub fn up(full: &[&str], bare: &[&str]) -> Result<Self> {
        if let Some(standing) = Self::find()? {
            let lost = standing.lost();
            if !lost.is_empty() {
                bail!(
                    "the bed stands, but {} ended: take it down first (`make bed-down`)",
                    lost.join(", ")
                );
            }
            return Ok(standing);
        }
        let dir = home()?;
        fs::create_dir(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
        if let Err(error) = put_up(&dir, full, bare) {
            let removed = Self::find()
                .and_then(|standing| standing.map_or(Ok(()), |standing| standing.down().map(drop)));
            return Err(removed.err().map_or(error, |second| {
                second.context("and what was started could not be ended")
            }));
        }
        Self::find()?.context("the bed was put up, but its state file is gone")
    }

    /// The standing bed, if there is one.
    ///
    /// # Errors
    /// When its state file cannot be read.
    pub fn find() -> Result<Option<Self>> {
        let dir = home()?;
        Ok(State::read(&dir)?.map(|state| Self { dir, state }))
    }

    /// Ends all its parts, and only these, and removes its directory. Gives the names of what was ended.
    ///
    /// # Errors
    /// When a part does not end.
    pub fn down(self) -> Result<Vec<String>> {
        let ended = self.state.end_all()?;
        match fs::remove_dir_all(&self.dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", self.dir.display()))
            }
            _ => Ok(ended),
        }
    }

    /// Where its data and logs lie.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What it consists of.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Names of parts that have ended.
    #[must_use]
    pub fn lost(&self) -> Vec<&str> {
        self.state
            .processes
            .iter()
            .filter(|process| !process.is_alive())
            .map(|process| process.name.as_str())
            .collect()
    }
}

fn put_up(dir: &Path, full: &[&str], bare: &[&str]) -> Result<()> {
    let record = Record::new(dir, None)?;
    let ground = Ground::new(Binaries::ensure()?, Lifetime::Detached, record)?;
    let own = (Lifetime::Detached, Arc::clone(&ground.record));
    let broker = Broker::start(
        "broker",
        &dir.join("broker"),
        &BrokerSetup::plain(),
        Arc::clone(&ground.authority),
        own,
    )?;
    ground
        .record
        .update(|state| state.broker = Some(broker.url().to_owned()))?;
    for (name, alive) in full
        .iter()
        .map(|name| (name, true))
        .chain(bare.iter().map(|name| (name, false)))
    {
        let begin = Instant::now();
        let cluster = Cluster::start(name, &dir.join(name), ground.clone())?;
        if alive {
            cluster.controllers()?;
            cluster.seed()?;
        }
        progress(&format!(
            "{name} is up: {:.1} s",
            begin.elapsed().as_secs_f64()
        ));
    }
    Ok(())
}

/// Where a person's bed lies: `$BED_HOME`, else one place per user.
fn home() -> Result<PathBuf> {
    if let Some(dir) = env::var_os("BED_HOME").filter(|dir| !dir.is_empty()) {
        return Ok(dir.into());
    }
    let root = roots()
        .into_iter()
        .next()
        .context("no directory for temporary files")?;
    Ok(root.join(format!(
        "mqtt-informer-bed-up-{}",
        rustix::process::geteuid().as_raw()
    )))
}
