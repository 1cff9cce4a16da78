//! The intake of one kind in one view: one batch of each cluster under way at most, from what was written to what is.

mod jobs;
mod proofs;
mod shared;
mod stream;
mod writer;

pub(super) use writer::Writer;

use super::backing::StoreBacking;
use super::report::Report;
use crate::controlplane::refusals::Refusals;
use crate::controlplane::share::{Held, changed};
use crate::controlplane::{PROVE, tell, until};
use crate::informer::{Update, Watch};
use crate::protocol::message::Selection;
use crate::protocol::names::ClusterName;
use jobs::Done;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use stream::Stream;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};

/// What is there when the intake is asked to stop is still written, for so long.
const LAST: Duration = Duration::from_secs(5);

pub(super) struct Task {
    writer: Writer,
    watch: Watch,
    selection: Selection,
    /// Of what the copies are, if they are thin.
    backing: Option<StoreBacking>,
    clusters: BTreeMap<ClusterName, Stream>,
    /// Streams so far.
    numbers: u64,
    jobs: JoinSet<Done>,
    /// Clusters of which something is being written.
    busy: BTreeSet<ClusterName>,
    /// Clusters that were forgotten, whose objects are still to go; and the token to do so.
    forgotten: BTreeMap<ClusterName, Option<u64>>,
    /// Which clusters are this process's, if there are others.
    share: Option<Held>,
    emptied: broadcast::Receiver<ClusterName>,
    refusals: Refusals,
    now: Report,
    report: watch::Sender<Report>,
}

enum Turn {
    Update(Option<Update>),
    Done(Done),
    Emptied(Option<ClusterName>),
    Share,
    Prove,
    Due,
    Stop,
}

impl Task {
    pub(super) fn new(
        writer: Writer,
        (backing, share): (Option<StoreBacking>, Option<Held>),
        (mut watch, selection): (Watch, Selection),
        report: watch::Sender<Report>,
    ) -> Self {
        if share.is_some() {
            // Nothing is, until it is said what is.
            watch.only(BTreeSet::new());
        }
        let now = report.borrow().clone();
        Self {
            emptied: writer.emptied.subscribe(),
            refusals: Refusals::default(),
            writer,
            watch,
            selection,
            backing,
            clusters: BTreeMap::new(),
            numbers: 0,
            jobs: JoinSet::new(),
            busy: BTreeSet::new(),
            forgotten: BTreeMap::new(),
            share,
            now,
            report,
        }
    }

    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut prove = interval(PROVE);
        loop {
            self.start_jobs();
            self.tell();
            let due = self.due();
            let turn = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => Turn::Stop,
                Some(Ok(done)) = self.jobs.join_next() => Turn::Done(done),
                update = self.watch.next() => Turn::Update(update),
                // None: there were too many of them.
                emptied = self.emptied.recv() => Turn::Emptied(emptied.ok()),
                () = changed(self.share.as_mut()) => Turn::Share,
                _ = prove.tick() => Turn::Prove,
                () = until(due) => Turn::Due,
            };
            match turn {
                Turn::Update(Some(update)) => self.update(update),
                Turn::Done(done) => self.done(done),
                Turn::Emptied(cluster) => self.emptied(cluster.as_ref()),
                Turn::Share => self.shared(),
                Turn::Prove => self.prove(),
                Turn::Due => {}
                Turn::Stop | Turn::Update(None) => break,
            }
        }
        self.finish().await;
    }

    /// When a stream that failed is tried again.
    fn due(&self) -> Option<Instant> {
        let waiting = self
            .clusters
            .iter()
            .filter(|(cluster, stream)| stream.behind && !self.busy.contains(*cluster));
        waiting.filter_map(|(_, stream)| stream.again).min()
    }

    async fn finish(&mut self) {
        let end = Instant::now() + LAST;
        loop {
            self.start_jobs();
            self.tell();
            match tokio::time::timeout_at(end, self.jobs.join_next()).await {
                Ok(Some(Ok(done))) => self.done(done),
                Ok(Some(Err(_))) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }

    fn update(&mut self, update: Update) {
        match update {
            Update::Joined(cluster) => {
                self.numbers += 1;
                let stream = Stream::new(self.numbers, self.fence(&cluster));
                self.clusters.insert(cluster, stream);
            }
            // What changed is found by comparing with what was written, not with what was told last.
            Update::Changed(cluster, _) | Update::Unsettled(cluster) => self.is_behind(&cluster),
            Update::Left(cluster) => self.left(cluster),
            Update::State(cluster, state) => {
                if let Some(why) = self.refusals.news(&cluster, &state) {
                    tracing::warn!(cluster = cluster.as_str(), resource = %self.now.word, "not stored: {why}");
                }
                // Of a thin copy that is just what the store has, nothing else is told.
                let stream = self.clusters.get(&cluster);
                let is_new = stream.is_some_and(|stream| stream.written.is_none());
                if state.synced && is_new && !self.busy.contains(&cluster) {
                    self.is_behind(&cluster);
                }
            }
            Update::Presence(_) | Update::Discovered | Update::Link(_) => {}
        }
    }

    fn is_behind(&mut self, cluster: &ClusterName) {
        if let Some(stream) = self.clusters.get_mut(cluster) {
            stream.behind = true;
        }
    }

    fn left(&mut self, cluster: ClusterName) {
        tracing::info!(
            cluster = cluster.as_str(),
            "the cluster was forgotten: its objects go, too"
        );
        let stream = self.clusters.remove(&cluster);
        self.refusals.forget(&cluster);
        if let Some(backing) = &self.backing {
            backing.forget(&cluster, &self.selection);
        }
        let fence = stream.and_then(|stream| stream.fence);
        let fence = fence.or_else(|| self.fence(&cluster));
        // One that is another one's is forgotten by that one.
        if self.share.is_none() || fence.is_some() {
            self.forgotten.insert(cluster, fence);
        }
    }

    /// What the store has of a cluster, or of all, is not known any more.
    fn emptied(&mut self, cluster: Option<&ClusterName>) {
        let names: Vec<_> = match cluster {
            Some(cluster) => vec![cluster.clone()],
            None => self.clusters.keys().cloned().collect(),
        };
        for name in names {
            if !self.busy.contains(&name) {
                self.begin_anew(&name);
            } else if let Some(stream) = self.clusters.get_mut(&name) {
                // What is being written may have been deleted meanwhile.
                stream.outdated = true;
            }
        }
    }

    /// Goes on from whatever the store has of a cluster.
    fn begin_anew(&mut self, cluster: &ClusterName) {
        let Some(stream) = self.clusters.get_mut(cluster) else {
            return;
        };
        self.numbers += 1;
        stream.begin_anew(self.numbers);
        if self.backing.is_some() {
            // It loads what is there, and what it holds then is told.
            self.watch.rejoin(cluster);
        } else {
            stream.behind = true;
        }
    }

    fn tell(&mut self) {
        let streams = || self.clusters.values();
        let is_behind = |(cluster, stream): &(&ClusterName, &Stream)| {
            stream.behind || self.busy.contains(*cluster)
        };
        self.now.clusters = streams().count();
        self.now.whole = streams().filter(|stream| stream.written.is_some()).count();
        self.now.behind = self.clusters.iter().filter(is_behind).count();
        self.now.refused = streams().filter(|stream| stream.refused).count();
        tell(&self.report, &self.now);
    }
}
