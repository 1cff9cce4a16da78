//! What the cluster is: how much its nodes have, and what it claims to be.

use super::claims::{self, Claims};
use crate::kubernetes::{Collector, Kubernetes, News, follow};
use crate::ocm::exchange::ClusterReport;
use crate::ocm::quantity;
use crate::protocol::message::{Selection, View};
use bytes::Bytes;
use serde_json::Value;
use std::collections::BTreeMap;
use tokio::sync::{mpsc, watch};

/// What is counted of a node.
#[derive(Debug, Default)]
struct Node {
    capacity: BTreeMap<String, f64>,
    /// Nothing, if it takes no pods.
    allocatable: BTreeMap<String, f64>,
}

/// What nodes add up to, and the claims, again whenever they change, until nobody listens. Nothing is told before all of
/// them were seen: a cluster that seems to have nothing would lose its work.
pub(super) async fn keep(kubernetes: Kubernetes, facts: watch::Sender<Option<ClusterReport>>) {
    let selection = Selection {
        resource: "nodes.v1.".to_owned(),
        view: View::Objects,
        ..Selection::default()
    };
    let (tell_nodes, mut of_nodes) = mpsc::channel(16);
    let (tell_claims, mut of_claims) = mpsc::channel(16);
    let read = async {
        let (mut nodes, mut collector) = (Nodes::default(), Collector::default());
        let mut claims = Claims::default();
        loop {
            let is_news = tokio::select! {
                Some(heard) = of_nodes.recv() => {
                    collector.take(heard).is_some_and(|it| nodes.take(it))
                }
                Some(heard) = of_claims.recv() => claims.take(&kubernetes, heard).await,
                else => return,
            };
            let report = nodes.sum().zip(claims.all()).filter(|_| is_news);
            let Some((sum, claims)) = report else {
                continue;
            };
            let report = ClusterReport { claims, ..sum };
            facts.send_if_modified(|known| {
                let news = known.as_ref() != Some(&report);
                *known = Some(report);
                news
            });
        }
    };
    tokio::select! {
        () = follow(kubernetes.clone(), selection, tell_nodes) => {}
        () = follow(kubernetes.clone(), claims::selection(), tell_claims) => {}
        () = read => {}
        () = facts.closed() => {}
    }
}

/// The nodes that were seen; none before they were listed.
#[derive(Debug, Default)]
struct Nodes(Option<BTreeMap<Bytes, Node>>);

impl Nodes {
    /// Takes what is new; whether it says anything. Without the right to see nodes, nothing is said of them.
    fn take(&mut self, news: News) -> bool {
        match (news, &mut self.0) {
            (News::Whole(all), known) => {
                *known = Some(all.into_iter().map(|(k, v)| (k, node(&v))).collect());
            }
            (News::Put(key, value), Some(known)) => _ = known.insert(key, node(&value)),
            (News::Gone(key), Some(known)) => _ = known.remove(&key),
            _ => return false,
        }
        true
    }

    /// What they add up to.
    fn sum(&self) -> Option<ClusterReport> {
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
        assert!(!nodes.take(News::Put(one.0.clone(), one.1.clone())));
        assert!(!nodes.take(News::Refused("no".to_owned())));
        assert_eq!(nodes.sum(), None, "not all were seen");
        let closed = json!({"spec": {"unschedulable": true}, "status": both(has("2", "1Mi"))});
        assert!(nodes.take(News::Whole(vec![one, entry("b", closed)])));
        let report = nodes.sum().unwrap();
        assert_eq!(report.capacity["cpu"], "3500m");
        assert_eq!(report.capacity["memory"], "1049600Ki");
        assert_eq!(report.allocatable["cpu"], "1500m");
        assert_eq!(
            (shown(3.0), shown(110.0)),
            ("3".to_owned(), "110".to_owned())
        );
    }
}
