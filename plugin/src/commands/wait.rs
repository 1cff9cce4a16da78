//! `wait`: until objects are as wanted. What that means is [`crate::wait`]'s.

use super::ReachArgs;
use super::get::{carry_out, read_file, told};
use crate::error::Failure;
use crate::get::output::{self, InvalidOutput, Mistake};
use crate::get::{Form, Plan};
use crate::print::objects::Format;
use crate::scope::Scope;
use crate::terminal::Terminal;
use crate::wait::{InvalidWait, Wait};
use clap::Args;
use std::time::Duration;

/// What kubectl takes a negative time for.
const A_WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// Wait until objects are as wanted: created, deleted, in a condition, or with a value somewhere.
///
/// Words, messages and exit codes are kubectl's. Without --cluster, or with several, it waits for the objects of every
/// cluster that has them; each line then says its cluster.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  # Until a pod is ready
  kubectl mqinformer wait --for=condition=Ready pod/web --cluster cluster1

  # Until a deployment is rolled out in all production clusters, for at most five minutes
  kubectl mqinformer wait --for=condition=Available deploy/checkout -n shop --cluster 'prod-*' --timeout=5m

  # Until a field has a value
  kubectl mqinformer wait --for=jsonpath='{.status.phase}'=Running pod/web

  # Until all jobs with a label are gone everywhere
  kubectl mqinformer wait --for=delete job -l app=migration")]
pub struct WaitArgs {
    /// Types and names, as kubectl has them.
    #[arg(
        value_name = "TYPE [NAME]",
        help = "TYPE[.VERSION][.GROUP] NAME..., TYPE/NAME..., or TYPE with --all or a selector"
    )]
    pub words: Vec<String>,

    /// What to wait for: create, delete, condition=NAME[=VALUE], or jsonpath=PATH[=VALUE]. Several are waited for one
    /// after the other.
    #[arg(long = "for", value_name = "CONDITION", allow_hyphen_values = true)]
    pub wanted: Vec<String>,

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub reach: ReachArgs,

    /// All objects of the type.
    #[arg(long)]
    pub all: bool,

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

    /// How to print an object that is as wanted: as a line, or name, json, yaml, kyaml, jsonpath=TEMPLATE.
    #[arg(
        long,
        short,
        value_name = "FORM",
        default_value = "",
        hide_default_value = true
    )]
    pub output: String,

    /// For how long to wait; 0 looks once, less than 0 waits for a week.
    #[arg(long = "timeout", value_name = "DURATION", default_value = "30s", value_parser = signed, allow_hyphen_values = true)]
    pub wait_timeout: Duration,

    /// For how long a cluster may be silent before it is given up.
    #[arg(long = "cluster-timeout", env = "MQINFORMER_TIMEOUT", value_name = "DURATION", default_value = "5s", value_parser = mqtt_informer::cli::duration)]
    pub timeout: Duration,

    /// Exit with 0 although some clusters could not be read.
    #[arg(long)]
    pub allow_partial: bool,
}

/// A duration that may be less than none.
fn signed(word: &str) -> Result<Duration, String> {
    match word.strip_prefix('-') {
        Some(word) => mqtt_informer::cli::duration(word).map(|_| A_WEEK),
        None => mqtt_informer::cli::duration(word),
    }
}

/// Waits, and prints what is as wanted.
pub async fn run(args: &WaitArgs, scope: &Scope, terminal: &mut Terminal) -> Result<(), Failure> {
    if scope.is_offline() {
        return Err(Failure::because(
            "--offline cannot be waited for: what is kept does not change",
        ));
    }
    let selector = scope.selector(&args.reach.clusters)?;
    let output = output::Output {
        word: Some(&args.output),
        template: None,
        no_headers: false,
        allow_missing_keys: true,
    };
    let form = match output::form(&output, read_file) {
        Ok(Form::Wide) => Err(InvalidOutput::Unknown(args.output.clone())),
        other => other,
    };
    let form = match form {
        Ok(form) => form,
        Err(InvalidOutput::Syntax(mistake)) => return told(&mistake, terminal),
        Err(error) => return Err(Failure::because(error)),
    };
    let wait = match Wait::parse(&args.wanted, args.wait_timeout, form != Form::Table) {
        Ok(wait) => wait,
        Err(InvalidWait::Path(error, path)) => return told(&Mistake::of(error, &path), terminal),
        Err(error) => return Err(Failure::because(error)),
    };
    if args.words.is_empty() {
        terminal.err(NO_WORDS)?;
        return Err(Failure::Told(1));
    }
    let plan = Plan {
        namespaces: scope.namespaces(&args.reach),
        labels: args.selector.clone(),
        fields: args.field_selector.clone(),
        // It has the objects whole: conditions are looked for in them.
        form: if form == Form::Name {
            Form::Objects(Format::Name)
        } else {
            form
        },
        timeout: args.timeout,
        allow_partial: args.allow_partial,
        way: scope.place.way(),
        wait: Some(wait),
        ..Plan::default()
    };
    let plan = plan.with_words(&args.words).map_err(Failure::because)?;
    let nameless = plan.targets.iter().any(|target| target.name.is_none());
    if nameless && !args.all && args.selector.is_empty() && args.field_selector.is_empty() {
        return Err(Failure::because(
            "resource(s) were provided, but no name was specified",
        ));
    }
    carry_out(plan, &selector, scope, terminal).await
}

/// kubectl's words.
const NO_WORDS: &str = "error: You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'";
