//! What a path asks for. Pure.
//!
//! Below `/clusters/<name>` everything is as `k8s.io/apiserver/pkg/endpoints/request` reads it.

use percent_encoding::percent_decode_str;

/// The word for all clusters at once, as kcp has it.
pub(super) const ALL: &str = "*";

/// What may stand behind a cluster's name.
const ROOTS: [&str; 8] = [
    "api", "apis", "version", "healthz", "livez", "readyz", "openapi", "metrics",
];

/// A resource of a group's version, as in URLs.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Resource {
    /// Empty for the core group.
    pub(super) group: String,
    pub(super) version: String,
    pub(super) plural: String,
}

impl Resource {
    /// `pods`, `deployments.apps`: as errors name it.
    pub(super) fn qualified(&self) -> String {
        match self.group.as_str() {
            "" => self.plural.clone(),
            group => format!("{}.{group}", self.plural),
        }
    }
}

/// What is asked of one cluster, or of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Nothing below the cluster: its paths.
    Paths,
    /// `/version`.
    Version,
    /// `/healthz`, `/livez`, `/readyz`, and what is below them.
    Health,
    /// `/api`.
    CoreVersions,
    /// `/apis`.
    Groups,
    /// `/apis/GROUP`.
    Group(String),
    /// `/api/v1`, `/apis/GROUP/VERSION`.
    Resources {
        /// Empty for the core group.
        group: String,
        version: String,
    },
    /// Objects.
    Objects(Objects),
    /// What nobody serves.
    Nothing,
}

/// Objects of one resource, or one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Objects {
    pub(super) resource: Resource,
    /// None: of all namespaces, or of a resource that has none.
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    pub(super) subresource: Option<String>,
}

/// The ways to read a path as a cluster's name and what is asked of it, the shortest name first.
///
/// There may be several, because a name may have slashes in it (`arn:aws:eks:...:cluster/prod`), and Go's clients
/// take the percent-encoding of a slash off. Nothing for a path that is none of ours, or no UTF-8.
pub(super) fn readings(path: &str) -> Vec<(String, Asked)> {
    let Some(rest) = path.strip_prefix("/clusters/") else {
        return Vec::new();
    };
    let decode = |segment: &str| {
        let decoded = percent_decode_str(segment).decode_utf8().ok()?;
        Some(decoded.into_owned())
    };
    let segments: Option<Vec<String>> = rest.trim_end_matches('/').split('/').map(decode).collect();
    let segments = segments.unwrap_or_default();
    let is_root = |segment: &String| ROOTS.contains(&segment.as_str());
    let no_root = !segments.iter().skip(1).any(is_root);
    let reading = |end: usize| {
        let (name, rest) = segments.split_at_checked(end)?;
        let ours = rest.first().map_or(no_root, is_root);
        ours.then(|| (name.join("/"), asked(rest)))
    };
    (1..=segments.len())
        .filter_map(reading)
        .filter(|(name, _)| !name.is_empty())
        .collect()
}

/// What the segments behind a cluster's name ask for.
fn asked(segments: &[String]) -> Asked {
    let words: Vec<&str> = segments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => Asked::Paths,
        ["version"] => Asked::Version,
        ["healthz" | "livez" | "readyz", ..] => Asked::Health,
        ["api"] => Asked::CoreVersions,
        ["apis"] => Asked::Groups,
        ["apis", group] => Asked::Group((*group).to_owned()),
        ["api", version] => Asked::Resources {
            group: String::new(),
            version: (*version).to_owned(),
        },
        ["apis", group, version] => Asked::Resources {
            group: (*group).to_owned(),
            version: (*version).to_owned(),
        },
        ["api", version, rest @ ..] => objects("", version, rest),
        ["apis", group, version, rest @ ..] => objects(group, version, rest),
        _ => Asked::Nothing,
    }
}

fn objects(group: &str, version: &str, rest: &[&str]) -> Asked {
    let (namespace, rest) = match rest {
        // `namespaces/NAME` is an object, and so are its subresources.
        ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => (None, rest),
        ["namespaces", namespace, rest @ ..] => (Some(*namespace), rest),
        rest => (None, rest),
    };
    let (plural, name, subresource) = match rest {
        [plural] => (plural, None, None),
        [plural, name] => (plural, Some(name), None),
        [plural, name, subresource] => (plural, Some(name), Some((*subresource).to_owned())),
        // `proxy` takes a path of its own.
        [plural, name, subresource, ..] => (plural, Some(name), Some((*subresource).to_owned())),
        [] => return Asked::Nothing,
    };
    Asked::Objects(Objects {
        resource: Resource {
            group: group.to_owned(),
            version: version.to_owned(),
            plural: (*plural).to_owned(),
        },
        namespace: namespace.map(str::to_owned),
        name: name.map(|name| (*name).to_owned()),
        subresource,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(path: &str) -> (String, Asked) {
        let mut readings = readings(path);
        assert_eq!(readings.len(), 1, "{path}: {readings:?}");
        readings.remove(0)
    }

    fn shown(path: &str) -> String {
        match one(path).1 {
            Asked::Objects(it) => {
                let part = |part: Option<String>| part.unwrap_or("-".into());
                let Resource {
                    group,
                    version,
                    plural,
                } = it.resource;
                format!(
                    "{group}|{version}|{plural} {} {} {}",
                    part(it.namespace),
                    part(it.name),
                    part(it.subresource)
                )
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn objects_are_read_as_the_api_server_reads_them() {
        for (path, expected) in [
            ("/clusters/c/api/v1/pods", "|v1|pods - - -"),
            ("/clusters/c/api/v1/pods/", "|v1|pods - - -"),
            ("/clusters/*/api/v1/pods", "|v1|pods - - -"),
            (
                "/clusters/c/api/v1/namespaces/shop/pods",
                "|v1|pods shop - -",
            ),
            (
                "/clusters/c/api/v1/namespaces/shop/pods/web",
                "|v1|pods shop web -",
            ),
            (
                "/clusters/c/api/v1/namespaces/shop/pods/web/log",
                "|v1|pods shop web log",
            ),
            (
                "/clusters/c/api/v1/namespaces/shop/pods/web/proxy/a/b",
                "|v1|pods shop web proxy",
            ),
            ("/clusters/c/api/v1/namespaces", "|v1|namespaces - - -"),
            (
                "/clusters/c/api/v1/namespaces/shop",
                "|v1|namespaces - shop -",
            ),
            (
                "/clusters/c/api/v1/namespaces/shop/status",
                "|v1|namespaces - shop status",
            ),
            ("/clusters/c/api/v1/nodes/n1", "|v1|nodes - n1 -"),
            (
                "/clusters/c/apis/apps/v1/namespaces/shop/deployments/web/scale",
                "apps|v1|deployments shop web scale",
            ),
            (
                "/clusters/c/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode",
                "rbac.authorization.k8s.io|v1|clusterroles - system:node -",
            ),
        ] {
            assert_eq!(shown(path), expected, "{path}");
        }
    }

    #[test]
    fn other_paths() {
        for (path, expected) in [
            ("/clusters/c", "Paths"),
            ("/clusters/c/", "Paths"),
            ("/clusters/c/version", "Version"),
            ("/clusters/c/readyz/etcd", "Health"),
            ("/clusters/c/api", "CoreVersions"),
            ("/clusters/c/apis", "Groups"),
            ("/clusters/c/apis/apps", "Group(\"apps\")"),
            (
                "/clusters/c/apis/apps/v1",
                "Resources { group: \"apps\", version: \"v1\" }",
            ),
            ("/clusters/c/openapi/v3", "Nothing"),
        ] {
            assert_eq!(shown(path), expected, "{path}");
        }
        for path in [
            "/",
            "/clusters",
            "/clusters/",
            "/clusters//api/v1",
            "/clusters/c/logs/kubelet",
            "/clusters/%ff/api",
            "/search",
        ] {
            let readings = readings(path);
            let nothing = readings.is_empty() || readings.iter().all(|(_, it)| *it == Asked::Paths);
            assert!(nothing, "{path}: {readings:?}");
        }
    }

    #[test]
    fn a_cluster_s_name_may_be_any_text() {
        let names = |path: &str| -> Vec<String> {
            readings(path).into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(
            names("/clusters/arn%3Aaws:eks%2Fprod/api"),
            ["arn:aws:eks/prod"]
        );
        // As Go's clients send it.
        assert_eq!(
            names("/clusters/ns/host:6443/user/api/v1/pods"),
            ["ns/host:6443/user"]
        );
        assert_eq!(
            names("/clusters/a/api/b/apis/apps/v1"),
            ["a", "a/api/b"],
            "whichever there is"
        );
        assert_eq!(names("/clusters/%2A/api"), [ALL]);
    }
}
