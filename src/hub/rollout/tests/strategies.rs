use super::*;

const NOW: i64 = 10_000;

/// `c1=ok@100`: how far a cluster is, and for how many seconds.
fn known(text: &str) -> Vec<ClusterProgress> {
    let one = |it: &str| {
        let (cluster, rest) = it.split_once('=').unwrap();
        let (word, age) = rest.split_once('@').unwrap_or((rest, "0"));
        ClusterProgress {
            cluster: cluster.to_owned(),
            progress: match word {
                "todo" => Progress::ToApply,
                "busy" => Progress::Progressing,
                "ok" => Progress::Succeeded,
                "bad" => Progress::Failed,
                other => panic!("{other}"),
            },
            since: Some(at(NOW - age.parse::<i64>().unwrap())),
            recheck: None,
        }
    };
    text.split_whitespace().map(one).collect()
}

struct Shown {
    begun: Vec<String>,
    late: Vec<String>,
    stopped: bool,
    recheck: Option<i64>,
}

fn step(strategy: Value, groups: &[&str], known_text: &str) -> Shown {
    let decisions = decisions(groups);
    let groups = Groups::of(decisions.iter());
    let step = steps::next(&read(strategy), &groups, &known(known_text), at(NOW)).unwrap();
    let begun = step
        .rollout
        .iter()
        .filter(|it| it.progress == Progress::ToApply);
    Shown {
        begun: begun.map(|it| it.cluster.clone()).collect(),
        late: step.timed_out.iter().map(|it| it.cluster.clone()).collect(),
        stopped: step.too_many_failures,
        recheck: step.recheck.map(|it| it.as_second() - NOW),
    }
}

fn progressive(more: Value) -> Value {
    json!({"type": "Progressive", "progressive": more})
}

fn per_group(more: Value) -> Value {
    json!({"type": "ProgressivePerGroup", "progressivePerGroup": more})
}

#[track_caller]
fn begins(strategy: Value, groups: &[&str], known: &str, want: &[&str]) {
    assert_eq!(step(strategy, groups, known).begun, want, "{known}");
}

#[test]
fn all_begin_at_once() {
    begins(
        json!({"type": "All"}),
        &[":c1,c2", ":c3"],
        "",
        &["c1", "c2", "c3"],
    );
    begins(json!({}), &[":c1,c2"], "c1=bad", &["c2"]);
    let late = step(
        json!({"type": "All", "all": {"progressDeadline": "5m"}}),
        &[":c1,c2"],
        "c1=busy@301 c2=busy@10",
    );
    assert_eq!(late.late, ["c1"]);
    assert_eq!(late.recheck, Some(290));
}

#[test]
fn some_at_a_time() {
    let two = || progressive(json!({"maxConcurrency": 2}));
    let all = &[":c1,c2,c3,c4,c5"];
    begins(two(), all, "", &["c1", "c2"]);
    begins(two(), all, "c1=busy c2=busy", &[]);
    begins(two(), all, "c1=ok c2=busy", &["c3"]);
    begins(two(), all, "c1=ok c2=ok c3=ok", &["c4", "c5"]);
    let quarter = progressive(json!({"maxConcurrency": "25%"}));
    begins(quarter, all, "", &["c1", "c2"]);
    begins(
        progressive(json!({})),
        all,
        "",
        &["c1", "c2", "c3", "c4", "c5"],
    );
}

#[test]
fn success_has_to_last() {
    let strategy = || progressive(json!({"maxConcurrency": 1, "minSuccessTime": "5m"}));
    let soaking = step(strategy(), &[":c1,c2"], "c1=ok@299");
    assert!(soaking.begun.is_empty());
    assert_eq!(soaking.recheck, Some(1));
    begins(strategy(), &[":c1,c2"], "c1=ok@300", &["c2"]);
}

#[test]
fn failures_stop_it() {
    let strategy = |failures: Value| {
        progressive(json!({"maxConcurrency": 2, "progressDeadline": "1m", "maxFailures": failures}))
    };
    let all = &[":c1,c2,c3,c4,c5"];
    let shown = step(strategy(json!(0)), all, "c1=busy@61");
    assert!(shown.stopped && shown.begun.is_empty());
    assert_eq!(shown.late, ["c1"]);
    let shown = step(strategy(json!(1)), all, "c1=busy@61");
    assert!(!shown.stopped);
    assert_eq!(shown.begun, ["c2", "c3"]);
    assert!(step(strategy(json!("20%")), all, "c1=bad@61 c2=bad@61").stopped);
    assert!(!step(strategy(json!("40%")), all, "c1=bad@61 c2=bad@61").stopped);
    // One that fails and is not late yet takes a place.
    let shown = step(strategy(json!(1)), all, "c1=bad@10");
    assert_eq!(shown.begun, ["c2"]);
    // What waits for its turn to be written again is not begun either.
    let shown = step(strategy(json!(0)), all, "c1=bad@61 c2=todo c3=busy");
    assert!(shown.begun.is_empty());
}

#[test]
fn mandatory_groups_come_first_without_a_failure() {
    let groups = &["canary:c1", ":c2,c3", "last:c4"];
    let strategy = |named: Value| {
        progressive(
            json!({"maxConcurrency": 5, "maxFailures": "100%", "progressDeadline": "1m", "mandatoryDecisionGroups": named}),
        )
    };
    let canary = || json!([{"groupName": "canary"}]);
    begins(strategy(canary()), groups, "", &["c1"]);
    begins(strategy(canary()), groups, "c1=busy", &[]);
    begins(strategy(canary()), groups, "c1=ok", &["c2", "c3", "c4"]);
    assert!(
        step(strategy(canary()), groups, "c1=bad@61")
            .begun
            .is_empty()
    );
    begins(strategy(json!([{"groupIndex": 2}])), groups, "", &["c4"]);
    let two = json!([{"groupName": "last"}, {"groupIndex": 1}]);
    begins(strategy(two.clone()), groups, "", &["c2", "c3"]);
    begins(strategy(two), groups, "c2=ok c3=ok", &["c4"]);
}

#[test]
fn one_group_at_a_time() {
    let groups = &[":c1,c2", ":c3,c4"];
    begins(per_group(json!({})), groups, "", &["c1", "c2"]);
    begins(per_group(json!({})), groups, "c1=ok c2=busy", &[]);
    begins(per_group(json!({})), groups, "c1=ok c2=ok", &["c3", "c4"]);
    let strategy =
        |failures: Value| per_group(json!({"progressDeadline": "1m", "maxFailures": failures}));
    assert!(step(strategy(json!(0)), groups, "c1=bad@61 c2=ok").stopped);
    begins(strategy(json!(1)), groups, "c1=bad@61 c2=ok", &["c3", "c4"]);
    begins(
        strategy(json!("50%")),
        groups,
        "c1=bad@61 c2=ok",
        &["c3", "c4"],
    );
    // A failure that may be does not end the wait for the others of its group.
    begins(strategy(json!(1)), groups, "c1=bad@61 c2=busy", &[]);
}

#[test]
fn what_cannot_be_is_an_error() {
    for (strategy, part) in [
        (json!({"type": "Never"}), "Never"),
        (
            progressive(json!({"progressDeadline": "5 minutes"})),
            "progressDeadline",
        ),
        (
            progressive(json!({"minSuccessTime": "soon"})),
            "minSuccessTime",
        ),
        (
            progressive(json!({"maxConcurrency": "many"})),
            "maxConcurrency",
        ),
        (progressive(json!({"maxFailures": "some"})), "maxFailures"),
    ] {
        let decisions = decisions(&[":c1"]);
        let groups = Groups::of(decisions.iter());
        let error = steps::next(&read(strategy), &groups, &[], at(NOW)).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
}
