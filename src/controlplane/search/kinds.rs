//! What words like `po`, `Deployment` or `deployments.apps` mean: resources that the store has streams of. Pure.

use super::problem::{Kind, Problem, meant};
use crate::protocol::rows::Header;
use crate::store::{GroupResource, Stream};
use std::collections::BTreeMap;

/// kubectl's short names of Kubernetes' own resources. Those of others are known to their clusters only.
const SHORT: [(&str, &str); 27] = [
    ("cm", "configmaps"),
    ("ep", "endpoints"),
    ("ev", "events"),
    ("limits", "limitranges"),
    ("no", "nodes"),
    ("ns", "namespaces"),
    ("po", "pods"),
    ("pv", "persistentvolumes"),
    ("pvc", "persistentvolumeclaims"),
    ("quota", "resourcequotas"),
    ("rc", "replicationcontrollers"),
    ("sa", "serviceaccounts"),
    ("svc", "services"),
    ("crd", "customresourcedefinitions"),
    ("crds", "customresourcedefinitions"),
    ("deploy", "deployments"),
    ("ds", "daemonsets"),
    ("rs", "replicasets"),
    ("sts", "statefulsets"),
    ("hpa", "horizontalpodautoscalers"),
    ("cj", "cronjobs"),
    ("csr", "certificatesigningrequests"),
    ("ing", "ingresses"),
    ("netpol", "networkpolicies"),
    ("pdb", "poddisruptionbudgets"),
    ("pc", "priorityclasses"),
    ("sc", "storageclasses"),
];

/// A resource that the store keeps.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Known {
    pub(super) resource: GroupResource,
    /// Of one of its streams.
    pub(super) version: String,
    pub(super) header: Header,
}

impl Known {
    /// `pods`, `deployments.apps`.
    pub(super) fn qualified(&self) -> String {
        qualified(&self.resource)
    }

    /// `v1`, `apps/v1`.
    pub(super) fn api_version(&self) -> String {
        match self.resource.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }

    fn is_called(&self, word: &str) -> bool {
        let same = |name: &str| !name.is_empty() && name.eq_ignore_ascii_case(word);
        same(&self.resource.plural) || same(&self.header.singular) || same(&self.header.kind)
    }

    /// `deployments.apps`, `deployments.v1.apps`.
    fn is_qualified(&self, word: &str) -> bool {
        let Some((name, rest)) = word.split_once('.') else {
            return false;
        };
        let (group, version) = (self.resource.group.as_str(), self.version.as_str());
        let fits = rest == group
            || rest == version
            || rest
                .strip_prefix(version)
                .is_some_and(|it| it.strip_prefix('.') == Some(group));
        fits && !rest.is_empty() && self.is_called(name)
    }
}

/// `pods`, `deployments.apps`.
pub(super) fn qualified(resource: &GroupResource) -> String {
    match resource.group.as_str() {
        "" => resource.plural.clone(),
        group => format!("{}.{group}", resource.plural),
    }
}

/// All resources that there are streams of.
pub(super) fn known<'a>(
    streams: impl IntoIterator<Item = &'a Stream>,
) -> BTreeMap<GroupResource, Known> {
    let mut known = BTreeMap::new();
    for stream in streams {
        let resource = GroupResource {
            group: stream.key.resource.group.clone(),
            plural: stream.key.resource.plural.clone(),
        };
        let it = known.entry(resource.clone()).or_insert_with(|| Known {
            resource,
            version: stream.key.resource.version.clone(),
            header: stream.header.clone(),
        });
        // A header may not have come yet; one of rows says more than one of objects.
        if it.header.kind.is_empty() || it.header.columns.is_empty() {
            let kind = std::mem::take(&mut it.header.kind);
            it.header = stream.header.clone();
            if it.header.kind.is_empty() {
                it.header.kind = kind;
            }
        }
    }
    known
}

/// The resource that a word means. Of several groups the core group's is meant, as for kubectl.
///
/// # Errors
/// When there is none, or several.
pub(super) fn resolve<'a>(
    word: &str,
    known: &'a BTreeMap<GroupResource, Known>,
) -> Result<&'a Known, Problem> {
    let short = SHORT
        .iter()
        .find(|(short, _)| short.eq_ignore_ascii_case(word));
    let word = short.map_or(word, |(_, plural)| plural);
    let mut found: Vec<_> = known
        .values()
        .filter(|it| it.is_called(word) || it.is_qualified(word))
        .collect();
    if let Some(at) = found.iter().position(|it| it.resource.group.is_empty()) {
        found.swap(0, at);
        found.truncate(1);
    }
    match found.as_slice() {
        [one] => Ok(one),
        [] => {
            let names: Vec<String> = known.values().map(Known::qualified).collect();
            let near = meant(word, known.keys().map(|it| it.plural.as_str()));
            let kept = match names.as_slice() {
                [] => "nothing is kept yet".to_owned(),
                names => format!("kept are {}", names.join(", ")),
            };
            let shown: String = word.chars().take(64).collect();
            let detail =
                format!("the controlplane doesn't have a resource type {shown:?}{near} ({kept})");
            Err(Problem::new(Kind::NotFound, detail))
        }
        several => {
            let names: Vec<_> = several.iter().map(|it| it.qualified()).collect();
            Err(Problem::parameter(
                "kind",
                format!("{word:?} may be {}: say which", names.join(" or ")),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::message::View;
    use crate::protocol::names::ClusterName;
    use crate::store::StreamKey;

    fn stream(resource: &str, kind: &str) -> Stream {
        Stream {
            key: StreamKey {
                cluster: ClusterName::new("c").unwrap(),
                resource: resource.parse().unwrap(),
                view: View::Objects,
            },
            header: Header {
                kind: kind.into(),
                singular: kind.to_lowercase(),
                ..Header::default()
            },
            synced: None,
            proven: None,
        }
    }

    #[test]
    fn words_are_kubectl_s() {
        let streams = [
            stream("pods.v1", "Pod"),
            stream("deployments.v1.apps", "Deployment"),
            stream("events.v1", "Event"),
            stream("events.v1.events.k8s.io", "Event"),
            stream("things.v1.a.io", "Thing"),
            stream("things.v1.b.io", "Thing"),
        ];
        let known = known(&streams);
        let name = |word: &str| {
            resolve(word, &known)
                .map(Known::qualified)
                .map_err(|it| it.detail)
        };
        for (word, expected) in [
            ("po", "pods"),
            ("Pod", "pods"),
            ("pods.v1", "pods"),
            ("deploy", "deployments.apps"),
            ("deployment.apps", "deployments.apps"),
            ("deployments.v1.apps", "deployments.apps"),
            ("events", "events"),
            ("events.events.k8s.io", "events.events.k8s.io"),
            ("things.b.io", "things.b.io"),
        ] {
            assert_eq!(name(word), Ok(expected.to_owned()), "{word}");
        }
        assert!(name("pods.").is_err() && name("").is_err() && name("pods.v2").is_err());
        assert!(
            name("things")
                .unwrap_err()
                .contains("things.a.io or things.b.io")
        );
        let error = name("deploymnets").unwrap_err();
        assert!(
            error.contains(
                "doesn't have a resource type \"deploymnets\"; did you mean \"deployments\"?"
            ),
            "{error}"
        );
    }
}
