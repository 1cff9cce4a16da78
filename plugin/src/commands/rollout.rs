//! `rollout status`: until something is rolled out. How far it is, says [`crate::rollout`].

use super::reader::{Limits, Reader};
use super::{ClusterArgs, HubArgs, NamespaceArgs, ReachArgs};
use crate::error::Failure;
use crate::get::member::Trouble;
use crate::get::messages::{self, Refusal};
use crate::rollout::{self, Kind};
use crate::scope::{Attached, Scope};
use crate::terminal::Terminal;
use clap::{Args, Subcommand};
use mqtt_informer::cli::{asked_to_stop, duration};
use mqtt_informer::protocol::message::{Selection, View};
use mqtt_informer::protocol::names::ClusterName;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// Follow a rollout.
#[derive(Clone, Debug, Args)]
pub struct RolloutArgs {
    #[command(subcommand)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub command: RolloutCommand,
}

/// What can be done with rollouts; this program changes none.
#[derive(Clone, Debug, Subcommand)]
#[expect(
    missing_docs,
    reason = "a doc comment here would replace the command's help"
)]
pub enum RolloutCommand {
    Status(StatusArgs),
}

/// Say how far a rollout is, until it is done.
///
/// Of deployments, daemon sets and stateful sets of one cluster (--cluster) it says what kubectl says. Works
/// (manifestwork) and sets of works (manifestworkreplicaset) are what a hub has: a work's namespace is its cluster's name.
/// The exit code is 1 if nothing more will come of it.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  # Until all clusters of its placements have it
  kubectl mqinformer rollout status manifestworkreplicaset/web -n apps --timeout 10m

  # One cluster's work
  kubectl mqinformer rollout status work/web -n cluster1

  # A deployment in a cluster
  kubectl mqinformer rollout status deploy/web -n shop --cluster cluster1")]
pub struct StatusArgs {
    /// What is rolled out.
    #[arg(value_name = "TYPE/NAME", required = true, num_args = 1..=2)]
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

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub hub: HubArgs,

    /// Follow it until it is done; false says how far it is, and ends.
    #[arg(long, short, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub watch: bool,

    /// For how long to follow it; 0 for as long as it takes.
    #[arg(long = "timeout", value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub wait_timeout: Duration,

    /// For how long a cluster may be silent before it is given up.
    #[arg(long = "cluster-timeout", env = "MQINFORMER_TIMEOUT", value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub timeout: Duration,
}

/// Follows it.
pub async fn run(
    args: &RolloutArgs,
    scope: &Scope,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let RolloutCommand::Status(args) = &args.command;
    if scope.is_offline() {
        return Err(Failure::because(
            "--offline cannot be followed: what is kept does not change",
        ));
    }
    let (kind, name) = meant(&args.words)?;
    let cluster = cluster(args, kind, scope)?;
    let reach = ReachArgs {
        clusters: args.clusters.clone(),
        namespace: args.namespace.clone(),
        all_namespaces: false,
    };
    let namespace = scope.namespaces(&reach);
    let followed = Followed {
        kind,
        selection: Selection {
            resource: kind.resource().to_owned(),
            namespace: namespace.one().unwrap_or("default").to_owned(),
            fields: format!("metadata.name={name}"),
            view: View::Objects,
            ..Selection::default()
        },
        name,
        cluster,
    };
    let limits = Limits {
        timeout: args.timeout,
        end: None,
        way: scope.place.way(),
    };
    let attached = scope.attach(limits.timeout).await?;
    let end = Some(args.wait_timeout).filter(|limit| !limit.is_zero());
    let result = tokio::select! {
        result = followed.run(args.watch, limits, &attached, terminal) => result,
        () = over(end) => Err(Failure::because("timed out waiting for the condition")),
        () = asked_to_stop() => Err(Failure::Told(130)),
    };
    attached.leave().await;
    result
}

async fn over(end: Option<Duration>) {
    match end {
        Some(end) => tokio::time::sleep_until(Instant::now() + end).await,
        None => std::future::pending().await,
    }
}

fn meant(words: &[String]) -> Result<(Kind, String), Failure> {
    let both = match words {
        [one] => one.split_once('/'),
        [word, name] => Some((word.as_str(), name.as_str())),
        _ => None,
    };
    let Some((word, name)) = both.filter(|(_, name)| !name.is_empty()) else {
        return Err(Failure::because(
            "one thing is followed: TYPE/NAME, as in deploy/web or manifestworkreplicaset/web",
        ));
    };
    match Kind::of(word) {
        Some(kind) => Ok((kind, name.to_owned())),
        None => Err(Failure::because(format!(
            "no status viewer has been implemented for {word:?}: a deployment, daemonset, statefulset, \
             manifestwork or manifestworkreplicaset has one"
        ))),
    }
}

/// Where it is.
fn cluster(args: &StatusArgs, kind: Kind, scope: &Scope) -> Result<ClusterName, Failure> {
    if kind.is_hubs() && args.clusters.cluster.is_empty() {
        return Ok(args.hub.hub.clone());
    }
    let selector = scope.selector(&args.clusters)?;
    selector.only().cloned().ok_or_else(|| {
        Failure::because("a rollout is followed in one cluster: name it with --cluster")
    })
}

struct Followed {
    kind: Kind,
    name: String,
    cluster: ClusterName,
    selection: Selection,
}

impl Followed {
    async fn run(
        &self,
        follows: bool,
        limits: Limits,
        attached: &Attached,
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        let informer = attached.informer();
        let reader = Reader::new(informer.clone(), limits);
        let subscription = informer.subscribe(&self.cluster, self.selection.clone());
        let (mut changes, mut state) =
            (subscription.store().changes(), subscription.store().state());
        let (mut said, mut doubted) = (String::new(), false);
        loop {
            let read = tokio::select! {
                read = reader.read(&self.cluster, self.selection.clone()) => read,
                line = reader.broken() => return fail(&line, terminal),
            };
            let read = match read {
                Ok(read) => read,
                Err(trouble) => return fail(&self.line(&reader, &trouble), terminal),
            };
            let Some(object) = read.found.objects.first() else {
                return Err(self.not_found(&read.found.resource.qualified(), terminal));
            };
            let status = self.status(object)?;
            if status.line != said {
                said.clone_from(&status.line);
                terminal.out(&format!("{said}\n"))?;
            }
            match read.doubt {
                // What is old proves nothing.
                Some(doubt) if !doubted => terminal.err(&messages::stale(&self.cluster, doubt))?,
                None if status.is_done => return Ok(()),
                _ => {}
            }
            doubted = read.doubt.is_some();
            if !follows {
                return match doubted {
                    true => Err(Failure::Told(1)),
                    false => Ok(()),
                };
            }
            tokio::select! {
                _ = changes.next() => {}
                Ok(()) = state.changed() => {}
                line = reader.broken() => return fail(&line, terminal),
            }
        }
    }

    fn line(&self, reader: &Reader, trouble: &Trouble) -> String {
        match self.kind.is_hubs() {
            true => reader.hub_line(&self.cluster, trouble),
            false => reader.line(&self.cluster, trouble),
        }
    }

    fn status(&self, object: &Value) -> Result<rollout::Status, Failure> {
        rollout::status(self.kind, object).map_err(Failure::because)
    }

    fn not_found(&self, resource: &str, terminal: &mut Terminal) -> Failure {
        let line = Refusal::not_found(resource, &self.name).line();
        match terminal.err(&line) {
            Ok(()) => Failure::Told(1),
            Err(failure) => failure,
        }
    }
}

fn fail(line: &str, terminal: &mut Terminal) -> Result<(), Failure> {
    terminal.err(line)?;
    Err(Failure::Told(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_followed() {
        let meant = |text: &str| {
            let words: Vec<_> = text.split(' ').map(str::to_owned).collect();
            meant(&words).ok()
        };
        assert_eq!(
            meant("deploy/web"),
            Some((Kind::Deployment, "web".to_owned()))
        );
        assert_eq!(meant("work web"), Some((Kind::Work, "web".to_owned())));
        for text in ["deploy", "pods/web", "deploy/", "deploy a b"] {
            assert_eq!(meant(text), None, "{text}");
        }
    }
}
