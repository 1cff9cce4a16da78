//! The clusters of a placement, by decision group.

use crate::ocm::decision::{GROUP_INDEX_LABEL, GROUP_NAME_LABEL};
use crate::ocm::strategy::MandatoryDecisionGroup;
use crate::ocm::{PlacementDecision, label};
use std::collections::{BTreeMap, BTreeSet};

/// One group of clusters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// From 0: groups come in this order.
    pub index: i32,
    /// Empty if it has none.
    pub name: String,
    /// Its clusters.
    pub clusters: BTreeSet<String>,
}

/// The groups of a placement, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups(Vec<Group>);

impl Groups {
    /// The groups of these decisions.
    pub fn of<'a>(decisions: impl Iterator<Item = &'a PlacementDecision>) -> Self {
        let mut groups: BTreeMap<i32, Group> = BTreeMap::new();
        for decision in decisions {
            let said = label(&decision.metadata, GROUP_INDEX_LABEL);
            let index = said.and_then(|it| it.parse().ok()).unwrap_or(0);
            let name = label(&decision.metadata, GROUP_NAME_LABEL);
            let group = groups.entry(index).or_insert_with(|| Group {
                index,
                name: name.unwrap_or_default().to_owned(),
                clusters: BTreeSet::new(),
            });
            group
                .clusters
                .extend(decision.clusters().map(str::to_owned));
        }
        Self(
            groups
                .into_values()
                .filter(|it| !it.clusters.is_empty())
                .collect(),
        )
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = &Group> {
        self.0.iter()
    }

    /// All clusters, by name.
    pub fn clusters(&self) -> BTreeSet<&str> {
        let all = self.0.iter().flat_map(|it| &it.clusters);
        all.map(String::as_str).collect()
    }

    /// Whether a cluster is in one of them.
    pub fn has(&self, cluster: &str) -> bool {
        self.0.iter().any(|it| it.clusters.contains(cluster))
    }

    /// How many groups there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that are named, and the others.
    pub fn split(&self, named: &[MandatoryDecisionGroup]) -> (Self, Self) {
        let (first, rest) = self
            .0
            .iter()
            .cloned()
            .partition(|group| is_named(named, group));
        (Self(first), Self(rest))
    }
}

/// By name, if one is said: OCM looks at the index only where there is none.
fn is_named(named: &[MandatoryDecisionGroup], group: &Group) -> bool {
    named.iter().any(|it| match it.group_name.as_deref() {
        Some(name) if !name.is_empty() => name == group.name,
        _ => it.group_index.unwrap_or(0) == group.index,
    })
}
