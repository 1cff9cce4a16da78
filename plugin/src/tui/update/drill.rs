//! From an object to what belongs to it.

use super::{about, hub, navigate};
use crate::tui::app::App;
use crate::tui::event::Effect;
use crate::tui::grid::Only;
use crate::tui::view::View;
use crate::tui::view::table::TableSpec;
use crate::tui::view::target::Target;
use crate::tui::view::text::TextKind;

/// What is inside of the selected object: what it made, a pod's containers; the description of what has nothing inside.
pub(super) fn open(app: &mut App) -> Vec<Effect> {
    if let Some(table) = app.table_mut() {
        table.grid.settle();
    }
    if let Some(View::Fleet(fleet)) = app.view() {
        let Some(cluster) = fleet.list.selected().map(|line| line.id.clone()) else {
            return Vec::new();
        };
        let spec = TableSpec {
            word: "pods".to_owned(),
            clusters: vec![cluster],
            ..TableSpec::default()
        };
        return navigate::enter(app, spec);
    }
    let inside_of_line = match app.view() {
        Some(View::Hub(view)) => view.inside(),
        _ => None,
    };
    if let Some(kind) = inside_of_line {
        return hub::go(app, kind);
    }
    let Some(target) = app.target() else {
        return Vec::new();
    };
    if target.plural == "pods" {
        return about::containers(app, target);
    }
    match inside(&target) {
        Some(spec) => navigate::enter(app, spec),
        None => about::text(app, TextKind::Describe),
    }
}

/// The table of what an object made, or of what lives in it; none for what has nothing inside.
fn inside(target: &Target) -> Option<TableSpec> {
    let id = target.id.as_ref()?;
    let spec = |word: &str| TableSpec {
        word: word.to_owned(),
        clusters: vec![id.cluster.as_str().to_owned()],
        of: target.label(),
        ..TableSpec::default()
    };
    let made = |word: &str| TableSpec {
        namespaces: vec![id.namespace.clone()],
        only: Only::MadeBy(target.maker()),
        ..spec(word)
    };
    match target.plural.as_str() {
        "deployments" => Some(made("replicasets.v1.apps")),
        "replicasets" | "statefulsets" | "daemonsets" | "jobs" | "replicationcontrollers" => {
            Some(made("pods"))
        }
        "cronjobs" => Some(made("jobs.v1.batch")),
        "nodes" => Some(TableSpec {
            fields: format!("spec.nodeName={}", id.name),
            ..spec("pods")
        }),
        "namespaces" => Some(TableSpec {
            namespaces: vec![id.name.clone()],
            ..spec("pods")
        }),
        _ => None,
    }
}
