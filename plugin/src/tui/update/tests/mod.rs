//! What is typed and told, and what follows: without a terminal.

mod figures;
mod fleet;
mod follow;
mod history;
mod hub;
mod kept;
mod keys;
mod logs;
mod objects;
mod tables;

use super::*;
use crate::tui::grid::{Field, Group, Only};
use crate::tui::testing::{Bed, PODS, pods};
use crate::tui::view::table::TableSpec;
use mqtt_informer::informer::{Clusters, LinkState};
use mqtt_informer::link::Failure;
use mqtt_informer::protocol::message::Selection;
use mqtt_informer::protocol::selector::LabelSelector;

const SIZE: (u16, u16) = (100, 24);

fn spec(bed: &Bed) -> &TableSpec {
    &bed.app.table().unwrap().spec
}

/// What is watched from now on: the types with their namespaces and fields, and in which clusters.
fn watched(bed: &mut Bed) -> Vec<(Selection, Clusters)> {
    let effects = bed.take_effects().into_iter();
    let watched = effects.filter_map(|effect| match effect {
        Effect::Watch(_, clusters, selection) => Some((*selection, clusters)),
        _ => None,
    });
    watched.collect()
}

fn selected(bed: &Bed) -> String {
    let selected = bed.app.table().unwrap().grid.selected();
    selected.map_or_else(String::new, |it| {
        format!("{}/{}", it.cluster.as_str(), it.name)
    })
}

fn text(bed: &Bed) -> &crate::tui::view::text::TextView {
    match bed.app.view() {
        Some(View::Text(text)) => text,
        other => panic!("{other:?}"),
    }
}
