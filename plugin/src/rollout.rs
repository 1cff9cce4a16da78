//! How far a rollout is, as `rollout status` says it.
//!
//! For what one cluster rolls out it is kubectl's text (`k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go`); works
//! and sets of works, which kubectl does not know, speak in its manner.
//!
//! **Architecture invariant:** pure. An object goes in, a line comes out.

use mqtt_informer::ocm::conditions::{find, is_true};
use mqtt_informer::ocm::replicaset::{PLACEMENT_ROLLED_OUT, PLACEMENT_VERIFIED, STOPPED};
use mqtt_informer::ocm::work::{APPLIED, AVAILABLE, DEGRADED, PROGRESSING};
use mqtt_informer::ocm::{ManifestWork, ManifestWorkReplicaSet, name};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What can be rolled out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// In a cluster.
    Deployment,
    /// In a cluster.
    DaemonSet,
    /// In a cluster.
    StatefulSet,
    /// One cluster's, on a hub.
    Work,
    /// Works for the clusters of placements, on a hub.
    ReplicaSet,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// For people.
    pub line: String,
    /// Nothing more is to come.
    pub is_done: bool,
}

impl Kind {
    /// The words that are offered for them, and where each is.
    pub const WORDS: [(&str, &str); 5] = [
        ("daemonset", "In a cluster"),
        ("deployment", "In a cluster"),
        ("manifestworkreplicaset", "On a hub"),
        ("statefulset", "In a cluster"),
        ("work", "On a hub"),
    ];

    /// The kind that a word means, as kubectl's short names have it.
    pub fn of(word: &str) -> Option<Self> {
        let (word, group) = word.split_once('.').unwrap_or((word, ""));
        let kind = match word.to_ascii_lowercase().as_str() {
            "deployment" | "deployments" | "deploy" => Self::Deployment,
            "daemonset" | "daemonsets" | "ds" => Self::DaemonSet,
            "statefulset" | "statefulsets" | "sts" => Self::StatefulSet,
            "work" | "works" | "manifestwork" | "manifestworks" => Self::Work,
            "mwrs" | "manifestworkreplicaset" | "manifestworkreplicasets" => Self::ReplicaSet,
            _ => return None,
        };
        (group.is_empty() || kind.resource().ends_with(group)).then_some(kind)
    }

    /// The type, as a source knows it.
    pub fn resource(self) -> &'static str {
        match self {
            Self::Deployment => "deployments.v1.apps",
            Self::DaemonSet => "daemonsets.v1.apps",
            Self::StatefulSet => "statefulsets.v1.apps",
            Self::Work => "manifestworks.v1.work.open-cluster-management.io",
            Self::ReplicaSet => "manifestworkreplicasets.v1alpha1.work.open-cluster-management.io",
        }
    }

    /// Whether a hub has it.
    pub fn is_hubs(self) -> bool {
        matches!(self, Self::Work | Self::ReplicaSet)
    }
}

/// How far an object is.
///
/// # Errors
/// A line that says why nothing more will come of it.
pub fn status(kind: Kind, object: &Value) -> Result<Status, String> {
    match kind {
        Kind::Deployment => deployment(object),
        Kind::DaemonSet => daemon_set(object),
        Kind::StatefulSet => stateful_set(object),
        Kind::Work => work(&read(object)?),
        Kind::ReplicaSet => replica_set(&read(object)?),
    }
}

fn waiting(line: impl Into<String>) -> Result<Status, String> {
    let line = line.into();
    Ok(Status {
        line,
        is_done: false,
    })
}

fn done(line: impl Into<String>) -> Result<Status, String> {
    let line = line.into();
    Ok(Status {
        line,
        is_done: true,
    })
}

fn read<T: DeserializeOwned>(object: &Value) -> Result<T, String> {
    T::deserialize(object).map_err(|error| format!("it is not understood: {error}"))
}

fn number(object: &Value, path: &str) -> i64 {
    object
        .pointer(path)
        .and_then(Value::as_i64)
        .unwrap_or_default()
}

fn text<'a>(object: &'a Value, path: &str) -> &'a str {
    object
        .pointer(path)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn is_observed(object: &Value) -> bool {
    number(object, "/metadata/generation") <= number(object, "/status/observedGeneration")
}

fn deployment(object: &Value) -> Result<Status, String> {
    let called = text(object, "/metadata/name");
    if !is_observed(object) {
        return waiting("Waiting for deployment spec update to be observed...");
    }
    let conditions = object
        .pointer("/status/conditions")
        .and_then(Value::as_array);
    let has_failed =
        |it: &Value| it["type"] == "Progressing" && it["reason"] == "ProgressDeadlineExceeded";
    if conditions.into_iter().flatten().any(has_failed) {
        return Err(format!(
            "deployment {called:?} exceeded its progress deadline"
        ));
    }
    let begin = format!("Waiting for deployment {called:?} rollout to finish:");
    let updated = number(object, "/status/updatedReplicas");
    let replicas = number(object, "/status/replicas");
    let available = number(object, "/status/availableReplicas");
    let wanted = object.pointer("/spec/replicas").and_then(Value::as_i64);
    if let Some(wanted) = wanted.filter(|wanted| updated < *wanted) {
        return waiting(format!(
            "{begin} {updated} out of {wanted} new replicas have been updated..."
        ));
    }
    if replicas > updated {
        let old = replicas - updated;
        return waiting(format!(
            "{begin} {old} old replicas are pending termination..."
        ));
    }
    if available < updated {
        return waiting(format!(
            "{begin} {available} of {updated} updated replicas are available..."
        ));
    }
    done(format!("deployment {called:?} successfully rolled out"))
}

fn only_rolling(object: &Value) -> Result<(), String> {
    match text(object, "/spec/updateStrategy/type") {
        "RollingUpdate" => Ok(()),
        _ => Err("rollout status is only available for RollingUpdate strategy type".to_owned()),
    }
}

fn daemon_set(object: &Value) -> Result<Status, String> {
    only_rolling(object)?;
    let called = text(object, "/metadata/name");
    if !is_observed(object) {
        return waiting("Waiting for daemon set spec update to be observed...");
    }
    let begin = format!("Waiting for daemon set {called:?} rollout to finish:");
    let updated = number(object, "/status/updatedNumberScheduled");
    let wanted = number(object, "/status/desiredNumberScheduled");
    let available = number(object, "/status/numberAvailable");
    if updated < wanted {
        return waiting(format!(
            "{begin} {updated} out of {wanted} new pods have been updated..."
        ));
    }
    if available < wanted {
        return waiting(format!(
            "{begin} {available} of {wanted} updated pods are available..."
        ));
    }
    done(format!("daemon set {called:?} successfully rolled out"))
}

fn stateful_set(object: &Value) -> Result<Status, String> {
    only_rolling(object)?;
    if number(object, "/status/observedGeneration") == 0 || !is_observed(object) {
        return waiting("Waiting for statefulset spec update to be observed...");
    }
    let wanted = object.pointer("/spec/replicas").and_then(Value::as_i64);
    let ready = number(object, "/status/readyReplicas");
    let updated = number(object, "/status/updatedReplicas");
    if let Some(wanted) = wanted.filter(|wanted| ready < *wanted) {
        return waiting(format!(
            "Waiting for {} pods to be ready...",
            wanted - ready
        ));
    }
    if let Some(rolling) = object.pointer("/spec/updateStrategy/rollingUpdate") {
        let partition = rolling["partition"].as_i64();
        let new = wanted.zip(partition).map(|(all, kept)| all - kept);
        if let Some(new) = new.filter(|new| updated < *new) {
            return waiting(format!(
                "Waiting for partitioned roll out to finish: {updated} out of {new} new pods have been updated..."
            ));
        }
        return done(format!(
            "partitioned roll out complete: {updated} new pods have been updated..."
        ));
    }
    let (update, current) = (
        text(object, "/status/updateRevision"),
        text(object, "/status/currentRevision"),
    );
    if update != current {
        return waiting(format!(
            "waiting for statefulset rolling update to complete {updated} pods at revision {update}..."
        ));
    }
    let many = number(object, "/status/currentReplicas");
    done(format!(
        "statefulset rolling update complete {many} pods at revision {current}..."
    ))
}

fn work(work: &ManifestWork) -> Result<Status, String> {
    let (called, conditions) = (name(work), &work.status.conditions);
    let begin = format!("Waiting for manifestwork {called:?} rollout to finish:");
    let Some(applied) = find(conditions, APPLIED) else {
        return waiting(format!("{begin} its agent has not applied it..."));
    };
    let seen = applied.observed_generation.unwrap_or_default();
    if seen < work.metadata.generation.unwrap_or_default() {
        return waiting("Waiting for manifestwork spec update to be observed...");
    }
    let told = &work.status.resource_status.manifests;
    let all = work.spec.workload.manifests.len().max(told.len());
    let so = |kind: &str| {
        told.iter()
            .filter(|it| is_true(&it.conditions, kind))
            .count()
    };
    if applied.status != "True" {
        let many = so(APPLIED);
        return waiting(format!(
            "{begin} {many} of {all} manifests have been applied..."
        ));
    }
    if let Some(degraded) = find(conditions, DEGRADED).filter(|it| it.status == "True") {
        return Err(format!(
            "manifestwork {called:?} is degraded: {}",
            degraded.message
        ));
    }
    if is_true(conditions, PROGRESSING) {
        return waiting(format!("{begin} it is progressing..."));
    }
    if !is_true(conditions, AVAILABLE) {
        let many = so(AVAILABLE);
        return waiting(format!(
            "{begin} {many} of {all} manifests are available..."
        ));
    }
    done(format!("manifestwork {called:?} successfully rolled out"))
}

fn replica_set(set: &ManifestWorkReplicaSet) -> Result<Status, String> {
    let (called, conditions) = (name(set), &set.status.conditions);
    let begin = format!("Waiting for manifestworkreplicaset {called:?} rollout to finish:");
    let generation = set.metadata.generation.unwrap_or_default();
    let found = find(conditions, PLACEMENT_ROLLED_OUT);
    let is_current = |it: &&_| {
        let it: &mqtt_informer::ocm::Condition = it;
        it.observed_generation.unwrap_or_default() >= generation
    };
    let Some(rolled_out) = found.filter(is_current) else {
        return waiting("Waiting for manifestworkreplicaset spec update to be observed...");
    };
    if let Some(placed) = find(conditions, PLACEMENT_VERIFIED).filter(|it| it.status != "True") {
        let why = match placed.message.as_str() {
            "" => placed.reason.as_str(),
            message => message,
        };
        return waiting(format!("{begin} it has no clusters ({why})..."));
    }
    if rolled_out.message.contains(STOPPED) {
        return Err(format!(
            "manifestworkreplicaset {called:?}: {}",
            rolled_out.message
        ));
    }
    let summary = &set.status.summary;
    let all = summary.desired_total;
    if rolled_out.status == "True" {
        return done(format!(
            "manifestworkreplicaset {called:?} successfully rolled out"
        ));
    }
    if summary.updated < all {
        return waiting(format!(
            "{begin} {} out of {all} works have been updated...",
            summary.updated
        ));
    }
    waiting(format!("{begin} {}...", rolled_out.message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn line(kind: Kind, object: &Value) -> String {
        match status(kind, object) {
            Ok(Status {
                line,
                is_done: true,
            }) => format!("done: {line}"),
            Ok(Status { line, .. }) => line,
            Err(line) => format!("error: {line}"),
        }
    }

    #[test]
    fn words_mean_kinds() {
        assert_eq!(Kind::of("deploy"), Some(Kind::Deployment));
        assert_eq!(Kind::of("deployments.apps"), Some(Kind::Deployment));
        assert_eq!(Kind::of("mwrs"), Some(Kind::ReplicaSet));
        assert_eq!(
            (Kind::of("pods"), Kind::of("deployments.batch")),
            (None, None)
        );
    }

    #[test]
    fn deployments_are_told_as_kubectl_does() {
        let told = |generation: i64, status: Value| {
            let object = json!({"metadata": {"name": "web", "generation": generation}, "spec": {"replicas": 3}, "status": status});
            line(Kind::Deployment, &object)
        };
        for (status, want) in [
            (
                json!({"observedGeneration": 2, "updatedReplicas": 1}),
                "Waiting for deployment \"web\" rollout to finish: 1 out of 3 new replicas have been updated...",
            ),
            (
                json!({"observedGeneration": 2, "updatedReplicas": 3, "replicas": 4}),
                "Waiting for deployment \"web\" rollout to finish: 1 old replicas are pending termination...",
            ),
            (
                json!({"observedGeneration": 2, "updatedReplicas": 3, "replicas": 3, "availableReplicas": 2}),
                "Waiting for deployment \"web\" rollout to finish: 2 of 3 updated replicas are available...",
            ),
            (
                json!({"observedGeneration": 2, "updatedReplicas": 3, "replicas": 3, "availableReplicas": 3}),
                "done: deployment \"web\" successfully rolled out",
            ),
            (
                json!({"observedGeneration": 1}),
                "Waiting for deployment spec update to be observed...",
            ),
            (
                json!({"observedGeneration": 2, "conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]}),
                "error: deployment \"web\" exceeded its progress deadline",
            ),
        ] {
            assert_eq!(told(2, status), want);
        }
    }

    #[test]
    fn daemon_sets_and_stateful_sets_too() {
        let rolling = json!({"updateStrategy": {"type": "RollingUpdate"}});
        let daemon = |status: Value| {
            line(
                Kind::DaemonSet,
                &json!({"metadata": {"name": "log", "generation": 1}, "spec": rolling, "status": status}),
            )
        };
        assert_eq!(
            daemon(
                json!({"observedGeneration": 1, "desiredNumberScheduled": 3, "updatedNumberScheduled": 1})
            ),
            "Waiting for daemon set \"log\" rollout to finish: 1 out of 3 new pods have been updated..."
        );
        assert_eq!(
            daemon(
                json!({"observedGeneration": 1, "desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 3})
            ),
            "done: daemon set \"log\" successfully rolled out"
        );
        let on_delete = json!({"spec": {"updateStrategy": {"type": "OnDelete"}}});
        assert_eq!(
            line(Kind::StatefulSet, &on_delete),
            "error: rollout status is only available for RollingUpdate strategy type"
        );
        let stateful = |spec: Value, status: Value| {
            line(
                Kind::StatefulSet,
                &json!({"metadata": {"name": "db", "generation": 1}, "spec": spec, "status": status}),
            )
        };
        let partitioned = json!({"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}});
        assert_eq!(
            stateful(
                partitioned.clone(),
                json!({"observedGeneration": 1, "readyReplicas": 2})
            ),
            "Waiting for 1 pods to be ready..."
        );
        assert_eq!(
            stateful(
                partitioned.clone(),
                json!({"observedGeneration": 1, "readyReplicas": 3, "updatedReplicas": 1})
            ),
            "Waiting for partitioned roll out to finish: 1 out of 2 new pods have been updated..."
        );
        assert_eq!(
            stateful(
                partitioned,
                json!({"observedGeneration": 1, "readyReplicas": 3, "updatedReplicas": 2})
            ),
            "done: partitioned roll out complete: 2 new pods have been updated..."
        );
        let revisions = json!({"observedGeneration": 1, "currentRevision": "a", "updateRevision": "b", "updatedReplicas": 1, "currentReplicas": 2});
        assert_eq!(
            stateful(rolling.clone(), revisions),
            "waiting for statefulset rolling update to complete 1 pods at revision b..."
        );
    }

    fn conditions(all: &[(&str, &str, &str)]) -> Value {
        let one = |(kind, status, message): &(&str, &str, &str)| json!({"type": kind, "status": status, "reason": "R", "message": message, "observedGeneration": 2, "lastTransitionTime": "2026-01-01T00:00:00Z"});
        all.iter().map(one).collect()
    }

    #[test]
    fn a_work_is_done_when_it_is_available() {
        let told = |all: &[(&str, &str, &str)]| {
            let manifests = json!([{"conditions": conditions(&[("Applied", "True", "")])}, {}]);
            let object = json!({
                "metadata": {"name": "w", "namespace": "c", "generation": 2},
                "status": {"conditions": conditions(all), "resourceStatus": {"manifests": manifests}},
            });
            line(Kind::Work, &object)
        };
        let begin = "Waiting for manifestwork \"w\" rollout to finish:";
        assert_eq!(
            told(&[]),
            format!("{begin} its agent has not applied it...")
        );
        assert_eq!(
            told(&[("Applied", "False", "")]),
            format!("{begin} 1 of 2 manifests have been applied...")
        );
        assert_eq!(
            told(&[("Applied", "True", ""), ("Available", "False", "")]),
            format!("{begin} 0 of 2 manifests are available...")
        );
        assert_eq!(
            told(&[
                ("Applied", "True", ""),
                ("Available", "True", ""),
                ("Degraded", "True", "no")
            ]),
            "error: manifestwork \"w\" is degraded: no"
        );
        assert_eq!(
            told(&[("Applied", "True", ""), ("Available", "True", "")]),
            "done: manifestwork \"w\" successfully rolled out"
        );
    }

    #[test]
    fn a_set_is_done_when_all_clusters_have_succeeded() {
        let told = |all: &[(&str, &str, &str)], updated: i64| {
            let object = json!({
                "metadata": {"name": "web", "namespace": "apps", "generation": 2},
                "status": {"conditions": conditions(all), "summary": {"desiredTotal": 20, "updated": updated}},
            });
            line(Kind::ReplicaSet, &object)
        };
        let begin = "Waiting for manifestworkreplicaset \"web\" rollout to finish:";
        let placed = ("PlacementVerified", "True", "");
        assert_eq!(
            told(&[], 0),
            "Waiting for manifestworkreplicaset spec update to be observed..."
        );
        assert_eq!(
            told(
                &[
                    ("PlacementVerified", "False", "no placement p"),
                    ("PlacementRolledOut", "False", "")
                ],
                0
            ),
            format!("{begin} it has no clusters (no placement p)...")
        );
        let rolling = |message| [placed, ("PlacementRolledOut", "False", message)];
        assert_eq!(
            told(&rolling("x"), 3),
            format!("{begin} 3 out of 20 works have been updated...")
        );
        assert_eq!(
            told(&rolling("7 of 20 clusters have succeeded"), 20),
            format!("{begin} 7 of 20 clusters have succeeded...")
        );
        assert!(
            told(
                &rolling("7 of 20 clusters have succeeded; stopped after too many failures: p"),
                9
            )
            .starts_with("error: manifestworkreplicaset \"web\": 7 of 20")
        );
        assert_eq!(
            told(&[placed, ("PlacementRolledOut", "True", "")], 20),
            "done: manifestworkreplicaset \"web\" successfully rolled out"
        );
    }
}
