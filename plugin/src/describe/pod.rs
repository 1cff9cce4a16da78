//! Pods, and the templates that pods are made from (`describePod`, `DescribePodTemplate` of kubectl's describe.go).

use super::Subject;
use super::clock::Clock;
use super::containers::{self, Containers};
use super::events;
use super::field::Field;
use super::quantity::Quantity;
use super::selector;
use super::volumes;
use super::writer::{Writer, put};
use std::cmp::Ordering;
use std::collections::BTreeMap;

pub(super) fn describe(w: &mut Writer, subject: &Subject<'_>) {
    let (pod, clock) = (subject.object, &subject.context.clock);
    let (spec, status) = (pod.member("spec"), pod.member("status"));
    head(w, pod, clock);
    standing(w, pod, clock);
    if let Some(profile) = spec.at("securityContext.seccompProfile").some() {
        w.field(0, "SeccompProfile", profile.member("type").text());
        if profile.member("type").text() == "Localhost" {
            w.field(
                0,
                "LocalhostProfile",
                profile.member("localhostProfile").text(),
            );
        }
    }
    addresses(w, status);
    controlled_by(w, pod);
    if !status.member("nominatedNodeName").text().is_empty() {
        w.field(
            0,
            "NominatedNodeName",
            status.member("nominatedNodeName").text(),
        );
    }
    if let Some(resources) = spec.member("resources").some() {
        put!(w, 0, "Resources:\n");
        containers::resources(w, 1, resources);
    }
    let groups = [
        ("Init Containers", "initContainers", "initContainerStatuses"),
        ("Containers", "containers", "containerStatuses"),
        (
            "Ephemeral Containers",
            "ephemeralContainers",
            "ephemeralContainerStatuses",
        ),
    ];
    for (label, specs, statuses) in groups {
        let specs = spec.member(specs);
        if label == "Containers" || !specs.is_empty() {
            let (statuses, pod) = (status.member(statuses), Some(pod));
            Containers {
                label,
                specs,
                statuses,
                pod,
                space: "",
            }
            .describe(w, clock);
        }
    }
    gates_and_conditions(w, spec, status);
    volumes::describe(w, spec.member("volumes"), "");
    w.field(0, "QoS Class", quality(spec, status));
    w.labels("Node-Selectors", spec.member("nodeSelector"));
    w.tolerations("Tolerations", spec.member("tolerations"));
    spread(w, spec, "");
    scheduling_group(w, spec, "");
    events::describe(w, subject);
}

/// What pods are made from; none at all is `<unset>`.
pub(super) fn template(w: &mut Writer, template: Field<'_>, clock: &Clock) {
    put!(w, 0, "Pod Template:\n");
    if !template.exists() {
        return put!(w, 1, "<unset>");
    }
    let spec = template.member("spec");
    w.labels("  Labels", template.at("metadata.labels"));
    if !template.at("metadata.annotations").is_empty() {
        w.annotations("  Annotations", template.at("metadata.annotations"));
    }
    if !spec.member("serviceAccountName").text().is_empty() {
        w.field(
            1,
            "Service Account",
            spec.member("serviceAccountName").text(),
        );
    }
    for (label, specs) in [
        ("Init Containers", "initContainers"),
        ("Containers", "containers"),
    ] {
        let specs = spec.member(specs);
        if label == "Containers" || !specs.is_empty() {
            let statuses = Field::default();
            Containers {
                label,
                specs,
                statuses,
                pod: None,
                space: "  ",
            }
            .describe(w, clock);
        }
    }
    volumes::describe(w, spec.member("volumes"), "  ");
    spread(w, spec, "  ");
    if !spec.member("priorityClassName").text().is_empty() {
        w.field(
            1,
            "Priority Class Name",
            spec.member("priorityClassName").text(),
        );
    }
    w.labels("  Node-Selectors", spec.member("nodeSelector"));
    w.tolerations("  Tolerations", spec.member("tolerations"));
    scheduling_group(w, spec, "  ");
}

/// Who controls an object, if somebody does.
pub(super) fn controlled_by(w: &mut Writer, object: Field<'_>) {
    if let Some(owner) = object.controller() {
        let (kind, name) = (owner.member("kind").text(), owner.member("name").text());
        w.field(0, "Controlled By", format_args!("{kind}/{name}"));
    }
}

fn head(w: &mut Writer, pod: Field<'_>, clock: &Clock) {
    let spec = pod.member("spec");
    w.field(0, "Name", pod.name());
    w.field(0, "Namespace", pod.namespace());
    if let Some(priority) = spec.member("priority").some() {
        w.field(0, "Priority", priority.int());
    }
    let words = [
        ("priorityClassName", "Priority Class Name"),
        ("runtimeClassName", "Runtime Class Name"),
        ("serviceAccountName", "Service Account"),
    ];
    for (member, title) in words {
        if !spec.member(member).text().is_empty() {
            w.field(0, title, spec.member(member).text());
        }
    }
    match spec.member("nodeName").text() {
        "" => w.field(0, "Node", "<none>"),
        node => w.field(
            0,
            "Node",
            format_args!("{node}/{}", pod.at("status.hostIP").text()),
        ),
    }
    if let Some(start) = pod.at("status.startTime").some() {
        w.field(0, "Start Time", clock.date(start));
    }
    w.labels("Labels", pod.at("metadata.labels"));
    w.annotations("Annotations", pod.at("metadata.annotations"));
}

fn standing(w: &mut Writer, pod: Field<'_>, clock: &Clock) {
    let phase = pod.at("status.phase").text();
    match pod.at("metadata.deletionTimestamp").some() {
        Some(deleted) if !["Failed", "Succeeded"].contains(&phase) => {
            w.field(
                0,
                "Status",
                format_args!("Terminating (lasts {})", clock.since(deleted)),
            );
            let grace = pod.at("metadata.deletionGracePeriodSeconds").int();
            w.field(0, "Termination Grace Period", format_args!("{grace}s"));
        }
        _ => w.field(0, "Status", phase),
    }
    for (member, title) in [("status.reason", "Reason"), ("status.message", "Message")] {
        if !pod.at(member).text().is_empty() {
            w.field(0, title, pod.at(member).text());
        }
    }
}

fn addresses(w: &mut Writer, status: Field<'_>) {
    w.field(0, "IP", status.member("podIP").text());
    if status.member("podIPs").is_empty() {
        return put!(w, 0, "IPs:\t<none>\n");
    }
    put!(w, 0, "IPs:\n");
    for address in status.member("podIPs").items() {
        w.field(1, "IP", address.member("ip").text());
    }
}

fn gates_and_conditions(w: &mut Writer, spec: Field<'_>, status: Field<'_>) {
    let conditions = status.member("conditions");
    if !spec.member("readinessGates").is_empty() {
        put!(w, 0, "Readiness Gates:\n  Type\tStatus\n");
    }
    for gate in spec.member("readinessGates").items() {
        let kind = gate.member("conditionType").text();
        let condition = conditions
            .items()
            .find(|condition| condition.member("type").text() == kind);
        let status = condition.map_or("<none>", |condition| condition.member("status").text());
        put!(w, 1, "{kind} \t{status} \n");
    }
    if !conditions.is_empty() {
        put!(w, 0, "Conditions:\n  Type\tStatus\n");
    }
    for condition in conditions.items() {
        let text = |name| condition.member(name).text();
        put!(w, 1, "{} \t{} \n", text("type"), text("status"));
    }
}

fn spread(w: &mut Writer, spec: Field<'_>, space: &str) {
    let mut constraints: Vec<_> = spec.member("topologySpreadConstraints").items().collect();
    if constraints.is_empty() {
        return;
    }
    constraints.sort_by_key(|constraint| constraint.member("topologyKey").text());
    let lines = constraints.into_iter().map(|constraint| {
        let selector = match constraint.member("labelSelector").some() {
            Some(selector) => format!(" for selector {}", selector::shown(selector)),
            None => String::new(),
        };
        let text = |name| constraint.member(name).text();
        let skew = constraint.member("maxSkew").int();
        format!(
            "{}:{} when max skew {skew} is exceeded{selector}",
            text("topologyKey"),
            text("whenUnsatisfiable")
        )
    });
    w.column(space, "Topology Spread Constraints", lines.collect());
}

fn scheduling_group(w: &mut Writer, spec: Field<'_>, space: &str) {
    if let Some(group) = spec.member("schedulingGroup").some() {
        put!(w, 0, "{space}SchedulingGroup:\n");
        w.field(1, "PodGroupName", group.member("podGroupName").text());
    }
}

/// The class that the API server gave, or the one that it would give (`pkg/util/qos`).
fn quality(spec: Field<'_>, status: Field<'_>) -> String {
    if !status.member("qosClass").text().is_empty() {
        return status.member("qosClass").text().to_owned();
    }
    let whole = spec.member("resources").some();
    let parts = spec
        .member("containers")
        .items()
        .chain(spec.member("initContainers").items());
    let all: Vec<_> = match whole {
        Some(resources) => vec![resources],
        None => parts
            .map(|container| container.member("resources"))
            .collect(),
    };
    let computed = |list: Field<'_>| -> BTreeMap<String, Quantity> {
        let members = list
            .members()
            .into_iter()
            .filter(|(name, _)| ["cpu", "memory"].contains(name));
        let amounts = members.map(|(name, amount)| (name.to_owned(), Quantity::of(amount)));
        amounts.filter(|(_, amount)| amount.is_positive()).collect()
    };
    let sum = |member: &str| {
        let mut sum: BTreeMap<String, Quantity> = BTreeMap::new();
        for (name, amount) in all
            .iter()
            .flat_map(|resources| computed(resources.member(member)))
        {
            sum.entry(name).or_default().add(amount);
        }
        sum
    };
    let (requests, limits) = (sum("requests"), sum("limits"));
    let limited = |resources: &Field<'_>| {
        (whole.is_some() && !resources.member("limits").exists())
            || computed(resources.member("limits")).len() == 2
    };
    let met = |(name, amount): (&String, &Quantity)| {
        limits
            .get(name)
            .is_some_and(|limit| limit.compare(*amount) == Ordering::Equal)
    };
    let class = match () {
        () if requests.is_empty() && limits.is_empty() => "BestEffort",
        () if all.iter().all(limited)
            && requests.iter().all(met)
            && requests.len() == limits.len() =>
        {
            "Guaranteed"
        }
        () => "Burstable",
    };
    class.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn classes_of_quality() {
        let check = |resources: Value, want: &str| {
            let spec = json!({"containers": [{"resources": resources}]});
            assert_eq!(quality(Field::of(&spec), Field::default()), want);
        };
        check(json!({}), "BestEffort");
        check(json!({"requests": {"cpu": "1"}}), "Burstable");
        let both = json!({"cpu": "1", "memory": "1Gi"});
        check(
            json!({"requests": both, "limits": {"cpu": "1000m", "memory": "1024Mi"}}),
            "Guaranteed",
        );
        check(json!({"limits": both}), "Burstable");
    }
}
