//! What pods and nodes use: watched beside a table's rows, where clusters tell it.
//!
//! A cluster without metrics.k8s.io refuses; nobody has asked for it by name, so nothing is said of it.

use super::navigate;
use crate::tui::app::App;
use crate::tui::event::{Effect, FeedId, FeedNews};
use crate::tui::grid::Measure;
use crate::tui::usage::Measured;
use crate::tui::view::table::TableView;
use mqtt_informer::protocol::message::{Selection, View};

/// Pods are not read whole for their percentages if the table has more of them.
const MOST_WHOLE: usize = 5_000;

/// Watches what the figures of a table are made of, once it is known that it has some; leaves what is shown no more.
pub(super) fn watch(app: &mut App, table: &mut TableView) -> Vec<Effect> {
    let Some(measured) = table.grid.measured() else {
        return Vec::new();
    };
    let mut effects = Vec::new();
    if table.figures.used.is_empty() {
        let selections = table.selections_of(measured.metrics(), View::Objects);
        (table.figures.used, effects) = watched(app, table, selections);
    }
    let wants_bounds = table.grid.has_figures() && wants_bounds(table, measured);
    match (wants_bounds, table.figures.bounds.is_empty()) {
        (true, true) => {
            let objects = TableView::selections(&table.spec).into_iter();
            let objects = objects.map(|selection| Selection {
                view: View::Objects,
                ..selection
            });
            let (feeds, its) = watched(app, table, objects.collect());
            table.figures.bounds = feeds;
            effects.extend(its);
        }
        (false, false) => {
            effects.extend(table.figures.bounds.drain(..).map(Effect::Leave));
            table.grid.forget_bounds();
        }
        _ => {}
    }
    effects
}

fn wants_bounds(table: &TableView, measured: Measured) -> bool {
    // Who has them keeps them while some more come.
    let most = match table.figures.bounds.is_empty() {
        true => MOST_WHOLE,
        false => 2 * MOST_WHOLE,
    };
    measured.bounds_are_cheap() || (table.is_wide && table.grid.len() <= most)
}

fn watched(
    app: &mut App,
    table: &TableView,
    selections: Vec<Selection>,
) -> (Vec<FeedId>, Vec<Effect>) {
    let clusters = navigate::clusters(app, &table.spec.clusters);
    let feeds: Vec<FeedId> = selections.iter().map(|_| app.feed_id()).collect();
    let watch = |(feed, selection): (&FeedId, Selection)| {
        Effect::Watch(*feed, clusters.clone(), Box::new(selection))
    };
    let effects = feeds.iter().zip(selections).map(watch).collect();
    (feeds, effects)
}

/// News of them.
pub(super) fn take(table: &mut TableView, feed: FeedId, news: FeedNews) {
    let is_used = table.figures.used.contains(&feed);
    let measure = match is_used {
        true => Measure::Used,
        false => Measure::Bounds,
    };
    match news {
        FeedNews::Changed(cluster, notices) => table.grid.measure(&cluster, measure, &notices),
        FeedNews::Ages(ages) if is_used => {
            let ages = ages.into_iter().map(|(name, age)| ((feed, name), age));
            table.figures.ages.extend(ages);
        }
        _ => {}
    }
}
