//! What a store has of a stream, as the copy that an informer begins with: then the source sends only what differs.
//!
//! Blocks: an informer asks where that is allowed.

use crate::informer::{Keeper, Kept};
use crate::protocol::compress::Packer;
use crate::protocol::message::Selection;
use crate::protocol::names::ClusterName;
use crate::replica::Copy;
use crate::store::{Clusters, Error, Filter, GroupResource, List, Store, Stream};
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
        let streams = self.store.streams(&Clusters::one(cluster.clone())).await?;
        let meant = |stream: &Stream| {
            stream.key.view == selection.view && is_meant(&selection.resource, stream)
        };
        let Some(stream) = streams.into_iter().find(meant) else {
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

/// Whether a word of the command line means what a stream is of. It may be wrong: then the source's digests say so.
fn is_meant(word: &str, stream: &Stream) -> bool {
    let (name, rest) = word.split_once('.').unwrap_or((word, ""));
    let (resource, header) = (&stream.key.resource, &stream.header);
    let name = name.to_lowercase();
    let named =
        name == resource.plural || name == header.singular || name == header.kind.to_lowercase();
    let versioned = format!("{}.{}", resource.version, resource.group);
    named && (resource.group.starts_with(rest) || versioned.trim_end_matches('.') == rest)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::message::View;
    use crate::protocol::rows::Header;
    use crate::store::StreamKey;

    #[test]
    fn a_word_means_what_kubectl_means_by_it() {
        let stream = |resource: &str, singular: &str, kind: &str| Stream {
            key: StreamKey {
                cluster: ClusterName::new("c").unwrap(),
                resource: resource.parse().unwrap(),
                view: View::Rows,
            },
            header: Header {
                singular: singular.into(),
                kind: kind.into(),
                ..Header::default()
            },
            synced: None,
            proven: None,
        };
        let deployments = stream("deployments.v1.apps", "deployment", "Deployment");
        for (word, meant) in [
            ("deployments", true),
            ("deployment", true),
            ("Deployment", true),
            ("deployments.apps", true),
            ("deployments.v1.apps", true),
            ("deployments.v2.apps", false),
            ("deployments.batch", false),
            ("pods", false),
        ] {
            assert_eq!(is_meant(word, &deployments), meant, "{word}");
        }
        assert!(is_meant("pods.v1", &stream("pods.v1", "pod", "Pod")));
    }
}
