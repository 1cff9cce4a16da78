//! From what a store has to what a source has: the batches between.
//!
//! Pure.

use crate::informer::Snapshot;
use crate::store::{Batch, Others, Position, StreamKey};
use bytes::Bytes;

/// The most changes in a batch, and bytes of values, unless one value has more.
pub(super) const MOST: (usize, usize) = (2_000, 4 * 1024 * 1024);

/// One key's change.
type Change = (Bytes, Option<Bytes>);

/// The batches that lead from `from` to `to`; without `from`, from whatever is there: what is not in `to` is gone. Each
/// is written on its own, so only the last says where in the stream the store is then.
pub(super) fn batches(
    stream: &StreamKey,
    from: Option<&Snapshot>,
    to: &Snapshot,
    most: (usize, usize),
) -> Vec<Batch> {
    let (changes, others): (Vec<Change>, _) = match from {
        Some(from) => {
            let notices = to.since(from).into_iter();
            let changes = notices.map(|notice| (notice.key, notice.new));
            (changes.collect(), Others::Stay)
        }
        None => {
            let all = to.entries.iter();
            let all = all.map(|(key, value)| (key.clone(), Some(value.clone())));
            (all.collect(), Others::Go)
        }
    };
    let mut batches: Vec<_> = split(changes, most)
        .into_iter()
        .map(|changes| Batch {
            changes,
            ..Batch::new(stream.clone())
        })
        .collect();
    let several = batches.len() > 1;
    if let Some(last) = batches.last_mut() {
        last.position = Some(Position {
            epoch: to.epoch,
            seq: to.seq,
            dictionary: None,
        });
        last.others = match others {
            Others::Go if several => {
                let keys = to.objects().map(|(key, _)| key.clone());
                Others::GoUnless(keys.collect())
            }
            others => others,
        };
    }
    batches
}

/// Parts in their order: the header, under the empty key, is in the first. At least one.
fn split(changes: Vec<Change>, (count, bytes): (usize, usize)) -> Vec<Vec<Change>> {
    let mut parts = vec![Vec::new()];
    let mut size = 0;
    for change in changes {
        let length = change.0.len() + change.1.as_ref().map_or(0, Bytes::len);
        let full = |part: &Vec<Change>| part.len() >= count || size + length > bytes;
        if parts
            .last()
            .is_some_and(|part| !part.is_empty() && full(part))
        {
            parts.push(Vec::new());
            size = 0;
        }
        size += length;
        if let Some(part) = parts.last_mut() {
            part.push(change);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
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
            let made = batches(&stream(), (!whole).then_some(&from), &to, (count, bytes));
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
