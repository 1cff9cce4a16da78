use super::feedback::read as feedback_of;
use super::*;
use crate::ocm::conditions::find;
use crate::ocm::unsupported::UNSUPPORTED;
use crate::ocm::work::{
    APPLIED, AVAILABLE, COMPLETE, FEEDBACK_SYNCED, ManifestWorkStatus, PROGRESSING, ValueType,
};
use k8s_openapi::jiff::SignedDuration;
use report::{Applied, Seen, status};
use throttle::{Due, Pace, due};

fn work(manifests: Vec<Value>, configs: Value) -> ManifestWork {
    let mut work: ManifestWork = read(json!({"metadata": {"generation": 7}}));
    work.spec = spec(manifests, json!({"manifestConfigs": configs}));
    work
}

/// The status of a work whose manifests all end so.
fn report(work: &ManifestWork, applied: Applied, seen: Seen, now: i64) -> ManifestWorkStatus {
    let read = read_all(&work.spec, &kinds);
    let outcomes: Vec<_> = read
        .iter()
        .map(|it| (it, applied.clone(), seen.clone()))
        .collect();
    status(work, &outcomes, at(now))
}

fn there(object: Value) -> Seen {
    Seen::There(Box::new(object))
}

fn said(conditions: &[crate::ocm::Condition], kind: &str) -> [String; 3] {
    let found = find(conditions, kind).unwrap().clone();
    [found.status, found.reason, found.message]
}

#[test]
fn a_work_that_is_well() {
    let work = work(vec![config_map("a"), config_map("b")], json!([]));
    let status = report(&work, Applied::Complete, there(config_map("a")), 1);
    assert_eq!(
        said(&status.conditions, APPLIED),
        [
            "True",
            "AppliedManifestWorkComplete",
            "Apply manifest work complete"
        ]
    );
    assert_eq!(
        said(&status.conditions, AVAILABLE),
        ["True", "ResourcesAvailable", "All resources are available"]
    );
    let first = &status.resource_status.manifests[0];
    assert_eq!(
        said(&first.conditions, APPLIED),
        ["True", "AppliedManifestComplete", "Apply manifest complete"]
    );
    assert_eq!(
        said(&first.conditions, AVAILABLE),
        ["True", "ResourceAvailable", "Resource is available"]
    );
    assert_eq!(
        said(&first.conditions, FEEDBACK_SYNCED)[1],
        "NoStatusFeedbackSynced"
    );
    assert_eq!(first.resource_meta.resource, "configmaps");
    assert_eq!(
        find(&status.conditions, APPLIED)
            .unwrap()
            .observed_generation,
        Some(7)
    );
    assert_eq!(
        find(&first.conditions, APPLIED)
            .unwrap()
            .observed_generation,
        Some(7)
    );
}

#[test]
fn a_work_that_is_not_well() {
    let one = work(
        vec![
            config_map("a"),
            config_map("a"),
            object("x/v1", "X", "n", "x"),
        ],
        json!([]),
    );
    let failed = report(
        &one,
        Applied::Failed("denied by webhook".to_owned()),
        Seen::Missing,
        1,
    );
    assert_eq!(
        said(&failed.conditions, APPLIED),
        [
            "False",
            "AppliedManifestWorkFailed",
            "Failed to apply manifest work"
        ]
    );
    assert_eq!(
        said(&failed.conditions, AVAILABLE),
        [
            "False",
            "ResourcesNotAvailable",
            "1 of 3 resources are not available"
        ]
    );
    let all = &failed.resource_status.manifests;
    assert_eq!(
        said(&all[0].conditions, APPLIED),
        [
            "False",
            "AppliedManifestFailed",
            "Failed to apply manifest: denied by webhook"
        ]
    );
    assert_eq!(
        said(&all[1].conditions, AVAILABLE)[1],
        "IncompletedResourceMeta"
    );
    assert!(said(&all[2].conditions, APPLIED)[2].contains("resource type \"X\""));
    let conflict = report(
        &work(vec![config_map("a")], json!([])),
        Applied::Conflict("hpa: .spec".to_owned()),
        Seen::Unknown("timeout".to_owned()),
        1,
    );
    assert_eq!(
        said(&conflict.resource_status.manifests[0].conditions, APPLIED)[1],
        "ApplyConflict"
    );
    assert_eq!(
        said(&conflict.conditions, AVAILABLE)[..2],
        ["Unknown", "ResourcesStatusUnknown"]
    );
}

#[test]
fn a_work_that_nobody_has_tried_says_nothing_of_it() {
    let work = work(vec![config_map("a")], json!([]));
    let status = report(&work, Applied::NotYet, Seen::Missing, 1);
    assert!(find(&status.conditions, APPLIED).is_none());
}

#[test]
fn since_when_something_is_so_is_kept() {
    let mut work = work(vec![config_map("a"), config_map("b")], json!([]));
    work.status = report(&work, Applied::Complete, there(config_map("a")), 1);
    // Both moved to other places in the work.
    work.spec.workload.manifests.reverse();
    let later = report(&work, Applied::Complete, there(config_map("a")), 9);
    assert_eq!(
        find(&later.conditions, APPLIED)
            .unwrap()
            .last_transition_time
            .0,
        at(1)
    );
    let first = &later.resource_status.manifests[0];
    assert_eq!(
        find(&first.conditions, AVAILABLE)
            .unwrap()
            .last_transition_time
            .0,
        at(1)
    );
    assert_eq!(first.resource_meta.ordinal, 0);
}

fn deployment() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "n", "generation": 2},
        "spec": {"replicas": 3},
        "status": {
            "observedGeneration": 2, "replicas": 3, "readyReplicas": 2, "availableReplicas": 2, "updatedReplicas": 3,
            "conditions": [{"type": "Available", "status": "True"}],
        },
    })
}

fn config(more: Value) -> Value {
    let mut config = json!({"resourceIdentifier": {"group": "apps", "resource": "deployments", "namespace": "n", "name": "d"}});
    config
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!([config])
}

fn feedback(rules: Value) -> (Vec<(String, Value)>, [String; 3]) {
    let work = work(vec![deployment()], config(json!({"feedbackRules": rules})));
    let status = report(&work, Applied::Complete, there(deployment()), 1);
    let first = &status.resource_status.manifests[0];
    let values = first.status_feedback.values.iter().map(|it| {
        let value = &it.field_value;
        let found = match value.kind {
            ValueType::Integer => json!(value.integer),
            ValueType::String => json!(value.string),
            ValueType::Boolean => json!(value.boolean),
            _ => json!(value.json_raw),
        };
        (it.name.clone(), found)
    });
    (values.collect(), said(&first.conditions, FEEDBACK_SYNCED))
}

fn pairs(all: &[(&str, Value)]) -> Vec<(String, Value)> {
    all.iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

#[test]
fn what_of_a_status_comes_back() {
    let (values, synced) = feedback(json!([{"type": "WellKnownStatus"}]));
    let want = [
        ("ReadyReplicas", json!(2)),
        ("Replicas", json!(3)),
        ("AvailableReplicas", json!(2)),
    ];
    assert_eq!(values, pairs(&want));
    assert_eq!(synced[..2], ["True", "StatusFeedbackSynced"]);
    let paths = json!([{"type": "JSONPaths", "jsonPaths": [
        {"name": "isAvailable", "path": ".status.conditions[?(@.type==\"Available\")].status"},
        {"name": "nothing", "path": ".status.nothing"},
        {"name": "all", "path": ".status.conditions"},
    ]}]);
    let want = [
        ("isAvailable", json!("True")),
        (
            "all",
            json!("[{\"status\":\"True\",\"type\":\"Available\"}]"),
        ),
    ];
    assert_eq!(feedback(paths).0, pairs(&want));
}

#[test]
fn feedback_that_fails_says_why() {
    let cases = [
        (
            json!([{"type": "JSONPaths", "jsonPaths": [{"name": "a", "path": ".status["}]}]),
            "failed to parse json path",
        ),
        (
            json!([{"type": "JSONPaths", "jsonPaths": [{"name": "a", "version": "v2", "path": ".status"}]}]),
            "version set in the path a",
        ),
        (
            json!([{"type": "WellKnownStatus"}, {"type": "WellKnownStatus"}]),
            "two values are called ReadyReplicas",
        ),
    ];
    for (rules, part) in cases {
        let (_, [state, reason, message]) = feedback(rules);
        assert_eq!(
            (state.as_str(), reason.as_str()),
            ("False", "StatusFeedbackSyncFailed")
        );
        assert!(message.contains(part), "{message}");
    }
    let long = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "x".repeat(2000)}});
    let rule = read(json!({"type": "JSONPaths", "jsonPaths": [{"name": "a", "path": ".data"}]}));
    let (values, synced) = feedback_of(&long, &[rule], at(1));
    assert!(values.is_empty() && synced.message.contains("maximum length 1024"));
}

#[test]
fn conditions_are_made_by_rules_and_go_with_them() {
    let rules = json!({"conditionRules": [
        {"type": "WellKnownConditions", "condition": "Progressing"},
        {"type": "CEL", "condition": "Happy", "celExpressions": ["true"]},
    ]});
    let mut one = work(vec![deployment()], config(rules));
    one.status = report(&one, Applied::Complete, there(deployment()), 1);
    assert_eq!(said(&one.status.conditions, PROGRESSING)[0], "True");
    assert_eq!(said(&one.status.conditions, "Happy")[0], "Unknown");
    assert!(said(&one.status.conditions, UNSUPPORTED)[2].contains("celExpressions"));
    let mut done = deployment();
    done["status"]["availableReplicas"] = json!(3);
    assert_eq!(
        said(
            &report(&one, Applied::Complete, there(done), 2).conditions,
            PROGRESSING
        )[0],
        "False"
    );
    one.spec.manifest_configs.clear();
    one.metadata.generation = Some(8);
    let after = report(&one, Applied::Complete, there(deployment()), 3);
    assert!(find(&after.conditions, PROGRESSING).is_none());
    assert!(find(&after.conditions, UNSUPPORTED).is_none());
    assert!(find(&after.resource_status.manifests[0].conditions, "Happy").is_none());
}

#[test]
fn a_work_that_is_complete_expires() {
    let mut work: ManifestWork = read(json!({
        "spec": {"deleteOption": {"ttlSecondsAfterFinished": 60}},
        "status": {"conditions": [{"type": COMPLETE, "status": "True", "reason": "R", "message": "", "lastTransitionTime": at(100).to_string()}]},
    }));
    assert_eq!(work.expires(), Some(at(160)));
    work.status.conditions[0].status = "False".to_owned();
    assert_eq!(work.expires(), None);
}

#[test]
fn what_somebody_waits_for_is_sent_sooner() {
    let work = work(vec![config_map("a")], json!([]));
    let old = report(&work, Applied::NotYet, Seen::Missing, 1);
    let new = report(&work, Applied::Complete, there(config_map("a")), 1);
    let pace = Pace::default();
    assert_eq!(due(pace, None, &old, at(1)), Due::Now);
    assert_eq!(due(pace, Some((&old, at(1))), &old, at(100)), Due::Never);
    let soon = at(1) + SignedDuration::from_millis(500);
    assert_eq!(due(pace, Some((&old, at(1))), &new, at(1)), Due::At(soon));
    assert_eq!(due(pace, Some((&old, at(1))), &new, at(2)), Due::Now);
    let mut moved = new.clone();
    moved.resource_status.manifests[0]
        .status_feedback
        .values
        .push(Default::default());
    assert_eq!(
        due(pace, Some((&new, at(1))), &moved, at(2)),
        Due::At(at(6))
    );
}

#[test]
fn nothing_that_is_in_a_secret_or_closed_to_its_writer_goes_back() {
    let asks = |resource: &str| {
        json!([{
            "resourceIdentifier": {"resource": resource, "namespace": "n", "name": "a"},
            "feedbackRules": [{"type": "JSONPaths", "jsonPaths": [{"name": "all", "path": ".data"}]}],
        }])
    };
    let with_data = |kind: &str| {
        let mut object = object("v1", kind, "n", "a");
        object["data"] = json!({"password": "aHVudGVyMg=="});
        object
    };
    for (kind, resource, seen) in [
        ("Secret", "secrets", there(with_data("Secret"))),
        ("ConfigMap", "configmaps", Seen::Closed),
    ] {
        let mut work = work(vec![object("v1", kind, "n", "a")], asks(resource));
        // What was told before is taken back.
        let open = work_status(&work, there(with_data("ConfigMap")));
        work.status = open;
        let status = work_status(&work, seen);
        let one = &status.resource_status.manifests[0];
        assert_eq!(one.status_feedback.values, [], "{kind}");
        let [synced, reason, message] = said(&one.conditions, FEEDBACK_SYNCED);
        assert_eq!(
            [synced.as_str(), &reason],
            ["False", "StatusFeedbackSyncFailed"]
        );
        assert!(!message.contains("aHVudGVyMg"), "{message}");
        assert_eq!(said(&one.conditions, AVAILABLE)[0], "True");
    }
}

fn work_status(work: &ManifestWork, seen: Seen) -> ManifestWorkStatus {
    report(work, Applied::Complete, seen, 1)
}
