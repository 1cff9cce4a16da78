//! What holds of every placement.

use super::*;
use crate::ocm::decision::MOST_DECISIONS;
use proptest::prelude::*;

fn any_cluster() -> impl Strategy<Value = (u8, u8, bool, bool)> {
    (
        0..3_u8,
        0..20_u8,
        any::<bool>(),
        proptest::bool::weighted(0.1),
    )
}

fn clusters_of(kinds: &[(u8, u8, bool, bool)]) -> Vec<ManagedCluster> {
    let one = |(i, (region, cpu, avoided, tainted)): (usize, &(u8, u8, bool, bool))| {
        let mut taints = Vec::new();
        if *avoided {
            taints.push(json!({"key": "a", "effect": "PreferNoSelect"}));
        }
        if *tainted {
            taints.push(json!({"key": "b", "effect": "NoSelectIfNew"}));
        }
        cluster(
            &format!("c{i}"),
            json!({
                "metadata": {"labels": {"region": region.to_string(), "even": (i % 2 == 0).to_string()}},
                "spec": {"taints": taints},
                "status": {"allocatable": {"cpu": cpu}, "capacity": {"cpu": 20}},
            }),
        )
    };
    kinds.iter().enumerate().map(one).collect()
}

fn any_spec() -> impl Strategy<Value = Value> {
    let when = prop_oneof![Just("DoNotSchedule"), Just("ScheduleAnyway")];
    let constraints = prop::collection::vec(
        (prop_oneof![Just("region"), Just("even")], 1..3_i32, when),
        0..3,
    );
    let parts = (
        prop::option::of(0..30_i32),
        constraints,
        -3..10_i32,
        any::<bool>(),
        1..8_i32,
    );
    parts.prop_map(|(count, constraints, weight, exact, group)| {
        let constraints: Vec<_> = constraints
            .iter()
            .map(|(key, skew, when)| json!({"topologyKey": key, "topologyKeyType": "Label", "maxSkew": skew, "whenUnsatisfiable": when}))
            .collect();
        json!({
            "numberOfClusters": count,
            "spreadPolicy": {"spreadConstraints": constraints},
            "prioritizerPolicy": {"mode": if exact { "Exact" } else { "Additive" }, "configurations": [
                {"scoreCoordinate": {"builtIn": "ResourceAllocatableCPU"}, "weight": weight}]},
            "decisionStrategy": {"groupStrategy": {"clustersPerDecisionGroup": group}},
        })
    })
}

/// The hard constraints hold.
fn is_spread(hub: &Hub, chosen: &[String]) -> bool {
    let constraints = hub.placement.spec.spread_policy.spread_constraints.iter();
    let hard = constraints.filter(|it| it.when_unsatisfiable.as_str() == "DoNotSchedule");
    hard.into_iter().all(|constraint| {
        let place = |it: &ManagedCluster| {
            crate::ocm::label(&it.metadata, &constraint.topology_key)
                .unwrap()
                .to_owned()
        };
        let mut counts = std::collections::BTreeMap::new();
        for cluster in hub
            .clusters
            .iter()
            .filter(|it| chosen.iter().any(|c| c == name(*it)))
        {
            *counts.entry(place(cluster)).or_insert(0) += 1;
        }
        let most = counts.values().max().copied().unwrap_or(0);
        let skew = constraint.max_skew.unwrap();
        // Of a place that could have had one and has none, the fewest is 0.
        let places: BTreeSet<_> = hub
            .clusters
            .iter()
            .filter(|it| {
                it.spec
                    .taints
                    .iter()
                    .all(|t| t.effect.as_str() != "NoSelectIfNew")
            })
            .map(place)
            .collect();
        let fewest = places
            .iter()
            .map(|it| counts.get(it).copied().unwrap_or(0))
            .min()
            .unwrap_or(0);
        most - fewest <= skew
    })
}

#[test]
fn who_stays_because_it_is_chosen_measures_nobody() {
    let kinds = |cpus: &[u8], tainted: bool| {
        let kind = |(at, cpu): (usize, &u8)| (0, *cpu, false, tainted && at == 4);
        cpus.iter().enumerate().map(kind).collect::<Vec<_>>()
    };
    let spec = json!({
        "numberOfClusters": 2,
        "prioritizerPolicy": {"mode": "Additive", "configurations": [
            {"scoreCoordinate": {"builtIn": "ResourceAllocatableCPU"}, "weight": 6}]},
    });
    let mut hub = Hub::new(
        spec,
        clusters_of(&kinds(&[0, 0, 0, 0, 1, 1, 0, 0, 1], false)),
    );
    assert_eq!(clusters(&hub.settle()), ["c4", "c5"]);
    // Now c4 takes nothing new, and has least.
    hub.clusters = clusters_of(&kinds(&[14, 4, 4, 15, 0, 14, 4, 4, 14, 15], true));
    assert_eq!(clusters(&hub.settle()), ["c3", "c9"]);
    assert_eq!(clusters(&hub.settle()), ["c3", "c9"]);
}

proptest! {
    #[test]
    fn a_choice_that_was_made_is_made_again(kinds in prop::collection::vec(any_cluster(), 0..24), spec in any_spec()) {
        let mut hub = Hub::new(spec, clusters_of(&kinds));
        let first = hub.settle();
        let again = hub.settle();
        prop_assert_eq!(&first.decisions, &again.decisions);
        prop_assert!(again.events.is_empty() && again.redundant.is_empty());
        prop_assert_eq!(first.status, again.status);
    }

    #[test]
    fn a_choice_after_changes_settles_at_once(
        before in prop::collection::vec(any_cluster(), 0..24),
        after in prop::collection::vec(any_cluster(), 0..24),
        spec in any_spec(),
    ) {
        let mut hub = Hub::new(spec, clusters_of(&before));
        hub.settle();
        hub.clusters = clusters_of(&after);
        let first = clusters(&hub.settle());
        prop_assert_eq!(first, clusters(&hub.settle()));
    }

    #[test]
    fn limits_hold(kinds in prop::collection::vec(any_cluster(), 0..24), spec in any_spec()) {
        let hub = Hub::new(spec, clusters_of(&kinds));
        let outcome = hub.schedule();
        let chosen = clusters(&outcome);
        let most = hub.placement.spec.number_of_clusters.map_or(usize::MAX, |it| usize::try_from(it).unwrap());
        prop_assert!(chosen.len() <= most);
        let mut once = chosen.clone();
        once.dedup();
        prop_assert_eq!(&once, &chosen);
        prop_assert!(is_spread(&hub, &chosen));
        prop_assert!(outcome.decisions.iter().all(|it| it.decisions().len() <= MOST_DECISIONS));
        let counted: i32 = outcome.status.decision_groups.iter().map(|it| it.cluster_count).sum();
        prop_assert_eq!(usize::try_from(counted).unwrap(), chosen.len());
        prop_assert!(!outcome.decisions.is_empty());
    }

    #[test]
    fn a_new_cluster_moves_nobody(kinds in prop::collection::vec(any_cluster(), 1..24), count in 1..10_i32) {
        let mut hub = Hub::new(json!({"numberOfClusters": count}), clusters_of(&kinds));
        let before = clusters(&hub.settle());
        hub.clusters.push(labelled("another", json!({})));
        let after = clusters(&hub.schedule());
        prop_assert!(before.iter().all(|it| after.contains(it)), "{before:?} {after:?}");
    }
}
