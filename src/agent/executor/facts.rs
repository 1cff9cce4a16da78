//! What the cluster is: how much its nodes have.

use crate::kubernetes::{Collector, Kubernetes, News, follow};
use crate::ocm::exchange::ClusterReport;
use crate::ocm::quantity;
use crate::protocol::message::{Selection, View};
use bytes::Bytes;
use serde_json::Value;
use std::collections::BTreeMap;
use tokio::sync::watch;

/// What nodes add up to, again whenever they change, until nobody listens.
pub(super) async fn keep(kubernetes: Kubernetes, facts: watch::Sender<ClusterReport>) {
    let selection = Selection {
        resource: "nodes.v1.".to_owned(),
        view: View::Objects,
        ..Selection::default()
    };
    let (tell, mut heard) = tokio::sync::mpsc::channel(16);
    let followed = follow(kubernetes, selection, tell);
    let read = async {
        let (mut collector, mut nodes) = (Collector::default(), BTreeMap::new());
        while let Some(one) = heard.recv().await {
            match collector.take(one) {
                Some(News::Whole(all)) => {
                    nodes = all.into_iter().map(|(k, v)| (k, node(&v))).collect();
                }
                Some(News::Put(key, value)) => _ = nodes.insert(key, node(&value)),
                Some(News::Gone(key)) => _ = nodes.remove(&key),
                // Without the right to see nodes, nothing is said of them.
                _ => continue,
            }
            let report = sum(nodes.values());
            facts.send_if_modified(|known| {
                let news = *known != report;
                *known = report;
                news
            });
        }
    };
    tokio::select! {
        () = followed => {}
        () = read => {}
        () = facts.closed() => {}
    }
}

fn node(value: &Bytes) -> Value {
    serde_json::from_slice(value).unwrap_or_default()
}

/// As OCM: all nodes have capacity, and only those that take pods can be allocated.
fn sum<'a>(nodes: impl Iterator<Item = &'a Value>) -> ClusterReport {
    let (mut capacity, mut allocatable) = (BTreeMap::new(), BTreeMap::new());
    for node in nodes {
        add(&mut capacity, &node["status"]["capacity"]);
        if node["spec"]["unschedulable"] != true {
            add(&mut allocatable, &node["status"]["allocatable"]);
        }
    }
    let written = |all: BTreeMap<String, f64>| {
        let each = all.into_iter();
        each.map(|(name, amount)| (name, Value::String(shown(amount))))
            .collect()
    };
    ClusterReport {
        capacity: written(capacity),
        allocatable: written(allocatable),
        ..ClusterReport::default()
    }
}

fn add(all: &mut BTreeMap<String, f64>, quantities: &Value) {
    for (name, quantity) in quantities.as_object().into_iter().flatten() {
        *all.entry(name.clone()).or_default() +=
            quantity::approximate(quantity).unwrap_or_default();
    }
}

/// As a quantity: whole numbers, Ki where there are many, else thousandths.
fn shown(amount: f64) -> String {
    let whole = amount.round();
    if (amount - whole).abs() > 1e-6 {
        return format!("{:.0}m", amount * 1000.0);
    }
    match whole % 1024.0 == 0.0 && whole >= 1_048_576.0 {
        true => format!("{:.0}Ki", whole / 1024.0),
        false => format!("{whole:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_nodes_have_is_added_up() {
        let has = |cpu: &str, memory: &str| json!({"cpu": cpu, "memory": memory});
        let both = |it: Value| json!({"capacity": it, "allocatable": it});
        let nodes = [
            json!({"status": both(has("1500m", "1Gi"))}),
            json!({"spec": {"unschedulable": true}, "status": both(has("2", "1Mi"))}),
        ];
        let report = sum(nodes.iter());
        assert_eq!(report.capacity["cpu"], "3500m");
        assert_eq!(report.capacity["memory"], "1049600Ki");
        assert_eq!(report.allocatable["cpu"], "1500m");
        assert_eq!(
            (shown(3.0), shown(110.0)),
            ("3".to_owned(), "110".to_owned())
        );
    }
}
