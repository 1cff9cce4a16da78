//! What API servers answer to discovery: aggregated (v2 and v2beta1), or legacy lists.

use super::super::catalog::Resource;
use super::super::failure::Failure;
use serde::Deserialize;

pub(super) fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Failure> {
    let unlike = |error| {
        Failure::unavailable(format!(
            "the API server's discovery is unlike any known: {error}"
        ))
    };
    serde_json::from_slice(bytes).map_err(unlike)
}

/// What `/api` and `/apis` may answer.
#[derive(Deserialize)]
#[serde(tag = "kind")]
pub(super) enum Groups {
    #[serde(rename = "APIGroupDiscoveryList")]
    Aggregated { items: Vec<Group> },
    #[serde(rename = "APIVersions")]
    Core { versions: Vec<String> },
    #[serde(rename = "APIGroupList")]
    Legacy { groups: Vec<LegacyGroup> },
}

#[derive(Deserialize)]
pub(super) struct Group {
    #[serde(default)]
    metadata: GroupMetadata,
    #[serde(default)]
    versions: Vec<Version>,
}

#[derive(Default, Deserialize)]
struct GroupMetadata {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Version {
    version: String,
    #[serde(default)]
    resources: Vec<Described>,
    #[serde(default)]
    freshness: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    resource: String,
    response_kind: Option<ResponseKind>,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    singular_resource: String,
    #[serde(default)]
    verbs: Vec<String>,
    #[serde(default)]
    short_names: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
}

#[derive(Deserialize)]
struct ResponseKind {
    kind: String,
}

impl Group {
    pub(super) fn resources(self) -> impl Iterator<Item = Resource> {
        let group = self.metadata.name;
        // A stale version is one whose own server does not answer: client-go passes over it.
        let fresh = self
            .versions
            .into_iter()
            .filter(|version| version.freshness != "Stale");
        fresh.enumerate().flat_map(move |(index, version)| {
            let group = group.clone();
            version.resources.into_iter().filter_map(move |found| {
                let kind = found.response_kind?.kind;
                Some(Resource {
                    singular: singular(found.singular_resource, &kind),
                    kind,
                    name: found.resource,
                    short_names: found.short_names,
                    group: group.clone(),
                    version: version.version.clone(),
                    preferred: index == 0,
                    namespaced: found.scope == "Namespaced",
                    verbs: found.verbs,
                    categories: found.categories,
                })
            })
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LegacyGroup {
    name: String,
    versions: Vec<LegacyVersion>,
    preferred_version: Option<LegacyVersion>,
}

#[derive(Deserialize)]
struct LegacyVersion {
    version: String,
}

impl LegacyGroup {
    /// (group, version), the preferred version first.
    pub(super) fn versions(self) -> Vec<(String, String)> {
        let preferred = self.preferred_version.map(|preferred| preferred.version);
        let mut versions: Vec<String> = self.versions.into_iter().map(|v| v.version).collect();
        versions.sort_by_key(|version| Some(version) != preferred.as_ref());
        versions
            .into_iter()
            .map(|version| (self.name.clone(), version))
            .collect()
    }
}

#[derive(Deserialize)]
pub(super) struct LegacyList {
    resources: Vec<LegacyResource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LegacyResource {
    name: String,
    kind: String,
    #[serde(default)]
    singular_name: String,
    #[serde(default)]
    namespaced: bool,
    #[serde(default)]
    verbs: Vec<String>,
    #[serde(default)]
    short_names: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
}

impl LegacyList {
    pub(super) fn resources(
        self,
        group: &str,
        version: &str,
        preferred: bool,
    ) -> impl Iterator<Item = Resource> {
        let whole = self
            .resources
            .into_iter()
            .filter(|found| !found.name.contains('/'));
        whole.map(move |found| Resource {
            singular: singular(found.singular_name, &found.kind),
            name: found.name,
            kind: found.kind,
            short_names: found.short_names,
            group: group.into(),
            version: version.into(),
            preferred,
            namespaced: found.namespaced,
            verbs: found.verbs,
            categories: found.categories,
        })
    }
}

/// Servers that list no singular mean the kind.
fn singular(listed: String, kind: &str) -> String {
    if listed.is_empty() {
        kind.to_lowercase()
    } else {
        listed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aggregated_discovery_is_read() {
        let body = br#"{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","metadata":{},"items":[
          {"metadata":{"name":"apps","creationTimestamp":null},"versions":[
            {"version":"v1","freshness":"Current","resources":[
              {"resource":"deployments","responseKind":{"group":"","version":"","kind":"Deployment"},"scope":"Namespaced",
               "singularResource":"deployment","verbs":["get","list","watch"],"shortNames":["deploy"],"categories":["all"],
               "subresources":[{"subresource":"scale","verbs":["get"]}]},
              {"resource":"orphans","scope":"Namespaced","singularResource":"","verbs":["get"]}]},
            {"version":"v1beta1","freshness":"Current","resources":[
              {"resource":"deployments","responseKind":{"kind":"Deployment"},"scope":"Cluster","verbs":["list"]}]},
            {"version":"v0","freshness":"Stale","resources":[
              {"resource":"olds","responseKind":{"kind":"Old"},"scope":"Cluster","verbs":["list"]}]}]}]}"#;
        let Groups::Aggregated { items } = read(body).unwrap() else {
            panic!("not aggregated")
        };
        let resources: Vec<Resource> = items.into_iter().flat_map(Group::resources).collect();
        let paths: Vec<_> = resources
            .iter()
            .map(|r| (&*r.group, &*r.version, &*r.name, r.preferred))
            .collect();
        assert_eq!(
            paths,
            [
                ("apps", "v1", "deployments", true),
                ("apps", "v1beta1", "deployments", false)
            ]
        );
        assert!(resources[0].namespaced && !resources[1].namespaced);
        assert_eq!(resources[1].singular, "deployment");
        assert!(resources[0].can("watch") && !resources[1].can("watch"));
    }

    #[test]
    fn legacy_groups_put_the_preferred_version_first() {
        let body =
            br#"{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"batch","versions":
          [{"groupVersion":"batch/v2","version":"v2"},{"groupVersion":"batch/v1","version":"v1"}],
          "preferredVersion":{"groupVersion":"batch/v1","version":"v1"}}]}"#;
        let Groups::Legacy { groups } = read(body).unwrap() else {
            panic!("not legacy")
        };
        let versions: Vec<_> = groups.into_iter().flat_map(LegacyGroup::versions).collect();
        assert_eq!(
            versions,
            [
                ("batch".into(), "v1".into()),
                ("batch".to_string(), "v2".to_string())
            ]
        );
    }

    #[test]
    fn legacy_lists_leave_subresources_out() {
        let body = br#"{"kind":"APIResourceList","groupVersion":"v1","resources":[
          {"name":"pods","singularName":"","namespaced":true,"kind":"Pod","verbs":["list"],"shortNames":["po"]},
          {"name":"pods/log","singularName":"","namespaced":true,"kind":"Pod","verbs":["get"]}]}"#;
        let list: LegacyList = read(body).unwrap();
        let resources: Vec<Resource> = list.resources("", "v1", true).collect();
        assert_eq!(resources.len(), 1);
        assert_eq!(
            (&*resources[0].singular, resources[0].namespaced),
            ("pod", true)
        );
    }
}
