//! The objects that works are about, as watches of the cluster show them: one watch for each kind and namespace, and of
//! what it shows only what some work is about.

use crate::kubernetes::{Collector, Heard, Kubernetes, News, Place, follow};
use crate::ocm::AppliedResource;
use crate::ocm::work::ResourceIdentifier;
use crate::protocol::message::{Selection, View};
use bytes::Bytes;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// How many words of watches may wait.
const WAITING: usize = 256;

/// An object, as far as it is known; one of which nothing is known has to be asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum There {
    /// It is there.
    Yes(Arc<Value>),
    /// It is not.
    No,
}

/// A word of a watch; the number tells it from one of the same kind before.
pub(super) type Told = (Place, u64, Heard);

/// All watches.
pub(super) struct Objects {
    kubernetes: Kubernetes,
    watches: BTreeMap<Place, Watch>,
    /// What each work is about.
    wants: BTreeMap<String, BTreeSet<(Place, ResourceIdentifier)>>,
    tell: mpsc::Sender<Told>,
    number: u64,
}

struct Watch {
    number: u64,
    task: AbortHandle,
    collector: Collector,
    /// The objects that works are about, and those works.
    wanted: BTreeMap<ResourceIdentifier, BTreeSet<String>>,
    known: BTreeMap<ResourceIdentifier, There>,
    /// The uid of the last of each that went: the answer to a write may come after that.
    gone: BTreeMap<ResourceIdentifier, Value>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The collection that a thing is in.
pub(super) fn collection(thing: &AppliedResource) -> Place {
    Place {
        group: thing.group.clone(),
        version: thing.version.clone(),
        plural: thing.resource.clone(),
        namespace: thing.namespace.clone(),
        name: String::new(),
    }
}

/// As works name it.
pub(super) fn identifier(thing: &AppliedResource) -> ResourceIdentifier {
    ResourceIdentifier {
        group: thing.group.clone(),
        resource: thing.resource.clone(),
        name: thing.name.clone(),
        namespace: thing.namespace.clone(),
    }
}

impl Objects {
    /// None yet; what they say comes out of the receiver.
    pub(super) fn new(kubernetes: Kubernetes) -> (Self, mpsc::Receiver<Told>) {
        let (tell, told) = mpsc::channel(WAITING);
        let objects = Self {
            kubernetes,
            watches: BTreeMap::new(),
            wants: BTreeMap::new(),
            tell,
            number: 0,
        };
        (objects, told)
    }

    /// From now on, a work is about these, and no others.
    pub(super) fn want(&mut self, work: &str, things: impl Iterator<Item = AppliedResource>) {
        let new: BTreeSet<_> = things
            .map(|it| (collection(&it), identifier(&it)))
            .collect();
        let old = self.wants.remove(work).unwrap_or_default();
        for (place, id) in new.difference(&old) {
            let watch = self.watch(place);
            let works = watch.wanted.entry(id.clone()).or_default();
            works.insert(work.to_owned());
        }
        for (place, id) in old.difference(&new) {
            self.unwant(work, place, id);
        }
        if !new.is_empty() {
            self.wants.insert(work.to_owned(), new);
        }
    }

    fn unwant(&mut self, work: &str, place: &Place, id: &ResourceIdentifier) {
        let Some(watch) = self.watches.get_mut(place) else {
            return;
        };
        if let Some(works) = watch.wanted.get_mut(id) {
            works.remove(work);
            if works.is_empty() {
                watch.wanted.remove(id);
                watch.known.remove(id);
                watch.gone.remove(id);
            }
        }
        if watch.wanted.is_empty() {
            self.watches.remove(place);
        }
    }

    fn watch(&mut self, place: &Place) -> &mut Watch {
        self.number += 1;
        let (number, kubernetes, tell) = (self.number, &self.kubernetes, &self.tell);
        self.watches.entry(place.clone()).or_insert_with(|| Watch {
            number,
            task: start(kubernetes.clone(), place.clone(), number, tell.clone()),
            collector: Collector::default(),
            wanted: BTreeMap::new(),
            known: BTreeMap::new(),
            gone: BTreeMap::new(),
        })
    }

    /// Takes what a watch said; answers the works that have to look.
    pub(super) fn take(&mut self, (place, number, heard): Told) -> BTreeSet<String> {
        let watch = self.watches.get_mut(&place);
        let Some(watch) = watch.filter(|it| it.number == number) else {
            return BTreeSet::new();
        };
        match watch.collector.take(heard) {
            Some(News::Whole(all)) => watch.whole(&place, all),
            Some(News::Put(key, value)) => match id_of(&place, &key) {
                Some(id) if watch.wanted.contains_key(&id) => watch.put(&id, read(&value)),
                _ => BTreeSet::new(),
            },
            Some(News::Gone(key)) => match id_of(&place, &key) {
                Some(id) if watch.wanted.contains_key(&id) => watch.put(&id, There::No),
                _ => BTreeSet::new(),
            },
            Some(News::Refused(why)) => {
                tracing::debug!(?place, why, "objects of a work cannot be watched");
                // Each turn asks for itself then.
                watch.known.clear();
                BTreeSet::new()
            }
            Some(News::Away(_) | News::Alive) | None => BTreeSet::new(),
        }
    }

    /// What is known of an object.
    pub(super) fn known(&self, thing: &AppliedResource) -> Option<&There> {
        self.watches
            .get(&collection(thing))?
            .known
            .get(&identifier(thing))
    }

    /// What a turn has seen: its watch may not have shown it yet. That something is not there was so before the turn wrote,
    /// and is the watch's to say; so is that something has gone, whose answer to a write comes only then.
    pub(super) fn saw(&mut self, thing: &AppliedResource, there: There) {
        let id = identifier(thing);
        if let Some(watch) = self.watches.get_mut(&collection(thing))
            && watch.wanted.contains_key(&id)
            && there != There::No
            && !watch.has_gone(&id, &there)
        {
            watch.put(&id, there);
        }
    }

    /// The works that an object is about.
    pub(super) fn works(&self, thing: &AppliedResource) -> BTreeSet<String> {
        let watch = self.watches.get(&collection(thing));
        let works = watch.and_then(|it| it.wanted.get(&identifier(thing)));
        works.cloned().unwrap_or_default()
    }
}

impl Watch {
    fn whole(&mut self, place: &Place, all: Vec<(Bytes, Bytes)>) -> BTreeSet<String> {
        let mut found: BTreeMap<_, _> = all
            .iter()
            .filter_map(|(key, value)| Some((id_of(place, key)?, value)))
            .filter(|(id, _)| self.wanted.contains_key(id))
            .map(|(id, value)| (id, read(value)))
            .collect();
        let wanted: Vec<_> = self.wanted.keys().cloned().collect();
        let mut look = BTreeSet::new();
        for id in wanted {
            let there = found.remove(&id).unwrap_or(There::No);
            look.extend(self.put(&id, there));
        }
        look
    }

    /// Whether that is an object which the watch has shown to be gone.
    fn has_gone(&self, id: &ResourceIdentifier, there: &There) -> bool {
        match (self.gone.get(id), there) {
            (Some(uid), There::Yes(object)) => object["metadata"]["uid"] == *uid,
            _ => false,
        }
    }

    /// Those that have to look, if that is news; what is older than what is known is none.
    fn put(&mut self, id: &ResourceIdentifier, there: There) -> BTreeSet<String> {
        let is_news = match (self.known.get(id), &there) {
            (Some(known), new) if known == new => false,
            (Some(There::Yes(known)), There::Yes(new)) => !is_older(new, known),
            _ => true,
        };
        if !is_news {
            return BTreeSet::new();
        }
        if let (Some(There::Yes(before)), There::No) = (self.known.get(id), &there) {
            let uid = before["metadata"]["uid"].clone();
            self.gone.insert(id.clone(), uid);
        }
        self.known.insert(id.clone(), there);
        self.wanted.get(id).cloned().unwrap_or_default()
    }
}

/// Whether one state of an object is older than another one of the same.
fn is_older(new: &Value, known: &Value) -> bool {
    let version = |object: &Value| -> Option<u64> {
        object["metadata"]["resourceVersion"].as_str()?.parse().ok()
    };
    let same = new["metadata"]["uid"] == known["metadata"]["uid"];
    same && version(new)
        .zip(version(known))
        .is_some_and(|(new, known)| new < known)
}

fn read(value: &Bytes) -> There {
    match serde_json::from_slice(value) {
        Ok(object) => There::Yes(Arc::new(object)),
        // An API server's own JSON always can be read.
        Err(_) => There::No,
    }
}

/// The object that a key of a watch means.
fn id_of(place: &Place, key: &Bytes) -> Option<ResourceIdentifier> {
    let key = std::str::from_utf8(key).ok()?;
    let name = match place.namespace.as_str() {
        "" => key,
        namespace => key.strip_prefix(namespace)?.strip_prefix('/')?,
    };
    Some(ResourceIdentifier {
        group: place.group.clone(),
        resource: place.plural.clone(),
        name: name.to_owned(),
        namespace: place.namespace.clone(),
    })
}

fn start(
    kubernetes: Kubernetes,
    place: Place,
    number: u64,
    tell: mpsc::Sender<Told>,
) -> AbortHandle {
    let selection = Selection {
        resource: format!("{}.{}.{}", place.plural, place.version, place.group),
        namespace: place.namespace.clone(),
        view: View::Objects,
        ..Selection::default()
    };
    let (say, mut said) = mpsc::channel(16);
    let pass_on = async move {
        while let Some(heard) = said.recv().await {
            if tell.send((place.clone(), number, heard)).await.is_err() {
                return;
            }
        }
    };
    let follow = follow(kubernetes, selection, say);
    let task = async move {
        tokio::select! {
            () = follow => {}
            () = pass_on => {}
        }
    };
    tokio::spawn(task).abort_handle()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Event;
    use serde_json::json;

    fn object(uid: &str, version: &str) -> There {
        There::Yes(Arc::new(
            json!({"metadata": {"uid": uid, "resourceVersion": version}}),
        ))
    }

    #[tokio::test]
    async fn what_went_while_its_turn_ended_is_gone() {
        let kubernetes = Kubernetes::open("http://127.0.0.1:1".parse().unwrap()).await;
        let (mut objects, _told) = Objects::new(kubernetes.unwrap());
        let thing = AppliedResource {
            version: "v1".to_owned(),
            resource: "configmaps".to_owned(),
            namespace: "n".to_owned(),
            name: "a".to_owned(),
            ..AppliedResource::default()
        };
        objects.want("w", [thing.clone()].into_iter());
        let number = objects.number;
        let told = |there: &There| {
            let event = match there {
                There::Yes(object) => Event::Put("n/a".into(), object.to_string().into(), 1),
                There::No => Event::Delete("n/a".into(), 2),
            };
            (collection(&thing), number, Heard::Event(event))
        };
        assert!(objects.take(told(&object("1", "5"))).contains("w"));
        objects.saw(&thing, There::No);
        assert_eq!(
            objects.known(&thing),
            Some(&object("1", "5")),
            "it was so before"
        );
        assert!(
            objects.take(told(&object("1", "4"))).is_empty(),
            "it is older"
        );
        assert!(objects.take(told(&There::No)).contains("w"));
        objects.saw(&thing, object("1", "5"));
        assert_eq!(objects.known(&thing), Some(&There::No));
        objects.saw(&thing, object("2", "9"));
        assert_eq!(objects.known(&thing), Some(&object("2", "9")));
        objects.want("w", std::iter::empty());
        assert_eq!((objects.known(&thing), objects.watches.len()), (None, 0));
    }
}
