//! What happens between an informer and a [`Roll`]: streams subscribed to, and looked at when something happened.

use crate::clock::wall_ms;
use crate::get::StreamView;
use crate::get::roll::{News, Roll};
use futures::StreamExt;
use futures::stream::{self, BoxStream, SelectAll};
use mqtt_informer::informer::{Cluster, Informer, LinkState, Notice, Store, Subscription};
use mqtt_informer::protocol::message::Selection;
use mqtt_informer::protocol::names::ClusterName;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// What can wake it.
enum Wake {
    Link,
    Clusters,
    Discovered,
    Stream(ClusterName, usize),
}

/// The streams that a command has subscribed to.
pub struct Fleet {
    /// What they are copied by.
    pub informer: Informer,
    /// Who has answered.
    pub roll: Roll,
    subscriptions: BTreeMap<(ClusterName, usize), Subscription>,
    changed: Vec<ClusterName>,
    wakes: SelectAll<BoxStream<'static, Wake>>,
    clusters: watch::Receiver<Arc<BTreeMap<ClusterName, Cluster>>>,
    link: watch::Receiver<LinkState>,
    start: Instant,
}

impl Fleet {
    /// One that has subscribed to nothing.
    pub fn new(informer: Informer, roll: Roll) -> Self {
        let (clusters, link) = (informer.clusters(), informer.link_state());
        let mut wakes = SelectAll::new();
        wakes.push(changes(link.clone()).map(|()| Wake::Link).boxed());
        wakes.push(changes(clusters.clone()).map(|()| Wake::Clusters).boxed());
        let discovery = informer.clone();
        let discovered = stream::once(async move { discovery.discovered().await });
        wakes.push(discovered.map(|()| Wake::Discovered).boxed());
        Self {
            informer,
            roll,
            subscriptions: BTreeMap::new(),
            changed: Vec::new(),
            wakes,
            clusters,
            link,
            start: Instant::now(),
        }
    }

    /// The time since the command began.
    pub fn at(&self) -> Duration {
        self.start.elapsed()
    }

    /// Subscribes to a cluster's stream, in place of the one that it had under that number.
    pub fn subscribe(&mut self, cluster: &ClusterName, number: usize, selection: Selection) {
        let subscription = self.informer.subscribe(cluster, selection);
        let store = subscription.store();
        for changes in [
            changes(store.state()).boxed(),
            changes(store.versions()).boxed(),
        ] {
            let cluster = cluster.clone();
            let wake = changes.map(move |()| Wake::Stream(cluster.clone(), number));
            self.wakes.push(wake.boxed());
        }
        self.subscriptions
            .insert((cluster.clone(), number), subscription);
    }

    /// The copy of a cluster's stream.
    pub fn store(&self, cluster: &ClusterName, number: usize) -> Option<&Store> {
        let subscription = self.subscriptions.get(&(cluster.clone(), number))?;
        Some(subscription.store())
    }

    /// What changed in a cluster's stream since this was last called.
    pub fn notices(&self, cluster: &ClusterName, number: usize) -> Vec<Notice> {
        self.store(cluster, number)
            .map(Store::notices)
            .unwrap_or_default()
    }

    /// The API server's clock, ms since 1970.
    pub fn now_ms(&self, cluster: &ClusterName, number: usize) -> i64 {
        let server = self
            .store(cluster, number)
            .and_then(Store::server_now_ms)
            .and_then(|ms| i64::try_from(ms).ok());
        let own = wall_ms();
        // Its clock is known to the second: a difference below two says nothing.
        server
            .filter(|server| (server - own).abs() >= 2_000)
            .unwrap_or(own)
    }

    /// Clusters whose streams changed since this was last called.
    pub fn take_changed(&mut self) -> Vec<ClusterName> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort();
        changed.dedup();
        changed
    }

    /// What became of whom.
    pub fn step(&mut self) -> Vec<News> {
        self.look_at_silent_ones();
        self.roll.step(self.start.elapsed())
    }

    /// Waits for something to happen, but no longer than until the roll, or `most`, wants to be looked at. Cancel
    /// safe.
    pub async fn wait(&mut self, most: Duration) {
        let at = self.start.elapsed();
        let deadline = self.roll.deadline(at);
        // What is due and did not happen is looked at again soon, not at once.
        let soon = Duration::from_millis(10);
        let wait = deadline.map_or(Duration::MAX, |deadline| {
            deadline.saturating_sub(at).max(soon)
        });
        let until = wait.min(most).min(Duration::from_secs(3600));
        if let Ok(Some(wake)) = tokio::time::timeout(until, self.wakes.next()).await {
            self.take(wake);
            while let Some(Some(wake)) = futures::FutureExt::now_or_never(self.wakes.next()) {
                self.take(wake);
            }
        }
    }

    fn take(&mut self, wake: Wake) {
        let at = self.start.elapsed();
        match wake {
            Wake::Link => match &*self.link.borrow_and_update() {
                LinkState::Connecting => {}
                LinkState::Up => self.roll.link_up(at),
                LinkState::Down(failure) => {
                    self.roll.link_down(&failure.message, failure.permanent, at);
                }
            },
            Wake::Clusters => {
                for (name, cluster) in self.clusters.borrow_and_update().iter() {
                    self.roll
                        .cluster(name, &cluster.presence.labels, cluster.offline, at);
                }
            }
            Wake::Discovered => self.roll.discovered(),
            Wake::Stream(cluster, number) => {
                self.look(&cluster, number);
                self.changed.push(cluster);
            }
        }
    }

    /// Words that repeat themselves change no state, and still are no silence.
    fn look_at_silent_ones(&mut self) {
        let silent = self.subscriptions.iter().filter(|(_, subscription)| {
            let state = subscription.store().state();
            !state.borrow().synced
        });
        for (cluster, number) in silent.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
            self.look(&cluster, number);
        }
    }

    fn look(&mut self, cluster: &ClusterName, number: usize) {
        let Some(store) = self.store(cluster, number) else {
            return;
        };
        let view = StreamView {
            state: store.state().borrow().clone(),
            heard: store
                .heard_at()
                .map(|at| at.saturating_duration_since(self.start)),
            ..StreamView::default()
        };
        self.roll.see(cluster, number, view);
    }
}

/// A tick now, and for each later change, until the writer is gone.
fn changes<T: Send + Sync + 'static>(
    receiver: watch::Receiver<T>,
) -> impl futures::Stream<Item = ()> + Send {
    let later = stream::unfold(receiver, |mut receiver| async move {
        receiver.changed().await.ok()?;
        receiver.borrow_and_update();
        Some(((), receiver))
    });
    stream::once(async {}).chain(later)
}
