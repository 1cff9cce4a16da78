//! The copies on the hub, as its watch shows them.

use super::copy::{Origin, origin_of};
use super::inert::Object;
use super::marks;
use crate::protocol::message::{Selection, View};
use bytes::Bytes;
use std::collections::HashMap;

/// All copies of the kind that a word means on the hub.
pub(super) fn selection(word: String) -> Selection {
    Selection {
        resource: word,
        labels: marks::CLUSTER.to_owned(),
        view: View::Objects,
        ..Selection::default()
    }
}

/// One copy on the hub.
#[derive(Clone, Debug)]
pub(super) struct Observed {
    /// What it says that it is a copy of.
    pub(super) origin: Option<Origin>,
    /// Its own uid.
    pub(super) uid: String,
    /// The whole object, until it was compared with what it should be.
    pub(super) unread: Option<Bytes>,
}

/// All copies of one kind, by their keys (`namespace/name`, or `name`).
#[derive(Debug, Default)]
pub(super) struct Copies {
    by_key: HashMap<Bytes, Observed>,
    parts: Vec<(Bytes, Bytes)>,
}

impl Copies {
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    pub(super) fn get(&self, key: &Bytes) -> Option<&Observed> {
        self.by_key.get(key)
    }

    /// Takes the object out to be compared: it is not kept any longer.
    pub(super) fn take_unread(&mut self, key: &Bytes) -> Option<Bytes> {
        self.by_key.get_mut(key)?.unread.take()
    }

    /// What the copies say that they are copies of.
    pub(super) fn origins(&self) -> impl Iterator<Item = &Origin> {
        self.by_key.values().filter_map(|copy| copy.origin.as_ref())
    }

    /// A list begins.
    pub(super) fn listing(&mut self) {
        self.parts.clear();
    }

    /// A part of it.
    pub(super) fn part(&mut self, part: Vec<(Bytes, Bytes)>) {
        self.parts.extend(part);
    }

    /// Its end: what is not in it is gone. Answers the origins whose copies are there, or were.
    pub(super) fn listed(&mut self, namespaced: bool) -> Vec<Origin> {
        let mut touched: Vec<_> = self.origins().cloned().collect();
        self.by_key.clear();
        for (key, value) in std::mem::take(&mut self.parts) {
            // The header's key is empty.
            if !key.is_empty() {
                touched.extend(self.put(key, value, namespaced));
            }
        }
        touched
    }

    /// One is there, or changed. Answers the origins that it is, or was, a copy of.
    pub(super) fn put(&mut self, key: Bytes, value: Bytes, namespaced: bool) -> Vec<Origin> {
        let Ok(mut object) = serde_json::from_slice::<Object>(&value) else {
            return Vec::new();
        };
        let metadata = object.get("metadata");
        let uid = metadata.and_then(|metadata| metadata["uid"].as_str());
        let copy = Observed {
            uid: uid.unwrap_or_default().to_owned(),
            origin: origin_of(&mut object, namespaced),
            unread: Some(value),
        };
        let origin = copy.origin.clone();
        let before = self.by_key.insert(key, copy).and_then(|copy| copy.origin);
        let before = before.filter(|before| Some(before) != origin.as_ref());
        origin.into_iter().chain(before).collect()
    }

    /// One is gone. Answers what it was a copy of.
    pub(super) fn remove(&mut self, key: &Bytes) -> Option<Origin> {
        self.by_key.remove(key)?.origin
    }
}
