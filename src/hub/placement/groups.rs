//! Decision groups: named ones first, then the rest, none larger than allowed.

use super::Problem;
use super::filter::Matcher;
use crate::ocm::placement::{ClusterSelector, GroupStrategy, SortBy};
use crate::ocm::{ManagedCluster, name, share};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// A group.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Group<'a> {
    /// Empty if it has none.
    pub(super) name: String,
    /// In the order in which decisions are listed.
    pub(super) clusters: Vec<&'a str>,
}

/// The groups of these clusters; at least one, which may be empty.
pub(super) fn groups<'a>(
    strategy: &GroupStrategy,
    order: &SortBy,
    clusters: &[&'a ManagedCluster],
    scores: &BTreeMap<&str, i64>,
) -> Result<Vec<Group<'a>>, Problem> {
    let size = strategy.clusters_per_decision_group.as_ref();
    let all = clusters.len();
    let most = share::within(size, all, all).ok_or_else(|| {
        let text = format!("{size:?} invalid type: string is not a percentage");
        Problem::misconfigured("", text)
    })?;
    let mut left: Vec<_> = clusters.to_vec();
    let mut groups = Vec::new();
    for group in &strategy.decision_groups {
        let selector = ClusterSelector {
            label_selector: group.group_cluster_selector.label_selector.clone(),
            claim_selector: group.group_cluster_selector.claim_selector.clone(),
            ..ClusterSelector::default()
        };
        let matcher = Matcher::of(&selector)
            .map_err(|error| Problem::misconfigured("", error.to_string()))?;
        let (matching, rest) = left.into_iter().partition(|it| matcher.matches(it));
        left = rest;
        groups.extend(divided(&group.group_name, matching, most, order, scores));
    }
    groups.extend(divided("", left, most, order, scores));
    if groups.is_empty() {
        groups.push(Group::default());
    }
    Ok(groups)
}

fn divided<'a>(
    group: &str,
    clusters: Vec<&'a ManagedCluster>,
    most: usize,
    order: &SortBy,
    scores: &BTreeMap<&str, i64>,
) -> Vec<Group<'a>> {
    let mut names: Vec<&str> = clusters.into_iter().map(name).collect();
    names.sort_unstable();
    if *order == SortBy::Score {
        names.sort_by_key(|it| Reverse(scores.get(it).copied().unwrap_or_default()));
    }
    names
        .chunks(most.max(1))
        .map(|chunk| Group {
            name: group.to_owned(),
            clusters: chunk.to_vec(),
        })
        .collect()
}
