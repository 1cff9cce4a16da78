//! Writes copies into the hub's API server.
//!
//! A namespace is made when its first copy needs it, and is marked as the cluster's. One that is not marked is somebody
//! else's: nothing is written into it, or a cluster that calls itself `kube-system` could leave its Secrets there. The
//! same holds for objects: what stands in a copy's place and is none is left alone.

use super::copy::Origin;
use super::marks;
use super::names;
use crate::kubernetes::{Kubernetes, Manner, Place, WriteError};
use crate::protocol::names::ClusterName;
use crate::source::Refusal;
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::time::Instant;

/// Who applies, as `metadata.managedFields` shows it.
const MANAGER: &str = "mqinformer-mirror";

/// So long a namespace is believed to be there and ours.
const BELIEVED: Duration = Duration::from_secs(60);

/// The hub's API server.
pub(super) struct Hub {
    pub(super) kubernetes: Kubernetes,
    namespaces: Mutex<HashMap<String, Instant>>,
}

/// What is to be done to one copy.
#[derive(Debug)]
pub(super) enum Job {
    /// Make it what it should be.
    Apply(Box<Apply>),
    /// Delete the copy that has this uid.
    Delete { place: Place, uid: String },
}

#[derive(Debug)]
pub(super) struct Apply {
    pub(super) place: Place,
    pub(super) body: Vec<u8>,
    pub(super) status: Option<Vec<u8>>,
    /// A merge patch that takes away what somebody added.
    pub(super) surplus: Option<Vec<u8>>,
    /// The copy that is there, if one is known.
    pub(super) uid: Option<String>,
    /// It was a copy of the origin as it is now, and somebody changed it.
    pub(super) repairs: bool,
}

impl Hub {
    pub(super) fn new(kubernetes: Kubernetes) -> Self {
        Self {
            kubernetes,
            namespaces: Mutex::default(),
        }
    }

    /// Does it.
    pub(super) async fn run(&self, origin: &Origin, job: Job) -> Result<(), WriteError> {
        match job {
            Job::Delete { place, uid } => self.kubernetes.delete(&place, &uid).await,
            Job::Apply(apply) => self.apply_in_namespace(origin, &apply).await,
        }
    }

    async fn apply_in_namespace(&self, origin: &Origin, apply: &Apply) -> Result<(), WriteError> {
        let namespace = &apply.place.namespace;
        if namespace.is_empty() {
            return self.apply(apply).await;
        }
        self.namespace(namespace, &origin.cluster).await?;
        let applied = self.apply(apply).await;
        match &applied {
            // Somebody deleted it meanwhile; or the kind is unknown, which is said when asked again.
            Err(WriteError::Refused(refusal)) if refusal.code == 404 => {
                self.forget(namespace);
                self.namespace(namespace, &origin.cluster).await?;
                self.apply(apply).await
            }
            Err(WriteError::Refused(refusal)) if refusal.message.contains("being terminated") => {
                self.forget(namespace);
                Err(not_now(&refusal.message))
            }
            _ => applied,
        }
    }

    async fn apply(&self, apply: &Apply) -> Result<(), WriteError> {
        let uid = match &apply.uid {
            Some(uid) => Some(uid.clone()),
            None => self.standing(&apply.place).await?,
        };
        let applied = self.apply_both(apply).await;
        // What its kind does not let anybody change: another object has taken the origin's name.
        let (Err(WriteError::Refused(refusal)), Some(uid)) = (&applied, uid) else {
            return applied;
        };
        if refusal.code != 422 {
            return applied;
        }
        tracing::debug!(place = ?apply.place, %refusal, "a copy is made anew");
        self.kubernetes.delete(&apply.place, &uid).await?;
        self.apply_both(apply).await
    }

    async fn apply_both(&self, apply: &Apply) -> Result<(), WriteError> {
        if let Some(patch) = &apply.surplus {
            self.kubernetes.merge(&apply.place, patch.clone()).await?;
        }
        let manner = |subresource| Manner {
            manager: MANAGER,
            subresource,
            force: true,
        };
        let (kubernetes, place) = (&self.kubernetes, &apply.place);
        kubernetes
            .apply(place, manner(""), apply.body.clone())
            .await?;
        let Some(status) = &apply.status else {
            return Ok(());
        };
        match kubernetes
            .apply(place, manner("status"), status.clone())
            .await
        {
            // No such subresource: the object itself has had it.
            Err(WriteError::Refused(refusal)) if refusal.code == 404 => Ok(()),
            other => other.map(drop),
        }
    }

    /// The uid of the copy that stands in a place, which the watch of copies did not show: it is new, or somebody took
    /// its label away. What the mirror has not made is not touched.
    async fn standing(&self, place: &Place) -> Result<Option<String>, WriteError> {
        let object = match self.kubernetes.object(place).await {
            Ok(object) => object,
            Err(WriteError::Refused(refusal)) if refusal.code == 404 => return Ok(None),
            Err(error) => return Err(error),
        };
        let object = read(&object);
        // Annotations may be changed by hand, too: who applied it, the API server has written down itself.
        let managers = object["metadata"]["managedFields"].as_array();
        let ours =
            |manager: &Value| manager["manager"] == MANAGER && manager["operation"] == "Apply";
        let is_its_copy = managers.into_iter().flatten().any(ours);
        match is_its_copy {
            true => Ok(object["metadata"]["uid"].as_str().map(str::to_owned)),
            false => Err(refused(
                "AlreadyExists",
                format!(
                    "an object that is no copy stands in its place on the hub: {}",
                    shown(place)
                ),
            )),
        }
    }

    /// Makes sure that there is a namespace, and that it is the cluster's.
    async fn namespace(&self, name: &str, cluster: &ClusterName) -> Result<(), WriteError> {
        let believed = |since: &Instant| since.elapsed() < BELIEVED;
        if self.namespaces().get(name).is_some_and(believed) {
            return Ok(());
        }
        let collection = Place {
            group: String::new(),
            version: "v1".to_owned(),
            plural: "namespaces".to_owned(),
            namespace: String::new(),
            name: String::new(),
        };
        let place = Place {
            name: name.to_owned(),
            ..collection.clone()
        };
        let found = match self.kubernetes.object(&place).await {
            Err(WriteError::Refused(refusal)) if refusal.code == 404 => {
                let made = self.kubernetes.create(&collection, new_namespace(cluster));
                match made.await {
                    // Another copy's turn made it a moment earlier.
                    Err(WriteError::Refused(refusal)) if refusal.code == 409 => {
                        self.kubernetes.object(&place).await?
                    }
                    made => {
                        let made = made?;
                        tracing::info!(namespace = name, %cluster, "made a namespace for a cluster's copies");
                        made
                    }
                }
            }
            found => found?,
        };
        check_namespace(&read(&found), name, cluster)?;
        self.namespaces().insert(name.to_owned(), Instant::now());
        Ok(())
    }

    fn forget(&self, namespace: &str) {
        self.namespaces().remove(namespace);
    }

    fn namespaces(&self) -> std::sync::MutexGuard<'_, HashMap<String, Instant>> {
        // Nobody panics while holding it; were it so, the map is still whole.
        self.namespaces
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn new_namespace(cluster: &ClusterName) -> Vec<u8> {
    let name = names::of_cluster(cluster);
    let namespace = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "labels": {"app.kubernetes.io/managed-by": "mqtt-informer", marks::CLUSTER: name},
            "annotations": {marks::CLUSTER: cluster.as_str()},
        },
    });
    namespace.to_string().into_bytes()
}

fn check_namespace(found: &Value, name: &str, cluster: &ClusterName) -> Result<(), WriteError> {
    let metadata = &found["metadata"];
    if metadata["deletionTimestamp"].is_string() {
        return Err(not_now(&format!("the namespace {name} is being deleted")));
    }
    match metadata["annotations"][marks::CLUSTER].as_str() {
        Some(of) if of == cluster.as_str() => Ok(()),
        Some(of) => Err(refused(
            "Forbidden",
            format!("the namespace {name} is for the copies of the cluster {of:?}"),
        )),
        None => Err(refused(
            "Forbidden",
            format!(
                "the namespace {name} of the hub is not the mirror's; to let it in, annotate it with {}: {:?}",
                marks::CLUSTER,
                cluster.as_str()
            ),
        )),
    }
}

fn read(object: &Bytes) -> Value {
    // What cannot be read is nobody's.
    serde_json::from_slice(object).unwrap_or_default()
}

fn shown(place: &Place) -> String {
    match place.namespace.as_str() {
        "" => format!("{} {}", place.plural, place.name),
        namespace => format!("{} {namespace}/{}", place.plural, place.name),
    }
}

fn not_now(message: &str) -> WriteError {
    WriteError::NotNow {
        message: message.to_owned(),
        retry_after: None,
    }
}

fn refused(reason: &str, message: String) -> WriteError {
    WriteError::Refused(Refusal {
        code: 403,
        reason: reason.to_owned(),
        message,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_for_one_cluster_and_unmarked_ones_for_none() {
        let cluster = ClusterName::new("Prod/1").unwrap();
        let made: Value = serde_json::from_slice(&new_namespace(&cluster)).unwrap();
        let name = made["metadata"]["name"].as_str().unwrap();
        assert!(check_namespace(&made, name, &cluster).is_ok());
        let other = ClusterName::new(name).unwrap();
        let error = check_namespace(&made, name, &other).unwrap_err();
        assert!(error.to_string().contains("Prod/1"), "{error}");
        let theirs = json!({"metadata": {"name": "kube-system"}});
        let error = check_namespace(&theirs, "kube-system", &other).unwrap_err();
        assert!(error.to_string().contains("annotate it with"), "{error}");
        let mut ending = made.clone();
        ending["metadata"]["deletionTimestamp"] = json!("2026-11-26T00:00:00Z");
        let error = check_namespace(&ending, name, &cluster);
        assert!(matches!(error, Err(WriteError::NotNow { .. })));
    }
}
