//! What happens between an informer and a [`Roll`]: streams subscribed to, and looked at when something happened.

use super::wakes::{Wake, Wakes};
use crate::clock::{ahead_ms, wall_ms};
use crate::get::StreamView;
use crate::get::roll::{News, Roll};
use mqtt_informer::informer::{Informer, LinkState, Notice, Store, Subscription};
use mqtt_informer::protocol::message::Selection;
use mqtt_informer::protocol::names::ClusterName;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// The streams that a command has subscribed to.
pub struct Fleet {
    /// What they are copied by.
    pub informer: Informer,
    /// Who has answered.
    pub roll: Roll,
    subscriptions: BTreeMap<(ClusterName, usize), Subscription>,
    changed: Vec<ClusterName>,
    wakes: Wakes,
    start: Instant,
}

impl Fleet {
    /// One that has subscribed to nothing.
    pub fn new(informer: Informer, roll: Roll) -> Self {
        Self {
            wakes: Wakes::of(&informer),
            informer,
            roll,
            subscriptions: BTreeMap::new(),
            changed: Vec::new(),
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
        self.wakes.watch(cluster, number, subscription.store());
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
        let store = self.store(cluster, number);
        wall_ms().saturating_add(ahead_ms(store.and_then(Store::server_now_ms)))
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
        let mut wake = self.wakes.next(Instant::now() + until).await;
        while let Some(happened) = wake {
            self.take(happened);
            wake = self.wakes.ready();
        }
    }

    fn take(&mut self, wake: Wake) {
        let at = self.start.elapsed();
        match wake {
            Wake::Link(LinkState::Connecting) => {}
            Wake::Link(LinkState::Up) => self.roll.link_up(at),
            Wake::Link(LinkState::Down(failure)) => {
                self.roll.link_down(&failure.message, failure.permanent, at);
            }
            Wake::Clusters(clusters) => {
                for (name, cluster) in clusters.iter() {
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
