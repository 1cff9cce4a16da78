//! A hub, agents and their API servers, as users run them.

use crate::proxy::Proxy;
use crate::scene::{Background, SAMPLE, program};
use crate::{measure, progress};
use anyhow::{Context as _, Result};
use bed::{Broker, BrokerSetup, Cluster, User};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Agents at one API server: more clusters than that have several.
const AGENTS: usize = 10;

/// What is started ends with it.
pub(super) struct Site {
    pub(super) hub: Background,
    pub(super) agents: Vec<Background>,
    pub(super) home: Cluster,
    /// The API servers of the clusters, each of several.
    spokes: Vec<Cluster>,
    /// What the hub says and hears, what the agents do.
    pub(super) wires: [Proxy; 2],
    _broker: Broker,
    dir: PathBuf,
}

/// What a cluster is called.
pub(super) fn name(cluster: usize) -> String {
    format!("edge-{cluster:03}")
}

impl Site {
    pub(super) fn new(context: &measure::Context<'_>) -> Result<Self> {
        let bed = context.bed;
        progress("a hub, API servers and agents");
        let home = bed.private_cluster("work-hub")?;
        let spokes = (0..context.clusters.div_ceil(AGENTS))
            .map(|it| bed.private_cluster(&format!("work-{it}")))
            .collect::<Result<Vec<_>>>()?;
        let broker = bed.broker(&BrokerSetup::plain().configuration(SAMPLE))?;
        let start = || context.runtime.block_on(Proxy::start(broker.port()));
        let wires = [start()?, start()?];
        let dir = bed.dir().to_owned();
        let hub = hub(&dir, &wires[0], &home)?;
        let mut site = Self {
            hub,
            agents: Vec::new(),
            home,
            spokes,
            wires,
            _broker: broker,
            dir,
        };
        for cluster in 0..context.clusters {
            site.agents.push(site.agent(cluster)?);
        }
        for cluster in 0..context.clusters {
            site.joins(cluster)?;
        }
        Ok(site)
    }

    /// The API server of a cluster.
    pub(super) fn spoke(&self, cluster: usize) -> &Cluster {
        &self.spokes[cluster / AGENTS]
    }

    fn agent(&self, cluster: usize) -> Result<Background> {
        let name = name(cluster);
        let words = ["agent", "--cluster", &name];
        run(&self.dir, &self.wires[1], self.spoke(cluster), &words)
    }

    /// Waits until work can be given to a cluster, and makes its namespace there.
    fn joins(&self, cluster: usize) -> Result<()> {
        let name = name(cluster);
        let path = format!("/api/v1/namespaces/{name}");
        bed::wait_for(&format!("the hub lets {name} in"), || {
            Ok((self.home.api().get(&path)?.status == 200).then_some(()))
        })?;
        let body =
            format!(r#"{{"apiVersion":"v1","kind":"Namespace","metadata":{{"name":"{name}"}}}}"#);
        let made = self.spoke(cluster).api().post("/api/v1/namespaces", body)?;
        made.success().map(drop)
    }

    /// The hub is killed, and another one takes its place.
    pub(super) fn kill_the_hub(&mut self) -> Result<()> {
        self.hub.0.kill().context("cannot kill the hub")?;
        self.hub.0.wait().context("the hub does not end")?;
        self.hub = hub(&self.dir, &self.wires[0], &self.home)?;
        Ok(())
    }

    /// Bytes so far that came to the agents, and to the hub.
    pub(super) fn bytes(&self) -> [f64; 2] {
        let [hub, agents] = &self.wires;
        [agents.down(), hub.down()]
    }
}

fn hub(dir: &Path, wire: &Proxy, home: &Cluster) -> Result<Background> {
    run(dir, wire, home, &["hub", "--auto-accept", "*"])
}

/// Starts one of them and waits until it is ready.
fn run(dir: &Path, wire: &Proxy, cluster: &Cluster, words: &[&str]) -> Result<Background> {
    let port = bed::choose_ports(1)?[0];
    let log = dir.join(format!("{}-{port}.log", words[0]));
    let mut command = program("mqtt-informer")?;
    command
        .args(words)
        .args(["--broker", &wire.url()])
        .args(["--listen", &format!("127.0.0.1:{port}"), "--kubeconfig"])
        .arg(cluster.kubeconfig(User::Admin))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&log)?);
    let process = Background(command.spawn().context("cannot run mqtt-informer")?);
    let ready = format!("http://127.0.0.1:{port}/readyz");
    bed::wait_for(words[0], || Ok(ureq::get(&ready).call().ok().map(drop)))
        .with_context(|| format!("see {}", log.display()))?;
    Ok(process)
}
