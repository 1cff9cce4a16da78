//! What pods and nodes use, and what that is of what they asked for and may have: k9s's columns.
//!
//! Pods say what they asked for in their spec, which no row has; nodes say in their status what they have.

use crate::filter::quantity::Quantity;
use crate::table::{Column, Resource};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What is measured of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measured {
    /// Pods: what they use, of what they requested and of their limits.
    Pods,
    /// Nodes: what they use, of what pods may have of them.
    Nodes,
}

/// So much of both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Thousandths of a core.
    pub cpu: u64,
    /// Bytes.
    pub memory: u64,
}

/// What use is measured by; 0 where nothing was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// What is set aside for it.
    pub request: Amount,
    /// What it may have.
    pub limit: Amount,
}

/// One figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Thousandths of a core.
    Cpu,
    /// Mebibytes.
    Memory,
    /// Of the request, in percent.
    CpuOfRequest,
    /// Of the limit.
    CpuOfLimit,
    /// Of the request.
    MemoryOfRequest,
    /// Of the limit.
    MemoryOfLimit,
}

use Figure::{Cpu, CpuOfLimit, CpuOfRequest, Memory, MemoryOfLimit, MemoryOfRequest};

/// What stands where a figure is not known.
pub const UNKNOWN: &str = "n/a";

impl Measured {
    /// What is measured of a resource's objects.
    pub fn of(resource: &Resource) -> Option<Self> {
        match (resource.group.as_str(), resource.plural.as_str()) {
            ("", "pods") => Some(Self::Pods),
            ("", "nodes") => Some(Self::Nodes),
            _ => None,
        }
    }

    /// The resource that tells what they use.
    pub fn metrics(self) -> &'static str {
        match self {
            Self::Pods => "pods.metrics.k8s.io",
            Self::Nodes => "nodes.metrics.k8s.io",
        }
    }

    /// The figures, with their heads, as k9s has them.
    pub fn figures(self) -> &'static [(&'static str, Figure)] {
        match self {
            Self::Pods => &[
                ("CPU", Cpu),
                ("%CPU/R", CpuOfRequest),
                ("%CPU/L", CpuOfLimit),
                ("MEM", Memory),
                ("%MEM/R", MemoryOfRequest),
                ("%MEM/L", MemoryOfLimit),
            ],
            Self::Nodes => &[
                ("CPU", Cpu),
                ("%CPU", CpuOfRequest),
                ("MEM", Memory),
                ("%MEM", MemoryOfRequest),
            ],
        }
    }

    /// The figures as columns.
    pub fn columns(self) -> Vec<Column> {
        let column = |(head, figure): &(&str, Figure)| Column {
            name: (*head).to_owned(),
            names_objects: false,
            wide_only: self.needs_bounds(*figure) && !self.bounds_are_cheap(),
        };
        self.figures().iter().map(column).collect()
    }

    /// There are few nodes. Pods may be a hundred thousand: whole, they are read on demand only.
    pub fn bounds_are_cheap(self) -> bool {
        self == Self::Nodes
    }

    fn needs_bounds(self, figure: Figure) -> bool {
        !matches!(figure, Cpu | Memory)
    }
}

impl Figure {
    /// Its value; none if it is not known.
    pub fn value(self, used: Option<Amount>, bounds: Option<Bounds>) -> Option<u64> {
        let used = used?;
        let percent = |part: u64, whole: u64| {
            let percent = u128::from(part) * 100 / u128::from((whole > 0).then_some(whole)?);
            u64::try_from(percent).ok()
        };
        let bounds = || bounds.unwrap_or_default();
        match self {
            Cpu => Some(used.cpu),
            Memory => Some(used.memory >> 20),
            CpuOfRequest => percent(used.cpu, bounds().request.cpu),
            CpuOfLimit => percent(used.cpu, bounds().limit.cpu),
            MemoryOfRequest => percent(used.memory, bounds().request.memory),
            MemoryOfLimit => percent(used.memory, bounds().limit.memory),
        }
    }
}

type Quantities = BTreeMap<String, serde_json::Value>;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metrics {
    /// Of a node.
    usage: Quantities,
    /// Of a pod.
    containers: Vec<Usage>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Usage {
    usage: Quantities,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Object {
    spec: Spec,
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    containers: Vec<Container>,
    init_containers: Vec<Container>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Container {
    resources: Resources,
    restart_policy: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resources {
    requests: Quantities,
    limits: Quantities,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    allocatable: Quantities,
}

impl Amount {
    fn of(quantities: &Quantities) -> Self {
        let read = |name: &str| match quantities.get(name)? {
            serde_json::Value::String(text) => Quantity::parse(text),
            other => Quantity::parse(&other.to_string()),
        };
        Self {
            cpu: read("cpu").map_or(0, Quantity::thousandths),
            memory: read("memory").map_or(0, Quantity::ones),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_add(other.cpu),
            memory: self.memory.saturating_add(other.memory),
        }
    }
}

/// What PodMetrics or NodeMetrics say; none if they are none.
pub fn used(object: &[u8]) -> Option<Amount> {
    let metrics: Metrics = serde_json::from_slice(object).ok()?;
    let pods = metrics.containers.iter();
    let containers = pods.map(|container| Amount::of(&container.usage));
    Some(containers.fold(Amount::of(&metrics.usage), Amount::plus))
}

/// What the use of a pod, or of a node, is measured by; none if it is neither.
pub fn bounds(object: &[u8]) -> Option<Bounds> {
    let Object { spec, status } = serde_json::from_slice(object).ok()?;
    if !status.allocatable.is_empty() {
        let has = Amount::of(&status.allocatable);
        return Some(Bounds {
            request: has,
            limit: has,
        });
    }
    let sidecars = spec.init_containers.iter();
    let sidecars = sidecars.filter(|container| container.restart_policy == "Always");
    let all = spec.containers.iter().chain(sidecars);
    let sum = |sum: Bounds, container: &Container| Bounds {
        request: sum.request.plus(Amount::of(&container.resources.requests)),
        limit: sum.limit.plus(Amount::of(&container.resources.limits)),
    };
    Some(all.fold(Bounds::default(), sum))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn figures(of: Measured, metrics: &serde_json::Value, object: &serde_json::Value) -> String {
        let used = used(metrics.to_string().as_bytes());
        let bounds = bounds(object.to_string().as_bytes());
        let figures = of.figures().iter().map(|(head, figure)| {
            let value = figure.value(used, bounds);
            format!(
                "{head}={}",
                value.map_or(UNKNOWN.to_owned(), |it| it.to_string())
            )
        });
        figures.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn pods_use_what_their_containers_do() {
        let metrics = json!({"containers": [
            {"name": "app", "usage": {"cpu": "112345678n", "memory": "100Mi"}},
            {"name": "side", "usage": {"cpu": "1m", "memory": "1023Ki"}}]});
        let pod = json!({"spec": {
            "initContainers": [
                {"resources": {"requests": {"cpu": "9"}}},
                {"restartPolicy": "Always", "resources": {"requests": {"cpu": "100m"}}}],
            "containers": [{"resources": {"requests": {"cpu": "0.1", "memory": "200Mi"}, "limits": {"cpu": 1}}}, {}]}});
        assert_eq!(
            figures(Measured::Pods, &metrics, &pod),
            "CPU=114 %CPU/R=57 %CPU/L=11 MEM=100 %MEM/R=50 %MEM/L=n/a"
        );
    }

    #[test]
    fn nodes_use_part_of_what_pods_may_have() {
        let metrics = json!({"usage": {"cpu": "4", "memory": "8Gi"}});
        let node = json!({"status": {"capacity": {"cpu": "99"}, "allocatable": {"cpu": "16", "memory": "32Gi"}}});
        assert_eq!(
            figures(Measured::Nodes, &metrics, &node),
            "CPU=4000 %CPU=25 MEM=8192 %MEM=25"
        );
        assert_eq!(
            figures(Measured::Nodes, &json!(7), &node),
            "CPU=n/a %CPU=n/a MEM=n/a %MEM=n/a"
        );
    }

    proptest! {
        #[test]
        fn nothing_that_comes_panics(text in "\\PC{0,40}", cpu in "\\PC{0,8}", memory in any::<i64>()) {
            let _ = (used(text.as_bytes()), bounds(text.as_bytes()));
            let metrics = json!({"containers": [{"usage": {"cpu": cpu, "memory": memory}}]}).to_string();
            let used = used(metrics.as_bytes());
            for (_, figure) in Measured::Pods.figures() {
                let _ = figure.value(used, Some(Bounds::default()));
            }
        }
    }
}
