//! What the bed costs on this machine: `cargo run -p bed --example measure [PODS]`.

use std::io::{self, Write};
use std::time::Instant;

use anyhow::{Context, Result};
use bed::{Bed, BrokerSetup, Cluster};

fn main() -> Result<()> {
    let pods = std::env::args()
        .nth(1)
        .map_or(Ok(10_000), |word| word.parse().context("PODS is no number"))?;
    let bed = timed("the bed itself", Bed::start)?;
    let broker = timed("a broker", || bed.broker(&BrokerSetup::plain()))?;
    timed("a broker again, after kill -9", || {
        broker.component().restart()
    })?;
    let cluster = timed("a bare cluster", || bed.cluster("cluster1"))?;
    memory(&cluster)?;
    timed("its API server again, after kill -9", || {
        cluster.apiserver().restart()
    })?;
    timed("kubectl get ns", || cluster.kubectl_ok(&["get", "ns"]))?;
    timed("controllers, scheduler, three ready nodes", || {
        cluster.controllers()
    })?;
    timed("the fixtures, until quiet", || cluster.seed())?;
    memory(&cluster)?;
    let second = bed.cluster("cluster2")?;
    let namespace = second.namespace("load")?;
    timed(&format!("{pods} pods in a bare cluster"), || {
        second.create_pods(&namespace, "load", pods)
    })?;
    timed("kubectl get pods of these", || {
        second.kubectl_ok(&["get", "pods", "-n", &namespace])
    })?;
    memory(&second)
}

fn timed<T>(what: &str, run: impl FnOnce() -> Result<T>) -> Result<T> {
    let begin = Instant::now();
    let result = run()?;
    writeln!(
        io::stdout(),
        "{:>8.2} s   {what}",
        begin.elapsed().as_secs_f64()
    )?;
    Ok(result)
}

fn memory(cluster: &Cluster) -> Result<()> {
    let parts = cluster.memory();
    for (name, bytes) in &parts {
        writeln!(io::stdout(), "{:>8} MiB {name}", bytes >> 20)?;
    }
    let all: u64 = parts.iter().map(|(_, bytes)| bytes).sum();
    Ok(writeln!(
        io::stdout(),
        "{:>8} MiB {} in all",
        all >> 20,
        cluster.name()
    )?)
}
