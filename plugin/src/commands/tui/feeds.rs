//! What the screen watches, between it and the informer.

use crate::clock::ahead_ms;
use crate::tui::event::{Age, FeedId, FeedNews, What};
use futures::future::{self, FutureExt};
use mqtt_informer::informer::{Cluster, Clusters, Informer, LinkState, Member, Update, Watch};
use mqtt_informer::protocol::message::Selection;
use mqtt_informer::protocol::names::ClusterName;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tokio::sync::watch;
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
}

struct Way {
    informer: Informer,
    clusters: watch::Receiver<Arc<BTreeMap<ClusterName, Cluster>>>,
    link: watch::Receiver<LinkState>,
}

impl Feeds {
    /// With the moment from which [`crate::tui::grid::Now::at`] counts.
    pub(super) fn new(start: Instant) -> Self {
        Self {
            start,
            way: None,
            watches: Vec::new(),
            waiting: Vec::new(),
            queue: VecDeque::new(),
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
            self.watch(feed, clusters, selection);
        }
    }

    pub(super) fn watch(&mut self, feed: FeedId, clusters: Clusters, selection: Selection) {
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
            let Some(way) = &mut self.way else {
                return future::pending().await;
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
