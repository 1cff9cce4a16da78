//! The agent of a cluster: it puts there what its hub wants, keeps it so, and says what became of it.
//!
//! An agent is a syncer, too: viewers see its cluster as they see any other. What is decided stands in [`plan`], which is
//! pure; what asks it, and does what it says, stands in `executor`.
//!
//! ```text
//! hub's stream `work` ─> informer ─> executor ─> plan ─> server-side apply, delete
//!                                       ↑  └──> inventory (AppliedManifestWork, in the cluster)
//!                       watches of what was applied
//! stream `status` of this source <── reports <─┘
//! ```
//!
//! **Architecture invariant:** only the writer of its cluster's name acts: a standby of one name, be it an agent or a
//! syncer, writes nothing.

mod executor;
mod options;
pub mod plan;
mod serving;

pub use options::{AgentArgs, Executor};

use crate::informer::Informer;
use crate::kubernetes::{Access, Kubernetes};
use crate::protocol::message::AGENT;
use crate::protocol::names::ClusterName;
use crate::source::{Health, Held};
use crate::syncer;
use anyhow::{Context, Result, bail};
use serving::Serving;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long the broker may take to hear a goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// Runs an agent as a program of its own: logs to stderr, ends on SIGTERM or SIGINT.
///
/// # Errors
/// One line for people: what was tried, what happened, what to do.
pub fn main(args: AgentArgs) -> Result<()> {
    crate::cli::run_as_program(|stopped| run(args, stopped))
}

/// Serves a cluster and does its hub's work in it until `shutdown` changes. The caller brings runtime, log and shutdown.
///
/// # Errors
/// As [`main`].
pub async fn run(args: AgentArgs, shutdown: watch::Receiver<bool>) -> Result<()> {
    // What is wrong there is said before anybody is asked.
    syncer::check(&args.syncer)?;
    let cluster = syncer::cluster(&args.syncer)?;
    let hub = ClusterName::new(&args.hub).context("--hub")?;
    if hub == cluster {
        bail!("--hub {hub}: this cluster has that name; the hub has another one");
    }
    let access = Access {
        kubeconfig: args.syncer.kubeconfig.clone().map(Into::into),
        context: None,
    };
    let shown = Kubernetes::connect(&access, args.syncer.show_secrets).await?;
    // What is compared with what is wanted is read whole, and never leaves the cluster.
    let own = Kubernetes::connect(&access, true).await?;
    let (reports, held) = watch::channel(Held::default());
    let upstream = Arc::new(Serving::new(shown, &hub, held));
    let informer = informer(&args, &cluster)?;
    let (health, role) = watch::channel(Health::default());
    let plan = executor::Plan {
        kubernetes: own,
        informer: informer.clone(),
        cluster,
        hub,
        executor: args.executor.clone(),
        grace: args.eviction_grace,
        reports,
    };
    let executor = tokio::spawn(executor::run(plan, role));
    let served = syncer::serve(&args.syncer, (AGENT, upstream), health, shutdown).await;
    executor.abort();
    // A broker that takes nothing any more is not waited for.
    let _ = tokio::time::timeout(GOODBYE, informer.close()).await;
    served
}

/// The connection by which work comes.
fn informer(args: &AgentArgs, cluster: &ClusterName) -> Result<Informer> {
    let broker = &args.syncer.broker;
    let options = broker.options(format!("{}-work", syncer::client_id(broker, cluster)))?;
    let builder = Informer::builder().options(options);
    Ok(builder.topics(broker.topics()?).start()?)
}
