//! From an object to its copy: what is applied to the hub.
//!
//! What belongs to the origin's life in its own API server stays there: uid, resourceVersion, generation, timestamps,
//! ownerReferences (the hub's garbage collector would find no owner and delete the copy), finalizers (nobody would take
//! them away), managedFields. Where it came from is said by labels and annotations ([`super::marks`]).
//!
//! Pure.

use super::inert::{Object, Status, Treatment, annotations, made, object};
use super::marks;
use super::names::{self, LABEL};
use crate::protocol::names::ClusterName;
use bytes::Bytes;
use serde_json::{Value, json};

/// An origin's status that is longer is not noted: annotations have 256 KiB all together.
const LONGEST_STATUS: usize = 64 * 1024;

/// What all objects of one kind of one cluster have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// `apps`, or empty.
    pub(super) group: String,
    /// `v1`.
    pub(super) version: String,
    /// `deployments`.
    pub(super) plural: String,
    /// `Deployment`.
    pub(super) kind: String,
    /// Whether objects live in namespaces.
    pub(super) namespaced: bool,
}

/// Which object, of which cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Origin {
    /// Whose.
    pub(super) cluster: ClusterName,
    /// Its key in the stream: `namespace/name`, or `name`.
    pub(super) key: Bytes,
}

/// A copy as it should be.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Copy {
    /// The whole object; its status too, if that is copied.
    pub(super) object: Object,
}

/// Why an object has no copy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    #[error(
        "its values stay in its cluster: label it mqtt-resource there, or start the syncer with --show-secrets"
    )]
    Redacted,
    #[error("it is a copy itself, and copies are not copied again")]
    Copied,
    #[error("it cannot be read: {0}")]
    Unreadable(String),
}

impl Origin {
    /// Its namespace, empty for none, and its name; none for a key that is no object's.
    pub(super) fn names(&self, namespaced: bool) -> Option<(&str, &str)> {
        let key = std::str::from_utf8(&self.key).ok()?;
        let (namespace, name) = match namespaced {
            true => key.split_once('/')?,
            false => ("", key),
        };
        let empty = name.is_empty() || (namespaced && namespace.is_empty());
        (!empty && !name.contains('/')).then_some((namespace, name))
    }

    /// Where its copy is: namespace and name.
    pub(super) fn place(
        &self,
        namespaced: bool,
        treatment: &Treatment,
    ) -> Option<(String, String)> {
        let (namespace, name) = self.names(namespaced)?;
        let copy = names::of_copy(&self.cluster, namespace, name, treatment.form);
        let folder = match namespaced {
            true => names::of_cluster(&self.cluster),
            false => String::new(),
        };
        Some((folder, copy))
    }
}

/// The copy of an object, or why there is none.
pub(super) fn copy(
    origin: &Origin,
    value: &Bytes,
    kind: &Kind,
    treatment: &Treatment,
) -> Result<Copy, Unfit> {
    let unreadable = |why: &str| Unfit::Unreadable(why.to_owned());
    let place = origin.place(kind.namespaced, treatment);
    let (namespace, name) = place.ok_or_else(|| unreadable("its key is no name"))?;
    let read: Result<Object, _> = serde_json::from_slice(value);
    let mut object = read.map_err(|error| Unfit::Unreadable(error.to_string()))?;
    let Some(Value::Object(metadata)) = object.remove("metadata") else {
        return Err(unreadable("it has no metadata"));
    };
    let has = |part: &str, mark: &str| {
        let part = metadata.get(part).and_then(Value::as_object);
        part.is_some_and(|part| part.contains_key(mark))
    };
    if has("annotations", marks::REDACTED) {
        return Err(Unfit::Redacted);
    }
    if has("labels", marks::CLUSTER) {
        return Err(Unfit::Copied);
    }
    let api_version = match kind.group.as_str() {
        "" => kind.version.clone(),
        group => format!("{group}/{}", kind.version),
    };
    object.insert("apiVersion".to_owned(), json!(api_version));
    object.insert("kind".to_owned(), json!(kind.kind));
    let marked = marked(origin, kind, metadata);
    object.insert("metadata".to_owned(), Value::Object(marked));
    // It edits the status, too.
    (treatment.edit)(&mut object);
    if treatment.status == Status::Noted {
        note_status(&mut object);
    }
    let metadata = made(&mut object, "metadata");
    metadata.insert("name".to_owned(), json!(name));
    if !namespace.is_empty() {
        metadata.insert("namespace".to_owned(), json!(namespace));
    }
    Ok(Copy { object })
}

/// The origin's labels and annotations, and where they come from.
fn marked(origin: &Origin, kind: &Kind, mut metadata: Object) -> Object {
    let mut kept = Object::new();
    for part in ["labels", "annotations"] {
        let own = match metadata.remove(part) {
            Some(Value::Object(own)) => own,
            _ => Object::new(),
        };
        let foreign = |name: &str| !name.starts_with(marks::PREFIX) && name != marks::LAST_APPLIED;
        let own = own.into_iter().filter(|(name, _)| foreign(name)).collect();
        kept.insert(part.to_owned(), Value::Object(own));
    }
    // A key that is no name has no copy: see `copy`.
    let (namespace, name) = origin.names(kind.namespaced).unwrap_or_default();
    let labels = made(&mut kept, "labels");
    let cluster = names::of_cluster(&origin.cluster);
    labels.insert(marks::CLUSTER.to_owned(), json!(cluster));
    if (1..=LABEL).contains(&namespace.len()) {
        labels.insert(marks::NAMESPACE.to_owned(), json!(namespace));
    }
    let noted = made(&mut kept, "annotations");
    noted.insert(marks::CLUSTER.to_owned(), json!(origin.cluster.as_str()));
    noted.insert(marks::NAME.to_owned(), json!(name));
    if kind.namespaced {
        noted.insert(marks::NAMESPACE.to_owned(), json!(namespace));
    }
    for (field, mark) in [
        ("uid", marks::UID),
        ("resourceVersion", marks::RESOURCE_VERSION),
        ("creationTimestamp", marks::CREATED),
        ("deletionTimestamp", marks::DELETING),
    ] {
        if let Some(Value::String(text)) = metadata.remove(field) {
            noted.insert(mark.to_owned(), Value::String(text));
        }
    }
    kept
}

fn note_status(object: &mut Object) {
    let status = object.remove("status").map(|status| status.to_string());
    if let Some(status) = status.filter(|text| text.len() <= LONGEST_STATUS) {
        annotations(object).insert(marks::STATUS.to_owned(), Value::String(status));
    }
}

impl Copy {
    /// What is applied to the object itself.
    pub(super) fn body(&self) -> Vec<u8> {
        Value::Object(self.object.clone()).to_string().into_bytes()
    }

    /// What is applied to its status, if there is one.
    pub(super) fn status_body(&self) -> Option<Vec<u8>> {
        let status = self.object.get("status")?;
        let metadata = self.object.get("metadata")?;
        let mut body = json!({
            "apiVersion": self.object.get("apiVersion")?,
            "kind": self.object.get("kind")?,
            "metadata": {"name": metadata.get("name")?},
            "status": status,
        });
        if let Some(namespace) = metadata.get("namespace") {
            body["metadata"]["namespace"] = namespace.clone();
        }
        Some(body.to_string().into_bytes())
    }

    /// Whether an object of the hub is this copy already, whatever it has besides: defaults, and what others set.
    pub(super) fn is(&self, observed: &Object) -> bool {
        let contained = |(name, wanted): (&String, &Value)| holds(observed.get(name), wanted);
        self.object.iter().all(contained) && self.surplus(observed).is_none()
    }

    /// Whether an object of the hub was made of the origin as it is now, whatever became of it since.
    pub(super) fn is_of_the_same(&self, observed: &Object) -> bool {
        let made_of = |object: &Object| {
            let annotations = object.get("metadata")?.get("annotations")?;
            let of = |mark: &str| annotations.get(mark).cloned();
            Some((of(marks::UID)?, of(marks::RESOURCE_VERSION)?))
        };
        made_of(&self.object).is_some_and(|ours| made_of(observed) == Some(ours))
    }

    /// What somebody has added to an object that consists of its keys: a merge patch that takes it away.
    pub(super) fn surplus(&self, observed: &Object) -> Option<Vec<u8>> {
        let mut patch = Object::new();
        for field in ["data", "binaryData"] {
            let Some(Value::Object(there)) = observed.get(field) else {
                continue;
            };
            let wanted = self.object.get(field).and_then(Value::as_object);
            let is_wanted = |key: &String| wanted.is_some_and(|wanted| wanted.contains_key(key));
            let gone = there.keys().filter(|key| !is_wanted(key));
            let gone: Object = gone.map(|key| (key.clone(), Value::Null)).collect();
            if !gone.is_empty() {
                patch.insert(field.to_owned(), Value::Object(gone));
            }
        }
        (!patch.is_empty()).then(|| Value::Object(patch).to_string().into_bytes())
    }
}

/// Whether what is there has all that is wanted. What is empty need not be there.
fn holds(there: Option<&Value>, wanted: &Value) -> bool {
    match (there, wanted) {
        (_, Value::Null) => true,
        (None, Value::Object(wanted)) => wanted.is_empty(),
        (None, Value::Array(wanted)) => wanted.is_empty(),
        (None, _) => false,
        (Some(Value::Object(there)), Value::Object(wanted)) => wanted
            .iter()
            .all(|(name, wanted)| holds(there.get(name), wanted)),
        // Lists are merged by keys, or replaced: either way each wanted item is somewhere.
        (Some(Value::Array(there)), Value::Array(wanted)) => {
            there.len() >= wanted.len()
                && wanted
                    .iter()
                    .all(|wanted| there.iter().any(|item| holds(Some(item), wanted)))
        }
        (Some(there), wanted) => there == wanted,
    }
}

/// What an object of the hub says that it is a copy of: by its labels and annotations, which anybody there may write.
pub(super) fn origin_of(observed: &mut Object, namespaced: bool) -> Option<Origin> {
    let label = object(observed, &["metadata", "labels"])?.get(marks::CLUSTER)?;
    let label = label.as_str()?.to_owned();
    let annotations = object(observed, &["metadata", "annotations"])?;
    let text = |mark: &str| annotations.get(mark)?.as_str();
    let cluster = ClusterName::new(text(marks::CLUSTER)?).ok()?;
    let key = match namespaced {
        true => format!("{}/{}", text(marks::NAMESPACE)?, text(marks::NAME)?),
        false => text(marks::NAME)?.to_owned(),
    };
    (label == names::of_cluster(&cluster)).then(|| Origin {
        cluster,
        key: key.into(),
    })
}

#[cfg(test)]
#[path = "copy_tests.rs"]
mod tests;
