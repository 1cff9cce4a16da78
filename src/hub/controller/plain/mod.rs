//! The plain form: labelled objects of any kind, each a work of one manifest.
//!
//! Two watches a kind: of those that have the label, and of those that had it and are held by us, which have a label of
//! ours. A kind that is not there any more, or may not be read, takes nothing away: what is known of its objects stays,
//! and agents are told of which kinds all is known ([`PlainObjects::known_kinds`]).

mod object;
mod recover;
#[cfg(test)]
mod tests;
mod watches;

use object::FINALIZER;
pub(super) use object::PlainObject;
pub(super) use recover::recover;
pub(super) use watches::Told;

use super::cache::Id;
use crate::kubernetes::{Kubernetes, News, Resource};
use crate::ocm::exchange::WorkReport;
use crate::ocm::plain::DISTRIBUTE_LABEL;
use bytes::Bytes;
use object::digest;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::mpsc;
use watches::{Part, Reading, Watch, Which, is_followed, is_readable};

/// How many words of watches may wait.
const WAITING: usize = 256;

/// All labelled objects.
pub(super) struct PlainObjects {
    watches: BTreeMap<Which, Watch>,
    /// By cluster and the name of the work.
    objects: BTreeMap<Id, PlainObject>,
    /// The kinds were read once.
    known: bool,
    tell: mpsc::Sender<Told>,
}

impl PlainObjects {
    /// None yet; what their watches say comes out of the receiver.
    pub(super) fn new() -> (Self, mpsc::Receiver<Told>) {
        let (tell, told) = mpsc::channel(WAITING);
        let objects = Self {
            watches: BTreeMap::new(),
            objects: BTreeMap::new(),
            known: false,
            tell,
        };
        (objects, told)
    }

    /// These are the kinds that there are.
    pub(super) fn kinds(&mut self, kubernetes: &Kubernetes, resources: &[Resource]) {
        let tell = self.tell.clone();
        for (which, resource) in self.wanted(resources) {
            let watch = self.watches.entry(which.clone());
            let watch = watch.or_insert_with(|| Watch::new(resource));
            watch.start(&which, resource, kubernetes, &tell);
        }
    }

    /// Loses the watches of kinds that are not there; answers those that there are to be.
    fn wanted<'a>(&mut self, resources: &'a [Resource]) -> BTreeMap<Which, &'a Resource> {
        self.known = true;
        let mut wanted = BTreeMap::new();
        for resource in resources.iter().filter(|it| is_readable(it)) {
            for part in [Part::Labelled, Part::Held] {
                let which = Which {
                    group: resource.group.clone(),
                    plural: resource.name.clone(),
                    part,
                };
                if is_followed(resource) || self.watches.contains_key(&which) {
                    wanted.insert(which, resource);
                }
            }
        }
        for (which, watch) in &mut self.watches {
            if !wanted.contains_key(which) && watch.is_alive() {
                tracing::warn!(
                    kind = which.plural,
                    "a kind is not served any more: what was distributed of it stays as it is"
                );
                watch.lose();
            }
        }
        wanted
    }

    /// Whether all kinds have answered.
    pub(super) fn is_whole(&self) -> bool {
        let mut watches = self.watches.values();
        self.known && watches.all(|it| it.reading != Reading::Begins)
    }

    /// Of which kinds all labelled objects are known: of others, nobody can say that one is missing.
    pub(super) fn known_kinds(&self) -> Vec<String> {
        let mut kinds: BTreeMap<String, bool> = BTreeMap::new();
        for watch in self.watches.values() {
            let whole = kinds.entry(watch.kind.to_lowercase()).or_insert(true);
            *whole &= watch.reading == Reading::Whole;
        }
        let whole = kinds.into_iter().filter(|(_, whole)| *whole);
        whole.map(|(kind, _)| kind).collect()
    }

    /// Takes what a watch says; answers what changed: cluster and name of the work.
    pub(super) fn take(&mut self, told: Told) -> BTreeSet<Id> {
        let part = told.which.part;
        let watch = self.watches.get_mut(&told.which);
        let Some(watch) = watch.filter(|it| it.life == told.life) else {
            return BTreeSet::new();
        };
        let objects = &mut self.objects;
        match watch.collector.take(told.heard) {
            Some(News::Whole(all)) => {
                watch.reading = Reading::Whole;
                let mut changed = BTreeSet::new();
                let mut before = BTreeMap::new();
                for id in std::mem::take(&mut watch.works).into_values() {
                    before.extend(remove(objects, part, &id).map(|it| (id.clone(), it)));
                    changed.insert(id);
                }
                for (key, value) in all {
                    changed.extend(watch.put(part, objects, key, &value));
                }
                for (id, old) in before {
                    match objects.get_mut(&id) {
                        Some(new) => new.written = old.written,
                        None => leave(objects, id, old),
                    }
                }
                changed
            }
            Some(News::Put(key, value)) => {
                let put = watch.put(part, objects, key, &value);
                put.into_iter().collect()
            }
            Some(News::Gone(key)) => {
                let gone = watch.works.remove(&key);
                let gone = gone.and_then(|id| remove(objects, part, &id).map(|it| (id, it)));
                let id = gone.map(|(id, old)| {
                    leave(objects, id.clone(), old);
                    id
                });
                id.into_iter().collect()
            }
            Some(News::Refused(why)) => {
                if watch.reading != Reading::Unknown {
                    tracing::debug!(
                        kind = told.which.plural,
                        why,
                        "labelled objects of a kind cannot be read"
                    );
                }
                watch.reading = Reading::Unknown;
                BTreeSet::new()
            }
            Some(News::Away(_) | News::Alive) | None => BTreeSet::new(),
        }
    }

    /// A labelled object, by its cluster and the name of its work.
    pub(super) fn get(&self, cluster: &str, work: &str) -> Option<&PlainObject> {
        self.objects.get(&(cluster.to_owned(), work.to_owned()))
    }

    /// All, by their clusters and the names of their works.
    pub(super) fn ids(&self) -> impl Iterator<Item = &Id> {
        self.objects.keys()
    }

    /// Those in a cluster's namespace that can be deleted: of kinds that are there.
    pub(super) fn of_namespace<'a>(
        &'a self,
        cluster: &'a str,
    ) -> impl Iterator<Item = &'a PlainObject> {
        let all = self.names_of(cluster);
        all.filter_map(move |it| self.get(cluster, it))
            .filter(|it| self.is_served(it))
    }

    fn is_served(&self, object: &PlainObject) -> bool {
        let watch = self.watches.get(&Which {
            group: object.place.group.clone(),
            plural: object.place.plural.clone(),
            part: object.part,
        });
        watch.is_some_and(Watch::is_alive)
    }

    /// The names of their works.
    pub(super) fn names_of<'a>(&'a self, cluster: &'a str) -> impl Iterator<Item = &'a str> {
        let from = (cluster.to_owned(), String::new());
        let here = self
            .objects
            .range(from..)
            .take_while(move |((of, _), _)| of == cluster);
        here.map(|((_, work), _)| work.as_str())
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.objects.len()
    }

    /// What was found of one that no watch showed any more: the object, if it is to be followed. Answers whether that is
    /// news.
    pub(super) fn found(&mut self, id: &Id, answer: Option<&Bytes>) -> bool {
        let Some(old) = self.objects.get(id).filter(|it| it.is_adrift) else {
            // A watch was faster.
            return false;
        };
        let value = answer.and_then(|it| serde_json::from_slice::<Value>(it).ok());
        let new = value.and_then(|it| {
            let part = match it["metadata"]["labels"][DISTRIBUTE_LABEL].is_string() {
                true => Part::Labelled,
                false => Part::Held,
            };
            PlainObject::read(&old.place, part, &it)
        });
        match new {
            Some(new) => _ = self.objects.insert(id.clone(), new),
            None => _ = self.objects.remove(id),
        }
        true
    }

    /// What was written back, so that it is not written again.
    pub(super) fn wrote_back(&mut self, cluster: &str, work: &str, report: &WorkReport) {
        let key = (cluster.to_owned(), work.to_owned());
        if let Some(object) = self.objects.get_mut(&key) {
            object.written = Some(digest(report));
        }
    }
}

/// No watch shows an object any more. While we hold it, it is asked for before it counts as gone.
fn leave(objects: &mut BTreeMap<Id, PlainObject>, id: Id, mut old: PlainObject) {
    if old.is_held() {
        old.is_adrift = true;
        objects.insert(id, old);
    }
}

/// Removes an object that this part has shown last.
fn remove(objects: &mut BTreeMap<Id, PlainObject>, part: Part, id: &Id) -> Option<PlainObject> {
    let is_its = objects.get(id).is_some_and(|it| it.part == part);
    is_its.then(|| objects.remove(id)).flatten()
}
