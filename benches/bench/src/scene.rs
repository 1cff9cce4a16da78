//! Where it is measured: a real API server with pods, a real broker, syncers as users run them.

use crate::pods;
use crate::progress;
use anyhow::{Context, Result};
use bed::{Bed, Broker, BrokerSetup, Cluster, User};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// One cluster with its broker. What was started ends with it.
pub(crate) struct Scene {
    pub(crate) cluster: Cluster,
    pub(crate) broker: Broker,
    dir: PathBuf,
}

impl Scene {
    /// A cluster of its own with pods 0 .. `count`, behind a broker of its own, which is configured as our sample says.
    pub(crate) fn new(bed: &Bed, count: usize) -> Result<Self> {
        progress(&format!("a cluster with {count} pods"));
        let cluster = bed.private_cluster("bench")?;
        let namespace = |name| {
            format!(r#"{{"apiVersion":"v1","kind":"Namespace","metadata":{{"name":"{name}"}}}}"#)
        };
        for name in [pods::NAMESPACE, EMPTY] {
            cluster
                .api()
                .post("/api/v1/namespaces", namespace(name))?
                .success()?;
        }
        cluster.store_pods(0..count, &|number| pods::pod(number, 0))?;
        let broker = bed.broker(&BrokerSetup::plain().configuration(SAMPLE))?;
        Ok(Self {
            cluster,
            broker,
            dir: bed.dir().to_owned(),
        })
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.cluster.kubeconfig(User::Admin)
    }

    /// A file of this scene.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Starts a syncer under a name of its own and waits until it is ready.
    pub(crate) fn syncer(&self, name: &str, linger: &str) -> Result<Syncer> {
        syncer(
            &self.dir,
            self.broker.url(),
            &self.kubeconfig(),
            name,
            linger,
        )
    }

    /// The plugin, to be run against this scene's broker.
    pub(crate) fn plugin(&self, words: &[&str]) -> Result<Command> {
        let mut command = program("kubectl-mqinformer")?;
        command.args(words).args(["--broker", self.broker.url()]);
        Ok(command)
    }

    /// Pods `numbers` are restarted for the `revision`th time.
    pub(crate) fn restart(&self, numbers: std::ops::Range<usize>, revision: u32) -> Result<()> {
        self.cluster
            .store_pods(numbers, &|number| pods::pod(number, revision))
            .map(drop)
    }
}

/// Starts a syncer of a cluster and waits until it is ready.
pub(crate) fn syncer(
    dir: &Path,
    broker: &str,
    kubeconfig: &Path,
    name: &str,
    linger: &str,
) -> Result<Syncer> {
    let port = bed::choose_ports(1)?[0];
    let log = dir.join(format!("syncer-{name}-{port}.log"));
    let mut command = program("mqtt-informer")?;
    command
        .args(["syncer", "--broker", broker, "--cluster", name])
        .args(["--linger", linger])
        .args(["--listen", &format!("127.0.0.1:{port}"), "--kubeconfig"])
        .arg(kubeconfig)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&log)?);
    let child = command.spawn().context("cannot run mqtt-informer")?;
    let syncer = Syncer {
        name: name.to_owned(),
        child: Background(child),
        url: format!("http://127.0.0.1:{port}"),
    };
    bed::wait_for("a ready syncer", || Ok(syncer.get("/readyz").ok()))
        .with_context(|| format!("see {}", log.display()))?;
    Ok(syncer)
}

/// A namespace without pods.
pub(crate) const EMPTY: &str = "empty";

pub(crate) const SAMPLE: &str = include_str!("../../../samples/mosquitto.conf");

/// A program that was built beside this one, without anything of the environment that would change what it does.
pub(crate) fn program(name: &str) -> Result<Command> {
    let itself = std::env::current_exe().context("where am I?")?;
    let path = itself.with_file_name(name);
    anyhow::ensure!(
        path.exists(),
        "{} is not built: make bench builds it",
        path.display()
    );
    let mut command = Command::new(path);
    for variable in [
        "BROKER",
        "KUBECONFIG",
        "CLUSTER",
        "LISTEN",
        "BROKER_USERNAME",
        "BROKER_PASSWORD",
        "RUST_LOG",
    ] {
        command.env_remove(variable);
    }
    Ok(command)
}

/// A process that ends with its handle.
pub(crate) struct Background(pub(crate) Child);

impl Background {
    /// The time that its threads have had a processor, by the kernel's count in nanoseconds.
    pub(crate) fn busy(&self) -> Result<Duration> {
        busy(self.0.id())
    }

    /// A line of its `/proc/PID/status` in bytes: `VmRSS`, `VmHWM`.
    pub(crate) fn memory(&self, line: &str) -> Result<f64> {
        memory_of(self.0.id(), line)
    }
}

/// The time that a process's threads have had a processor, by the kernel's count in nanoseconds.
pub(crate) fn busy(pid: u32) -> Result<Duration> {
    let mut sum = 0;
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).context("it has ended")? {
        // A thread that has ended meanwhile is not waited for.
        let text = std::fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
        let busy = text.split(' ').next().unwrap_or_default();
        sum += busy.parse::<u64>().unwrap_or_default();
    }
    Ok(Duration::from_nanos(sum))
}

/// A line of a process's `/proc/PID/status` in bytes.
pub(crate) fn memory_of(pid: u32, line: &str) -> Result<f64> {
    let path = format!("/proc/{pid}/status");
    let text = std::fs::read_to_string(Path::new(&path)).context("it has ended")?;
    let value = text
        .lines()
        .find_map(|one| one.strip_prefix(line)?.strip_prefix(':'));
    let kib = value.and_then(|value| value.trim().strip_suffix(" kB"));
    Ok(kib.with_context(|| format!("no {line}"))?.parse::<f64>()? * 1024.0)
}

impl Drop for Background {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = (self.0.kill(), self.0.wait());
    }
}

/// A running syncer.
pub(crate) struct Syncer {
    pub(crate) name: String,
    pub(crate) child: Background,
    url: String,
}

impl Syncer {
    fn get(&self, path: &str) -> Result<String> {
        Ok(ureq::get(&format!("{}{path}", self.url))
            .call()?
            .body_mut()
            .read_to_string()?)
    }

    /// One of its metrics, `mqinformer_syncer_` left out.
    pub(crate) fn metric(&self, name: &str) -> Result<f64> {
        let wanted = format!("mqinformer_syncer_{name} ");
        let text = self.get("/metrics")?;
        let value = text.lines().find_map(|line| line.strip_prefix(&wanted));
        Ok(value
            .with_context(|| format!("no metric {name}"))?
            .parse()?)
    }

    /// Waits until it serves `count` streams.
    pub(crate) fn until_streams(&self, count: f64) -> Result<()> {
        bed::wait_for("the syncer's streams", || {
            Ok((self.metric("streams")? == count).then_some(()))
        })
    }
}
