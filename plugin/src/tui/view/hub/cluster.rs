//! The clusters of a hub.

use super::told::{self, Cell, NOTHING, Told, age, status, text, unsupported, why};
use crate::tui::health::Health;
use mqtt_informer::ocm::cluster::{AVAILABLE, CLUSTER_SET_LABEL, HUB_ACCEPTED, JOINED};
use mqtt_informer::ocm::conditions::{find, is_true};
use mqtt_informer::ocm::quantity::approximate;
use mqtt_informer::ocm::{ManagedCluster, is_deleting, label, name};

/// The type.
pub(super) const RESOURCE: &str = "managedclusters.v1.cluster.open-cluster-management.io";
/// What stands over them.
pub(super) const HEADS: [&str; 10] = [
    "NAME",
    "ACCEPTED",
    "JOINED",
    "AVAILABLE",
    "CPU",
    "MEMORY",
    "SET",
    "TAINTS",
    "AGE",
    "REASON",
];

/// A cluster.
pub(super) fn line(cluster: &ManagedCluster) -> Told {
    let conditions = &cluster.status.conditions;
    let allocatable = &cluster.status.allocatable;
    let cpu = allocatable.get("cpu").and_then(approximate);
    let memory = allocatable.get("memory").and_then(approximate);
    let taints = cluster.spec.taints.iter().map(|it| {
        // What stands before the slash is the same of nearly all.
        let key = it.key.rsplit('/').next().unwrap_or_default();
        format!("{key}:{}", it.effect.as_str())
    });
    let (health, reason) = stuck(cluster).unwrap_or_default();
    Told {
        id: name(cluster).to_owned(),
        cluster: None,
        cells: vec![
            text(name(cluster)),
            text(accepted(cluster)),
            text(status(conditions, JOINED)),
            available(cluster),
            text(cpu.map(|it| rounded(it, "")).unwrap_or_default()),
            text(memory.map(gibibytes).unwrap_or_default()),
            text(label(&cluster.metadata, CLUSTER_SET_LABEL).unwrap_or_default()),
            text(taints.collect::<Vec<_>>().join(",")),
            age(&cluster.metadata),
        ],
        health,
        target: told::target(&cluster.metadata, "ManagedCluster", RESOURCE),
        reason,
    }
}

/// As `kubectl get managedclusters` has it: what is wanted, not what has been seen of it.
fn accepted(cluster: &ManagedCluster) -> &'static str {
    match cluster.spec.hub_accepts_client {
        true => "true",
        false => "false",
    }
}

/// Whether it is available; since when, if not.
fn available(cluster: &ManagedCluster) -> Cell {
    match find(&cluster.status.conditions, AVAILABLE) {
        None => text(NOTHING),
        Some(it) if it.status == "True" => text("True"),
        Some(it) => {
            let since = it.last_transition_time.0.as_millisecond();
            Cell::Since(it.status.clone(), Some(since))
        }
    }
}

/// The first thing that keeps it from taking work.
fn stuck(cluster: &ManagedCluster) -> Option<(Health, String)> {
    let conditions = &cluster.status.conditions;
    let told = |health, text: &str| Some((health, text.to_owned()));
    if is_deleting(&cluster.metadata) {
        return told(Health::Warn, "goes: its work is removed first");
    }
    if !cluster.spec.hub_accepts_client {
        return match find(conditions, HUB_ACCEPTED) {
            Some(denied) if denied.status != "True" => Some((Health::Bad, why(denied))),
            _ => told(
                Health::Warn,
                "waits for hubAcceptsClient, or hub --auto-accept",
            ),
        };
    }
    match (find(conditions, JOINED), find(conditions, AVAILABLE)) {
        (None, _) => told(Health::Warn, "its agent has not been here"),
        (Some(joined), _) if joined.status != "True" => Some((Health::Bad, why(joined))),
        (_, None) => told(Health::Warn, "nobody has heard how it is"),
        (_, Some(available)) if available.status != "True" => Some((Health::Bad, why(available))),
        _ if !is_true(conditions, HUB_ACCEPTED) => told(Health::Warn, "the hub is letting it in"),
        _ => unsupported(conditions),
    }
}

fn gibibytes(bytes: f64) -> String {
    rounded(bytes / f64::from(1 << 30), "Gi")
}

/// With one digit after the point, if that says anything.
fn rounded(number: f64, unit: &str) -> String {
    let text = format!("{number:.1}");
    format!("{}{unit}", text.strip_suffix(".0").unwrap_or(&text))
}
