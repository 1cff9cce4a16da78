use super::*;
use crate::ocm::conditions::find;
use crate::ocm::replicaset::{
    MANIFESTWORK_APPLIED, PLACEMENT_NAME_LABEL, PLACEMENT_ROLLED_OUT, PLACEMENT_VERIFIED,
    REPLICA_SET_LABEL,
};

/// A hub whose plans are carried out.
struct Hub {
    set: ManifestWorkReplicaSet,
    placements: Vec<Placement>,
    decisions: Vec<PlacementDecision>,
    works: Vec<ManifestWork>,
    now: i64,
}

impl Hub {
    fn new(strategy: Value, groups: &[&str]) -> Self {
        Self {
            set: read(json!({
                "metadata": {"name": "web", "namespace": "default", "labels": {"team": "a"}, "generation": 1},
                "spec": {
                    "manifestWorkTemplate": template("1"),
                    "placementRefs": [{"name": "p", "rolloutStrategy": strategy}],
                },
            })),
            placements: vec![read(
                json!({"metadata": {"name": "p", "namespace": "default"}}),
            )],
            decisions: decisions(groups),
            works: Vec::new(),
            now: 1000,
        }
    }

    fn plan(&self) -> Plan {
        plan(&World {
            set: &self.set,
            placements: &self.placements,
            decisions: &self.decisions,
            works: &self.works.iter().collect::<Vec<_>>(),
            now: at(self.now),
        })
    }

    /// Carries out a plan; answers which clusters were written, and which deleted.
    fn once(&mut self) -> (Vec<String>, Vec<String>) {
        let plan = self.plan();
        let mut written = Vec::new();
        for document in plan.write {
            let mut work: ManifestWork = read(document);
            work.metadata.generation = Some(1);
            let found = self
                .works
                .iter()
                .position(|it| works::key(it) == works::key(&work));
            if let Some(at) = found {
                let old = self.works.remove(at);
                work.metadata.generation = old.metadata.generation.map(|it| it + 1);
                work.status = old.status;
            }
            written.push(namespace(&work).to_owned());
            self.works.push(work);
        }
        self.works
            .retain(|it| !plan.delete.contains(&works::key(it)));
        self.set.status = plan.status;
        (
            written,
            plan.delete
                .into_iter()
                .map(|(cluster, _)| cluster)
                .collect(),
        )
    }

    /// The agent of a cluster has applied its work, and it is available or not.
    fn report(&mut self, cluster: &str, available: bool) {
        let work = self
            .works
            .iter_mut()
            .find(|it| namespace(*it) == cluster)
            .unwrap();
        let generation = work.metadata.generation;
        let now = at(self.now);
        for (kind, holds) in [("Applied", true), ("Available", available)] {
            let new = crate::ocm::conditions::condition(kind, holds, "Reason", "", now);
            let new = crate::ocm::conditions::observed(new, generation);
            crate::ocm::conditions::set(&mut work.status.conditions, new);
        }
    }

    fn condition(&self, kind: &str) -> (String, String) {
        let found = find(&self.set.status.conditions, kind).unwrap();
        (found.status.clone(), found.reason.clone())
    }
}

fn template(version: &str) -> Value {
    json!({"workload": {"manifests": [{"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "c"}, "data": {"v": version}}]}, "tomorrow": true})
}

fn pair(status: &str, reason: &str) -> (String, String) {
    (status.to_owned(), reason.to_owned())
}

#[test]
fn a_set_reaches_all_its_clusters_and_says_so() {
    let mut hub = Hub::new(json!({}), &[":c1,c2"]);
    assert_eq!(hub.once().0, ["c1", "c2"]);
    let work = &hub.works[0];
    assert_eq!(
        crate::ocm::label(&work.metadata, REPLICA_SET_LABEL),
        Some("default.web")
    );
    assert_eq!(
        crate::ocm::label(&work.metadata, PLACEMENT_NAME_LABEL),
        Some("p")
    );
    assert_eq!(crate::ocm::label(&work.metadata, "team"), Some("a"));
    assert_eq!(
        hub.condition(PLACEMENT_VERIFIED),
        pair("True", "AsExpected")
    );
    assert_eq!(
        hub.condition(PLACEMENT_ROLLED_OUT),
        pair("False", "Progressing")
    );
    hub.report("c1", true);
    hub.report("c2", false);
    hub.once();
    assert_eq!(
        hub.condition(MANIFESTWORK_APPLIED),
        pair("False", "NotAsExpected")
    );
    hub.report("c2", true);
    assert!(hub.once().0.is_empty());
    assert_eq!(
        hub.condition(PLACEMENT_ROLLED_OUT),
        pair("True", "Complete")
    );
    assert_eq!(
        hub.condition(MANIFESTWORK_APPLIED),
        pair("True", "AsExpected")
    );
    let summary = &hub.set.status.summary;
    assert_eq!(
        (
            summary.total,
            summary.applied,
            summary.available,
            summary.updated
        ),
        (2, 2, 2, 2)
    );
    let text = &hub.set.status.placement_summary[0].available_decision_groups;
    assert_eq!(text, "1 (2 / 2 clusters applied)");
}

#[test]
fn what_is_written_is_the_template_as_it_is() {
    let hub = Hub::new(json!({}), &[":c1"]);
    assert_eq!(hub.plan().write[0]["spec"], template("1"));
}

#[test]
fn a_new_template_goes_step_by_step() {
    let strategy = json!({"type": "Progressive", "progressive": {"maxConcurrency": 1}});
    let mut hub = Hub::new(strategy, &[":c1,c2"]);
    for cluster in ["c1", "c2"] {
        assert_eq!(hub.once().0, [cluster]);
        hub.report(cluster, true);
    }
    hub.set.spec.manifest_work_template = template("2");
    assert_eq!(hub.once().0, ["c1"]);
    assert!(hub.once().0.is_empty(), "it is written once");
    hub.report("c1", false);
    assert!(hub.once().0.is_empty(), "c1 is not available yet");
    hub.report("c1", true);
    assert_eq!(hub.once().0, ["c2"]);
    assert_eq!(hub.set.status.summary.updated, 1);
}

#[test]
fn a_work_that_somebody_changed_is_put_right() {
    let mut hub = Hub::new(json!({}), &[":c1"]);
    hub.once();
    hub.report("c1", true);
    hub.works[0].spec.workload.manifests[0]["data"]["v"] = json!("theirs");
    assert_eq!(hub.once().0, ["c1"]);
    hub.report("c1", true);
    // What an API server adds by default is no change.
    hub.works[0].spec.delete_option = Some(crate::ocm::work::DeleteOption::default());
    assert!(hub.once().0.is_empty());
}

#[test]
fn clusters_and_placements_that_leave_take_their_works_along() {
    let mut hub = Hub::new(json!({}), &[":c1,c2"]);
    hub.once();
    hub.decisions = decisions(&[":c1"]);
    assert_eq!(hub.once().1, ["c2"]);
    hub.set.spec.placement_refs.clear();
    assert_eq!(hub.once().1, ["c1"]);
}

#[test]
fn a_placement_that_is_not_there_takes_nothing_away() {
    let mut hub = Hub::new(json!({}), &[":c1"]);
    hub.once();
    hub.placements.clear();
    hub.decisions.clear();
    assert!(hub.once().1.is_empty());
    assert_eq!(
        hub.condition(PLACEMENT_VERIFIED),
        pair("False", "PlacementDecisionNotFound")
    );
}

#[test]
fn an_empty_placement_says_so() {
    let mut hub = Hub::new(json!({}), &[":"]);
    hub.once();
    assert_eq!(
        hub.condition(PLACEMENT_VERIFIED),
        pair("False", "PlacementDecisionEmpty")
    );
    assert_eq!(
        hub.condition(MANIFESTWORK_APPLIED),
        pair("False", "PlacementDecisionEmpty")
    );
}

#[test]
fn two_sets_of_one_name_have_two_works() {
    let mut hub = Hub::new(json!({}), &[":c1"]);
    hub.works.push(read(json!({"metadata": {"name": "web", "namespace": "c1", "labels": {REPLICA_SET_LABEL: "other.web"}}})));
    hub.once();
    assert_eq!(hub.works.len(), 2);
    let ours = name(&hub.works[1]);
    assert!(ours.starts_with("web-") && ours.len() == 12, "{ours}");
    assert!(hub.once().0.is_empty());
}

#[test]
fn a_set_that_goes_takes_its_works_along() {
    let mut hub = Hub::new(json!({}), &[":c1"]);
    hub.once();
    hub.set.metadata.deletion_timestamp = Some(crate::ocm::Time(at(1)));
    let plan = hub.plan();
    assert_eq!(plan.delete, [("c1".to_owned(), "web".to_owned())]);
    assert!(!plan.finished);
    hub.works[0].metadata.deletion_timestamp = Some(crate::ocm::Time(at(1)));
    assert!(hub.plan().finished, "Background does not wait");
    hub.set.spec.cascade_deletion_policy =
        crate::ocm::replicaset::CascadeDeletionPolicy::Foreground;
    assert!(!hub.plan().finished);
    hub.works.clear();
    assert!(hub.plan().finished);
}
