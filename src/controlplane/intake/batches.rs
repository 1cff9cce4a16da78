//! What a store lacks of a stream, in batches.
//!
//! Pure.

use crate::store::{Batch, Others, Position, StreamKey};
use bytes::Bytes;

/// The most changes in a batch, and bytes of values, unless one value has more.
pub(super) const MOST: (usize, usize) = (2_000, 4 * 1024 * 1024);

/// One key's change.
pub(super) type Change = (Bytes, Option<Bytes>);

/// Where the store is when all changes are in it.
#[derive(Clone, Debug)]
pub(super) struct End {
    pub(super) position: Position,
    /// What becomes of what did not change.
    pub(super) others: Others,
}

/// The batches of these changes, in their order: the header, under the empty key, comes first. At least one. Each is
/// written on its own, so only the last says where in the stream the store is then. Each is made when it is its turn.
pub(super) fn batches<'a>(
    stream: &'a StreamKey,
    changes: impl Iterator<Item = Change> + Send + 'a,
    end: End,
    (count, bytes): (usize, usize),
) -> impl Iterator<Item = Batch> + Send + 'a {
    let (mut changes, mut end) = (changes.peekable(), Some(end));
    std::iter::from_fn(move || {
        end.as_ref()?;
        let mut batch = Batch::new(stream.clone());
        let mut size = 0;
        loop {
            let had = batch.changes.len();
            let fits =
                |change: &Change| had == 0 || (had < count && size + length(change) <= bytes);
            let Some(change) = changes.next_if(fits) else {
                break;
            };
            size += length(&change);
            batch.changes.push(change);
        }
        if changes.peek().is_none() {
            let end = end.take()?;
            (batch.position, batch.others) = (Some(end.position), end.others);
        }
        Some(batch)
    })
}

fn length((key, value): &Change) -> usize {
    key.len() + value.as_ref().map_or(0, Bytes::len)
}

#[cfg(test)]
mod tests {
    use super::super::unwritten::Unwritten;
    use super::*;
    use crate::informer::Snapshot;
    use crate::protocol::message::View;
    use crate::protocol::names::ClusterName;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn stream() -> StreamKey {
        StreamKey {
            cluster: ClusterName::new("c").unwrap(),
            resource: "pods.v1".parse().unwrap(),
            view: View::Objects,
        }
    }

    fn snapshot(seq: u64, entries: &BTreeMap<String, String>) -> Snapshot {
        let bytes = |text: &String| Bytes::from(text.clone());
        Snapshot {
            seq,
            entries: entries.iter().map(|(k, v)| (bytes(k), bytes(v))).collect(),
            ..Snapshot::default()
        }
    }

    /// What a store would have after a batch.
    fn apply(store: &mut BTreeMap<Bytes, Bytes>, batch: &Batch) {
        match &batch.others {
            Others::Stay => {}
            Others::Go => {
                let named = |key: &Bytes| batch.changes.iter().any(|(of, _)| of == key);
                store.retain(|key, _| key.is_empty() || named(key));
            }
            Others::GoUnless(keys) => store.retain(|key, _| key.is_empty() || keys.contains(key)),
        }
        for (key, value) in batch.changes.clone() {
            match value {
                Some(value) => store.insert(key, value),
                None => store.remove(&key),
            };
        }
    }

    fn entries() -> impl Strategy<Value = BTreeMap<String, String>> {
        let objects = prop::collection::btree_map("[a-c]/[x-z]{1,2}", "[0-9]{1,3}", 0..12);
        objects.prop_map(|mut objects| {
            objects.insert(String::new(), "header".into());
            objects
        })
    }

    proptest! {
        #[test]
        fn batches_lead_from_one_state_to_the_other(
            before in entries(), after in entries(), whole in any::<bool>(), count in 1_usize..5, bytes in 1_usize..20
        ) {
            let (from, to) = (snapshot(3, &before), snapshot(7, &after));
            let unwritten = Unwritten::of_whole((!whole).then_some(from.clone()), to.clone());
            let stream = stream();
            let made: Vec<_> = batches(&stream, unwritten.changes(), unwritten.end(), (count, bytes)).collect();
            let mut store: BTreeMap<_, _> = from.entries.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
            for (at, batch) in made.iter().enumerate() {
                let last = at + 1 == made.len();
                prop_assert_eq!(batch.position.is_some(), last, "only the end is a position");
                prop_assert!(last || batch.others == Others::Stay);
                prop_assert!(batch.changes.len() <= count);
                apply(&mut store, batch);
            }
            prop_assert_eq!(made.last().unwrap().position.as_ref().unwrap().seq, 7);
            let wanted: BTreeMap<_, _> = to.entries.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
            prop_assert_eq!(store, wanted);
            if whole {
                prop_assert!(made[0].changes[0].0.is_empty(), "rows cannot be read without their header");
            }
        }
    }
}
