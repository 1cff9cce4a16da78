//! What the informer copies, into the database.
//!
//! One path, and nothing queues on it: what is not written yet is the difference between two snapshots, what the store
//! has and what the source has now. So a database that is slow or away costs no memory beyond the copy, and gets fewer
//! and larger batches when it is back. A stream's first batch after a start is the whole of it, which costs no number
//! for what is there already.

mod batches;
mod keeper;
mod report;
mod retention;
mod task;

pub(super) use keeper::StoreKeeper;
pub(super) use report::Report;

use super::share::Held;
use crate::informer::{Clusters, Informer};
use crate::protocol::message::{Selection, View};
use crate::store::Store;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, broadcast, watch};
use tokio::task::JoinSet;

/// Batches at once: the database orders them anyway, and one can be read while another one is written.
const WRITERS: usize = 4;

/// What is taken in.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The words for the resources.
    pub(super) words: Vec<String>,
    /// A label selector, or empty.
    pub(super) labels: String,
    /// Whose.
    pub(super) clusters: Clusters,
    /// For how long it is remembered what was.
    pub(super) history: Duration,
    /// Which of them are this process's, if there are others.
    pub(super) share: Option<Held>,
}

/// The intakes of all kinds and views, at work until they are asked to stop.
pub(super) struct Intake {
    tasks: JoinSet<()>,
    reports: Vec<watch::Receiver<Report>>,
}

impl Intake {
    /// Starts.
    pub(super) fn start(
        plan: &Plan,
        store: &Store,
        informer: &Informer,
        stop: &watch::Receiver<bool>,
    ) -> Self {
        let writer = task::Writer {
            store: store.clone(),
            turns: Arc::new(Semaphore::new(WRITERS)),
            emptied: broadcast::Sender::new(64),
        };
        let (mut tasks, mut reports) = (JoinSet::new(), Vec::new());
        for word in &plan.words {
            for (view, called) in [(View::Rows, "rows"), (View::Objects, "objects")] {
                let selection = Selection {
                    resource: word.clone(),
                    labels: plan.labels.clone(),
                    view,
                    // As the mirror asks, so that both have one copy.
                    secret_values: view == View::Objects,
                    ..Selection::default()
                };
                let (report, reported) = watch::channel(Report {
                    word: word.clone(),
                    view: called,
                    ..Report::default()
                });
                let watch = informer.watch(plan.clusters.clone(), selection);
                let task = task::Task::new(writer.clone(), watch, view, plan.share.clone(), report);
                tasks.spawn(task.run(stop.clone()));
                reports.push(reported);
            }
        }
        tasks.spawn(retention::run(store.clone(), plan.history, stop.clone()));
        Self { tasks, reports }
    }

    /// What each of them is doing.
    pub(super) fn reports(&self) -> Vec<watch::Receiver<Report>> {
        self.reports.clone()
    }

    /// Waits until they have written what was there when they were asked to stop, and no longer than so long.
    pub(super) async fn ended(&mut self, at_most: Duration) {
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(at_most, all).await.is_err() {
            tracing::warn!(
                "the database did not take all in time; the next start goes on from there"
            );
        }
    }
}
