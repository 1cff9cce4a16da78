//! What a playground says that it serves.

use super::super::Shared;
use super::super::kind::Kind;
use super::{accept, json_answer, not_served};
use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// `/api`.
pub(super) fn core(shared: &Shared, headers: &HeaderMap) -> Response {
    let core = groups_of(shared)
        .into_iter()
        .filter(|(group, _)| group.is_empty())
        .collect();
    answer(
        shared,
        headers,
        core,
        |_| json!({"kind": "APIVersions", "versions": ["v1"]}),
    )
}

/// `/apis`.
pub(super) fn groups(shared: &Shared, headers: &HeaderMap) -> Response {
    let others = groups_of(shared)
        .into_iter()
        .filter(|(group, _)| !group.is_empty())
        .collect();
    answer(shared, headers, others, |groups| {
        let groups: Vec<Value> = groups
            .iter()
            .map(|(group, kinds)| legacy_group(group, kinds))
            .collect();
        json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
    })
}

/// `/api/v1` or `/apis/GROUP/VERSION`.
pub(super) fn resources(shared: &Shared, group: &str, version: &str) -> Response {
    let store = shared.store();
    let kinds = store
        .kinds()
        .iter()
        .filter(|kind| kind.group == group && kind.version == version);
    let resources: Vec<Value> = kinds
        .map(|kind| {
            json!({
                "name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced, "kind": kind.kind,
                "verbs": kind.verbs(), "shortNames": kind.short_names, "categories": kind.categories,
            })
        })
        .collect();
    match resources.is_empty() {
        true => not_served(),
        false => json_answer(
            &json!({"kind": "APIResourceList", "apiVersion": "v1", "resources": resources}),
        ),
    }
}

/// Groups in their order, each with its kinds.
type Groups = Vec<(String, Vec<Kind>)>;

fn groups_of(shared: &Shared) -> Groups {
    let mut groups: Groups = Vec::new();
    for kind in shared.store().kinds() {
        match groups.iter_mut().find(|(group, _)| *group == kind.group) {
            Some((_, kinds)) => kinds.push(kind.clone()),
            None => groups.push((kind.group.clone(), vec![kind.clone()])),
        }
    }
    groups
}

/// The versions of a group in the order in which they were installed.
fn versions(kinds: &[Kind]) -> Vec<&str> {
    let mut versions: Vec<&str> = Vec::new();
    for kind in kinds {
        if !versions.contains(&kind.version.as_str()) {
            versions.push(&kind.version);
        }
    }
    versions
}

fn answer(
    shared: &Shared,
    headers: &HeaderMap,
    groups: Groups,
    legacy: impl Fn(&Groups) -> Value,
) -> Response {
    if shared.spec.legacy_discovery || !accept(headers).contains("as=APIGroupDiscoveryList") {
        return json_answer(&legacy(&groups));
    }
    let items: Vec<Value> = groups
        .iter()
        .map(|(group, kinds)| aggregated_group(group, kinds))
        .collect();
    let body = json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items});
    let body = body.to_string();
    let etag = format!("\"{:x}\"", xxhash_rust::xxh3::xxh3_64(body.as_bytes()));
    if headers
        .get(IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == etag.as_bytes())
    {
        return (StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response();
    }
    let content = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList".to_owned();
    ([(CONTENT_TYPE, content), (ETAG, etag)], body).into_response()
}

fn aggregated_group(group: &str, kinds: &[Kind]) -> Value {
    let resource = |kind: &Kind| {
        json!({
            "resource": kind.plural,
            "responseKind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
            "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
            "singularResource": kind.singular, "verbs": kind.verbs(),
            "shortNames": kind.short_names, "categories": kind.categories,
        })
    };
    let version = |version: &&str| {
        let resources: Vec<Value> = kinds
            .iter()
            .filter(|kind| kind.version == *version)
            .map(resource)
            .collect();
        json!({"version": version, "freshness": "Current", "resources": resources})
    };
    let versions: Vec<Value> = versions(kinds).iter().map(version).collect();
    json!({"metadata": {"name": group, "creationTimestamp": null}, "versions": versions})
}

fn legacy_group(group: &str, kinds: &[Kind]) -> Value {
    let version =
        |version: &str| json!({"groupVersion": format!("{group}/{version}"), "version": version});
    let versions: Vec<Value> = versions(kinds).into_iter().map(version).collect();
    json!({"name": group, "versions": versions, "preferredVersion": versions.first()})
}
