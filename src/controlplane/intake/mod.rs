//! What the informer copies, into the database.
//!
//! One path, and nothing queues on it: what is not written yet is what the store has against what the source has now. So
//! a database that is slow or away gets fewer and larger batches when it is back. Copies are thin: they hold of each
//! object a digest, and its value until it is written. With `--local-cache` they are whole.
//!
//! | | thin | whole |
//! |---|---|---|
//! | after a start | digests out of the store: what differs is fetched, and written | all of the store, and all is written again, which costs no number for what is there |
//! | what is not written | told by the copy | the difference of two snapshots |
//! | a batch failed | the same again; if it was refused, as after a start | as after a start |
//! | a stream has more than one reader | never | may be |

mod backing;
mod batches;
mod keeper;
mod meant;
mod report;
mod retention;
mod task;
#[cfg(test)]
mod tests;
mod unwritten;

pub(super) use backing::StoreBacking;
pub(super) use keeper::StoreKeeper;
pub(super) use report::Report;

use super::all_ended;
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
    /// Starts; `backing` is the informer's, if its copies are thin.
    pub(super) fn start(
        plan: &Plan,
        store: &Store,
        (informer, backing): (&Informer, Option<&StoreBacking>),
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
                    // As the mirror asks, so that both have one copy where both are whole.
                    secret_values: view == View::Objects,
                    ..Selection::default()
                };
                let (report, reported) = watch::channel(Report {
                    word: word.clone(),
                    view: called,
                    ..Report::default()
                });
                let watch = informer.watch(plan.clusters.clone(), selection.clone());
                let by = (backing.cloned(), plan.share.clone());
                let task = task::Task::new(writer.clone(), by, (watch, selection), report);
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
        if !all_ended(&mut self.tasks, at_most).await {
            tracing::warn!(
                "the database did not take all in time; the next start goes on from there"
            );
        }
    }
}
