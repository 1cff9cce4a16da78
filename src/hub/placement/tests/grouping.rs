use super::*;
use crate::ocm::decision::MOST_DECISIONS;

#[test]
fn an_object_lists_a_hundred_at_most() {
    let all: Vec<_> = (0..250)
        .map(|i| labelled(&format!("c{i:03}"), json!({})))
        .collect();
    let mut hub = Hub::new(json!({}), all);
    let outcome = hub.settle();
    let sizes: Vec<_> = outcome
        .decisions
        .iter()
        .map(|it| it.decisions().len())
        .collect();
    assert_eq!(sizes, [MOST_DECISIONS, MOST_DECISIONS, 50]);
    assert_eq!(outcome.status.decision_groups.len(), 1);
    assert_eq!(outcome.status.decision_groups[0].decisions.len(), 3);
    hub.clusters.truncate(150);
    let fewer = hub.schedule();
    assert_eq!(fewer.redundant, ["p-decision-3"]);
    assert_eq!(fewer.events.last().unwrap().reason, "DecisionDelete");
}

#[test]
fn a_percentage_is_of_those_that_were_found() {
    let all: Vec<_> = (0..10)
        .map(|i| labelled(&format!("c{i}"), json!({})))
        .collect();
    let hub = Hub::new(
        json!({"decisionStrategy": {"groupStrategy": {"clustersPerDecisionGroup": "25%"}}}),
        all,
    );
    let counts: Vec<_> = hub
        .schedule()
        .status
        .decision_groups
        .iter()
        .map(|it| it.cluster_count)
        .collect();
    assert_eq!(counts, [3, 3, 3, 1]);
}
