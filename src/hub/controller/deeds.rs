//! What is written to the hub's API server, and how.

use super::plain;
use crate::kubernetes::{Kubernetes, Manner, Place, WriteError};
use crate::ocm::{ObjectMeta, document};
use bytes::Bytes;
use k8s_openapi::{Metadata, Resource};
use serde::Serialize;
use serde_json::{Value, json};

/// As whom the hub applies.
pub(super) const MANAGER: &str = "mqinformer-hub";

/// One request that writes.
#[derive(Clone, Debug, PartialEq, Hash)]
pub(super) struct Deed {
    pub(super) place: Place,
    pub(super) act: Act,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Hash)]
pub(super) enum Act {
    /// Server-side apply.
    Apply {
        /// `status`, or empty for the object itself.
        subresource: &'static str,
        /// The fields that are ours.
        object: Value,
    },
    /// A merge patch.
    Merge(Value),
    /// It is made, unless it is there.
    Create(Value),
    /// It is deleted, if it is the one with this uid.
    Delete(String),
    /// An object of the plain form that no watch shows any more is followed again, if it is the one with this uid.
    Recover(String),
    /// People are told, by an event; nothing waits for it, and nothing fails with it.
    Tell(Value),
}

/// Where an object of the API is.
pub(super) fn place<K: Resource>(namespace: &str, name: &str) -> Place {
    Place {
        group: K::GROUP.to_owned(),
        version: K::VERSION.to_owned(),
        plural: K::URL_PATH_SEGMENT.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

/// Where this one is.
pub(super) fn place_of<K: Resource + Metadata<Ty = ObjectMeta>>(object: &K) -> Place {
    place::<K>(crate::ocm::namespace(object), crate::ocm::name(object))
}

/// Writes the status of an object that is there: of just that one, by its uid.
pub(super) fn status<K>(object: &K, status: &impl Serialize) -> Deed
where
    K: Resource + Metadata<Ty = ObjectMeta>,
{
    let metadata = object.metadata();
    let mut object = json!({
        "apiVersion": K::API_VERSION,
        "kind": K::KIND,
        "metadata": {"name": metadata.name, "uid": metadata.uid},
        "status": status,
    });
    if let Some(namespace) = &metadata.namespace {
        object["metadata"]["namespace"] = json!(namespace);
    }
    let place = Place {
        name: metadata.name.clone().unwrap_or_default(),
        ..place::<K>(metadata.namespace.as_deref().unwrap_or_default(), "")
    };
    let act = Act::Apply {
        subresource: "status",
        object,
    };
    Deed { place, act }
}

/// The same of an object that was just written, as its server answered.
pub(super) fn status_of(place: Place, object: &Value, status: &Value) -> Deed {
    let metadata = &object["metadata"];
    let mut applied = json!({
        "apiVersion": object["apiVersion"],
        "kind": object["kind"],
        "metadata": {"name": metadata["name"], "uid": metadata["uid"]},
        "status": status,
    });
    if metadata["namespace"].is_string() {
        applied["metadata"]["namespace"] = metadata["namespace"].clone();
    }
    let act = Act::Apply {
        subresource: "status",
        object: applied,
    };
    Deed { place, act }
}

/// Applies an object, whole.
pub(super) fn apply<K>(object: &K) -> Option<Deed>
where
    K: Resource + Metadata<Ty = ObjectMeta> + Serialize,
{
    let document = document(object).ok()?;
    let act = Act::Apply {
        subresource: "",
        object: document,
    };
    Some(Deed {
        place: place_of(object),
        act,
    })
}

/// Changes fields of an object that is there, if nobody else has meanwhile.
pub(super) fn merge(place: Place, metadata: &ObjectMeta, mut patch: Value) -> Deed {
    let (uid, version) = (&metadata.uid, &metadata.resource_version);
    patch["metadata"]["uid"] = json!(uid);
    patch["metadata"]["resourceVersion"] = json!(version);
    Deed {
        place,
        act: Act::Merge(patch),
    }
}

/// Puts a finalizer on an object; none if it is there.
pub(super) fn hold(place: Place, metadata: &ObjectMeta, finalizer: &str) -> Option<Deed> {
    if has(metadata, finalizer) {
        return None;
    }
    let mut all = metadata.finalizers.clone().unwrap_or_default();
    all.push(finalizer.to_owned());
    Some(merge(
        place,
        metadata,
        json!({"metadata": {"finalizers": all}}),
    ))
}

/// Takes a finalizer away; none if it is not there.
pub(super) fn let_go(place: Place, metadata: &ObjectMeta, finalizer: &str) -> Option<Deed> {
    if !has(metadata, finalizer) {
        return None;
    }
    let all = metadata.finalizers.iter().flatten();
    let left: Vec<_> = all.filter(|it| *it != finalizer).collect();
    Some(merge(
        place,
        metadata,
        json!({"metadata": {"finalizers": left}}),
    ))
}

/// Whether an object has a finalizer.
pub(super) fn has(metadata: &ObjectMeta, finalizer: &str) -> bool {
    metadata
        .finalizers
        .iter()
        .flatten()
        .any(|it| it == finalizer)
}

/// Deletes just this object.
pub(super) fn delete<K: Resource + Metadata<Ty = ObjectMeta>>(object: &K) -> Deed {
    let uid = object.metadata().uid.clone().unwrap_or_default();
    Deed {
        place: place_of(object),
        act: Act::Delete(uid),
    }
}

impl Deed {
    /// Does it; answers the object as it is then, if there is one.
    pub(super) async fn run(&self, kubernetes: &Kubernetes) -> Result<Option<Bytes>, WriteError> {
        let bytes = |value: &Value| value.to_string().into_bytes();
        match &self.act {
            Act::Apply {
                subresource,
                object,
            } => {
                let manner = Manner {
                    manager: MANAGER,
                    subresource,
                    force: true,
                };
                let done = kubernetes.apply(&self.place, manner, bytes(object)).await;
                match done {
                    // A kind without that subresource: the object itself has it.
                    Err(WriteError::Refused(refusal))
                        if refusal.code == 404 && !subresource.is_empty() =>
                    {
                        let patch = json!({"metadata": {"uid": object["metadata"]["uid"]}, "status": object["status"]});
                        kubernetes.merge(&self.place, bytes(&patch)).await.map(Some)
                    }
                    done => done.map(Some),
                }
            }
            Act::Merge(patch) => kubernetes.merge(&self.place, bytes(patch)).await.map(Some),
            Act::Create(object) => {
                let collection = Place {
                    name: String::new(),
                    ..self.place.clone()
                };
                match kubernetes.create(&collection, bytes(object)).await {
                    Err(WriteError::Refused(refusal)) if refusal.code == 409 => Ok(None),
                    done => done.map(Some),
                }
            }
            Act::Tell(event) => {
                let told = kubernetes.create(&self.place, bytes(event)).await;
                if let Err(error) = told {
                    tracing::debug!(%error, "an event cannot be written");
                }
                Ok(None)
            }
            Act::Recover(uid) => plain::recover(kubernetes, &self.place, uid).await,
            Act::Delete(uid) => match kubernetes.delete(&self.place, uid).await {
                // Another one has taken the name.
                Err(WriteError::Refused(refusal)) if refusal.code == 409 => Ok(None),
                done => done.map(|()| None),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocm::ManifestWork;

    #[test]
    fn finalizers_of_others_stay() {
        let mut work = ManifestWork::default();
        work.metadata.finalizers = Some(vec!["theirs".to_owned()]);
        work.metadata.resource_version = Some("7".to_owned());
        let held = hold(place_of(&work), &work.metadata, "ours").unwrap();
        let Act::Merge(patch) = held.act else {
            panic!("no patch")
        };
        assert_eq!(patch["metadata"]["finalizers"], json!(["theirs", "ours"]));
        assert_eq!(patch["metadata"]["resourceVersion"], "7");
        assert_eq!(let_go(place_of(&work), &work.metadata, "ours"), None);
        work.metadata.finalizers = Some(vec!["theirs".to_owned(), "ours".to_owned()]);
        let gone = let_go(place_of(&work), &work.metadata, "ours").unwrap();
        let Act::Merge(patch) = gone.act else {
            panic!("no patch")
        };
        assert_eq!(patch["metadata"]["finalizers"], json!(["theirs"]));
    }
}
