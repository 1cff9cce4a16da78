//! What the screen watches, between it and the informer.

use crate::cache::Cache;
use crate::clock::{ahead_ms, wall_ms};
use crate::tui::event::{Age, FeedId, FeedNews, What};
use futures::future::{self, FutureExt};
use mqtt_informer::informer::{
    Cluster, Clusters, Freshness, Informer, LinkState, Member, Notice, Update, Watch,
};
use mqtt_informer::protocol::message::{Selection, View};
use mqtt_informer::protocol::names::ClusterName;
use mqtt_informer::replica::Copy;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// All that is watched.
pub(super) struct Feeds {
    start: Instant,
    way: Option<Way>,
    watches: Vec<(FeedId, Watch)>,
    /// Wanted before there was an informer.
    waiting: Vec<(FeedId, Clusters, Selection)>,
    /// Told together with what came last.
    queue: VecDeque<What>,
    /// What was looked at last time, to be shown until there is something newer.
    cache: Option<Arc<Cache>>,
    /// It comes from there.
    kept: (mpsc::Sender<What>, mpsc::Receiver<What>),
}

struct Way {
    informer: Informer,
    clusters: watch::Receiver<Arc<BTreeMap<ClusterName, Cluster>>>,
    link: watch::Receiver<LinkState>,
}

/// A copy that was proven at this moment (ms since 1970).
fn kept(cluster: ClusterName, copy: Copy, proven_ms: u64, start: Instant) -> FeedNews {
    let now_ms = u64::try_from(wall_ms()).unwrap_or_default();
    let old = Duration::from_millis(now_ms.saturating_sub(proven_ms));
    let age = Age {
        freshness: Freshness::Stale,
        lasts: old,
        old: Some(old),
        told: start.elapsed(),
        ahead_ms: 0,
    };
    let notice = |(key, value)| Notice {
        key,
        old: None,
        new: Some(value),
    };
    FeedNews::Kept(cluster, copy.entries.into_iter().map(notice).collect(), age)
}

impl Feeds {
    /// With the moment from which [`crate::tui::grid::Now::at`] counts.
    pub(super) fn new(start: Instant, cache: Option<Arc<Cache>>) -> Self {
        Self {
            start,
            way: None,
            watches: Vec::new(),
            waiting: Vec::new(),
            queue: VecDeque::new(),
            cache,
            kept: mpsc::channel(8),
        }
    }

    /// There is an informer now.
    pub(super) fn attach(&mut self, informer: &Informer) {
        let (mut clusters, mut link) = (informer.clusters(), informer.link_state());
        clusters.mark_changed();
        link.mark_changed();
        self.way = Some(Way {
            informer: informer.clone(),
            clusters,
            link,
        });
        for (feed, clusters, selection) in std::mem::take(&mut self.waiting) {
            self.begin(feed, clusters, selection);
        }
    }

    pub(super) fn watch(&mut self, feed: FeedId, clusters: Clusters, selection: Selection) {
        self.look_up(feed, &clusters, &selection);
        self.begin(feed, clusters, selection);
    }

    /// Reads what is kept of rows, beside everything else.
    fn look_up(&self, feed: FeedId, clusters: &Clusters, selection: &Selection) {
        let cache = self.cache.as_ref().filter(|_| selection.view == View::Rows);
        let Some(cache) = cache.map(Arc::clone) else {
            return;
        };
        let (clusters, selection) = (clusters.clone(), selection.clone());
        let (start, told) = (self.start, self.kept.0.clone());
        tokio::task::spawn_blocking(move || {
            let names = cache.clusters().into_keys();
            for name in names.filter(|name| clusters.matches(name)) {
                let Some((copy, proven_ms)) = cache.last(&name, &selection) else {
                    continue;
                };
                let news = kept(name, copy, proven_ms, start);
                // Nobody waits for it any more when the screen is left.
                if told.blocking_send(What::Feed(feed, news)).is_err() {
                    return;
                }
            }
        });
    }

    fn begin(&mut self, feed: FeedId, clusters: Clusters, selection: Selection) {
        match &self.way {
            Some(way) => self
                .watches
                .push((feed, way.informer.watch(clusters, selection))),
            None => self.waiting.push((feed, clusters, selection)),
        }
    }

    pub(super) fn leave(&mut self, feed: FeedId) {
        self.watches.retain(|(known, _)| *known != feed);
        self.waiting.retain(|(known, ..)| *known != feed);
    }

    /// What happens next. Cancel-safe.
    pub(super) async fn next(&mut self) -> What {
        loop {
            if let Some(what) = self.queue.pop_front() {
                return what;
            }
            let kept = &mut self.kept.1;
            let Some(way) = &mut self.way else {
                return match kept.recv().await {
                    Some(what) => what,
                    None => future::pending().await,
                };
            };
            let watches = self
                .watches
                .iter_mut()
                .map(|(feed, watch)| async move { (*feed, watch.next().await) }.boxed());
            let watches: Vec<_> = watches.collect();
            let news = async {
                match watches.is_empty() {
                    true => future::pending().await,
                    false => future::select_all(watches).await.0,
                }
            };
            let told = tokio::select! {
                biased;
                Ok(()) = way.link.changed() => return What::Link(way.link.borrow_and_update().clone()),
                Ok(()) = way.clusters.changed() => {
                    return What::Clusters(Arc::clone(&way.clusters.borrow_and_update()));
                }
                Some(what) = kept.recv() => return what,
                told = news => told,
            };
            self.tell(told);
        }
    }

    /// What has happened already, if anything has.
    pub(super) fn ready(&mut self) -> Option<What> {
        self.next().now_or_never()
    }

    /// How fresh everything is, at this moment.
    pub(super) fn ages(&self) -> Vec<What> {
        let ages = self.watches.iter().map(|(feed, watch)| {
            let members = watch.members().iter();
            let ages = members.map(|(name, member)| (name.clone(), self.age(member)));
            What::Feed(*feed, FeedNews::Ages(ages.collect()))
        });
        ages.collect()
    }

    fn tell(&mut self, (feed, update): (FeedId, Option<Update>)) {
        let Some(update) = update else {
            // The informer has ended, and nothing comes any more.
            self.leave(feed);
            return;
        };
        let (cluster, news) = match update {
            Update::Joined(cluster) => (Some(cluster.clone()), FeedNews::Joined(cluster)),
            Update::Changed(cluster, notices) => {
                (Some(cluster.clone()), FeedNews::Changed(cluster, notices))
            }
            Update::State(cluster, state) => {
                (Some(cluster.clone()), FeedNews::State(cluster, state))
            }
            Update::Left(cluster) => (None, FeedNews::Left(cluster)),
            Update::Discovered => (None, FeedNews::Discovered),
            // These are told to all feeds; here they are heard of once.
            Update::Unsettled(_) | Update::Presence(_) | Update::Link(_) => return,
        };
        self.queue.push_back(What::Feed(feed, news));
        // Rows without an age would be dimmed until the next second.
        let member = cluster.and_then(|name| {
            let (_, watch) = self.watches.iter().find(|(known, _)| *known == feed)?;
            Some((name.clone(), self.age(watch.members().get(&name)?)))
        });
        if let Some(age) = member {
            self.queue
                .push_back(What::Feed(feed, FeedNews::Ages(vec![age])));
        }
    }

    fn age(&self, member: &Member) -> Age {
        let (age, now) = (member.age(), Instant::now());
        Age {
            freshness: age.freshness,
            lasts: now.saturating_duration_since(age.since),
            old: age.at_most,
            told: now.saturating_duration_since(self.start),
            ahead_ms: ahead_ms(member.store().server_now_ms()),
        }
    }
}
