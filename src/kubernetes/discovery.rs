//! Asks an API server what it serves.
//!
//! Aggregated discovery (Kubernetes 1.26 and later) takes two requests; older servers are asked group by group. The
//! answer is kept. A word that it does not know makes a new one, so that a resource installed a moment ago is found.

use super::catalog::{Catalog, Resource};
use super::client::{Client, JSON};
use super::failure::Failure;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
     application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// The catalog of one API server, kept and renewed.
#[derive(Default)]
pub(super) struct Discovery {
    // Held while asking: who comes meanwhile waits for that answer instead of asking too.
    kept: Mutex<Option<Kept>>,
}

struct Kept {
    catalog: Arc<Catalog>,
    asked: Instant,
    core: Half,
    groups: Half,
}

/// What `/api` or `/apis` said, with its ETag, so that an unchanged answer costs nothing.
#[derive(Clone, Debug, Default)]
struct Half {
    etag: Option<String>,
    resources: Vec<Resource>,
}

impl Discovery {
    /// The catalog, at most `age` old.
    pub(super) async fn catalog(
        &self,
        client: &Client,
        age: Duration,
    ) -> Result<Arc<Catalog>, Failure> {
        let mut kept = self.kept.lock().await;
        if let Some(kept) = &*kept
            && kept.asked.elapsed() <= age.max(client.patience().discovery)
        {
            return Ok(kept.catalog.clone());
        }
        let asked = Instant::now();
        let (core, groups) = match &*kept {
            Some(kept) => (kept.core.clone(), kept.groups.clone()),
            None => Default::default(),
        };
        let (core, groups) =
            tokio::try_join!(half(client, "/api", core), half(client, "/apis", groups))?;
        let resources = core
            .resources
            .iter()
            .chain(&groups.resources)
            .cloned()
            .collect();
        let catalog = Arc::new(Catalog { resources });
        *kept = Some(Kept {
            catalog: catalog.clone(),
            asked,
            core,
            groups,
        });
        Ok(catalog)
    }
}

async fn half(client: &Client, root: &str, before: Half) -> Result<Half, Failure> {
    let Some(answer) = client.ask(root, AGGREGATED, before.etag.as_deref()).await? else {
        return Ok(before);
    };
    let resources = match read::<Groups>(&answer.bytes)? {
        Groups::Aggregated { items } => items.into_iter().flat_map(Group::resources).collect(),
        Groups::Core { versions } => {
            let versions = versions.into_iter().map(|version| (String::new(), version));
            one_by_one(client, versions.collect()).await?
        }
        Groups::Legacy { groups } => {
            let versions = groups.into_iter().flat_map(LegacyGroup::versions);
            one_by_one(client, versions.collect()).await?
        }
    };
    Ok(Half {
        etag: answer.etag,
        resources,
    })
}

/// The resources of each (group, version). A group that does not answer is left out, as in kubectl: its server may be
/// away, and that is no reason not to show pods.
async fn one_by_one(
    client: &Client,
    versions: Vec<(String, String)>,
) -> Result<Vec<Resource>, Failure> {
    let mut resources = Vec::new();
    let mut group_before = None;
    for (group, version) in versions {
        let preferred = group_before.as_ref() != Some(&group);
        let answer = client.get(&Resource::root(&group, &version), JSON).await;
        match answer.and_then(|bytes| read::<LegacyList>(&bytes)) {
            Ok(list) => {
                resources.extend(list.resources(&group, &version, preferred));
                group_before = Some(group);
            }
            Err(Failure::Refused(refusal)) if group.is_empty() => {
                return Err(Failure::Refused(refusal));
            }
            Err(error) if group.is_empty() => return Err(error),
            Err(error) => tracing::warn!(%group, %version, %error, "an API group is not served"),
        }
    }
    Ok(resources)
}

fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Failure> {
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
enum Groups {
    #[serde(rename = "APIGroupDiscoveryList")]
    Aggregated { items: Vec<Group> },
    #[serde(rename = "APIVersions")]
    Core { versions: Vec<String> },
    #[serde(rename = "APIGroupList")]
    Legacy { groups: Vec<LegacyGroup> },
}

#[derive(Deserialize)]
struct Group {
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
    fn resources(self) -> impl Iterator<Item = Resource> {
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
struct LegacyGroup {
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
    fn versions(self) -> Vec<(String, String)> {
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
struct LegacyList {
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
    fn resources(
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
