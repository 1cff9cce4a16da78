//! Clusters that are meant by their labels: they become others while one looks.
//!
//! What is about one object of a cluster that is meant no more is closed; what shows several clusters shows the others,
//! with the cursor, the filter and the order that it has.

use super::navigate;
use crate::tui::app::App;
use crate::tui::event::{Effect, FeedId};
use crate::tui::view::View;
use crate::tui::view::table::{Stream, TableView};
use crate::tui::view::text::{TextKind, TextView};
use mqtt_informer::protocol::message;
use mqtt_informer::protocol::names::ClusterName;
use std::collections::BTreeMap;

/// The clusters that are known are others now, or say something else of themselves.
pub(super) fn clusters(app: &mut App) -> Vec<Effect> {
    let all = navigate::clusters(app, &[]);
    let is_about_another = |view: &View| match view {
        // What is in an object is of its cluster.
        View::Table(table) if !table.spec.of.is_empty() => {
            let names = table.spec.clusters.iter();
            let names = names.map(|name| ClusterName::new(name));
            let mut names = names.filter_map(Result::ok);
            names.any(|name| !all.matches(&name))
        }
        view => view.cluster().is_some_and(|cluster| !all.matches(cluster)),
    };
    let first = app.views.iter().position(is_about_another);
    let mut effects = match first.filter(|first| *first > 0) {
        Some(first) => {
            app.tell("that cluster has other labels now, or is gone", true);
            navigate::close(app, first)
        }
        None => Vec::new(),
    };
    let mut views = std::mem::take(&mut app.views);
    for view in &mut views {
        effects.extend(follow(app, view));
    }
    app.views = views;
    effects.extend(forget_words(app, !effects.is_empty()));
    effects
}

fn follow(app: &mut App, view: &mut View) -> Vec<Effect> {
    match view {
        View::Text(text) if text.kind == TextKind::Diff => difference(app, text),
        view => {
            let tables = view.tables_mut().iter_mut();
            tables.flat_map(|table| table_anew(app, table)).collect()
        }
    }
}

fn table_anew(app: &mut App, table: &mut TableView) -> Vec<Effect> {
    let clusters = navigate::clusters(app, &table.spec.clusters);
    if clusters == table.watched {
        return Vec::new();
    }
    let left: Vec<_> = table.all_feeds().into_iter().map(Effect::Leave).collect();
    let selections = TableView::selections(&table.spec);
    let feeds: Vec<FeedId> = selections.iter().map(|_| app.feed_id()).collect();
    let gone = table.clusters().into_iter().cloned();
    let gone: Vec<_> = gone.filter(|name| !clusters.matches(name)).collect();
    gone.iter().for_each(|name| table.grid.forget(name));
    table.streams = kept(table, &feeds, |name| clusters.matches(name));
    let watch = |(feed, selection): (&FeedId, _)| {
        Effect::Watch(*feed, clusters.clone(), Box::new(selection))
    };
    // New before old: what both have is asked for once.
    let mut effects: Vec<_> = feeds.iter().zip(selections).map(watch).collect();
    effects.extend(left);
    (table.feeds, table.watched, table.is_discovered) = (feeds, clusters, false);
    table.figures = Default::default();
    effects
}

/// What stays is shown until it is told anew, as fresh as it was.
fn kept(
    table: &TableView,
    feeds: &[FeedId],
    stays: impl Fn(&ClusterName) -> bool,
) -> BTreeMap<(FeedId, ClusterName), Stream> {
    let keys = table.grid.keys();
    let pairs = table.feeds.iter().zip(feeds).enumerate();
    let streams = pairs.flat_map(|(at, (old, new))| {
        let namespace = table.spec.namespaces.get(at).map(|name| format!("{name}/"));
        let (stays, keys) = (&stays, &keys);
        let its = table.streams.iter();
        let its = its.filter(move |((feed, name), _)| feed == old && stays(name));
        its.map(move |((_, name), stream)| {
            let is_in = |key: &bytes::Bytes| {
                let namespace = namespace.as_ref();
                namespace.is_none_or(|namespace| key.starts_with(namespace.as_bytes()))
            };
            let keys = keys.get(name).into_iter().flatten().cloned();
            let stream = Stream {
                state: stream.state.clone(),
                age: stream.age,
                kept: keys.filter(is_in).collect(),
                ..Stream::default()
            };
            ((*new, name.clone()), stream)
        })
    });
    streams.collect()
}

fn difference(app: &mut App, text: &mut TextView) -> Vec<Effect> {
    let clusters = navigate::clusters(app, &text.compared);
    if clusters == text.watched {
        return Vec::new();
    }
    text.objects.retain(|name, _| clusters.matches(name));
    text.ages.retain(|name, _| clusters.matches(name));
    text.refusals.retain(|name, _| clusters.matches(name));
    text.is_outdated = true;
    let before = std::mem::replace(&mut text.feed, app.feed_id());
    text.watched = clusters.clone();
    let selection = Box::new(text.target.selection(message::View::Objects));
    vec![
        Effect::Watch(text.feed, clusters, selection),
        Effect::Leave(before),
    ]
}

/// Completion asks the clusters that are meant now when somebody types next.
fn forget_words(app: &mut App, are_others: bool) -> Vec<Effect> {
    let feeds = app
        .words
        .feeds
        .take_if(|_| are_others && app.prompt.is_none());
    let feeds = feeds.map(|(types, namespaces)| [types, namespaces]);
    feeds.into_iter().flatten().map(Effect::Leave).collect()
}
