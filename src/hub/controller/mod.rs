//! Asks the pure half what shall be, and writes it to the hub's API server; makes the streams of work.
//!
//! | module | what it is |
//! |---|---|
//! | `world`, `cache` | what there is on the hub, as watches show it |
//! | `agents` | what is heard of the agents |
//! | `plain` | labelled objects, which are works, too |
//! | `clusters`, `works`, `placements`, `rollouts` | what is to be done for one object |
//! | `deeds` | what is written, and how |
//! | `feeds` | the streams of work |
//! | `cycle` | what is heard |
//! | `news` | who has to look when something changed |
//! | `turns` | whose turn it is, and what became of it |
//! | `doubts` | who waits for what cannot be read |
//! | `fights` | what somebody undoes again and again |
//! | `gate`, `definitions` | what becomes of it when a definition is deleted under the hub |
//! | `owners` | which works belong to which sets |
//!
//! One object has one turn at a time. Nothing is decided, and no work is served, before all of it was read whole.

mod agents;
mod cache;
mod clusters;
mod cycle;
mod deeds;
mod definitions;
mod doubts;
mod feeds;
mod fights;
mod gate;
mod news;
mod owners;
mod placements;
mod plain;
mod rollouts;
mod turns;
mod works;
mod world;

pub(super) use feeds::Feeds;

use super::lifecycle::accept::Patterns;
use crate::informer::Informer;
use crate::kubernetes::Kubernetes;
use crate::protocol::names::ClusterName;
use crate::replica::Role;
use crate::source::Health;
use cycle::Cycle;
use definitions::{Saved, bring_back};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long to wait before the API server is asked again for what a hub begins with.
const BEGIN_AGAIN: Duration = Duration::from_secs(2);

/// What a controller needs.
pub(super) struct Plan {
    pub(super) kubernetes: Kubernetes,
    pub(super) informer: Informer,
    pub(super) name: ClusterName,
    pub(super) auto_accept: Patterns,
    /// Where the hub runs, if in the cluster that it writes to.
    pub(super) own_namespace: Option<String>,
    pub(super) feeds: Arc<Feeds>,
    pub(super) told: watch::Sender<Report>,
}

/// How a controller is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// What was not read whole yet.
    pub(super) waits_for: Option<&'static str>,
    pub(super) clusters: u64,
    pub(super) works: u64,
    pub(super) plain: u64,
    pub(super) queue: u64,
    pub(super) writes: u64,
    pub(super) failures: u64,
}

/// Works whenever this process is the writer of the hub's name, until it is aborted.
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
                tracing::info!("another process is the hub: standing by");
            }
        }
        plan.feeds.forget();
    }
}

async fn work(plan: &Plan) {
    let mut saved = Saved::default();
    loop {
        match bring_back(&plan.kubernetes, &mut saved).await {
            Ok(()) => match Box::pin(Cycle::begin(plan).run()).await {
                Some(undefined) => saved = undefined,
                None => return,
            },
            Err(error) => {
                tracing::warn!("the hub cannot begin: {error}; trying again");
                tokio::time::sleep(BEGIN_AGAIN).await;
            }
        }
    }
}
