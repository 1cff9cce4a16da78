//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use mqtt_informer::protocol::message::View;
use std::ffi::OsString;
use std::path::PathBuf;

/// The measured comparisons of mqtt-informer.
#[derive(Parser)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Measure, and write the tables.
    Run(Run),
    /// Name the measurements.
    List,
    /// Count instructions under callgrind, and compare them with the committed figures.
    Guards(Guards),
    /// Run a program and say what it took (for the harness itself).
    #[command(hide = true)]
    Child(Child),
    /// Copy a stream and stay (for the harness itself).
    #[command(hide = true)]
    Viewer(Viewer),
}

#[derive(Args)]
pub(crate) struct Run {
    /// Which measurements; all without one.
    pub(crate) only: Vec<String>,

    /// Pods in the largest cluster.
    #[arg(long, env = "BENCH_PODS", default_value_t = FULL, value_parser = clap::value_parser!(u32).range(10..=50_000))]
    pub(crate) pods: u32,

    /// How often what takes less than 10 s is repeated.
    #[arg(long, env = "BENCH_REPEATS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeats: u32,

    /// ManifestWorks of the measurement of hub and agents.
    #[arg(long, env = "BENCH_WORKS", default_value_t = WORKS, value_parser = clap::value_parser!(u32).range(2..=20_000))]
    pub(crate) works: u32,

    /// Clusters that they are for.
    #[arg(long, env = "BENCH_CLUSTERS", default_value_t = CLUSTERS, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(crate) clusters: u32,

    /// Where the results are kept, one file a measurement, so that one can be measured anew.
    #[arg(long, default_value = "target/bench")]
    pub(crate) results: PathBuf,

    /// Where the tables go, if this was a full run of a release build; else they go beside the results.
    #[arg(long, default_value = "docs/benchmarks.md")]
    pub(crate) out: PathBuf,
}

/// The size that the goals are about.
const FULL: u32 = 10_000;
const WORKS: u32 = 1_000;
const CLUSTERS: u32 = 20;

impl Run {
    /// Whether the figures mean anything to a reader.
    pub(crate) fn is_real(&self) -> bool {
        let full = (self.pods, self.works, self.clusters) == (FULL, WORKS, CLUSTERS);
        full && self.repeats >= 10 && !cfg!(debug_assertions)
    }
}

#[derive(Args)]
pub(crate) struct Guards {
    /// Write the figures instead of comparing with them.
    #[arg(long)]
    pub(crate) update: bool,

    /// Without valgrind, fail instead of saying so and going on.
    #[arg(long, env = "GUARDS_REQUIRED")]
    pub(crate) required: bool,

    /// The committed figures.
    #[arg(long, default_value = "benches/guards.json")]
    pub(crate) figures: PathBuf,
}

#[derive(Args)]
pub(crate) struct Child {
    /// Where its stdout goes.
    #[arg(long)]
    pub(crate) out: PathBuf,

    /// The program and its arguments.
    #[arg(last = true, required = true)]
    pub(crate) command: Vec<OsString>,
}

#[derive(Args)]
pub(crate) struct Viewer {
    /// The broker's URL.
    #[arg(long)]
    pub(crate) broker: String,

    /// The cluster.
    #[arg(long)]
    pub(crate) cluster: String,

    /// One namespace, or empty for all.
    #[arg(long, default_value = "")]
    pub(crate) namespace: String,

    /// What is copied of each pod.
    #[arg(long)]
    pub(crate) form: Form,
}

/// In which form pods are copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// What kubectl prints.
    Rows,
    /// The whole object, managedFields aside.
    Objects,
}

impl Form {
    pub(crate) const BOTH: [Self; 2] = [Self::Rows, Self::Objects];

    pub(crate) fn view(self) -> View {
        match self {
            Self::Rows => View::Rows,
            Self::Objects => View::Objects,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Objects => "objects",
        }
    }
}
