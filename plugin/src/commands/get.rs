//! `get`: carries what happens between an informer and the [`Collector`], and what that says to the terminal.

use super::{ClusterArgs, NamespaceArgs, TimeoutArgs};
use crate::clock::wall_ms;
use crate::error::Failure;
use crate::filter::{self, Filter};
use crate::get::plan::{InvalidPlan, Watch};
use crate::get::{Collector, Form, Output, Plan, StreamView};
use crate::print::objects::Format;
use crate::scope::Scope;
use crate::terminal::Terminal;
use clap::{Args, ValueEnum};
use futures::StreamExt;
use futures::stream::{self, BoxStream, SelectAll};
use mqtt_informer::cli::asked_to_stop;
use mqtt_informer::informer::{Informer, LinkState, Subscription};
use mqtt_informer::protocol::names::ClusterName;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How often the line of progress is looked at.
const PROGRESS: Duration = Duration::from_millis(200);
/// Rows of one moment are written together: no more often than this.
const PACE: Duration = Duration::from_millis(10);

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

  # One object as YAML
  kubectl mqinformer get ingresses.networking.k8s.io web -n shop --cluster cluster1 -o yaml

  # The clusters of the kubeconfig, without a broker
  kubectl mqinformer get pods -A --context 'kind-*'

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
    pub clusters: ClusterArgs,

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub namespace: NamespaceArgs,

    /// All namespaces.
    #[arg(long, short = 'A')]
    pub all_namespaces: bool,

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
    pub filter: Option<String>,

    /// How to print: wide, json, yaml or name.
    #[arg(long, short, value_name = "FORM", hide_possible_values = true)]
    pub output: Option<OutputForm>,

    /// Print no headers.
    #[arg(long)]
    pub no_headers: bool,

    /// Print all labels in the last column.
    #[arg(long)]
    pub show_labels: bool,

    /// Print these labels in columns of their own.
    #[arg(long, short = 'L', value_name = "LABEL", value_delimiter = ',')]
    pub label_columns: Vec<String>,

    /// Keep managedFields in JSON and YAML.
    #[arg(long)]
    pub show_managed_fields: bool,

    /// After what there is, print each change, until interrupted.
    #[arg(long, short)]
    pub watch: bool,

    /// Print changes only.
    #[arg(long)]
    pub watch_only: bool,

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
pub enum OutputForm {
    /// All columns.
    Wide,
    /// Objects as JSON.
    Json,
    /// Objects as YAML.
    Yaml,
    /// `pod/web`
    Name,
}

impl GetArgs {
    fn plan(&self, scope: &Scope, filter: Option<Filter>) -> Result<Plan, InvalidPlan> {
        let form = match self.output {
            None => Form::Table,
            Some(OutputForm::Wide) => Form::Wide,
            Some(OutputForm::Json) => Form::Objects(Format::Json),
            Some(OutputForm::Yaml) => Form::Objects(Format::Yaml),
            Some(OutputForm::Name) => Form::Name,
        };
        let watch = match (self.watch, self.watch_only) {
            (_, true) => Some(Watch::ChangesOnly),
            (true, false) => Some(Watch::ListFirst),
            (false, false) => None,
        };
        let plan = Plan {
            targets: Vec::new(),
            namespaces: scope.namespaces(self.all_namespaces, self.namespace.namespace.as_deref()),
            labels: self.selector.clone(),
            fields: self.field_selector.clone(),
            filter,
            form,
            no_headers: self.no_headers,
            show_labels: self.show_labels,
            label_columns: self.label_columns.clone(),
            managed_fields: self.show_managed_fields,
            watch,
            timeout: self.timeouts.timeout,
            request_timeout: Some(self.timeouts.request_timeout).filter(|limit| !limit.is_zero()),
            allow_partial: self.allow_partial,
            way: scope.place.way(),
        };
        plan.with_words(&self.words)
    }
}

/// Runs until everything is printed, or the watch is ended.
pub async fn run(args: &GetArgs, scope: &Scope, terminal: &mut Terminal) -> Result<(), Failure> {
    let selector = scope.selector(&args.clusters)?;
    let filter = args.filter.as_deref().map(filter::parse);
    let filter = filter.transpose().map_err(Failure::because)?;
    let plan = match args.plan(scope, filter) {
        Ok(plan) => plan,
        Err(InvalidPlan::NoType) => return no_type(terminal),
        Err(error) => return Err(Failure::because(error)),
    };
    if scope.is_offline() && plan.watch.is_some() {
        return Err(Failure::because(
            "--offline and --watch cannot be used together: what is kept does not change",
        ));
    }
    let attached = scope.attach(plan.timeout).await?;
    let informer = attached.informer();
    let collector = Collector::new(plan.clone(), &selector, Terminal::audience());
    let mut session = Session::new(informer.clone(), plan, collector);
    let result = tokio::select! {
        result = session.run(terminal) => result,
        // An interrupted watch has done its work; so has whoever interrupts a list.
        () = asked_to_stop() => Err(Failure::Told(if session.plan.watch.is_some() { 0 } else { 130 })),
    };
    attached.leave().await;
    result
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

/// What can wake a session.
enum Wake {
    Link,
    Clusters,
    Discovered,
    Stream(ClusterName, usize),
}

struct Session {
    informer: Informer,
    plan: Plan,
    collector: Collector,
    subscriptions: BTreeMap<(ClusterName, usize), Subscription>,
    wakes: SelectAll<BoxStream<'static, Wake>>,
    clusters:
        watch::Receiver<std::sync::Arc<BTreeMap<ClusterName, mqtt_informer::informer::Cluster>>>,
    link: watch::Receiver<LinkState>,
    start: Instant,
}

impl Session {
    fn new(informer: Informer, plan: Plan, collector: Collector) -> Self {
        let (clusters, link) = (informer.clusters(), informer.link_state());
        let mut wakes = SelectAll::new();
        wakes.push(changes(link.clone()).map(|()| Wake::Link).boxed());
        wakes.push(changes(clusters.clone()).map(|()| Wake::Clusters).boxed());
        let discovery = informer.clone();
        let discovered = stream::once(async move { discovery.discovered().await });
        wakes.push(discovered.map(|()| Wake::Discovered).boxed());
        Self {
            informer,
            plan,
            collector,
            subscriptions: BTreeMap::new(),
            wakes,
            clusters,
            link,
            start: Instant::now(),
        }
    }

    async fn run(&mut self, terminal: &mut Terminal) -> Result<(), Failure> {
        loop {
            self.subscribe();
            self.look_at_silent_ones();
            for output in self.collector.step(self.start.elapsed(), wall_ms()) {
                match output {
                    Output::Out(text) => terminal.out(&text)?,
                    Output::Err(line) => terminal.err(&line)?,
                    Output::Done(0) => return Ok(()),
                    Output::Done(code) => return Err(Failure::Told(code)),
                }
            }
            let progress = self.collector.progress(self.start.elapsed());
            let pace = if progress.is_some() {
                PROGRESS
            } else {
                Duration::MAX
            };
            terminal.progress(progress)?;
            self.wait(pace).await;
        }
    }

    /// Waits for something to happen, then takes all that has.
    async fn wait(&mut self, most: Duration) {
        let at = self.start.elapsed();
        let deadline = self
            .collector
            .deadline(at)
            .map(|deadline| deadline.saturating_sub(at).max(PACE));
        let wait = deadline.unwrap_or(Duration::from_secs(3600)).min(most);
        let Ok(Some(wake)) = tokio::time::timeout(wait, self.wakes.next()).await else {
            return;
        };
        self.take(wake);
        let until = Instant::now() + PACE;
        while let Ok(Some(wake)) = tokio::time::timeout_at(until, self.wakes.next()).await {
            self.take(wake);
        }
    }

    fn take(&mut self, wake: Wake) {
        let at = self.start.elapsed();
        match wake {
            Wake::Link => match &*self.link.borrow_and_update() {
                LinkState::Connecting => {}
                LinkState::Up => self.collector.link_up(at),
                LinkState::Down(failure) => {
                    self.collector
                        .link_down(&failure.message, failure.permanent, at);
                }
            },
            Wake::Clusters => {
                for (name, cluster) in self.clusters.borrow_and_update().iter() {
                    let labels = &cluster.presence.labels;
                    self.collector.cluster(name, labels, cluster.offline, at);
                }
            }
            Wake::Discovered => self.collector.discovered(),
            Wake::Stream(cluster, target) => self.look(&cluster, target),
        }
    }

    fn subscribe(&mut self) {
        for cluster in self.collector.take_wanted() {
            for (index, target) in self.plan.targets.iter().enumerate() {
                let selection = self.plan.selection(target, &cluster);
                let subscription = self.informer.subscribe(&cluster, selection);
                let (state, versions) = (
                    subscription.store().state(),
                    subscription.store().versions(),
                );
                for changes in [changes(state).boxed(), changes(versions).boxed()] {
                    let cluster = cluster.clone();
                    self.wakes.push(
                        changes
                            .map(move |()| Wake::Stream(cluster.clone(), index))
                            .boxed(),
                    );
                }
                self.subscriptions
                    .insert((cluster.clone(), index), subscription);
            }
        }
    }

    /// Words that repeat themselves change no state, and still are no silence.
    fn look_at_silent_ones(&mut self) {
        let unsynced = self.subscriptions.iter().filter(|(_, subscription)| {
            let state = subscription.store().state();
            !state.borrow().synced
        });
        for (cluster, target) in unsynced.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
            self.look(&cluster, target);
        }
    }

    fn look(&mut self, cluster: &ClusterName, target: usize) {
        let Some(subscription) = self.subscriptions.get(&(cluster.clone(), target)) else {
            return;
        };
        let store = subscription.store();
        // The state goes first: what it says is whole is in the snapshot that is taken after it.
        let state = store.state().borrow().clone();
        let server = store.server_now_ms().and_then(|ms| i64::try_from(ms).ok());
        let view = StreamView {
            state,
            heard: store
                .heard_at()
                .map(|at| at.saturating_duration_since(self.start)),
            changes: if self.plan.watch.is_some() {
                store.notices()
            } else {
                Vec::new()
            },
            snapshot: store.snapshot(),
            clock_ahead_ms: server.map_or(0, |server| server.saturating_sub(wall_ms())),
        };
        self.collector.see(cluster, target, view);
    }
}

/// A tick now, and for each later change, until the writer is gone.
fn changes<T: Send + Sync + 'static>(
    receiver: watch::Receiver<T>,
) -> impl futures::Stream<Item = ()> + Send {
    let later = stream::unfold(receiver, |mut receiver| async move {
        receiver.changed().await.ok()?;
        receiver.borrow_and_update();
        Some(((), receiver))
    });
    stream::once(async {}).chain(later)
}
