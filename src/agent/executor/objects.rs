//! The objects that works are about, as watches of the cluster show them: one watch for each kind and namespace, and of
//! what it shows only what some work is about.

use super::sight::{Sight, There};
use crate::kubernetes::{Collector, Heard, Kubernetes, News, Place, follow};
use crate::ocm::AppliedResource;
use crate::ocm::work::ResourceIdentifier;
use crate::protocol::message::{Selection, View};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// How many words of watches may wait.
const WAITING: usize = 256;

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
    /// The objects that works are about.
    wanted: BTreeMap<ResourceIdentifier, Wanted>,
}

#[derive(Default)]
struct Wanted {
    works: BTreeSet<String>,
    sight: Sight,
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
            let wanted = watch.wanted.entry(id.clone()).or_default();
            wanted.works.insert(work.to_owned());
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
        if let Some(wanted) = watch.wanted.get_mut(id) {
            wanted.works.remove(work);
            if wanted.works.is_empty() {
                watch.wanted.remove(id);
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
            Some(News::Put(key, value)) => watch.told(&place, &key, Some(&value)),
            Some(News::Gone(key)) => watch.told(&place, &key, None),
            Some(News::Refused(why)) => {
                tracing::debug!(?place, why, "objects of a work cannot be watched");
                // Each turn asks for itself then.
                watch.wanted.values_mut().for_each(|it| it.sight.forget());
                BTreeSet::new()
            }
            Some(News::Away(_) | News::Alive) | None => BTreeSet::new(),
        }
    }

    /// What is known of an object.
    pub(super) fn known(&self, thing: &AppliedResource) -> Option<&There> {
        self.wanted(thing)?.sight.known()
    }

    /// How often its watch has spoken of an object.
    pub(super) fn words(&self, thing: &AppliedResource) -> u64 {
        self.wanted(thing).map_or(0, |it| it.sight.words())
    }

    /// What a turn has seen that began after so many words of the watch, which may not have shown it yet. That something
    /// is not there was so before the turn wrote, and is the watch's to say.
    pub(super) fn saw(&mut self, thing: &AppliedResource, there: &There, words: u64) {
        let watch = self.watches.get_mut(&collection(thing));
        let wanted = watch.and_then(|it| it.wanted.get_mut(&identifier(thing)));
        if let (Some(wanted), There::Yes(object)) = (wanted, there) {
            wanted.sight.saw(Arc::clone(object), words);
        }
    }

    /// The works that an object is about.
    pub(super) fn works(&self, thing: &AppliedResource) -> BTreeSet<String> {
        let works = self.wanted(thing).map(|it| it.works.clone());
        works.unwrap_or_default()
    }

    fn wanted(&self, thing: &AppliedResource) -> Option<&Wanted> {
        let watch = self.watches.get(&collection(thing))?;
        watch.wanted.get(&identifier(thing))
    }
}

impl Watch {
    /// A list: what is not in it was not there.
    fn whole(&mut self, place: &Place, all: Vec<(Bytes, Bytes)>) -> BTreeSet<String> {
        let found: BTreeMap<_, _> = all
            .iter()
            .filter_map(|(key, value)| Some((id_of(place, key)?, value)))
            .collect();
        let each = self.wanted.iter_mut();
        each.filter_map(|(id, wanted)| wanted.told(found.get(id).copied()))
            .flatten()
            .collect()
    }

    fn told(&mut self, place: &Place, key: &Bytes, value: Option<&Bytes>) -> BTreeSet<String> {
        let id = id_of(place, key);
        let wanted = id.and_then(|id| self.wanted.get_mut(&id));
        wanted.and_then(|it| it.told(value)).unwrap_or_default()
    }
}

impl Wanted {
    /// The works that have to look, if that is news.
    fn told(&mut self, value: Option<&Bytes>) -> Option<BTreeSet<String>> {
        let is_news = match value.map(|it| serde_json::from_slice(it)) {
            Some(Ok(object)) => self.sight.shows(Arc::new(object)),
            Some(Err(_)) => {
                self.sight.forget();
                true
            }
            None => self.sight.is_gone(),
        };
        is_news.then(|| self.works.clone())
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

    #[tokio::test]
    async fn works_look_at_what_is_news_of_their_objects() {
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
        let said = |event| (collection(&thing), number, Heard::Event(event));
        let put = |key: &'static str, version: &str| {
            let object = json!({"metadata": {"uid": "1", "resourceVersion": version}});
            said(Event::Put(key.into(), object.to_string().into(), 1))
        };
        assert!(objects.take(put("n/other", "4")).is_empty());
        assert!(objects.take(put("n/a", "5")).contains("w"));
        assert!(objects.take(put("n/a", "4")).is_empty(), "it is older");
        objects.saw(&thing, &There::No, objects.words(&thing));
        assert!(
            matches!(objects.known(&thing), Some(There::Yes(_))),
            "it was so before"
        );
        let gone = said(Event::Delete("n/a".into(), 2));
        assert!(objects.take(gone).contains("w"));
        assert_eq!(objects.known(&thing), Some(&There::No));
        objects.want("w", std::iter::empty());
        assert_eq!((objects.known(&thing), objects.watches.len()), (None, 0));
    }
}
