//! A fleet in the controlplane's database.

use super::{Context, Measurement, Rows};
use crate::figure::{Unit, seconds};
use crate::fleet::{ask, load};
use crate::progress;
use crate::report::Row;
use anyhow::{Context as _, Result};
use mqtt_informer::store::{Options, Store};
use std::fs;
use std::path::Path;

pub(super) const MEASUREMENT: Measurement = Measurement {
    name: "store",
    title: "The controlplane's database",
    method: "Ten times the pods of the other measurements, of 20 clusters, each as its row and as its object without \
             managedFields, written into an empty store in the batches of the intake (2000 changes or 4 MB), one batch after \
             the other; then a tenth of the objects changes, 100 at a time. Only writing is in the time, not the making of \
             the pods. The size is that of the database with its indexes after that, through the pods. Memory is that of the \
             process that writes and asks; PostgreSQL's own is its affair. Each question is asked 100 times (less, if that \
             takes longer than 20 s), for another pod each time; pages have 100 objects. PostgreSQL runs on the same machine, \
             without fsync; SQLite with `synchronous = NORMAL`.",
    run,
};

/// So many times the pods that other measurements have: the goals are about 100,000.
const TIMES: usize = 10;
/// How much memory may grow from a quarter of the fleet to all of it.
const FLAT: f64 = 1.25;

fn run(context: &Context<'_>, rows: &mut Rows) -> Result<()> {
    let dir = tempfile::tempdir().context("cannot make a directory for the database")?;
    let file = dir.path().join("store.db");
    let url = format!("sqlite://{}", file.display());
    database(context, ("SQLite", &url), rows, || size(dir.path()))?;
    let postgres = context.bed.postgres()?;
    let url = postgres.database()?;
    let name = url.rsplit('/').next().unwrap_or_default();
    database(context, ("PostgreSQL", &url), rows, || {
        let size = postgres.psql(name, "SELECT pg_database_size(current_database())")?;
        Ok(size.parse()?)
    })
}

fn database(
    context: &Context<'_>,
    (name, url): (&str, &str),
    rows: &mut Rows,
    size: impl Fn() -> Result<f64>,
) -> Result<()> {
    let pods = context.pods * TIMES;
    let runtime = context.runtime;
    let store = runtime.block_on(Store::open(url, Options::default()))?;
    let empty = size()?;
    let load = runtime.block_on(load::load(&store, pods, pods / 10))?;
    let written = [
        ("rows in", &load.rows),
        ("objects in", &load.objects),
        ("changes of objects in", &load.updates),
    ];
    for (what, speed) in written {
        let speed = Unit::PerSecond.show(speed.per_second());
        rows.push(Row::alone(format!("{name}: {what}"), speed));
    }
    let [before, quarter, all] = load.memory;
    let shown = [before, quarter, all].map(|bytes| Unit::Bytes.show(bytes));
    let shown = format!("{}, {}, {}", shown[0], shown[1], shown[2]);
    let memory = Row::alone(
        format!("{name}: memory with nothing, a quarter, all in it"),
        shown,
    );
    let flat = all <= quarter * FLAT;
    rows.push(memory.met("all ≤ 1.25 of a quarter", flat));
    let each = Unit::Bytes.show((size()? - empty) / pods as f64);
    rows.push(Row::alone(format!("{name}: on the disk, a pod"), each));
    for (what, question) in ask::QUESTIONS {
        let times = ask::ask(&store, question, (pods, 100));
        let times = seconds(&runtime.block_on(times)?);
        let [middle, most] = [0.5, 0.99].map(|q| Unit::Seconds.show(times.quantile(q)));
        let shown = format!("p50 {middle}, p99 {most}");
        rows.push(Row::alone(format!("{name}: {what}"), shown));
    }
    runtime.block_on(store.close());
    progress(&format!("store: {name} is measured"));
    Ok(())
}

/// What lies in a directory, in bytes.
fn size(directory: &Path) -> Result<f64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes as f64)
}
