//! A copy at one moment, what can be looked up in it, and how it differs from another one.

use super::objects;
use crate::protocol::message::Epoch;
use crate::protocol::selector::LabelSelector;
use crate::replica::Thin;
use bytes::Bytes;
use imbl::OrdMap;
use imbl::ordmap::DiffItem;
use std::ops::Bound;

/// Every entry of a copy at one moment: cheap to clone, never changes.
///
/// A key is `namespace/name`, or `name` for what lives in no namespace. A value is what the stream's view says: the
/// object's JSON, or its row ([`crate::protocol::rows::Row`]).
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The epoch and sequence number at which the source had exactly this; seq 0 = nothing was received yet.
    pub epoch: Epoch,
    /// See `epoch`.
    pub seq: u64,
    /// Key to unpacked value, in byte order of the keys. The empty key holds the header.
    pub entries: OrdMap<Bytes, Bytes>,
    /// Of a thin copy: what is known of its objects, whose values a [`super::Backing`] holds. All else here is of
    /// `entries`, which have the header only then: such a copy's reader asks [`super::Subscription::unsettled`].
    pub thin: Option<Thin>,
}

/// A change of one key, for readers that print each change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The key.
    pub key: Bytes,
    /// What it was when the reader last looked.
    pub old: Option<Bytes>,
    /// What it is now.
    pub new: Option<Bytes>,
}

impl Notice {
    /// Whether another object has taken the name: one was deleted and one was made between two looks. Its uid tells.
    #[must_use]
    pub fn is_another_object(&self) -> bool {
        let both = self.old.as_ref().zip(self.new.as_ref());
        both.is_some_and(|(old, new)| objects::uid(old) != objects::uid(new))
    }
}

impl Snapshot {
    /// Whether it is a state that the source had, rather than nothing yet.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.seq > 0
    }

    /// How many objects it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len() - usize::from(self.entries.contains_key(&b""[..]))
    }

    /// Whether it has no objects.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of one object; `namespace` is empty for what lives in none. O(log n).
    #[must_use]
    pub fn get(&self, namespace: &str, name: &str) -> Option<&Bytes> {
        self.entries.get(key(namespace, name).as_slice())
    }

    /// All objects, in byte order of their keys: the header is not among them.
    pub fn objects(&self) -> impl Iterator<Item = (&Bytes, &Bytes)> {
        self.entries.iter().filter(|(key, _)| !key.is_empty())
    }

    /// The objects of one namespace, in byte order of their names. O(log n + those found).
    pub fn in_namespace(&self, namespace: &str) -> impl Iterator<Item = (&Bytes, &Bytes)> {
        // '0' is the byte after '/': all keys that begin with `namespace/` lie between.
        let bound = |end: char| Bytes::from(format!("{namespace}{end}"));
        self.entries
            .range((Bound::Included(bound('/')), Bound::Excluded(bound('0'))))
    }

    /// The objects whose labels are what a selector says, in byte order of their keys.
    ///
    /// It reads the metadata of each object, and not what stands after it: O(n), and a thirtieth of the time that
    /// decoding pods takes. To look at one namespace only, filter [`Snapshot::in_namespace`] with [`is_selected`]. Who
    /// wants one selection again and again subscribes to it ([`Selection::labels`]): the source's API server selects
    /// then, and what is not wanted does not even travel.
    ///
    /// [`Selection::labels`]: crate::protocol::message::Selection::labels
    pub fn labelled<'a>(
        &'a self,
        selector: &'a LabelSelector,
    ) -> impl Iterator<Item = (&'a Bytes, &'a Bytes)> {
        self.objects()
            .filter(move |(_, value)| is_selected(value, selector))
    }

    /// What became of each key that differs, since `earlier`. Costs what differs, if the two are of one copy.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Vec<Notice> {
        earlier.entries.diff(&self.entries).map(notice).collect()
    }
}

/// Whether the labels of an object, given as a value of the view `objects` or `rows`, are what a selector says.
#[must_use]
pub fn is_selected(value: &Bytes, selector: &LabelSelector) -> bool {
    objects::is_selected(value, selector)
}

fn key(namespace: &str, name: &str) -> Vec<u8> {
    match namespace {
        "" => name.as_bytes().to_vec(),
        namespace => [namespace, name].join("/").into_bytes(),
    }
}

fn notice(item: DiffItem<'_, '_, Bytes, Bytes>) -> Notice {
    let (key, old, new) = match item {
        DiffItem::Add(key, new) => (key, None, Some(new)),
        DiffItem::Update {
            old: (_, old),
            new: (key, new),
        } => (key, Some(old), Some(new)),
        DiffItem::Remove(key, old) => (key, Some(old), None),
    };
    Notice {
        key: key.clone(),
        old: old.cloned(),
        new: new.cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn snapshot(entries: &[(&str, &str)]) -> Snapshot {
        let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        Snapshot {
            entries: entries
                .iter()
                .map(|(key, value)| (bytes(key), bytes(value)))
                .collect(),
            ..Snapshot::default()
        }
    }

    fn keys<'a>(found: impl Iterator<Item = (&'a Bytes, &'a Bytes)>) -> Vec<&'a str> {
        found
            .map(|(key, _)| std::str::from_utf8(key).unwrap())
            .collect()
    }

    #[test]
    fn objects_are_found_by_key_and_by_namespace() {
        let all = snapshot(&[
            ("", "header"),
            ("a", "1"),
            ("a-b/x", "2"),
            ("a/x", "3"),
            ("a/y", "4"),
            ("a0/x", "5"),
            ("b/x", "6"),
        ]);
        assert_eq!(keys(all.in_namespace("a")), ["a/x", "a/y"]);
        assert_eq!(keys(all.in_namespace("c")), [""; 0]);
        assert_eq!(all.get("a", "y").unwrap(), "4");
        assert_eq!(all.get("", "a").unwrap(), "1");
        assert_eq!(all.get("a", "z"), None);
        assert_eq!((all.len(), all.objects().count()), (6, 6));
        assert!(snapshot(&[("", "header")]).is_empty());
    }

    #[test]
    fn objects_are_found_by_label() {
        let object = |app: &str| format!(r#"{{"metadata":{{"labels":{{"app":"{app}"}}}}}}"#);
        let (web, api) = (object("web"), object("api"));
        let all = snapshot(&[("", "header"), ("a/1", &web), ("a/2", &api), ("b/1", &web)]);
        let selector = LabelSelector::parse("app=web").unwrap();
        assert_eq!(keys(all.labelled(&selector)), ["a/1", "b/1"]);
    }

    #[test]
    fn an_object_that_was_made_again_is_told_from_one_that_changed() {
        let object = |uid: &str, v: &str| format!(r#"{{"metadata":{{"uid":"{uid}"}},"v":{v}}}"#);
        let before = snapshot(&[("a", &object("1", "1")), ("b", &object("2", "1"))]);
        let after = snapshot(&[("a", &object("1", "2")), ("b", &object("3", "1"))]);
        let told = |notice: &Notice| (notice.key.clone(), notice.is_another_object());
        let told: Vec<_> = after.since(&before).iter().map(told).collect();
        assert_eq!(told, [("a".into(), false), ("b".into(), true)]);
    }

    proptest! {
        /// Applying what `since` says to the earlier one makes the later one, and nothing is said twice or in vain.
        #[test]
        fn a_difference_leads_from_one_to_the_other(
            before in prop::collection::btree_map("[a-c]{1,2}", "[x-z]", 0..8),
            after in prop::collection::btree_map("[a-c]{1,2}", "[x-z]", 0..8),
        ) {
            let of = |map: &BTreeMap<String, String>| {
                let pairs: Vec<_> = map.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
                snapshot(&pairs)
            };
            let (earlier, later) = (of(&before), of(&after));
            let mut made = earlier.entries.clone();
            for notice in later.since(&earlier) {
                prop_assert_ne!(&notice.old, &notice.new);
                prop_assert_eq!(made.get(&notice.key), notice.old.as_ref());
                match notice.new {
                    Some(new) => made.insert(notice.key, new),
                    None => made.remove(&notice.key),
                };
            }
            prop_assert_eq!(made, later.entries);
        }
    }
}
