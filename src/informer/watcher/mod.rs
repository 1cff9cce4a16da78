//! kube-rs's own watch events, from a cluster that only the broker can reach.

mod translate;
mod unavailable;

pub use unavailable::Unavailable;

use super::{Cluster, Freshness, Informer, LinkState, Store, StreamState, Subscription};
use crate::protocol::message::{Selection, View};
use crate::protocol::names::ClusterName;
use crate::replica::Settings;
use futures::stream::{self, Stream};
use kube::Resource;
use kube::runtime::watcher::{Event, Result};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use translate::Translator;
use unavailable::{Circumstances, Episode, judge};

/// Which objects of a kind to watch: all of them, unless said otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    namespace: String,
    labels: String,
    fields: String,
    managed_fields: bool,
}

impl Scope {
    /// All of them.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Those of one namespace.
    #[must_use]
    pub fn namespace(self, namespace: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            ..self
        }
    }

    /// Those whose labels are what this selector says, as `kubectl -l` takes it. One that is none is refused by the
    /// source, as an error item.
    #[must_use]
    pub fn labels(self, selector: impl Into<String>) -> Self {
        Self {
            labels: selector.into(),
            ..self
        }
    }

    /// Those whose fields are what this selector says, as `kubectl --field-selector` takes it.
    #[must_use]
    pub fn fields(self, selector: impl Into<String>) -> Self {
        Self {
            fields: selector.into(),
            ..self
        }
    }

    /// With `metadata.managedFields`, which otherwise stay in the cluster.
    #[must_use]
    pub fn managed_fields(self) -> Self {
        Self {
            managed_fields: true,
            ..self
        }
    }
}

impl Informer {
    /// Watches the objects of a kind in one cluster: what [`kube::runtime::watcher()`] is for a cluster that can be
    /// reached. kube-rs's `reflector`, and a `Controller` through `Controller::for_stream`, run over it unchanged. It
    /// only observes: nothing is written to the cluster.
    ///
    /// The first whole copy comes as `Init`, `InitApply` for each object, `InitDone`. From then on there are `Apply`
    /// and `Delete` only, a `Delete` with the last known object: whatever happens to the broker or to the cluster's
    /// syncer, the copy is repaired by differences, and nothing goes back in time. Changes are coalesced for each
    /// object while the stream is not polled, so memory is bounded by two copies.
    ///
    /// # Errors
    /// An error item says that nothing new comes for now, and why ([`Unavailable::of`]); the stream goes on. Each
    /// reason is told once an outage. An object that cannot be decoded as `K` is an error item, too
    /// ([`kube::Error::SerdeError`]), and among the first objects it holds `InitDone` back, as in kube-rs;
    /// [`kube::core::DeserializeGuard`] lets such objects pass. `default_backoff` is not needed (all pacing is done
    /// inside) and does no harm beyond a delay after errors.
    ///
    /// The stream ends when the informer was closed ([`Informer::close`]), or its link.
    ///
    /// Values of Secrets are not in it.
    ///
    /// ```
    /// use futures::{StreamExt, TryStreamExt};
    /// use k8s_openapi::api::core::v1::ConfigMap;
    /// use kube::runtime::{WatchStreamExt, reflector};
    /// use mqtt_informer::informer::{Informer, Scope};
    /// use mqtt_informer::link::memory::MemoryBroker;
    /// use mqtt_informer::playground::{Playground, Spec};
    /// use mqtt_informer::protocol::names::ClusterName;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///
    /// // A whole cluster and its broker, in this process.
    /// let (broker, east) = (MemoryBroker::new(), ClusterName::new("east")?);
    /// let playground = Playground::start(Spec::empty()).await?;
    /// let _served = playground.serve(&broker, &east).await?;
    /// # let object = r#"{"metadata": {"name": "colours", "namespace": "shop"}, "data": {"sky": "blue"}}"#;
    /// playground.put("configmaps", serde_json::from_str(object)?);
    ///
    /// let informer = Informer::builder().connection(broker.connect("me", "-", None)).start()?;
    /// let (reader, writer) = reflector::store();
    /// let changes = informer.watcher::<ConfigMap>(&east, Scope::all().namespace("shop"));
    /// let mut applied = reflector(writer, changes).applied_objects().boxed();
    ///
    /// let colours = applied.try_next().await?.ok_or("it ended")?;
    /// assert_eq!(colours.data.unwrap()["sky"], "blue");
    /// # drop(reader);
    /// # Ok(())
    /// # }
    /// ```
    pub fn watcher<K>(
        &self,
        cluster: &ClusterName,
        scope: Scope,
    ) -> impl Stream<Item = Result<Event<K>>> + Send + 'static + use<K>
    where
        K: Resource<DynamicType: Default> + DeserializeOwned + Send + 'static,
    {
        self.watcher_with(cluster, scope, &K::DynamicType::default())
    }

    /// The same for kinds that are known at run time only, such as [`kube::core::DynamicObject`] with an
    /// [`kube::core::ApiResource`].
    pub fn watcher_with<K>(
        &self,
        cluster: &ClusterName,
        scope: Scope,
        kind: &K::DynamicType,
    ) -> impl Stream<Item = Result<Event<K>>> + Send + 'static + use<K>
    where
        K: Resource + DeserializeOwned + Send + 'static,
    {
        let selection = selection::<K>(scope, kind);
        let following = Following::<K>::new(self.clone(), cluster.clone(), selection);
        stream::unfold(following, |mut following| async move {
            let item = following.next().await?;
            Some((item, following))
        })
    }
}

/// The full name leaves nothing to guess: `pods.v1.` is the core group's.
fn selection<K: Resource>(scope: Scope, kind: &K::DynamicType) -> Selection {
    let (plural, version, group) = (K::plural(kind), K::version(kind), K::group(kind));
    Selection {
        resource: format!("{plural}.{version}.{group}"),
        namespace: scope.namespace,
        labels: scope.labels,
        fields: scope.fields,
        view: View::Objects,
        managed_fields: scope.managed_fields,
        secret_values: false,
    }
}

/// One stream of events, and what it looks at.
struct Following<K> {
    informer: Informer,
    cluster: ClusterName,
    subscription: Subscription,
    version: watch::Receiver<u64>,
    state: watch::Receiver<StreamState>,
    link: watch::Receiver<LinkState>,
    clusters: watch::Receiver<Arc<BTreeMap<ClusterName, Cluster>>>,
    translator: Translator<K>,
    episode: Episode,
    /// From then on the lack of an answer means something; none while the link is not up.
    late: Option<Instant>,
}

impl<K: DeserializeOwned> Following<K> {
    fn new(informer: Informer, cluster: ClusterName, selection: Selection) -> Self {
        let subscription = informer.subscribe(&cluster, selection);
        let store = subscription.store();
        let mut version = store.versions();
        version.mark_changed();
        Self {
            version,
            state: store.state(),
            link: informer.link_state(),
            clusters: informer.clusters(),
            translator: Translator::new(),
            episode: Episode::default(),
            late: None,
            informer,
            cluster,
            subscription,
        }
    }

    fn store(&self) -> &Store {
        self.subscription.store()
    }

    async fn next(&mut self) -> Option<Result<Event<K>>> {
        loop {
            if let Some(event) = self.translator.next() {
                return Some(event);
            }
            if self.look() {
                continue;
            }
            let freshness = self.store().age().freshness;
            let trouble = self.trouble(freshness);
            if let Some(trouble) = self.episode.news(trouble, freshness) {
                let synced = self.store().snapshot().is_whole();
                return Some(Err(trouble.into_error(synced)));
            }
            if !self.woken().await {
                return None;
            }
        }
    }

    /// Looks at the copy if it is another one than before.
    fn look(&mut self) -> bool {
        if !self.version.has_changed().unwrap_or(false) {
            return false;
        }
        // Before the copy is read: what is written in between is looked at once more.
        self.version.mark_unchanged();
        let snapshot = self.store().snapshot();
        let news = snapshot.is_whole();
        if news {
            self.translator.see(&snapshot);
        }
        news
    }

    /// Waits until there is something to look at; false when there never will be.
    async fn woken(&mut self) -> bool {
        // What becomes stale later is a change of the state.
        let late = self.late.filter(|late| Instant::now() < *late);
        let changed = tokio::select! {
            changed = self.version.changed() => {
                // Looked at by `look`.
                self.version.mark_changed();
                changed
            }
            changed = self.state.changed() => changed,
            changed = self.link.changed() => changed,
            changed = self.clusters.changed() => changed,
            () = tokio::time::sleep_until(late.unwrap_or_else(Instant::now)), if late.is_some() => Ok(()),
            () = self.informer.ended() => return false,
        };
        changed.is_ok()
    }

    fn trouble(&mut self, freshness: Freshness) -> Option<Unavailable> {
        let clusters = Arc::clone(&self.clusters.borrow_and_update());
        let state = self.state.borrow_and_update().clone();
        let link = self.link.borrow_and_update().clone();
        let settings = self.informer.settings();
        self.late = match (&link, self.late) {
            (LinkState::Up, None) => Some(Instant::now() + patience(settings)),
            (LinkState::Up, late) => late,
            _ => None,
        };
        judge(&Circumstances {
            cluster: &self.cluster,
            state: &state,
            freshness,
            link: &link,
            offline: clusters
                .get(&self.cluster)
                .is_some_and(|cluster| cluster.offline),
            heard: self.store().heard_at().is_some(),
            is_late: self.late.is_some_and(|late| late <= Instant::now()),
        })
    }
}

/// How long a source is given to answer: as long as a copy may be unproven, and long enough for some requests to be
/// lost.
fn patience(settings: &Settings) -> Duration {
    settings.stale_after().max(settings.first_timeout * 10)
}
