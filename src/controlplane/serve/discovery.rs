//! What there is, as clients discover it. Pure.
//!
//! Only what is stored is shown, with the verbs that are served: get, list, watch. Short names and categories of
//! Kubernetes' own resources are known here; those of custom resources do not cross the broker.

use super::accept::Documents;
use super::path::Resource;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What can be done with all that is served.
pub(super) const VERBS: [&str; 3] = ["get", "list", "watch"];

/// A resource as discovery shows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shown {
    pub(super) resource: Resource,
    pub(super) kind: String,
    pub(super) singular: String,
    pub(super) namespaced: bool,
}

/// By group, then by version, the preferred version first.
type Groups<'a> = BTreeMap<&'a str, Vec<(&'a str, Vec<&'a Shown>)>>;

fn groups(shown: &[Shown]) -> Groups<'_> {
    let mut groups = Groups::new();
    for it in shown {
        let versions = groups.entry(&it.resource.group).or_default();
        match versions
            .iter_mut()
            .find(|(version, _)| *version == it.resource.version)
        {
            Some((_, resources)) => resources.push(it),
            None => versions.push((&it.resource.version, vec![it])),
        }
    }
    for versions in groups.values_mut() {
        versions.sort_by_key(|(version, _)| Reverse(priority(version)));
        for (_, resources) in versions {
            resources.sort_unstable();
            resources.dedup_by(|a, b| a.resource == b.resource);
        }
    }
    groups
}

/// apimachinery's order of versions: `v2`, `v1`, `v1beta2`, `v1alpha1`, then words.
fn priority(version: &str) -> (u8, u64, u64, Reverse<&str>) {
    let parsed = || {
        let rest = version.strip_prefix('v')?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (major, rest) = rest.split_at_checked(digits)?;
        let major: u64 = major.parse().ok()?;
        if rest.is_empty() {
            return Some((3, major, 0));
        }
        let (level, minor) = match (rest.strip_prefix("beta"), rest.strip_prefix("alpha")) {
            (Some(minor), _) => (2, minor),
            (_, Some(minor)) => (1, minor),
            _ => return None,
        };
        let minor = if minor.is_empty() {
            Some(1)
        } else {
            minor.parse().ok()
        };
        Some((level, major, minor?))
    };
    let (level, major, minor) = parsed().unwrap_or_default();
    (level, major, minor, Reverse(version))
}

/// `/api`.
pub(super) fn core_versions(shown: &[Shown], documents: Documents) -> Response {
    match documents {
        Documents::Plain => super::status::json_response(&json!({
            "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [],
        })),
        Documents::Aggregated(version) => {
            let core = groups(shown)
                .into_iter()
                .filter(|(group, _)| group.is_empty());
            aggregated(core, version)
        }
    }
}

/// `/apis`.
pub(super) fn all_groups(shown: &[Shown], documents: Documents) -> Response {
    let named = groups(shown)
        .into_iter()
        .filter(|(group, _)| !group.is_empty());
    match documents {
        Documents::Plain => {
            let groups: Vec<_> = named
                .map(|(group, versions)| document(group, &versions))
                .collect();
            super::status::json_response(&json!({
                "kind": "APIGroupList", "apiVersion": "v1", "groups": groups,
            }))
        }
        Documents::Aggregated(version) => aggregated(named, version),
    }
}

/// `/apis/GROUP`, if there is one.
pub(super) fn group(shown: &[Shown], group: &str) -> Option<Value> {
    let groups = groups(shown);
    let versions = groups.get(group).filter(|_| !group.is_empty())?;
    let mut document = document(group, versions);
    document["kind"] = "APIGroup".into();
    document["apiVersion"] = "v1".into();
    Some(document)
}

fn document(group: &str, versions: &[(&str, Vec<&Shown>)]) -> Value {
    let of =
        |version: &str| json!({"groupVersion": group_version(group, version), "version": version});
    let all: Vec<_> = versions.iter().map(|(version, _)| of(version)).collect();
    json!({"name": group, "preferredVersion": all.first(), "versions": all})
}

/// `/api/v1`, `/apis/GROUP/VERSION`, if there is one; the core group's `v1` always is.
pub(super) fn resources(shown: &[Shown], group: &str, version: &str) -> Option<Value> {
    let groups = groups(shown);
    let versions = groups.get(group).map_or(&[][..], Vec::as_slice);
    let found = versions.iter().find(|(of, _)| *of == version);
    if found.is_none() && (group, version) != ("", "v1") {
        return None;
    }
    let resources: Vec<_> = found.iter().flat_map(|(_, it)| it).map(|it| {
        let (short, categories) = words(&it.resource);
        let mut document = json!({
            "name": it.resource.plural, "singularName": it.singular, "namespaced": it.namespaced,
            "kind": it.kind, "verbs": VERBS,
        });
        if !short.is_empty() {
            document["shortNames"] = short.into();
        }
        if !categories.is_empty() {
            document["categories"] = categories.into();
        }
        document
    }).collect();
    Some(json!({
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version(group, version),
        "resources": resources,
    }))
}

fn aggregated<'a>(
    groups: impl Iterator<Item = (&'a str, Vec<(&'a str, Vec<&'a Shown>)>)>,
    version: &'static str,
) -> Response {
    let items: Vec<_> = groups
        .map(|(group, versions)| {
            let versions: Vec<_> = versions
                .into_iter()
                .map(|(version, resources)| {
                    let resources: Vec<_> =
                        resources.into_iter().map(aggregated_resource).collect();
                    json!({"version": version, "resources": resources, "freshness": "Current"})
                })
                .collect();
            let metadata = match group {
                "" => json!({}),
                group => json!({"name": group}),
            };
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    let mut response = super::status::json_response(&json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": format!("apidiscovery.k8s.io/{version}"),
        "metadata": {}, "items": items,
    }));
    // By this, clients tell that the document is the one that they asked for.
    let media = match version {
        "v2" => "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        _ => "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
    };
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(media));
    response
}

fn aggregated_resource(it: &Shown) -> Value {
    let (short, categories) = words(&it.resource);
    let Resource {
        group,
        version,
        plural,
    } = &it.resource;
    let mut document = json!({
        "resource": plural,
        "responseKind": {"group": group, "version": version, "kind": it.kind},
        "scope": if it.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": it.singular,
        "verbs": VERBS,
    });
    if !short.is_empty() {
        document["shortNames"] = short.into();
    }
    if !categories.is_empty() {
        document["categories"] = categories.into();
    }
    document
}

fn group_version(group: &str, version: &str) -> String {
    match group {
        "" => version.to_owned(),
        group => format!("{group}/{version}"),
    }
}

/// The short names and the categories of Kubernetes' own resources.
fn words(resource: &Resource) -> (&'static [&'static str], &'static [&'static str]) {
    const ALL: &[&str] = &["all"];
    const EXTENSIONS: &[&str] = &["api-extensions"];
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "componentstatuses") => (&["cs"], &[]),
        ("", "configmaps") => (&["cm"], &[]),
        ("", "endpoints") => (&["ep"], &[]),
        ("" | "events.k8s.io", "events") => (&["ev"], &[]),
        ("", "limitranges") => (&["limits"], &[]),
        ("", "namespaces") => (&["ns"], &[]),
        ("", "nodes") => (&["no"], &[]),
        ("", "persistentvolumeclaims") => (&["pvc"], &[]),
        ("", "persistentvolumes") => (&["pv"], &[]),
        ("", "pods") => (&["po"], ALL),
        ("", "replicationcontrollers") => (&["rc"], ALL),
        ("", "resourcequotas") => (&["quota"], &[]),
        ("", "serviceaccounts") => (&["sa"], &[]),
        ("", "services") => (&["svc"], ALL),
        ("apps", "daemonsets") => (&["ds"], ALL),
        ("apps", "deployments") => (&["deploy"], ALL),
        ("apps", "replicasets") => (&["rs"], ALL),
        ("apps", "statefulsets") => (&["sts"], ALL),
        ("autoscaling", "horizontalpodautoscalers") => (&["hpa"], ALL),
        ("batch", "cronjobs") => (&["cj"], ALL),
        ("batch", "jobs") => (&[], ALL),
        ("certificates.k8s.io", "certificatesigningrequests") => (&["csr"], &[]),
        ("networking.k8s.io", "ingresses") => (&["ing"], &[]),
        ("networking.k8s.io", "ipaddresses") => (&["ip"], &[]),
        ("networking.k8s.io", "networkpolicies") => (&["netpol"], &[]),
        ("policy", "poddisruptionbudgets") => (&["pdb"], &[]),
        ("scheduling.k8s.io", "priorityclasses") => (&["pc"], &[]),
        ("storage.k8s.io", "storageclasses") => (&["sc"], &[]),
        ("storage.k8s.io", "volumeattributesclasses") => (&["vac"], &[]),
        ("apiextensions.k8s.io", "customresourcedefinitions") => (&["crd", "crds"], EXTENSIONS),
        ("apiregistration.k8s.io", "apiservices") | ("admissionregistration.k8s.io", _) => {
            (&[], EXTENSIONS)
        }
        _ => (&[], &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(group: &str, version: &str, plural: &str, kind: &str) -> Shown {
        Shown {
            resource: Resource {
                group: group.into(),
                version: version.into(),
                plural: plural.into(),
            },
            kind: kind.into(),
            singular: kind.to_lowercase(),
            namespaced: kind != "Node",
        }
    }

    fn some() -> Vec<Shown> {
        vec![
            shown("", "v1", "pods", "Pod"),
            shown("", "v1", "nodes", "Node"),
            shown("example.com", "v1beta1", "widgets", "Widget"),
            shown("example.com", "v1", "widgets", "Widget"),
            shown("apps", "v1", "deployments", "Deployment"),
        ]
    }

    #[test]
    fn one_level_after_the_other() {
        let core = resources(&some(), "", "v1").unwrap();
        assert_eq!(core["groupVersion"], "v1");
        assert_eq!(
            core["resources"],
            json!([
                {"name": "nodes", "singularName": "node", "namespaced": false, "kind": "Node",
                 "verbs": ["get", "list", "watch"], "shortNames": ["no"]},
                {"name": "pods", "singularName": "pod", "namespaced": true, "kind": "Pod",
                 "verbs": ["get", "list", "watch"], "shortNames": ["po"], "categories": ["all"]},
            ])
        );
        let widgets = group(&some(), "example.com").unwrap();
        assert_eq!(widgets["preferredVersion"]["version"], "v1");
        assert_eq!(
            widgets["versions"][1]["groupVersion"],
            "example.com/v1beta1"
        );
        assert_eq!(group(&some(), ""), None);
        assert_eq!(group(&some(), "batch"), None);
        assert_eq!(resources(&some(), "apps", "v2"), None);
        assert_eq!(resources(&[], "", "v1").unwrap()["resources"], json!([]));
    }

    #[test]
    fn versions_are_in_kubernetes_order() {
        let mut versions = [
            "foo", "v1alpha1", "v1", "v10", "v1beta2", "v2beta1", "v1beta1", "v2", "bar",
        ];
        versions.sort_by_key(|version| Reverse(priority(version)));
        assert_eq!(
            versions,
            [
                "v10", "v2", "v1", "v2beta1", "v1beta2", "v1beta1", "v1alpha1", "bar", "foo"
            ]
        );
    }

    #[test]
    fn all_in_one_says_so_in_its_media_type() {
        let response = all_groups(&some(), Documents::Aggregated("v2"));
        assert_eq!(
            response.headers()[CONTENT_TYPE],
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
        );
    }
}
