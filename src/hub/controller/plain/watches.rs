//! Who watches the labelled objects of one kind.

use super::object::PlainObject;
use crate::kubernetes::{Collector, Heard, Kubernetes, Place, Resource, follow};
use crate::ocm::plain::{DISTRIBUTE_LABEL, HELD_LABEL};
use crate::protocol::message::{Selection, View};
use bytes::Bytes;
use serde_json::Value;
use std::collections::BTreeMap;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// Which objects of a kind a watch shows. No object is of both parts at once, but the words of the two watches may
/// come in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Those that have the label.
    Labelled,
    /// Those that had it, and are still held.
    Held,
}

/// Which watch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Which {
    pub(super) group: String,
    pub(super) plural: String,
    pub(super) part: Part,
}

/// A word of a watch; of which one, and of which of its lives.
#[derive(Debug)]
pub(in crate::hub::controller) struct Told {
    pub(super) which: Which,
    pub(super) life: u64,
    pub(super) heard: Heard,
}

/// How far a watch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// It has not answered yet.
    Begins,
    /// All is known that there is.
    Whole,
    /// It may not be read, or the kind is not there now: nobody knows what there is.
    Unknown,
}

#[derive(Debug)]
pub(super) struct Watch {
    pub(super) place: Place,
    /// `Deployment`
    pub(super) kind: String,
    pub(super) reading: Reading,
    /// What is told by an earlier one does not count.
    pub(super) life: u64,
    task: Option<AbortHandle>,
    pub(super) collector: Collector,
    /// The works of its objects, by their keys.
    pub(super) works: BTreeMap<Bytes, (String, String)>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Watch {
    pub(super) fn new(resource: &Resource) -> Self {
        Self {
            place: place(resource),
            kind: resource.kind.clone(),
            reading: Reading::Begins,
            life: 0,
            task: None,
            collector: Collector::default(),
            works: BTreeMap::new(),
        }
    }

    /// Whether anybody watches.
    pub(super) fn is_alive(&self) -> bool {
        self.task.is_some()
    }

    /// Watches the kind as it is now; what is known stays until all is read again.
    pub(super) fn start(
        &mut self,
        which: &Which,
        resource: &Resource,
        kubernetes: &Kubernetes,
        tell: &mpsc::Sender<Told>,
    ) {
        if self.is_alive() && self.place == place(resource) {
            return;
        }
        self.stop();
        self.place = place(resource);
        self.life += 1;
        self.collector = Collector::default();
        self.task = Some(run(
            kubernetes.clone(),
            (which.clone(), self.life),
            &self.place,
            tell.clone(),
        ));
    }

    /// The kind is not there now: what is known of its objects stays, since nobody says that they are gone.
    pub(super) fn lose(&mut self) {
        self.stop();
        self.reading = Reading::Unknown;
    }

    fn stop(&mut self) {
        self.task.take().inspect(AbortHandle::abort);
    }

    /// Takes an object; answers its work. One that the other watch has shown as it is later is not changed.
    pub(super) fn put(
        &mut self,
        part: Part,
        objects: &mut BTreeMap<(String, String), PlainObject>,
        key: Bytes,
        value: &Bytes,
    ) -> Option<(String, String)> {
        let value: Value = serde_json::from_slice(value).ok()?;
        let mut new = PlainObject::read(&self.place, part, &value)?;
        let id = new.id(&value)?;
        self.works.insert(key, id.clone());
        if let Some(old) = objects.get(&id) {
            if old.part != part && version(old) > version(&new) {
                return None;
            }
            new.written = old.written;
        }
        objects.insert(id.clone(), new);
        Some(id)
    }
}

fn version(of: &PlainObject) -> Option<u64> {
    of.metadata.resource_version.as_ref()?.parse().ok()
}

/// Kinds whose objects can be distributed: all that can be watched, but for what is about the hub itself.
pub(super) fn is_followed(resource: &Resource) -> bool {
    is_readable(resource) && resource.can("patch")
}

/// A kind whose definition is being deleted takes no patch any more, as its server says; but its objects go one by one,
/// and each has to be seen.
pub(super) fn is_readable(resource: &Resource) -> bool {
    let own = resource.group.ends_with("open-cluster-management.io");
    let words = matches!(
        resource.name.as_str(),
        "events" | "leases" | "endpointslices"
    );
    let all = ["list", "watch"].iter().all(|verb| resource.can(verb));
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

fn run(
    kubernetes: Kubernetes,
    (which, life): (Which, u64),
    place: &Place,
    tell: mpsc::Sender<Told>,
) -> AbortHandle {
    let labels = match which.part {
        Part::Labelled => DISTRIBUTE_LABEL.to_owned(),
        Part::Held => format!("{HELD_LABEL},!{DISTRIBUTE_LABEL}"),
    };
    let selection = Selection {
        resource: format!("{}.{}.{}", place.plural, place.version, place.group),
        labels,
        view: View::Objects,
        ..Selection::default()
    };
    let (say, mut said) = mpsc::channel(16);
    let pass_on = async move {
        while let Some(heard) = said.recv().await {
            let which = which.clone();
            if tell.send(Told { which, life, heard }).await.is_err() {
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
