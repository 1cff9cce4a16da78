//! One selection, copied from many clusters that come and go.

use super::{
    Age, Changes, Cluster, Clusters, Informer, LinkState, Notice, Store, StreamState, Subscription,
    Unsettled,
};
use crate::protocol::message::Selection;
use crate::protocol::names::ClusterName;
use futures::future::{AbortHandle, Abortable};
use futures::stream::{self, BoxStream, SelectAll, StreamExt};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use tokio::sync::watch;

/// Follows the clusters that are meant and copies one selection from each of them; made by [`Informer::watch_all`].
///
/// Each cluster has a copy and an age of its own, so that one that is dead delays nobody. What happens is told by
/// [`Watch::next`]; what is there can be looked at any time by [`Watch::members`]. Nothing is queued but who has news:
/// a caller that is slow gets fewer and larger updates.
///
/// Dropping it leaves all its streams.
pub struct Watch {
    informer: Informer,
    clusters: Clusters,
    /// Of these, only those; all, if there is no such set.
    only: Option<BTreeSet<ClusterName>>,
    selection: Selection,
    presences: watch::Receiver<Arc<BTreeMap<ClusterName, Cluster>>>,
    link: watch::Receiver<LinkState>,
    members: BTreeMap<ClusterName, Member>,
    excluded: BTreeSet<ClusterName>,
    wakes: SelectAll<BoxStream<'static, Wake>>,
    /// What one look found out, not told yet: at most two for each cluster.
    found: VecDeque<Update>,
}

/// One cluster of a [`Watch`].
pub struct Member {
    subscription: Subscription,
    changes: Changes,
    /// What its source says of itself; none while it was named and nobody answered to the name.
    cluster: Option<Cluster>,
    wakes: [AbortHandle; 2],
}

/// What happened in a [`Watch`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    /// This cluster is followed from now on. Its copy is on its way.
    Joined(ClusterName),
    /// Its copy changed: each key once, from what was told last to what it is now. The first one is the whole copy.
    Changed(ClusterName, Vec<Notice>),
    /// Its thin copy may have what its backing has not: see [`Member::unsettled`]. Instead of `Changed`, where copies are
    /// thin. Told once for what came: who cannot store it tries again by itself.
    Unsettled(ClusterName),
    /// What its stream does changed: progress, a refusal, fresh or stale.
    State(ClusterName, StreamState),
    /// Its source came, went, or said something else of itself ([`Member::cluster`]).
    Presence(ClusterName),
    /// Somebody cleared its presence: it is no longer a cluster behind this broker, and its copy is gone. A cluster
    /// whose source is merely offline stays, with what was last known of it.
    Left(ClusterName),
    /// Whoever is there has said so by now: those who have not joined are not there. Told once.
    Discovered,
    /// The broker is reached, or is not, and why.
    Link(LinkState),
}

enum Wake {
    Link,
    Presences,
    Discovered,
    Changed(ClusterName),
    State(ClusterName),
}

impl Member {
    /// The copy.
    #[must_use]
    pub fn store(&self) -> &Store {
        self.subscription.store()
    }

    /// What a thin copy has and its backing has not; see [`Subscription::unsettled`].
    #[must_use]
    pub fn unsettled(&self) -> Option<Unsettled> {
        self.subscription.unsettled()
    }

    /// The backing has all of this; see [`Subscription::settled`].
    pub fn settled(&self, unsettled: &Unsettled) {
        self.subscription.settled(unsettled);
    }

    /// How old the copy may be.
    #[must_use]
    pub fn age(&self) -> Age {
        self.store().age()
    }

    /// What its source says of itself; `None` for a cluster that was named and has not been heard of.
    #[must_use]
    pub fn cluster(&self) -> Option<&Cluster> {
        self.cluster.as_ref()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.wakes.iter().for_each(AbortHandle::abort);
    }
}

impl Watch {
    pub(super) fn new(informer: Informer, clusters: Clusters, selection: Selection) -> Self {
        let (presences, link) = (informer.clusters(), informer.link_state());
        let mut wakes = SelectAll::new();
        wakes.push(ticks(presences.clone()).map(|()| Wake::Presences).boxed());
        wakes.push(ticks(link.clone()).map(|()| Wake::Link).boxed());
        let asked = informer.clone();
        let discovered = stream::once(async move { asked.discovered().await });
        wakes.push(discovered.map(|()| Wake::Discovered).boxed());
        let mut watch = Self {
            informer,
            clusters,
            only: None,
            selection,
            presences,
            link,
            members: BTreeMap::new(),
            excluded: BTreeSet::new(),
            wakes,
            found: VecDeque::new(),
        };
        for name in watch.clusters.named().cloned().collect::<Vec<_>>() {
            watch.join(&name, None);
        }
        watch
    }

    /// Of the clusters that are meant, follows only those of this set from now on. Others are left without a word:
    /// nothing has become of them, and [`Update::Left`] goes on to mean that there is no such cluster any more.
    pub fn only(&mut self, names: BTreeSet<ClusterName>) {
        self.only = Some(names);
        // First who has gone for good, and who comes.
        self.look_at_presences();
        let others: BTreeSet<_> = self.members.keys().cloned().collect();
        let others: BTreeSet<_> = others
            .into_iter()
            .filter(|name| !self.follows(name))
            .collect();
        self.members.retain(|name, _| !others.contains(name));
        self.found.retain(|update| match update {
            Update::Joined(name)
            | Update::Changed(name, _)
            | Update::Unsettled(name)
            | Update::State(name, _)
            | Update::Presence(name) => !others.contains(name),
            Update::Left(_) | Update::Discovered | Update::Link(_) => true,
        });
        for name in self.clusters.named().cloned().collect::<Vec<_>>() {
            if self.follows(&name) && !self.members.contains_key(&name) {
                self.join(&name, None);
            }
        }
    }

    fn follows(&self, name: &ClusterName) -> bool {
        let is_ours = self.only.as_ref().is_none_or(|only| only.contains(name));
        self.clusters.matches(name) && !self.excluded.contains(name) && is_ours
    }

    /// Whether it is a cluster behind this broker, followed or not.
    #[must_use]
    pub fn is_known(&self, name: &ClusterName) -> bool {
        self.members.contains_key(name) || self.presences.borrow().contains_key(name)
    }

    /// The clusters followed now, each with its copy.
    #[must_use]
    pub fn members(&self) -> &BTreeMap<ClusterName, Member> {
        &self.members
    }

    /// Waits for the next thing that happens. Cancel-safe. `None` when the informer has ended, which it does not while
    /// the broker can be tried again.
    pub async fn next(&mut self) -> Option<Update> {
        loop {
            if let Some(update) = self.found.pop_front() {
                return Some(update);
            }
            let informer = self.informer.clone();
            tokio::select! {
                Some(wake) = self.wakes.next() => self.look(wake),
                () = informer.ended() => return None,
            }
        }
    }

    fn look(&mut self, wake: Wake) {
        match wake {
            Wake::Presences => self.look_at_presences(),
            Wake::Link => {
                let link = self.link.borrow_and_update().clone();
                self.found.push_back(Update::Link(link));
            }
            Wake::Discovered => self.found.push_back(Update::Discovered),
            Wake::Changed(name) => {
                let Some(member) = self.members.get_mut(&name) else {
                    return;
                };
                if let Some(thin) = member.store().snapshot().thin {
                    // Only looked at: it is the reader's to take.
                    let news = thin.held_bytes() > 0 || member.store().unsettled().is_some();
                    return self.found.extend(news.then_some(Update::Unsettled(name)));
                }
                let notices = member.changes.take();
                if !notices.is_empty() {
                    self.found.push_back(Update::Changed(name, notices));
                }
            }
            Wake::State(name) => {
                let Some(member) = self.members.get(&name) else {
                    return;
                };
                let state = member.store().state().borrow().clone();
                self.found.push_back(Update::State(name, state));
            }
        }
    }

    fn look_at_presences(&mut self) {
        let known = Arc::clone(&self.presences.borrow_and_update());
        self.excluded.retain(|name| known.contains_key(name));
        let meant = known.iter().filter(|(name, _)| self.follows(name));
        for (name, cluster) in meant
            .map(|(name, cluster)| (name.clone(), cluster.clone()))
            .collect::<Vec<_>>()
        {
            match self.members.get_mut(&name) {
                None => self.join(&name, Some(cluster)),
                Some(member) if member.cluster.as_ref() != Some(&cluster) => {
                    member.cluster = Some(cluster);
                    self.found.push_back(Update::Presence(name));
                }
                Some(_) => {}
            }
        }
        let gone = |(name, member): (&ClusterName, &Member)| {
            (member.cluster.is_some() && !known.contains_key(name)).then(|| name.clone())
        };
        for name in self.members.iter().filter_map(gone).collect::<Vec<_>>() {
            self.leave(&name);
        }
    }

    /// One that was named is asked on, whatever becomes of its presence: it may come again.
    fn leave(&mut self, name: &ClusterName) {
        self.members.remove(name);
        self.found.push_back(Update::Left(name.clone()));
        if self.clusters.named().any(|named| named == name) && self.follows(name) {
            self.join(&name.clone(), None);
        }
    }

    /// Copies a cluster anew: a thin copy begins with what its backing has by now. Of that nothing is told.
    pub fn rejoin(&mut self, name: &ClusterName) {
        let Some(member) = self.members.remove(name) else {
            return;
        };
        let cluster = member.cluster.clone();
        // It leaves before it asks again.
        drop(member);
        self.enter(name, cluster);
    }

    /// Leaves a cluster, and follows it again when it was gone and has come back. Of that nothing is told.
    pub fn exclude(&mut self, name: &ClusterName) {
        self.members.remove(name);
        self.excluded.insert(name.clone());
    }

    fn join(&mut self, name: &ClusterName, cluster: Option<Cluster>) {
        self.enter(name, cluster);
        self.found.push_back(Update::Joined(name.clone()));
    }

    fn enter(&mut self, name: &ClusterName, cluster: Option<Cluster>) {
        let subscription = self.informer.subscribe(name, self.selection.clone());
        let store = subscription.store();
        let changes = store.changes();
        let (changed, state) = (name.clone(), name.clone());
        let wakes = [
            self.listen(ticks(store.versions()).map(move |()| Wake::Changed(changed.clone()))),
            self.listen(ticks(store.state()).map(move |()| Wake::State(state.clone()))),
        ];
        let member = Member {
            subscription,
            changes,
            cluster,
            wakes,
        };
        self.members.insert(name.clone(), member);
    }

    fn listen(&mut self, wakes: impl stream::Stream<Item = Wake> + Send + 'static) -> AbortHandle {
        let (handle, registration) = AbortHandle::new_pair();
        self.wakes.push(Abortable::new(wakes, registration).boxed());
        handle
    }
}

/// A tick now, and one for whatever changed since the last, until the writer is gone.
fn ticks<T: Send + Sync + 'static>(
    mut receiver: watch::Receiver<T>,
) -> impl stream::Stream<Item = ()> + Send {
    receiver.mark_changed();
    stream::unfold(receiver, |mut receiver| async move {
        receiver.changed().await.ok()?;
        Some(((), receiver))
    })
}
