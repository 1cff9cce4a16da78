//! In which order objects are written: what others need comes first. Removed is in the reverse order.
//!
//! Helm's order, but for webhooks, which come last: one whose server does not run yet would refuse all that follows. What
//! nobody knows is a custom resource, most likely, and comes after the definitions and what serves them.

use super::manifest::Manifest;

const KINDS: &[&str] = &[
    "Namespace",
    "CustomResourceDefinition",
    "PriorityClass",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
];

const LAST: &[&str] = &[
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
];

/// When a kind's turn is.
pub fn rank(group: &str, kind: &str) -> usize {
    // A custom resource may be called Service, and be none.
    let built_in = group.is_empty() || !group.contains('.') || group.ends_with(".k8s.io");
    let place = |kinds: &[&str]| kinds.iter().position(|it| *it == kind && built_in);
    place(KINDS).unwrap_or_else(|| KINDS.len() + place(LAST).map_or(0, |it| it + 1))
}

/// Puts manifests in the order in which they are written; equals stay as they are.
pub fn sort(manifests: &mut [Manifest]) {
    manifests.sort_by_key(|it| rank(&it.meta.group, &it.meta.kind));
}

/// Puts things of an inventory in the order in which they are removed: by what their plural says of their kind.
pub fn sort_for_removal<T>(things: &mut [T], kind: impl Fn(&T) -> (&str, &str)) {
    things.sort_by_key(|it| {
        let (group, resource) = kind(it);
        std::cmp::Reverse(rank_of_plural(group, resource))
    });
}

/// The same for a plural, where no kind is known.
fn rank_of_plural(group: &str, resource: &str) -> usize {
    let plural = |kind: &&&str| {
        let lower = kind.to_lowercase();
        let endings = [format!("{lower}s"), format!("{lower}es")];
        endings.contains(&resource.to_owned())
            || lower
                .strip_suffix('y')
                .is_some_and(|it| resource == format!("{it}ies"))
    };
    let found = KINDS.iter().chain(LAST).find(plural);
    rank(group, found.copied().unwrap_or_default())
}
