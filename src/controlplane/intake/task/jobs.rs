//! What is done beside the task: batches written, clusters forgotten.

use super::super::backing::Found;
use super::super::unwritten::Unwritten;
use super::Task;
use super::stream::{AWAY, Stream};
use super::writer::Written;
use crate::protocol::names::ClusterName;
use crate::store::{Error, StreamKey};
use std::time::Duration;
use tokio::time::Instant;

/// What was done.
pub(super) enum Done {
    /// Of a cluster, for the stream of that number.
    Written(ClusterName, u64, Box<Written>),
    /// By this token.
    Forgotten((ClusterName, Option<u64>), Result<(), Error>),
    Proven,
}

impl Task {
    pub(super) fn start_jobs(&mut self) {
        // Not before what is under way is written: it would stay.
        let busy = &self.busy;
        let forgotten: Vec<_> = self
            .forgotten
            .extract_if(.., |cluster, _| !busy.contains(cluster))
            .collect();
        for of in forgotten {
            self.forget(of, Duration::ZERO);
        }
        let now = Instant::now();
        let is_ready = |(cluster, stream): &(&ClusterName, &Stream)| {
            let due = stream.again.is_none_or(|again| again <= now);
            stream.behind && due && !self.busy.contains(*cluster) && self.may_write(stream)
        };
        let ready = self.clusters.iter().filter(is_ready);
        let ready: Vec<_> = ready.map(|(cluster, _)| cluster.clone()).collect();
        for cluster in ready {
            self.start(&cluster);
        }
    }

    fn forget(&mut self, of: (ClusterName, Option<u64>), pause: Duration) {
        let store = self.writer.store.clone();
        self.jobs.spawn(async move {
            tokio::time::sleep(pause).await;
            let result = store.forget_cluster_as(&of.0, of.1).await.map(drop);
            Done::Forgotten(of, result)
        });
    }

    /// Writes what a cluster's stream has and the store has not.
    fn start(&mut self, cluster: &ClusterName) {
        let (Some(member), Some(stream)) = (
            self.watch.members().get(cluster),
            self.clusters.get_mut(cluster),
        ) else {
            return;
        };
        stream.behind = false;
        let left_over = stream.left_over.take();
        let what = left_over.or_else(|| Unwritten::of(member, stream.written.as_ref()));
        let Some(what) = what else {
            return;
        };
        let Some(key) = what.key(cluster, self.selection.view) else {
            stream.refused = true;
            tracing::warn!(cluster = cluster.as_str(), resource = %self.now.word, "not stored: the stream does not say what it is of");
            return;
        };
        if !self.is_ours(cluster, &key) {
            return;
        }
        let Some(stream) = self.clusters.get_mut(cluster) else {
            return;
        };
        stream.key = Some(key.clone());
        let (writer, number, cluster) = (self.writer.clone(), stream.number, cluster.clone());
        let fence = stream.fence;
        self.busy.insert(cluster.clone());
        self.jobs.spawn(async move {
            let written = writer.write((&key, fence), what).await;
            Done::Written(cluster, number, Box::new(written))
        });
    }

    /// Whether what a thin copy lacks is counted from what the store has of this stream, and nobody else writes it.
    fn is_ours(&mut self, cluster: &ClusterName, key: &StreamKey) -> bool {
        let found = match &self.backing {
            Some(backing) => backing.found(&self.selection, key),
            None => Found::Itself,
        };
        match found {
            Found::Itself => true,
            Found::Another => {
                self.begin_anew(cluster);
                false
            }
            Found::Taken => {
                tracing::info!(cluster = cluster.as_str(), resource = %self.now.word, of = %key.resource, "another word of --resources means the same: it is stored as that");
                self.watch.exclude(cluster);
                self.clusters.remove(cluster);
                false
            }
        }
    }

    pub(super) fn done(&mut self, done: Done) {
        match done {
            Done::Written(cluster, number, written) => {
                self.busy.remove(&cluster);
                self.written(&cluster, number, *written);
            }
            Done::Forgotten(of, Err(error)) if error.is_retryable() => {
                self.database_away(&error);
                self.forget(of, AWAY.1);
            }
            Done::Forgotten((cluster, _), Err(error)) => {
                tracing::warn!(cluster = cluster.as_str(), %error, "its objects stay in the store");
                // If it has come back, it was loaded while the last of it was being written.
                self.emptied(Some(&cluster));
            }
            Done::Forgotten((cluster, _), Ok(())) => {
                // This task hears it, too.
                let _ = self.writer.emptied.send(cluster);
            }
            Done::Proven => {}
        }
    }

    fn written(&mut self, cluster: &ClusterName, number: u64, written: Written) {
        self.now.batches += written.batches;
        self.now.changes += written.changes;
        let Some(stream) = self.clusters.get_mut(cluster) else {
            return;
        };
        if stream.number != number {
            // It waited for that, and may have been told all by then.
            stream.behind = true;
            return;
        }
        let outdated = std::mem::take(&mut stream.outdated);
        match written.result {
            Ok(()) => {
                if let Some(member) = self.watch.members().get(cluster) {
                    stream.succeeded(written.what.written(member));
                }
                // A whole copy's first write says all of it.
                let reload = stream.seal() && self.backing.is_some();
                if self.now.away.take().is_some() {
                    tracing::info!(resource = %self.now.word, "the database is back");
                }
                if outdated || reload {
                    self.begin_anew(cluster);
                }
            }
            Err(error) => {
                stream.failed(&error);
                if outdated || !error.is_retryable() || !written.what.is_to_be_repeated() {
                    self.begin_anew(cluster);
                } else {
                    stream.left_over = Some(written.what);
                }
                self.failed(cluster, &error);
            }
        }
    }

    fn failed(&mut self, cluster: &ClusterName, error: &Error) {
        self.now.failed += 1;
        if error.is_retryable() {
            return self.database_away(error);
        }
        let Some(stream) = self.clusters.get_mut(cluster) else {
            return;
        };
        if !std::mem::replace(&mut stream.refused, true) {
            tracing::warn!(cluster = cluster.as_str(), resource = %self.now.word, %error, "not stored");
        }
    }

    fn database_away(&mut self, error: &Error) {
        if self.now.away.is_none() {
            tracing::warn!(resource = %self.now.word, "{error}; what changes waits in memory");
        }
        self.now.away.get_or_insert_with(Instant::now);
        self.now.trouble = error.to_string();
    }
}
