//! One file a measurement, and the run over them.

mod get;
mod latency;
mod memory;
mod resync;
mod screen;
mod store;
mod sync;
mod throughput;
mod wire;
mod work;

use crate::arguments::Run;
use crate::consumer;
use crate::machine;
use crate::progress;
use crate::report::{Row, Section, page};
use anyhow::{Context as _, Result, bail};
use bed::Bed;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;
use tokio::runtime::Runtime;

/// A measurement: a scene, turns, rows.
pub(crate) struct Measurement {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    method: &'static str,
    run: fn(&Context<'_>, &mut Rows) -> Result<()>,
}

/// What a measurement adds its rows to, each as soon as it is known: what was measured before a failure stays.
type Rows = Vec<Row>;

/// What every measurement gets.
pub(crate) struct Context<'a> {
    bed: &'a Bed,
    runtime: &'a Runtime,
    pods: usize,
    works: usize,
    clusters: usize,
    repeats: u32,
}

/// All, in the order of the page.
pub(crate) const ALL: [Measurement; 10] = [
    get::MEASUREMENT,
    latency::MEASUREMENT,
    wire::MEASUREMENT,
    sync::MEASUREMENT,
    resync::MEASUREMENT,
    memory::MEASUREMENT,
    throughput::MEASUREMENT,
    screen::MEASUREMENT,
    store::MEASUREMENT,
    work::MEASUREMENT,
];

/// Runs the measurements that are asked for, keeps what each gave, and writes the page of all that are known.
pub(crate) fn run(arguments: &Run) -> Result<()> {
    let chosen = chosen(&arguments.only)?;
    fs::create_dir_all(&arguments.results)
        .with_context(|| format!("cannot create {}", arguments.results.display()))?;
    let bed = Bed::start()?;
    let runtime = consumer::runtime()?;
    let context = Context {
        bed: &bed,
        runtime: &runtime,
        pods: arguments.pods as usize,
        works: arguments.works as usize,
        clusters: arguments.clusters as usize,
        repeats: arguments.repeats,
    };
    let mut failed = Vec::new();
    for measurement in chosen {
        let section = context.measure(measurement);
        section.save(&file(arguments, measurement.name))?;
        failed.extend(section.failure.as_ref().map(|_| measurement.name));
        write_page(arguments)?;
    }
    if failed.is_empty() {
        return Ok(());
    }
    bail!("not measured to its end: {}", failed.join(", "))
}

fn chosen(names: &[String]) -> Result<Vec<&'static Measurement>> {
    let words = names
        .iter()
        .flat_map(|word| word.split([',', ' ']))
        .filter(|word| !word.is_empty());
    let find = |name: &str| {
        let found = ALL.iter().find(|one| one.name == name);
        found.with_context(|| {
            format!(
                "no measurement {name:?}: there are {}",
                ALL.map(|one| one.name).join(", ")
            )
        })
    };
    let found: Vec<_> = words.map(find).collect::<Result<_>>()?;
    Ok(if found.is_empty() {
        ALL.iter().collect()
    } else {
        found
    })
}

/// Results of trials stay apart from those that are published.
fn file(arguments: &Run, name: &str) -> PathBuf {
    let kind = if arguments.is_real() { "" } else { "trial-" };
    arguments.results.join(format!("{kind}{name}.json"))
}

fn write_page(arguments: &Run) -> Result<()> {
    let known = ALL
        .iter()
        .filter_map(|one| Section::load(&file(arguments, one.name)));
    let text = page(&known.collect::<Vec<_>>(), arguments.is_real())?;
    let path = if arguments.is_real() {
        arguments.out.clone()
    } else {
        arguments.results.join("trial.md")
    };
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    progress(&format!("{} is written", path.display()));
    Ok(())
}

impl Context<'_> {
    fn measure(&self, measurement: &Measurement) -> Section {
        progress(&format!("== {}", measurement.title));
        let begin = Instant::now();
        let mut rows = Rows::new();
        // Tasks of a measurement live in the runtime: what it starts outside of a block is inside, too.
        let _inside = self.runtime.enter();
        let outcome = (measurement.run)(self, &mut rows);
        let failure = outcome
            .err()
            .map(|error| format!("{error:#}").replace('\n', " "));
        if let Some(failure) = &failure {
            progress(&format!("{} failed: {failure}", measurement.name));
        }
        progress(&format!(
            "== {}: {:.0} s",
            measurement.name,
            begin.elapsed().as_secs_f64()
        ));
        Section {
            title: measurement.title.to_owned(),
            method: measurement.method.to_owned(),
            rows,
            failure,
            pods: u32::try_from(self.pods).unwrap_or(u32::MAX),
            machine: machine::describe(),
        }
    }

    /// A number that shrinks with the pods of a trial: `full` where there are 10,000.
    fn scaled(&self, full: usize, least: usize) -> usize {
        (full * self.pods / 10_000).clamp(least.min(full), full)
    }
}
