//! `describe`: reads the objects, then what belongs to them, and writes what [`crate::describe`] makes of both.

mod reading;

use super::get::categories::{self, Expanded};
use super::get::finish;
use super::reader::{Limits, Reader};
use super::{ReachArgs, TimeoutArgs};
use crate::describe::plan::{Choice, Chosen, Request};
use crate::describe::{Clock, Context, Need, needs};
use crate::error::Failure;
use crate::get::member::Trouble;
use crate::get::messages::{self, Doubt, Refusal};
use crate::get::{ClusterSelector, Namespaces, Plan};
use crate::scope::{Attached, Scope};
use crate::terminal::Terminal;
use crate::tui::grid::ObjectId;
use clap::Args;
use futures::stream::{FuturesUnordered, StreamExt};
use jiff::tz::TimeZone;
use mqtt_informer::cli::asked_to_stop;
use mqtt_informer::informer::Informer;
use mqtt_informer::protocol::names::ClusterName;
use reading::Reading;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// For how long those that are there wait for others, so that they come in the order of their names.
const PATIENCE: Duration = Duration::from_millis(500);

/// Show details of resources of all clusters or of some: one object, all whose names begin so, or all of a type.
///
/// Types, names and flags are kubectl's, and with exactly one --cluster (or --context) that is a name, so is the
/// output, byte for byte, with the events of the object below it. Otherwise each object says first from which cluster
/// it is. Values of Secrets are never shown: their lengths are.
///
/// If there is no object of just this name, all whose names begin with it are described.
///
/// A cluster that is away, slow, or refuses never delays the others: it gets one line on stderr, and the exit code is
/// 1 (0 with
/// --allow-partial).
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  # A pod with its events, as kubectl describes it
  kubectl mqinformer describe pod web-7c5ddbdf54-x7k2p -n shop --cluster cluster1

  # The pods of a deployment, by the beginning of their names
  kubectl mqinformer describe pods web-7c5 -n shop --cluster cluster1

  # How full the nodes are, in each production cluster
  kubectl mqinformer describe nodes --cluster 'prod-*'

  # By label, with the events of each
  kubectl mqinformer describe deploy -A -l app=web --show-events

  # A custom resource
  kubectl mqinformer describe certificates.cert-manager.io/web -n shop --context kind-a")]
pub struct DescribeArgs {
    /// Types and names, as kubectl has them.
    #[arg(
        value_name = "TYPE [NAME_PREFIX]",
        help = "TYPE[.VERSION][.GROUP][,TYPE...] [NAME_PREFIX], or TYPE/NAME..."
    )]
    pub words: Vec<String>,

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub reach: ReachArgs,

    /// A label selector: app=web, tier!=cache, 'env in (a,b)', '!canary'.
    #[arg(
        long,
        short = 'l',
        value_name = "SELECTOR",
        default_value = "",
        allow_hyphen_values = true
    )]
    pub selector: String,

    /// Show the events of each object. Default: of one object, and not of several or of those found by a prefix.
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub show_events: Option<bool>,

    /// As kubectl has it; how much is asked for at once is for each cluster's syncer to say.
    #[arg(long, value_name = "SIZE", hide = true)]
    pub chunk_size: Option<i64>,

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

/// Describes what was asked for, and ends.
pub async fn run(
    args: &DescribeArgs,
    scope: &Scope,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    if args.words.is_empty() {
        return Err(Failure::because(
            "You must specify the type of resource to describe. \
             Use \"kubectl api-resources\" for a complete list of supported resources.",
        ));
    }
    let selector = scope.selector(&args.reach.clusters)?;
    let limits = Limits {
        timeout: args.timeouts.timeout,
        end: Some(args.timeouts.request_timeout).filter(|limit| !limit.is_zero()),
        way: scope.place.way(),
    };
    // What makes no sense is said before anybody is asked.
    let request = args.request(&args.words, scope)?;
    let attached = scope.attach(limits.timeout).await?;
    let result = tokio::select! {
        result = describe(args, request, (scope, &attached), (limits, &selector), terminal) => result,
        () = asked_to_stop() => Err(Failure::Told(130)),
    };
    attached.leave().await;
    result
}

impl DescribeArgs {
    fn request(&self, words: &[String], scope: &Scope) -> Result<Request, Failure> {
        let namespaces = scope.namespaces(&self.reach);
        let request = Request::new(words, namespaces, &self.selector, self.show_events);
        request.map_err(Failure::because)
    }
}

async fn describe(
    args: &DescribeArgs,
    mut request: Request,
    (scope, attached): (&Scope, &Attached),
    (limits, selector): (Limits, &ClusterSelector),
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    if categories::says_all(&args.words) {
        let plan = Plan {
            timeout: limits.timeout,
            request_timeout: limits.end,
            allow_partial: args.allow_partial,
            way: limits.way,
            ..Plan::default()
        };
        request = match categories::expanded(plan, &args.words, selector, attached).await? {
            Expanded::Words(words) => args.request(&words, scope)?,
            Expanded::Unheard(outputs) => return finish(outputs, terminal),
        };
    }
    let informer = attached.informer().clone();
    let session = Session {
        reader: Reader::new(informer.clone(), limits),
        informer,
        request,
        allow_partial: args.allow_partial,
        selector: selector.clone(),
    };
    tokio::select! {
        result = session.run(terminal) => result,
        line = session.reader.broken() => match terminal.err(&line) {
            Ok(()) => Err(Failure::Told(1)),
            Err(failure) => Err(failure),
        },
    }
}

/// One object's description; a line that says why, if there is none.
pub(super) async fn text(
    informer: Informer,
    limits: Limits,
    resource: &str,
    object: &ObjectId,
) -> Result<String, String> {
    // As kubectl has it: what lives in no namespace is looked for by a request that names one.
    let namespace = Some(object.namespace.as_str()).filter(|name| !name.is_empty());
    let namespaces = Namespaces::One(namespace.unwrap_or("default").to_owned());
    let words = [resource.to_owned(), object.name.clone()];
    let request =
        Request::new(&words, namespaces, "", Some(true)).map_err(|error| error.to_string())?;
    let session = Session {
        reader: Reader::new(informer.clone(), limits),
        informer,
        request,
        allow_partial: true,
        selector: ClusterSelector::default(),
    };
    let told = session.inquire(&object.cluster, false).await;
    match told.answer {
        Ok(described) if described.text.is_empty() => {
            let lines = messages::refusals(&described.refusals);
            Err(lines
                .into_iter()
                .next()
                .unwrap_or_else(|| messages::no_resources(None)))
        }
        Ok(described) => Ok(described.text),
        Err(trouble) => Err(session.reader.line(&object.cluster, &trouble)),
    }
}

struct Session {
    informer: Informer,
    reader: Reader,
    request: Request,
    selector: ClusterSelector,
    allow_partial: bool,
}

/// What became of one cluster.
struct Told {
    cluster: ClusterName,
    answer: Result<Described, Trouble>,
}

/// A cluster's answer.
struct Described {
    text: String,
    refusals: Vec<Refusal>,
    doubt: Option<Doubt>,
}

/// What is known of all clusters so far.
#[derive(Default)]
struct Balance {
    written: bool,
    read_any: bool,
    failed: bool,
    /// What is not there, in some clusters.
    absences: BTreeSet<Refusal>,
}

impl Session {
    async fn run(&self, terminal: &mut Terminal) -> Result<(), Failure> {
        if let Some(name) = self.selector.only() {
            let told = self.inquire(name, false).await;
            return self.print_one(told, terminal);
        }
        let names = self.members().await;
        if names.is_empty() {
            let known = self.informer.clusters().borrow().clone();
            let known: Vec<_> = known.keys().collect();
            terminal.err(&messages::no_cluster(&self.selector.to_string(), &known))?;
            return Err(Failure::Told(1));
        }
        let mut waiting: FuturesUnordered<_> =
            names.iter().map(|name| self.inquire(name, true)).collect();
        let mut balance = Balance::default();
        let mut patience = None;
        while !waiting.is_empty() {
            terminal.progress(Some(format!(
                "{}/{} clusters",
                names.len() - waiting.len(),
                names.len()
            )))?;
            let mut batch: Vec<_> = waiting.next().await.into_iter().collect();
            let until = *patience.get_or_insert_with(|| Instant::now() + PATIENCE);
            while let Ok(Some(told)) = tokio::time::timeout_at(until, waiting.next()).await {
                batch.push(told);
            }
            terminal.progress(None)?;
            batch.sort_by(|one, other| one.cluster.cmp(&other.cluster));
            for told in batch {
                self.print_one_of_several(told, &mut balance, terminal)?;
            }
        }
        self.end(&balance, terminal)
    }

    /// Who is asked: those that were named, and those that are there.
    async fn members(&self) -> BTreeSet<ClusterName> {
        let mut names: BTreeSet<_> = self.selector.named().cloned().collect();
        if !self.selector.is_closed() {
            self.reader.discovered().await;
            let known = self.informer.clusters();
            let known = known.borrow();
            names.extend(
                known
                    .iter()
                    .filter(|(name, cluster)| self.selector.matches(name, &cluster.presence.labels))
                    .map(|(name, _)| name.clone()),
            );
        }
        names
    }

    async fn inquire(&self, cluster: &ClusterName, is_one_of_several: bool) -> Told {
        let answer = self.described(cluster, is_one_of_several).await;
        Told {
            cluster: cluster.clone(),
            answer,
        }
    }

    async fn described(
        &self,
        cluster: &ClusterName,
        is_one_of_several: bool,
    ) -> Result<Described, Trouble> {
        let mut reading = Reading::new(&self.reader, cluster);
        let chosen = self.chosen(&mut reading).await?;
        let of = |object| wanted(object, chosen.with_events);
        let needs = chosen.objects.iter().flat_map(of).collect();
        let related = reading.related(&needs).await?;
        let context = Context {
            clock: Clock {
                now_ms: reading.now_ms.unwrap_or_default(),
                zone: TimeZone::system(),
            },
            with_events: chosen.with_events,
        };
        let (text, refusals) =
            chosen.text(&related, &context, is_one_of_several.then_some(cluster));
        Ok(Described {
            text,
            refusals,
            doubt: reading.doubt,
        })
    }

    async fn chosen(&self, reading: &mut Reading<'_>) -> Result<Chosen, Trouble> {
        let cluster = reading.cluster;
        let selection = |target| self.request.selection(target, cluster);
        let answers = reading
            .all(self.request.targets().iter().map(selection))
            .await?;
        let refusal = match self.request.choose(answers) {
            Choice::These(chosen) => return Ok(chosen),
            Choice::Prefix(refusal) => refusal,
        };
        let answer = reading
            .all(self.request.prefix_selection(cluster))
            .await?
            .pop();
        let answer = answer.unwrap_or_else(|| Err(refusal.clone()));
        Ok(self.request.choose_by_prefix(answer, refusal))
    }

    /// kubectl's own output.
    fn print_one(&self, told: Told, terminal: &mut Terminal) -> Result<(), Failure> {
        let Told { cluster, answer } = told;
        let Described {
            text,
            refusals,
            doubt,
        } = match answer {
            Ok(described) => described,
            Err(trouble) => {
                terminal.err(&self.reader.line(&cluster, &trouble))?;
                return Err(Failure::Told(1));
            }
        };
        terminal.out(&text)?;
        if text.is_empty() && refusals.is_empty() {
            terminal.err(&messages::no_resources(self.request.namespaces().one()))?;
        }
        for line in messages::refusals(&refusals) {
            terminal.err(&line)?;
        }
        if let Some(doubt) = doubt {
            terminal.err(&messages::stale(&cluster, doubt))?;
        }
        match refusals.is_empty() && (doubt.is_none() || self.allow_partial) {
            true => Ok(()),
            false => Err(Failure::Told(1)),
        }
    }

    fn print_one_of_several(
        &self,
        told: Told,
        balance: &mut Balance,
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        let Told { cluster, answer } = told;
        let Described {
            text,
            refusals,
            doubt,
        } = match answer {
            Ok(described) => described,
            Err(trouble) => {
                balance.failed = true;
                return terminal.err(&self.reader.line(&cluster, &trouble));
            }
        };
        balance.read_any = true;
        if !text.is_empty() {
            let separator = if balance.written { "\n\n" } else { "" };
            terminal.out(&format!("{separator}{text}"))?;
            balance.written = true;
        }
        for refusal in refusals {
            if refusal.is_absence() {
                balance.absences.insert(refusal);
            } else {
                balance.failed = true;
                terminal.err(&messages::refused(&cluster, &refusal))?;
            }
        }
        if let Some(doubt) = doubt {
            balance.failed = true;
            terminal.err(&messages::stale(&cluster, doubt))?;
        }
        Ok(())
    }

    /// What exists nowhere is an error; what exists somewhere is none.
    fn end(&self, balance: &Balance, terminal: &mut Terminal) -> Result<(), Failure> {
        let missing = !balance.written && !balance.absences.is_empty();
        if missing {
            let absences: Vec<_> = balance.absences.iter().cloned().collect();
            for line in messages::refusals(&absences) {
                terminal.err(&line)?;
            }
        } else if !balance.written && !balance.failed {
            terminal.err(&messages::no_resources(self.request.namespaces().one()))?;
        }
        let forgiven = self.allow_partial && balance.read_any;
        match missing || (balance.failed && !forgiven) {
            true => Err(Failure::Told(1)),
            false => Ok(()),
        }
    }
}

fn wanted(
    (resource, object): &(crate::table::Resource, serde_json::Value),
    with_events: bool,
) -> BTreeSet<Need> {
    needs(&resource.group, &resource.kind, object, with_events)
}
