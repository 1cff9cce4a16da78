//! `diff`: the same objects in several clusters, compared.

mod gather;

use super::reader::{Limits, Reader};
use super::{ReachArgs, TimeoutArgs};
use crate::diff::form;
use crate::diff::text::{self, Style};
use crate::diff::{Comparison, Difference, Identity, document};
use crate::error::Failure;
use crate::get::messages;
use crate::get::{Form, Namespaces, Plan};
use crate::print::objects::Format;
use crate::print::table::{Rows, TableOptions, TablePrinter};
use crate::print::{Audience, json};
use crate::scope::Scope;
use crate::terminal::Terminal;
use clap::{Args, ValueEnum};
use gather::Gathered;
use mqtt_informer::cli::asked_to_stop;
use mqtt_informer::protocol::names::ClusterName;
use std::io::IsTerminal;

/// What `--all` compares if nothing else is named.
const WORKLOADS: &str = "deployments.apps,statefulsets.apps,daemonsets.apps,cronjobs.batch";
/// kubectl diff's: 1 is for differences.
const ERROR: u8 = 2;

/// Compare objects between clusters.
///
/// Clusters with the same object, but for what each cluster makes by itself (uid, status, cluster IPs, node names, ...),
/// are one version of it. The version of the most clusters is what the others are compared with; of the first cluster,
/// among equals. Values of Secrets are not compared.
///
/// With --all: a table of what differs where, of the workloads of all namespaces if nothing else is named.
///
/// The exit code is 0 if nothing differs, 1 if something does, and 2 if a cluster could not be read (--allow-partial
/// compares the others).
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  # One deployment in two clusters
  kubectl mqinformer diff deploy web -n shop --cluster east,west

  # All configmaps of a namespace, in all clusters
  kubectl mqinformer diff cm -n shop

  # Which workloads are not the same everywhere
  kubectl mqinformer diff --all --cluster 'prod-*'

  # Which clusters run another image
  kubectl mqinformer diff --all -o json | jq '.differences[].fields[] | select(.path | endswith(\".image\"))'")]
pub struct DiffArgs {
    /// Types and names, as `get` has them.
    #[arg(
        value_name = "TYPE [NAME]",
        help = "TYPE[.VERSION][.GROUP][,TYPE...] [NAME...], or TYPE/NAME..."
    )]
    pub words: Vec<String>,

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub reach: ReachArgs,

    /// A label selector.
    #[arg(
        long,
        short = 'l',
        value_name = "SELECTOR",
        default_value = "",
        allow_hyphen_values = true
    )]
    pub selector: String,

    /// A table of what differs where.
    #[arg(long)]
    pub all: bool,

    /// Compare the status, too.
    #[arg(long)]
    pub status: bool,

    /// How to print: json.
    #[arg(long, short, value_name = "FORM", hide_possible_values = true)]
    pub output: Option<DiffForm>,

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub timeouts: TimeoutArgs,

    /// Compare the clusters that could be read.
    #[arg(long)]
    pub allow_partial: bool,
}

/// The forms of `-o`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DiffForm {
    /// `{"clusters": [...], "differences": [...]}`
    Json,
}

impl DiffArgs {
    fn plan(&self, scope: &Scope) -> Result<Plan, Failure> {
        let words = match (self.words.as_slice(), self.all) {
            ([], true) => vec![WORKLOADS.to_owned()],
            ([], false) => {
                return Err(error(
                    "what is to be compared? Name a type, or say --all for all workloads",
                ));
            }
            (words, _) => words.to_vec(),
        };
        // Workloads of one namespace are asked for by naming it.
        let mut reach = self.reach.clone();
        reach.all_namespaces |= self.all && !scope.namespace_is_typed;
        let plan = Plan {
            namespaces: scope.namespaces(&reach),
            labels: self.selector.clone(),
            form: Form::Objects(Format::Json),
            timeout: self.timeouts.timeout,
            request_timeout: Some(self.timeouts.request_timeout).filter(|limit| !limit.is_zero()),
            way: scope.place.way(),
            ..Plan::default()
        };
        plan.with_words(&words).map_err(error)
    }
}

/// Compares, prints, and ends with kubectl diff's exit codes.
pub async fn run(args: &DiffArgs, scope: &Scope, terminal: &mut Terminal) -> Result<(), Failure> {
    match compare(args, scope, terminal).await {
        Err(Failure::Because(why)) => {
            terminal.err(&Failure::Because(why).line().unwrap_or_default())?;
            Err(Failure::Told(ERROR))
        }
        other => other,
    }
}

async fn compare(args: &DiffArgs, scope: &Scope, terminal: &mut Terminal) -> Result<(), Failure> {
    let selector = scope.selector(&args.reach.clusters)?;
    let plan = args.plan(scope)?;
    if let Some(only) = selector.only() {
        let only = only.as_str();
        return Err(error(format!(
            "{only:?} alone differs from nothing: name two clusters or more"
        )));
    }
    let limits = Limits {
        timeout: plan.timeout,
        end: plan.request_timeout,
        way: plan.way,
    };
    let attached = scope.attach(plan.timeout).await?;
    let informer = attached.informer();
    let reader = Reader::new(informer.clone(), limits);
    let gathered = tokio::select! {
        gathered = gather::gather(informer, &reader, &selector, &plan) => gathered,
        line = reader.broken() => terminal.err(&line).and(Err(Failure::Told(ERROR))),
        () = asked_to_stop() => Err(Failure::Told(130)),
    };
    attached.leave().await;
    tell(args, &plan, gathered?, terminal)
}

fn tell(
    args: &DiffArgs,
    plan: &Plan,
    gathered: Gathered,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    for line in &gathered.failures {
        terminal.err(line)?;
    }
    let (clusters, comparison) = compared(args, plan, &gathered);
    let is_partial = !gathered.failures.is_empty() && !args.allow_partial;
    if clusters.len() < 2 {
        return Err(match is_partial {
            true => Failure::Told(ERROR),
            false => error("two clusters or more have to be there to be compared"),
        });
    }
    if comparison.is_empty() && !is_partial {
        return nothing(plan, &gathered, terminal);
    }
    // One that could not be read may have it.
    let missing = match gathered.failures.is_empty() {
        true => gathered.missing(plan),
        false => Vec::new(),
    };
    for line in messages::refusals(&missing) {
        terminal.err(&line)?;
    }
    let differences = comparison.differences();
    terminal.out(&shown(args, &clusters, &differences))?;
    match (is_partial || !missing.is_empty(), differences.is_empty()) {
        (true, _) => Err(Failure::Told(ERROR)),
        (false, true) => Ok(()),
        (false, false) => Err(Failure::Told(1)),
    }
}

/// What was named has to be somewhere.
fn nothing(plan: &Plan, gathered: &Gathered, terminal: &mut Terminal) -> Result<(), Failure> {
    let refusals = gathered.missing(plan);
    for line in messages::refusals(&refusals) {
        terminal.err(&line)?;
    }
    if refusals.is_empty() {
        return terminal.err(&messages::no_resources(plan.namespaces.one()));
    }
    Err(Failure::Told(ERROR))
}

fn compared(args: &DiffArgs, plan: &Plan, gathered: &Gathered) -> (Vec<ClusterName>, Comparison) {
    let namespace_counts = !matches!(plan.namespaces, Namespaces::Each(_));
    let clusters = gathered.clusters.clone();
    let mut comparison = Comparison::of(clusters.clone());
    for found in &gathered.found {
        let field = |field: &str| {
            let value = found.object.pointer(&format!("/metadata/{field}"));
            value
                .and_then(|it| it.as_str())
                .unwrap_or_default()
                .to_owned()
        };
        let identity = Identity {
            resource: found.resource.qualified(),
            namespace: if namespace_counts {
                field("namespace")
            } else {
                String::new()
            },
            name: field("name"),
        };
        let kind = found.resource.qualified_kind();
        let form = form::of(found.object.clone(), args.status, namespace_counts);
        comparison.add(&found.cluster, identity, &kind, form);
    }
    (clusters, comparison)
}

fn shown(args: &DiffArgs, clusters: &[ClusterName], differences: &[Difference]) -> String {
    let audience = Terminal::audience();
    match (args.output, args.all) {
        (Some(DiffForm::Json), _) => json::document(&document::of(clusters, differences), audience),
        (None, true) => table(differences),
        (None, false) => {
            let colour = audience == Audience::Terminal
                && std::io::stdout().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            let style = Style { audience, colour };
            let texts = differences.iter().map(|it| text::unified(it, style));
            texts.collect::<Vec<_>>().join("\n")
        }
    }
}

fn table(differences: &[Difference]) -> String {
    let rows: Vec<_> = differences.iter().flat_map(text::rows).collect();
    let options = TableOptions {
        with_namespace: true,
        ..TableOptions::default()
    };
    TablePrinter::new(options).print(&[Rows {
        cluster: "",
        now_ms: 0,
        columns: &text::columns(),
        rows: &rows,
        event: "",
    }])
}

fn error(message: impl std::fmt::Display) -> Failure {
    Failure::because(message)
}
