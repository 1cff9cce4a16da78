use super::*;

/// Clusters `<region><number>`.
fn regions(counts: &[(&str, usize)]) -> Vec<ManagedCluster> {
    let of = |region: &str, count: usize| -> Vec<_> {
        (1..=count)
            .map(|i| labelled(&format!("{region}{i}"), json!({"region": region})))
            .collect()
    };
    counts
        .iter()
        .flat_map(|(region, count)| of(region, *count))
        .collect()
}

fn spread(count: usize, skew: i32, when: &str) -> Value {
    json!({"numberOfClusters": count, "spreadPolicy": {"spreadConstraints": [
        {"topologyKey": "region", "topologyKeyType": "Label", "maxSkew": skew, "whenUnsatisfiable": when}]}})
}

#[test]
fn clusters_are_spread_evenly() {
    let hub = Hub::new(
        spread(4, 1, "DoNotSchedule"),
        regions(&[("a", 5), ("b", 5)]),
    );
    assert_eq!(hub.selected(), ["a1", "a2", "b1", "b2"]);
}

#[test]
fn rather_fewer_than_uneven() {
    let hub = Hub::new(
        spread(6, 1, "DoNotSchedule"),
        regions(&[("a", 5), ("b", 1)]),
    );
    let outcome = hub.schedule();
    assert_eq!(clusters(&outcome), ["a1", "a2", "b1"]);
    assert_eq!(
        condition(&outcome, SATISFIED)[2],
        "3 cluster decisions unscheduled"
    );
    let hub = Hub::new(
        spread(6, 1, "ScheduleAnyway"),
        regions(&[("a", 5), ("b", 1)]),
    );
    assert_eq!(hub.selected().len(), 6);
}

#[test]
fn a_larger_skew_lets_the_better_come_first() {
    let hub = Hub::new(
        spread(4, 2, "DoNotSchedule"),
        regions(&[("a", 5), ("b", 5)]),
    );
    assert_eq!(hub.selected(), ["a1", "a2", "a3", "b1"]);
}

#[test]
fn who_does_not_say_where_it_is_cannot_be_spread() {
    let mut all = regions(&[("a", 1), ("b", 1)]);
    all.push(labelled("0", json!({})));
    assert_eq!(
        Hub::new(spread(3, 1, "DoNotSchedule"), all.clone()).selected(),
        ["a1", "b1"]
    );
    assert_eq!(
        Hub::new(spread(3, 1, "ScheduleAnyway"), all).selected(),
        ["0", "a1", "b1"]
    );
}

#[test]
fn claims_say_where_a_cluster_is_as_well() {
    let with = |name: &str, zone: &str| {
        cluster(
            name,
            json!({"status": {"clusterClaims": [{"name": "zone", "value": zone}]}}),
        )
    };
    let hub = Hub::new(
        json!({"numberOfClusters": 2, "spreadPolicy": {"spreadConstraints": [
            {"topologyKey": "zone", "topologyKeyType": "Claim", "whenUnsatisfiable": "DoNotSchedule"}]}}),
        vec![with("c1", "x"), with("c2", "x"), with("c3", "y")],
    );
    assert_eq!(hub.selected(), ["c1", "c3"]);
}
