//! From snapshots to kube-rs's events. Pure.

use crate::informer::{Notice, Snapshot, objects};
use bytes::Bytes;
use kube::runtime::watcher::{Error, Event};
use serde::de::DeserializeOwned;
use std::collections::{HashMap, VecDeque};
use std::marker::PhantomData;

/// What has to be told before the next snapshot is looked at.
#[derive(Debug)]
enum Step {
    Init,
    InitApply(Bytes),
    InitDone,
    Change(Notice),
    /// The second half of an object that was deleted and made again.
    Apply(Bytes),
}

/// Tells one snapshot after the other as events, each as the difference from the one before.
///
/// - The first whole copy comes as `Init`, an `InitApply` for each object, `InitDone`: in one piece, of one snapshot.
/// - What comes later is `Apply` and `Delete`. There is no second `Init`: a copy is repaired by differences, deletes
///   included, and never goes back.
/// - A `Delete` carries the last object that was told. An object that was deleted and made again between two looks (its
///   uid tells) is a `Delete` and an `Apply`.
/// - What cannot be decoded is an error. Among the first objects it ends the attempt: `InitDone` promises that all are
///   there; the next snapshot is a new `Init`. Later it is told for that object, which stays as it was.
///
/// It holds the last snapshot, and of the next one what was not told yet: bounded by two copies, values shared.
#[derive(Debug)]
pub(super) struct Translator<K> {
    /// The snapshot that the steps lead to; none before the first `Init`.
    seen: Option<Snapshot>,
    steps: VecDeque<Step>,
    /// Keys whose newest value cannot be decoded, with the last one told, if there was one.
    unreadable: HashMap<Bytes, Option<Bytes>>,
    kind: PhantomData<fn() -> K>,
}

impl<K: DeserializeOwned> Translator<K> {
    pub(super) fn new() -> Self {
        Self {
            seen: None,
            steps: VecDeque::new(),
            unreadable: HashMap::new(),
            kind: PhantomData,
        }
    }

    /// Looks at the newest snapshot. To be called when everything before was told.
    pub(super) fn see(&mut self, snapshot: &Snapshot) {
        match &self.seen {
            None => {
                let objects = snapshot.objects();
                self.steps.push_back(Step::Init);
                self.steps
                    .extend(objects.map(|(_, value)| Step::InitApply(value.clone())));
                self.steps.push_back(Step::InitDone);
            }
            Some(seen) => {
                let changes = snapshot.since(seen).into_iter();
                let objects = changes.filter(|change| !change.key.is_empty());
                self.steps.extend(objects.map(Step::Change));
            }
        }
        self.seen = Some(snapshot.clone());
    }

    /// The next event, until all of the snapshot was told.
    pub(super) fn next(&mut self) -> Option<Result<Event<K>, Error>> {
        loop {
            let told = match self.steps.pop_front()? {
                Step::Init => Some(Ok(Event::Init)),
                Step::InitDone => Some(Ok(Event::InitDone)),
                Step::InitApply(value) => Some(self.first(&value)),
                Step::Apply(value) => Some(decode(&value).map(Event::Apply)),
                Step::Change(change) => self.change(change),
            };
            if told.is_some() {
                return told;
            }
        }
    }

    fn first(&mut self, value: &Bytes) -> Result<Event<K>, Error> {
        decode(value).map(Event::InitApply).map_err(|error| {
            self.steps.clear();
            self.seen = None;
            match error {
                Error::WatchFailed(error) => Error::InitialListFailed(error),
                error => error,
            }
        })
    }

    /// A change of one key, from what was last told of it.
    fn change(&mut self, change: Notice) -> Option<Result<Event<K>, Error>> {
        let known = self.unreadable.remove(&change.key).unwrap_or(change.old);
        match (known, change.new) {
            (None, None) => None,
            (Some(known), None) => Some(decode(&known).map(Event::Delete)),
            (known, Some(new)) => match decode(&new) {
                Err(error) => {
                    self.unreadable.insert(change.key, known);
                    Some(Err(error))
                }
                Ok(object) => match known {
                    Some(known) if objects::uid(&known) != objects::uid(&new) => {
                        self.steps.push_front(Step::Apply(new));
                        Some(decode(&known).map(Event::Delete))
                    }
                    _ => Some(Ok(Event::Apply(object))),
                },
            },
        }
    }
}

fn decode<K: DeserializeOwned>(value: &Bytes) -> Result<K, Error> {
    serde_json::from_slice(value)
        .map_err(|error| Error::WatchFailed(kube::Error::SerdeError(error)))
}

#[cfg(test)]
#[path = "translate_tests.rs"]
mod tests;
