//! What makes pods: deployments, replica sets, stateful sets, daemon sets, replication controllers.

use super::Subject;
use super::clock::instant;
use super::events;
use super::field::Field;
use super::pod;
use super::related::Need;
use super::selector;
use super::storage;
use super::writer::{Writer, joined, put};
use crate::get::messages::Refusal;
use serde_json::Value;

pub(super) fn deployment(w: &mut Writer, subject: &Subject<'_>) {
    let deployment = subject.object;
    let (spec, status) = (deployment.member("spec"), deployment.member("status"));
    head(w, subject);
    w.field(0, "CreationTimestamp", subject.created());
    w.labels("Labels", deployment.at("metadata.labels"));
    w.annotations("Annotations", deployment.at("metadata.annotations"));
    w.field(0, "Selector", selector::text(spec.member("selector")));
    let count = |name: &str| status.member(name).int();
    let desired = spec.member("replicas").int();
    let counts = format!(
        "{desired} desired | {} updated | {} total | {} available | {} unavailable",
        count("updatedReplicas"),
        count("replicas"),
        count("availableReplicas"),
        count("unavailableReplicas")
    );
    w.field(0, "Replicas", counts);
    w.field(0, "StrategyType", spec.at("strategy.type").text());
    w.field(0, "MinReadySeconds", spec.member("minReadySeconds").int());
    if let Some(rolling) = spec.at("strategy.rollingUpdate").some() {
        let shown = |name: &str| rolling.member(name).shown_or("<nil>");
        let (unavailable, surge) = (shown("maxUnavailable"), shown("maxSurge"));
        w.field(
            0,
            "RollingUpdateStrategy",
            format_args!("{unavailable} max unavailable, {surge} max surge"),
        );
    }
    pod::template(w, spec.member("template"), &subject.context.clock);
    conditions(w, status);
    // A person who may see deployments may not see their replica sets.
    let sets = subject
        .related
        .get(&Need::replica_sets(deployment))
        .unwrap_or_default();
    let (new, old) = replica_sets(deployment, sets);
    if new.is_some() || !old.is_empty() {
        w.field(0, "OldReplicaSets", created(&old));
        w.field(0, "NewReplicaSet", created(new.as_slice()));
    }
    events::describe(w, subject);
}

pub(super) fn replica_set(w: &mut Writer, subject: &Subject<'_>) {
    let set = subject.object;
    let (spec, status) = (set.member("spec"), set.member("status"));
    head(w, subject);
    w.field(0, "Selector", selector::shown(spec.member("selector")));
    w.labels("Labels", set.at("metadata.labels"));
    w.annotations("Annotations", set.at("metadata.annotations"));
    pod::controlled_by(w, set);
    replicas(w, spec, status);
    let pods = pods(subject)
        .unwrap_or_else(|refusal| format!("error in fetching pods: {}", refusal.message));
    w.field(0, "Pods Status", pods);
    pod::template(w, spec.member("template"), &subject.context.clock);
    conditions(w, status);
    events::describe(w, subject);
}

pub(super) fn replication_controller(w: &mut Writer, subject: &Subject<'_>) -> Result<(), Refusal> {
    let controller = subject.object;
    let (spec, status) = (controller.member("spec"), controller.member("status"));
    head(w, subject);
    w.field(0, "Selector", joined(spec.member("selector")));
    w.labels("Labels", controller.at("metadata.labels"));
    w.annotations("Annotations", controller.at("metadata.annotations"));
    replicas(w, spec, status);
    w.field(0, "Pods Status", pods(subject)?);
    pod::template(w, spec.member("template"), &subject.context.clock);
    conditions(w, status);
    events::describe(w, subject);
    Ok(())
}

pub(super) fn stateful_set(w: &mut Writer, subject: &Subject<'_>) -> Result<(), Refusal> {
    let set = subject.object;
    let (spec, status) = (set.member("spec"), set.member("status"));
    head(w, subject);
    w.field(0, "CreationTimestamp", subject.created());
    w.field(0, "Selector", selector::text(spec.member("selector")));
    w.labels("Labels", set.at("metadata.labels"));
    w.annotations("Annotations", set.at("metadata.annotations"));
    let (desired, total) = (
        spec.member("replicas").int(),
        status.member("replicas").int(),
    );
    w.field(
        0,
        "Replicas",
        format_args!("{desired} desired | {total} total"),
    );
    w.field(0, "Update Strategy", spec.at("updateStrategy.type").text());
    let rolling = spec.at("updateStrategy.rollingUpdate");
    if let Some(partition) = rolling.member("partition").some() {
        w.field(1, "Partition", partition.int());
        if let Some(most) = rolling.member("maxUnavailable").some() {
            w.field(1, "MaxUnavailable", most.shown());
        }
    }
    w.field(0, "Pods Status", pods(subject)?);
    pod::template(w, spec.member("template"), &subject.context.clock);
    storage::claim_templates(w, spec.member("volumeClaimTemplates"));
    events::describe(w, subject);
    Ok(())
}

pub(super) fn daemon_set(w: &mut Writer, subject: &Subject<'_>) -> Result<(), Refusal> {
    let set = subject.object;
    let (spec, status) = (set.member("spec"), set.member("status"));
    head(w, subject);
    w.field(0, "Selector", selector::text(spec.member("selector")));
    w.field(
        0,
        "Node-Selector",
        joined(spec.at("template.spec.nodeSelector")),
    );
    w.labels("Labels", set.at("metadata.labels"));
    w.annotations("Annotations", set.at("metadata.annotations"));
    for (title, member) in [
        (
            "Desired Number of Nodes Scheduled",
            "desiredNumberScheduled",
        ),
        (
            "Current Number of Nodes Scheduled",
            "currentNumberScheduled",
        ),
        (
            "Number of Nodes Scheduled with Up-to-date Pods",
            "updatedNumberScheduled",
        ),
        (
            "Number of Nodes Scheduled with Available Pods",
            "numberAvailable",
        ),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ] {
        put!(w, 0, "{title}: {}\n", status.member(member).int());
    }
    w.field(0, "Pods Status", pods(subject)?);
    pod::template(w, spec.member("template"), &subject.context.clock);
    events::describe(w, subject);
    Ok(())
}

fn head(w: &mut Writer, subject: &Subject<'_>) {
    w.field(0, "Name", subject.object.name());
    w.field(0, "Namespace", subject.object.namespace());
}

fn replicas(w: &mut Writer, spec: Field<'_>, status: Field<'_>) {
    let (current, desired) = (
        status.member("replicas").int(),
        spec.member("replicas").int(),
    );
    w.field(
        0,
        "Replicas",
        format_args!("{current} current / {desired} desired"),
    );
}

fn conditions(w: &mut Writer, status: Field<'_>) {
    let conditions = status.member("conditions");
    if conditions.is_empty() {
        return;
    }
    put!(w, 0, "Conditions:\n  Type\tStatus\tReason\n");
    put!(w, 1, "----\t------\t------\n");
    for condition in conditions.items() {
        let text = |name| condition.member(name).text();
        put!(
            w,
            1,
            "{} \t{}\t{}\n",
            text("type"),
            text("status"),
            text("reason")
        );
    }
}

/// How the pods are that the object controls.
fn pods(subject: &Subject<'_>) -> Result<String, Refusal> {
    let pods = subject.related.get(&Need::pods(subject.object))?;
    let mine = |pod: &Field<'_>| {
        pod.controller()
            .is_some_and(|owner| owner.member("uid").text() == subject.object.uid())
    };
    let phases: Vec<_> = pods
        .into_iter()
        .filter(mine)
        .map(|pod| pod.at("status.phase").text())
        .collect();
    let count = |phase: &str| phases.iter().filter(|one| **one == phase).count();
    Ok(format!(
        "{} Running / {} Waiting / {} Succeeded / {} Failed",
        count("Running"),
        count("Pending"),
        count("Succeeded"),
        count("Failed")
    ))
}

/// The replica set with the deployment's template, and the others (`pkg/util/deployment`).
fn replica_sets<'a>(
    deployment: Field<'_>,
    sets: Vec<Field<'a>>,
) -> (Option<Field<'a>>, Vec<Field<'a>>) {
    let mine = |set: &Field<'_>| {
        set.controller()
            .is_some_and(|owner| owner.member("uid").text() == deployment.uid())
    };
    let mut sets: Vec<_> = sets.into_iter().filter(mine).collect();
    sets.sort_by_key(|set| (instant(set.at("metadata.creationTimestamp")), set.name()));
    let wanted = without_hash(deployment.at("spec.template"));
    let new = sets
        .iter()
        .position(|set| without_hash(set.at("spec.template")) == wanted);
    let new = new.map(|at| sets.remove(at));
    (new, sets)
}

/// A template without the label that tells its replica set from the others.
fn without_hash(template: Field<'_>) -> Value {
    let mut template = template.value().cloned().unwrap_or_default();
    let labels = template.pointer_mut("/metadata/labels");
    if let Some(labels) = labels.and_then(Value::as_object_mut) {
        labels.remove("pod-template-hash");
    }
    template
}

fn created(sets: &[Field<'_>]) -> String {
    let shown = sets.iter().map(|set| {
        let (have, want) = (
            set.at("status.replicas").int(),
            set.at("spec.replicas").int(),
        );
        format!("{} ({have}/{want} replicas created)", set.name())
    });
    match shown.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "<none>".to_owned(),
        shown => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_new_replica_set_is_the_oldest_with_the_same_template() {
        let set = |name: &str, at: &str, image: &str, owner: &str| {
            json!({"metadata": {"name": name, "creationTimestamp": at,
                                "ownerReferences": [{"controller": true, "uid": owner}]},
                   "spec": {"replicas": 2, "template": {"metadata": {"labels": {"app": "a", "pod-template-hash": name}},
                                                        "spec": {"image": image}}},
                   "status": {"replicas": 1}})
        };
        let deployment = json!({"metadata": {"uid": "d"},
            "spec": {"template": {"metadata": {"labels": {"app": "a"}}, "spec": {"image": "2"}}}});
        let sets = [
            set("late", "2024-01-03T00:00:00Z", "2", "d"),
            set("new", "2024-01-02T00:00:00Z", "2", "d"),
            set("old", "2024-01-01T00:00:00Z", "1", "d"),
            set("other", "2024-01-01T00:00:00Z", "2", "x"),
        ];
        let (new, old) = replica_sets(Field::of(&deployment), sets.iter().map(Field::of).collect());
        assert_eq!(created(new.as_slice()), "new (1/2 replicas created)");
        assert_eq!(
            created(&old),
            "old (1/2 replicas created), late (1/2 replicas created)"
        );
        assert_eq!(created(&[]), "<none>");
    }
}
