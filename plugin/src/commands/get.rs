//! `get`: its words and flags, and how they are carried out.
//!
//! `session` is one that runs: between an informer and the [`crate::get::Collector`], and from that to the terminal.

mod as_of;
pub(super) mod categories;
mod planning;
mod session;

pub(super) use planning::read_file;

use super::controlplane::ControlplaneArgs;
use super::{HubArgs, ReachArgs, TimeoutArgs, works};
use crate::error::Failure;
use crate::filter;
use crate::get::output::{InvalidOutput, Mistake};
use crate::get::plan::InvalidPlan;
use crate::get::{ClusterSelector, Output, Plan};
use crate::print::sanitize;
use crate::scope::{Attached, Scope};
use crate::terminal::Terminal;
use categories::Expanded;
use clap::{ArgAction, Args};
use mqtt_informer::cli::asked_to_stop;
use planning::Invalid;
use session::Session;

/// Show resources of all clusters or of some.
///
/// Types, names and most flags are kubectl's. With exactly one --cluster (or --context) that is a name, the output is
/// kubectl's too, byte for byte, in every form. Otherwise the rows of all clusters are one table whose first column
/// is CLUSTER, and JSON and YAML are one List whose items say their cluster in the annotation mqinformer.io/cluster.
///
/// A cluster that is away, slow, or refuses never delays the others: it gets one line on stderr, and the exit code is
/// 1 (0 with
/// --allow-partial).
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  # Pods of one cluster, as kubectl shows them
  kubectl mqinformer get pods --cluster cluster1

  # Deployments of the production clusters but one, and then every change, through lost connections and restarts
  kubectl mqinformer get deploy -A --cluster 'prod-*,!prod-old' -w

  # What is not well, anywhere
  kubectl mqinformer get pods -A --filter 'STATUS!~^(Running|Completed)$'
  kubectl mqinformer get pods -A --filter 'RESTARTS>5,AGE<1d'

  # What a hub wants in the clusters, how far each is, and what it is stuck on
  kubectl mqinformer get works

  # One object as YAML
  kubectl mqinformer get ingresses.networking.k8s.io web -n shop --cluster cluster1 -o yaml

  # The clusters of the kubeconfig, without a broker
  kubectl mqinformer get pods -A --context 'kind-*'

  # What was created last, of all clusters
  kubectl mqinformer get pods -A --sort-by .metadata.creationTimestamp

  # What there was ten minutes ago, as a controlplane's store remembers it
  kubectl mqinformer get pods -n shop --cluster cluster1 --at 10m

  # Columns of one's own; or any text
  kubectl mqinformer get deploy -A -o custom-columns=NAME:.metadata.name,N:.spec.replicas
  kubectl mqinformer get pods -A -o jsonpath='{.items[*].status.podIP}'

  # Which clusters run which image
  kubectl mqinformer get deploy -A -o json |
    jq -r '.items[] | .metadata.annotations[\"mqinformer.io/cluster\"] + \" \" + .spec.template.spec.containers[].image'")]
pub struct GetArgs {
    /// Types and names, as kubectl has them.
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

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub hub: HubArgs,

    /// A label selector: app=web, tier!=cache, 'env in (a,b)', '!canary'.
    #[arg(
        long,
        short = 'l',
        value_name = "SELECTOR",
        default_value = "",
        allow_hyphen_values = true
    )]
    pub selector: String,

    /// A field selector: status.phase=Running, metadata.name!=web.
    #[arg(
        long,
        value_name = "SELECTOR",
        default_value = "",
        allow_hyphen_values = true
    )]
    pub field_selector: String,

    /// Which rows, by their columns: 'STATUS!=Running,RESTARTS>5', 'AGE<1h', 'NAME=~^web-', /BackOff/.
    ///
    /// All conditions have to hold, in all clusters. Operators: = != > >= < <= and, with a regular expression, =~ !~.
    /// Columns are named as their headers are, those of wide output, CLUSTER and NAMESPACE too. Numbers, quantities
    /// (250m, 1Gi) and ages are compared as such. /regex/ looks into every cell but CLUSTER and NAMESPACE. Not for -o
    /// json or yaml.
    #[arg(long, value_name = "CONDITIONS", allow_hyphen_values = true)]
    pub filter: Vec<String>,

    /// How to print: wide, json, yaml, kyaml, name, jsonpath=TEMPLATE, jsonpath-as-json=TEMPLATE, jsonpath-file=FILE,
    /// custom-columns=HEADER:PATH,... or custom-columns-file=FILE.
    #[arg(long, short, value_name = "FORM")]
    pub output: Option<String>,

    /// The template for -o jsonpath, if it does not stand behind an =.
    #[arg(long, value_name = "TEMPLATE", allow_hyphen_values = true)]
    pub template: Option<String>,

    /// What a template does not find is no error.
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        action = ArgAction::Set,
        hide_possible_values = true
    )]
    pub allow_missing_template_keys: bool,

    /// Sort by a field (.metadata.creationTimestamp, '{.spec.replicas}') or a column in capitals (RESTARTS, AGE).
    ///
    /// A column is sorted as what it is: numbers, quantities, ages, text; those of wide output too, and CLUSTER and
    /// NAMESPACE. Over several clusters: all rows together.
    #[arg(
        long,
        value_name = "PATH|COLUMN",
        default_value = "",
        hide_default_value = true
    )]
    pub sort_by: String,

    /// Print no headers.
    #[arg(long)]
    pub no_headers: bool,

    /// Print all labels in the last column.
    #[arg(long)]
    pub show_labels: bool,

    /// Print these labels in columns of their own.
    #[arg(long, short = 'L', value_name = "LABEL", value_delimiter = ',')]
    pub label_columns: Vec<String>,

    /// Names say their kind: pod/web.
    #[arg(long)]
    pub show_kind: bool,

    /// Keep managedFields in JSON and YAML.
    #[arg(long)]
    pub show_managed_fields: bool,

    /// An object that was named and does not exist is no error.
    #[arg(long)]
    pub ignore_not_found: bool,

    /// As it was then: how long ago (10m, 2d), or a time (2026-01-31T12:00:00Z).
    ///
    /// A controlplane with a store answers instead of the clusters: the one that announces itself at the broker, or
    /// --controlplane.
    #[arg(long, value_name = "WHEN")]
    pub at: Option<String>,

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub controlplane: ControlplaneArgs,

    /// For kubectl's scripts: a list comes in parts of its own size.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 500,
        allow_hyphen_values = true,
        hide = true
    )]
    pub chunk_size: i64,

    /// After what there is, print each change, until interrupted.
    #[arg(long, short)]
    pub watch: bool,

    /// Print changes only.
    #[arg(long)]
    pub watch_only: bool,

    /// With a watch, print events: whether an object was added, modified or deleted.
    #[arg(long)]
    pub output_watch_events: bool,

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub timeouts: TimeoutArgs,

    /// Exit with 0 although some clusters could not be read.
    #[arg(long)]
    pub allow_partial: bool,
}

/// Runs until everything is printed, or the watch is ended.
pub async fn run(args: &GetArgs, scope: &Scope, terminal: &mut Terminal) -> Result<(), Failure> {
    if works::are_meant(&args.words) {
        return works::run(args, scope, terminal).await;
    }
    let selector = scope.selector(&args.reach.clusters)?;
    let filter = (!args.filter.is_empty()).then(|| filter::parse(&args.filter.join(",")));
    let filter = filter.transpose().map_err(Failure::because)?;
    let plan = match args.plan(scope, filter) {
        Ok(plan) => plan,
        Err(Invalid::Plan(InvalidPlan::NoType)) => return no_type(terminal),
        Err(Invalid::Output(InvalidOutput::Syntax(mistake))) => return told(&mistake, terminal),
        Err(error) => return Err(Failure::because(error)),
    };
    if scope.is_offline() && plan.watch.is_some() {
        return Err(Failure::because(
            "--offline and --watch cannot be used together: what is kept does not change",
        ));
    }
    if let Some(when) = &args.at {
        return tokio::select! {
            result = as_of::run(when, args, plan, &selector, scope, terminal) => result,
            () = asked_to_stop() => Err(Failure::Told(130)),
        };
    }
    let attached = scope.attach(plan.timeout).await?;
    let result = tokio::select! {
        result = get(plan.clone(), &args.words, &selector, &attached, terminal) => result,
        // An interrupted watch has done its work; so has whoever interrupts a list.
        () = asked_to_stop() => Err(Failure::Told(if plan.watch.is_some() { 0 } else { 130 })),
    };
    attached.leave().await;
    result
}

/// Carries a plan out. A word for several types, such as `all`, is replaced by them first.
async fn get(
    mut plan: Plan,
    words: &[String],
    selector: &ClusterSelector,
    attached: &Attached,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let expandable = plan.may_have_categories(words);
    if expandable && categories::says_all(words) {
        plan = match categories::expanded(plan.clone(), words, selector, attached).await? {
            Expanded::Words(words) => plan.with_words(&words).map_err(Failure::because)?,
            Expanded::Unheard(outputs) => return finish(outputs, terminal),
        };
        return Session::new(attached, plan, selector).run(terminal).await;
    }
    let mut session = Session::new(attached, plan.clone(), selector);
    if !expandable {
        return session.run(terminal).await;
    }
    // What is said of a type that does not exist waits until its word is known to be no category.
    let mut waiting = Vec::new();
    let result = session.outputs(terminal, &mut waiting).await;
    if result.is_ok() && session.collector.has_unknown_type() {
        let expanded = categories::expanded(plan.clone(), words, selector, attached).await?;
        if let Expanded::Words(expanded) = expanded
            && expanded != words
        {
            drop(session);
            let plan = plan.with_words(&expanded).map_err(Failure::because)?;
            return Session::new(attached, plan, selector).run(terminal).await;
        }
    }
    result?;
    finish(waiting, terminal)
}

/// Prints what was asked for, and nothing else: for commands that are a `get` with other words.
pub(super) async fn carry_out(
    plan: Plan,
    selector: &ClusterSelector,
    scope: &Scope,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let attached = scope.attach(plan.timeout).await?;
    let mut session = Session::new(&attached, plan, selector);
    let result = tokio::select! {
        result = session.run(terminal) => result,
        () = asked_to_stop() => Err(Failure::Told(130)),
    };
    attached.leave().await;
    result
}

/// Writes what was said, up to the exit code.
pub(super) fn finish(outputs: Vec<Output>, terminal: &mut Terminal) -> Result<(), Failure> {
    for output in outputs {
        match output {
            Output::Out(text) => terminal.out(&text)?,
            Output::Err(line) => terminal.err(&line)?,
            Output::Done(0) => return Ok(()),
            Output::Done(code) => return Err(Failure::Told(code)),
        }
    }
    Ok(())
}

/// What is wrong with something that was typed, and where.
pub(super) fn told(mistake: &Mistake, terminal: &mut Terminal) -> Result<(), Failure> {
    terminal.err(&format!("error: {}", sanitize::word(&mistake.message)))?;
    for line in mistake.pointer() {
        terminal.err(&line)?;
    }
    Err(Failure::Told(1))
}

/// kubectl's words, its line breaks included.
fn no_type(terminal: &mut Terminal) -> Result<(), Failure> {
    terminal.err(
        "You must specify the type of resource to get. \
         Use \"kubectl api-resources\" for a complete list of supported resources.\n",
    )?;
    terminal.err(&format!("error: {}", InvalidPlan::NoType))?;
    Err(Failure::Told(1))
}
