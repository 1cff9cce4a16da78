//! Does what the hub wants, and keeps it so: asks [`super::plan`] about each work, and carries it out.
//!
//! | module | what it is |
//! |---|---|
//! | `works` | the copy of the hub's stream |
//! | `objects` | what was applied, as watches show it; `sight`: one object, as watches and turns see it |
//! | `inventory` | what was put into the cluster for a work, written down there; `inventories`: all of them |
//! | `turn` | one work's turn; `write`, `remove`: one object of it; `find`: whether it is there |
//! | `cycle` | whose turn it is, and what became of it |
//! | `reports` | the stream `status` |
//! | `facts` | what the cluster is; `claims`: as it says itself |
//!
//! One work has one turn at a time; several works have theirs at once. Nothing is pruned or evicted but while the hub's
//! stream is whole and fresh: a copy that is not whole is no copy, and an old one may say what the hub has taken back. A
//! delete that the hub has said goes on.

mod claims;
mod cycle;
mod facts;
mod find;
mod inventories;
mod inventory;
mod objects;
mod remove;
mod reports;
mod sight;
mod turn;
mod works;
mod write;

use super::options::Executor;
use crate::informer::Informer;
use crate::kubernetes::Kubernetes;
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
