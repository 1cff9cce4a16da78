//! Which object a manifest is.

use crate::ocm::AppliedResource;
use crate::ocm::plain::{SERVER_S, without};
use crate::ocm::work::{
    ManifestConfig, ManifestResourceMeta, ManifestWorkSpec, ResourceIdentifier,
};
use serde_json::Value;

/// How the cluster serves a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The plural.
    pub resource: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
}

/// How the cluster serves a group, version and kind; none if it does not (yet).
pub type Kinds<'a> = &'a dyn Fn(&str, &str, &str) -> Option<Mapping>;

/// A manifest whose object is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// Which object.
    pub meta: ManifestResourceMeta,
    /// As it is applied.
    pub object: Value,
}

/// A manifest that cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// What is known of it.
    pub meta: ManifestResourceMeta,
    /// Why.
    pub message: String,
    /// Whether that may end by itself: a kind that the cluster does not serve yet.
    pub passing: bool,
}

/// A manifest as it was read.
pub type Read = Result<Manifest, Box<Unreadable>>;

/// Reads the manifests of a work; an object that comes twice is refused the second time.
pub fn read_all(spec: &ManifestWorkSpec, kinds: Kinds<'_>) -> Vec<Read> {
    let mut all: Vec<Read> = Vec::new();
    for (ordinal, raw) in spec.workload.manifests.iter().enumerate() {
        let read = read(ordinal, raw, kinds).and_then(|it| once(&all, it));
        all.push(read);
    }
    all
}

fn once(before: &[Read], new: Manifest) -> Read {
    let key = identifier(&new.meta);
    let mut same = before.iter().flatten();
    match same.find(|it| identifier(&it.meta) == key) {
        None => Ok(new),
        Some(other) => Err(Box::new(Unreadable {
            message: format!("manifest {} is the same object", other.meta.ordinal),
            meta: new.meta,
            passing: false,
        })),
    }
}

/// Reads one manifest.
///
/// # Errors
/// When it is no object, or of a kind that the cluster does not serve, or its namespace is missing.
pub fn read(ordinal: usize, raw: &Value, kinds: Kinds<'_>) -> Read {
    let mut meta = meta_of(ordinal, raw);
    let refuse = |meta: &ManifestResourceMeta, message: String, passing| {
        let meta = meta.clone();
        Err(Box::new(Unreadable {
            meta,
            message,
            passing,
        }))
    };
    let missing = [
        ("apiVersion", &meta.version),
        ("kind", &meta.kind),
        ("metadata.name", &meta.name),
    ];
    if let Some((field, _)) = missing.iter().find(|(_, value)| value.is_empty()) {
        return refuse(&meta, format!("{field} is missing"), false);
    }
    let Some(mapping) = kinds(&meta.group, &meta.version, &meta.kind) else {
        let text = format!("the server doesn't have a resource type {:?}", meta.kind);
        return refuse(&meta, text, true);
    };
    meta.resource = mapping.resource;
    if !mapping.namespaced {
        meta.namespace.clear();
    } else if meta.namespace.is_empty() {
        return refuse(&meta, "metadata.namespace is missing".to_owned(), false);
    }
    let object = cleaned(raw, mapping.namespaced);
    Ok(Manifest { meta, object })
}

/// What a manifest says of its object, whatever is served.
pub fn meta_of(ordinal: usize, raw: &Value) -> ManifestResourceMeta {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let api_version = text(&raw["apiVersion"]);
    let (group, version) = api_version
        .rsplit_once('/')
        .unwrap_or(("", api_version.as_str()));
    ManifestResourceMeta {
        ordinal: i32::try_from(ordinal).unwrap_or(i32::MAX),
        group: group.to_owned(),
        version: version.to_owned(),
        kind: text(&raw["kind"]),
        resource: String::new(),
        name: text(&raw["metadata"]["name"]),
        namespace: text(&raw["metadata"]["namespace"]),
    }
}

fn cleaned(raw: &Value, namespaced: bool) -> Value {
    let mut object = raw.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        without(metadata, SERVER_S);
        if !namespaced {
            metadata.remove("namespace");
        }
    }
    object
}

/// As a work's configurations name it.
pub fn identifier(meta: &ManifestResourceMeta) -> ResourceIdentifier {
    ResourceIdentifier {
        group: meta.group.clone(),
        resource: meta.resource.clone(),
        name: meta.name.clone(),
        namespace: meta.namespace.clone(),
    }
}

/// As the inventory lists it, once it is there.
pub fn applied(meta: &ManifestResourceMeta, uid: Option<&str>) -> AppliedResource {
    AppliedResource {
        group: meta.group.clone(),
        version: meta.version.clone(),
        resource: meta.resource.clone(),
        namespace: meta.namespace.clone(),
        name: meta.name.clone(),
        uid: uid.map(str::to_owned),
    }
}

/// How a work says that this object is treated.
pub fn config<'a>(
    spec: &'a ManifestWorkSpec,
    meta: &ManifestResourceMeta,
) -> Option<&'a ManifestConfig> {
    config_of(spec, &identifier(meta))
}

/// How a work says that the object of that name is treated, be it among its manifests or not.
pub fn config_of<'a>(
    spec: &'a ManifestWorkSpec,
    key: &ResourceIdentifier,
) -> Option<&'a ManifestConfig> {
    let mut configs = spec.manifest_configs.iter();
    configs.find(|it| it.resource_identifier == *key)
}
