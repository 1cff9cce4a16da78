//! The resources that a playground serves.

/// One resource: what discovery tells about it, and how its table looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kind {
    /// `apps`, or empty for the core group.
    pub group: String,
    /// `v1`.
    pub version: String,
    /// `deployments`.
    pub plural: String,
    /// `deployment`.
    pub singular: String,
    /// `Deployment`.
    pub kind: String,
    /// `deploy`.
    pub short_names: Vec<String>,
    /// `all`.
    pub categories: Vec<String>,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// Whether it can be watched.
    pub watchable: bool,
    /// Whether the server makes tables of it.
    pub tables: bool,
    /// Columns of a custom resource besides its name; without any it has AGE.
    pub columns: Vec<CustomColumn>,
}

/// A printer column of a custom resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomColumn {
    /// The header.
    pub name: String,
    /// `string`, `integer`, `date`, ...
    pub kind: String,
    /// Where the value is, as a JSON pointer: `/spec/replicas`.
    pub path: String,
}

impl Kind {
    /// A custom resource in namespaces: `plural.group`, version v1.
    pub fn custom(plural: &str, kind: &str, group: &str) -> Self {
        Self {
            group: group.into(),
            version: "v1".into(),
            plural: plural.into(),
            singular: kind.to_lowercase(),
            kind: kind.into(),
            namespaced: true,
            watchable: true,
            tables: true,
            ..Self::default()
        }
    }
    /// `deployments.apps`, or `pods`.
    pub fn name(&self) -> String {
        match self.group.as_str() {
            "" => self.plural.clone(),
            group => format!("{}.{group}", self.plural),
        }
    }
    /// `apps/v1`, or `v1`.
    pub(super) fn api_version(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }
    pub(super) fn verbs(&self) -> &'static [&'static str] {
        if self.watchable {
            &["get", "list", "watch"]
        } else {
            &["get", "list"]
        }
    }
}

/// What every playground serves, in the order in which a real API server tells it.
pub(super) fn built_in() -> Vec<Kind> {
    const ALL: &str = "all";
    let kinds: [(&str, &str, &str, &str, bool, &str, &str); 16] = [
        ("", "configmaps", "configmap", "ConfigMap", true, "cm", ""),
        ("", "events", "event", "Event", true, "ev", ""),
        ("", "namespaces", "namespace", "Namespace", false, "ns", ""),
        ("", "nodes", "node", "Node", false, "no", ""),
        (
            "",
            "persistentvolumeclaims",
            "persistentvolumeclaim",
            "PersistentVolumeClaim",
            true,
            "pvc",
            "",
        ),
        ("", "pods", "pod", "Pod", true, "po", ALL),
        ("", "secrets", "secret", "Secret", true, "", ""),
        ("", "services", "service", "Service", true, "svc", ALL),
        (
            "apps",
            "daemonsets",
            "daemonset",
            "DaemonSet",
            true,
            "ds",
            ALL,
        ),
        (
            "apps",
            "deployments",
            "deployment",
            "Deployment",
            true,
            "deploy",
            ALL,
        ),
        (
            "apps",
            "replicasets",
            "replicaset",
            "ReplicaSet",
            true,
            "rs",
            ALL,
        ),
        (
            "apps",
            "statefulsets",
            "statefulset",
            "StatefulSet",
            true,
            "sts",
            ALL,
        ),
        ("batch", "cronjobs", "cronjob", "CronJob", true, "cj", ALL),
        ("batch", "jobs", "job", "Job", true, "", ALL),
        (
            "networking.k8s.io",
            "ingresses",
            "ingress",
            "Ingress",
            true,
            "ing",
            "",
        ),
        (
            "coordination.k8s.io",
            "leases",
            "lease",
            "Lease",
            true,
            "",
            "",
        ),
    ];
    let words = |text: &str| text.split_whitespace().map(Into::into).collect();
    let kind = |(group, plural, singular, kind, namespaced, short, categories): (
        &str,
        &str,
        &str,
        &str,
        bool,
        &str,
        &str,
    )| Kind {
        singular: singular.into(),
        short_names: words(short),
        categories: words(categories),
        namespaced,
        ..Kind::custom(plural, kind, group)
    };
    kinds.map(kind).into()
}
