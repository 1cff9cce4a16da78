//! Examples of open-cluster-management.io, "Placement" and "PlacementDecision".

use super::*;

fn prod(names: &[&str]) -> Vec<ManagedCluster> {
    names
        .iter()
        .map(|it| labelled(it, json!({"purpose": "test"})))
        .collect()
}

/// "Label/claim selection": three clusters with the label.
#[test]
fn label_and_claim_selection() {
    let with = |name: &str, purpose: &str, platform: &str| {
        cluster(
            name,
            json!({
                "metadata": {"labels": {"purpose": purpose}},
                "status": {"clusterClaims": [{"name": "platform.open-cluster-management.io", "value": platform}]},
            }),
        )
    };
    let hub = Hub::new(
        json!({"numberOfClusters": 3, "predicates": [{"requiredClusterSelector": {
            "labelSelector": {"matchLabels": {"purpose": "test"}},
            "claimSelector": {"matchExpressions": [
                {"key": "platform.open-cluster-management.io", "operator": "In", "values": ["aws"]}]},
        }}]}),
        vec![
            with("c1", "test", "aws"),
            with("c2", "test", "gcp"),
            with("c3", "dev", "aws"),
            with("c4", "test", "aws"),
        ],
    );
    let outcome = hub.schedule();
    assert_eq!(clusters(&outcome), ["c1", "c4"]);
    let [status, reason, message] = condition(&outcome, SATISFIED);
    assert_eq!(
        (status.as_str(), reason.as_str(), message.as_str()),
        (
            "False",
            "NotAllDecisionsScheduled",
            "1 cluster decisions unscheduled"
        )
    );
}

/// "Taints and tolerations": the example that goes on over six steps, with the taint `gpu` of cluster1.
#[test]
fn taints_and_tolerations() {
    let tainted = |effect: &str, added: i64| {
        let since = at(added).to_string();
        cluster(
            "cluster1",
            json!({"spec": {"taints": [{"effect": effect, "key": "gpu", "value": "true", "timeAdded": since}]}}),
        )
    };
    let hub = |spec: Value, effect: &str| Hub::new(spec, vec![tainted(effect, 999_900)]);
    // "By default, placement1 won't select cluster1."
    assert!(hub(json!({}), "NoSelect").selected().is_empty());
    // "the following toleration... placement can select cluster1"
    let equal = json!([{"key": "gpu", "value": "true", "operator": "Equal"}]);
    assert_eq!(
        hub(json!({"tolerations": equal}), "NoSelect").selected(),
        ["cluster1"]
    );
    let exists = json!([{"key": "gpu", "operator": "Exists"}]);
    assert_eq!(
        hub(json!({"tolerations": exists}), "NoSelect").selected(),
        ["cluster1"]
    );
    let wrong = json!([{"key": "gpu", "value": "false"}]);
    assert!(
        hub(json!({"tolerations": wrong}), "NoSelect")
            .selected()
            .is_empty()
    );
    // "tolerationSeconds: 300 ... until TimeAdded + 300 seconds"
    let for_a_while =
        json!([{"key": "gpu", "value": "true", "operator": "Equal", "tolerationSeconds": 300}]);
    let mut waiting = hub(json!({"tolerations": for_a_while}), "NoSelect");
    let outcome = waiting.settle();
    assert_eq!(clusters(&outcome), ["cluster1"]);
    assert_eq!(outcome.recheck, Some(at(1_000_200)));
    waiting.now = at(1_000_200);
    assert!(waiting.selected().is_empty());
    // "NoSelectIfNew ... unless the cluster has been selected already"
    let mut new = hub(json!({}), "NoSelectIfNew");
    assert!(new.selected().is_empty());
    new.clusters = prod(&["cluster1"]);
    new.settle();
    new.clusters = vec![tainted("NoSelectIfNew", 999_900)];
    assert_eq!(new.selected(), ["cluster1"]);
}

/// "Clusters with the largest allocatable memory": Exact, ResourceAllocatableMemory.
#[test]
fn the_most_memory() {
    let with = |name: &str, memory: &str| {
        cluster(
            name,
            json!({"status": {"allocatable": {"memory": memory}, "capacity": {"memory": "64Gi"}}}),
        )
    };
    let hub = Hub::new(
        json!({"numberOfClusters": 2, "prioritizerPolicy": {"mode": "Exact", "configurations": [
            {"scoreCoordinate": {"builtIn": "ResourceAllocatableMemory"}}]}}),
        vec![
            with("c1", "8Gi"),
            with("c2", "32Gi"),
            with("c3", "16Gi"),
            with("c4", "4Gi"),
        ],
    );
    let outcome = hub.schedule();
    assert_eq!(clusters(&outcome), ["c2", "c3"]);
    let scores: Vec<_> = outcome.decisions[0]
        .decisions()
        .iter()
        .map(|it| it.score)
        .collect();
    assert_eq!(scores, [Some(100), Some(-14)]);
}

/// "Clusters with the largest allocatable CPU and memory, and the fewest decisions": weights 2 with the defaults.
#[test]
fn memory_cpu_and_the_defaults() {
    let with = |name: &str, cpu: &str, memory: &str| {
        let amount = json!({"cpu": cpu, "memory": memory});
        cluster(
            name,
            json!({"status": {"allocatable": amount, "capacity": amount}}),
        )
    };
    let mut hub = Hub::new(
        json!({"numberOfClusters": 2, "prioritizerPolicy": {"configurations": [
            {"scoreCoordinate": {"builtIn": "ResourceAllocatableCPU"}, "weight": 2},
            {"scoreCoordinate": {"builtIn": "ResourceAllocatableMemory"}, "weight": 2}]}}),
        vec![
            with("c1", "2", "4Gi"),
            with("c2", "8", "16Gi"),
            with("c3", "4", "8Gi"),
        ],
    );
    assert_eq!(hub.selected(), ["c2", "c3"]);
    // Balance counts 1 against 2 + 2.
    hub.decisions.push(other_decision("q", &["c2", "c3"]));
    assert_eq!(hub.selected(), ["c2", "c3"]);
}

/// "Decision strategy": two named groups first, the rest by threes.
#[test]
fn decision_groups() {
    let mut all: Vec<_> = (1..=2)
        .map(|i| labelled(&format!("canary{i}"), json!({"prod-canary-west": "true"})))
        .collect();
    all.extend((1..=4).map(|i| labelled(&format!("east{i}"), json!({"prod-canary-east": "true"}))));
    all.extend((1..=5).map(|i| labelled(&format!("prod{i}"), json!({}))));
    let named = |name: &str| {
        json!({"groupName": name, "groupClusterSelector": {
            "labelSelector": {"matchExpressions": [{"key": name, "operator": "Exists"}]}}})
    };
    let hub = Hub::new(
        json!({"decisionStrategy": {"groupStrategy": {
            "clustersPerDecisionGroup": 3,
            "decisionGroups": [named("prod-canary-west"), named("prod-canary-east")]}}}),
        all,
    );
    let outcome = hub.schedule();
    let groups: Vec<_> = outcome
        .status
        .decision_groups
        .iter()
        .map(|it| {
            (
                it.decision_group_index,
                it.decision_group_name.as_str(),
                it.cluster_count,
            )
        })
        .collect();
    assert_eq!(
        groups,
        [
            (0, "prod-canary-west", 2),
            (1, "prod-canary-east", 3),
            (2, "prod-canary-east", 1),
            (3, "", 3),
            (4, "", 2),
        ]
    );
    let last = outcome.decisions.last().unwrap();
    assert_eq!(last.metadata.name.as_deref(), Some("p-decision-5"));
    let labels = last.metadata.labels.as_ref().unwrap();
    assert_eq!(labels[crate::ocm::decision::PLACEMENT_LABEL], "p");
    assert_eq!(labels[crate::ocm::decision::GROUP_INDEX_LABEL], "4");
    assert_eq!(labels[crate::ocm::decision::GROUP_NAME_LABEL], "");
    assert_eq!(
        outcome.decisions[1]
            .metadata
            .owner_references
            .as_ref()
            .unwrap()[0]
            .uid,
        "u"
    );
}

/// "Placement status": all is well.
#[test]
fn all_decisions_scheduled() {
    let outcome = Hub::new(json!({"numberOfClusters": 2}), prod(&["c1", "c2"])).schedule();
    assert_eq!(
        condition(&outcome, SATISFIED),
        [
            "True",
            "AllDecisionsScheduled",
            "All cluster decisions scheduled"
        ]
    );
    assert_eq!(
        condition(&outcome, MISCONFIGURED),
        [
            "False",
            "Succeedconfigured",
            "Placement configurations check pass"
        ]
    );
    assert_eq!(outcome.status.number_of_selected_clusters, 2);
    assert_eq!(outcome.events[0].reason, "DecisionCreate");
}

/// "Tolerate clusters with taint for a period of time": the workload goes elsewhere five minutes after a cluster went.
#[test]
fn an_unreachable_cluster_is_tolerated_for_five_minutes() {
    let taint = json!([{
        "effect": "NoSelect",
        "key": "cluster.open-cluster-management.io/unreachable",
        "timeAdded": at(1_000_000).to_string(),
    }]);
    let tolerations = json!([{
        "key": "cluster.open-cluster-management.io/unreachable",
        "operator": "Exists",
        "tolerationSeconds": 300,
    }]);
    let mut hub = Hub::new(
        json!({"numberOfClusters": 1, "tolerations": tolerations}),
        prod(&["cluster1"]),
    );
    hub.settle();
    hub.clusters = prod(&["cluster2"]);
    let gone = cluster("cluster1", json!({"spec": {"taints": taint}}));
    hub.clusters.push(gone);
    hub.now = at(1_000_299);
    let outcome = hub.settle();
    assert_eq!(clusters(&outcome), ["cluster1"]);
    assert_eq!(outcome.recheck, Some(at(1_000_300)));
    hub.now = at(1_000_300);
    assert_eq!(hub.selected(), ["cluster2"]);
}

/// "Score-based prioritizer": "2 clusters with the largest memory available and the largest addon score cpuratio, and pin
/// the placementdecisions".
#[test]
fn the_most_memory_and_the_largest_score_of_an_add_on_pinned() {
    let with = |name: &str, memory: &str| {
        cluster(
            name,
            json!({"status": {"allocatable": {"memory": memory}, "capacity": {"memory": "64Gi"}}}),
        )
    };
    let spec = |steady: i32| {
        json!({"numberOfClusters": 2, "prioritizerPolicy": {"mode": "Exact", "configurations": [
            {"scoreCoordinate": {"builtIn": "ResourceAllocatableMemory"}},
            {"scoreCoordinate": {"builtIn": "Steady"}, "weight": steady},
            {"scoreCoordinate": {"type": "AddOn", "addOn": {"resourceName": "default", "scoreName": "cpuratio"}}},
        ]}})
    };
    let four = |third: &str| {
        let memory = [("c1", "32Gi"), ("c2", "16Gi"), ("c3", third), ("c4", "8Gi")];
        memory.map(|(name, memory)| with(name, memory)).to_vec()
    };
    let ratios = [("c1", 0), ("c2", 50), ("c3", 100), ("c4", -100)];
    let score = |(cluster, value): (&str, i64)| Score {
        cluster: cluster.to_owned(),
        resource: "default".to_owned(),
        name: "cpuratio".to_owned(),
        value,
        valid_until: None,
    };
    for (steady, then) in [(3, ["c1", "c2"]), (1, ["c1", "c3"])] {
        let mut hub = Hub::new(spec(steady), four("4Gi"));
        hub.scores = Some(ratios.map(score).to_vec());
        assert_eq!(clusters(&hub.settle()), ["c1", "c2"]);
        // c3 is better than c2 now.
        hub.clusters = four("31Gi");
        assert_eq!(hub.selected(), then, "Steady weighs {steady}");
    }
}
