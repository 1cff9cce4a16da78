//! What wakes a command that reads: its link, the clusters that are there, and its streams.

use futures::StreamExt;
use futures::stream::{self, BoxStream, SelectAll};
use mqtt_informer::informer::{Cluster, Informer, LinkState, Store};
use mqtt_informer::protocol::names::ClusterName;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::time::Instant;

/// What happened.
pub(super) enum Wake {
    /// The link is in this state.
    Link(LinkState),
    /// These clusters are known.
    Clusters(Arc<BTreeMap<ClusterName, Cluster>>),
    /// Whoever is there has said so.
    Discovered,
    /// Something changed in a cluster's stream of this number.
    Stream(ClusterName, usize),
}

/// All that can happen, as it comes. Each state is told once at the beginning.
pub(super) struct Wakes(SelectAll<BoxStream<'static, Wake>>);

impl Wakes {
    /// What happens to the link, and to the clusters.
    pub(super) fn of(informer: &Informer) -> Self {
        let (clusters, link) = (informer.clusters(), informer.link_state());
        let mut wakes = SelectAll::new();
        let links = changes(link.clone());
        wakes.push(
            links
                .map(move |()| Wake::Link(link.borrow().clone()))
                .boxed(),
        );
        let rounds = changes(clusters.clone());
        let known = move |()| Wake::Clusters(clusters.borrow().clone());
        wakes.push(rounds.map(known).boxed());
        let discovery = informer.clone();
        let discovered = stream::once(async move { discovery.discovered().await });
        wakes.push(discovered.map(|()| Wake::Discovered).boxed());
        Self(wakes)
    }

    /// From now on, what happens to a stream.
    pub(super) fn watch(&mut self, cluster: &ClusterName, number: usize, store: &Store) {
        for changes in [
            changes(store.state()).boxed(),
            changes(store.versions()).boxed(),
        ] {
            let cluster = cluster.clone();
            let wake = changes.map(move |()| Wake::Stream(cluster.clone(), number));
            self.0.push(wake.boxed());
        }
    }

    /// The next that happens; none if nothing does until then. Cancel safe.
    pub(super) async fn next(&mut self, until: Instant) -> Option<Wake> {
        tokio::time::timeout_at(until, self.0.next()).await.ok()?
    }

    /// What has happened already.
    pub(super) fn ready(&mut self) -> Option<Wake> {
        futures::FutureExt::now_or_never(self.0.next())?
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
