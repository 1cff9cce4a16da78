//! The seed's plain form: any object in the hub's namespace of a cluster, with the label [`DISTRIBUTE_LABEL`], is a work
//! of one manifest.
//!
//! It goes into the namespace that its annotation [`NAMESPACE_ANNOTATION`] names, else into `default`; what the hub's API
//! server wrote into it (allocated addresses, generated selectors) stays behind.

use super::work::{ManifestWorkSpec, ManifestsTemplate};
use super::{ManifestWork, ObjectMeta};
use serde_json::{Map, Value};
use xxhash_rust::xxh3::xxh3_64;

/// The label that distributes an object; its value does not matter, but for `"false"`.
pub const DISTRIBUTE_LABEL: &str = "mqinformer.io/distribute";
/// The label of an object that the hub holds: by it, one is found that has lost the other label.
pub const HELD_LABEL: &str = "mqinformer.io/held";
/// The annotation that names the namespace in the cluster.
pub const NAMESPACE_ANNOTATION: &str = "mqinformer.io/namespace";
/// The label of a synthetic work: it is in no API server.
pub const PLAIN_LABEL: &str = "mqinformer.io/plain";

/// The annotation by which the hub says of an object what became of it there.
pub const APPLIED_ANNOTATION: &str = "mqinformer.io/applied";

/// What only an API server writes, and no apply may say.
pub const SERVER_S: &[&str] = &[
    "uid",
    "resourceVersion",
    "managedFields",
    "creationTimestamp",
    "generation",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
];

/// What belongs to the object's life on the hub.
const HUB_S: &[&str] = &["ownerReferences", "finalizers", "namespace"];
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// What a job's own controller puts into it; `controller-uid` in all its spellings.
const OF_JOBS: &[&str] = &[
    "controller-uid",
    "batch.kubernetes.io/controller-uid",
    "job-name",
    "batch.kubernetes.io/job-name",
];

/// Removes these members.
pub fn without(map: &mut Map<String, Value>, keys: &[&str]) {
    keys.iter().for_each(|key| _ = map.remove(*key));
}

/// The work of an object in a cluster's namespace; none, if it is not to be distributed.
///
/// Its deletion is the work's: an object that is being deleted has a work that is.
pub fn work(object: &Value) -> Option<ManifestWork> {
    let metadata: ObjectMeta = serde::Deserialize::deserialize(object.get("metadata")?).ok()?;
    let labels = metadata.labels.clone().unwrap_or_default();
    if labels.get(DISTRIBUTE_LABEL).is_none_or(|it| it == "false") {
        return None;
    }
    Some(ManifestWork {
        metadata: ObjectMeta {
            name: Some(work_name(object)?),
            namespace: metadata.namespace.clone(),
            uid: metadata.uid.clone(),
            generation: metadata.generation.or(Some(1)),
            labels: Some([(PLAIN_LABEL.to_owned(), "true".to_owned())].into()),
            deletion_timestamp: metadata.deletion_timestamp.clone(),
            ..ObjectMeta::default()
        },
        spec: ManifestWorkSpec {
            workload: ManifestsTemplate {
                manifests: vec![manifest(object, &metadata)],
            },
            ..ManifestWorkSpec::default()
        },
        ..ManifestWork::default()
    })
}

/// The status that the object in the cluster has, for the one on the hub.
pub fn status_back(there: &Value) -> Option<&Value> {
    there.get("status").filter(|it| it.is_object())
}

/// Before the names of works of the plain form; no ManifestWork can have such a name.
const PLAIN: &str = "plain/";

/// The kind of the object, in lower case, whose work has that name; none: it is a work of its own.
pub fn kind_of(work: &str) -> Option<&str> {
    let (kind, _) = work.strip_prefix(PLAIN)?.split_once('/')?;
    Some(kind)
}

/// The name of an object's work: `plain/`, its kind, and what tells objects of a namespace apart, readably. It is no name
/// that an object could have.
pub fn work_name(object: &Value) -> Option<String> {
    let (version, kind) = (object["apiVersion"].as_str()?, object["kind"].as_str()?);
    let name = object["metadata"]["name"].as_str()?;
    // The version may change, the object stays the same.
    let group = version.rsplit_once('/').map_or("", |(group, _)| group);
    let digest = xxh3_64(format!("{group}\0{kind}\0{name}").as_bytes()) as u32;
    let readable: String = name.chars().take(180).collect();
    let kind = kind.to_lowercase();
    Some(format!("{PLAIN}{kind}/{readable}-{digest:08x}"))
}

fn manifest(object: &Value, metadata: &ObjectMeta) -> Value {
    let mut manifest = object.clone();
    let annotations = metadata.annotations.as_ref();
    let namespace = annotations.and_then(|it| it.get(NAMESPACE_ANNOTATION));
    let namespace = namespace.map_or("default", String::as_str);
    if let Some(map) = manifest.as_object_mut() {
        map.remove("status");
        if let Some(metadata) = map.get_mut("metadata").and_then(Value::as_object_mut) {
            clean(metadata);
            metadata.insert("namespace".to_owned(), namespace.into());
        }
        if let Some(spec) = map.get_mut("spec").and_then(Value::as_object_mut) {
            clean_spec(object["kind"].as_str().unwrap_or_default(), spec);
        }
    }
    manifest
}

fn clean(metadata: &mut Map<String, Value>) {
    without(metadata, SERVER_S);
    without(metadata, HUB_S);
    for (of, keys) in [
        ("labels", &[DISTRIBUTE_LABEL, HELD_LABEL][..]),
        (
            "annotations",
            &[LAST_APPLIED, NAMESPACE_ANNOTATION, APPLIED_ANNOTATION],
        ),
    ] {
        if let Some(map) = metadata.get_mut(of).and_then(Value::as_object_mut) {
            without(map, keys);
            if map.is_empty() {
                metadata.remove(of);
            }
        }
    }
}

/// What the hub's API server or its controllers wrote into a spec.
fn clean_spec(kind: &str, spec: &mut Map<String, Value>) {
    match kind {
        "Service" => {
            // Headless is the user's word, an address is not.
            if spec.get("clusterIP").is_some_and(|it| it != "None") {
                without(spec, &["clusterIP", "clusterIPs"]);
            }
            without(spec, &["healthCheckNodePort"]);
        }
        "PersistentVolumeClaim" => without(spec, &["volumeName"]),
        "Pod" => without(spec, &["nodeName"]),
        "Job" if spec.get("manualSelector") != Some(&Value::Bool(true)) => {
            without(spec, &["selector"]);
            let labels = spec
                .get_mut("template")
                .and_then(|it| it.pointer_mut("/metadata/labels"));
            if let Some(labels) = labels.and_then(Value::as_object_mut) {
                without(labels, OF_JOBS);
            }
        }
        _ => {}
    }
}
