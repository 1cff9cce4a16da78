//! A real PostgreSQL, whose data lies in the bed and is worth nothing.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::cluster::wait_for;
use crate::component::{Component, Program};
use crate::packages;
use crate::ports;
use crate::spawner::Lifetime;
use crate::state::{Record, signal};

/// The user as whom it runs when we are root, whom it refuses; its package makes it.
const USER: &str = "postgres";

/// A running server. It ends when it is dropped.
#[derive(Debug)]
pub struct Postgres {
    component: Component,
    programs: PathBuf,
    port: u16,
    next: AtomicUsize,
}

impl Postgres {
    pub(crate) fn start(
        name: &str,
        dir: &Path,
        (lifetime, record): (Lifetime, Arc<Record>),
    ) -> Result<Self> {
        let programs = programs()?;
        let data = dir.join("data");
        fs::create_dir_all(&data).with_context(|| format!("cannot create {}", data.display()))?;
        let unprivileged = unprivileged(dir, &data)?;
        initialise(&programs, &data, &unprivileged)?;
        let [port] = ports::choose(1)?[..] else {
            bail!("not a port")
        };
        let mut args = unprivileged;
        args.push(programs.join("postgres").into());
        args.extend(["-D".into(), data.into()]);
        for setting in [
            &*format!("port={port}"),
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "full_page_writes=off",
            "max_connections=200",
        ] {
            args.extend(["-c".into(), setting.into()]);
        }
        let path = PathBuf::from(args.remove(0));
        let ready = programs.join("pg_isready");
        let program = Program {
            name: format!("{name}/postgres"),
            path,
            args,
            log: dir.join("postgres.log"),
            ready: Box::new(move || is_ready(&ready, port)),
        };
        let component = Component::start(program, lifetime, record)?;
        Ok(Self {
            component,
            programs,
            port,
            next: AtomicUsize::new(1),
        })
    }

    /// A new database, empty: its URL.
    ///
    /// # Errors
    /// When the server does not make it.
    pub fn database(&self) -> Result<String> {
        let name = format!("test{}", self.next.fetch_add(1, Ordering::Relaxed));
        self.psql(
            "postgres",
            &format!("CREATE DATABASE {name} TEMPLATE template0"),
        )?;
        Ok(format!("postgres://{USER}@127.0.0.1:{}/{name}", self.port))
    }

    /// What a statement prints, unaligned and without headers.
    ///
    /// # Errors
    /// When the server refuses it.
    pub fn psql(&self, database: &str, statement: &str) -> Result<String> {
        let output = Command::new(self.programs.join("psql"))
            .args(["-h", "127.0.0.1", "-U", USER, "-d", database, "-AtXq"])
            .args(["-v", "ON_ERROR_STOP=1", "-c", statement, "-p"])
            .arg(self.port.to_string())
            .stdin(Stdio::null())
            .output()
            .context("cannot run psql")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("psql: {}", said.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Its first process: to kill. [`Postgres::restart`] starts it again.
    #[must_use]
    pub fn component(&self) -> &Component {
        &self.component
    }

    /// Starts it, again if it runs, on the same port and data.
    ///
    /// # Errors
    /// When it does not come up; the error shows the end of its log.
    pub fn restart(&self) -> Result<()> {
        self.component.kill_9()?;
        // What served its connections ends when it notices, and no other server may use the data until then.
        wait_for("server on its data", || self.component.restart().map(Some))
    }

    /// Freezes it and all that serve its connections: sockets stay open and nobody answers.
    ///
    /// # Errors
    /// When it does not run.
    pub fn pause(&self) -> Result<()> {
        // First who starts others.
        self.component.stop()?;
        self.each_child(Signal::STOP)
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it does not run.
    pub fn go_on(&self) -> Result<()> {
        self.each_child(Signal::CONT)?;
        self.component.cont()
    }

    fn each_child(&self, which: Signal) -> Result<()> {
        let pid = self.component.pid().context("it does not run")?;
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
            .context("cannot list its processes")?;
        for child in children.split_whitespace() {
            // One that has just ended needs no signal.
            let _: Result<()> = child.parse().map_or(Ok(()), |pid| signal(pid, which));
        }
        Ok(())
    }
}

/// The words before a command that make it run as a user whom PostgreSQL serves; `data` becomes that user's.
fn unprivileged(dir: &Path, data: &Path) -> Result<Vec<OsString>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(vec!["env".into()]);
    }
    let (uid, gid) = user()?;
    chown(data, Some(uid), Some(gid)).context("cannot give the data away")?;
    // The way there: whoever knows a name may pass, nobody may look.
    for way in dir.ancestors().take(2) {
        fs::set_permissions(way, fs::Permissions::from_mode(0o711))
            .with_context(|| format!("cannot open {}", way.display()))?;
    }
    let (uid, gid) = (uid.to_string(), gid.to_string());
    // Who changes the user loses the signal that ends him with his parent: it is asked for again afterwards.
    let words = [
        "setpriv",
        "--reuid",
        &uid,
        "--regid",
        &gid,
        "--clear-groups",
        "--",
        "setpriv",
        "--pdeathsig",
        "KILL",
        "--",
    ];
    Ok(words.map(OsString::from).to_vec())
}

/// Its numbers in the system's list of users.
fn user() -> Result<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").context("cannot read the users")?;
    let line = users
        .lines()
        .find_map(|line| line.strip_prefix(USER)?.strip_prefix(':'))
        .with_context(|| format!("there is no user {USER}"))?;
    let mut fields = line.split(':').skip(1);
    let mut number = || fields.next()?.parse().ok();
    let numbers = number().and_then(|uid| Some((uid, number()?)));
    numbers.with_context(|| format!("the user {USER} has no numbers"))
}

fn initialise(programs: &Path, data: &Path, unprivileged: &[OsString]) -> Result<()> {
    let (first, more) = unprivileged.split_first().context("no command")?;
    // The order of letters that most servers have is not that of bytes: what relies on it is found here.
    let output = Command::new(first)
        .args(more)
        .arg(programs.join("initdb"))
        .args(["--no-sync", "-A", "trust", "-U", USER, "-E", "UTF8"])
        .args([
            "--locale=C.UTF-8",
            "--locale-provider=icu",
            "--icu-locale=en-US",
        ])
        .arg("-D")
        .arg(data)
        .current_dir("/")
        .stdin(Stdio::null())
        .output()
        .context("cannot run initdb")?;
    if !output.status.success() {
        bail!("initdb: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

fn is_ready(program: &Path, port: u16) -> Result<()> {
    let output = Command::new(program)
        .args(["-h", "127.0.0.1", "-t", "2", "-p"])
        .arg(port.to_string())
        .stdin(Stdio::null())
        .output()
        .context("cannot run pg_isready")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stdout).trim());
    }
    Ok(())
}

/// Where its programs are: installed with apt-get, if they are nowhere.
fn programs() -> Result<PathBuf> {
    let postgres = packages::ensure("postgresql", || {
        let newest = fs::read_dir("/usr/lib/postgresql")
            .ok()
            .and_then(|entries| {
                let programs = entries
                    .flatten()
                    .map(|entry| entry.path().join("bin/postgres"));
                programs.filter(|file| file.is_file()).max()
            });
        newest.or_else(|| packages::find("postgres"))
    })?;
    let programs = postgres.parent().map(Path::to_owned);
    programs.context("postgres is in no directory")
}
