//! The role in each cluster: [`crate::kubernetes`] served by [`crate::source`].

mod options;
mod probes;

pub use options::SyncerArgs;

use crate::cli::{BrokerArgs, serve_probes};
use crate::kubernetes::{Access, Kubernetes};
use crate::link::{LastWill, mqtt};
use crate::protocol::message::MAX_LABELS;
use crate::protocol::names::{self, ClusterName};
use crate::protocol::topics::Segment;
use crate::replica::Settings;
use crate::source::{Health, Options, Source, Upstream};
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::watch;

/// Runs a syncer as a program of its own: logs to stderr, ends on SIGTERM or SIGINT.
///
/// # Errors
/// One line for people: what was tried, what happened, what to do.
pub fn main(args: SyncerArgs) -> Result<()> {
    crate::cli::run_as_program(|stopped| run(args, stopped))
}

/// Serves a cluster until `shutdown` changes. The caller brings runtime, log and shutdown.
///
/// # Errors
/// As [`main`].
pub async fn run(args: SyncerArgs, shutdown: watch::Receiver<bool>) -> Result<()> {
    // What is wrong there is said before anybody is asked.
    check(&args)?;
    let access = Access {
        kubeconfig: args.kubeconfig.clone().map(Into::into),
        context: None,
    };
    let upstream = Arc::new(Kubernetes::connect(&access, args.show_secrets).await?);
    let (health, _) = watch::channel(Health::default());
    serve(&args, ("syncer", upstream), health, shutdown).await
}

/// Whether what was typed can be meant.
pub(crate) fn check(args: &SyncerArgs) -> Result<()> {
    cluster(args)?;
    check_labels(&args.labels)?;
    args.broker.topics()?;
    Ok(())
}

/// Serves a cluster for viewers, in a role of that name, until `shutdown` changes.
///
/// # Errors
/// As [`main`].
pub async fn serve(
    args: &SyncerArgs,
    (role, upstream): (&'static str, Arc<dyn Upstream>),
    health: watch::Sender<Health>,
    shutdown: watch::Receiver<bool>,
) -> Result<()> {
    let cluster = cluster(args)?;
    let topics = args.broker.topics()?;
    let settings = settings(args);
    let stale_after = settings.stale_after();
    let source = Source::new(Options {
        cluster: cluster.clone(),
        role,
        labels: args.labels.clone(),
        retained: args.retained,
        topics,
        settings,
    });
    let source = match args.logs {
        true => source.with_logs(),
        false => source,
    };
    let watched = health.subscribe();
    // Before the broker knows of us: who fails to start leaves no last will.
    let probes = serve_probes(
        args.listen,
        probes::Probed {
            health: watched,
            stale_after,
        },
    )
    .await?;
    let client_id = client_id(&args.broker, &cluster);
    let (topic, payload) = source.last_will();
    let mut control = args.broker.options(client_id.clone())?;
    control.last_will = Some(LastWill {
        topic,
        payload,
        retain: args.retained,
    });
    let bulk = args.broker.options(format!("{client_id}-bulk"))?;
    let (control, bulk) = (mqtt::connect(control)?, mqtt::connect(bulk)?);
    let result = source.run(control, bulk, upstream, health, shutdown).await;
    probes.abort();
    Ok(result?)
}

/// The cluster's name.
///
/// # Errors
/// When it cannot be one.
pub fn cluster(args: &SyncerArgs) -> Result<ClusterName> {
    let cluster = ClusterName::new(&args.cluster).context("--cluster")?;
    if cluster.as_str() == names::HUB {
        bail!("--cluster {cluster}: this name is the hub's own; choose another");
    }
    Ok(cluster)
}

/// Each is valid by itself; together they have to be a set that viewers take.
fn check_labels(labels: &[(String, String)]) -> Result<()> {
    let keys: BTreeSet<_> = labels.iter().map(|(key, _)| key).collect();
    if keys.len() < labels.len() {
        bail!("--label: a key is given twice");
    }
    if keys.len() > MAX_LABELS {
        bail!("--label: at most {MAX_LABELS} labels are allowed");
    }
    Ok(())
}

fn settings(args: &SyncerArgs) -> Settings {
    Settings {
        heartbeat: args.heartbeat,
        linger: args.linger,
        feeds: args.max_streams,
        feeds_per_user: args.max_streams_per_user,
        ..Settings::default()
    }
}

/// The client id of its first connection. Replicas need different ones, or they take each other's connection.
pub fn client_id(broker: &BrokerArgs, cluster: &ClusterName) -> String {
    // A cluster's name may be any text, a client id may not.
    let name = Segment::from(cluster);
    let fresh = || format!("mqi-{name}-{:08x}", rand::random::<u32>());
    broker.client_id.clone().unwrap_or_else(fresh)
}
