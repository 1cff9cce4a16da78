//! What the cluster is: how much its nodes have.

use crate::kubernetes::{Collector, Kubernetes, News, follow};
use crate::ocm::exchange::ClusterReport;
use crate::ocm::quantity;
use crate::protocol::message::{Selection, View};
use bytes::Bytes;
use serde_json::Value;
use std::collections::BTreeMap;
use tokio::sync::watch;

/// What is counted of a node.
#[derive(Debug, Default)]
struct Node {
    capacity: BTreeMap<String, f64>,
    /// Nothing, if it takes no pods.
    allocatable: BTreeMap<String, f64>,
}

/// What nodes add up to, again whenever they change, until nobody listens. Nothing is told before all of them were seen:
/// a cluster that seems to have nothing would lose its work.
pub(super) async fn keep(kubernetes: Kubernetes, facts: watch::Sender<Option<ClusterReport>>) {
    let selection = Selection {
        resource: "nodes.v1.".to_owned(),
        view: View::Objects,
        ..Selection::default()
    };
    let (tell, mut heard) = tokio::sync::mpsc::channel(16);
    let followed = follow(kubernetes, selection, tell);
    let read = async {
        let (mut collector, mut nodes) = (Collector::default(), Nodes::default());
        while let Some(one) = heard.recv().await {
            let news = collector.take(one);
            let Some(report) = news.and_then(|it| nodes.take(it)) else {
                continue;
            };
            facts.send_if_modified(|known| {
                let news = known.as_ref() != Some(&report);
                *known = Some(report);
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

/// The nodes that were seen; none before they were listed.
#[derive(Debug, Default)]
struct Nodes(Option<BTreeMap<Bytes, Node>>);

impl Nodes {
    /// What they add up to after that, if it says anything. Without the right to see nodes, nothing is said of them.
    fn take(&mut self, news: News) -> Option<ClusterReport> {
        match news {
            News::Whole(all) => {
                self.0 = Some(all.into_iter().map(|(k, v)| (k, node(&v))).collect());
            }
            News::Put(key, value) => _ = self.0.as_mut()?.insert(key, node(&value)),
            News::Gone(key) => _ = self.0.as_mut()?.remove(&key),
            News::Away(_) | News::Refused(_) | News::Alive => return None,
        }
        Some(sum(self.0.as_ref()?.values()))
    }
}

/// As OCM: all nodes have capacity, and only those that take pods can be allocated.
fn node(value: &Bytes) -> Node {
    let node: Value = serde_json::from_slice(value).unwrap_or_default();
    let allocatable = match node["spec"]["unschedulable"] == true {
        true => BTreeMap::new(),
        false => amounts(&node["status"]["allocatable"]),
    };
    Node {
        capacity: amounts(&node["status"]["capacity"]),
        allocatable,
    }
}

fn amounts(quantities: &Value) -> BTreeMap<String, f64> {
    let each = quantities.as_object().into_iter().flatten();
    each.map(|(name, it)| (name.clone(), quantity::approximate(it).unwrap_or_default()))
        .collect()
}

fn sum<'a>(nodes: impl Iterator<Item = &'a Node>) -> ClusterReport {
    let (mut capacity, mut allocatable) = (BTreeMap::new(), BTreeMap::new());
    for node in nodes {
        add(&mut capacity, &node.capacity);
        add(&mut allocatable, &node.allocatable);
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

fn add(all: &mut BTreeMap<String, f64>, more: &BTreeMap<String, f64>) {
    for (name, amount) in more {
        *all.entry(name.clone()).or_default() += amount;
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
        let entry =
            |key: &'static str, node: Value| (Bytes::from(key), Bytes::from(node.to_string()));
        let mut nodes = Nodes::default();
        let one = entry("a", json!({"status": both(has("1500m", "1Gi"))}));
        let early = nodes.take(News::Put(one.0.clone(), one.1.clone()));
        assert_eq!(early, None, "not all were seen");
        assert_eq!(nodes.take(News::Refused("no".to_owned())), None);
        let closed = json!({"spec": {"unschedulable": true}, "status": both(has("2", "1Mi"))});
        let report = nodes
            .take(News::Whole(vec![one, entry("b", closed)]))
            .unwrap();
        assert_eq!(report.capacity["cpu"], "3500m");
        assert_eq!(report.capacity["memory"], "1049600Ki");
        assert_eq!(report.allocatable["cpu"], "1500m");
        assert_eq!(
            (shown(3.0), shown(110.0)),
            ("3".to_owned(), "110".to_owned())
        );
    }
}
