//! What a cluster can list, and which of it a user's word means.
//!
//! Follows kubectl: `client-go/restmapper` (shortcut expander, priority mapper) and `cli-runtime`'s `mappingFor`.
//! Pure: `discovery` fetches.

use serde::Serialize;

/// One resource of one version of one API group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// `deployments`.
    pub name: String,
    /// `deployment`.
    pub singular: String,
    /// `deploy`.
    pub short_names: Vec<String>,
    /// `Deployment`.
    pub kind: String,
    /// `apps`, or empty for the core group.
    pub group: String,
    /// `v1`.
    pub version: String,
    /// The group's preferred version.
    pub preferred: bool,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// What can be done: `get`, `list`, `watch`, ...
    pub verbs: Vec<String>,
    /// The groups of resources it belongs to: `all`.
    pub categories: Vec<String>,
}

impl Resource {
    /// Whether that can be done with it.
    pub fn can(&self, verb: &str) -> bool {
        self.verbs.iter().any(|v| v == verb)
    }
    /// Its name in URLs below `/api` or `/apis`: `/apis/apps/v1`.
    pub(super) fn root(group: &str, version: &str) -> String {
        match group {
            "" => format!("/api/{version}"),
            group => format!("/apis/{group}/{version}"),
        }
    }
}

/// All resources of a cluster, in the server's order of preference: groups, then versions with the preferred one first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    /// The resources, subresources excluded.
    pub resources: Vec<Resource>,
}

impl Catalog {
    /// The resource that a user's word means, as kubectl reads it: plural, singular, short name or kind, alone or with
    /// `.group` or `.version.group`; a group may be cut short (`deployments.app`).
    pub fn resolve(&self, word: &str) -> Option<&Resource> {
        let mut parts = word.splitn(3, '.');
        let (first, second, third) = (parts.next(), parts.next(), parts.next());
        let name = first.unwrap_or_default();
        if let (Some(version), Some(group)) = (second, third)
            && let Some(found) = self.by_name(name, group, version)
        {
            return Some(found);
        }
        let group = word.split_once('.').map_or("", |(_, group)| group);
        self.by_name(name, group, "")
            .or_else(|| self.by_kind(word, name, group))
    }

    /// By resource name. Unless both group and version are given, the group may be a prefix.
    fn by_name(&self, name: &str, group: &str, version: &str) -> Option<&Resource> {
        let (name, group, version) = self.expand(name, group, version);
        // kubectl folds the case of names, but not of short names.
        let name = name.to_lowercase();
        let group_matches = |found: &str| match group.is_empty() || version.is_empty() {
            true => found.starts_with(group),
            false => found == group,
        };
        self.first(|r| {
            (r.name == name || r.singular == name)
                && group_matches(&r.group)
                && (version.is_empty() || r.version == version)
        })
    }

    /// What a short name stands for; other words stay. A short name loses the version typed with it: so it does in
    /// kubectl.
    fn expand<'a>(
        &'a self,
        name: &'a str,
        group: &'a str,
        version: &'a str,
    ) -> (&'a str, &'a str, &'a str) {
        let in_group = |r: &&Resource| group.is_empty() || r.group == group;
        let full = |r: &Resource| r.name == name || r.singular == name;
        if self.resources.iter().filter(in_group).any(full) {
            return (name, group, version);
        }
        let short = |r: &&Resource| r.short_names.iter().any(|s| s == name);
        let by_prefix = |r: &&Resource| !group.is_empty() && r.group.starts_with(group);
        if let Some(r) = self.resources.iter().filter(in_group).find(short) {
            return (&r.name, &r.group, "");
        }
        match self.resources.iter().filter(by_prefix).find(short) {
            Some(r) => (&r.name, &r.group, version),
            None => (name, group, version),
        }
    }

    /// By kind, for resources whose singular is another word. Without a group only the core group is meant.
    fn by_kind(&self, word: &str, kind: &str, group: &str) -> Option<&Resource> {
        let is = |r: &Resource| r.kind == kind || r.kind.to_lowercase() == kind;
        let mut parts = word.splitn(3, '.').skip(1);
        if let (Some(version), Some(group)) = (parts.next(), parts.next())
            && let Some(found) = self.first(|r| is(r) && r.group == group && r.version == version)
        {
            return Some(found);
        }
        self.first(|r| is(r) && r.group == group)
    }

    /// The first in the order of preference: the core group's v1 goes before all.
    fn first(&self, matches: impl Fn(&Resource) -> bool) -> Option<&Resource> {
        let core = |r: &&Resource| r.group.is_empty() && r.version == "v1" && matches(r);
        let found = self.resources.iter().find(core);
        found.or_else(|| self.resources.iter().find(|r| matches(r)))
    }

    /// The resource of exactly that group, version and kind.
    pub fn of_kind(&self, group: &str, version: &str, kind: &str) -> Option<&Resource> {
        let is = |r: &&Resource| r.group == group && r.version == version && r.kind == kind;
        self.resources.iter().find(is)
    }

    /// The resource of exactly that group, version and plural.
    pub fn find(&self, group: &str, version: &str, plural: &str) -> Option<&Resource> {
        let is = |r: &&Resource| r.group == group && r.version == version && r.name == plural;
        self.resources.iter().find(is)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn resource(path: &str, singular: &str, kind: &str, short: &[&str]) -> Resource {
        let mut parts = path.rsplit('/');
        let mut next = || parts.next().unwrap_or_default().to_owned();
        let (name, version, group) = (next(), next(), next());
        Resource {
            name,
            version,
            group,
            singular: singular.into(),
            kind: kind.into(),
            short_names: short.iter().map(|s| (*s).into()).collect(),
            ..Default::default()
        }
    }

    fn catalog() -> Catalog {
        Catalog {
            resources: vec![
                resource("v1/pods", "pod", "Pod", &["po"]),
                resource("v1/events", "event", "Event", &["ev"]),
                resource("v1/services", "service", "Service", &["svc"]),
                resource(
                    "apps/v1/deployments",
                    "deployment",
                    "Deployment",
                    &["deploy"],
                ),
                resource("events.k8s.io/v1/events", "event", "Event", &["ev"]),
                resource(
                    "autoscaling/v2/horizontalpodautoscalers",
                    "horizontalpodautoscaler",
                    "HorizontalPodAutoscaler",
                    &["hpa"],
                ),
                resource(
                    "autoscaling/v1/horizontalpodautoscalers",
                    "horizontalpodautoscaler",
                    "HorizontalPodAutoscaler",
                    &["hpa"],
                ),
                resource(
                    "networking.k8s.io/v1/ingresses",
                    "ingress",
                    "Ingress",
                    &["ing"],
                ),
                resource("metrics.k8s.io/v1beta1/pods", "pod", "PodMetrics", &[]),
                resource(
                    "shop.example.com/v1/databases",
                    "db",
                    "Database",
                    &["svc", "dbs"],
                ),
                resource(
                    "serving.example.com/v1/services",
                    "service",
                    "Service",
                    &["ksvc"],
                ),
            ],
        }
    }

    #[test]
    fn words_mean_what_they_mean_to_kubectl() {
        for (word, path) in [
            ("pods", "/v1/pods"),
            ("pod", "/v1/pods"),
            ("po", "/v1/pods"),
            ("Pod", "/v1/pods"),
            ("PODS", "/v1/pods"),
            ("pods.v1", "-"),
            ("pods.v1.", "/v1/pods"),
            ("deploy", "apps/v1/deployments"),
            ("deployments.apps", "apps/v1/deployments"),
            ("deploy.apps", "apps/v1/deployments"),
            ("deploy.v1.apps", "apps/v1/deployments"),
            ("Deployment.v1.apps", "apps/v1/deployments"),
            ("deployments.app", "apps/v1/deployments"),
            ("deploy.app", "apps/v1/deployments"),
            ("ev", "/v1/events"),
            ("events.events.k8s.io", "events.k8s.io/v1/events"),
            ("ev.events.k8s.io", "events.k8s.io/v1/events"),
            ("hpa", "autoscaling/v2/horizontalpodautoscalers"),
            (
                "hpa.v1.autoscaling",
                "autoscaling/v2/horizontalpodautoscalers",
            ),
            (
                "horizontalpodautoscalers.v1.autoscaling",
                "autoscaling/v1/horizontalpodautoscalers",
            ),
            (
                "ingresses.networking.k8s.io",
                "networking.k8s.io/v1/ingresses",
            ),
            ("ing.networking", "networking.k8s.io/v1/ingresses"),
            ("pods.metrics.k8s.io", "metrics.k8s.io/v1beta1/pods"),
            ("svc", "/v1/services"),
            (
                "services.serving.example.com",
                "serving.example.com/v1/services",
            ),
            ("dbs", "shop.example.com/v1/databases"),
            ("db", "shop.example.com/v1/databases"),
            ("Database", "-"),
            ("Database.shop.example.com", "shop.example.com/v1/databases"),
            (
                "database.v1.shop.example.com",
                "shop.example.com/v1/databases",
            ),
            ("database.v2.shop.example.com", "-"),
            ("PO", "-"),
            ("deployments.v2.apps", "-"),
            ("foo", "-"),
            ("", "-"),
            (".", "-"),
            ("..", "-"),
        ] {
            let catalog = catalog();
            let found = catalog.resolve(word);
            let found = found.map_or("-".into(), |r| {
                format!("{}/{}/{}", r.group, r.version, r.name)
            });
            assert_eq!(found, path, "{word}");
        }
    }
}
