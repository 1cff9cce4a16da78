//! Fills a store with what an informer copies.

use mqtt_informer::informer::{Changes, Informer, Subscription};
use mqtt_informer::protocol::message::{Selection, View};
use mqtt_informer::protocol::names::ClusterName;
use mqtt_informer::protocol::rows::Header;
use mqtt_informer::store::{Batch, Others, Position, Resource, Store, StreamKey};
use prost::Message;
use std::time::Duration;

/// Copies a resource of a cluster, as rows and as objects, for as long as the process runs; `name` is the cluster's name
/// in the store.
pub(super) fn feed(
    store: &Store,
    informer: &Informer,
    (cluster, name): (&str, &str),
    resource: &str,
) {
    for view in [View::Rows, View::Objects] {
        let selection = Selection {
            resource: resource.into(),
            view,
            ..Selection::default()
        };
        let cluster = ClusterName::new(cluster).unwrap();
        let subscription = informer.subscribe(&cluster, selection);
        let name = ClusterName::new(name).unwrap();
        tokio::spawn(copy(store.clone(), subscription, name, view));
    }
}

async fn copy(store: Store, subscription: Subscription, cluster: ClusterName, view: View) {
    let mut changes = subscription.store().changes();
    let mut key = None;
    let mut proofs = tokio::time::interval(Duration::from_secs(2));
    loop {
        tokio::select! {
            notices = changes.next() => {
                let first = key.is_none();
                let key = key.get_or_insert_with(|| stream(&changes, cluster.clone(), view)).clone();
                let mut batch = Batch::new(key);
                batch.others = if first { Others::Go } else { Others::Stay };
                let seen = changes.seen();
                batch.header = seen.entries.get(&b""[..]).cloned();
                batch.position = Some(Position { epoch: seen.epoch, seq: seen.seq, dictionary: None });
                batch.changes = notices
                    .into_iter()
                    .filter(|notice| !notice.key.is_empty())
                    .map(|notice| (notice.key, notice.new))
                    .collect();
                store.write(batch).await.unwrap();
            }
            _ = proofs.tick() => {
                if let Some(key) = &key {
                    store.prove(key, jiff::Timestamp::now()).await.unwrap();
                }
            }
        }
    }
}

fn stream(changes: &Changes, cluster: ClusterName, view: View) -> StreamKey {
    let header = changes.seen().entries.get(&b""[..]).expect("a header");
    let header = Header::decode(header.clone()).unwrap();
    StreamKey {
        cluster,
        resource: Resource {
            group: header.group,
            version: header.version,
            plural: header.plural,
        },
        view,
    }
}
