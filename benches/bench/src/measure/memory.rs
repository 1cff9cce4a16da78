//! What a pod costs in memory, here and there.

use super::{Context, Measurement, Rows};
use crate::arguments::Form;
use crate::figure::{Sample, Unit};
use crate::paired::Pair;
use crate::pods;
use crate::progress;
use crate::report::Row;
use crate::scene::{Background, EMPTY, Scene};
use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

pub(super) const MEASUREMENT: Measurement = Measurement {
    name: "memory",
    title: "Memory for each pod",
    method: "Resident memory of a process that holds all pods, less that of one that holds none, through the number of pods. \
             The viewer is a bare consumer of the library, the syncer serves one stream; beside both a client-go dynamic \
             shared informer (benches/client-go) over the same pods, after a forced garbage collection that gives memory \
             back to the system, which is kind to it. Ours are as they are once nothing moves any more.",
    run,
};

fn run(context: &Context<'_>, rows: &mut Rows) -> Result<()> {
    let program = build()?;
    let scene = Scene::new(context.bed, context.pods)?;
    let mut go = (Vec::new(), Vec::new());
    let repeats = context.repeats.min(3);
    let mut ours = [(); 4].map(|()| Vec::new());
    for turn in 1..=repeats {
        for (form, places) in [(Form::Rows, [0, 1]), (Form::Objects, [2, 3])] {
            let [viewer, syncer] = hold(&scene, form, context.pods)?;
            ours[places[0]].push(viewer);
            ours[places[1]].push(syncer);
        }
        let [collected, as_is] = client_go(&scene, &program, context.pods)?;
        go.0.push(collected);
        go.1.push(as_is);
        progress(&format!("memory: {turn} of {repeats}"));
    }
    let baseline = Sample::new(go.0);
    let names = [
        "viewer, rows",
        "syncer, rows",
        "viewer, objects",
        "syncer, objects",
    ];
    for (name, values) in names.into_iter().zip(ours) {
        let pair = Pair {
            ours: Sample::new(values),
            baseline: baseline.clone(),
        };
        rows.push(Row::pair(name, Unit::Bytes, &pair, "client-go").at_most(0.125, "1/8"));
    }
    rows.push(Row::alone(
        "client-go without the forced collection",
        Unit::Bytes.show_sample(&Sample::new(go.1)),
    ));
    Ok(())
}

/// A viewer and a syncer: bytes a pod in each.
fn hold(scene: &Scene, form: Form, count: usize) -> Result<[f64; 2]> {
    let syncer = scene.syncer("memory", "1h")?;
    // It has answered once: what is loaded for that is loaded.
    let empty = settled(&viewer(scene, form, EMPTY, 0)?)?;
    let idle = settled(&syncer.child)?;
    let viewer = viewer(scene, form, pods::NAMESPACE, count)?;
    let (full, serving) = (settled(&viewer)?, settled(&syncer.child)?);
    let pods = count as f64;
    Ok([(full - empty) / pods, (serving - idle) / pods])
}

/// Starts a consumer and waits until it holds everything.
fn viewer(scene: &Scene, form: Form, namespace: &str, count: usize) -> Result<Background> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args([
            "viewer",
            "--cluster",
            "memory",
            "--namespace",
            namespace,
            "--form",
            form.word(),
        ])
        .args(["--broker", scene.broker.url()]);
    let (process, line) = first_line(command)?;
    ensure!(
        line.trim() == count.to_string(),
        "the viewer holds {line} of {count} pods"
    );
    Ok(process)
}

/// Starts a program that says one line and stays.
fn first_line(mut command: Command) -> Result<(Background, String)> {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut process =
        Background(child.with_context(|| format!("cannot run {:?}", command.get_program()))?);
    let out = process.0.stdout.take().context("no stdout")?;
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line)?;
    if line.is_empty() {
        bail!("{:?} ended without a word", command.get_program());
    }
    Ok((process, line))
}

/// The resident memory once it has stopped to move: three looks, a second in all, within 1 %.
fn settled(process: &Background) -> Result<f64> {
    let mut last = [f64::NAN; 3];
    for _ in 0..120 {
        std::thread::sleep(Duration::from_millis(500));
        last.rotate_left(1);
        last[2] = process.memory("VmRSS")?;
        if last
            .iter()
            .all(|one| (one - last[2]).abs() <= last[2] / 100.0)
        {
            return Ok(last[2]);
        }
    }
    bail!("its memory does not settle")
}

#[derive(Deserialize)]
struct Informer {
    objects: usize,
    rss: f64,
    rss_collected: f64,
}

/// The Go program: bytes a pod after a collection, and as it was.
fn client_go(scene: &Scene, program: &PathBuf, count: usize) -> Result<[f64; 2]> {
    let start = |namespace: &str, count: usize| -> Result<Informer> {
        let mut command = Command::new(program);
        command
            .arg("-kubeconfig")
            .arg(scene.kubeconfig())
            .args(["-namespace", namespace]);
        let (_process, line) = first_line(command)?;
        let informer: Informer = serde_json::from_str(&line).context("the Go program's report")?;
        ensure!(
            informer.objects == count,
            "client-go holds {} of {count} pods",
            informer.objects
        );
        Ok(informer)
    };
    let (empty, full) = (start(EMPTY, 0)?, start(pods::NAMESPACE, count)?);
    let pods = count as f64;
    Ok([
        (full.rss_collected - empty.rss_collected) / pods,
        (full.rss - empty.rss) / pods,
    ])
}

/// Builds the Go program, which takes minutes the first time.
fn build() -> Result<PathBuf> {
    let source = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../client-go"));
    let out = std::env::current_exe()?.with_file_name("client-go");
    progress("building benches/client-go");
    let built = Command::new("go")
        .args([
            "build",
            "-mod=readonly",
            "-trimpath",
            "-buildvcs=false",
            "-ldflags",
            "-s -w",
            "-o",
        ])
        .arg(&out)
        .arg(".")
        .current_dir(source)
        .env("CGO_ENABLED", "0")
        .env("GOWORK", "off")
        .status()
        .context("cannot run go, which benches/client-go is built with")?;
    ensure!(built.success(), "benches/client-go cannot be built");
    Ok(out)
}
