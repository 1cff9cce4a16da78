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
use crate::source::{Health, Options, Source};
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::watch;

/// Runs a syncer as a program of its own: logs to stderr, ends on SIGTERM or SIGINT.
///
/// # Errors
/// One line for people: what was tried, what happened, what to do.
pub fn main(args: SyncerArgs) -> Result<()> {
    crate::cli::log_to_stderr();
    crate::cli::end_by_panics();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(async move {
            crate::cli::asked_to_stop().await;
            tracing::info!("asked to stop: saying goodbye");
            // A syncer that has ended needs no word.
            let _ = stop.send(true);
        });
        // On a worker, where the connections' tasks are, so that a change wakes no other thread on its way.
        tokio::spawn(run(args, stopped)).await?
    })
}

/// Serves a cluster until `shutdown` changes. The caller brings runtime, log and shutdown.
///
/// # Errors
/// As [`main`].
pub async fn run(args: SyncerArgs, shutdown: watch::Receiver<bool>) -> Result<()> {
    let cluster = ClusterName::new(&args.cluster).context("--cluster")?;
    if cluster.as_str() == names::HUB {
        bail!("--cluster {cluster}: this name is the hub's own; choose another");
    }
    check_labels(&args.labels)?;
    let topics = args.broker.topics()?;
    let access = Access {
        kubeconfig: args.kubeconfig.clone().map(Into::into),
        context: None,
    };
    let upstream = Arc::new(Kubernetes::connect(&access, args.show_secrets).await?);
    let settings = settings(&args);
    let stale_after = settings.stale_after();
    let source = Source::new(Options {
        cluster: cluster.clone(),
        role: "syncer",
        labels: args.labels.clone(),
        retained: args.retained,
        topics,
        settings,
    });
    let source = match args.logs {
        true => source.with_logs(),
        false => source,
    };
    let (health, watched) = watch::channel(Health::default());
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

/// Replicas need different ids, or they take each other's connection.
fn client_id(broker: &BrokerArgs, cluster: &ClusterName) -> String {
    // A cluster's name may be any text, a client id may not.
    let name = Segment::from(cluster);
    let fresh = || format!("mqi-{name}-{:08x}", rand::random::<u32>());
    broker.client_id.clone().unwrap_or_else(fresh)
}
