//! `get pods -A`, beside kubectl.

use super::{Context, Measurement, Rows};
use crate::arguments::Form;
use crate::child::{self, Took};
use crate::direct;
use crate::figure::Unit;
use crate::paired::paired;
use crate::report::Row;
use crate::scene::{Scene, Syncer};
use anyhow::{Result, ensure};
use std::process::Command;

pub(super) const MEASUREMENT: Measurement = Measurement {
    name: "get",
    title: "`get pods -A`: wall time and peak memory",
    method: "Whole programs, from start to end, stdout into a file. *Warm*: the syncer serves the stream already, because \
             somebody looked within the last 30 s or still does. *Cold*: it does not, so the syncer lists the pods first; \
             beside it a bare list over a new connection in the form that the syncer asks for (Tables that include the \
             objects, 500 a page), read and thrown away; kube-rs's own client, which leaves Nagle's algorithm on, takes \
             some 40 ms of it for its first request. kubectl's discovery cache is warm.",
    run,
};

/// Goals: what ours may take of kubectl's time, by the number of pods.
const FEW: (f64, &str) = (1.0 / 3.0, "1/3");
const MANY: (f64, &str) = (0.1, "1/10");

fn run(context: &Context<'_>, rows: &mut Rows) -> Result<()> {
    for count in [3, context.pods * 3 / 10, context.pods] {
        let scene = Scene::new(context.bed, count)?;
        let stay = scene.syncer("warm", "1h")?;
        let leave = scene.syncer("cold", "0s")?;
        warm(context, &scene, &stay, count, rows)?;
        cold(context, &scene, &leave, count, rows)?;
    }
    Ok(())
}

fn warm(
    context: &Context<'_>,
    scene: &Scene,
    syncer: &Syncer,
    count: usize,
    rows: &mut Rows,
) -> Result<()> {
    let ours = || ours(scene, syncer, count).map(figures);
    let kubectl = || {
        let mut command = scene.cluster.kubectl_command();
        command.args(["get", "pods", "-A", "--no-headers"]);
        listing(scene, &command, count).map(figures)
    };
    let [time, peak] = paired(
        &format!("warm get of {count} pods"),
        context.repeats,
        ours,
        kubectl,
    )?;
    let (limit, written) = if count < 100 { FEW } else { MANY };
    rows.push(
        Row::pair(
            format!("{count} pods, warm"),
            Unit::Seconds,
            &time,
            "kubectl",
        )
        .at_most(limit, written),
    );
    rows.push(Row::pair(
        format!("{count} pods, warm, peak memory"),
        Unit::Bytes,
        &peak,
        "kubectl",
    ));
    Ok(())
}

fn cold(
    context: &Context<'_>,
    scene: &Scene,
    syncer: &Syncer,
    count: usize,
    rows: &mut Rows,
) -> Result<()> {
    let cold = || {
        syncer.until_streams(0.0)?;
        ours(scene, syncer, count).map(|took| [took.seconds])
    };
    let direct = || {
        let listed = context
            .runtime
            .block_on(direct::list(&scene.kubeconfig(), Form::Rows))?;
        Ok([listed.seconds])
    };
    let [time] = paired(
        &format!("cold get of {count} pods"),
        context.repeats,
        cold,
        direct,
    )?;
    rows.push(
        Row::pair(
            format!("{count} pods, cold"),
            Unit::Seconds,
            &time,
            "bare list",
        )
        .at_most(1.25, "1.25"),
    );
    Ok(())
}

fn ours(scene: &Scene, syncer: &Syncer, count: usize) -> Result<Took> {
    let command = scene.plugin(&[
        "get",
        "pods",
        "-A",
        "--no-headers",
        "--cluster",
        &syncer.name,
    ])?;
    listing(scene, &command, count)
}

/// Runs a program whose output has `count` lines, or it is a failure: half a list is quickly printed.
fn listing(scene: &Scene, command: &Command, count: usize) -> Result<Took> {
    let out = scene.file("get.out");
    let took = child::run(command, &out)?;
    let lines = std::fs::read_to_string(&out)?.lines().count();
    ensure!(
        lines == count,
        "{:?} printed {lines} of {count} pods",
        command.get_program()
    );
    Ok(took)
}

fn figures(took: Took) -> [f64; 2] {
    [took.seconds, took.peak]
}
