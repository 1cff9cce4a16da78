//! `clusters`: who is there, and how fresh what they say is.

pub(super) mod direct;

use super::ClusterArgs;
use crate::clock::wall_ms;
use crate::error::Failure;
use crate::get::{ClusterSelector, messages};
use crate::print::sanitize;
use crate::scope::{Place, Scope};
use crate::terminal::Terminal;
use clap::{Args, Subcommand, ValueEnum};
use mqtt_informer::cli::duration;
use mqtt_informer::informer::{Cluster, ForgetError, Freshness, Informer, LinkState, Subscription};
use mqtt_informer::kubernetes::duration::human;
use mqtt_informer::protocol::message::{Selection, View};
use mqtt_informer::protocol::names::ClusterName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use tabled::builder::Builder;
use tabled::settings::{Padding, Style};
use tokio::time::Instant;

/// Show which clusters there are, and how fresh what they say is.
///
/// STATE is fresh (its API server was heard within the last five seconds), stale (it was not), or offline (its syncer
/// left the broker); SINCE is for how long. LAG is how old the newest proof is that what it says is current.
///
/// With --context: which contexts answer (fresh) or do not (failed, and stderr says why), and what they run.
#[derive(Clone, Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  # All clusters
  kubectl mqinformer clusters

  # Those of production, with their labels
  kubectl mqinformer clusters --cluster-selector env=prod --show-labels

  # Names of those that are not fresh
  kubectl mqinformer clusters -o json | jq -r '.clusters[] | select(.state != \"fresh\") | .name'

  # A cluster that will not come back
  kubectl mqinformer clusters forget old-cluster"
)]
pub struct ClustersArgs {
    #[command(subcommand)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub command: Option<ClustersCommand>,

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub clusters: ClusterArgs,

    /// How to print: json.
    #[arg(long, short, value_name = "FORM", hide_possible_values = true)]
    pub output: Option<ClustersForm>,

    /// Print no headers.
    #[arg(long)]
    pub no_headers: bool,

    /// Print all labels in the last column.
    #[arg(long)]
    pub show_labels: bool,

    /// Print these labels in columns of their own.
    #[arg(long, short = 'L', value_name = "LABEL", value_delimiter = ',')]
    pub label_columns: Vec<String>,

    /// For how long a cluster may be silent before it is called stale.
    #[arg(long, env = "MQINFORMER_TIMEOUT", value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub timeout: Duration,
}

/// What else can be done with clusters.
#[derive(Clone, Debug, Subcommand)]
pub enum ClustersCommand {
    /// Clear what the broker keeps of a cluster that is gone for good.
    Forget {
        /// The cluster's name.
        name: String,
    },
}

/// The forms of `-o`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ClustersForm {
    /// `{"clusters": [...]}`
    Json,
}

/// One cluster, as JSON has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    name: String,
    state: State,
    /// For how long, in seconds by the source's clock; unknown for what was never heard.
    since_seconds: Option<i64>,
    kubernetes_version: String,
    syncer_version: String,
    /// The streams that the source serves now.
    streams: Option<usize>,
    lag_ms: Option<u64>,
    labels: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Fresh,
    Stale,
    Offline,
}

/// What the entry of the view `source` says, as far as this needs it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename_all = "camelCase")]
struct SourceEntry {
    /// Its API server does not answer.
    #[serde(default)]
    upstream_down: bool,
    streams: Vec<serde::de::IgnoredAny>,
}

/// Lists the clusters, or forgets one.
pub async fn run(
    args: &ClustersArgs,
    scope: &Scope,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let selector = scope.selector(&args.clusters)?;
    if let Place::Contexts(contexts) = &scope.place {
        return match args.command {
            None => direct::run(args, contexts, terminal).await,
            Some(_) => Err(Failure::because(
                "clusters forget: a broker remembers clusters, a context is in the kubeconfig; leave --context out",
            )),
        };
    }
    if scope.is_offline() {
        return Err(Failure::because(
            "--offline cannot tell who is there; `get --offline` shows what is kept of each cluster, with its age",
        ));
    }
    let attached = scope.attach(args.timeout).await?;
    let informer = attached.informer();
    let result = match &args.command {
        Some(ClustersCommand::Forget { name }) => {
            forget(name, args.timeout, informer, terminal).await
        }
        None => list(args, &selector, informer, terminal).await,
    };
    attached.leave().await;
    result
}

async fn forget(
    name: &str,
    timeout: Duration,
    informer: &Informer,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let name = ClusterName::new(name).map_err(Failure::because)?;
    discover(informer, timeout).await?;
    match informer.clusters().borrow().get(&name) {
        None => {
            return Err(Failure::because(format!(
                "no cluster {:?} is known at this broker",
                name.as_str()
            )));
        }
        Some(cluster) if !cluster.offline => {
            let message = "its syncer is connected and would come back at once; stop it first";
            return Err(Failure::because(format!(
                "cluster {:?}: {message}",
                name.as_str()
            )));
        }
        Some(_) => {}
    }
    match tokio::time::timeout(timeout, informer.forget(&name)).await {
        Ok(Ok(())) => terminal.out(&format!("cluster {:?} forgotten\n", name.as_str())),
        Ok(Err(why)) => Err(Failure::because(why)),
        Err(_) => Err(Failure::because(ForgetError::Lost)),
    }
}

async fn list(
    args: &ClustersArgs,
    selector: &ClusterSelector,
    informer: &Informer,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    discover(informer, args.timeout).await?;
    let clusters = informer.clusters().borrow().clone();
    let asked: Vec<_> = clusters
        .iter()
        .filter(|(name, cluster)| selector.matches(name, &cluster.presence.labels))
        .map(|(name, cluster)| {
            (
                name,
                cluster,
                (!cluster.offline).then(|| ask(informer, name)),
            )
        })
        .collect();
    let names = &args.clusters.cluster;
    let is_choice = names.iter().any(|name| name != "all" && name != "*")
        || args.clusters.cluster_selector.is_some();
    if asked.is_empty() && is_choice {
        let known: Vec<_> = clusters.keys().collect();
        terminal.err(&messages::no_cluster(&selector.to_string(), &known))?;
        return Err(Failure::Told(1));
    }
    let deadline = Instant::now() + args.timeout;
    for subscription in asked
        .iter()
        .filter_map(|(_, _, subscription)| subscription.as_ref())
    {
        let mut state = subscription.store().state();
        // Whoever does not answer in time is stale.
        let _ = tokio::time::timeout_at(deadline, state.wait_for(|state| state.synced)).await;
    }
    let reports: Vec<_> = asked
        .iter()
        .map(|(name, cluster, subscription)| report(name, cluster, subscription.as_ref()))
        .collect();
    match args.output {
        Some(ClustersForm::Json) => {
            let list = serde_json::json!({ "clusters": reports });
            terminal.out(&crate::print::json::document(&list, Terminal::audience()))
        }
        None if reports.is_empty() => terminal.err("No clusters found"),
        None => terminal.out(&table(&reports, args)),
    }
}

/// Waits until everybody has said who they are.
async fn discover(informer: &Informer, timeout: Duration) -> Result<(), Failure> {
    let mut link = informer.link_state();
    let failed =
        link.wait_for(|state| matches!(state, LinkState::Down(failure) if failure.permanent));
    tokio::select! {
        () = informer.discovered() => return Ok(()),
        _ = failed => {}
        () = tokio::time::sleep(timeout) => {}
    }
    let state = informer.link_state().borrow().clone();
    match state {
        LinkState::Down(failure) => Err(Failure::because(failure)),
        LinkState::Up => Ok(()),
        LinkState::Connecting => Err(Failure::because(
            "the broker does not answer: check --broker; --timeout waits longer",
        )),
    }
}

fn ask(informer: &Informer, name: &ClusterName) -> Subscription {
    let selection = Selection {
        view: View::Source,
        ..Selection::default()
    };
    informer.subscribe(name, selection)
}

fn report(name: &ClusterName, cluster: &Cluster, subscription: Option<&Subscription>) -> Report {
    let store = subscription.map(Subscription::store);
    let state = store.map(|store| store.state().borrow().clone());
    let entry = store.and_then(|store| {
        let snapshot = store.snapshot();
        let values = snapshot.entries.iter().filter(|(key, _)| !key.is_empty());
        values
            .filter_map(|(_, value)| serde_json::from_slice::<SourceEntry>(value).ok())
            .next()
    });
    let lag = store
        .and_then(|store| store.current_at())
        .map(|at| at.elapsed());
    let away = state
        .as_ref()
        .and_then(|state| state.upstream_down.clone())
        .map(|down| down.since);
    let is_away = away.is_some() || entry.as_ref().is_some_and(|entry| entry.upstream_down);
    let is_fresh = !is_away && store.is_some_and(|store| store.age().freshness == Freshness::Fresh);
    let born = Some(cluster.presence.at_ms)
        .filter(|at_ms| *at_ms > 0)
        .and_then(seconds_since);
    let seconds = |duration: Duration| i64::try_from(duration.as_secs()).ok();
    let (state, since_seconds) = match (cluster.offline, is_fresh) {
        (true, _) => (State::Offline, born),
        (false, true) => (State::Fresh, born),
        (false, false) => (State::Stale, away.or(lag).and_then(seconds)),
    };
    Report {
        name: name.as_str().to_owned(),
        state,
        since_seconds,
        kubernetes_version: cluster.presence.kubernetes_version.clone(),
        syncer_version: cluster.presence.version.clone(),
        streams: entry.map(|entry| entry.streams.len()),
        lag_ms: lag.and_then(|lag| u64::try_from(lag.as_millis()).ok()),
        labels: cluster.presence.labels.iter().cloned().collect(),
    }
}

/// By this machine's clock; a source's that is ahead counts as now.
fn seconds_since(at_ms: u64) -> Option<i64> {
    let at_ms = i64::try_from(at_ms).ok()?;
    Some(wall_ms().saturating_sub(at_ms).max(0) / 1000)
}

const HEADERS: [&str; 7] = [
    "NAME",
    "STATE",
    "SINCE",
    "KUBERNETES",
    "SYNCER",
    "STREAMS",
    "LAG",
];

fn line(report: &Report) -> [String; 7] {
    let text = |text: &str| match text {
        "" => "<unknown>".to_owned(),
        text => sanitize::word(text).into_owned(),
    };
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "<none>".to_owned());
    let state = match report.state {
        State::Fresh => "fresh",
        State::Stale => "stale",
        State::Offline => "offline",
    };
    [
        text(&report.name),
        state.to_owned(),
        or_none(
            report
                .since_seconds
                .map(|seconds| human(seconds.saturating_mul(1000))),
        ),
        text(&report.kubernetes_version),
        text(&report.syncer_version),
        or_none(report.streams.map(|streams| streams.to_string())),
        or_none(report.lag_ms.map(|ms| match ms {
            ..10_000 => format!("{ms}ms"),
            ms => human(i64::try_from(ms).unwrap_or(i64::MAX)),
        })),
    ]
}

fn table(reports: &[Report], args: &ClustersArgs) -> String {
    let mut headers: Vec<String> = HEADERS.map(str::to_owned).into();
    let last = |label: &String| label.rsplit('/').next().unwrap_or_default().to_uppercase();
    headers.extend(args.label_columns.iter().map(last));
    headers.extend(args.show_labels.then(|| "LABELS".to_owned()));
    let row = |report: &Report| {
        let mut row: Vec<String> = line(report).into();
        let value = |label| report.labels.get(label).cloned().unwrap_or_default();
        row.extend(args.label_columns.iter().map(value));
        row.extend(args.show_labels.then(|| labels_text(&report.labels)));
        row
    };
    let headers = (!args.no_headers).then_some(headers);
    aligned(headers.into_iter().chain(reports.iter().map(row)))
}

fn labels_text(labels: &BTreeMap<String, String>) -> String {
    let pairs: Vec<_> = labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    match pairs.as_slice() {
        [] => "<none>".to_owned(),
        pairs => pairs.join(","),
    }
}

/// Rows in columns that are as wide as they have to be.
pub(super) fn aligned<Row: IntoIterator<Item = String>>(rows: impl Iterator<Item = Row>) -> String {
    let mut builder = Builder::default();
    rows.for_each(|row| builder.push_record(row));
    let mut table = builder.build();
    table.with(Style::empty()).with(Padding::new(0, 3, 0, 0));
    let text = table.to_string();
    let lines = text.lines().map(|line| format!("{}\n", line.trim_end()));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn east() -> Report {
        Report {
            name: "east".to_owned(),
            state: State::Fresh,
            since_seconds: Some(3 * 24 * 3600),
            kubernetes_version: "v1.36.3".to_owned(),
            syncer_version: "0.1.0".to_owned(),
            streams: Some(2),
            lag_ms: Some(12),
            labels: BTreeMap::from([("env".to_owned(), "prod".to_owned())]),
        }
    }

    fn table(reports: &[Report], words: &str) -> String {
        #[derive(clap::Parser)]
        struct Words {
            #[command(flatten)]
            args: ClustersArgs,
        }
        let words = std::iter::once("x").chain(words.split_whitespace());
        super::table(reports, &<Words as clap::Parser>::parse_from(words).args)
    }

    #[test]
    fn a_line_for_each_cluster() {
        let west = Report {
            name: "west\u{1b}".to_owned(),
            state: State::Offline,
            since_seconds: None,
            kubernetes_version: String::new(),
            streams: None,
            lag_ms: None,
            ..east()
        };
        assert_eq!(
            table(&[east(), west], ""),
            "NAME     STATE     SINCE    KUBERNETES   SYNCER   STREAMS   LAG\n\
             east     fresh     3d       v1.36.3      0.1.0    2         12ms\n\
             west^[   offline   <none>   <unknown>    0.1.0    <none>    <none>\n"
        );
        assert_eq!(
            table(&[east()], "--no-headers"),
            "east   fresh   3d   v1.36.3   0.1.0   2   12ms\n"
        );
        let bare = Report {
            labels: BTreeMap::new(),
            ..east()
        };
        assert_eq!(
            table(
                &[east(), bare],
                "--no-headers -L x.io/zone,env --show-labels"
            ),
            "east   fresh   3d   v1.36.3   0.1.0   2   12ms      prod   env=prod\n\
             east   fresh   3d   v1.36.3   0.1.0   2   12ms             <none>\n"
        );
    }
}
