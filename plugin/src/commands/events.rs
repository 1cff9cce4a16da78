//! `events`: what happened, of all clusters or of some, in the order of time.

use super::fleet::Fleet;
use super::{ReachArgs, TimeoutArgs};
use crate::error::Failure;
use crate::events::{self, Event, EventForm, EventPrinter};
use crate::get::Namespaces;
use crate::get::collector::PATIENCE;
use crate::get::roll::{News, Patience, Roll};
use crate::scope::Scope;
use crate::table::Resource;
use crate::terminal::Terminal;
use clap::{Args, ValueEnum};
use mqtt_informer::cli::asked_to_stop;
use mqtt_informer::protocol::message::{Selection, View};
use mqtt_informer::protocol::names::ClusterName;
use std::collections::BTreeSet;
use std::time::Duration;

/// Show what happened, of all clusters or of some, the newest last.
///
/// Words and flags are kubectl's. With exactly one --cluster (or --context) that is a name, the output is kubectl's
/// too. Otherwise the events of all clusters are one table in the order of time, whose first column is CLUSTER.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  # What happened everywhere, in all namespaces
  kubectl mqinformer events -A

  # Warnings of the production clusters, and then those that come
  kubectl mqinformer events -A --cluster 'prod-*' --types Warning -w

  # What happened to one pod
  kubectl mqinformer events --for pod/web-0 -n shop --cluster cluster1")]
pub struct EventsArgs {
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub reach: ReachArgs,

    /// Only those about this object.
    #[arg(long = "for", value_name = "TYPE/NAME")]
    pub involved: Option<String>,

    /// Only those of these types: Normal, Warning.
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    pub types: Vec<String>,

    /// How to print: json, yaml or name.
    #[arg(long, short, value_name = "FORM", hide_possible_values = true)]
    pub output: Option<OutputForm>,

    /// Print no headers.
    #[arg(long)]
    pub no_headers: bool,

    /// After what there is, print what happens, until interrupted.
    #[arg(long, short)]
    pub watch: bool,

    /// Accepted, as kubectl has it: lists are read in parts anyway.
    #[arg(long, value_name = "N", hide = true)]
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

/// The forms of `-o`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputForm {
    /// Objects as JSON.
    Json,
    /// Objects as YAML.
    Yaml,
    /// `event/web.17a2`
    Name,
}

/// Runs until everything is printed, or the watch is ended.
pub async fn run(args: &EventsArgs, scope: &Scope, terminal: &mut Terminal) -> Result<(), Failure> {
    let selector = scope.selector(&args.reach.clusters)?;
    if scope.is_offline() && args.watch {
        return Err(Failure::because(
            "--offline and --watch cannot be used together: what is kept does not change",
        ));
    }
    events::types(&args.types).map_err(Failure::because)?;
    let involved = args.involved.as_deref().map(events::involved).transpose();
    let involved = involved.map_err(Failure::because)?;
    let namespaces = scope.namespaces(&args.reach);
    let form = match args.output {
        None => EventForm::Table,
        Some(OutputForm::Json) => EventForm::Json,
        Some(OutputForm::Yaml) => EventForm::Yaml,
        Some(OutputForm::Name) => EventForm::Name,
    };
    let several = selector.only().is_none();
    let printer = EventPrinter::new(form, Terminal::audience(), several, args.no_headers)
        .with_namespace(namespaces.one().is_none());
    let patience = Patience {
        timeout: args.timeouts.timeout,
        request_timeout: Some(args.timeouts.request_timeout).filter(|limit| !limit.is_zero()),
        goes_on: args.watch,
        way: scope.place.way(),
    };
    let attached = scope.attach(args.timeouts.timeout).await?;
    let end = patience.request_timeout;
    let mut session = Session {
        fleet: Fleet::new(
            attached.informer().clone(),
            Roll::new(&selector, 1, patience),
        ),
        involved,
        types: args.types.clone(),
        namespaces,
        watch: args.watch,
        end,
        several,
        printer,
        asked: BTreeSet::new(),
        ready: BTreeSet::new(),
        waiting: Vec::new(),
        first: None,
        found: false,
        failed: false,
    };
    let result = tokio::select! {
        result = session.run(terminal) => result,
        () = asked_to_stop() => Err(Failure::Told(if args.watch { 0 } else { 130 })),
    };
    let forgiven = args.allow_partial && !session.ready.is_empty();
    let failed = session.failed && !forgiven;
    drop(session);
    attached.leave().await;
    result?;
    match failed {
        true => Err(Failure::Told(1)),
        false => Ok(()),
    }
}

struct Session {
    fleet: Fleet,
    involved: Option<(String, String)>,
    types: Vec<String>,
    namespaces: Namespaces,
    watch: bool,
    end: Option<Duration>,
    several: bool,
    printer: EventPrinter,
    /// Clusters whose events are asked for; the others are asked what kind the object has.
    asked: BTreeSet<ClusterName>,
    /// Clusters whose events are there.
    ready: BTreeSet<ClusterName>,
    /// What is there and not printed yet.
    waiting: Vec<Event>,
    /// When the first events were there.
    first: Option<Duration>,
    found: bool,
    failed: bool,
}

impl Session {
    async fn run(&mut self, terminal: &mut Terminal) -> Result<(), Failure> {
        loop {
            for cluster in self.fleet.roll.take_wanted() {
                self.ask(&cluster);
            }
            for news in self.fleet.step() {
                self.news(news, terminal)?;
            }
            for cluster in self.fleet.take_changed() {
                self.look(&cluster);
            }
            if self.watch && self.fleet.roll.is_refused() {
                return Err(Failure::Told(1));
            }
            let complete = self.fleet.roll.is_complete();
            let patience_is_over = self.several
                && self
                    .first
                    .is_some_and(|at| self.fleet.at() >= at + PATIENCE);
            if complete || patience_is_over || self.watch {
                self.print(terminal)?;
            }
            let over = self.end.is_some_and(|end| self.fleet.at() >= end);
            if (complete && !self.watch) || over {
                return self.finish(terminal);
            }
            let most = match (self.first, patience_is_over) {
                (Some(at), false) if self.several => {
                    (at + PATIENCE).saturating_sub(self.fleet.at())
                }
                _ => Duration::MAX,
            };
            self.fleet.wait(most.max(Duration::from_millis(1))).await;
        }
    }

    fn ask(&mut self, cluster: &ClusterName) {
        let namespace = self.namespaces.of(cluster).to_owned();
        match &self.involved {
            // The header of its rows says its kind, whether it exists or not: events outlive what they are about.
            Some((word, name)) => {
                let selection = Selection {
                    resource: word.clone(),
                    namespace,
                    fields: format!("metadata.name={name}"),
                    ..Selection::default()
                };
                self.fleet.subscribe(cluster, 0, selection);
            }
            None => self.ask_for_events(cluster, String::new()),
        }
    }

    fn ask_for_events(&mut self, cluster: &ClusterName, fields: String) {
        let selection = Selection {
            resource: "events".into(),
            namespace: self.namespaces.of(cluster).to_owned(),
            fields,
            view: View::Objects,
            ..Selection::default()
        };
        self.asked.insert(cluster.clone());
        self.fleet.subscribe(cluster, 0, selection);
    }

    fn news(&mut self, news: News, terminal: &mut Terminal) -> Result<(), Failure> {
        match news {
            News::Ready(cluster) => self.answered(&cluster),
            News::Doubtful(cluster, line) => {
                terminal.err(&line)?;
                self.failed = true;
                self.answered(&cluster);
            }
            News::Failed(cluster, line) => {
                // A type that --for names and nobody has: kubectl says it here without its prefix.
                let alone = !self.several && !self.asked.contains(&cluster);
                let line = match line.strip_prefix("error: ") {
                    Some(bare) if alone && bare.starts_with("the server doesn't have") => bare,
                    _ => &line,
                };
                terminal.err(line)?;
                self.failed = true;
            }
            News::Line(line) => terminal.err(&line)?,
            News::Over(line) => {
                terminal.err(&line)?;
                return Err(Failure::Told(1));
            }
        }
        Ok(())
    }

    fn answered(&mut self, cluster: &ClusterName) {
        if self.asked.contains(cluster) {
            self.ready.insert(cluster.clone());
            self.first.get_or_insert(self.fleet.at());
            return self.look(cluster);
        }
        let store = self.fleet.store(cluster, 0);
        let snapshot = store.map(|store| store.snapshot()).unwrap_or_default();
        let header = snapshot.entries.get(&b""[..]);
        let resource = header.and_then(|bytes| Resource::from_header(bytes).ok());
        let (Some(resource), Some((_, name))) = (resource, &self.involved) else {
            return;
        };
        let version = match resource.group.as_str() {
            "" => resource.version.clone(),
            group => format!("{group}/{}", resource.version),
        };
        let fields = events::fields(&resource.kind, &version, name);
        let at = self.fleet.at();
        self.fleet.roll.ask_anew(cluster, at);
        self.ask_for_events(cluster, fields);
    }

    /// Takes what is new in a cluster. That an event is gone is no news: they are kept for an hour.
    fn look(&mut self, cluster: &ClusterName) {
        if !self.ready.contains(cluster) {
            return;
        }
        let now_ms = self.fleet.now_ms(cluster, 0);
        let notices = self.fleet.notices(cluster, 0);
        let values = notices
            .into_iter()
            .filter(|notice| !notice.key.is_empty())
            .filter_map(|notice| notice.new);
        let events = values.filter_map(|value| Event::read(cluster, now_ms, &value));
        let types = &self.types;
        self.waiting
            .extend(events.filter(|event| event.is_of(types)));
    }

    fn print(&mut self, terminal: &mut Terminal) -> Result<(), Failure> {
        let mut events = std::mem::take(&mut self.waiting);
        if events.is_empty() {
            return Ok(());
        }
        self.found = true;
        events::sort(&mut events);
        let text = match self.watch {
            true => events.iter().map(|event| self.printer.one(event)).collect(),
            false => self.printer.list(&events),
        };
        terminal.out(&text)
    }

    fn finish(&mut self, terminal: &mut Terminal) -> Result<(), Failure> {
        if self.watch {
            return Ok(());
        }
        if self.found {
            let end = self.printer.end();
            return terminal.out(&end);
        }
        match self.failed {
            true => Ok(()),
            false => terminal.err(&events::none_found(self.namespaces.one())),
        }
    }
}
