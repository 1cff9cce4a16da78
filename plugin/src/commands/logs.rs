//! `logs`: containers' logs, of all clusters or of some.

mod session;

use super::{ReachArgs, TimeoutArgs};
use crate::error::Failure;
use crate::get::roll::{Patience, Roll};
use crate::logs::request::{self, InvalidRequest, Request, Subject};
use crate::logs::text::LogPrinter;
use crate::logs::tracker::Tracker;
use crate::print::Audience;
use crate::scope::Scope;
use crate::terminal::Terminal;
use clap::{Args, ValueEnum};
use mqtt_informer::cli::{asked_to_stop, duration};
use mqtt_informer::informer::log::LogSelection;
use session::Session;
use std::time::Duration;

/// Lines that are read of each pod that a selector means, as kubectl does.
const TAIL_OF_SELECTED: i64 = 10;

/// Read the logs of containers, of all clusters or of some.
///
/// POD is a regular expression: every pod whose name contains a match. TYPE/NAME is one pod, or the pods that a
/// deployment, stateful set, daemon set, replica set, job or service selects. With -f, pods and containers that come
/// later are read too, and whatever breaks on the way, each log goes on where it was; should lines be missing, it is
/// said.
///
/// Through a broker, the syncer of a cluster has to be started with --logs, and its API server has to allow it to get
/// pods/log. A log is read only while somebody looks, and only as fast as they do.
///
/// Each line says where it is from when there can be more than one: [cluster/pod/container].
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  # One pod of one cluster, as kubectl shows it
  kubectl mqinformer logs pod/web-0 --cluster cluster1

  # What all pods whose names contain \"checkout\" say, everywhere, from now on
  kubectl mqinformer logs checkout -f --tail 0

  # The errors of a deployment in the production clusters in the last hour
  kubectl mqinformer logs deploy/ledger -n payments --cluster 'prod-*' --since 1h --include 'level=(error|warn)'

  # All containers of all pods with a label, as JSON
  kubectl mqinformer logs -A -l app=web --all-containers -o json | jq -r '[.cluster, .podName, .message] | @tsv'

  # What a container said before it was started anew
  kubectl mqinformer logs pod/web-0 -c app --previous --cluster cluster1")]
pub struct LogsArgs {
    /// Whose logs, and perhaps of which container.
    #[arg(
        value_name = "POD",
        num_args = 0..=2,
        help = "POD | TYPE/NAME, and perhaps a CONTAINER"
    )]
    pub words: Vec<String>,

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub reach: ReachArgs,

    /// A label selector, instead of POD.
    #[arg(
        long,
        short = 'l',
        value_name = "SELECTOR",
        default_value = "",
        allow_hyphen_values = true
    )]
    pub selector: String,

    /// Containers of this name, or whose names match this regular expression as a whole. Default: the one that the
    /// pod's annotation kubectl.kubernetes.io/default-container names, or its first.
    #[arg(long, short, value_name = "NAME")]
    pub container: Option<String>,

    /// All containers of each pod, those for its beginning and for debugging included.
    #[arg(long)]
    pub all_containers: bool,

    /// Go on with what is written later.
    #[arg(long, short)]
    pub follow: bool,

    /// Of the container's instance before this one.
    #[arg(long, short, conflicts_with = "follow")]
    pub previous: bool,

    /// The last lines of each log only; -1 for all. Default: all; with a selector 10.
    #[arg(long, value_name = "LINES", allow_negative_numbers = true)]
    pub tail: Option<i64>,

    /// Only what was written in the last 5s, 2m or 3h.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub since: Option<Duration>,

    /// Only what was written since then: 2026-11-25T10:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub since_time: Option<String>,

    /// Only lines that match this regular expression (repeat it: any of them).
    #[arg(long, short, value_name = "REGEX", allow_hyphen_values = true)]
    pub include: Vec<String>,

    /// No lines that match this regular expression (repeat it: any of them).
    #[arg(long, short, value_name = "REGEX", allow_hyphen_values = true)]
    pub exclude: Vec<String>,

    /// Each line's time before it.
    #[arg(long)]
    pub timestamps: bool,

    /// Where each line is from before it; =false for never.
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub prefix: Option<bool>,

    /// Colours: auto (on a terminal, unless NO_COLOR is set), always or never.
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    pub color: When,

    /// How to print: json, an object a line.
    #[arg(long, short, value_name = "FORM", hide_possible_values = true)]
    pub output: Option<LogForm>,

    /// How many logs may be read at once.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = at_least_one)]
    pub max_log_requests: usize,

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

/// The forms of `-o`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogForm {
    /// An object a line.
    Json,
}

/// When there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl LogsArgs {
    fn request(&self) -> Result<Request, InvalidRequest> {
        let container = self.words.get(1).or(self.container.as_ref());
        let tail = match (self.tail, self.selector.as_str()) {
            (None, selector) if !selector.is_empty() => Some(TAIL_OF_SELECTED),
            (tail, _) => tail,
        };
        // To the nearest second, and none is no limit, as for kubectl.
        let since = self.since.filter(|since| !since.is_zero());
        let since_s = since.map(|since| since.as_secs_f64().round() as u64);
        let part = request::part(tail, since_s, self.since_time.as_deref())?;
        let all = |what: &'static str, texts: &[String]| {
            texts
                .iter()
                .map(|text| request::regex(what, text))
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(Request {
            subject: request::subject(&self.words, &self.selector)?,
            containers: request::containers(container.map(String::as_str), self.all_containers)?,
            part: LogSelection {
                follow: self.follow,
                previous: self.previous,
                ..part
            },
            include: all("--include", &self.include)?,
            exclude: all("--exclude", &self.exclude)?,
            most: self.max_log_requests,
        })
    }

    fn printer(&self, request: &Request, audience: Audience) -> LogPrinter {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colours = match self.color {
            When::Always => true,
            When::Never => false,
            When::Auto => audience == Audience::Terminal && !is_set("NO_COLOR") && !dumb,
        };
        LogPrinter {
            json: self.output == Some(LogForm::Json),
            timestamps: self.timestamps,
            colours,
            audience,
            include: request.include.clone(),
            exclude: request.exclude.clone(),
            ..LogPrinter::default()
        }
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("must be a number above 0".into()),
    }
}

/// Reads until all is read, or it is ended.
pub async fn run(args: &LogsArgs, scope: &Scope, terminal: &mut Terminal) -> Result<(), Failure> {
    if scope.is_offline() {
        return Err(Failure::because(
            "--offline has no logs: they are read where they are written, and not kept",
        ));
    }
    let selector = scope.selector(&args.reach.clusters)?;
    let request = args.request().map_err(Failure::because)?;
    if args.reach.all_namespaces && matches!(request.subject, Subject::SelectedBy { .. }) {
        return Err(Failure::because(
            "a resource cannot be retrieved by name across all namespaces",
        ));
    }
    let namespaces = scope.namespaces(&args.reach);
    let patience = Patience {
        timeout: args.timeouts.timeout,
        request_timeout: Some(args.timeouts.request_timeout).filter(|limit| !limit.is_zero()),
        goes_on: args.follow,
        way: scope.place.way(),
    };
    let printer = args.printer(&request, Terminal::audience());
    let attached = scope.attach(args.timeouts.timeout).await?;
    let follow = request.part.follow;
    let mut session = Session::new(
        attached.informer().clone(),
        Roll::new(&selector, 1, patience.clone()),
        session::Plan {
            subject: request.subject.clone(),
            one_cluster: selector.only().is_some(),
            follow,
            namespaces,
            labels: args.selector.clone(),
            prefix: args.prefix,
            patience,
            allow_partial: args.allow_partial,
        },
        (Tracker::new(request), printer),
    );
    let result = tokio::select! {
        result = session.run(terminal) => result,
        () = asked_to_stop() => Err(Failure::Told(if follow { 0 } else { 130 })),
    };
    drop(session);
    attached.leave().await;
    result
}
