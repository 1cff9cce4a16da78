//! Placements, and the clusters that one got.

use super::told::{self, Told, age, holds, status, text, unsupported, why};
use crate::tui::health::Health;
use mqtt_informer::ocm::conditions::find;
use mqtt_informer::ocm::placement::{DISABLE_ANNOTATION, MISCONFIGURED, SATISFIED};
use mqtt_informer::ocm::{Placement, PlacementDecision, name, namespace};

/// The type.
pub(super) const RESOURCE: &str = "placements.v1beta1.cluster.open-cluster-management.io";
/// The type of what a placement got.
pub(super) const DECISIONS: &str = "placementdecisions.v1beta1.cluster.open-cluster-management.io";
/// Of placements.
pub(super) const HEADS: [&str; 6] = [
    "NAMESPACE",
    "NAME",
    "DECISIONS",
    "SATISFIED",
    "AGE",
    "REASON",
];
/// Of the clusters that one got.
pub(super) const DECIDED: [&str; 3] = ["CLUSTER", "SCORE", "REASON"];

/// A placement.
pub(super) fn line(placement: &Placement) -> Told {
    let conditions = &placement.status.conditions;
    let wanted = placement.spec.number_of_clusters;
    let wanted = wanted.map_or_else(|| "all".to_owned(), |many| many.to_string());
    let selected = placement.status.number_of_selected_clusters;
    let (health, reason) = stuck(placement).unwrap_or_default();
    Told {
        id: format!("{}/{}", namespace(placement), name(placement)),
        cluster: None,
        cells: vec![
            text(namespace(placement)),
            text(name(placement)),
            text(format!("{selected}/{wanted}")),
            text(status(conditions, SATISFIED)),
            age(&placement.metadata),
        ],
        health,
        target: told::target(&placement.metadata, "Placement", RESOURCE),
        reason,
    }
}

/// Why it has not what it wants.
fn stuck(placement: &Placement) -> Option<(Health, String)> {
    let conditions = &placement.status.conditions;
    let notes = placement.metadata.annotations.as_ref();
    let disabled = notes.and_then(|notes| notes.get(DISABLE_ANNOTATION));
    if disabled.is_some_and(|it| it == "true") {
        let why = format!("not scheduled: {DISABLE_ANNOTATION} says so");
        return Some((Health::Done, why));
    }
    if let Some(wrong) = holds(conditions, MISCONFIGURED, Health::Bad) {
        return Some(wrong);
    }
    match find(conditions, SATISFIED) {
        None => Some((Health::Warn, "not scheduled yet".to_owned())),
        Some(it) if it.status != "True" => {
            let health = match placement.status.number_of_selected_clusters {
                0 => Health::Bad,
                _ => Health::Warn,
            };
            Some((health, why(it)))
        }
        Some(_) => unsupported(conditions),
    }
}

/// The clusters that a placement got, as far as this object lists them.
pub(super) fn decided(decision: &PlacementDecision) -> Vec<Told> {
    let decisions = decision.decisions().iter();
    let decisions = decisions.filter(|it| !it.cluster_name.is_empty());
    let line = decisions.map(|it| Told {
        id: it.cluster_name.clone(),
        cluster: Some(it.cluster_name.clone()),
        cells: vec![
            text(it.cluster_name.as_str()),
            text(it.score.map(|it| it.to_string()).unwrap_or_default()),
        ],
        reason: it.reason.clone(),
        ..Told::default()
    });
    line.collect()
}
