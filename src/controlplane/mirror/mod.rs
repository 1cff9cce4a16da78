//! Copies of chosen objects of all clusters in the hub's API server, so that they can be read as its own.
//!
//! ```text
//! informer::Watch ──> origins that changed ─┐
//!                                           ├─> queue ─> decide ─> hub (apply, delete)
//! the hub's watch ──> copies that changed ──┘
//! ```
//!
//! Nothing is remembered of what was done: each turn compares what an origin is *now* with what its copy was when last
//! seen. So what was missed while the mirror was down, what somebody changed or deleted on the hub, and what another
//! process did, is all repaired the same way.
//!
//! **Rules**
//! - A copy is deleted only when its cluster's stream is whole and does not have the origin: a cluster that is away, or
//!   not heard of yet, deletes nothing. One whose presence was cleared (`clusters forget`) takes its copies with it.
//! - Objects come from whoever may write under the cluster's name on the broker: only into the cluster's own namespace,
//!   only of the kind that the *hub* means by the word that was asked for, and made inert ([`inert`]).
//! - An object that is refused holds up nobody; it is tried again, slowly.

mod copy;
mod decide;
mod hub;
mod inert;
mod marks;
mod names;
mod observed;
mod pod;
mod report;
mod task;

pub(super) use report::Report;

use super::all_ended;
use super::share::Held;
use crate::informer::{Clusters, Informer};
use crate::kubernetes::{Access, ConfigurationError, Kubernetes};
use crate::protocol::message::{Selection, View};
use hub::Hub;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What is mirrored.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The words for the resources.
    pub(super) words: Vec<String>,
    /// A label selector, or empty.
    pub(super) labels: String,
    /// Whose.
    pub(super) clusters: Clusters,
    /// Resources (`plural.group`) that are copied as they are.
    pub(super) as_is: Vec<String>,
    /// Which clusters are this process's, if there are others.
    pub(super) share: Option<Held>,
}

/// The mirrors of all kinds, at work until they are asked to stop.
pub(super) struct Mirror {
    tasks: JoinSet<()>,
    reports: Vec<watch::Receiver<Report>>,
}

impl Mirror {
    /// Prepares to talk to the hub, and starts. Nothing is sent to the hub yet.
    ///
    /// # Errors
    /// When there is no way to the hub.
    pub(super) async fn start(
        plan: &Plan,
        access: &Access,
        informer: &Informer,
        stop: &watch::Receiver<bool>,
    ) -> Result<Self, ConfigurationError> {
        // Own copies are compared with what they should be: a Secret's with its values.
        let hub = Arc::new(Hub::new(Kubernetes::connect(access, true).await?));
        let (mut tasks, mut reports) = (JoinSet::new(), Vec::new());
        for word in &plan.words {
            let (report, reported) = watch::channel(Report {
                word: word.clone(),
                ..Report::default()
            });
            let selection = Selection {
                resource: word.clone(),
                labels: plan.labels.clone(),
                view: View::Objects,
                secret_values: true,
                ..Selection::default()
            };
            let watch = informer.watch(plan.clusters.clone(), selection);
            let plan = (plan.as_is.clone(), plan.share.clone());
            let task = task::Task::new(Arc::clone(&hub), watch, report, plan);
            tasks.spawn(task.run(stop.clone()));
            reports.push(reported);
        }
        Ok(Self { tasks, reports })
    }

    /// What each kind's mirror is doing.
    pub(super) fn reports(&self) -> Vec<watch::Receiver<Report>> {
        self.reports.clone()
    }

    /// Waits until they have done what was due when they were asked to stop, and no longer than so long.
    pub(super) async fn ended(&mut self, at_most: Duration) {
        if !all_ended(&mut self.tasks, at_most).await {
            tracing::warn!(
                "the hub did not take all copies in time; the next start goes on from there"
            );
        }
    }
}
