//! The plain form: labelled objects of any kind, each a work of one manifest.

use super::deeds::{self, Act, Deed};
use crate::kubernetes::{Collector, Heard, Kubernetes, News, Place, Resource, follow};
use crate::ocm::conditions::find;
use crate::ocm::exchange::WorkReport;
use crate::ocm::plain::{APPLIED_ANNOTATION, DISTRIBUTE_LABEL};
use crate::ocm::work::APPLIED;
use crate::ocm::{ManifestWork, ObjectMeta, is_deleting, name, namespace, plain};
use crate::protocol::message::{Selection, View};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use xxhash_rust::xxh3::xxh3_64;

/// What keeps a labelled object until its cluster has confirmed that it is gone there.
pub(super) const FINALIZER: &str = "mqinformer.io/work";
/// How many words of watches may wait.
const WAITING: usize = 256;

/// A word of the watch of one kind.
pub(super) type Told = (Place, Heard);

/// All labelled objects.
pub(super) struct PlainObjects {
    watches: BTreeMap<Place, Watch>,
    /// By cluster and the name of the work.
    objects: BTreeMap<(String, String), PlainObject>,
    /// The kinds were read once.
    known: bool,
    tell: mpsc::Sender<Told>,
}

struct Watch {
    task: AbortHandle,
    collector: Collector,
    /// It was read whole, or may not be read.
    settled: bool,
    /// The works of its objects, by their keys.
    works: BTreeMap<Bytes, (String, String)>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One labelled object.
#[derive(Clone, Debug)]
pub(super) struct PlainObject {
    place: Place,
    api: (String, String),
    pub(super) metadata: ObjectMeta,
    /// As it travels; none: its label says no.
    pub(super) work: Option<ManifestWork>,
    /// The digest of the status that was last written back.
    written: Option<u64>,
    /// It has no label, so no watch shows it.
    is_stray: bool,
}

/// Where the object of a work is that nobody knows any more, as its agent says.
pub(super) fn place_of(cluster: &str, work: &str, report: &WorkReport) -> Option<Place> {
    let one = report.status.resource_status.manifests.first()?;
    let meta = &one.resource_meta;
    (work.starts_with("plain-") && !meta.resource.is_empty()).then(|| Place {
        group: meta.group.clone(),
        version: meta.version.clone(),
        plural: meta.resource.clone(),
        namespace: cluster.to_owned(),
        name: meta.name.clone(),
    })
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
        self.known = true;
        let wanted: BTreeSet<_> = resources
            .iter()
            .filter(|it| is_followed(it))
            .map(place)
            .collect();
        self.watches.retain(|place, _| wanted.contains(place));
        for place in wanted {
            let tell = &self.tell;
            self.watches.entry(place.clone()).or_insert_with(|| Watch {
                task: start(kubernetes.clone(), place, tell.clone()),
                collector: Collector::default(),
                settled: false,
                works: BTreeMap::new(),
            });
        }
    }

    /// Whether all kinds were read.
    pub(super) fn is_whole(&self) -> bool {
        self.known && self.watches.values().all(|it| it.settled)
    }

    /// Takes what a watch says; answers what changed: cluster and name of the work.
    pub(super) fn take(&mut self, (place, heard): Told) -> BTreeSet<(String, String)> {
        let Some(watch) = self.watches.get_mut(&place) else {
            return BTreeSet::new();
        };
        let objects = &mut self.objects;
        match watch.collector.take(heard) {
            Some(News::Whole(all)) => {
                watch.settled = true;
                let mut changed = BTreeSet::new();
                for (_, gone) in std::mem::take(&mut watch.works) {
                    changed.insert(gone);
                }
                let before: Vec<_> = changed
                    .iter()
                    .filter_map(|it| Some((it.clone(), objects.remove(it)?)))
                    .collect();
                for (key, value) in all {
                    changed.extend(watch.put(&place, objects, key, &value));
                }
                for (id, old) in before {
                    if let Some(new) = objects.get_mut(&id) {
                        new.written = old.written;
                    }
                }
                changed
            }
            Some(News::Put(key, value)) => watch
                .put(&place, objects, key, &value)
                .into_iter()
                .collect(),
            Some(News::Gone(key)) => {
                let gone = watch.works.remove(&key);
                gone.inspect(|it| _ = objects.remove(it))
                    .into_iter()
                    .collect()
            }
            Some(News::Refused(why)) => {
                if !std::mem::replace(&mut watch.settled, true) {
                    tracing::debug!(
                        kind = place.plural,
                        why,
                        "labelled objects of a kind cannot be read"
                    );
                }
                BTreeSet::new()
            }
            Some(News::Away(_) | News::Alive) | None => BTreeSet::new(),
        }
    }

    /// Takes an object that was distributed once and has lost its label: its cluster is to remove it. Answers its cluster
    /// and the name of its work.
    pub(super) fn stray(&mut self, place: &Place, value: &Bytes) -> BTreeSet<(String, String)> {
        let read = || {
            let value: Value = serde_json::from_slice(value).ok()?;
            let object = PlainObject::read(place, &value)?;
            let is_stray = object.work.is_none() && deeds::has(&object.metadata, FINALIZER);
            let id = object.id(&value).filter(|_| is_stray)?;
            Some((id, object))
        };
        let Some((id, mut object)) = read() else {
            return BTreeSet::new();
        };
        object.is_stray = true;
        self.objects.insert(id.clone(), object);
        [id].into()
    }

    /// A stray that is let go is nobody's any more; no watch will say so.
    pub(super) fn let_go(&mut self, id: &(String, String)) -> bool {
        let is_stray = self.objects.get(id).is_some_and(|it| it.is_stray);
        is_stray && self.objects.remove(id).is_some()
    }

    /// A labelled object, by its cluster and the name of its work.
    pub(super) fn get(&self, cluster: &str, work: &str) -> Option<&PlainObject> {
        self.objects.get(&(cluster.to_owned(), work.to_owned()))
    }

    /// Those in a cluster's namespace.
    pub(super) fn of_namespace<'a>(
        &'a self,
        cluster: &'a str,
    ) -> impl Iterator<Item = &'a PlainObject> {
        self.names_of(cluster)
            .filter_map(move |it| self.get(cluster, it))
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

    /// What was written back, so that it is not written again.
    pub(super) fn wrote_back(&mut self, cluster: &str, work: &str, report: &WorkReport) {
        let key = (cluster.to_owned(), work.to_owned());
        if let Some(object) = self.objects.get_mut(&key) {
            object.written = Some(digest(report));
        }
    }
}

impl Watch {
    fn put(
        &mut self,
        place: &Place,
        objects: &mut BTreeMap<(String, String), PlainObject>,
        key: Bytes,
        value: &Bytes,
    ) -> Option<(String, String)> {
        let value: Value = serde_json::from_slice(value).ok()?;
        let mut new = PlainObject::read(place, &value)?;
        let id = new.id(&value)?;
        if let Some(old) = objects.get(&id) {
            new.written = old.written;
        }
        self.works.insert(key, id.clone());
        objects.insert(id.clone(), new);
        Some(id)
    }
}

impl PlainObject {
    fn read(place: &Place, value: &Value) -> Option<Self> {
        let word = |key: &str| value[key].as_str().map(str::to_owned);
        let metadata: ObjectMeta = serde::Deserialize::deserialize(&value["metadata"]).ok()?;
        Some(Self {
            place: Place {
                namespace: metadata.namespace.clone()?,
                name: metadata.name.clone()?,
                ..place.clone()
            },
            api: (word("apiVersion")?, word("kind")?),
            metadata,
            work: plain::work(value),
            written: None,
            is_stray: false,
        })
    }

    /// Its cluster, and the name of its work, whatever its label says.
    fn id(&self, value: &Value) -> Option<(String, String)> {
        let cluster = self.metadata.namespace.clone()?;
        let name = match &self.work {
            Some(work) => name(work).to_owned(),
            None => plain::work_name(value)?,
        };
        Some((cluster, name))
    }

    /// Whether it is to be in its cluster.
    fn is_wanted(&self) -> bool {
        self.work.is_some() && !is_deleting(&self.metadata)
    }

    /// As it travels: only once it is held, and as deleted if it is not wanted any more.
    pub(super) fn travelling(&self, name: &str) -> Option<ManifestWork> {
        if !deeds::has(&self.metadata, FINALIZER) {
            return None;
        }
        let mut work = self.work.clone().unwrap_or_default();
        if !self.is_wanted() {
            let since = self.metadata.deletion_timestamp.clone();
            work.metadata = ObjectMeta {
                name: Some(name.to_owned()),
                namespace: Some(namespace(&work).to_owned()),
                uid: self.metadata.uid.clone(),
                // Which moment it was does not matter.
                deletion_timestamp: since.or_else(|| self.metadata.creation_timestamp.clone()),
                ..work.metadata
            };
        }
        Some(work)
    }

    /// What is to be done with it; `joins`: its cluster takes work.
    pub(super) fn decide(&self, report: Option<&WorkReport>, joins: bool) -> Vec<Deed> {
        let report = report.filter(|it| Some(&it.uid) == self.metadata.uid.as_ref());
        if !self.is_wanted() {
            let confirmed = report.is_some_and(|it| it.gone);
            let go =
                confirmed.then(|| deeds::let_go(self.place.clone(), &self.metadata, FINALIZER));
            return go.flatten().into_iter().collect();
        }
        if !joins {
            return Vec::new();
        }
        let hold = deeds::hold(self.place.clone(), &self.metadata, FINALIZER);
        let back = report.filter(|it| self.written != Some(digest(it)));
        let back = back.into_iter().flat_map(|it| self.back(it));
        hold.into_iter().chain(back).collect()
    }

    /// Writes back what its cluster says of it.
    fn back(&self, report: &WorkReport) -> Vec<Deed> {
        let metadata = &self.metadata;
        let mut deeds = Vec::new();
        if report.object_status.is_object() {
            let object = json!({
                "apiVersion": self.api.0,
                "kind": self.api.1,
                "metadata": {"name": metadata.name, "namespace": metadata.namespace, "uid": metadata.uid},
                "status": report.object_status,
            });
            let act = Act::Apply {
                subresource: "status",
                object,
            };
            deeds.push(Deed {
                place: self.place.clone(),
                act,
            });
        }
        let said = applied(report);
        let annotations = metadata.annotations.as_ref();
        let known = annotations.and_then(|it| it.get(APPLIED_ANNOTATION));
        if said.as_ref() != known {
            let patch = json!({"metadata": {"uid": metadata.uid, "annotations": {APPLIED_ANNOTATION: said}}});
            deeds.push(Deed {
                place: self.place.clone(),
                act: Act::Merge(patch),
            });
        }
        deeds
    }

    /// It goes with its cluster; `abandon`: without waiting for it.
    pub(super) fn farewell(&self, abandon: bool) -> Vec<Deed> {
        let uid = self.metadata.uid.clone().unwrap_or_default();
        let delete = Deed {
            place: self.place.clone(),
            act: Act::Delete(uid),
        };
        let delete = (!is_deleting(&self.metadata)).then_some(delete);
        let free = abandon.then(|| deeds::let_go(self.place.clone(), &self.metadata, FINALIZER));
        free.flatten().into_iter().chain(delete).collect()
    }
}

/// What became of it, in a word or a sentence.
fn applied(report: &WorkReport) -> Option<String> {
    let one = report.status.resource_status.manifests.first();
    let conditions = one.map(|it| it.conditions.as_slice()).unwrap_or_default();
    let said = find(conditions, APPLIED)?;
    Some(match said.status.as_str() {
        "True" => "True".to_owned(),
        status => format!("{status}: {}", said.message),
    })
}

fn digest(report: &WorkReport) -> u64 {
    let said = format!("{}\0{:?}", report.object_status, applied(report));
    xxh3_64(said.as_bytes())
}

/// Kinds whose objects can be distributed: all that can be watched, but for what is about the hub itself.
fn is_followed(resource: &Resource) -> bool {
    let own = resource.group.ends_with("open-cluster-management.io");
    let words = matches!(
        resource.name.as_str(),
        "events" | "leases" | "endpointslices"
    );
    let all = ["list", "watch", "patch"]
        .iter()
        .all(|verb| resource.can(verb));
    resource.namespaced && resource.preferred && all && !own && !words
}

fn place(resource: &Resource) -> Place {
    Place {
        group: resource.group.clone(),
        version: resource.version.clone(),
        plural: resource.name.clone(),
        namespace: String::new(),
        name: String::new(),
    }
}

fn start(kubernetes: Kubernetes, place: Place, tell: mpsc::Sender<Told>) -> AbortHandle {
    let selection = Selection {
        resource: format!("{}.{}.{}", place.plural, place.version, place.group),
        labels: DISTRIBUTE_LABEL.to_owned(),
        view: View::Objects,
        ..Selection::default()
    };
    let (say, mut said) = mpsc::channel(16);
    let pass_on = async move {
        while let Some(heard) = said.recv().await {
            if tell.send((place.clone(), heard)).await.is_err() {
                return;
            }
        }
    };
    let task = async move {
        tokio::select! {
            () = follow(kubernetes, selection, say) => {}
            () = pass_on => {}
        }
    };
    tokio::spawn(task).abort_handle()
}
