use super::*;
use crate::tui::health::Health;
use crate::tui::view::list::ListLine;
use serde_json::{Value, json};

/// 1970-01-01T01:00:00Z
const HOUR: i64 = 3_600_000;

/// The lines that a view has of these objects an hour after the epoch, where `far` is a cluster that left.
fn lines(kind: HubKind, objects: &[Value]) -> Vec<ListLine> {
    let mut view = HubView::new(kind, FeedId(1), Some(crate::tui::testing::name("hub")));
    for (at, object) in objects.iter().enumerate() {
        let bytes = object.to_string().into();
        view.set_object(&at.to_string().into(), Some(&bytes));
    }
    view.refresh(HOUR, |cluster| cluster == "far");
    view.list.lines
}

/// One line: its cells, and how it is.
fn check(kind: HubKind, object: &Value, cells: &[&str], health: Health) {
    let lines = lines(kind, std::slice::from_ref(object));
    assert_eq!(lines.len(), 1, "{object}");
    assert_eq!(lines[0].cells, cells, "{object}");
    assert_eq!(lines[0].health, health, "{object}");
}

fn condition(kind: &str, status: &str, message: &str) -> Value {
    json!({"type": kind, "status": status, "reason": "Reason", "message": message,
        "lastTransitionTime": "1970-01-01T00:50:00Z", "observedGeneration": 2})
}

/// A work of one Deployment in the cluster `east`, with these conditions of the work and of its manifest.
fn work(conditions: &[Value], of_manifest: &[Value]) -> Value {
    let meta = json!({"ordinal": 0, "group": "apps", "version": "v1", "kind": "Deployment",
        "resource": "deployments", "namespace": "shop", "name": "web"});
    let feedback = json!({"values": [{"name": "ReadyReplicas", "fieldValue": {"type": "Integer", "integer": 3}}]});
    let manifest =
        json!({"resourceMeta": meta, "statusFeedback": feedback, "conditions": of_manifest});
    json!({
        "metadata": {"namespace": "east", "name": "web", "generation": 2, "creationTimestamp": "1970-01-01T00:00:00Z"},
        "spec": {"workload": {"manifests": [
            {"kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}}]}},
        "status": {"conditions": conditions, "resourceStatus": {"manifests": [manifest]}}})
}

#[test]
fn a_work_says_which_manifest_it_is_stuck_on() {
    let yes = |kind: &str| condition(kind, "True", "fine");
    let no = |kind: &str, message: &str| condition(kind, "False", message);
    let kind = || HubKind::Works(None);
    let it = work(
        &[yes("Applied"), yes("Available")],
        &[yes("Applied"), yes("Available")],
    );
    check(
        kind(),
        &it,
        &["east", "web", "True", "True", "1/1", "60m", ""],
        Health::Well,
    );

    let it = work(
        &[no("Applied", "Failed")],
        &[no("Applied", "forbidden"), no("Available", "gone")],
    );
    let cells = [
        "east",
        "web",
        "False",
        "-",
        "0/1",
        "60m",
        "Deployment shop/web: forbidden",
    ];
    check(kind(), &it, &cells, Health::Bad);

    let it = work(
        &[yes("Applied"), no("Available", "1 of 1")],
        &[yes("Applied"), no("Available", "gone")],
    );
    let cells = [
        "east",
        "web",
        "True",
        "False",
        "1/1",
        "60m",
        "Deployment shop/web: gone",
    ];
    check(kind(), &it, &cells, Health::Bad);

    let it = work(
        &[yes("Applied"), yes("Available"), yes("Complete")],
        &[yes("Applied")],
    );
    check(
        kind(),
        &it,
        &["east", "web", "True", "True", "1/1", "60m", ""],
        Health::Done,
    );

    let it = work(
        &[yes("Applied"), yes("Available"), yes("Degraded")],
        &[yes("Applied")],
    );
    check(
        kind(),
        &it,
        &["east", "web", "True", "True", "1/1", "60m", "fine"],
        Health::Bad,
    );

    let mut it = work(&[yes("Applied"), yes("Available")], &[yes("Applied")]);
    it["metadata"]["generation"] = json!(3);
    let why = "its agent has applied generation 2, not 3";
    check(
        kind(),
        &it,
        &["east", "web", "True", "True", "1/1", "60m", why],
        Health::Warn,
    );
    it["metadata"]["deletionTimestamp"] = json!("1970-01-01T00:59:00Z");
    let why = "goes: its cluster removes it";
    check(
        kind(),
        &it,
        &["east", "web", "True", "True", "1/1", "60m", why],
        Health::Warn,
    );

    let it = work(&[], &[]);
    let why = "its agent has not applied it";
    check(
        kind(),
        &it,
        &["east", "web", "-", "-", "0/1", "60m", why],
        Health::Warn,
    );
}

#[test]
fn what_an_agent_said_is_old_once_it_has_left() {
    let mut it = work(
        &[condition("Applied", "True", "")],
        &[condition("Applied", "True", "")],
    );
    let near = lines(HubKind::Works(None), std::slice::from_ref(&it));
    it["metadata"]["namespace"] = json!("far");
    let far = lines(HubKind::Works(None), &[it]);
    assert!(!near[0].is_stale && far[0].is_stale);
    assert_eq!(far[0].cells[6], "the cluster is offline");
}

#[test]
fn manifests_are_objects_of_the_cluster() {
    let mut it = work(
        &[],
        &[
            condition("Applied", "True", ""),
            condition("Available", "Unknown", "refused"),
        ],
    );
    let config = json!({"kind": "ConfigMap", "metadata": {"name": "conf", "namespace": "shop"}});
    it["spec"]["workload"]["manifests"]
        .as_array_mut()
        .unwrap()
        .push(config);
    let mut view = HubView::new(
        HubKind::Manifests("east".into(), "web".into()),
        FeedId(1),
        None,
    );
    view.set_object(&"east/web".into(), Some(&it.to_string().into()));
    view.refresh(HOUR, |_| false);
    let cells = |at: usize| view.list.lines[at].cells.join(" ");
    assert_eq!(
        cells(0),
        "Deployment shop web True Unknown ReadyReplicas=3 refused"
    );
    assert_eq!(
        cells(1),
        "ConfigMap shop conf - - - its agent has not spoken of it"
    );
    let target = view.selected().unwrap();
    let id = target.id.unwrap();
    assert_eq!(target.resource, "deployments.v1.apps");
    assert_eq!(
        (id.cluster.as_str(), id.namespace.as_str(), id.name.as_str()),
        ("east", "shop", "web")
    );
    assert_eq!(view.inside(), None, "its object is not the hub's");
}

#[test]
fn a_cluster_says_what_keeps_it_from_taking_work() {
    let cluster = |accepts: bool, conditions: &[Value]| {
        json!({
            "metadata": {"name": "east", "creationTimestamp": "1970-01-01T00:00:00Z",
                "labels": {"cluster.open-cluster-management.io/clusterset": "eu"}},
            "spec": {"hubAcceptsClient": accepts, "taints": [
                {"key": "cluster.open-cluster-management.io/unreachable", "effect": "NoSelect"}]},
            "status": {"conditions": conditions, "allocatable": {"cpu": "7500m", "memory": "16Gi"}}})
    };
    let taint = "unreachable:NoSelect";
    let [accepted, joined, available] = [
        "HubAcceptedManagedCluster",
        "ManagedClusterJoined",
        "ManagedClusterConditionAvailable",
    ];
    let yes = |kind: &str| condition(kind, "True", "fine");
    let row = |words: [&'static str; 3], why: &'static str| {
        let [accepted, joined, available] = words;
        [
            "east", accepted, joined, available, "7.5", "16Gi", "eu", taint, "60m", why,
        ]
    };
    for (it, cells, health) in [
        (
            cluster(true, &[yes(accepted), yes(joined), yes(available)]),
            row(["true", "True", "True"], ""),
            Health::Well,
        ),
        (
            cluster(
                true,
                &[
                    yes(accepted),
                    yes(joined),
                    condition(available, "Unknown", "gone offline"),
                ],
            ),
            row(["true", "True", "Unknown 10m"], "gone offline"),
            Health::Bad,
        ),
        (
            cluster(true, &[yes(accepted)]),
            row(["true", "-", "-"], "its agent has not been here"),
            Health::Warn,
        ),
        (
            cluster(false, &[]),
            row(
                ["false", "-", "-"],
                "waits for hubAcceptsClient, or hub --auto-accept",
            ),
            Health::Warn,
        ),
        (
            cluster(
                false,
                &[condition(accepted, "False", "Denied"), yes(joined)],
            ),
            row(["false", "True", "-"], "Denied"),
            Health::Bad,
        ),
    ] {
        check(HubKind::Clusters, &it, &cells, health);
    }
}

#[test]
fn a_placement_says_why_it_has_not_what_it_wants() {
    let placement = |selected: i32, conditions: &[Value]| {
        json!({
            "metadata": {"namespace": "shop", "name": "eu", "creationTimestamp": "1970-01-01T00:00:00Z"},
            "spec": {"numberOfClusters": 3},
            "status": {"numberOfSelectedClusters": selected, "conditions": conditions}})
    };
    let satisfied = |status: &str, why: &str| condition("PlacementSatisfied", status, why);
    let wrong = condition("PlacementMisconfigured", "True", "bad prioritizer");
    for (it, cells, health) in [
        (
            placement(3, &[satisfied("True", "all")]),
            ["3/3", "True", ""],
            Health::Well,
        ),
        (
            placement(2, &[satisfied("False", "one is missing")]),
            ["2/3", "False", "one is missing"],
            Health::Warn,
        ),
        (
            placement(0, &[satisfied("False", "no set")]),
            ["0/3", "False", "no set"],
            Health::Bad,
        ),
        (
            placement(0, &[satisfied("False", "no set"), wrong]),
            ["0/3", "False", "bad prioritizer"],
            Health::Bad,
        ),
        (
            placement(0, &[]),
            ["0/3", "-", "not scheduled yet"],
            Health::Warn,
        ),
    ] {
        let [many, satisfied, why] = cells;
        check(
            HubKind::Placements,
            &it,
            &["shop", "eu", many, satisfied, "60m", why],
            health,
        );
    }
    let decision = json!({"status": {"decisions": [
        {"clusterName": "east", "reason": "", "score": 200}, {"clusterName": "", "reason": "none"}]}});
    let decided = HubKind::Decided("shop".into(), "eu".into());
    check(decided, &decision, &["east", "200", ""], Health::Well);
}

#[test]
fn what_is_not_understood_says_so() {
    let lines = lines(
        HubKind::Placements,
        &[json!({"spec": {"numberOfClusters": "many"}})],
    );
    assert_eq!((lines[0].cells.len(), lines[0].cells[0].as_str()), (6, "0"));
    assert!(
        lines[0].cells[5].starts_with("not understood: "),
        "{lines:?}"
    );
}
