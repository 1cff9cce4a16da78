//! The hub: it lets clusters in, finds places for work, sends it, and tells what became of it.
//!
//! | module | what it decides |
//! |---|---|
//! | [`placement`] | which clusters a `Placement` gets |
//! | [`rollout`] | which works of a `ManifestWorkReplicaSet` are written now |
//! | [`lifecycle`] | what a `ManagedCluster` is, from what is heard of it |
//! | [`sets`] | whether a `ManagedClusterSet` has clusters, whether a binding's set exists |
//!
//! All of these are pure: what there is and what time it is go in, what shall be comes out. `controller` asks them, and
//! does what they say; only about whole copies: a hub that has not synced yet asks nothing, and so removes nothing.
//!
//! ```text
//! hub's API server ─> controller ─> stream `work` of each cluster ─> agents
//!        ↑                │  ↑
//!        └── writes <─────┘  └── streams `status` of the agents, their presence
//! ```
//!
//! **Architecture invariant:** only the writer of the hub's name acts: one that stands by writes nothing.

mod controller;
pub mod lifecycle;
mod options;
pub mod placement;
mod probes;
pub mod rollout;
mod serving;
pub mod sets;

pub use options::HubArgs;

use crate::cli::{BrokerArgs, serve_probes};
use crate::informer::Informer;
use crate::kubernetes::{Access, Kubernetes};
use crate::link::{LastWill, mqtt};
use crate::protocol::message::HUB;
use crate::protocol::names::ClusterName;
use crate::protocol::topics::Segment;
use crate::replica::Settings;
use crate::source::{Health, Options, Source};
use anyhow::{Context, Result};
use controller::Feeds;
use lifecycle::accept::Patterns;
use serving::{AgentUsers, Serving};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long the broker may take to hear a goodbye.
const GOODBYE: Duration = Duration::from_secs(2);
/// Where a pod finds the name of its namespace.
const OWN_NAMESPACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";
/// Clusters that one hub serves at most.
const CLUSTERS: usize = 10_000;

/// Runs a hub as a program of its own: logs to stderr, ends on SIGTERM or SIGINT.
///
/// # Errors
/// One line for people: what was tried, what happened, what to do.
pub fn main(args: HubArgs) -> Result<()> {
    crate::cli::run_as_program(|stopped| run(args, stopped))
}

/// Serves clusters their work until `shutdown` changes. The caller brings runtime, log and shutdown.
///
/// # Errors
/// As [`main`].
pub async fn run(args: HubArgs, shutdown: watch::Receiver<bool>) -> Result<()> {
    let name = ClusterName::new(&args.name).context("--name")?;
    let topics = args.broker.topics()?;
    let access = Access {
        kubeconfig: args.kubeconfig.clone().map(Into::into),
        context: None,
    };
    // Secrets are work as anything else: they are read whole.
    let kubernetes = Kubernetes::connect(&access, true).await?;
    let settings = Settings {
        feeds: CLUSTERS,
        ..Settings::default()
    };
    let stale_after = settings.stale_after();
    let source = Source::new(Options {
        cluster: name.clone(),
        role: HUB,
        labels: Vec::new(),
        retained: args.retained,
        topics: topics.clone(),
        settings,
    });
    let client_id = client_id(&args.broker, &name);
    let connect = |more: &str| args.broker.options(format!("{client_id}{more}"));
    let (topic, payload) = source.last_will();
    let mut control = connect("")?;
    control.last_will = Some(LastWill {
        topic,
        payload,
        retain: args.retained,
    });
    let (health, role) = watch::channel(Health::default());
    let (told, done) = watch::channel(controller::Report::default());
    let probed = probes::Probed {
        health: role.clone(),
        report: done,
        stale_after,
    };
    let probes = serve_probes(args.listen, probed).await?;
    let informer = Informer::builder().options(connect("-status")?);
    let informer = informer.topics(topics).start()?;
    let (control, bulk) = (mqtt::connect(control)?, mqtt::connect(connect("-bulk")?)?);
    let feeds = Arc::new(Feeds::default());
    let upstream = Arc::new(Serving {
        shown: Kubernetes::connect(&access, false).await?,
        feeds: Arc::clone(&feeds),
        agents: AgentUsers::new(&args.agent_user, control.link.user()),
    });
    let plan = controller::Plan {
        kubernetes,
        informer: informer.clone(),
        name,
        auto_accept: Patterns::new(args.auto_accept.clone()),
        own_namespace: own_namespace(&args),
        feeds,
        told,
    };
    let controller = tokio::spawn(controller::run(plan, role));
    let served = source.run(control, bulk, upstream, health, shutdown).await;
    controller.abort();
    // A broker that takes nothing any more is not waited for.
    let _ = tokio::time::timeout(GOODBYE, informer.close()).await;
    probes.abort();
    Ok(served?)
}

/// In a pod that writes to its own API server: no cluster can have this namespace.
fn own_namespace(args: &HubArgs) -> Option<String> {
    let here = args.kubeconfig.is_none();
    let said = here.then(|| std::fs::read_to_string(OWN_NAMESPACE).ok());
    said.flatten().map(|it| it.trim().to_owned())
}

/// Replicas need different ids, or they take each other's connection.
fn client_id(broker: &BrokerArgs, hub: &ClusterName) -> String {
    let fresh = || format!("mqi-{}-{:08x}", Segment::from(hub), rand::random::<u32>());
    broker.client_id.clone().unwrap_or_else(fresh)
}
