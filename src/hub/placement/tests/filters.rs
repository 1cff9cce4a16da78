use super::*;

fn plain(names: &[&str]) -> Vec<ManagedCluster> {
    names.iter().map(|it| labelled(it, json!({}))).collect()
}

#[track_caller]
fn check(hub: &Hub, reason: &str, message: &str) {
    let outcome = hub.schedule();
    assert_eq!(condition(&outcome, SATISFIED), ["False", reason, message]);
    assert!(clusters(&outcome).is_empty());
    assert_eq!(
        outcome.decisions.len(),
        1,
        "one empty decision says that there is none"
    );
}

#[test]
fn why_nothing_was_found() {
    let mut hub = Hub::new(json!({}), plain(&["c1"]));
    hub.bindings.clear();
    let text = "No valid ManagedClusterSetBindings found in placement namespace";
    check(&hub, "NoManagedClusterSetBindings", text);
    // A binding of a set that does not exist, or in another namespace, is none.
    let mut hub = Hub::new(json!({}), plain(&["c1"]));
    hub.bindings[0].metadata.name = Some("gone".to_owned());
    check(&hub, "NoManagedClusterSetBindings", text);
    let mut hub = Hub::new(json!({}), plain(&["c1"]));
    hub.bindings[0].metadata.namespace = Some("elsewhere".to_owned());
    check(&hub, "NoManagedClusterSetBindings", text);
    let hub = Hub::new(json!({"clusterSets": ["a", "b"]}), plain(&["c1"]));
    let text = "None of ManagedClusterSets [a,b] is bound to placement namespace";
    check(&hub, "NoIntersection", text);
    let text = "All ManagedClusterSets [default] have no member ManagedCluster";
    check(
        &Hub::new(json!({}), vec![]),
        "AllManagedClusterSetsEmpty",
        text,
    );
    let nobody = json!({"predicates": [{"requiredClusterSelector": {"labelSelector": {"matchLabels": {"a": "b"}}}}]});
    let text = "No ManagedCluster matches any of the cluster predicate";
    check(
        &Hub::new(nobody, plain(&["c1"])),
        "NoManagedClusterMatched",
        text,
    );
}

#[test]
fn a_cluster_that_is_being_deleted_is_not_chosen() {
    let mut hub = Hub::new(json!({}), plain(&["c1", "c2"]));
    hub.clusters[0].metadata.deletion_timestamp = Some(crate::ocm::Time(at(1)));
    assert_eq!(hub.selected(), ["c2"]);
}

#[test]
fn the_global_set_is_all_clusters() {
    let mut hub = Hub::new(json!({"clusterSets": ["global"]}), plain(&["c1", "c2"]));
    hub.sets.push(read(
        json!({"metadata": {"name": "global"}, "spec": {"clusterSelector": {
        "selectorType": "LabelSelector", "labelSelector": {}}}}),
    ));
    hub.bindings.push(read(
        json!({"metadata": {"name": "global", "namespace": "default"}}),
    ));
    assert_eq!(hub.selected(), ["c1", "c2"]);
}

#[test]
fn predicates_are_alternatives() {
    let by = |key: &str| json!({"requiredClusterSelector": {"labelSelector": {"matchLabels": {key: "x"}}}});
    let hub = Hub::new(
        json!({"predicates": [by("a"), by("b")]}),
        vec![
            labelled("c1", json!({"a": "x"})),
            labelled("c2", json!({"b": "x"})),
            labelled("c3", json!({"c": "x"})),
        ],
    );
    assert_eq!(hub.selected(), ["c1", "c2"]);
}

/// What cannot be done changes nothing that is.
#[test]
fn a_mistake_takes_nothing_away() {
    let wrong = [
        (
            json!({"predicates": [{"requiredClusterSelector": {"labelSelector": {"matchExpressions": [{"key": "a", "operator": "Like"}]}}}]}),
            "Misconfigured",
        ),
        (
            json!({"predicates": [{"requiredClusterSelector": {"celSelector": {"celExpressions": ["true"]}}}]}),
            "Unsupported",
        ),
        (
            json!({"tolerations": [{"operator": "Equal", "value": "x"}]}),
            "Misconfigured",
        ),
        (
            json!({"tolerations": [{"key": "a", "operator": "Exists", "value": "x"}]}),
            "Misconfigured",
        ),
        (
            json!({"prioritizerPolicy": {"mode": "Best"}}),
            "Misconfigured",
        ),
        (
            json!({"prioritizerPolicy": {"configurations": [{"scoreCoordinate": {"builtIn": "Luck"}}]}}),
            "Misconfigured",
        ),
        (
            json!({"prioritizerPolicy": {"configurations": [{"weight": 1}]}}),
            "Misconfigured",
        ),
        (
            json!({"prioritizerPolicy": {"configurations": [{"scoreCoordinate": {"type": "AddOn", "addOn": {"resourceName": "r", "scoreName": "s"}}}]}}),
            "Unsupported",
        ),
        (json!({"numberOfClusters": -1}), "Misconfigured"),
        (
            json!({"decisionStrategy": {"groupStrategy": {"clustersPerDecisionGroup": "many"}}}),
            "Misconfigured",
        ),
    ];
    for (spec, reason) in wrong {
        let mut hub = Hub::new(json!({}), plain(&["c1", "c2"]));
        hub.settle();
        let before = hub.decisions.clone();
        hub.placement.spec = read(spec.clone());
        let outcome = hub.schedule();
        assert_eq!(outcome.decisions, before, "{spec}");
        assert!(outcome.redundant.is_empty() && outcome.events.is_empty());
        assert_eq!(
            condition(&outcome, MISCONFIGURED)[..2],
            ["True", reason],
            "{spec}"
        );
        assert_eq!(condition(&outcome, SATISFIED)[0], "False");
        assert_eq!(outcome.status.number_of_selected_clusters, 2);
    }
}

#[test]
fn who_says_so_is_left_alone() {
    let mut hub = Hub::new(json!({}), plain(&["c1"]));
    hub.placement.metadata.annotations =
        Some([(DISABLE_ANNOTATION.to_owned(), "true".to_owned())].into());
    let world = Scheduling {
        placement: &hub.placement,
        bindings: &hub.bindings,
        sets: &hub.sets,
        clusters: &hub.clusters,
        decisions: &[],
        scores: None,
        now: hub.now,
    };
    assert_eq!(schedule(&world), None);
}

#[test]
fn who_is_rather_avoided_comes_last_but_is_not_sent_away() {
    let rather_not = cluster(
        "a",
        json!({"spec": {"taints": [{"key": "k", "effect": "PreferNoSelect"}]}}),
    );
    let mut hub = Hub::new(
        json!({"numberOfClusters": 1}),
        vec![rather_not.clone(), labelled("b", json!({}))],
    );
    assert_eq!(hub.selected(), ["b"]);
    hub.clusters = plain(&["a", "b"]);
    assert_eq!(clusters(&hub.settle()), ["a"]);
    hub.clusters[0] = rather_not;
    assert_eq!(hub.selected(), ["a"]);
    hub.clusters.pop();
    hub.decisions.clear();
    assert_eq!(hub.selected(), ["a"], "there is nothing else");
}
