//! Works, and the manifests of one.

use super::told::{self, Cell, Told, age, holds, status, text, unsupported, why};
use crate::tui::grid::ObjectId;
use crate::tui::health::Health;
use crate::tui::view::target::Target;
use mqtt_informer::ocm::conditions::{find, is_true};
use mqtt_informer::ocm::work::{
    APPLIED, AVAILABLE, COMPLETE, DEGRADED, FieldValue, ManifestCondition, ManifestResourceMeta,
    PROGRESSING,
};
use mqtt_informer::ocm::{Condition, ManifestWork, is_deleting, name, namespace};
use mqtt_informer::protocol::names::ClusterName;

/// The type.
pub(super) const RESOURCE: &str = "manifestworks.v1.work.open-cluster-management.io";
/// Of works.
pub(super) const HEADS: [&str; 7] = [
    "CLUSTER",
    "NAME",
    "APPLIED",
    "AVAILABLE",
    "MANIFESTS",
    "AGE",
    "REASON",
];
/// Of manifests.
pub(super) const MANIFESTS: [&str; 7] = [
    "KIND",
    "NAMESPACE",
    "NAME",
    "APPLIED",
    "AVAILABLE",
    "FEEDBACK",
    "REASON",
];

/// A work.
pub(super) fn line(work: &ManifestWork) -> Told {
    let (cluster, conditions) = (namespace(work), &work.status.conditions);
    let told = &work.status.resource_status.manifests;
    let applied = told.iter().filter(|it| is_true(&it.conditions, APPLIED));
    let all = work.spec.workload.manifests.len().max(told.len());
    let (health, reason) = stuck(work).unwrap_or_else(|| match is_true(conditions, COMPLETE) {
        true => (Health::Done, String::new()),
        false => (Health::Well, String::new()),
    });
    Told {
        id: format!("{cluster}/{}", name(work)),
        cluster: Some(cluster.to_owned()),
        cells: vec![
            text(cluster),
            text(name(work)),
            text(status(conditions, APPLIED)),
            text(status(conditions, AVAILABLE)),
            text(format!("{}/{all}", applied.count())),
            age(&work.metadata),
        ],
        health,
        target: told::target(&work.metadata, "ManifestWork", RESOURCE),
        reason,
    }
}

/// The worst that there is to say of a work, and of which manifest.
fn stuck(work: &ManifestWork) -> Option<(Health, String)> {
    let conditions = &work.status.conditions;
    if is_deleting(&work.metadata) {
        return Some((Health::Warn, "goes: its cluster removes it".to_owned()));
    }
    let Some(applied) = find(conditions, APPLIED) else {
        let known = first(work, APPLIED).map(|why| (Health::Bad, why));
        return known.or_else(|| Some((Health::Warn, "its agent has not applied it".to_owned())));
    };
    if applied.status != "True" {
        let why = first(work, APPLIED).unwrap_or_else(|| why(applied));
        return Some((Health::Bad, why));
    }
    if let (Some(seen), Some(wanted)) = (applied.observed_generation, work.metadata.generation)
        && seen < wanted
    {
        let why = format!("its agent has applied generation {seen}, not {wanted}");
        return Some((Health::Warn, why));
    }
    holds(conditions, DEGRADED, Health::Bad)
        .or_else(|| {
            let found = find(conditions, AVAILABLE).filter(|it| it.status != "True")?;
            let why = first(work, AVAILABLE).unwrap_or_else(|| why(found));
            Some((of_unavailable(found), why))
        })
        .or_else(|| holds(conditions, PROGRESSING, Health::Warn))
        .or_else(|| unsupported(conditions))
}

/// What is known not to be there is broken; of what nobody knows, nobody knows.
fn of_unavailable(condition: &Condition) -> Health {
    match condition.status.as_str() {
        "False" => Health::Bad,
        _ => Health::Warn,
    }
}

/// The first manifest of which a condition says that it is not so, and why.
fn first(work: &ManifestWork, kind: &str) -> Option<String> {
    let mut all = work.status.resource_status.manifests.iter();
    all.find_map(|it| {
        let found = find(&it.conditions, kind).filter(|it| it.status != "True")?;
        Some(format!("{}: {}", called(&it.resource_meta), why(found)))
    })
}

/// `Deployment shop/web`
fn called(meta: &ManifestResourceMeta) -> String {
    match meta.namespace.as_str() {
        "" => format!("{} {}", meta.kind, meta.name),
        namespace => format!("{} {namespace}/{}", meta.kind, meta.name),
    }
}

/// The manifests of a work; of those that its agent has not spoken of, how many there are.
pub(super) fn manifests(work: &ManifestWork) -> Vec<Told> {
    let told = &work.status.resource_status.manifests;
    let cluster = namespace(work);
    let mut lines: Vec<_> = told.iter().map(|it| manifest(it, cluster)).collect();
    let wanted = work.spec.workload.manifests.iter().enumerate();
    lines.extend(wanted.skip(told.len()).map(|(at, manifest)| {
        let word = |path: &str| {
            text(
                manifest
                    .pointer(path)
                    .and_then(|it| it.as_str())
                    .unwrap_or(""),
            )
        };
        let mut cells: Vec<Cell> = ["/kind", "/metadata/namespace", "/metadata/name"]
            .map(word)
            .to_vec();
        cells.extend(["", "", ""].map(text));
        Told {
            id: at.to_string(),
            cluster: Some(cluster.to_owned()),
            cells,
            health: Health::Warn,
            target: None,
            reason: "its agent has not spoken of it".to_owned(),
        }
    }));
    lines
}

fn manifest(told: &ManifestCondition, cluster: &str) -> Told {
    let (meta, conditions) = (&told.resource_meta, &told.conditions);
    let not = |kind: &str| find(conditions, kind).filter(|it| it.status != "True");
    let stuck = not(APPLIED)
        .map(|it| (Health::Bad, why(it)))
        .or_else(|| holds(conditions, DEGRADED, Health::Bad))
        .or_else(|| not(AVAILABLE).map(|it| (of_unavailable(it), why(it))))
        .or_else(|| holds(conditions, PROGRESSING, Health::Warn))
        .or_else(|| {
            let unheard = find(conditions, APPLIED).is_none();
            unheard.then(|| (Health::Warn, "its agent has not applied it".to_owned()))
        });
    let (health, reason) = stuck.unwrap_or_default();
    let values = told.status_feedback.values.iter();
    let values: Vec<_> = values
        .map(|it| format!("{}={}", it.name, value(&it.field_value)))
        .collect();
    Told {
        id: meta.ordinal.to_string(),
        cluster: Some(cluster.to_owned()),
        cells: vec![
            text(meta.kind.as_str()),
            text(meta.namespace.as_str()),
            text(meta.name.as_str()),
            text(status(conditions, APPLIED)),
            text(status(conditions, AVAILABLE)),
            text(values.join(" ")),
        ],
        health,
        target: object(meta, cluster),
        reason,
    }
}

/// What came back of an object's status.
fn value(value: &FieldValue) -> String {
    let number = value.integer.map(|it| it.to_string());
    let known = number.or_else(|| value.boolean.map(|it| it.to_string()));
    let known = known.or_else(|| value.string.clone());
    known.or_else(|| value.json_raw.clone()).unwrap_or_default()
}

/// The object itself, in its cluster; none while nobody knows its type there.
fn object(meta: &ManifestResourceMeta, cluster: &str) -> Option<Target> {
    let resource = match meta.group.as_str() {
        _ if meta.resource.is_empty() => return None,
        "" => meta.resource.clone(),
        group => format!("{}.{}.{group}", meta.resource, meta.version),
    };
    Some(Target {
        resource,
        plural: meta.resource.clone(),
        kind: meta.kind.clone(),
        id: Some(ObjectId {
            cluster: ClusterName::new(cluster).ok()?,
            namespace: meta.namespace.clone(),
            name: meta.name.clone(),
        }),
        ..Target::default()
    })
}
