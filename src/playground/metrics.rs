//! What pods and nodes use, as a metrics server tells it: made up at the moment of asking, out of what there is.
//!
//! Each pod has a level of its own, which follows from its uid, and moves around it; a node uses what its pods do, and
//! something for itself. Figures stay for as long as a metrics server takes between two looks.

use super::kind::Kind;
use super::rfc3339;
use super::store::{Objects, Store};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The API group.
pub(super) const GROUP: &str = "metrics.k8s.io";
/// Between two looks at the nodes.
const RESOLUTION: i64 = 15_000;
/// What a node uses without pods.
const IDLE: Usage = Usage {
    millicores: 180,
    kib: 1_200_000,
};

/// What something uses.
#[derive(Clone, Copy, Default)]
struct Usage {
    millicores: u64,
    kib: u64,
}

/// The resources of the group. They can be listed, and not watched.
pub(super) fn kinds() -> Vec<Kind> {
    let kind = |plural: &str, kind: &str, namespaced| Kind {
        version: "v1beta1".into(),
        // As it is: metrics servers have no singular of their own.
        singular: plural.trim_end_matches('s').into(),
        namespaced,
        watchable: false,
        tables: false,
        ..Kind::custom(plural, kind, GROUP)
    };
    vec![
        kind("nodes", "NodeMetrics", false),
        kind("pods", "PodMetrics", true),
    ]
}

/// The objects of one of them; none for any other resource.
pub(super) fn objects(resource: &str, store: &Store, now: i64) -> Option<Objects> {
    let at = now - now.rem_euclid(RESOLUTION);
    let of = match resource {
        "pods.metrics.k8s.io" => pods(store, at),
        "nodes.metrics.k8s.io" => nodes(store, at),
        _ => return None,
    };
    store.kind(GROUP, "v1beta1", resource.split('.').next()?)?;
    Some(of)
}

fn pods(store: &Store, at: i64) -> Objects {
    let pods = store.objects("pods");
    let running = pods.iter().filter(|(_, pod)| is_running(pod));
    let of = |pod: &Value| {
        let usage = of_pod(pod, at);
        let name = &pod["spec"]["containers"][0]["name"];
        json!({
            "metadata": head(pod, at), "timestamp": rfc3339(at), "window": "15s",
            "containers": [{"name": name, "usage": usage.as_json()}],
            "apiVersion": "metrics.k8s.io/v1beta1", "kind": "PodMetrics",
        })
    };
    running
        .map(|(key, pod)| (key.clone(), Arc::new(of(pod))))
        .collect()
}

fn nodes(store: &Store, at: i64) -> Objects {
    let mut used: BTreeMap<String, Usage> = BTreeMap::new();
    for (_, pod) in store
        .objects("pods")
        .iter()
        .filter(|(_, pod)| is_running(pod))
    {
        let node = pod["spec"]["nodeName"].as_str().unwrap_or_default();
        let (sum, more) = (used.entry(node.to_owned()).or_default(), of_pod(pod, at));
        sum.millicores += more.millicores;
        sum.kib += more.kib;
    }
    // Of a node that is not heard nobody knows what it uses.
    let is_heard = |node: &Value| node["status"]["conditions"][0]["status"] == "True";
    let nodes = store.objects("nodes");
    let heard = nodes.iter().filter(|(_, node)| is_heard(node));
    let of = |name: &str, node: &Value| {
        let pods = used.get(name).copied().unwrap_or_default();
        let usage = Usage {
            millicores: IDLE.millicores + pods.millicores,
            kib: IDLE.kib + pods.kib,
        };
        json!({
            "metadata": head(node, at), "timestamp": rfc3339(at), "window": "20s", "usage": usage.as_json(),
            "apiVersion": "metrics.k8s.io/v1beta1", "kind": "NodeMetrics",
        })
    };
    heard
        .map(|(key, node)| (key.clone(), Arc::new(of(&key.1, node))))
        .collect()
}

fn is_running(pod: &Value) -> bool {
    pod["status"]["containerStatuses"][0]["state"]["running"].is_object()
}

fn head(of: &Value, at: i64) -> Value {
    let metadata = &of["metadata"];
    let mut head = json!({
        "name": metadata["name"], "labels": metadata["labels"], "creationTimestamp": rfc3339(at),
    });
    if let Some(namespace) = metadata.get("namespace") {
        head["namespace"] = namespace.clone();
    }
    head
}

fn of_pod(pod: &Value, at: i64) -> Usage {
    let uid = pod["metadata"]["uid"].as_str().unwrap_or_default();
    let hash = xxhash_rust::xxh3::xxh3_64(uid.as_bytes());
    // Most pods do little, some do much.
    let level = (hash % 1000) as f64 / 1000.0;
    let (cpu, memory) = (4.0 + 420.0 * level.powi(4), 24.0 + 440.0 * level.powi(2));
    let period = 120.0 + (hash >> 10 & 255) as f64;
    let turn = (at / 1000) as f64 / period + (hash >> 20 & 1023) as f64;
    let step = xxhash_rust::xxh3::xxh3_64_with_seed(uid.as_bytes(), at.unsigned_abs()) % 100;
    let noise = step as f64 / 100.0;
    Usage {
        millicores: (cpu * (1.0 + 0.5 * turn.sin() + 0.3 * noise)) as u64,
        kib: (memory * (1.0 + 0.08 * turn.cos() + 0.02 * noise) * 1024.0) as u64,
    }
}

impl Usage {
    /// As metrics servers write it.
    fn as_json(self) -> Value {
        json!({"cpu": format!("{}n", self.millicores * 1_000_000 + 1), "memory": format!("{}Ki", self.kib)})
    }
}
