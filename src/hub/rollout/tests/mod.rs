//! The strategies as OCM's documentation describes them.

mod sets;
mod strategies;

use super::*;
use serde_json::{Value, json};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn read<K: serde::de::DeserializeOwned>(value: Value) -> K {
    serde_json::from_value(value).unwrap()
}

/// One decision of each group: `name:cluster,cluster`.
fn decisions(groups: &[&str]) -> Vec<PlacementDecision> {
    let one = |(index, text): (usize, &&str)| {
        let (name, clusters) = text.split_once(':').unwrap();
        let clusters: Vec<_> = clusters
            .split(',')
            .filter(|it| !it.is_empty())
            .map(|it| json!({"clusterName": it, "reason": ""}))
            .collect();
        read(json!({
            "metadata": {"name": format!("p-decision-{index}"), "namespace": "default", "labels": {
                crate::ocm::decision::PLACEMENT_LABEL: "p",
                crate::ocm::decision::GROUP_INDEX_LABEL: index.to_string(),
                crate::ocm::decision::GROUP_NAME_LABEL: name,
            }},
            "status": {"decisions": clusters},
        }))
    };
    groups.iter().enumerate().map(one).collect()
}
