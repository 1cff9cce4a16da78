//! From an object to what belongs to it.

use super::navigate;
use crate::tui::app::App;
use crate::tui::event::Effect;
use crate::tui::grid::{ObjectId, Only};
use crate::tui::object::{self, Maker};
use crate::tui::view::View;
use crate::tui::view::table::TableSpec;

/// What is inside of the selected object.
pub(super) fn open(app: &mut App) -> Vec<Effect> {
    let Some(View::Table(table)) = app.view_mut() else {
        return Vec::new();
    };
    table.grid.settle();
    let (Some(id), Some(value)) = (table.grid.selected(), table.grid.selected_value()) else {
        return Vec::new();
    };
    let Some(resource) = table.grid.resource() else {
        return Vec::new();
    };
    let uid = object::uid(value);
    match inside(&resource.plural, &resource.kind, &id, &uid) {
        Some(spec) => navigate::enter(app, spec),
        None => Vec::new(),
    }
}

/// The table of what an object made, or of what lives in it; none for what has nothing inside.
fn inside(plural: &str, kind: &str, id: &ObjectId, uid: &str) -> Option<TableSpec> {
    let of = format!("{}/{}", kind.to_lowercase(), id.name);
    let spec = |word: &str| TableSpec {
        word: word.to_owned(),
        clusters: vec![id.cluster.as_str().to_owned()],
        of: of.clone(),
        ..TableSpec::default()
    };
    let made = |word: &str| TableSpec {
        namespaces: vec![id.namespace.clone()],
        only: Only::MadeBy(Maker {
            uid: uid.to_owned(),
            kind: kind.to_owned(),
            name: id.name.clone(),
        }),
        ..spec(word)
    };
    match plural {
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
