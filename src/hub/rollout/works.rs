//! The works of a set: which there are, and what they are to say.

use super::World;
use crate::ocm::replicaset::{PLACEMENT_NAME_LABEL, REPLICA_SET_LABEL};
use crate::ocm::{ManifestWork, ManifestWorkReplicaSet, is_deleting, label, name, namespace};
use k8s_openapi::Resource as _;
use serde_json::{Map, Value, json};
use xxhash_rust::xxh3::xxh3_64;

/// The annotation that says which template a work was made of.
pub const TEMPLATE_ANNOTATION: &str = "mqinformer.io/template";

/// The works that a set has.
#[derive(Clone, Debug)]
pub struct Owned<'a> {
    works: Vec<&'a ManifestWork>,
    /// Works of others that have the set's name: where, and that name is taken.
    strangers: Vec<&'a ManifestWork>,
}

impl<'a> Owned<'a> {
    pub(super) fn of(world: &World<'a>) -> Self {
        let key = world.set.key();
        let is_ours = |it: &&ManifestWork| label(&it.metadata, REPLICA_SET_LABEL) == Some(&key);
        let (works, strangers) = world.works.iter().copied().partition(is_ours);
        Self { works, strangers }
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &'a ManifestWork> {
        self.works.iter().copied()
    }

    /// Those of a placement that are not being deleted.
    pub fn of_placement(&self, placement: &str) -> Vec<&'a ManifestWork> {
        let works = self.works.iter().copied();
        works
            .filter(|it| label(&it.metadata, PLACEMENT_NAME_LABEL) == Some(placement))
            .filter(|it| !is_deleting(&it.metadata))
            .collect()
    }

    /// Those of a placement that the set does not name any more.
    pub(super) fn of_no_placement(&self, world: &World<'_>) -> Vec<(String, String)> {
        let named = |placement: &str| {
            let mut references = world.set.spec.placement_refs.iter();
            references.any(|it| it.name == placement)
        };
        let gone = self.works.iter().filter(|it| {
            let placement = label(&it.metadata, PLACEMENT_NAME_LABEL).unwrap_or_default();
            !named(placement) && !is_deleting(&it.metadata)
        });
        gone.map(|it| key(it)).collect()
    }

    /// The name of the set's work in a cluster: what it has, else the set's, else, where that is taken, another.
    fn name_in(&self, cluster: &str, placement: &str, set: &ManifestWorkReplicaSet) -> String {
        let here = |it: &&&ManifestWork| namespace(**it) == cluster;
        let mut own = self.works.iter().filter(here);
        let of_placement = |it: &&&ManifestWork| {
            label(&it.metadata, PLACEMENT_NAME_LABEL) == Some(placement)
                && !is_deleting(&it.metadata)
        };
        if let Some(work) = own.clone().find(of_placement) {
            return name(*work).to_owned();
        }
        let taken = own.any(|it| name(*it) == name(set))
            || self
                .strangers
                .iter()
                .filter(here)
                .any(|it| name(*it) == name(set));
        match taken {
            false => name(set).to_owned(),
            true => {
                let whole = format!("{}/{placement}", set.key());
                format!("{}-{:08x}", name(set), xxh3_64(whole.as_bytes()) as u32)
            }
        }
    }
}

/// Namespace and name.
pub fn key(work: &ManifestWork) -> (String, String) {
    (namespace(work).to_owned(), name(work).to_owned())
}

/// The digest of a template.
fn digest(template: &Value) -> String {
    // serde_json's maps are sorted, so equal templates are equal texts.
    format!("{:016x}", xxh3_64(template.to_string().as_bytes()))
}

/// Whether a work says what the template says: it was made of it, and nobody has changed it since.
///
/// What an API server adds by default does not count: both are objects of its own schemas, and ours may have fewer.
pub fn says(work: &ManifestWork, template: &Value) -> bool {
    let annotations = work.metadata.annotations.as_ref();
    let made_of = annotations.and_then(|it| it.get(TEMPLATE_ANNOTATION));
    made_of.is_some_and(|it| *it == digest(template))
        && serde_json::to_value(&work.spec).is_ok_and(|spec| covers(&spec, &known_part(template)))
}

/// Of a template, what a work's type knows.
fn known_part(template: &Value) -> Value {
    let read: Result<crate::ocm::work::ManifestWorkSpec, _> =
        serde::Deserialize::deserialize(template);
    read.ok()
        .and_then(|it| serde_json::to_value(it).ok())
        .unwrap_or_else(|| template.clone())
}

/// Whether all that is wanted is there.
fn covers(there: &Value, wanted: &Value) -> bool {
    match (there, wanted) {
        (Value::Object(there), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, wanted)| there.get(key).is_some_and(|there| covers(there, wanted))),
        (Value::Array(there), Value::Array(wanted)) => {
            there.len() == wanted.len() && there.iter().zip(wanted).all(|(t, w)| covers(t, w))
        }
        _ => there == wanted,
    }
}

/// The work of a cluster.
pub(super) fn build(world: &World<'_>, owned: &Owned<'_>, cluster: &str, placement: &str) -> Value {
    let set = world.set;
    let template = &set.spec.manifest_work_template;
    let mut labels: Map<String, Value> = set
        .metadata
        .labels
        .iter()
        .flatten()
        .map(|(key, value)| (key.clone(), value.clone().into()))
        .collect();
    labels.insert(REPLICA_SET_LABEL.to_owned(), set.key().into());
    labels.insert(PLACEMENT_NAME_LABEL.to_owned(), placement.into());
    let spec = match template.is_null() {
        true => json!({}),
        false => template.clone(),
    };
    json!({
        "apiVersion": ManifestWork::API_VERSION,
        "kind": ManifestWork::KIND,
        "metadata": {
            "name": owned.name_in(cluster, placement, set),
            "namespace": cluster,
            "labels": labels,
            "annotations": {TEMPLATE_ANNOTATION: digest(template)},
        },
        "spec": spec,
    })
}
