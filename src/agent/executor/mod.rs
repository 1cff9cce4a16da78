//! Does what the hub wants, and keeps it so: asks [`super::plan`] about each work, and carries it out.
//!
//! | module | what it is |
//! |---|---|
//! | `works` | the copy of the hub's stream |
//! | `objects` | what was applied, as watches show it |
//! | `inventory` | what was put into the cluster, written down there |
//! | `turn` | one work's turn: reads, writes, removes |
//! | `cycle` | whose turn it is, and what became of it |
//! | `reports` | the stream `status` |
//! | `facts` | what the cluster is |
//!
//! One work has one turn at a time; several works have theirs at once. Nothing is removed before the hub's stream was
//! whole once: a copy that is not whole is no copy.

mod cycle;
mod facts;
mod inventory;
mod objects;
mod reports;
mod turn;
mod works;
mod write;

use super::options::Executor;
use crate::informer::Informer;
use crate::kubernetes::{Kubernetes, WriteError};
use crate::ocm::crd;
use crate::protocol::names::ClusterName;
use crate::replica::Role;
use crate::source::{Health, Held};
use cycle::Cycle;
use std::time::Duration;
use tokio::sync::watch;

/// How long to wait before the cluster is asked again for what an agent begins with.
const BEGIN_AGAIN: Duration = Duration::from_secs(2);

/// What an executor needs.
pub(super) struct Plan {
    /// Reads all values, also of Secrets.
    pub(super) kubernetes: Kubernetes,
    pub(super) informer: Informer,
    pub(super) cluster: ClusterName,
    pub(super) hub: ClusterName,
    pub(super) executor: Option<Executor>,
    pub(super) grace: Duration,
    pub(super) reports: watch::Sender<Held>,
}

/// Works whenever this process is the writer of its cluster's name, until it is aborted.
pub(super) async fn run(plan: Plan, mut health: watch::Receiver<Health>) {
    let writes = |health: &Health| health.role == Role::Writing;
    loop {
        // An error means that the source has ended: so does this, soon.
        if health.wait_for(writes).await.is_err() {
            return;
        }
        let mut lost = health.clone();
        tokio::select! {
            () = work(&plan) => {}
            _ = lost.wait_for(|health| !writes(health)) => {
                tracing::info!("another process serves this cluster: the hub's work is left to it");
                plan.reports.send_replace(Held::Unknown);
            }
        }
    }
}

async fn work(plan: &Plan) {
    match Cycle::begin(plan).await {
        Ok(mut cycle) => cycle.run().await,
        Err(error) => {
            tracing::warn!("the hub's work cannot be begun: {error}; trying again");
            tokio::time::sleep(BEGIN_AGAIN).await;
        }
    }
}

/// Installs what an inventory is made of, and reads those of this hub.
async fn inventories(plan: &Plan) -> Result<inventory::Inventories, WriteError> {
    plan.kubernetes.install(&crd::of_the_agent()).await?;
    inventory::load(&plan.kubernetes, &inventory::hub_hash(&plan.hub)).await
}
