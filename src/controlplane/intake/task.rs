//! The intake of one kind in one view: one batch of each cluster under way at most, from what was written to what is.

use super::batches::{MOST, batches};
use super::report::Report;
use crate::controlplane::refusals::Refusals;
use crate::controlplane::share::{Held, changed};
use crate::informer::{Freshness, Snapshot, Update, Watch};
use crate::protocol::message::View;
use crate::protocol::names::ClusterName;
use crate::protocol::rows::Header;
use crate::store::{Batch, Error, Resource, Store, StreamKey};
use jiff::Timestamp;
use prost::Message;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, broadcast, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep_until};

/// Pauses while the database is away, and while it refuses one stream.
const AWAY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
const REFUSED: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(300));
/// How often the store is told that what it has is still true.
const PROVE: Duration = Duration::from_secs(15);
/// What is there when the intake is asked to stop is still written, for so long.
const LAST: Duration = Duration::from_secs(5);

/// Writes, a few batches at once.
#[derive(Clone)]
pub(super) struct Writer {
    pub(super) store: Store,
    pub(super) turns: Arc<Semaphore>,
    /// Clusters whose objects were all deleted, by any of the tasks: what the others wrote since is gone, too.
    pub(super) emptied: broadcast::Sender<ClusterName>,
}

pub(super) struct Task {
    writer: Writer,
    watch: Watch,
    view: View,
    clusters: BTreeMap<ClusterName, Stream>,
    jobs: JoinSet<Done>,
    /// Clusters that were forgotten, whose objects are still to go; and the token to do so.
    forgotten: Vec<(ClusterName, Option<u64>)>,
    /// Which clusters are this process's, if there are others.
    share: Option<Held>,
    emptied: broadcast::Receiver<ClusterName>,
    refusals: Refusals,
    now: Report,
    report: watch::Sender<Report>,
}

/// One cluster's stream.
#[derive(Default)]
struct Stream {
    /// The token it is written with, if there are other processes.
    fence: Option<u64>,
    /// What the store has; none if that is not known.
    written: Option<Snapshot>,
    /// There is something newer.
    behind: bool,
    busy: bool,
    /// What is being written may have been deleted meanwhile.
    outdated: bool,
    /// Tries in vain, and when the next one is.
    tries: u32,
    again: Option<Instant>,
    refused: bool,
}

enum Done {
    Written(ClusterName, Written),
    Forgotten((ClusterName, Option<u64>), Result<(), Error>),
    Proven,
}

struct Written {
    fence: Option<u64>,
    to: Snapshot,
    batches: u64,
    changes: u64,
    result: Result<(), Error>,
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
        mut watch: Watch,
        view: View,
        share: Option<Held>,
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
            view,
            clusters: BTreeMap::new(),
            jobs: JoinSet::new(),
            forgotten: Vec::new(),
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
                () = at(due) => Turn::Due,
            };
            match turn {
                Turn::Update(Some(update)) => self.update(update),
                Turn::Done(done) => self.done(done),
                Turn::Emptied(cluster) => self.write_again(cluster.as_ref()),
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
        let waiting = self.clusters.values().filter(|it| it.behind && !it.busy);
        waiting.filter_map(|stream| stream.again).min()
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
                let fence = self.fence(&cluster);
                let stream = Stream {
                    fence,
                    ..Stream::default()
                };
                self.clusters.insert(cluster, stream);
            }
            // What changed is found by comparing with what was written, not with what was told last.
            Update::Changed(cluster, _) => {
                if let Some(stream) = self.clusters.get_mut(&cluster) {
                    stream.behind = true;
                }
            }
            Update::Left(cluster) => {
                tracing::info!(
                    cluster = cluster.as_str(),
                    "the cluster was forgotten: its objects go, too"
                );
                let stream = self.clusters.remove(&cluster);
                self.refusals.forget(&cluster);
                let fence = stream.and_then(|stream| stream.fence);
                let fence = fence.or_else(|| self.fence(&cluster));
                // One that is another one's is forgotten by that one.
                if self.share.is_none() || fence.is_some() {
                    self.forgotten.push((cluster, fence));
                }
            }
            Update::State(cluster, state) => {
                if let Some(why) = self.refusals.news(&cluster, &state) {
                    tracing::warn!(cluster = cluster.as_str(), resource = %self.now.word, "not stored: {why}");
                }
            }
            Update::Unsettled(_) | Update::Presence(_) | Update::Discovered | Update::Link(_) => {}
        }
    }

    fn start_jobs(&mut self) {
        for (cluster, fence) in std::mem::take(&mut self.forgotten) {
            let store = self.writer.store.clone();
            self.jobs.spawn(async move {
                let result = store.forget_cluster_as(&cluster, fence).await.map(drop);
                Done::Forgotten((cluster, fence), result)
            });
        }
        let now = Instant::now();
        let ready = |stream: &Stream| {
            stream.behind && !stream.busy && stream.again.is_none_or(|again| again <= now)
        };
        let names: Vec<_> = self
            .clusters
            .iter()
            .filter(|(_, stream)| ready(stream))
            .map(|(name, _)| name.clone())
            .collect();
        for cluster in names {
            self.start(&cluster);
        }
    }

    fn start(&mut self, cluster: &ClusterName) {
        let (Some(member), Some(stream)) = (
            self.watch.members().get(cluster),
            self.clusters.get_mut(cluster),
        ) else {
            return;
        };
        let to = member.store().snapshot();
        stream.behind = false;
        if !to.is_whole() {
            return;
        }
        let Some(key) = key(cluster, &to, self.view) else {
            stream.refused = true;
            tracing::warn!(cluster = cluster.as_str(), resource = %self.now.word, "not stored: the stream does not say what it is of");
            return;
        };
        stream.busy = true;
        let (writer, from, cluster) =
            (self.writer.clone(), stream.written.clone(), cluster.clone());
        let fence = stream.fence;
        self.jobs.spawn(async move {
            let written = writer.write((&key, fence), from.as_ref(), to).await;
            Done::Written(cluster, written)
        });
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Written(cluster, written) => self.written(&cluster, written),
            Done::Forgotten(of, Err(error)) if error.is_retryable() => {
                self.forgotten_in_vain(of, &error);
            }
            Done::Forgotten((cluster, _), Err(error)) => {
                tracing::warn!(cluster = cluster.as_str(), %error, "its objects stay in the store");
            }
            Done::Forgotten((cluster, _), Ok(())) => {
                // This task hears it, too.
                let _ = self.writer.emptied.send(cluster);
            }
            Done::Proven => {}
        }
    }

    fn forgotten_in_vain(&mut self, of: (ClusterName, Option<u64>), error: &Error) {
        self.database_away(error);
        let store = self.writer.store.clone();
        self.jobs.spawn(async move {
            tokio::time::sleep(AWAY.1).await;
            let result = store.forget_cluster_as(&of.0, of.1).await.map(drop);
            Done::Forgotten(of, result)
        });
    }

    fn fence(&self, cluster: &ClusterName) -> Option<u64> {
        let held = self.share.as_ref()?.borrow();
        held.clusters.get(cluster).copied()
    }

    /// Other clusters are this process's now. What another one wrote of a cluster meanwhile is not known, so that of one
    /// that was taken again all is written again: that costs nothing for what is there.
    fn shared(&mut self) {
        let Some(held) = &mut self.share else {
            return;
        };
        let held = held.borrow_and_update().clone();
        for (cluster, stream) in &mut self.clusters {
            let fence = held.clusters.get(cluster).copied();
            if fence.is_some() && fence != stream.fence {
                *stream = Stream {
                    fence,
                    behind: true,
                    ..Stream::default()
                };
            }
        }
        self.watch.only(held.names());
        let members = self.watch.members();
        self.clusters
            .retain(|cluster, _| members.contains_key(cluster));
    }

    /// What the store has of a cluster, or of all, is not known any more.
    fn write_again(&mut self, cluster: Option<&ClusterName>) {
        for (name, stream) in &mut self.clusters {
            if cluster.is_none_or(|cluster| cluster == name) {
                stream.written = None;
                stream.outdated = stream.busy;
                stream.behind = true;
            }
        }
    }

    fn written(&mut self, cluster: &ClusterName, written: Written) {
        self.now.batches += written.batches;
        self.now.changes += written.changes;
        // Another one may have had the cluster since that was begun.
        let same = |stream: &&mut Stream| stream.fence == written.fence;
        let Some(stream) = self.clusters.get_mut(cluster).filter(same) else {
            return;
        };
        stream.busy = false;
        let Err(error) = written.result else {
            let outdated = std::mem::take(&mut stream.outdated);
            stream.written = Some(written.to).filter(|_| !outdated);
            (stream.tries, stream.again, stream.refused) = (0, None, false);
            if self.now.away.take().is_some() {
                tracing::info!(resource = %self.now.word, "the database is back");
            }
            return;
        };
        self.now.failed += 1;
        stream.behind = true;
        // Some of its batches may be there.
        stream.written = None;
        let pauses = if error.is_retryable() { AWAY } else { REFUSED };
        let pause = pauses
            .0
            .saturating_mul(2_u32.saturating_pow(stream.tries.min(20)));
        stream.tries += 1;
        stream.again = Some(Instant::now() + pause.min(pauses.1));
        if error.is_retryable() {
            return self.database_away(&error);
        }
        if !std::mem::replace(&mut stream.refused, true) {
            tracing::warn!(cluster = cluster.as_str(), resource = %self.now.word, %error, "not stored");
        }
    }

    fn database_away(&mut self, error: &Error) {
        if self.now.away.is_none() {
            tracing::warn!(resource = %self.now.word, "{error}; the copy waits in memory");
        }
        self.now.away.get_or_insert_with(Instant::now);
        self.now.trouble = error.to_string();
    }

    /// Says of each stream that what was written last is what its cluster has.
    fn prove(&mut self) {
        for (cluster, stream) in &self.clusters {
            let (Some(written), Some(member)) =
                (&stream.written, self.watch.members().get(cluster))
            else {
                continue;
            };
            let (snapshot, age) = member.store().read();
            let same = (snapshot.epoch, snapshot.seq) == (written.epoch, written.seq);
            let (Freshness::Fresh, true, Some(old)) = (age.freshness, same, age.at_most) else {
                continue;
            };
            let Some(key) = key(cluster, written, self.view) else {
                continue;
            };
            let store = self.writer.store.clone();
            self.jobs.spawn(async move {
                let at = Timestamp::now().checked_sub(old).unwrap_or_default();
                // One that fails is followed by another.
                let _ = store.prove(&key, at).await;
                Done::Proven
            });
        }
    }

    fn tell(&mut self) {
        let streams = || self.clusters.values();
        self.now.clusters = streams().count();
        self.now.whole = streams().filter(|stream| stream.written.is_some()).count();
        self.now.behind = streams().filter(|it| it.behind || it.busy).count();
        self.now.refused = streams().filter(|stream| stream.refused).count();
        self.report.send_if_modified(|report| {
            let news = *report != self.now;
            if news {
                report.clone_from(&self.now);
            }
            news
        });
    }
}

impl Writer {
    async fn write(
        &self,
        (key, fence): (&StreamKey, Option<u64>),
        from: Option<&Snapshot>,
        to: Snapshot,
    ) -> Written {
        let mut written = Written {
            fence,
            batches: 0,
            changes: 0,
            result: Ok(()),
            to,
        };
        // Nobody closes it.
        let Ok(_turn) = self.turns.acquire().await else {
            return written;
        };
        for batch in batches(key, from, &written.to, MOST) {
            let changes = batch.changes.len() as u64;
            let batch = Batch { fence, ..batch };
            if let Err(error) = self.store.write(batch).await {
                written.result = Err(error);
                return written;
            }
            written.batches += 1;
            written.changes += changes;
        }
        written
    }
}

/// Which stream of the store it is, as its header says.
fn key(cluster: &ClusterName, snapshot: &Snapshot, view: View) -> Option<StreamKey> {
    let header = snapshot.entries.get(&b""[..])?;
    let header = Header::decode(header.clone()).ok()?;
    let named = !header.plural.is_empty() && !header.version.is_empty();
    named.then(|| StreamKey {
        cluster: cluster.clone(),
        resource: Resource {
            group: header.group,
            version: header.version,
            plural: header.plural,
        },
        view,
    })
}

async fn at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
