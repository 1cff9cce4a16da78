//! Nodes: what they are, what runs on them, and how full they are (`describeNode` of kubectl's describe.go).

use super::Subject;
use super::events;
use super::field::Field;
use super::quantity::Quantity;
use super::related::Need;
use super::resources::{Amounts, Bound, add, amounts, of_pod};
use super::writer::{Writer, put};
use crate::get::messages::Refusal;
use std::collections::{BTreeMap, BTreeSet};

const ROLE: &str = "node-role.kubernetes.io/";
const ROLE_LABEL: &str = "kubernetes.io/role";
/// So many pools of devices are shown.
const MOST_POOLS: usize = 10;

pub(super) fn describe(w: &mut Writer, subject: &Subject<'_>) -> Result<(), Refusal> {
    let node = subject.object;
    let (spec, status) = (node.member("spec"), node.member("status"));
    let pods = match subject.related.get(&Need::pods_on(node)) {
        Ok(pods) => Some(pods),
        Err(refusal) if refusal.reason == "Forbidden" => None,
        Err(refusal) => return Err(refusal),
    };
    w.field(0, "Name", node.name());
    w.field(0, "Roles", roles(node));
    w.labels("Labels", node.at("metadata.labels"));
    w.annotations("Annotations", node.at("metadata.annotations"));
    w.field(0, "CreationTimestamp", subject.created());
    w.taints("Taints", spec.member("taints"));
    w.field(0, "Unschedulable", spec.member("unschedulable").is_true());
    lease(w, subject);
    conditions(w, subject);
    put!(w, 0, "Addresses:\n");
    for address in status.member("addresses").items() {
        w.field(
            1,
            address.member("type").text(),
            address.member("address").text(),
        );
    }
    for (member, title) in [("capacity", "Capacity"), ("allocatable", "Allocatable")] {
        if !status.member(member).is_empty() {
            put!(w, 0, "{title}:\n");
        }
        for (name, amount) in amounts(status.member(member)) {
            w.field(1, &name, amount);
        }
    }
    let slices = subject
        .related
        .get(&Need::resource_slices(node))
        .unwrap_or_default();
    devices(w, &slices);
    system(w, status.member("nodeInfo"));
    for (title, text) in [
        ("PodCIDR", spec.member("podCIDR").text().to_owned()),
        ("PodCIDRs", spec.member("podCIDRs").texts().join(",")),
        ("ProviderID", spec.member("providerID").text().to_owned()),
    ] {
        if !text.is_empty() {
            w.field(0, title, text);
        }
    }
    match pods {
        Some(pods) => usage(w, subject, &pods),
        None => w.field(0, "Pods", "not authorized"),
    }
    if subject.context.with_events {
        let mut all = subject
            .related
            .get(&Need::events("Node", node))
            .unwrap_or_default();
        all.extend(
            subject
                .related
                .get(&Need::events_by_name(node))
                .unwrap_or_default(),
        );
        events::table(w, all, &subject.context.clock);
    }
    Ok(())
}

fn roles(node: Field<'_>) -> String {
    let labels = node.at("metadata.labels").map().into_iter();
    let roles = labels.filter_map(|(key, value)| match key.strip_prefix(ROLE) {
        Some(role) => Some(role),
        None => (key == ROLE_LABEL).then_some(value),
    });
    let roles: BTreeSet<_> = roles.filter(|role| !role.is_empty()).collect();
    match roles.into_iter().collect::<Vec<_>>().join(",") {
        none if none.is_empty() => "<none>".to_owned(),
        roles => roles,
    }
}

fn lease(w: &mut Writer, subject: &Subject<'_>) {
    let name = subject.object.name();
    let lease = match subject.related.get(&Need::lease(subject.object)) {
        Ok(leases) => match leases.first() {
            Some(lease) => lease.member("spec"),
            None => {
                let why = format!("leases.coordination.k8s.io \"{name}\" not found");
                return w.field(0, "Lease", format_args!("Failed to get lease: {why}"));
            }
        },
        Err(refusal) => {
            return w.field(
                0,
                "Lease",
                format_args!("Failed to get lease: {}", refusal.message),
            );
        }
    };
    put!(w, 0, "Lease:\n");
    w.field(
        1,
        "HolderIdentity",
        lease.member("holderIdentity").shown_or("<unset>"),
    );
    for (member, title) in [("acquireTime", "AcquireTime"), ("renewTime", "RenewTime")] {
        let time = lease
            .member(member)
            .some()
            .map(|time| subject.context.clock.date(time));
        w.field(1, title, time.unwrap_or("<unset>".to_owned()));
    }
}

fn conditions(w: &mut Writer, subject: &Subject<'_>) {
    let conditions = subject.object.at("status.conditions");
    if conditions.is_empty() {
        return;
    }
    put!(
        w,
        0,
        "Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage\n"
    );
    put!(
        w,
        1,
        "----\t------\t-----------------\t------------------\t------\t-------\n"
    );
    for condition in conditions.items() {
        let text = |name| condition.member(name).text();
        let date = |name| subject.context.clock.date(condition.member(name));
        let (heard, changed) = (date("lastHeartbeatTime"), date("lastTransitionTime"));
        let (kind, status, reason, message) = (
            text("type"),
            text("status"),
            text("reason"),
            text("message"),
        );
        put!(
            w,
            1,
            "{kind} \t{status} \t{heard} \t{changed} \t{reason} \t{message}\n"
        );
    }
}

/// The devices that are only on this node, by driver and pool.
fn devices(w: &mut Writer, slices: &[Field<'_>]) {
    let mut pools: BTreeMap<String, (&str, &str, usize, usize)> = BTreeMap::new();
    for slice in slices {
        let (driver, pool) = (
            slice.at("spec.driver").text(),
            slice.at("spec.pool.name").text(),
        );
        let counts = pools
            .entry(format!("{driver}/{pool}"))
            .or_insert((driver, pool, 0, 0));
        counts.2 += 1;
        counts.3 += slice.at("spec.devices").items().len();
    }
    if pools.is_empty() {
        return;
    }
    put!(w, 0, "Node-Local ResourceSlices:\n");
    put!(w, 1, "Driver\tPool\tSlices\tDevices\n");
    put!(w, 1, "------\t----\t------\t-------\n");
    for (driver, pool, slices, devices) in pools.values().take(MOST_POOLS) {
        put!(w, 1, "{driver}\t{pool}\t{slices}\t{devices}\n");
    }
    if pools.len() > MOST_POOLS {
        put!(w, 1, "...and {} more pools\n", pools.len() - MOST_POOLS);
    }
}

fn system(w: &mut Writer, info: Field<'_>) {
    put!(w, 0, "System Info:\n");
    for (member, title) in [
        ("machineID", "Machine ID"),
        ("systemUUID", "System UUID"),
        ("bootID", "Boot ID"),
        ("kernelVersion", "Kernel Version"),
        ("osImage", "OS Image"),
        ("operatingSystem", "Operating System"),
        ("architecture", "Architecture"),
        ("containerRuntimeVersion", "Container Runtime Version"),
        ("kubeletVersion", "Kubelet Version"),
    ] {
        w.field(1, title, info.member(member).text());
    }
}

/// What runs there, and how much of the node it asks for.
fn usage(w: &mut Writer, subject: &Subject<'_>, pods: &[Field<'_>]) {
    let status = subject.object.member("status");
    let node = match status.member("allocatable") {
        none if none.is_empty() => amounts(status.member("capacity")),
        allocatable => amounts(allocatable),
    };
    let count = pods.len();
    put!(w, 0, "Non-terminated Pods:\t({count} in total)\n");
    put!(
        w,
        1,
        "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge\n"
    );
    put!(
        w,
        1,
        "---------\t----\t\t------------\t----------\t---------------\t-------------\t---\n"
    );
    for pod in pods {
        let (requests, limits) = (
            of_pod(*pod, Bound::Requests, true),
            of_pod(*pod, Bound::Limits, true),
        );
        let share = |amounts: &Amounts, name: &str| {
            let amount = of(amounts, name);
            format!(
                "{amount} ({}%)",
                truncated(percentage(name, amount, of(&node, name)))
            )
        };
        let (cpu, cpu_limit) = (share(&requests, "cpu"), share(&limits, "cpu"));
        let (memory, memory_limit) = (share(&requests, "memory"), share(&limits, "memory"));
        let age = subject
            .context
            .clock
            .since(pod.at("metadata.creationTimestamp"));
        let (namespace, name) = (pod.namespace(), pod.name());
        put!(
            w,
            1,
            "{namespace}\t{name}\t\t{cpu}\t{cpu_limit}\t{memory}\t{memory_limit}\t{age}\n"
        );
    }
    put!(
        w,
        0,
        "Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)\n"
    );
    put!(w, 1, "Resource\tRequests\tLimits\n");
    put!(w, 1, "--------\t--------\t------\n");
    let total = |bound| {
        let mut sum = Amounts::new();
        pods.iter()
            .for_each(|pod| add(&mut sum, &of_pod(*pod, bound, false)));
        sum
    };
    let (requests, limits) = (total(Bound::Requests), total(Bound::Limits));
    let standard = ["cpu", "memory", "ephemeral-storage"];
    let pages = node
        .keys()
        .map(String::as_str)
        .filter(|name| name.starts_with("hugepages-"));
    for name in standard.into_iter().chain(pages) {
        let share = |amount: Quantity| match of(&node, name) {
            none if none.is_zero() => format!("{amount} (0%)"),
            all => format!("{amount} ({}%)", truncated(percentage(name, amount, all))),
        };
        put!(
            w,
            1,
            "{name}\t{}\t{}\n",
            share(of(&requests, name)),
            share(of(&limits, name))
        );
    }
    let is_known =
        |name: &str| standard.contains(&name) || name.starts_with("hugepages-") || name == "pods";
    for name in node.keys().filter(|name| !is_known(name)) {
        put!(
            w,
            1,
            "{name}\t{}\t{}\n",
            of(&requests, name),
            of(&limits, name)
        );
    }
}

fn of(amounts: &Amounts, name: &str) -> Quantity {
    amounts.get(name).copied().unwrap_or_default()
}

fn percentage(name: &str, amount: Quantity, all: Quantity) -> f64 {
    let scaled = |quantity: Quantity| {
        if name == "cpu" {
            quantity.milli()
        } else {
            quantity.whole()
        }
    };
    scaled(amount) as f64 / scaled(all) as f64 * 100.0
}

/// As Go on a PC makes a whole number of a fraction: what is none (a share of nothing) is the least.
fn truncated(fraction: f64) -> i64 {
    match fraction.is_finite() {
        true => fraction as i64,
        false => i64::MIN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn roles_are_labels() {
        let node = json!({"metadata": {"labels": {
            "node-role.kubernetes.io/etcd": "", "node-role.kubernetes.io/": "", "kubernetes.io/role": "worker",
            "node-role.kubernetes.io/control-plane": ""}}});
        assert_eq!(roles(Field::of(&node)), "control-plane,etcd,worker");
        assert_eq!(roles(Field::default()), "<none>");
    }

    #[test]
    fn shares_are_cut_not_rounded() {
        let quantity = |text: &str| Quantity::of(Field::of(&json!(text)));
        assert_eq!(
            truncated(percentage("cpu", quantity("999m"), quantity("1"))),
            99
        );
        assert_eq!(
            truncated(percentage("memory", quantity("1Mi"), quantity("0"))),
            i64::MIN
        );
    }
}
