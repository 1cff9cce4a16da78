//! What a store has of a stream, as the copy that an informer begins with: then the source sends only what differs.
//!
//! Blocks: an informer asks where that is allowed.

use super::meant;
use crate::informer::{Keeper, Kept};
use crate::protocol::compress::Packer;
use crate::protocol::message::Selection;
use crate::protocol::names::ClusterName;
use crate::replica::Copy;
use crate::store::{Clusters, Error, Filter, GroupResource, List, Store};
use bytes::Bytes;
use prost::Message;
use tokio::runtime::Handle;

/// Reads whole copies out of a store.
pub(in crate::controlplane) struct StoreKeeper {
    store: Store,
    runtime: Handle,
}

impl StoreKeeper {
    pub(in crate::controlplane) fn new(store: Store, runtime: Handle) -> Self {
        Self { store, runtime }
    }

    async fn read(
        &self,
        cluster: &ClusterName,
        selection: &Selection,
    ) -> Result<Option<Copy>, Error> {
        let Some(stream) = meant::find(&self.store, cluster, selection).await? else {
            return Ok(None);
        };
        let Some(position) = self.store.position(&stream.key).await? else {
            return Ok(None);
        };
        let resource = &stream.key.resource;
        let list = List {
            filter: Filter {
                clusters: Clusters::one(cluster.clone()),
                resource: GroupResource {
                    group: resource.group.clone(),
                    plural: resource.plural.clone(),
                },
                view: selection.view,
                ..Filter::default()
            },
            ..List::default()
        };
        let items = self.store.list(&list).await?.items.into_iter();
        let objects = items.map(|stored| {
            let key = match stored.key.namespace.as_str() {
                "" => stored.key.name,
                namespace => format!("{namespace}/{}", stored.key.name),
            };
            (Bytes::from(key), stored.value)
        });
        // Made anew: were it another than the source's, its digest would say so, and it would be sent.
        let header = (Bytes::new(), Bytes::from(stream.header.encode_to_vec()));
        Ok(Some(Copy {
            epoch: position.epoch,
            seq: position.seq,
            entries: objects.chain([header]).collect(),
            packer: packer(position.dictionary.as_ref()),
            ..Copy::default()
        }))
    }
}

fn packer(dictionary: Option<&Bytes>) -> Packer {
    let packer = dictionary.and_then(|dictionary| Packer::with_dictionary(dictionary).ok());
    packer.unwrap_or_default()
}

impl Keeper for StoreKeeper {
    fn load(&self, cluster: &ClusterName, selection: &Selection) -> Option<Copy> {
        match self.runtime.block_on(self.read(cluster, selection)) {
            Ok(copy) => copy,
            Err(error) => {
                tracing::warn!(cluster = cluster.as_str(), resource = %selection.resource, %error, "what the store has cannot be read: the cluster sends all of it");
                None
            }
        }
    }

    /// It was written as it came.
    fn keep(&self, _kept: Kept) {}

    fn missing(&self, _selection: &Selection) -> String {
        "the store has nothing of it".to_owned()
    }
}
