//! The store as what holds the values of thin copies.
//!
//! It knows which of its streams each selection is: by the word at first, and by the stream's own header as soon as that
//! is heard.

use super::meant;
use crate::informer::Backing;
use crate::protocol::message::{Epoch, Selection};
use crate::protocol::names::ClusterName;
use crate::replica::{Copy, Thin};
use crate::store::{Error, GroupResource, ObjectKey, Store, StreamKey};
use bytes::Bytes;
use futures::future::BoxFuture;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A database that is away is waited for, so often and so long in between, before all is asked of the cluster.
const TRIES: (u32, Duration) = (30, Duration::from_secs(1));

/// Reads digests out of a store, and values by their keys.
#[derive(Clone)]
pub(in crate::controlplane) struct StoreBacking {
    store: Store,
    known: Arc<Mutex<Known>>,
}

type Known = HashMap<(ClusterName, Selection), Meaning>;

/// Which stream a selection is.
#[derive(Clone, Debug, Default)]
struct Meaning {
    key: Option<StreamKey>,
    /// Its header said so.
    is_sure: bool,
}

/// What a stream turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// What was loaded, if anything was.
    Itself,
    /// Another one than what was loaded: that has to be loaded.
    Another,
    /// What another word means, too, and its task writes.
    Taken,
}

impl StoreBacking {
    pub(in crate::controlplane) fn new(store: Store) -> Self {
        Self {
            store,
            known: Arc::default(),
        }
    }

    /// The stream of this selection says what it is.
    pub(super) fn found(&self, selection: &Selection, key: &StreamKey) -> Found {
        let mut known = self.known();
        let is_it = |other: &StreamKey| {
            // Objects are the same in all versions.
            let of = |key: &StreamKey| (key.resource.group.clone(), key.resource.plural.clone());
            of(other) == of(key) && other.view == key.view
        };
        let taken = known.iter().any(|((cluster, of), meaning)| {
            *cluster == key.cluster
                && of != selection
                && meaning.is_sure
                && meaning.key.as_ref().is_some_and(is_it)
        });
        if taken {
            return Found::Taken;
        }
        let meaning = known.entry((key.cluster.clone(), selection.clone()));
        let meaning = meaning.or_default();
        let before = meaning.key.replace(key.clone());
        meaning.is_sure = true;
        if before.as_ref().is_none_or(is_it) {
            Found::Itself
        } else {
            Found::Another
        }
    }

    /// The cluster is none any more.
    pub(super) fn forget(&self, cluster: &ClusterName, selection: &Selection) {
        self.known().remove(&(cluster.clone(), selection.clone()));
    }

    /// Nobody panics while holding it.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self, cluster: &ClusterName, selection: &Selection) -> Option<Meaning> {
        let known = self.known();
        known.get(&(cluster.clone(), selection.clone())).cloned()
    }

    async fn read(
        &self,
        cluster: &ClusterName,
        selection: &Selection,
    ) -> Result<Option<Copy>, Error> {
        let known = self.key(cluster, selection);
        let sure = known.filter(|meaning| meaning.is_sure);
        let key = match sure.and_then(|meaning| meaning.key) {
            Some(key) => Some(key),
            None => {
                let stream = meant::find(&self.store, cluster, selection).await?;
                let key = stream.map(|stream| stream.key);
                let meaning = Meaning {
                    key: key.clone(),
                    is_sure: false,
                };
                let of = (cluster.clone(), selection.clone());
                self.known().insert(of, meaning);
                key
            }
        };
        let Some(key) = key else {
            return Ok(None);
        };
        let position = self.store.position(&key).await?;
        // One that was cut is at none: what is there counts all the same.
        let position = position.map_or((Epoch::default(), 0), |at| (at.epoch, at.seq));
        let header = self.store.header(&key).await?;
        let thin = Thin::away(self.store.digests(&key).await?);
        Ok(Some(Copy::of_backing(position, header, thin)))
    }

    async fn read_patiently(&self, cluster: &ClusterName, selection: &Selection) -> Option<Copy> {
        for _ in 0..TRIES.0 {
            match self.read(cluster, selection).await {
                Ok(copy) => return copy,
                Err(error) if error.is_retryable() => tokio::time::sleep(TRIES.1).await,
                Err(error) => {
                    tracing::warn!(cluster = cluster.as_str(), resource = %selection.resource, %error, "what the store has cannot be read");
                    break;
                }
            }
        }
        tracing::warn!(cluster = cluster.as_str(), resource = %selection.resource, "the cluster is asked for all of it");
        None
    }

    async fn values(&self, key: StreamKey, keys: Vec<Bytes>) -> Result<Vec<(Bytes, Bytes)>, Error> {
        let (wanted, objects): (Vec<_>, Vec<_>) = keys
            .into_iter()
            .filter_map(|name| Some((name.clone(), object_key(&key, &name)?)))
            .unzip();
        let found = self.store.get_many(&objects, None).await?;
        let pairs = wanted.into_iter().zip(found);
        Ok(pairs
            .filter_map(|(name, found)| Some((name, found?.value)))
            .collect())
    }
}

/// The object of a stream's key; none if it is no name of an object, which the store has not, then.
fn object_key(stream: &StreamKey, key: &[u8]) -> Option<ObjectKey> {
    let text = std::str::from_utf8(key).ok()?;
    let (namespace, name) = text.split_once('/').unwrap_or(("", text));
    Some(ObjectKey {
        cluster: stream.cluster.clone(),
        resource: GroupResource {
            group: stream.resource.group.clone(),
            plural: stream.resource.plural.clone(),
        },
        view: stream.view,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    })
}

impl Backing for StoreBacking {
    fn load(
        &self,
        cluster: &ClusterName,
        selection: &Selection,
    ) -> BoxFuture<'static, Option<Copy>> {
        let (this, cluster, selection) = (self.clone(), cluster.clone(), selection.clone());
        Box::pin(async move { this.read_patiently(&cluster, &selection).await })
    }

    fn fetch(
        &self,
        cluster: &ClusterName,
        selection: &Selection,
        keys: Vec<Bytes>,
    ) -> BoxFuture<'static, Option<Vec<(Bytes, Bytes)>>> {
        let (this, known) = (self.clone(), self.key(cluster, selection));
        Box::pin(async move {
            let key = known?.key?;
            // The cluster is asked, then.
            this.values(key, keys).await.ok()
        })
    }
}
