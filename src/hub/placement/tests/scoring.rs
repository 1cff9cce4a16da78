use super::*;

fn plain(count: usize) -> Vec<ManagedCluster> {
    (1..=count)
        .map(|i| labelled(&format!("c{i}"), json!({})))
        .collect()
}

fn scores(outcome: &Outcome) -> Vec<i64> {
    let all = outcome.decisions.iter().flat_map(|it| it.decisions());
    all.map(|it| it.score.unwrap()).collect()
}

#[test]
fn who_has_fewer_decisions_is_chosen() {
    let mut hub = Hub::new(json!({"numberOfClusters": 1}), plain(3));
    hub.decisions = vec![
        other_decision("q", &["c1", "c2"]),
        other_decision("r", &["c1"]),
    ];
    assert_eq!(hub.selected(), ["c3"]);
    let balance =
        json!({"mode": "Exact", "configurations": [{"scoreCoordinate": {"builtIn": "Balance"}}]});
    hub.placement.spec = read(json!({"prioritizerPolicy": balance}));
    assert_eq!(scores(&hub.schedule()), [-100, 0, 100]);
}

#[test]
fn who_is_chosen_stays_though_another_is_a_little_better() {
    let mut hub = Hub::new(json!({"numberOfClusters": 1}), plain(3));
    assert_eq!(clusters(&hub.settle()), ["c1"]);
    // Two, one and three decisions of others: -32, 32 and -100.
    for others in [&["c1", "c2", "c3"][..], &["c1", "c3"], &["c3"]] {
        let name = format!("q{}", others.len());
        hub.decisions.push(other_decision(&name, others));
    }
    assert_eq!(hub.selected(), ["c1"]);
    let unsteady =
        json!({"configurations": [{"scoreCoordinate": {"builtIn": "Steady"}, "weight": 0}]});
    hub.placement.spec = read(json!({"numberOfClusters": 1, "prioritizerPolicy": unsteady}));
    assert_eq!(hub.selected(), ["c2"]);
}

#[test]
fn nothing_counts_and_still_nobody_moves() {
    let mut hub = Hub::new(
        json!({"numberOfClusters": 1, "prioritizerPolicy": {"mode": "Exact"}}),
        plain(3),
    );
    hub.clusters.remove(0);
    assert_eq!(clusters(&hub.settle()), ["c2"]);
    hub.clusters.push(labelled("c1", json!({})));
    assert_eq!(hub.selected(), ["c2"]);
}

#[test]
fn what_add_ons_say_counts_while_it_holds() {
    let score = |cluster: &str, value, valid_until| Score {
        cluster: cluster.to_owned(),
        resource: "r".to_owned(),
        name: "s".to_owned(),
        value,
        valid_until,
    };
    let mut hub = Hub::new(
        json!({"numberOfClusters": 1, "prioritizerPolicy": {"mode": "Exact", "configurations": [
            {"scoreCoordinate": {"type": "AddOn", "addOn": {"resourceName": "r", "scoreName": "s"}}}]}}),
        plain(3),
    );
    let now = hub.now;
    hub.scores = Some(vec![
        score("c1", 10, None),
        score("c2", 99, Some(now)),
        score("c3", 50, Some(at(2_000_000))),
    ]);
    assert_eq!(hub.selected(), ["c3"]);
}

#[test]
fn a_negative_weight_turns_a_score_round() {
    let with = |name: &str, cpu: i32| {
        cluster(
            name,
            json!({"status": {"allocatable": {"cpu": cpu}, "capacity": {"cpu": 64}}}),
        )
    };
    let hub = Hub::new(
        json!({"numberOfClusters": 1, "prioritizerPolicy": {"configurations": [
            {"scoreCoordinate": {"builtIn": "ResourceAllocatableCPU"}, "weight": -1}]}}),
        vec![with("big", 32), with("small", 2)],
    );
    assert_eq!(hub.selected(), ["small"]);
}

#[test]
fn scores_alone_are_written_now_and_then() {
    let with = |cpu: [i32; 3]| {
        let names = ["c1", "c2", "c3"].iter().zip(cpu);
        let status =
            |cpu| json!({"status": {"allocatable": {"cpu": cpu}, "capacity": {"cpu": 64}}});
        names
            .map(|(name, cpu)| cluster(name, status(cpu)))
            .collect()
    };
    let mut hub = Hub::new(
        json!({"scoreRateLimit": "1m", "sortBy": "Score", "prioritizerPolicy": {"mode": "Exact", "configurations": [
            {"scoreCoordinate": {"builtIn": "ResourceAllocatableCPU"}}]}}),
        with([1, 2, 3]),
    );
    let first = hub.settle();
    assert_eq!(scores(&first), [100, 0, -100]);
    assert_eq!(first.decisions[0].decisions()[0].cluster_name, "c3");
    hub.clusters = with([3, 2, 1]);
    let soon = hub.schedule();
    assert_eq!(soon.decisions, first.decisions);
    assert_eq!(soon.recheck, Some(at(1_000_060)));
    hub.now = at(1_000_060);
    let later = hub.settle();
    assert_eq!(later.decisions[0].decisions()[0].cluster_name, "c1");
    assert_eq!(hub.schedule().recheck, None);
}
